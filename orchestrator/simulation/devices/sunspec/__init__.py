"""Devices that speak SunSpec, written from the published models, independent of the driver."""
