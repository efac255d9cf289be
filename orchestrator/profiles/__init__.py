"""Makes of inverters as files: what each reads and obeys, and a driver that follows such a file."""
