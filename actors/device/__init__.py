"""One device behind a link, as its actor uses it: found, read, written to."""
