"""Virtual devices of SolarEdge."""
