"""Made-up polar outputs with a known answer: two round cells of convection about the dipole pole."""

import json

import numpy as np
import xarray as xr

from siderion.background.ion_velocity import TERMS
from siderion.frames.dipole import TiltedDipole

TIMES = np.array(["2023-06-18T06:00", "2023-06-18T18:00"], dtype="datetime64[ns]")
PEAK_COLATITUDE = 14.0
LAYER_WIDTH = 1.8
EVENING, MORNING = -40e3, 30e3
LEVELS = (118.0, 120.0, 122.0, 130.0, 150.0, 199.0, 201.0, 250.0, 299.0, 301.0)


def two_cells(magnetic_latitude, local_time):
    """Potential, V: extrema of -40 and 30 kV at 18 and 6 h and 14 degrees from the pole, zero on the noon-midnight line."""
    x = (90.0 - np.abs(magnetic_latitude)) / PEAK_COLATITUDE
    wave = -np.sin(2.0 * np.pi * (local_time - 12.0) / 24.0)
    return np.where(wave < 0.0, -EVENING, MORNING) * wave * x * np.exp((1.0 - x**2) / 2.0)


def coordinates(step, sign=1.0):
    lat = sign * np.arange(40.0 + step / 2, 90.0, step)
    lon = np.arange(-180.0 + step / 2, 180.0, step)
    return (lat if sign > 0 else lat[::-1]), lon


def polar_output(step=1.0, sign=1.0, alt=LEVELS):
    """Density 1e9 everywhere, no motion; tests change what they are about."""
    lat, lon = coordinates(step, sign)
    alt = np.asarray(alt, dtype=float)
    lat2, lon2 = np.meshgrid(lat, lon, indexing="ij")
    dipole = TiltedDipole.at(TIMES[0])
    local_time = np.stack([dipole.magnetic_local_time(time, lat2, lon2) for time in TIMES])
    grid, flat = (len(alt), len(lat), len(lon)), np.broadcast_to
    edges = np.concatenate([[1.5 * alt[0] - 0.5 * alt[1]], (alt[1:] + alt[:-1]) / 2, [1.5 * alt[-1] - 0.5 * alt[-2]]])
    weight = np.radians(step) * (np.sin(np.radians(lat + step / 2)) - np.sin(np.radians(lat - step / 2)))
    zero = np.zeros((1, 2, *grid), np.float32)
    ways, space = ("east", "north", "up"), ("lat", "lon")
    variables = {
        "number_density": (("species", "time", "alt", *space), zero + 1e9),
        "electron_density": (("time", "alt", *space), np.full((2, *grid), 1e11)),
        "electric_potential": (("time", *space), two_cells(dipole.magnetic_latitude(lat2, lon2), local_time)),
        "magnetic_local_time": (("time", *space), local_time),
        "invariant_latitude": (("alt", *space), dipole.invariant_latitude(alt[:, None, None], lat2, lon2)),
        "solid_angle": (space, flat(weight[:, None], grid[1:])),
        "alt_bounds": (("alt", "bound"), np.stack([edges[:-1], edges[1:]], axis=-1)),
        **{f"neutral_wind_{way}": (("time", "alt", *space), np.full((2, *grid), 30.0)) for way in ways[:2]},
        **{f"velocity_{way}": (("species", "velocity_time", "alt", *space), zero.copy()) for way in ways},
        **{
            f"velocity_{way}_by_term": (
                ("term", "species", "velocity_time", "term_alt", *space),
                np.zeros((len(TERMS), *zero.shape), np.float32),
            )
            for way in ways
        },
    }
    coords = {
        "species": ["Fe+"], "term": list(TERMS), "time": TIMES, "velocity_time": TIMES,
        "alt": alt, "term_alt": alt, "lat": lat, "lon": lon,
    }  # fmt: skip
    return xr.Dataset(variables, coords=coords)


def with_settings(output, **changes):
    """The output with settings in its attributes, as `siderion.run` writes them."""
    settings = {"date": "2023-06-18", "terms": list(TERMS), "drivers": {"wind": "solver", "imf_bz": None}}
    settings |= changes
    return output.assign_attrs(settings=json.dumps(settings))
