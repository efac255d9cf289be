"""Scenarios: plants and what happens to them, as data in `library/`, and what must hold."""
