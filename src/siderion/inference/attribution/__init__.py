"""The odds of the four sources of heavy ions for what an instrument has counted: priors in the open, and when not to decide."""
