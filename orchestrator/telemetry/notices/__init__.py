"""Messages to people: what is worth one, when, and what to do"""
