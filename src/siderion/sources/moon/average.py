"""Mean share of the lunar ions that reach the Earth, over the place of the Moon and the sense of the field."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.frames.moon import moon_position_from_phase

from .pickup import ARRIVED, fly_species, make_scene
from .settings import PickupSettings


def mean_arrival_share(
    settings: PickupSettings, *, first_hour: float = 10.0, last_hour: float = 14.0, positions: int = 5
) -> xr.Dataset:
    """Share of the launched ions that arrive, for a Moon at several local times and for the field and its opposite.

    Local times are the middles of equal parts of the range, in the ecliptic at the mean distance. Every case has its own
    random stream.

    Parameters
    ----------
    settings : PickupSettings
        Everything but the place of the Moon; ``moon`` is replaced.
    first_hour, last_hour : float
        Range of lunar local time, h.
    positions : int
        Number of local times.

    Returns
    -------
    xarray.Dataset
        ``share_by_case`` (species, sense, lunar_local_time); ``mean_share`` (species), its mean; ``lowest_share``,
        ``highest_share`` (species), over the cases. ``sense`` is 1 for the field as given, -1 for its opposite.

    Raises
    ------
    SettingsError
        The hours or the number of positions do not fit, or a setting does not.
    """
    if positions < 1 or not (0.0 <= first_hour < last_hour <= 24.0):
        raise SettingsError(f"hours {first_hour} to {last_hour} in {positions} positions: give a rising range in 0 to 24 h")
    hours = first_hour + (last_hour - first_hour) * (np.arange(positions) + 0.5) / positions
    senses = (1, -1)
    streams = iter(np.random.SeedSequence(settings.seed).spawn(positions * len(senses) * len(settings.species)))
    shares = np.empty((len(settings.species), len(senses), positions))
    for j, sense in enumerate(senses):
        for k, hour in enumerate(hours):
            moon = tuple(float(x) for x in moon_position_from_phase(15.0 * (hour - 12.0)) / EARTH_RADIUS)
            north = None if settings.bz_gsm is None else sense * settings.bz_gsm
            case = settings.model_copy(update={"moon": moon, "imf": tuple(sense * b for b in settings.imf), "bz_gsm": north})
            scene = make_scene(case)
            for i, name in enumerate(settings.species):
                one = fly_species(case, scene, name, np.random.default_rng(next(streams)))
                shares[i, j, k] = one.weight[one.end == ARRIVED].sum() / one.weight.sum()
    unit = {"units": "1"}
    return xr.Dataset(
        {
            "share_by_case": (("species", "sense", "lunar_local_time"), shares, unit | {"long_name": "share that arrives"}),
            "mean_share": ("species", shares.mean(axis=(1, 2)), unit | {"long_name": "mean share that arrives"}),
            "lowest_share": ("species", shares.min(axis=(1, 2)), unit | {"long_name": "lowest share of the cases"}),
            "highest_share": ("species", shares.max(axis=(1, 2)), unit | {"long_name": "highest share of the cases"}),
        },
        coords={
            "species": ("species", list(settings.species), {"long_name": "ion"}),
            "sense": ("sense", list(senses), {"long_name": "1 the field as given, -1 its opposite"}),
            "lunar_local_time": ("lunar_local_time", hours, {"units": "h", "long_name": "local time of the Moon"}),
        },
        attrs={"settings": settings.model_dump_json()},
    )
