"""Foundations: species, bodies, constants, variables, measurements, tables, errors."""
