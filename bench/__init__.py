"""What the orchestrator costs, measured: `make bench`. Numbers of one run, to be read and compared, never asserted."""
