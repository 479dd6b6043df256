"""Frames and time: the Sun, the tilted dipole, magnetic local time, invariant latitude."""
