"""Virtual devices of Solis (Ginlong)."""
