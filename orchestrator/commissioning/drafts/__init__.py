"""A site.yaml for a new site: drafted from a scan, or written as somebody has chosen."""
