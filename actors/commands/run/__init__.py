"""`orchestrator run`: the plant, and what surrounds it while it runs."""
