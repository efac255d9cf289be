"""What the actors tell of themselves, counted for Prometheus."""
