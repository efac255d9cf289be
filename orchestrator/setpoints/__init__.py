"""What is asked of the site: fields, payloads, and how several sources are merged."""
