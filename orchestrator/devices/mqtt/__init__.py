"""`driver: mqtt`: a meter or an inverter that something else reads and commands."""
