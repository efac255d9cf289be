"""Devices whose registers lie at addresses that their documents fix."""
