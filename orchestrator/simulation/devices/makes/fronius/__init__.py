"""Virtual devices of Fronius."""
