"""The Numba engine: parallel, single or double precision, for CPUs."""

from .numba_checks import first_invalid, largest_rates, total_content
from .numba_chemistry import react
from .numba_diffusion import diffuse_vertical
from .numba_horizontal import advect_horizontal
from .numba_velocity import fill_velocity, interpolate_columns
from .numba_vertical import advect_vertical

NAME = "numba"

__all__ = [
    "NAME",
    "advect_horizontal",
    "advect_vertical",
    "diffuse_vertical",
    "fill_velocity",
    "first_invalid",
    "interpolate_columns",
    "largest_rates",
    "react",
    "total_content",
]
