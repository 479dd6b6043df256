"""Time-of-flight counts of MMS/HPCA (CDF, product L2 TOF-COUNTS).

Names of the variables (``mms1_hpca_tof_counts``, ``mms1_hpca_tof_energy``, ``mms1_hpca_tof_bin_index``, ``Epoch``) are those that
public scripts use; the order of the dimensions is taken from the sizes. **Untested on archive files.**
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.io.magnetometer.cdf import times_from_epoch, times_from_epoch16, times_from_tt2000

_COUNTS = r"(?i).*hpca.*tof_counts$"
_TIMES = {31: times_from_epoch, 32: times_from_epoch16, 33: times_from_tt2000}
_NANOSECONDS = {"ns": 1.0, "nanoseconds": 1.0, "us": 1e3, "s": 1e9}


def read_hpca_tof(
    path: str | Path,
    *,
    variable: str | None = None,
    energy: str | None = None,
    bin_width: float | None = None,
    bin_offset: float = 0.0,
) -> xr.Dataset:
    """Read the counts by time, energy and time of flight.

    Parameters
    ----------
    path : path
        The CDF file.
    variable : str, optional
        Variable of the counts; by default the one whose name ends in ``hpca_tof_counts``.
    energy : str, optional
        Variable of the energies, eV/e; by default the one whose name ends in ``tof_energy``.
    bin_width, bin_offset : float
        Width of a bin and begin of the first one, ns, where the file gives only the index of the bins.

    Returns
    -------
    xarray.Dataset
        ``counts(time, energy, tof)``, ``energy_per_charge(energy)`` in eV/e, ``tof_ns(tof)`` the middle of the bins.

    Raises
    ------
    DataError
        The file is no CDF or damaged, a variable is missing, sizes do not fit, or the file does not give the times of the
        bins and ``bin_width`` is missing too.
    SettingsError
        ``bin_width`` is not positive.
    """
    import cdflib

    if bin_width is not None and not 0.0 < bin_width < np.inf:
        raise SettingsError(f"bin_width is {bin_width} ns; it must be positive and finite")
    try:
        file = cdflib.CDF(path)
        names = [*file.cdf_info().zVariables, *file.cdf_info().rVariables]
    except Exception as error:  # cdflib raises whatever the damage leads to
        raise DataError(f"{path}: cannot be read as CDF ({type(error).__name__}: {str(error)[:80]}); fetch it again") from error
    name = variable or _one(names, _COUNTS, path, "counts", "variable")
    steps = energy or _one(names, r"(?i).*tof_energy$", path, "energies", "energy")
    for given in (name, steps):
        if given not in names:
            raise DataError(f"{path}: no variable {given!r}; variables: {', '.join(names)}")
    attributes = {key.upper(): value for key, value in file.varattsget(name).items()}
    epoch = str(attributes.get("DEPEND_0", "Epoch"))
    try:
        times = _TIMES[file.varinq(epoch).Data_Type](file.varget(epoch))
        energies = _energies(np.asarray(file.varget(steps), dtype=np.float64))
        raw = np.asarray(file.varget(name))
        width = file.varattsget(name).get("FILLVAL")
        bins = _bins(file, names, raw.shape, len(times), energies.size, bin_width, bin_offset, path)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{path}: {name} cannot be read ({type(error).__name__}: {str(error)[:80]}); fetch it again") from error
    return _dataset(_ordered(raw, len(times), energies.size, bins.size, name, path), width, times, energies, bins, path)


def _one(names: list[str], pattern: str, path: str | Path, words: str, option: str) -> str:
    found = [name for name in names if re.fullmatch(pattern, name)]
    if len(found) != 1:
        raise DataError(
            f"{path}: {len(found)} variables fit the {words} ({', '.join(found) or 'none'}); name one with {option}; "
            f"variables: {', '.join(names)}"
        )
    return found[0]


def _energies(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energies that may be given for every time; they must not change."""
    if values.ndim == 2:
        if not np.allclose(values, values[0], rtol=1e-6, equal_nan=True):
            raise DataError("energies change with time; split the file where they do")
        return values[0]
    return values


def _bins(
    file: Any,
    names: list[str],
    shape: tuple[int, ...],
    times: int,
    energies: int,
    width: float | None,
    offset: float,
    path: str | Path,
) -> NDArray[np.float64]:
    """Middles of the time-of-flight bins, ns."""
    rest = list(shape)
    for size in (times, energies):
        if size not in rest:
            raise DataError(f"{path}: counts have shape {shape}; none of its sizes is {size}, that of times or energies")
        rest.remove(size)
    if len(rest) != 1:
        raise DataError(f"{path}: counts have shape {shape}; needed: time, energy and bin of time of flight")
    if width is not None:
        return np.asarray(offset + (np.arange(rest[0]) + 0.5) * width, dtype=np.float64)
    for name in names:
        units = str(file.varattsget(name).get("UNITS", "")).strip().lower()
        if re.search(r"(?i)tof", name) and units in _NANOSECONDS and file.varinq(name).Data_Type < 50:
            values = np.asarray(file.varget(name), dtype=np.float64).ravel()
            if values.size == rest[0]:
                return values * _NANOSECONDS[units]
    raise DataError(
        f"{path}: no variable gives the {rest[0]} bins of time of flight in ns, only their index; give bin_width in ns"
    )


def _ordered(raw: NDArray, times: int, energies: int, bins: int, name: str, path: str | Path) -> NDArray:
    """Counts with the axes time, energy, bin."""
    if raw.shape[0] != times:
        raise DataError(f"{path}: {name} has shape {raw.shape}; the first axis must be that of the {times} times")
    if raw.shape[1:] == (energies, bins):
        return raw
    return np.swapaxes(raw, 1, 2)


def _dataset(raw: NDArray, fill: Any, times: NDArray, energies: NDArray, bins: NDArray, path: str | Path) -> xr.Dataset:
    values = np.asarray(raw, dtype=np.float64)
    missing = ~np.isfinite(values) | (values < 0.0)
    if fill is not None and np.isfinite(float(np.asarray(fill).ravel()[0])):
        missing |= values == float(np.asarray(fill).ravel()[0])
    whole = missing.any(axis=(1, 2))
    if whole.all():
        raise DataError(f"{path}: every time has missing counts; fetch the file again")
    if (np.rint(values) != values)[~whole].any():
        raise DataError(f"{path}: counts are not whole numbers; they must be raw counts, not rates")
    keep = ~whole & ~np.isnat(times)
    made = xr.Dataset(
        {
            "counts": (("time", "energy", "tof"), values[keep].astype(np.int64), {"units": "1", "long_name": "counts"}),
            "energy_per_charge": ("energy", energies, {"units": "eV e-1", "long_name": "energy per charge"}),
        },
        coords={"time": times[keep], "tof_ns": ("tof", bins, {"units": "ns", "long_name": "time of flight, middle of the bin"})},
    )
    made.attrs = {"source": Path(path).name, "instrument": "hpca", "left_out": int((~keep).sum())}
    return made
