"""Between a device and its reader: Modbus frames, and what can go wrong with them."""
