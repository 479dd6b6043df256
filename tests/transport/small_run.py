"""A run that takes a second or two: 5 degrees, coarse drivers, one hour."""

from siderion.transport.settings import make_settings

SMALL = {
    "date": "2023-06-18",
    "hours": 1.0,
    "spin_up": 0.5,
    "output_interval": 0.5,
    "time_step": 120.0,
    "velocity_at": ["00:00"],
    "grid": {"resolution": 5.0, "fine_step": 3.0, "coarse_step": 10.0},
    "drivers": {"wind": "none", "lat_step": 5.0, "lon_step": 15.0, "edge_latitude": 35.0},
}


def small_settings(**changes):
    return make_settings({**SMALL, **changes})
