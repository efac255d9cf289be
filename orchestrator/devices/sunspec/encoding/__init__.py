"""From a command to SunSpec registers, and whether the device took them."""
