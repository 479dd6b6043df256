"""Test particles: how they are launched, how neutrals fly through gravity, and how ions move in electric and magnetic fields."""

from __future__ import annotations

from .electromagnetic_fields import (
    Fields,
    convection_field,
    dipole_field,
    flowing_fields,
    function_fields,
    grid_fields,
    uniform_fields,
)
from .flight import Flight, fly_integrated, fly_kepler, time_between
from .launch import (
    fragment_energy,
    impact_vapour,
    in_frame_of,
    maxwellian_flux,
    mono_energetic,
    photo_dissociation,
    points_on_sphere,
    sputter,
)
from .pusher import Trajectories, push, push_pick_up
from .stop_surfaces import box, conic_surface, plane, shue_surface, sphere

__all__ = [
    "Fields",
    "Flight",
    "Trajectories",
    "box",
    "conic_surface",
    "convection_field",
    "dipole_field",
    "flowing_fields",
    "fly_integrated",
    "fly_kepler",
    "fragment_energy",
    "function_fields",
    "grid_fields",
    "impact_vapour",
    "in_frame_of",
    "maxwellian_flux",
    "mono_energetic",
    "photo_dissociation",
    "plane",
    "points_on_sphere",
    "push",
    "push_pick_up",
    "shue_surface",
    "sphere",
    "sputter",
    "time_between",
    "uniform_fields",
]
