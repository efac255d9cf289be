"""Why: the reasons of a decision."""
