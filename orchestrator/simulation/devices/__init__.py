"""How devices of real makes behave on their registers. Written from the published tables, independent of the driver."""
