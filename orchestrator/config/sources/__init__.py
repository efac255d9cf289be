"""Sources of setpoints in site.yaml: what may be asked for, times of the week, prices, contacts, and the voltage."""
