"""`orchestrator commission`: each inverter tried with small steps, and left as it was found."""
