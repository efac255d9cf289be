"""Whether the meter is to be believed: its silence, its votes, and the question that it is asked."""
