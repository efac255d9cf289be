"""Virtual devices of Sofar."""
