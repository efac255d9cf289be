"""YAML text with its mistakes at their lines."""
