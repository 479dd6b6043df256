"""Common Data Format (CDF) files by the ISTP guide: MAVEN, Cluster, MMS, THEMIS, Geotail and others, through cdflib.

The vector of magnetic field is the variable with three components (or four, with the magnitude) in a unit of magnetic
field. Where several fit, the frame decides if one was asked for; else the choice is the user's.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import DataError

from .columns import ColumnsOption, product_rows
from .series import Samples
from .times import times_from_seconds
from .units import is_length_unit, is_magnetic_unit

FORMAT = "cdf"
_MAGIC = (b"\xcd\xf3\x00\x01", b"\xcd\xf2\x60\x02", b"\x00\x00\xff\xff")
_EPOCH, _EPOCH16, _TT2000 = 31, 32, 33
_MILLISECONDS_TO_1970 = 62_167_219_200_000.0
"""From year 0 to 1970, ms: the definition of CDF_EPOCH."""
_TERRESTRIAL_TIME = 32_184_000_000
"""TT minus TAI, ns: the definition of TT."""
_FRAME_KEYS = ("COORDINATE_SYSTEM", "FRAME", "REFERENCE_FRAME", "COORDINATES", "REPRESENTATION_FRAME", "V_FRAME")
_FRAME_WORD = r"(?:^|[_\W])(gse|gsm|dsl|ssl|gei|geo|sm|mso|ss|pc|rtn|dmpa|bcs|gci|dbcs|isr2|vso|kso|ksm)(?:$|[_\W])"


@dataclass(frozen=True)
class Variable:
    """A variable of the file: its name, its attributes with keys in capitals, and its number of components."""

    name: str
    attributes: dict[str, Any]
    components: int
    data_type: int

    def text(self, key: str) -> str:
        """Attribute as text, empty if absent."""
        value = self.attributes.get(key, "")
        return " ".join(map(str, value)) if isinstance(value, (list, tuple, np.ndarray)) else str(value).strip()


def is_cdf(head: bytes) -> bool:
    """Whether a file begins as CDF."""
    return head[:4] in _MAGIC


def read_cdf(path: Path, option: ColumnsOption, frame: str | None = None) -> Samples:
    """Read the magnetic field of a CDF file.

    Parameters
    ----------
    path : path
        The file.
    option : mapping, sequence of str, or None
        Names of the variables: ``{"magnetic_field": name, "position": name, "time": name}``, or the first of these.
    frame : str, optional
        Takes the variable of this frame when several fit.

    Returns
    -------
    Samples
        The samples.

    Raises
    ------
    DataError
        The file is cut short or damaged, has no variable that fits, or several.
    """
    import cdflib

    given = _option(option)
    try:
        file = cdflib.CDF(path)
        variables = _variables(file)
    except Exception as error:  # cdflib raises whatever the damage leads to
        raise DataError(
            f"{path}: cannot be read as CDF, it is cut short or damaged ({_reason(error)}); fetch it again"
        ) from error
    vector = _vector(variables, given, frame, path)
    try:
        return _samples(file, variables, vector, given, path)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{path}: variable {vector.name} cannot be read, the file is cut short or damaged ({_reason(error)}); fetch it again"
        ) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip(": ")[:80]


def _option(option: ColumnsOption) -> dict[str, str]:
    if option is None:
        return {}
    if isinstance(option, str):
        return {"magnetic_field": option}
    if isinstance(option, Mapping):
        return {key: value if isinstance(value, str) else next(iter(value)) for key, value in option.items()}
    return dict(zip(("magnetic_field", "position", "time"), option, strict=False))


def _variables(file: Any) -> dict[str, Variable]:
    info = file.cdf_info()
    variables = {}
    for name in [*info.zVariables, *info.rVariables]:
        inquiry = file.varinq(name)
        sizes = [size for size, varies in zip(inquiry.Dim_Sizes, inquiry.Dim_Vary, strict=False) if varies] or [1]
        attributes = {key.upper(): value for key, value in file.varattsget(name).items()}
        variables[name] = Variable(name, attributes, sizes[0] if len(sizes) == 1 else 0, inquiry.Data_Type)
    return variables


def _vector(variables: dict[str, Variable], given: dict[str, str], frame: str | None, path: Path) -> Variable:
    if "magnetic_field" in given:
        return _named(variables, given["magnetic_field"], path)
    fits = [v for v in variables.values() if v.components in (3, 4) and is_magnetic_unit(_unit(v)) and not _is_error(v)]
    if frame and len(fits) > 1:
        fits = [v for v in fits if _frame(v).lower() == frame.lower()] or fits
    if not fits:
        raise DataError(
            f"{path}: no variable of 3 components in a unit of magnetic field; name one with the option `columns`; "
            f"variables: {', '.join(variables)}"
        )
    if len(fits) > 1:
        names = ", ".join(f"{v.name} ({_frame(v) or 'frame not said'})" for v in fits)
        raise DataError(
            f"{path}: several variables fit the magnetic field: {names}; choose with the option `columns`, such as "
            f"columns={{'magnetic_field': '{fits[0].name}'}}, or with the option `frame`"
        )
    return fits[0]


def _named(variables: dict[str, Variable], name: str, path: Path) -> Variable:
    if name not in variables:
        raise DataError(f"{path}: no variable {name!r} (option `columns`); variables: {', '.join(variables)}")
    return variables[name]


def _is_error(variable: Variable) -> bool:
    """Metadata and spreads are no measured vectors."""
    if variable.text("VAR_TYPE").lower() in ("metadata", "ignore_data"):
        return True
    return bool(re.search(r"(?i)(^|_)(rms|std|sigma|err|error|delta|offset)(_|$)", variable.name))


def _unit(variable: Variable) -> str:
    unit = variable.text("UNITS")
    conversion = re.fullmatch(r"1(?:\.0*)?[Ee]-?0?9\s*>\s*(?:T|tesla)", variable.text("SI_CONVERSION"))
    return unit or ("nT" if conversion else "")


def _frame(variable: Variable) -> str:
    for key in _FRAME_KEYS:
        if variable.text(key):
            return re.sub(r"^(vector|component|scalar)>|_xyz$", "", variable.text(key)).strip()
    match = re.search(_FRAME_WORD, variable.name, re.IGNORECASE)
    return match[1].upper() if match else ""


def _samples(file: Any, variables: dict[str, Variable], vector: Variable, given: dict[str, str], path: Path) -> Samples:
    row = next((row for row in product_rows(FORMAT) if fnmatch.fnmatchcase(vector.name, row["field_columns"])), None)
    time = _times(file, variables, vector, given.get("time"), path)
    samples = Samples(
        file=str(path),
        source_format=FORMAT,
        time=time,
        magnetic_field=_values(file, vector, path),
        field_unit=_unit(vector),
        frame=_frame(vector) or (row["frame"] if row else ""),
        body=row["body"] if row else "",
        title=vector.text("CATDESC") or vector.name,
        product=row["product"] if row else "",
        status=row["status"] if row else "untested on archive files",
    )
    place = _place(variables, given, samples.frame, path)
    if place is not None:
        _add_position(file, variables, place, samples, path)
    return samples


def _values(file: Any, variable: Variable, path: Path) -> NDArray[np.float64]:
    """First three components; NaN for the fill value, and a fill mark outside the valid range."""
    raw = np.asarray(file.varget(variable.name))
    if raw.ndim == 1:
        raw = raw.reshape(-1, variable.components or 3)
    if raw.ndim != 2 or raw.shape[1] < 3:
        raise DataError(f"{path}: variable {variable.name} has shape {raw.shape}; (time, 3) or (time, 4) is needed")
    values = raw[:, :3].astype(np.float64)
    mark = np.zeros(values.shape, dtype=bool)
    fill = _numbers(variable, "FILLVAL")
    if fill is not None:
        mark |= raw[:, :3] == fill.ravel()[0].astype(raw.dtype)
    for key, outside in (("VALIDMIN", np.less), ("VALIDMAX", np.greater)):
        bound = _numbers(variable, key)
        if bound is not None:
            bound = bound.ravel()
            with np.errstate(invalid="ignore"):
                mark |= np.isfinite(values) & outside(values, bound[:3] if bound.size >= 3 else bound[0])
    values[mark] = -1e31
    return values


def _numbers(variable: Variable, key: str) -> NDArray[np.float64] | None:
    try:
        numbers = np.asarray(variable.attributes[key], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        return None
    return numbers if numbers.size else None


def _times(file: Any, variables: dict[str, Variable], vector: Variable, name: str | None, path: Path) -> NDArray[np.datetime64]:
    """Times of a variable: of its DEPEND_0 if that holds records, else of its DEPEND_TIME (THEMIS)."""
    names = [name] if name else [vector.text(key) for key in ("DEPEND_0", "DEPEND_TIME")]
    for candidate in names:
        if candidate in variables:
            values = file.varget(candidate) if file.varinq(candidate).Last_Rec >= 0 else None
            if values is not None and np.size(values) and np.any(np.asarray(values) != 0):
                return _converted(np.atleast_1d(values), variables[candidate], path)
    raise DataError(
        f"{path}: no time for variable {vector.name} (DEPEND_0 {vector.text('DEPEND_0')!r}); name it with the option "
        "`columns`, such as columns={'magnetic_field': ..., 'time': ...}"
    )


def _converted(values: NDArray, variable: Variable, path: Path) -> NDArray[np.datetime64]:
    if variable.data_type == _TT2000:
        return times_from_tt2000(values)
    if variable.data_type == _EPOCH:
        return times_from_epoch(values)
    if variable.data_type == _EPOCH16:
        return times_from_epoch16(values)
    since_1970 = np.issubdtype(values.dtype, np.floating) and re.match(r"(?i)s(ec(onds?)?)?\b", variable.text("UNITS") or "s")
    if since_1970:
        return times_from_seconds(values)
    raise DataError(f"{path}: the type of time variable {variable.name} is not known; name another with the option `columns`")


def times_from_epoch(values: NDArray) -> NDArray[np.datetime64]:
    """Times from CDF_EPOCH (ms since year 0), rounded to 1 microsecond; fill values give NaT."""
    seconds = (np.asarray(values, dtype=np.float64) - _MILLISECONDS_TO_1970) / 1e3
    return times_from_seconds(np.where(np.abs(seconds) < 9e9, seconds, np.nan))


def times_from_epoch16(values: NDArray) -> NDArray[np.datetime64]:
    """Times from CDF_EPOCH16 (seconds since year 0, and picoseconds); fill values give NaT."""
    parts = np.asarray(values)
    seconds = parts.real - _MILLISECONDS_TO_1970 / 1e3
    good = np.isfinite(seconds) & (np.abs(seconds) < 9e9)
    times = np.full(parts.shape, np.datetime64("NaT", "ns"))
    nanoseconds = np.rint(parts.imag[good] / 1e3).astype(np.int64)
    times[good] = seconds[good].astype(np.int64).astype("datetime64[s]").astype("datetime64[ns]") + nanoseconds.astype(
        "timedelta64[ns]"
    )
    return times


def times_from_tt2000(values: NDArray) -> NDArray[np.datetime64]:
    """Times (UTC) from CDF_TIME_TT2000 (ns of TT since 2000-01-01T12:00 TT), with the leap seconds of cdflib; fill gives NaT."""
    from cdflib.epochs import CDFepoch

    table = np.array([row for row in CDFepoch.LTS if row[0] >= 1972], dtype=np.float64)
    days = np.array([f"{int(y):04d}-{int(m):02d}-{int(d):02d}" for y, m, d in table[:, :3]], dtype="datetime64[ns]")
    leap = np.rint(table[:, 3] * 1e9).astype(np.int64)
    origin = np.datetime64("2000-01-01T12:00:00", "ns")
    terrestrial = np.asarray(values, dtype=np.int64)
    starts = (days - origin).astype(np.int64) + _TERRESTRIAL_TIME + leap
    index = np.clip(np.searchsorted(starts, terrestrial, side="right") - 1, 0, None)
    times = origin + (terrestrial - _TERRESTRIAL_TIME - leap[index]).astype("timedelta64[ns]")
    times[(terrestrial <= -(2**63) + 3)] = np.datetime64("NaT", "ns")
    return times


def _place(variables: dict[str, Variable], given: dict[str, str], frame: str, path: Path) -> Variable | None:
    if "position" in given:
        return _named(variables, given["position"], path)
    fits = [v for v in variables.values() if v.components in (3, 4) and is_length_unit(v.text("UNITS")) and not _is_error(v)]
    same = [v for v in fits if _frame(v).lower() == frame.lower() and frame]
    choice = same or [v for v in fits if not _frame(v)]
    return choice[0] if len(choice) == 1 else None


def _add_position(file: Any, variables: dict[str, Variable], place: Variable, samples: Samples, path: Path) -> None:
    """Take the position along; on a time axis of its own it is interpolated between neighbours, and NaN outside."""
    position = _values(file, place, path)
    time = _times(file, variables, place, None, path)
    samples.position_unit = place.text("UNITS")
    samples.position_frame = _frame(place)
    if time.shape == samples.time.shape and np.array_equal(time, samples.time):
        samples.position = position
        return
    good = ~np.isnat(time) & (np.abs(position) < 1e10).all(axis=1)
    if np.count_nonzero(good) < 2:
        samples.notes.append(f"position left out: variable {place.name} has fewer than two good samples")
        return
    order = np.argsort(time[good], kind="stable")
    origin = time[good][order][0]
    known = (time[good][order] - origin).astype(np.float64)
    wanted = (samples.time - origin).astype(np.float64)
    columns = [np.interp(wanted, known, position[good][order, i], left=np.nan, right=np.nan) for i in range(3)]
    samples.position = np.stack(columns, axis=1)
    samples.notes.append(f"position interpolated in time from variable {place.name}, which has its own times")
