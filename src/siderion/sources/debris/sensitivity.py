"""What the path of entry, the break-up and the mass change in the input of a re-entry to the layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from siderion.sources.entry.atmosphere import Atmosphere

from .reentry import fly_reentry
from .settings import ReentrySettings

VARIED: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("break_up_altitude", (78.0, 82.0, 85.0, 90.0)),
    ("flight_path_angle", (-0.1, -0.2, -0.5, -1.0, -2.0)),
    ("mass", (1.0, 20.0, 100.0, 500.0, 1000.0, 8000.0)),
)
"""What `layer_sensitivity` varies, one at a time."""


def layer_shares(
    mass: float, composition: str | Mapping[str, Mapping[str, Any]], settings: ReentrySettings, atmosphere: Atmosphere
) -> pd.Series:
    """Share of each element of an object that is released as atoms above ``layer_floor``; ``all`` is that of the whole mass.

    Parameters
    ----------
    mass, composition, settings, atmosphere
        As in `siderion.sources.debris.reentry.fly_reentry`.

    Returns
    -------
    pandas.Series
        By element, and ``all``.

    Raises
    ------
    SettingsError, NumericalError
        As `fly_reentry`.
    """
    entry = fly_reentry(mass, composition, settings, atmosphere)
    above = (entry["alt_bounds"].isel(bound=0) >= settings.layer_floor).values
    layer = entry["released_mass"].sum("part").isel(alt=above).sum("alt").to_series() * settings.vapour_share
    whole = (entry["part_fraction"] * entry["initial_mass"]).sum("part").to_series()
    shares = layer / whole
    shares["all"] = layer.sum() / whole.sum()
    return shares


def layer_sensitivity(
    atmosphere: Atmosphere,
    composition: str | Mapping[str, Mapping[str, Any]] = "satellite",
    *,
    mass: float = 1000.0,
    settings: ReentrySettings | None = None,
    elements: Sequence[str] = ("all", "Al", "Li", "Ti", "Cu", "Fe"),
    varied: Sequence[tuple[str, Sequence[float]]] = VARIED,
) -> pd.DataFrame:
    """Shares of `layer_shares` where one setting, or the mass, is changed at a time.

    Parameters
    ----------
    atmosphere : Atmosphere
        The same for all.
    composition, mass, settings
        Of the object in the middle of the table; the default settings without any.
    elements : sequence of str
        Columns; ``all`` is the whole mass.
    varied : sequence of (name, values)
        A field of `ReentrySettings`, or ``mass`` in kg, and its values.

    Returns
    -------
    pandas.DataFrame
        Columns ``varied``, ``value`` and one for each of ``elements``, a share from 0 to 1.

    Raises
    ------
    SettingsError, NumericalError
        As `fly_reentry`; a name is no setting.
    """
    centre = settings or ReentrySettings()
    rows = []
    for name, values in varied:
        for value in values:
            own = centre if name == "mass" else ReentrySettings.make(centre.model_dump() | {name: value})
            shares = layer_shares(value if name == "mass" else mass, composition, own, atmosphere)
            rows.append({"varied": name, "value": value, **{element: shares.get(element, 0.0) for element in elements}})
    return pd.DataFrame(rows)
