"""Density profiles over time from what other commands write and from tables in long form."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.errors import CoverageError, DataError

NAMES = ("density", "number_density", "layer_density")
"""Names under which a density is looked for."""


def profiles_of(
    data: xr.Dataset, variable: str | None = None, species: str | None = None, lat: float | None = None, lon: float | None = None
) -> xr.Dataset:
    """Profiles ``layer_density(time, alt)`` of a data set on a grid or along points.

    Parameters
    ----------
    data : xarray.Dataset
        A density on (time, alt), on (species, time, alt, lat, lon) as a transport run writes it, or on (species, point) with
        ``time(point)`` and ``alt(point)`` as `siderion sample` writes it. Without ``time`` there is one profile. A variable
        ``<density>_error`` holds standard errors.
    variable : str, optional
        Name of the density; the first of `NAMES` that is there without it.
    species : str, optional
        Species, where there are several.
    lat, lon : float, optional
        Place, degrees, where there are several; the nearest column counts.

    Returns
    -------
    xarray.Dataset
        ``layer_density(time, alt)`` and, if given, ``layer_density_error``, m-3; ``alt`` in km, rising; the column in the
        attributes.

    Raises
    ------
    DataError
        No density, a wrong dimension, points that are no grid of times and altitudes, or units other than m-3.
    CoverageError
        The species is not there.
    """
    name = variable or next((one for one in NAMES if one in data), "")
    if name not in data:
        raise DataError(
            f"no density {name!r} in the data; variables: {', '.join(map(str, data.data_vars))}; name one with --variable"
        )
    if data[name].attrs.get("units", "m-3") not in ("m-3", "m^-3", "1/m3"):
        raise DataError(f"{name} has units {data[name].attrs['units']!r}; convert it to m-3 and set the attribute")
    error = f"{name}_error"
    chosen = data[[name] + ([error] if error in data else [])]
    chosen, place = _column(_species(chosen, species), lat, lon)
    if "point" in chosen[name].dims:
        chosen = _gridded(chosen, data, name, error)
    if "alt" not in chosen[name].dims:
        raise DataError(f"{name} has dimensions {data[name].dims}; altitude alt (km) is needed")
    if "time" not in chosen[name].dims:
        chosen = chosen.expand_dims(time=[np.datetime64("NaT", "ns")])
    extra = set(chosen[name].dims) - {"time", "alt"}
    if extra:
        raise DataError(f"{name} has dimensions {data[name].dims}; take one of {', '.join(map(str, extra))} first")
    chosen = chosen.transpose("time", "alt").sortby("alt")
    result = xr.Dataset(coords={"time": chosen["time"].values, "alt": chosen["alt"].values.astype(float)})
    meaning = {"units": "m-3", "long_name": "density of the layer"}
    result["layer_density"] = (("time", "alt"), chosen[name].values.astype(float), meaning)
    if error in chosen:
        meaning = {"units": "m-3", "long_name": "standard error of the density of the layer"}
        result["layer_density_error"] = (("time", "alt"), chosen[error].values.astype(float), meaning)
    result.attrs = {"variable": name, **place}
    return result


def _species(data: xr.Dataset, species: str | None) -> xr.Dataset:
    if "species" not in data.dims:
        return data
    names = [str(one) for one in data["species"].values]
    if species is None and len(names) == 1:
        return data.isel(species=0)
    if species not in names:
        raise CoverageError(f"species {species!r} is not in the data; there are {', '.join(names)}; choose one with --species")
    return data.isel(species=names.index(species))


def _column(data: xr.Dataset, lat: float | None, lon: float | None) -> tuple[xr.Dataset, dict[str, float]]:
    """The column nearest to a place, and where it is."""
    place: dict[str, float] = {}
    for name, value in (("lat", lat), ("lon", lon)):
        if name not in data.dims:
            continue
        if value is None and data.sizes[name] > 1:
            raise DataError(f"the data have {data.sizes[name]} values of {name}; choose the column with --lat and --lon")
        nodes = data[name].values.astype(float)
        distance = np.abs(nodes - (nodes[0] if value is None else value))
        if name == "lon":
            distance = np.minimum(distance % 360.0, 360.0 - distance % 360.0)
        index = int(np.argmin(distance))
        step = float(np.abs(np.diff(nodes)).max()) if len(nodes) > 1 else np.inf
        if distance[index] > step:
            raise CoverageError(f"{name} {value} is not covered: the data reach from {nodes.min():g} to {nodes.max():g} degrees")
        data, place[name] = data.isel({name: index}), float(nodes[index])
    return data, place


def _gridded(chosen: xr.Dataset, data: xr.Dataset, name: str, error: str) -> xr.Dataset:
    """Points as a grid of times and altitudes."""
    if not {"time", "alt"} <= set(data.variables):
        raise DataError("points need time and alt; sample the output along a track with the column alt")
    times, alts = np.unique(data["time"].values), np.unique(data["alt"].values)
    if len(times) * len(alts) != data.sizes["point"]:
        raise DataError(
            f"{data.sizes['point']} points with {len(times)} times and {len(alts)} altitudes are no grid; give every altitude at "
            "every time, once"
        )
    index = np.searchsorted(times, data["time"].values) * len(alts) + np.searchsorted(alts, data["alt"].values)
    if len(np.unique(index)) != len(index):
        raise DataError("a time and altitude come twice among the points; give every altitude at every time, once")
    result = xr.Dataset(coords={"time": times, "alt": alts})
    for one in (name, error):
        if one in chosen:
            values = np.empty(len(index))
            values[index] = chosen[one].values
            result[one] = (("time", "alt"), values.reshape(len(times), len(alts)))
    return result
