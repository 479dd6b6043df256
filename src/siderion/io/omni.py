"""Hourly solar wind as comma-separated values, in the manner of OMNI2.

Header: ``hour_start_utc, Bz_GSM, V, N`` and one of ``By_GSM`` (measured) or ``ByGSM_est`` (reconstructed,
with ``By_sigma`` and ``flag``); other columns are ignored. Units: nT, km s-1, cm-3. Empty fields and the fill
values of OMNI2 (999.9 nT, 9999 km/s, 999.9 cm-3) are missing. Data: https://doi.org/10.48322/1shr-ht18.
"""

from __future__ import annotations

from importlib import resources
from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError
from siderion.core.variables import with_attributes

from .gfz import TextColumns, read_columns

EMBEDDED_FILE = "omni_hourly_summers.csv"
"""Name of the file that comes with the package."""

DOUBTFUL_SIGN_FLAG = "mag+nearest_sign"
"""Flag of hours whose By has a known size but a sign taken from the nearest hour that has one."""

BY_FLAGS = ("pair", "mag+own_sign", DOUBTFUL_SIGN_FLAG)
"""How By was reconstructed: from both frames; from the magnitude with its own or with a borrowed sign."""

_HALF_HOUR = np.timedelta64(30, "m")
# Values of this size or above mark missing data in OMNI2; no measured value comes near them.
_FILL_LIMITS = {
    "By_GSM": 999.0,
    "ByGSM_est": 999.0,
    "Bz_GSM": 999.0,
    "By_sigma": 999.0,
    "V": 9999.0,
    "N": 999.0,
}
_NOT_NEGATIVE = ("By_sigma", "V", "N")


def read_omni(path: str | PathLike[str]) -> xr.Dataset:
    """Read hourly solar wind and interplanetary magnetic field.

    The file gives the start of each hour; an hourly mean belongs to the middle of it, so `time` is the start
    plus 30 minutes.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    xarray.Dataset
        `imf_by_gsm`, `imf_bz_gsm` (nT), `solar_wind_speed` (km s-1), `solar_wind_density` (cm-3), all of
        `time`, with NaN where nothing was measured. With reconstructed By also `imf_by_sigma` (nT) and
        `imf_by_flag` (one of `BY_FLAGS`). The attribute `imf_by_origin` says ``measured`` or
        ``reconstructed``.

    Raises
    ------
    DataError
        The file cannot be read, is of another format, is cut short, has hours out of order or a value out of
        range.
    """
    table = read_columns(path, ["hour_start_utc", "Bz_GSM", "V", "N"], ["By_GSM", "ByGSM_est", "By_sigma", "flag"])
    reconstructed = "By_GSM" not in table.columns
    if reconstructed and "ByGSM_est" not in table.columns:
        raise DataError(f"{path}: neither column By_GSM (measured) nor ByGSM_est (reconstructed); give one of them")
    names = {
        "imf_by_gsm": "ByGSM_est" if reconstructed else "By_GSM",
        "imf_bz_gsm": "Bz_GSM",
        "solar_wind_speed": "V",
        "solar_wind_density": "N",
    }
    dataset = xr.Dataset(
        {name: ("time", _measured(table, column)) for name, column in names.items()},
        coords={"time": _hour_starts(table) + _HALF_HOUR},
    )
    if reconstructed:
        _add_reconstruction(dataset, table)
    dataset["time"].attrs["long_name"] = "middle of the hour averaged, UTC (start of the hour plus 30 min)"
    dataset.attrs.update(
        source=f"OMNI2 hourly, file {Path(path).name}",
        imf_by_origin="reconstructed" if reconstructed else "measured",
    )
    return with_attributes(dataset)


def read_embedded_imf() -> xr.Dataset:
    """Read the solar wind that comes with the package: three summers and a week of winter. See `read_omni`."""
    with resources.as_file(resources.files("siderion.solarwind") / "data" / EMBEDDED_FILE) as path:
        return read_omni(path)


def _add_reconstruction(dataset: xr.Dataset, table: TextColumns) -> None:
    absent = [name for name in ("By_sigma", "flag") if name not in table.columns]
    if absent:
        raise DataError(
            f"{table.path}: By is reconstructed (column ByGSM_est), but {', '.join(absent)} is missing; "
            "add it, or name the column By_GSM if it was measured"
        )
    for row, flag in enumerate(table.columns["flag"]):
        if flag not in BY_FLAGS:
            raise DataError(f"{table.where(row)}: flag is {flag!r}; it must be one of {', '.join(BY_FLAGS)}")
    dataset["imf_by_sigma"] = ("time", _measured(table, "By_sigma"))
    dataset["imf_by_sigma"].attrs = {
        "units": "nT",
        "long_name": "standard error of the reconstructed imf_by_gsm",
    }
    dataset["imf_by_flag"] = ("time", np.array(table.columns["flag"]))
    dataset["imf_by_flag"].attrs = {
        "units": "1",
        "long_name": "how imf_by_gsm was reconstructed",
        "comment": f"{', '.join(BY_FLAGS)}; the sign is doubtful for {DOUBTFUL_SIGN_FLAG}",
    }
    dataset["imf_by_gsm"].attrs["comment"] = "reconstructed, not measured; see imf_by_sigma and imf_by_flag"


def _measured(table: TextColumns, column: str) -> np.ndarray:
    values = table.numbers(column)
    values[np.abs(values) >= _FILL_LIMITS[column]] = np.nan
    if column in _NOT_NEGATIVE and (values < 0).any():
        row = int(np.argmax(values < 0))
        raise DataError(
            f"{table.where(row)}: {column} is {values[row]:g}; it must not be negative; "
            "leave the field empty where nothing was measured"
        )
    return values


def _hour_starts(table: TextColumns) -> np.ndarray:
    hours = np.empty(len(table.lines), dtype="datetime64[ns]")
    for row, text in enumerate(table.columns["hour_start_utc"]):
        hours[row] = _hour_start(text, table.where(row))
    late = np.flatnonzero(np.diff(hours) <= np.timedelta64(0, "h"))
    if late.size:
        row = int(late[0]) + 1
        raise DataError(
            f"{table.where(row)}: hour {table.columns['hour_start_utc'][row]} follows "
            f"{table.columns['hour_start_utc'][row - 1]}; hours must be in order and appear once; "
            "sort the file"
        )
    return hours


def _hour_start(text: str, where: str) -> np.datetime64:
    bare = text.strip().removesuffix("Z").removesuffix("+00:00")
    rule = "it must be the UTC start of an hour, such as 2024-08-26T05:00Z"
    # numpy knows no time zones and reads words such as "today": only a plain time that begins with its year
    # may pass.
    if "+" in bare or not bare[:4].isdigit():
        raise DataError(f"{where}: hour_start_utc is {text!r}; {rule}")
    try:
        hour = np.datetime64(bare, "ns")
    except ValueError as error:
        raise DataError(f"{where}: hour_start_utc is {text!r}; {rule}") from error
    if hour != hour.astype("datetime64[h]"):
        raise DataError(f"{where}: hour_start_utc is {text!r}; {rule}")
    return hour
