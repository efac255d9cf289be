"""A make is a file here, in `inverters/` or `meters/`; beside them what such a file may hold, and how it is checked."""
