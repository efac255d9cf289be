"""When a step is made, and with what: the loop of the site without threads."""
