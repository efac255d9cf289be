"""The virtual site: pure physics, the register behaviour of devices, and a Modbus TCP server around them."""
