"""Virtual devices of SMA."""
