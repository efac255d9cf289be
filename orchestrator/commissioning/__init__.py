"""Before a site runs: scan, dump, draft of a site.yaml, and trial of each inverter."""
