"""The command line: the one door from the pure package to `actors`."""
