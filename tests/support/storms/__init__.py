"""Storms: random plants under a hail of faults in virtual time, and what must hold whatever comes."""
