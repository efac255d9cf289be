"""A make is a file here, below `inverters/`; beside them what such a file may hold, and how it is checked."""
