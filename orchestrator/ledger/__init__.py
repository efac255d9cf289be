"""The ledger of compliance: excesses over limits, and energy, summed up over time."""
