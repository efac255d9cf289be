"""The log: which events and reasons are worth a line, and how a line looks."""
