"""From SunSpec registers to samples, in our signs and units."""
