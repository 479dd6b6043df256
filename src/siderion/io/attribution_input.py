"""Counts and their circumstances for ``siderion attribute``: TOML, CSV, or the output of ``siderion spectrum``.

TOML: a table ``counts`` by channel (a number; ``[value, lower, upper]`` with 16 and 84 % ends; or ``"<3"``, an upper limit
of 95 %), a table ``context`` (region, time, kp, ...), and any number of ``[[control]]`` with their own ``counts`` and
``context``, whose context starts from that of the file. CSV: columns ``channel`` and ``counts``, and ``lower``, ``upper``,
``upper_limit`` where they are known.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from siderion.core.errors import DataError
from siderion.io.store import open_dataset

CONTEXT_KEYS = ("region", "time", "moon_sector", "in_wake", "kp", "dst", "imf", "position", "speed", "density", "energy", "shock",
                "shower", "duration", "mass_resolution")  # fmt: skip
"""Keys of a context; speed km/s, density cm-3, energy [lower, upper] keV per charge, imf nT, position RE, duration h."""


@dataclass(frozen=True)
class MeasuredCounts:
    """Counts of one interval.

    Attributes
    ----------
    channels : tuple of str
        Names of the channels.
    counts, lower, upper : tuple of float
        Numbers and their 16 and 84 % ends, NaN where only the number is known; the limit where it is one.
    is_limit : tuple of bool
        Whether the number is an upper limit of 95 %.
    context : mapping
        Of `CONTEXT_KEYS`, in the units given there.
    is_control : bool
        Whether it is a control, not the measurement in question.
    """

    channels: tuple[str, ...]
    counts: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    is_limit: tuple[bool, ...]
    context: Mapping[str, Any] = field(default_factory=dict)
    is_control: bool = False


def read_attribution_input(path: str | PathLike, *, spectrum: int = 0) -> list[MeasuredCounts]:
    """Read counts and context.

    Parameters
    ----------
    path : path
        ``.toml``, ``.csv``, or a NetCDF file of ``siderion spectrum``.
    spectrum : int
        Which spectrum of a NetCDF file.

    Returns
    -------
    list of MeasuredCounts
        The measurement first, then its controls.

    Raises
    ------
    DataError
        The file has another form.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; give a .toml or .csv file, or the output of siderion spectrum")
    if path.suffix == ".toml":
        return _from_toml(path)
    if path.suffix == ".csv":
        return [_from_csv(path)]
    return [counts_of_spectrum(open_dataset(path), spectrum, str(path))]


def parse_counts(text: str, where: str = "--counts") -> MeasuredCounts:
    """Counts written as ``N2+=30,Fe+=12,K+=<3``.

    Raises
    ------
    DataError
        A part is no channel with a number.
    """
    values: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, number = part.partition("=")
        if not equals or not name.strip():
            raise DataError(f"{where}: {part!r} has no number; write channel=counts, such as Fe+=12")
        values[name.strip()] = number.strip()
    return _measured(values, where)


def counts_of_spectrum(data: xr.Dataset, spectrum: int = 0, where: str = "data set") -> MeasuredCounts:
    """Counts by species of one fitted spectrum.

    Raises
    ------
    DataError
        The data set is no output of ``siderion spectrum``, or has no such spectrum.
    """
    if "species_counts" not in data:
        raise DataError(f"{where}: no species_counts; give the output of siderion spectrum")
    if not 0 <= spectrum < data.sizes.get("spectrum", 1):
        raise DataError(f"{where}: spectrum {spectrum} of {data.sizes.get('spectrum', 1)}; give an index from 0 on")
    one = data.isel(spectrum=spectrum) if "spectrum" in data.dims else data
    limit = one["species_counts_upper_limit"].values.astype(bool)
    ends = [np.asarray(one[f"species_counts{end}"].values, dtype=np.float64) for end in ("", "_lower", "_upper")]
    good = np.isfinite(ends[0])
    if not good.any():
        raise DataError(f"{where}: spectrum {spectrum} has no counts of any species; the fit failed there")
    names = [str(name) for name, keep in zip(one["species"].values, good, strict=True) if keep]
    value, lower, upper = (tuple(map(float, end[good])) for end in ends)
    return MeasuredCounts(tuple(names), value, lower, upper, tuple(map(bool, limit[good])))


def _from_toml(path: Path) -> list[MeasuredCounts]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no TOML: {error}") from None
    unknown = sorted(set(content) - {"counts", "context", "control"})
    if unknown or "counts" not in content:
        raise DataError(
            f"{path}: holds {', '.join(content) or 'nothing'}; it needs [counts], and may have [context] and [[control]]"
        )
    context = _context(content.get("context", {}), str(path))
    found = [_measured(content["counts"], str(path), context)]
    for k, control in enumerate(content.get("control", ())):
        where = f"{path}, control {k}"
        if "counts" not in control:
            raise DataError(f"{where}: no counts; give [control.counts]")
        own = context | _context(control.get("context", {}), where)
        found.append(_measured(control["counts"], where, own, is_control=True))
    return found


def _context(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    unknown = sorted(set(values) - set(CONTEXT_KEYS))
    if unknown:
        raise DataError(f"{where}: unknown context {', '.join(unknown)}; known: {', '.join(CONTEXT_KEYS)}")
    return dict(values)


def _from_csv(path: Path) -> MeasuredCounts:
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no table: {error}") from None
    if not {"channel", "counts"} <= set(table.columns):
        raise DataError(f"{path}: columns {', '.join(map(str, table.columns))}; channel and counts are needed")
    values: dict[str, Any] = {}
    for row in table.to_dict("records"):
        if str(row.get("upper_limit", "")).strip().lower() in ("true", "1", "1.0", "yes"):
            values[str(row["channel"])] = f"<{row['counts']}"
        elif np.isfinite(pd.to_numeric(row.get("lower", np.nan), errors="coerce")):
            values[str(row["channel"])] = [row["counts"], row["lower"], row.get("upper", np.nan)]
        else:
            values[str(row["channel"])] = row["counts"]
    return _measured(values, str(path))


def _measured(
    values: Mapping[str, Any], where: str, context: Mapping[str, Any] | None = None, *, is_control: bool = False
) -> MeasuredCounts:
    if not values:
        raise DataError(f"{where}: no counts; give at least one channel, such as Fe+=12")
    rows = [_number(name, value, where) for name, value in values.items()]
    value, lower, upper, limit = zip(*rows, strict=True)
    return MeasuredCounts(tuple(values), value, lower, upper, limit, dict(context or {}), is_control)


def _number(name: str, value: Any, where: str) -> tuple[float, float, float, bool]:
    parts = list(value) if isinstance(value, list | tuple) else [value]
    limit = isinstance(parts[0], str) and parts[0].strip().startswith("<")
    try:
        numbers = [float(str(part).strip().lstrip("<")) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) == 3 and numbers[1] <= numbers[0] <= numbers[2] and numbers[0] >= 0.0 and np.isfinite(numbers).all():
        return numbers[0], numbers[1], numbers[2], False
    if len(numbers) == 1 and np.isfinite(numbers[0]) and (numbers[0] > 0.0 if limit else numbers[0] >= 0.0):
        return numbers[0], np.nan, np.nan, limit
    raise DataError(
        f"{where}: counts of {name} are {value!r}; give a number, [value, lower, upper] in order, or a limit such as <3"
    )


__all__ = ["CONTEXT_KEYS", "MeasuredCounts", "counts_of_spectrum", "parse_counts", "read_attribution_input"]
