"""The chain from a source to counts: what a supply or an arrival rate means for an instrument."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.errors import DataError, SettingsError
from siderion.core.measurement import measurement
from siderion.spectrometer.exposure import sensitivity
from siderion.spectrometer.instruments import Instrument, get_instrument


def exposure_of(
    instrument: str | Instrument, duration: float, *, geometric_factor: float | None = None, efficiency: float | None = None
) -> float:
    """Counts per unit of a flux that comes from all sides: G e d t / (4 pi), m2 s.

    Parameters
    ----------
    instrument : str or Instrument
        Name as in `siderion.spectrometer.instruments`.
    duration : float
        s.
    geometric_factor, efficiency : float, optional
        In place of those of the instrument, m2 sr and 1.

    Raises
    ------
    SettingsError
        The duration is not positive.
    CoverageError
        The instrument, its geometric factor or its efficiency is not known.
    """
    if not 0.0 < duration < np.inf:
        raise SettingsError(f"duration is {duration} s; it must be positive and finite")
    chosen = get_instrument(instrument) if isinstance(instrument, str) else instrument
    return sensitivity(chosen, geometric_factor, efficiency) * chosen.duty_cycle * duration / (4.0 * np.pi)


def counts_from_supply(
    result: xr.Dataset, instrument: str | Instrument, duration: float, area: float, *, energy_share: float = 1.0
) -> xr.Dataset:
    """Expected counts from the supply of a budget, or from the ions that arrive from the Moon.

    The ions per second are spread over the area and come from all sides: counts = N / A x G e d t / (4 pi) x share.

    Parameters
    ----------
    result : xarray.Dataset
        Of `siderion.inference.budget.supply_budget` (``supply``) or of siderion pickup (``arrival_rate``), s-1.
    instrument : str or Instrument
        See `exposure_of`.
    duration : float
        s.
    area : float
        m2.
    energy_share : float
        Share of the ions inside the energy range of the instrument, above 0 to 1.

    Returns
    -------
    xarray.Dataset
        Measurement ``source_counts`` over the dimension of the input.

    Raises
    ------
    DataError
        The data set holds neither.
    SettingsError
        Area or share are out of range.
    """
    name = next((one for one in ("supply", "arrival_rate") if one in result), None)
    if name is None:
        raise DataError("no supply and no arrival_rate; give the output of siderion sources budget or of siderion pickup")
    if not (0.0 < area < np.inf and 0.0 < energy_share <= 1.0):
        raise SettingsError(f"area is {area} m2 and the share {energy_share}; the area must be positive, the share above 0 to 1")
    factor = exposure_of(instrument, duration) / area * energy_share
    value, lower, upper = (result[name + end] for end in ("", "_lower", "_upper"))
    dims = tuple(map(str, value.dims))
    counts = measurement(
        "source_counts", value.values * factor, lower.values * factor, upper.values * factor, dims=dims, units="1",
        convention=str(value.attrs.get("convention", "scaled from the input")), long_name="expected counts",
    )  # fmt: skip
    return counts.assign_coords({dim: result[dim] for dim in dims if dim in result.coords})


__all__ = ["counts_from_supply", "exposure_of"]
