"""Sockets: Modbus TCP, MQTT."""
