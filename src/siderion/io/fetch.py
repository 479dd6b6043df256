"""Magnetic field fetched through HAPI (the Heliophysics API of CDAWeb, AMDA, PDS-PPI and others), kept in a cache.

Optional: needs the package ``hapiclient`` and a connection the first time. Every answer is stored as NetCDF in the cache
folder of the user, so the same request works later without either.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from siderion.core.errors import CoverageError, DataError, explained

from .magnetometer.labelled import frame_in
from .magnetometer.series import Options, Samples, build_series
from .magnetometer.times import times_from_text
from .magnetometer.units import is_length_unit, is_magnetic_unit

HapiClient = Callable[..., tuple[Any, dict[str, Any]]]
"""``client(server, dataset, parameters, start, stop)`` gives a structured array and the description of its parameters."""


def fetch_hapi(
    server: str,
    dataset: str,
    parameters: str | Sequence[str],
    start: str,
    stop: str,
    cache: str | Path | None = None,
    *,
    body: str = "",
    frame: str | None = None,
    client: HapiClient | None = None,
) -> xr.Dataset:
    """Fetch a magnetic field through HAPI, or take it from the cache.

    Parameters
    ----------
    server : str
        Address, such as ``"https://cdaweb.gsfc.nasa.gov/hapi"``.
    dataset : str
        Name of the data set there, such as ``"MVN_MAG_L2-SUNSTATE-1SEC"``.
    parameters : str or sequence of str
        Names: that of the field (a vector), or those of its three components, and the same for a position if wanted.
    start, stop : str
        Period, ISO 8601 UTC; the stop is not included.
    cache : path, optional
        Folder of the cache; by default ``SIDERION_CACHE``, else ``.cache/siderion`` in the home of the user.
    body : str
        Body the position is relative to; needed where it is in radii.
    frame : str, optional
        Name of the frame, if the server does not say it.
    client : callable, optional
        Used instead of ``hapiclient.hapi``.

    Returns
    -------
    xarray.Dataset
        A Series as `siderion.io.magnetometer.read_magnetometer` returns it.

    Raises
    ------
    CoverageError
        Nothing is in the cache, and ``hapiclient`` is missing or the server does not answer.
    DataError
        The answer holds no vector of magnetic field, or the copy in the cache is damaged.
    """
    names = [name.strip() for name in parameters.split(",")] if isinstance(parameters, str) else list(parameters)
    folder = Path(cache or os.environ.get("SIDERION_CACHE") or Path.home() / ".cache" / "siderion")
    what = json.dumps([server.rstrip("/"), dataset, names, start, stop, body, frame])
    path = folder / f"hapi-{re.sub(r'[^A-Za-z0-9]+', '-', dataset)}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.nc"
    if path.exists():
        return _from_cache(path)
    data, meta = _ask(client or _default_client(dataset, path), server, dataset, names, start, stop, path)
    series = build_series([_samples(data, meta, f"{server} {dataset}")], Options(body=body, frame=frame))
    series.attrs["title"] = f"{dataset} {start} to {stop}"
    _store(series, path)
    return series


def _from_cache(path: Path) -> xr.Dataset:
    try:
        with xr.open_dataset(path, engine="h5netcdf") as stored:
            return stored.load()
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: the copy in the cache is damaged ({error}); delete it and fetch again") from error


def _default_client(dataset: str, path: Path) -> HapiClient:
    try:
        from hapiclient import hapi
    except ImportError as error:
        raise CoverageError(
            f"{dataset} is not in the cache ({path}), and the package hapiclient, which could fetch it, is not installed; "
            "install it with `pip install hapiclient`, or download the file and read it with read_magnetometer"
        ) from error

    def ask(server: str, dataset: str, parameters: str, start: str, stop: str) -> tuple[Any, dict[str, Any]]:
        return hapi(server, dataset, parameters, start, stop, usecache=False, cache=False, logging=False)

    return ask


def _ask(
    client: HapiClient, server: str, dataset: str, names: Sequence[str], start: str, stop: str, path: Path
) -> tuple[Any, dict[str, Any]]:
    try:
        return client(server, dataset, ",".join(names), start, stop)
    except Exception as error:  # hapiclient raises plain Exception for every refusal and lost connection
        raise CoverageError(
            f"{server} did not give {dataset} for {start} to {stop} ({str(error).strip()[:120]}), and it is not in the "
            f"cache ({path}); check the connection, the name and the period, or download the file and read that"
        ) from error


def _samples(data: Any, meta: dict[str, Any], where: str) -> Samples:
    described = {parameter["name"]: parameter for parameter in meta["parameters"]}
    if not np.size(data):
        raise CoverageError(f"{where}: no samples in this period; choose another")
    time_name = meta["parameters"][0]["name"]
    text = np.array([value.decode() if isinstance(value, bytes) else str(value) for value in data[time_name]], dtype=object)
    field, field_unit, field_fill, description = _vector(data, described, is_magnetic_unit, where)
    samples = Samples(
        file=where,
        source_format="hapi",
        time=times_from_text(text, where),
        magnetic_field=field,
        field_unit=field_unit,
        field_fill=field_fill,
        frame=_frame(description),
        status="tested on a HAPI 2.0 answer",
    )
    if any(is_length_unit(_unit(parameter)) for parameter in described.values()):
        samples.position, samples.position_unit, samples.position_fill, description = _vector(
            data, described, is_length_unit, where
        )
        samples.position_frame = _frame(description)
    return samples


def _vector(
    data: Any, described: dict[str, dict[str, Any]], fits: Callable[[str], bool], where: str
) -> tuple[np.ndarray, str, tuple[float, ...], dict[str, Any]]:
    """The one vector among the parameters in such a unit: one of size 3, or three of size 1 in the order asked for."""
    names = [name for name, parameter in described.items() if fits(_unit(parameter))]
    vectors = [name for name in names if np.ndim(data[name]) == 2 and data[name].shape[1] in (3, 4)]
    scalars = [name for name in names if np.ndim(data[name]) == 1]
    if len(vectors) == 1:
        chosen, values = vectors, np.asarray(data[vectors[0]], dtype=np.float64)[:, :3]
    elif not vectors and len(scalars) == 3:
        chosen, values = scalars, np.stack([np.asarray(data[name], dtype=np.float64) for name in scalars], axis=1)
    else:
        raise DataError(
            f"{where}: one vector, or three components, "
            f"must be among the parameters; in a fitting unit: {', '.join(names) or 'none'}"
        )
    fill = tuple(float(described[name]["fill"]) for name in chosen if described[name].get("fill") not in (None, "null", ""))
    return values, _unit(described[chosen[0]]), fill, described[chosen[0]]


def _unit(parameter: dict[str, Any]) -> str:
    unit = parameter.get("units") or ""
    return str(unit[0] if isinstance(unit, list) and unit else unit)


def _frame(parameter: dict[str, Any]) -> str:
    name = parameter.get("coordinateSystemName")
    return str(name) if name else frame_in([parameter.get("description") or ""])


def _store(series: xr.Dataset, path: Path) -> None:
    """Write beside the place and rename, so that a copy is whole or absent."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            encoding = {"time": {"units": "nanoseconds since 1970-01-01", "dtype": "int64"}}
            series.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
