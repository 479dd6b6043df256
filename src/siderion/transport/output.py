"""The output of a run: fields on latitude and longitude, written to Zarr hour by hour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.ion_velocity import TERMS
from siderion.core.variables import get_variable, with_attributes
from siderion.io.store import SliceWriter
from siderion.transport.columns import column_weights, plane_components
from siderion.transport.model import Metal, Model
from siderion.transport.remap import Remap

BITS = {"number_density": 9, "electron_density": 7}
"""Bits of mantissa kept per variable: relative error 1e-3 and 4e-3, far below that of the model."""
_DEFAULT_BITS = 10
WIND_STEP = 1.0
"""Winds are rounded to whole m s-1."""


class PolarOutput:
    """Writes a model's state at the output times.

    Parameters
    ----------
    path : path
        Folder of the Zarr store.
    model : Model
    times, velocity_times : array of datetime64
        When densities and when velocities are written.
    resume : bool
        Go on with an existing store.
    """

    def __init__(self, path: Path, model: Model, times: NDArray, velocity_times: NDArray, resume: bool = False) -> None:
        self.model, self.times, self.velocity_times = model, times, velocity_times
        self.remap = Remap(model.grid, model.settings.grid.resolution)
        fields = model.fields
        lat2, lon2 = np.meshgrid(self.remap.lat, self.remap.lon, indexing="ij")
        self.winds = column_weights(fields.lat, fields.lon, lat2, lon2)
        self.lat2, self.lon2 = lat2, lon2
        self.term_levels = self._term_levels()
        names = self._large_variables()
        attributes = {name: self._attributes(name) for name in names}
        self.writer = SliceWriter(path, self._small(), names, attributes, resume)

    def _term_levels(self) -> NDArray[np.int64]:
        chosen = self.model.settings.term_altitudes
        altitude = self.model.shells.altitude
        if chosen == "all":
            return np.arange(len(altitude))
        upper = [int(np.clip(np.searchsorted(altitude, wanted), 1, len(altitude) - 1)) for wanted in chosen]
        return np.unique([level for k in upper for level in (k - 1, k)]).astype(np.int64)  # one on each side

    def _large_variables(self) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        grid = (self.model.shells.levels, len(self.remap.lat), len(self.remap.lon))
        space = ("alt", "lat", "lon")
        count, hours, moments = len(self.model.metals), len(self.times), len(self.velocity_times)
        variables: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
            "number_density": (("species", "time", *space), (count, hours, *grid)),
            "electron_density": (("time", *space), (hours, *grid)),
            "neutral_wind_east": (("time", *space), (hours, *grid)),
            "neutral_wind_north": (("time", *space), (hours, *grid)),
            "electric_potential": (("time", "lat", "lon"), (hours, *grid[1:])),
            "magnetic_local_time": (("time", "lat", "lon"), (hours, *grid[1:])),
        }
        for way in ("east", "north", "up"):
            variables[f"velocity_{way}"] = (("species", "velocity_time", *space), (count, moments, *grid))
            if len(self.term_levels):
                dims = ("term", "species", "velocity_time", "term_alt", "lat", "lon")
                shape = (len(TERMS), count, moments, len(self.term_levels), *grid[1:])
                variables[f"velocity_{way}_by_term"] = (dims, shape)
        return variables

    def _attributes(self, name: str) -> dict[str, str]:
        bits = BITS.get(name, _DEFAULT_BITS)
        rounding = f"{bits} bits of mantissa, relative error {2.0 ** -(bits + 1):.0e}"
        if name.startswith("neutral_wind"):
            rounding = f"to {WIND_STEP:g} m s-1"
        return {**get_variable(name).attributes, "rounding": rounding}

    def _small(self) -> xr.Dataset:
        model, shells = self.model, self.model.shells
        metals = [metal.ion.name for metal in model.metals]
        alt = shells.altitude
        invariant = model.fields.dipole.invariant_latitude(alt[:, None, None], self.lat2, self.lon2)
        dataset = xr.Dataset(
            {
                "invariant_latitude": (("alt", "lat", "lon"), invariant.astype(np.float32)),
                "solid_angle": (("lat", "lon"), self.remap.solid_angle),
                "alt_bounds": (("alt", "bound"), np.stack([shells.face_altitude[:-1], shells.face_altitude[1:]], axis=-1)),
            },
            coords={
                "species": np.array(metals, dtype=object),
                "term": np.array(TERMS, dtype=object),
                "time": self.times,
                "velocity_time": self.velocity_times,
                "alt": alt,
                "term_alt": alt[self.term_levels],
                "lat": self.remap.lat,
                "lon": self.remap.lon,
            },
        )
        dataset["alt"].attrs["bounds"] = "alt_bounds"
        dataset.attrs["Conventions"] = "CF-1.11"
        dataset.attrs["complete"] = 0
        return with_attributes(dataset)

    def write(self, index: int) -> None:
        """Write the state as output number ``index``, with the drivers of that moment."""
        model, time = self.model, self.times[index]
        for s, metal in enumerate(model.metals):
            self._put("number_density", (s, index), self.remap(metal.density))
        model.fill_background(time)
        self._put("electron_density", (index,), self.remap(model.electrons()))
        east, north = self._wind(time)
        self._put("neutral_wind_east", (index,), east)
        self._put("neutral_wind_north", (index,), north)
        convection = model.fields.convection(time)
        self._put("electric_potential", (index,), convection.potential_at(self.lat2, self.lon2))
        self._put("magnetic_local_time", (index,), model.fields.dipole.magnetic_local_time(time, self.lat2, self.lon2))
        for moment in np.flatnonzero(self.velocity_times == time):
            for s, metal in enumerate(model.metals):
                self._write_velocity(s, int(moment), metal, time)

    def _put(self, name: str, index: tuple[int, ...], values: NDArray) -> None:
        if name.startswith("neutral_wind"):
            values = np.round(values / WIND_STEP) * WIND_STEP
        self.writer.write(name, index, values, BITS.get(name, _DEFAULT_BITS))

    def _wind(self, time: np.datetime64) -> tuple[NDArray, NDArray]:
        """Wind on the output grid, (alt, lat, lon), turned through the polar plane so that the pole is smooth."""
        fields = self.model.fields
        lon = np.broadcast_to(fields.lon, (len(fields.lat), len(fields.lon))).ravel()
        first, second = (self.winds(v) for v in plane_components(*fields.wind(time), lon, fields.sign))
        angle = np.radians(self.remap.lon)
        outward = first * np.cos(angle) + second * np.sin(angle)
        return second * np.cos(angle) - first * np.sin(angle), -fields.sign * outward

    def _write_velocity(self, s: int, moment: int, metal: Metal, time: np.datetime64) -> None:
        active = frozenset(self.model.settings.terms)
        for name, field in zip(("east", "north", "up"), self.velocity(metal, time, active), strict=True):
            self._put(f"velocity_{name}", (s, moment), field)
        if not len(self.term_levels):
            return
        for t, term in enumerate(TERMS):
            parts = self.velocity(metal, time, active & {term}, self.term_levels)
            for name, field in zip(("east", "north", "up"), parts, strict=True):
                self._put(f"velocity_{name}_by_term", (t, s, moment), field)

    def velocity(
        self, metal: Metal, time: np.datetime64, terms: frozenset[str], levels: NDArray | slice = slice(None)
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Eastward, northward and upward velocity from the given terms, diffusion included, on the output grid."""
        model = self.model
        if not terms:
            zero = np.zeros((model.shells.levels, len(self.remap.lat), len(self.remap.lon)))[levels]
            return zero, zero, zero
        scratch = replace(metal, **{
            name: np.zeros_like(getattr(metal, name))
            for name in ("velocity_x", "velocity_y", "velocity_up", "diffusivity", "drift", "ambipolar")
        })  # fmt: skip
        slow = np.zeros(model.shape, model.dtype)
        model.fill_velocity(scratch, time, model.electrons(), terms, slow)
        across_y = np.swapaxes(scratch.velocity_y, 1, 2)
        east, north = self.remap.horizontal_vector(scratch.velocity_x[levels], across_y[levels])
        return east, north, self.remap((scratch.velocity_up + slow)[levels])
