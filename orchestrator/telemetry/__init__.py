"""What is told of each cycle: MQTT payloads, gauges, table, log, explanation, recording."""
