"""The physics of the virtual site over time: inverters, meter, weather."""
