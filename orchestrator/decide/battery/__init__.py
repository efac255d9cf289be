"""Battery power: the target of the site, the share of each battery, its command, and whether it obeys."""
