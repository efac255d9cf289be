"""A release: version, changelog, wheel, sdist, Debian packages, checksums, notes and tag, by one command."""
