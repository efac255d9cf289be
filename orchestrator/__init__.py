"""The pure part of the plant: values in, values out. No thread, socket, clock or actor lives here."""

__version__ = "0.2.0"
