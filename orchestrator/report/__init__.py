"""Reports for people: pages that need no network, and CSV for machines. Values in, text out."""
