"""Entry of bodies into the atmosphere: flight, heating, ablation, and what of it is released where."""
