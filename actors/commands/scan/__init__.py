"""`orchestrator scan`: which devices answer, in a network or on a serial line."""
