"""SunSpec over Modbus, without the Modbus: registers in, records out, and commands back into registers."""
