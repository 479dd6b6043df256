"""The ionospheric supply: molecular ions, their way up a field line, and the share that reaches space."""
