"""What a step sees: the units, what their batteries can do, the load, and who is away."""
