"""Virtual devices of KOSTAL."""
