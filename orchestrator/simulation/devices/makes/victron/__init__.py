"""Virtual devices of Victron."""
