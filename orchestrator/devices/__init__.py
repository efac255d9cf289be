"""Devices: how one kind of device is read and commanded. `base` says what a driver is."""
