"""Test particles: how they are launched, and how they fly through gravity, radiation pressure and photo-loss."""

from __future__ import annotations

from .flight import Flight, fly_integrated, fly_kepler, time_between
from .launch import (
    fragment_energy,
    impact_vapour,
    maxwellian_flux,
    mono_energetic,
    photo_dissociation,
    points_on_sphere,
    sputter,
)

__all__ = [
    "Flight",
    "fly_integrated",
    "fly_kepler",
    "fragment_energy",
    "impact_vapour",
    "maxwellian_flux",
    "mono_energetic",
    "photo_dissociation",
    "points_on_sphere",
    "sputter",
    "time_between",
]
