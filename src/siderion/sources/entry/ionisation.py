"""Ionisation of released atoms by their first collisions with the air: probability beta against speed."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import SettingsError
from siderion.core.tables import load_table


def impact_ionisation(speed: ArrayLike, model: str = "jones1997", element: str | None = None) -> NDArray[np.float64]:
    """Probability that an atom released at a speed becomes an ion in collisions with molecules of the air.

    Parameters
    ----------
    speed : array
        m s-1, not negative.
    model : {"jones1997", "thomas2016", "vondrak2008_sodium", "jones1997_elements"}
        Jones: 9.4e-6 (v - 10)^2 v^0.8, made for 35 km/s at most; Thomas (iron): 10^(5.84 - 0.09 sqrt(v) - 9.56/log10 v);
        Vondrak (sodium): 0.933 (v - 8.86)^2 v^-1.94; v in km/s. The last has coefficients for Fe, Si, Mg and O, and
        the first law for other elements.
    element : str, optional
        Element, for models that tell elements apart.

    Returns
    -------
    array
        Probability, 0 to 1; extended beyond the range of the law and capped at 1, 0 below its threshold.

    Raises
    ------
    SettingsError
        The model is unknown, or a speed is negative or not finite.

    References
    ----------
    Jones 1997 (doi:10.1093/mnras/288.4.995), Thomas et al. 2016 (doi:10.1002/2016GL068854), Vondrak et al. 2008
    (doi:10.5194/acp-8-7015-2008). Coefficients: ``sources/tables/ionisation_probability.csv``.
    """
    speeds = np.asarray(speed, float)
    if not (np.isfinite(speeds).all() and (speeds >= 0.0).all()):
        raise SettingsError("a speed of released atoms is negative or not finite; give m s-1")
    row = _law(model, element)
    v = speeds / 1e3
    a, b, c = float(row["a"]), float(row["b"]), float(row["c"])
    if row["form"] == "logarithm":
        fast = np.maximum(v, 1.001)
        exponent = a + b * np.sqrt(fast) + c / np.log10(fast)
        return np.where(v > 1.001, 10.0 ** np.clip(exponent, -300.0, 0.0), 0.0)
    above = np.maximum(v - b, 0.0)
    value = a * above**2 * np.maximum(v, b) ** c
    if row["form"] == "saturated":
        value = value / (1.0 + value)
    return np.minimum(value, 1.0)


def outside_law(speed: ArrayLike, model: str = "jones1997", element: str | None = None) -> NDArray[np.bool_]:
    """Whether speeds lie outside of the range for which an ionisation law was made.

    Parameters
    ----------
    speed : array
        m s-1.
    model, element
        As in `impact_ionisation`.

    Returns
    -------
    array of bool
        False where the speed is missing.

    Raises
    ------
    SettingsError
        The model is unknown.
    """
    row = _law(model, element)
    kilometres = np.asarray(speed, float) / 1e3
    return np.asarray((kilometres < float(row["lower_km_s"])) | (kilometres > float(row["upper_km_s"])))


def ions_outside_law(flown: xr.Dataset, model: str) -> xr.DataArray:
    """Mass of the ions that are made at speeds outside of the range of the ionisation law.

    Parameters
    ----------
    flown : xarray.Dataset
        ``impact_ionised_mass`` (kg, on ``element``, ``alt`` and others) and ``released_speed`` (m s-1, on ``alt`` and others),
        as `siderion.sources.entry.flight.fly_bodies` gives them. The speed in each bin is taken as that of all its ions.
    model : str
        As in `impact_ionisation`.

    Returns
    -------
    xarray.DataArray
        kg, on the dimensions of ``impact_ionised_mass`` without ``alt``.

    Raises
    ------
    SettingsError
        The model is unknown.
    """
    speed = flown["released_speed"]
    outside = xr.concat(
        [speed.copy(data=outside_law(speed.values, model, str(name))) for name in flown["element"].values], flown["element"]
    )
    return flown["impact_ionised_mass"].where(outside, 0.0).sum("alt")


def _law(model: str, element: str | None) -> dict:
    """Row of the table for a model and an element."""
    table = load_table("sources", "ionisation_probability")
    rows = table[table["model"] == model]
    if rows.empty:
        raise SettingsError(f"ionisation model {model!r} is unknown; use one of {sorted(set(table['model']))}")
    own = rows[rows["element"] == element]
    return dict((own if len(own) else rows[rows["element"] == "all"]).iloc[0])


def ionisation_source(model: str) -> tuple[str, str, str, str]:
    """What, model, confidence and citation of an ionisation model."""
    table = load_table("sources", "ionisation_probability")
    rows = table[table["model"] == model]
    sure = "verified" if (rows["confidence"] == "verified").all() else "unverified"
    ranges = ", ".join(
        f"{low:g} to {high:g} km/s" + ("" if len(rows) == 1 else f" ({element})")
        for element, low, high in zip(rows["element"], rows["lower_km_s"], rows["upper_km_s"], strict=True)
    )
    return ("ionisation by collisions", f"{model}, made for {ranges}, used at all speeds", sure, str(rows["source"].iloc[0]))
