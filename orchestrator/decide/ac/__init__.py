"""The room for AC power: how much there is, who may use it, and the AC limits that follow."""
