"""How a target is spread over the batteries: `spread` calls one strategy, each has a module."""
