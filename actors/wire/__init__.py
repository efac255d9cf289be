"""Sockets: Modbus TCP, MQTT, HTTP."""
