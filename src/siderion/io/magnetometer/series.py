"""From samples as read to the data set: units, fill values, order and duplicates, each repair counted.

A fill value becomes NaN, never an interpolated number. Time is made strictly increasing, or the file is refused, by the
rules of the user.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError
from siderion.core.tables import load_table

from .units import NO_POSITION, kilometres_per, nanotesla_per, radii_of

Rule = Literal["repair", "refuse"]
COMPONENTS = ("x", "y", "z")
_FILL_MAGNITUDE = 1e10
"""No magnetic field in nT or position in km near a body is as large: such a number is a fill value."""


@dataclass
class Samples:
    """What one file holds, before units are converted and anything is repaired."""

    file: str
    source_format: str
    time: NDArray[np.datetime64]
    """Shape (sample,); NaT where the file has none."""
    magnetic_field: NDArray[np.float64]
    """Shape (sample, 3), in ``field_unit``."""
    field_unit: str
    position: NDArray[np.float64] | None = None
    """Shape (sample, 3), in ``position_unit``."""
    position_unit: str = ""
    frame: str = ""
    position_frame: str = ""
    body: str = ""
    title: str = ""
    product: str = ""
    status: str = "untested on archive files"
    field_fill: tuple[float, ...] = ()
    """Constants of the label that mean "not measured", in ``field_unit``."""
    position_fill: tuple[float, ...] = ()
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """How samples are made into a Series; see `read_magnetometer`."""

    body: str = ""
    frame: str | None = None
    field_unit: str = ""
    position_unit: str = ""
    disorder: Rule = "repair"
    duplicates: Rule = "repair"


def build_series(parts: Sequence[Samples], options: Options) -> xr.Dataset:
    """Join the samples of one or many files into a Series.

    Parameters
    ----------
    parts : sequence of Samples
        One for each file, in any order.
    options : Options
        Body, frame, units and rules.

    Returns
    -------
    xarray.Dataset
        ``magnetic_field(time, component)`` nT and, where there is one, ``position(time, component)`` km; see
        `read_magnetometer` for the attributes.

    Raises
    ------
    DataError
        No sample has a time, the files contradict each other, or a rule refuses a repair.
    UnitsError
        A unit is missing or unknown.
    """
    repairs: dict[str, int] = {}
    frames = _agreed([options.frame or part.frame or "unknown" for part in parts], parts, "frame")
    cleaned = [_clean(part, options, repairs) for part in parts]
    cleaned = [part for part in cleaned if part.time.size]
    if not cleaned:
        raise DataError(f"{parts[0].file}: no sample has a time; the file is empty or of another format")
    cleaned.sort(key=lambda part: part.time[0])
    time = np.concatenate([part.time for part in cleaned])
    magnetic_field = np.concatenate([part.magnetic_field for part in cleaned])
    position = _joined_positions(cleaned)
    keep = _order_and_duplicates(time, magnetic_field, cleaned, options, repairs)
    dataset = xr.Dataset(
        {"magnetic_field": (("time", "component"), magnetic_field[keep], {"units": "nT", "long_name": "magnetic field"})},
        coords={"time": ("time", time[keep], {"long_name": "time (UTC)"}), "component": ("component", list(COMPONENTS))},
    )
    if position is not None:
        attributes = {"units": "km", "long_name": "position of the spacecraft relative to the centre of the body"}
        dataset["position"] = (("time", "component"), position[keep], attributes)
    dataset.attrs.update(_attributes(parts, options, frames, position is not None, repairs))
    return dataset


def _attributes(parts: Sequence[Samples], options: Options, frame: str, has_position: bool, repairs: dict[str, int]) -> dict:
    position_frames = {options.frame or part.position_frame or "unknown" for part in parts if part.position is not None}
    bodies = {part.body for part in parts if part.body}
    titles = list(dict.fromkeys(part.title for part in parts if part.title))
    return {
        "title": titles[0] if titles else "magnetic field",
        "frame": frame,
        "position_frame": (position_frames.pop() if len(position_frames) == 1 else "unknown") if has_position else "",
        "body": options.body or (bodies.pop() if len(bodies) == 1 else ""),
        "source_format": ", ".join(dict.fromkeys(part.source_format for part in parts)),
        "product": ", ".join(dict.fromkeys(part.product for part in parts if part.product)),
        "format_status": "; ".join(dict.fromkeys(part.status for part in parts)),
        "files": json.dumps([part.file for part in parts]),
        "repairs": json.dumps(repairs),
        "notes": json.dumps(list(dict.fromkeys(note for part in parts for note in part.notes))),
    }


def _agreed(values: list[str], parts: Sequence[Samples], what: str) -> str:
    for value, part in zip(values, parts, strict=True):
        if value != values[0]:
            raise DataError(
                f"{part.file}: the {what} is {value!r}, but {values[0]!r} in {parts[0].file}; read those of one {what} together"
            )
    return values[0]


def _clean(part: Samples, options: Options, repairs: dict[str, int]) -> Samples:
    """Drop rows without time, put NaN for fill values, convert the units; counts go into ``repairs``."""
    if part.time.shape[0] != part.magnetic_field.shape[0]:
        raise DataError(
            f"{part.file}: {part.time.shape[0]} times but {part.magnetic_field.shape[0]} vectors; the file is damaged"
        )
    has_time = ~np.isnat(part.time)
    _count(repairs, "rows_without_time", np.count_nonzero(~has_time))
    take = slice(None) if has_time.all() else has_time
    time = part.time[take].astype("datetime64[ns]")
    magnetic_field = np.array(part.magnetic_field[take], dtype=np.float64)
    _blank(magnetic_field, part.field_fill, repairs, "", every=False)
    magnetic_field *= nanotesla_per(options.field_unit or part.field_unit, part.file)
    position = _clean_position(part, take, options, repairs)
    return Samples(part.file, part.source_format, time, magnetic_field, "nT", position)


def _clean_position(part: Samples, take: slice | NDArray, options: Options, repairs: dict[str, int]) -> NDArray | None:
    unit = options.position_unit or part.position_unit
    if part.position is None or unit == NO_POSITION:
        part.position = None
        return None
    body = options.body or part.body
    owner = radii_of(unit) if unit else None
    if owner and body and owner.lower() != body.lower():
        part.notes.append(f"position left out: it is in radii of {owner}, thus relative to {owner} and not to {body}")
        part.position = None
        return None
    position = np.array(part.position[take], dtype=np.float64)
    _blank(position, part.position_fill, repairs, "position_", every=True)
    position *= kilometres_per(unit, body, part.file)
    return position


def _blank(values: NDArray, constants: tuple[float, ...], repairs: dict[str, int], prefix: str, every: bool) -> None:
    """Put NaN where a fill value or an infinite number stands, and count the vectors concerned."""
    missing: NDArray[np.bool_] = np.isnan(values)
    infinite: NDArray[np.bool_] = np.isinf(values)
    fill: NDArray[np.bool_] = np.asarray(np.abs(values) >= _FILL_MAGNITUDE)
    fill &= ~infinite
    for constant in constants:
        fill |= np.isclose(values, constant, rtol=1e-9, atol=0.0) if constant else values == constant
    listed: NDArray[np.bool_] = np.isin(values, load_table("io", "fill_values")["value"].to_numpy())
    fill |= np.asarray(listed.all(axis=1))[:, np.newaxis] if every else listed
    values[fill | infinite] = np.nan
    _count(repairs, f"{prefix}missing", np.count_nonzero(missing.any(axis=1)))
    _count(repairs, f"{prefix}not_finite", np.count_nonzero(infinite.any(axis=1)))
    _count(repairs, f"{prefix}fill_values", np.count_nonzero(fill.any(axis=1)))


def _count(repairs: dict[str, int], name: str, number: int | np.integer) -> None:
    repairs[name] = repairs.get(name, 0) + int(number)


def _joined_positions(parts: Sequence[Samples]) -> NDArray | None:
    if all(part.position is None for part in parts):
        return None
    if len(parts) == 1:
        return parts[0].position
    return np.concatenate(
        [part.position if part.position is not None else np.full(part.magnetic_field.shape, np.nan) for part in parts]
    )


def _order_and_duplicates(
    time: NDArray, vectors: NDArray, parts: Sequence[Samples], options: Options, repairs: dict[str, int]
) -> NDArray | slice:
    """Which samples stay and in what order; disorder is looked for within each file, duplicates across all."""
    disordered = sum(_disorder(part, options.disorder) for part in parts)
    _count(repairs, "disorder_sorted", disordered)
    step = np.diff(time)
    _count(repairs, "duplicates_removed", 0)
    _count(repairs, "duplicates_conflicting", 0)
    if np.all(step > np.timedelta64(0, "ns")):
        return slice(None)
    order = np.argsort(time, kind="stable")
    ordered = time[order]
    again = np.concatenate([[False], ordered[1:] == ordered[:-1]])
    if again.any() and options.duplicates == "refuse":
        index = int(order[np.flatnonzero(again)[0]])
        raise DataError(
            f"{_file_of(index, parts)}: sample {index} repeats the time {time[index]} (rule duplicates='refuse'); "
            "use 'repair' to keep the first of each"
        )
    kept = order[~again]
    first = kept[np.cumsum(~again) - 1]
    different = again & ~np.all(
        (vectors[order] == vectors[first]) | (np.isnan(vectors[order]) & np.isnan(vectors[first])), axis=1
    )
    _count(repairs, "duplicates_removed", np.count_nonzero(again))
    _count(repairs, "duplicates_conflicting", np.count_nonzero(different))
    return kept


def _disorder(part: Samples, rule: Rule) -> int:
    """Number of samples earlier than one before them in the same file."""
    ticks = part.time.astype(np.int64)
    back: NDArray[np.bool_] = ticks < np.maximum.accumulate(ticks)
    if rule == "refuse" and back.any():
        index = int(np.flatnonzero(back)[0])
        raise DataError(
            f"{part.file}: sample {index} at {part.time[index]} is earlier than the one before it, {part.time[index - 1]} "
            "(rule disorder='refuse'); use 'repair' to sort"
        )
    return int(np.count_nonzero(back))


def _file_of(index: int, parts: Sequence[Samples]) -> str:
    for part in parts:
        if index < part.time.size:
            return part.file
        index -= part.time.size
    return parts[-1].file
