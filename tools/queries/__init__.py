"""Asks a running Prometheus every query of every panel and rule: `python -m tools.queries http://127.0.0.1:9090`."""
