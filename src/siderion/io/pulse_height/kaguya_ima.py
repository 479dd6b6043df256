"""Counts of Kaguya MAP-PACE/IMA by energy step and time of flight: PBF1 files of DARTS, type 40 records.

The layout is that of the public IDL reader of SPEDAS (kgy_read_pbf.pro): 1024 bytes of file header, then records of a header
of 64 whole numbers of 4 bytes and a body that the type tells. Type 40 holds 4 polar angles, 32 energies, 1024 bins. The bins
take 1000 ns; the last two hold no counts. Energies of the steps are in other files (INFO), so they are given by the user.
**Untested on archive files.**
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table

POLAR_ANGLES, ENERGIES, BINS = 4, 32, 1024
RANGE = 1000.0
"""Time of flight of all bins, ns."""
USED_BINS = 1022
"""The bins after these hold no counts."""
FILE_HEADER = 1024
HEADER = 256
TYPE_40 = 0x40
_MARKS = (0xEE, 0xDD)
_MISSING = 65535
_EVENTS = 4 * 4 * 16
# Bytes of the bodies of IMA records by type: event counters and arrays of 2 bytes.
_BODIES = {
    0x40: _EVENTS + 2 * 4 * 32 * 1024, 0x41: _EVENTS + 2 * (32 * 16 * 64 + 32 * 16 * 2),
    0x42: _EVENTS + 2 * (32 * 4 * 16 + 32 * 4 * 2),
    0x43: _EVENTS + 2 * (8 * 32 * 4 * 16 + 8 * 32 * 4 * 2), 0x44: _EVENTS + 2 * (16 * 32 * 64 + 16 * 32 * 16 * 64),
    0x45: _EVENTS + 2 * (16 * 32 * 4 * 16 + 16 * 32 * 4 * 2),
}  # fmt: skip
_TYPE, _RESOLUTION, _MILLISECONDS, _DATE, _QUALITY = 3, 5, 18, 19, 30
"""Places in the header: type of data, time resolution (ms), millisecond of the day, yyyymmdd, data quality."""


def read_kaguya_ima(path: str | Path, *, energies: ArrayLike | None = None) -> xr.Dataset:
    """Read the mass records (type 40) of a PBF1 file, gzip or not; records of other types are passed over.

    Parameters
    ----------
    path : path
        The file, such as PBF1_C_20080101_IMA_V001_I.DAT.gz.
    energies : array of shape (32,), optional
        Energy per charge of the steps in the order of the file, eV/e (from the INFO file).

    Returns
    -------
    xarray.Dataset
        ``counts(time, energy, tof)``, summed over the polar angles; ``tof_ns(tof)``, the middle of the bins;
        ``energy_per_charge(energy)`` if given, else only ``energy_step``; ``section_voltage(time)`` in V. Missing numbers
        (65535) and the last two bins count as 0; ``missing(time)`` says how many were missing.

    Raises
    ------
    DataError
        The file cannot be read, is cut short, of another kind, or has no record of type 40.
    SettingsError
        ``energies`` are not 32 positive numbers.
    """
    data = _bytes(path)
    if len(data) <= FILE_HEADER or data[FILE_HEADER - 1] not in _MARKS:
        raise DataError(f"{path}: byte {FILE_HEADER} is not EE or DD (hexadecimal); it is no PBF1 file of MAP-PACE")
    times, counts, missing = [], [], []
    place = FILE_HEADER
    while place < len(data):
        header = np.frombuffer(data[place : place + HEADER], dtype="<u4") if len(data) >= place + HEADER else None
        kind = -1 if header is None else int(header[_TYPE])
        if header is None or kind not in _BODIES or len(data) < place + HEADER + _BODIES[kind]:
            raise DataError(
                f"{path}, byte {place}: record of type {kind:#x} is "
                f"{'cut short' if header is None or kind in _BODIES else 'no IMA record'}; fetch the file again"
            )
        if kind == TYPE_40:
            body = np.frombuffer(data, dtype="<u2", count=POLAR_ANGLES * ENERGIES * BINS, offset=place + HEADER + _EVENTS)
            raw = body.reshape(POLAR_ANGLES, ENERGIES, BINS)
            good = raw != _MISSING
            total = np.where(good, raw, 0).sum(axis=0, dtype=np.int64)
            total[:, USED_BINS:] = 0
            times.append(_time(header, path, place))
            counts.append(total)
            missing.append(int((~good[:, :, :USED_BINS]).sum()))
        place += HEADER + _BODIES[kind]
    if not times:
        raise DataError(f"{path}: no record of type 40 (mass counts); the file holds other data")
    return ima_counts(np.array(times), np.stack(counts), energies=energies, missing=np.array(missing), source=Path(path).name)


def ima_counts(
    time: ArrayLike,
    counts: ArrayLike,
    *,
    energies: ArrayLike | None = None,
    missing: ArrayLike | None = None,
    source: str = "array",
) -> xr.Dataset:
    """Data set of counts from arrays, for data that come in another form (NetCDF, npz).

    Parameters
    ----------
    time : array of datetime64, shape (time,)
        Middle of the records, UTC.
    counts : array of int, shape (time, 32, 1024)
        Counts by energy step and bin of time of flight.
    energies, missing, source
        As for `read_kaguya_ima`.

    Raises
    ------
    DataError
        The shape is another one.
    SettingsError
        ``energies`` are not 32 positive numbers.
    """
    values, times = np.asarray(counts), np.asarray(time, dtype="datetime64[ns]")
    if values.shape != (times.size, ENERGIES, BINS):
        raise DataError(f"IMA counts have shape {values.shape}; needed: {(times.size, ENERGIES, BINS)} (time, energy, bin)")
    middles = (np.arange(BINS) + 0.5) * (RANGE / BINS)
    made = xr.Dataset(
        {
            "counts": (("time", "energy", "tof"), values.astype(np.int64), {"units": "1", "long_name": "counts"}),
            "section_voltage": (
                "time",
                section_voltage(times),
                {"units": "V", "long_name": "voltage of the linear field section"},
            ),
        },
        coords={
            "time": times,
            "energy_step": ("energy", np.arange(ENERGIES), {"long_name": "energy step, order of the file"}),
            "tof_ns": ("tof", middles, {"units": "ns", "long_name": "time of flight, middle of the bin"}),
        },
    )
    if energies is not None:
        steps = np.asarray(energies, dtype=np.float64)
        if steps.shape != (ENERGIES,) or not (steps > 0.0).all() or not np.isfinite(steps).all():
            raise SettingsError(
                f"energies have shape {steps.shape}; give {ENERGIES} positive numbers, eV/e, in the order of the file"
            )
        made["energy_per_charge"] = ("energy", steps, {"units": "eV e-1", "long_name": "energy per charge"})
    if missing is not None:
        made["missing"] = ("time", np.asarray(missing), {"units": "1", "long_name": "missing numbers of the record"})
    made.attrs = {"source": source, "instrument": "ima"}
    return made


def section_voltage(time: ArrayLike) -> NDArray[np.float64]:
    """Voltage of the linear field section at times, V (Saito et al. 2010, doi:10.1007/s11214-010-9647-x, Table 8).

    Parameters
    ----------
    time : array of datetime64
        UTC.

    Raises
    ------
    CoverageError
        A time is before the launch.
    """
    table = load_table("io.pulse_height", "kaguya_ima_voltage")
    since = table["since"].to_numpy(dtype="datetime64[ns]")
    times = np.asarray(time, dtype="datetime64[ns]")
    place = np.searchsorted(since, times, side="right") - 1
    if (place < 0).any():
        raise CoverageError(f"IMA voltage at {np.min(times)}: before the launch of Kaguya on {since[0].astype('datetime64[D]')}")
    return table["voltage"].to_numpy(float)[place]


def _bytes(path: str | Path) -> bytes:
    try:
        raw = Path(path).read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except EOFError:
        raise DataError(f"{path}: the gzip file is cut short; fetch it again") from None
    except (OSError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}); check the path, or fetch it again") from None


def _time(header: NDArray, path: str | Path, place: int) -> np.datetime64:
    """Middle of a record."""
    date = int(header[_DATE])
    try:
        day = np.datetime64(f"{date // 10000:04d}-{date // 100 % 100:02d}-{date % 100:02d}", "ns")
    except ValueError:
        raise DataError(f"{path}, byte {place}: date is {date}; it must be yyyymmdd; the record is damaged") from None
    return day + np.timedelta64(int(header[_MILLISECONDS]) * 1_000_000 + int(header[_RESOLUTION]) * 500_000, "ns")
