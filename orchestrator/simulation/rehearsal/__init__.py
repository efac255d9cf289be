"""A day of a site in virtual time, under several ways of control."""
