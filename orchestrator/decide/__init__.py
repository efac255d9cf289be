"""The path of a decision, and nothing else: what each inverter is to do, from one look at the site."""
