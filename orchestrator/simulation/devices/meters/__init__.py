"""Virtual meters in the registers of their makes, each written from the make's documents and never from our profile."""
