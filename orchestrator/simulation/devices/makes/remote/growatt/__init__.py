"""Virtual devices of Growatt."""
