"""Virtual devices of Sigenergy."""
