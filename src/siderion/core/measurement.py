"""A measured or inferred quantity: value, uncertainty, flag, upper limits, and the convention behind them.

A measurement ``name`` is five variables of a data set: ``name``, ``name_lower`` and ``name_upper`` (16 and 84 %
quantiles), ``name_flag`` (0 is good) and ``name_upper_limit`` (true where ``name`` is only an upper limit). The attribute
``convention`` of ``name`` says in words what the value and its ends are. Where ``name_upper_limit`` is true, ``name``
holds the limit; the two ends then mean nothing and may be NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from .errors import DataError, UnitsError

LOWER_QUANTILE = 0.16
UPPER_QUANTILE = 0.84
SUFFIXES = ("_lower", "_upper", "_flag", "_upper_limit")
"""Endings of the four variables that go with a value."""


def measurement(
    name: str,
    value: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    dims: Sequence[str],
    units: str,
    convention: str,
    flag: ArrayLike = 0,
    flag_meanings: Mapping[int, str] | None = None,
    upper_limit: ArrayLike = False,
    long_name: str = "",
) -> xr.Dataset:
    """Build a measurement.

    Parameters
    ----------
    name : str
        Name of the quantity.
    value, lower, upper : array of shape ``dims``
        Value and its 16 and 84 % quantiles, in ``units``.
    dims : sequence of str
        Names of the dimensions; empty for a single number.
    units : str
        CF units; ``"1"`` for a pure number.
    convention : str
        What value and ends mean, such as ``"median and central 68 % of the posterior"``.
    flag : array of int, broadcast to ``dims``
        0 for good values. A value that is not finite needs another flag.
    flag_meanings : mapping of int to str, optional
        Meaning of each flag; 0 is ``"good"`` unless said otherwise.
    upper_limit : array of bool, broadcast to ``dims``
        True where ``value`` is an upper limit.
    long_name : str
        Meaning in words.

    Returns
    -------
    xarray.Dataset
        The five variables.

    Raises
    ------
    DataError
        Shapes do not fit, or the rules of `check_measurement` are broken.
    UnitsError
        ``units`` is empty.
    """
    values = np.asarray(value, dtype=np.float64)
    dims = tuple(dims)
    meanings = {0: "good", **(flag_meanings or {})}
    if values.ndim != len(dims):
        raise DataError(f"measurement {name}: values have {values.ndim} dimensions, dims names {len(dims)}: {dims}")
    companions = {
        "_lower": _like(values, lower, np.float64, f"{name}_lower"),
        "_upper": _like(values, upper, np.float64, f"{name}_upper"),
        "_flag": _like(values, flag, np.int16, f"{name}_flag"),
        "_upper_limit": _like(values, upper_limit, np.bool_, f"{name}_upper_limit"),
    }
    words = long_name or name.replace("_", " ")
    attributes: dict[str, dict[str, object]] = {
        "_lower": {"units": units, "long_name": f"{words}, 16 % quantile"},
        "_upper": {"units": units, "long_name": f"{words}, 84 % quantile"},
        "_flag": {
            "long_name": f"{words}, quality flag",
            "flag_values": np.array(sorted(meanings), dtype=np.int16),
            "flag_meanings": " ".join(meanings[key].replace(" ", "_") for key in sorted(meanings)),
        },
        "_upper_limit": {"long_name": f"{words}, true where the value is an upper limit"},
    }
    variables = {name: (dims, values, {"units": units, "long_name": words, "convention": convention})}
    variables |= {name + suffix: (dims, companions[suffix], attributes[suffix]) for suffix in SUFFIXES}  # type: ignore[misc]
    dataset = xr.Dataset(variables)
    check_measurement(dataset, name)
    return dataset


def measurement_from_samples(
    name: str,
    samples: ArrayLike,
    *,
    dims: Sequence[str],
    units: str,
    convention: str = "median; the ends are the 16 and 84 % quantiles of the samples",
    long_name: str = "",
) -> xr.Dataset:
    """Build a measurement from samples (of a posterior, a bootstrap, an ensemble).

    Parameters
    ----------
    samples : array of shape (sample, \\*dims)
        Equally weighted samples along the first axis, in ``units``.
    name, dims, units, convention, long_name
        As in `measurement`; ``dims`` without the axis of the samples.

    Returns
    -------
    xarray.Dataset
        Median, 16 and 84 % quantiles.

    Raises
    ------
    DataError
        There are fewer than two samples, or one is not finite.
    """
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim == 0 or values.shape[0] < 2:
        raise DataError(f"measurement {name}: samples have shape {values.shape}; at least 2 along the first axis needed")
    if not np.isfinite(values).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise DataError(f"measurement {name}: sample {index} is {values[index]}; remove it and say so, or correct it")
    lower, median, upper = np.quantile(values, [LOWER_QUANTILE, 0.5, UPPER_QUANTILE], axis=0)
    return measurement(name, median, lower, upper, dims=dims, units=units, convention=convention, long_name=long_name)


def check_measurement(dataset: xr.Dataset, name: str) -> None:
    """Check that ``dataset`` holds a whole and consistent measurement ``name``.

    Raises
    ------
    DataError
        A variable or the convention is missing, dimensions differ, ``lower <= value <= upper`` fails at a good value
        that is not an upper limit, or a value with flag 0 is not finite.
    UnitsError
        The units are missing or differ between value and ends.
    """
    missing = [name + suffix for suffix in ("", *SUFFIXES) if name + suffix not in dataset]
    if missing:
        raise DataError(f"measurement {name}: {', '.join(missing)} missing; build it with core.measurement.measurement")
    array = dataset[name]
    if not array.attrs.get("convention"):
        raise DataError(f"measurement {name}: the attribute convention is missing; say what value and ends mean")
    for suffix in SUFFIXES:
        if dataset[name + suffix].dims != array.dims:
            raise DataError(f"measurement {name}: {name + suffix} has dimensions {dataset[name + suffix].dims}, "
                            f"the value has {array.dims}; make them equal")  # fmt: skip
    units = [dataset[name + suffix].attrs.get("units") for suffix in ("", "_lower", "_upper")]
    if not units[0] or len(set(units)) > 1:
        raise UnitsError(f"measurement {name}: units of value, lower, upper are {units}; give all three the same")
    value, lower, upper, flag, limit = (dataset[name + suffix].values for suffix in ("", *SUFFIXES))
    good = flag == 0
    _refuse(good & ~np.isfinite(value), name, array.dims, value, "a value that is not finite needs a flag other than 0")
    # NaN ends fail the comparison on purpose: a good value that is not a limit has both ends
    disordered = good & ~limit.astype(bool) & ~((lower <= value) & (value <= upper))
    _refuse(disordered, name, array.dims, value, "lower <= value <= upper must hold; correct the ends or set the flag",
            lower=lower, upper=upper)  # fmt: skip


def _like(values: np.ndarray, companion: ArrayLike, kind: type, name: str) -> np.ndarray:
    try:
        return np.broadcast_to(np.asarray(companion, dtype=kind), values.shape).copy()
    except ValueError as error:
        raise DataError(f"{name} has shape {np.shape(companion)}; needed: {values.shape}, as the value has") from error


def _refuse(bad: np.ndarray, name: str, dims: tuple, value: np.ndarray, rule: str, **others: np.ndarray) -> None:
    if not bad.any():
        return
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    place = dict(zip(dims, first, strict=True))
    text = ", ".join(f"{key} {array[first]:g}" for key, array in others.items())
    raise DataError(f"measurement {name} is {value[first]:g} at index {place} {f'({text})' if text else ''}: {rule}")
