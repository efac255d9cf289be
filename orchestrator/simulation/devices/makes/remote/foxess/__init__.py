"""Virtual devices of FoxESS."""
