"""Time-of-flight histograms: CSV (columns tof_ns, counts, and perhaps spectrum or energy_ev) or NetCDF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.errors import DataError
from siderion.io.store import open_dataset

_NEEDED = ("tof_ns", "counts")
_LABELS = ("spectrum", "energy_ev")
_NETCDF = (".nc", ".nc4", ".zarr")


def read_spectra(path: str | Path) -> xr.Dataset:
    """Read one or many time-of-flight histograms.

    Parameters
    ----------
    path : str or Path
        CSV with the columns ``tof_ns`` (centre of the bin) and ``counts``; with a column ``spectrum`` (any label) many spectra
        with the same bins; with a column ``energy_ev`` a histogram of energy and time. Lines that begin with # are comments.
        Or NetCDF (Zarr) with ``counts`` along tof, along (spectrum, tof) or along (energy, tof), and ``tof_ns``.

    Returns
    -------
    xarray.Dataset
        ``counts(spectrum, tof)`` or ``counts(energy, tof)``, coordinates ``tof_ns`` (ns), ``spectrum`` (text) or
        ``energy_ev`` (eV); attribute ``fractional`` is 1 where counts are not whole numbers.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, has fewer than 5 bins, holds a value that is no number, a negative count or a
        time twice, its times do not rise from row to row of a spectrum, or its spectra have different bins; with the row and the
        value.
    """
    place = Path(path)
    found = _from_netcdf(place) if place.suffix.lower() in _NETCDF or place.is_dir() else _from_csv(place)
    counts = found["counts"].values
    found.attrs["fractional"] = int(np.any(counts != np.round(counts)))
    found["counts"].attrs = {"units": "1", "long_name": "counts per bin"}
    found["tof_ns"].attrs = {"units": "ns", "long_name": "time of flight, centre of the bin"}
    return found


def edges_from_centres(centres: np.ndarray) -> np.ndarray:
    """Edges of bins midway between their centres; the outer bins reach as far out as in."""
    inner = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2.0 * centres[0] - inner[0]], inner, [2.0 * centres[-1] - inner[-1]]])


def _from_csv(path: Path) -> xr.Dataset:
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True, dtype=str, encoding="utf-8-sig")
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"spectrum {path} cannot be read: {error}; give a CSV file with the columns tof_ns, counts") from None
    table.columns = table.columns.str.strip()
    missing = [name for name in _NEEDED if name not in table]
    if missing:
        raise DataError(
            f"spectrum {path}: column {', '.join(missing)} missing (there are {', '.join(table.columns)}); needed: tof_ns "
            "(centre of the bin, ns) and counts"
        )
    columns = {name: _numbers(path, table, name) for name in (*_NEEDED, "energy_ev") if name in table}
    _refuse(
        path, columns["counts"] < 0.0, table, "counts", "counts cannot be negative; give raw counts, background not taken off"
    )
    _refuse(path, columns["tof_ns"] <= 0.0, table, "tof_ns", "times of flight are positive, in ns")
    label = next((name for name in _LABELS if name in table), None)
    if label is None:
        return _one(path, table, columns)
    keys = columns[label] if label == "energy_ev" else table[label].str.strip().to_numpy(dtype=str)
    return _many(path, label, keys, columns, table)


def _numbers(path: Path, table: pd.DataFrame, name: str) -> np.ndarray:
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
    _refuse(path, ~np.isfinite(values), table, name, "it must be a finite number")
    return values


def _refuse(path: Path, bad: np.ndarray, table: pd.DataFrame, name: str, rule: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"spectrum {path}, row {row + 1}: {name} is {table[name].iloc[row]!r}; {rule}")


def _one(path: Path, table: pd.DataFrame, columns: dict[str, np.ndarray]) -> xr.Dataset:
    times = columns["tof_ns"]
    twice = pd.Series(times).duplicated().to_numpy()
    _refuse(path, twice, table, "tof_ns", "this time is there already; add up the counts, or add a column spectrum")
    _need_order(path, times, np.zeros(times.size, dtype=np.int64))
    _need_bins(path, times.size)
    return xr.Dataset(
        {"counts": (("spectrum", "tof"), columns["counts"][None])},
        coords={"tof_ns": ("tof", times), "spectrum": [path.stem]},
    )


def _many(path: Path, label: str, keys: np.ndarray, columns: dict[str, np.ndarray], table: pd.DataFrame) -> xr.Dataset:
    times, which_time = np.unique(columns["tof_ns"], return_inverse=True)
    codes, names = pd.factorize(keys, sort=label == "energy_ev")
    _need_bins(path, times.size)
    flat = codes * times.size + which_time
    _refuse(path, pd.Series(flat).duplicated().to_numpy(), table, "tof_ns", f"this {label} has this time already")
    _need_order(path, columns["tof_ns"], codes)
    counts = np.full(len(names) * times.size, np.nan)
    counts[flat] = columns["counts"]
    if np.isnan(counts).any():
        hole = int(np.isnan(counts).argmax())
        raise DataError(
            f"spectrum {path}: {label} {names[hole // times.size]} has no row for {times[hole % times.size]:g} ns; all spectra "
            "of a file have the same bins; write 0 where nothing was counted"
        )
    dim = "energy" if label == "energy_ev" else "spectrum"
    found = xr.Dataset({"counts": ((dim, "tof"), counts.reshape(len(names), -1))}, coords={"tof_ns": ("tof", times)})
    coordinate = ("energy", np.asarray(names, float), {"units": "eV"}) if dim == "energy" else ("spectrum", list(names))
    return found.assign_coords({label if dim == "energy" else "spectrum": coordinate})


def _need_order(path: Path, times: np.ndarray, spectrum: np.ndarray) -> None:
    """Refuse times that do not rise within a spectrum: rows out of order are a slip of who made the file, or a wrong value."""
    order = np.argsort(spectrum, kind="stable")
    falls = (np.diff(times[order]) <= 0.0) & (np.diff(spectrum[order]) == 0)
    if falls.any():
        before, row = order[np.flatnonzero(falls)[0] + np.arange(2)]
        raise DataError(
            f"spectrum {path}, row {row + 1}: tof_ns is {times[row]:g} after {times[before]:g} in row {before + 1}; times rise "
            "from row to row; correct the value, or sort the rows"
        )


def _need_bins(path: Path, bins: int) -> None:
    if bins < 5:
        raise DataError(f"spectrum {path}: {bins} bins; a histogram has 5 at least, one row per bin, empty bins too")


def _from_netcdf(path: Path) -> xr.Dataset:
    with open_dataset(path) as data:
        missing = [name for name in _NEEDED if name not in data.variables]
        if missing:
            raise DataError(f"spectrum {path}: variable {', '.join(missing)} missing; needed: counts(tof) and tof_ns(tof)")
        counts, times = data["counts"].load(), data["tof_ns"].load()
        energy = data["energy_ev"].load() if "energy_ev" in data.variables else None
        labels = data["spectrum"].values if "spectrum" in data.coords else None
    if times.ndim != 1 or times.dims[0] not in counts.dims:
        raise DataError(f"spectrum {path}: tof_ns has dimensions {times.dims}, counts {counts.dims}; give tof_ns along tof")
    (tof,) = times.dims
    others = [dim for dim in counts.dims if dim != tof]
    if len(others) > 1:
        raise DataError(f"spectrum {path}: counts have the dimensions {counts.dims}; give (spectrum, tof) or (energy, tof)")
    dim = "energy" if energy is not None and list(energy.dims) == others else "spectrum"
    values = np.atleast_2d(counts.transpose(*others, tof).values.astype(float))
    ticks = times.values.astype(float)
    bad = ~np.isfinite(values) | (values < 0.0)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"spectrum {path}: counts are {values[index]:g} at ({dim}, tof) = {index}; they must be at least 0")
    if not (np.all(np.isfinite(ticks)) and np.all(np.diff(ticks) > 0.0) and ticks[0] > 0.0):
        raise DataError(f"spectrum {path}: tof_ns must be positive and rise from bin to bin")
    _need_bins(path, ticks.size)
    found = xr.Dataset({"counts": ((dim, "tof"), values)}, coords={"tof_ns": ("tof", ticks)})
    if dim == "energy" and energy is not None:
        return found.assign_coords(energy_ev=("energy", energy.values.astype(float), {"units": "eV"}))
    names = [str(name) for name in labels] if labels is not None and labels.shape == values.shape[:1] else None
    return found.assign_coords(spectrum=names or ([path.stem] if len(values) == 1 else [str(k) for k in range(len(values))]))
