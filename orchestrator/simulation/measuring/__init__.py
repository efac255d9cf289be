"""How good a run was: curves, measures, expectations, and what perfect knowledge would have done."""
