"""Pulse-height events: mass and mass per charge of single ions, and counts of them by region, Moon and activity."""
