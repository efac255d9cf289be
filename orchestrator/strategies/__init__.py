"""How a target is spread over batteries: one module per strategy, each a pure function from `Ask` to `Spread`."""
