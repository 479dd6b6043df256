"""Counts by time, energy and time of flight as a batch of spectra for the fit."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import DataError, SettingsError


def spectra_of(counts: xr.Dataset, *, over: Literal["none", "time", "energy"] = "time", group: int | None = None) -> xr.Dataset:
    """Batch of spectra from counts(time, energy, tof).

    Parameters
    ----------
    counts : xarray.Dataset
        Of `siderion.io.pulse_height.hpca_tof.read_hpca_tof` or `siderion.io.pulse_height.kaguya_ima.read_kaguya_ima`.
    over : {"none", "time", "energy"}
        What is summed: nothing (a spectrum for each time and energy), the times (one for each energy) or the energies.
    group : int, optional
        Number of times that make one sum where ``over`` is ``"time"``; all of them without it.

    Returns
    -------
    xarray.Dataset
        ``counts(spectrum, tof)`` with ``tof_ns(tof)``, and along ``spectrum`` the ``time`` of the first record and the
        ``energy_per_charge`` (eV/e; not where energies are summed, because the peaks then lie at several times).

    Raises
    ------
    SettingsError
        ``over`` or ``group`` is impossible.
    DataError
        Energies are needed and missing.
    """
    if over not in ("none", "time", "energy") or (group is not None and (group < 1 or over != "time")):
        raise SettingsError(f"over is {over!r}, group {group}; use 'none', 'time' (with group of at least 1) or 'energy'")
    if over != "energy" and "energy_per_charge" not in counts:
        raise DataError("counts have no energy_per_charge(energy); give the energies of the steps to the reader")
    values, times = counts["counts"].values, counts["time"].values
    if over == "energy":
        spectra, labels, energies = values.sum(axis=1), times, None
    else:
        every = 1 if over == "none" else (group or max(times.size, 1))
        first = np.arange(0, times.size, every)
        summed = np.add.reduceat(values, first, axis=0) if first.size else values
        steps = counts["energy_per_charge"].values
        spectra = summed.reshape(-1, values.shape[-1])
        labels, energies = np.repeat(times[first], steps.size), np.tile(steps, first.size)
    made = xr.Dataset(
        {"counts": (("spectrum", "tof"), spectra, {"units": "1", "long_name": "counts"})},
        coords={"time": ("spectrum", labels), "tof_ns": counts["tof_ns"]},
        attrs=dict(counts.attrs),
    )
    if energies is not None:
        made["energy_per_charge"] = ("spectrum", energies, {"units": "eV e-1", "long_name": "energy per charge"})
    return made


def mass_per_charge_of_flight(
    flight_time: ArrayLike, energy_per_charge: ArrayLike, voltage: ArrayLike, path_length: float, loss: float = 2e3
) -> NDArray[np.float64]:
    """Mass per charge (u/e) of ions that fly straight on as neutrals behind the foil: 2 (E/q + U - loss/q) (t/L)^2.

    Parameters
    ----------
    flight_time : array, s
        Positive.
    energy_per_charge, voltage : array, eV/e and V
        Of the analyser, and the acceleration in front of the foil.
    path_length : float, m
        From the foil to the stop.
    loss : float, eV/e
        Energy lost in the foil, for singly charged ions; 2 keV is what the public code for Kaguya/IMA assumes.

    Raises
    ------
    SettingsError
        The loss exceeds the energy, or a time or length is not positive.
    """
    energy = np.asarray(energy_per_charge, dtype=np.float64) + np.asarray(voltage, dtype=np.float64) - loss
    times = np.asarray(flight_time, dtype=np.float64)
    if not (energy > 0.0).all() or not (times > 0.0).all() or not path_length > 0.0:
        raise SettingsError(
            "flight times, path length and energy behind the foil must be positive; the loss must be below E/q + U"
        )
    return 2.0 * energy * ELEMENTARY_CHARGE / ATOMIC_MASS * (times / path_length) ** 2
