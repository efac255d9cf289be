"""The docs as a site: `make docs`. The pages stay plain Markdown, readable where they are."""
