"""Finding a SunSpec device: its map, what does not change in it, and what is read in each cycle."""
