"""What sources add to a run: metal released by meteoroids and by re-entering debris, from source data sets, and the plain
Gaussian supply of the settings.

A source data set holds a rate (``neutral_production`` and ``ion_production`` by ``species`` and ``alt``, the same everywhere)
or an event (``released_atoms`` and ``released_ions`` by ``species`` and ``point``, each point with its time, place and width),
or both. Species are named as neutral atoms. Everything that enters is booked; what lies outside of the run is counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.variables import check_variable
from siderion.frames.spherical import unit_vector
from siderion.io.store import content_digest, open_dataset
from siderion.transport.boundaries import neutral_index
from siderion.transport.grid import CapGrid, ShellGrid
from siderion.transport.settings import RunSettings, metal_network

if TYPE_CHECKING:
    from siderion.transport.model import Metal, Model

RATES = ("neutral_production", "ion_production")
EVENTS = ("released_atoms", "released_ions")
_POINTS = ("point_time", "point_alt", "point_lat", "point_lon", "point_width")


@dataclass(frozen=True)
class _Point:
    """One release at a moment: numbers of atoms and ions by element, the cells that take them, what one particle adds there."""

    time: np.datetime64
    atoms: dict[str, float]
    ions: dict[str, float]
    cells: tuple[int, NDArray[np.int64], NDArray[np.int64]]
    density: NDArray[np.float64]


class Supply:
    """What the sources of a run add, worked out once from the settings.

    Parameters
    ----------
    settings : RunSettings
    grid, shells
        The native grid.
    period : (datetime64, datetime64)
        Start and end of the run.

    Raises
    ------
    DataError
        A file is no source data set, or holds values that cannot be.
    SettingsError
        Atoms of a metal without chemistry, or whose neutral density is held.
    CoverageError
        Nothing of a file falls into the run, or it has none of the metals of the run.
    """

    def __init__(self, settings: RunSettings, grid: CapGrid, shells: ShellGrid, period: tuple[np.datetime64, np.datetime64]):
        self.grid, self.shells = grid, shells
        self.as_ions = settings.supply.atoms == "ions"
        self.metals = {name.rstrip("+"): name for name in settings.species}
        levels = np.zeros(shells.levels)
        # a held neutral density takes no supply
        gaussian = levels if settings.chemistry.neutral == "fixed" else gaussian_rate(settings, shells)
        self.atom_rate = {metal: gaussian.copy() for metal in self.metals}
        self.ion_rate = {metal: levels.copy() for metal in self.metals}
        self.points: list[_Point] = []
        self.record: list[dict[str, Any]] = []
        self.citations: list[dict[str, str]] = []
        for name in settings.supply.files:
            self._read(name, open_dataset(name).load(), period)
        self.points.sort(key=lambda point: point.time)
        self.times = np.array([point.time for point in self.points], dtype="datetime64[ns]")
        self.digest = content_digest(settings.supply.files)
        self._refuse_lost_atoms(settings)

    def add(self, metal: Metal, begin: np.datetime64, seconds: float, model: Model) -> None:
        """Add what is released from a moment on, for some seconds; books it."""
        name = metal.ion.neutral_name
        end = begin + np.timedelta64(round(seconds * 1e9), "ns")
        atoms, ions = self.atom_rate[name] * seconds, self.ion_rate[name] * seconds
        index = neutral_index(metal)
        if self.as_ions:
            atoms, ions, index = 0.0 * atoms, atoms + ions, None
        if ions.any():
            metal.budget.supply += self._spread(metal.reservoirs[0], ions, model)
        if index is not None and atoms.any():
            metal.atoms.supply += self._spread(metal.reservoirs[index], atoms, model)
        first, beyond = np.searchsorted(self.times, [begin, end])
        for point in self.points[first:beyond]:
            released, charged = point.atoms.get(name, 0.0), point.ions.get(name, 0.0)
            if self.as_ions:
                released, charged = 0.0, released + charged
            metal.budget.supply += self._drop(metal.reservoirs[0], point, charged)
            if index is not None:
                metal.atoms.supply += self._drop(metal.reservoirs[index], point, released)

    def _spread(self, density: NDArray, gained: NDArray[np.float64], model: Model) -> float:
        """Add a density by level everywhere; returns the number of particles."""
        density += gained.astype(model.dtype)[:, None, None]
        return float(np.sum(gained * self.shells.shell) * self.grid.solid_angle[self.grid.active].sum())

    def _drop(self, density: NDArray, point: _Point, number: float) -> float:
        """Add a number of particles to the cells of a point; returns that number."""
        if number:
            density[point.cells] += (number * point.density).astype(density.dtype)
        return number

    def _read(self, name: str, data: xr.Dataset, period: tuple[np.datetime64, np.datetime64]) -> None:
        has_rate, has_event = (all(v in data for v in kind) for kind in (RATES, EVENTS))
        if data.attrs.get("kind") != "siderion source" or not (has_rate or has_event):
            raise DataError(
                f"{name} is no source data set: it needs the attribute kind = 'siderion source' and the variables "
                f"{', '.join(RATES)} or {', '.join(EVENTS)}; make one with siderion sources"
            )
        common = [metal for metal in self.metals if metal in data["species"].values.astype(str)]
        if not common:
            held = ", ".join(data["species"].values.astype(str))
            raise CoverageError(f"{name} holds {held}, the run {', '.join(self.metals.values())}; choose --species to match")
        for variable in (*(RATES if has_rate else ()), *(EVENTS if has_event else ())):
            check_variable(data[variable], variable, name)
        entry: dict[str, Any] = {"file": Path(name).name, "title": str(data.attrs.get("title", ""))}
        if has_rate:
            entry["rate"] = self._add_rate(data, common)
        if has_event:
            entry["event"] = self._add_event(name, data, common, period)
        self._refuse_nothing(name, entry, common)
        self.record.append(entry)
        self.citations += json.loads(data.attrs.get("sources", "[]"))

    def _add_rate(self, data: xr.Dataset, metals: list[str]) -> dict[str, dict[str, float]]:
        """Take the production on the levels of the run; returns columns, m-2 s-1, in the file and in the run."""
        columns: dict[str, dict[str, float]] = {}
        bounds = data["alt_bounds"].transpose("alt", "bound").values.astype(float)
        for metal in metals:
            columns[metal] = {}
            for variable, rate in zip(RATES, (self.atom_rate, self.ion_rate), strict=True):
                values = data[variable].sel(species=metal).values.astype(float)
                taken = overlap_mean(values, bounds, self.shells.face_altitude)
                rate[metal] = rate[metal] + taken
                columns[metal][f"{variable}_column_in_file"] = float(np.sum(values * np.diff(bounds).ravel()) * 1e3)
                columns[metal][f"{variable}_column_in_run"] = float(np.sum(taken * self.shells.thickness))
        return columns

    def _add_event(
        self, name: str, data: xr.Dataset, metals: list[str], period: tuple[np.datetime64, np.datetime64]
    ) -> dict[str, dict[str, float]]:
        """Take the points inside the run; returns numbers in the file and in the run."""
        missing = [variable for variable in _POINTS if variable not in data]
        if missing:
            raise DataError(f"{name}: an event needs {', '.join(missing)} along point; make it with siderion sources debris")
        if not data.sizes["point"]:
            raise CoverageError(f"{name} holds no point: nothing was released above the floor of the layer; look at the event")
        time, alt, lat, lon, width = (data[variable].values for variable in _POINTS)
        faces = self.shells.face_altitude
        inside = (time >= period[0]) & (time < period[1]) & (alt >= faces[0]) & (alt < faces[-1])
        inside &= lat * self.grid.sign >= self.grid.edge_latitude
        counts = {
            metal: {f"{variable}_in_file": float(data[variable].sel(species=metal).sum()) for variable in EVENTS}
            for metal in metals
        }
        numbers = {variable: data[variable].sel(species=metals).transpose("point", "species").values for variable in EVENTS}
        if not inside.any():
            raise CoverageError(
                f"{name}: no point of the event lies in the run, {period[0]} to {period[1]}, {faces[0]:g} to {faces[-1]:g} km, "
                f"{self.grid.hemisphere} of {self.grid.edge_latitude:g} degrees; its points: {time.min()} to {time.max()}, "
                f"{alt.min():.1f} to {alt.max():.1f} km, latitude {lat.min():.1f} to {lat.max():.1f}"
            )
        for k in np.flatnonzero(inside):
            cells, share = horizontal_shares(self.grid, float(lat[k]), float(lon[k]), float(width[k]), float(alt[k]))
            atoms, ions = (dict(zip(metals, map(float, numbers[variable][k]), strict=True)) for variable in EVENTS)
            level = int(np.searchsorted(faces, alt[k], side="right")) - 1
            row, column = np.unravel_index(cells, self.grid.solid_angle.shape)
            added = share / (self.grid.solid_angle[row, column] * self.shells.shell[level])
            self.points.append(_Point(time[k].astype("datetime64[ns]"), atoms, ions, (level, row, column), added))
        for metal in metals:
            for variable in EVENTS:
                total = float(numbers[variable][inside, metals.index(metal)].sum())
                counts[metal][f"{variable}_in_run"] = total
        return counts

    def _refuse_nothing(self, name: str, entry: dict[str, Any], metals: list[str]) -> None:
        """Raise where a file adds nothing of a metal: a run would look as if its source made no difference."""
        for metal in metals:
            taken = [value for kind in ("rate", "event") for key, value in entry.get(kind, {}).get(metal, {}).items()
                     if key.endswith("_in_run")]  # fmt: skip
            if not any(taken):
                raise CoverageError(
                    f"{name} releases no {metal} inside the run ({self.shells.faces[0]:g} to {self.shells.faces[-1]:g} km); "
                    f"leave {self.metals[metal]} out of --species, or look at the file: what sheds lower does not count"
                )

    def _refuse_lost_atoms(self, settings: RunSettings) -> None:
        """Raise where atoms would have no place to go."""
        if self.as_ions or not settings.supply.files:
            return
        for metal, ion in self.metals.items():
            if not (self.atom_rate[metal].any() or any(point.atoms.get(metal) for point in self.points)):
                continue
            network = metal_network(settings, ion)
            if network is None or metal not in network.states:
                raise SettingsError(
                    f"the sources release atoms of {metal}, which has no reactions here that would ionise them; "
                    "supply.atoms = 'ions' lets them enter as ions at once (--set supply.atoms=ions)"
                )
            if settings.chemistry.neutral == "fixed":
                raise SettingsError(
                    f"chemistry.neutral = 'fixed' holds the density of {metal}, so that released atoms would be lost; "
                    "use 'depletable'"
                )


def gaussian_rate(settings: RunSettings, shells: ShellGrid) -> NDArray[np.float64]:
    """The supply of the settings by level, atoms m-3 s-1: a Gaussian whose column is ``chemistry.meteoric_flux``."""
    chemistry = settings.chemistry
    shape = np.exp(-(((shells.altitude - chemistry.meteoric_altitude) / chemistry.meteoric_width) ** 2))
    return chemistry.meteoric_flux * shape / np.sum(shape * shells.thickness)


def overlap_mean(values: NDArray, bounds: NDArray, faces: NDArray) -> NDArray[np.float64]:
    """Mean of a profile of bins over other bins, so that the integral over their common range is kept.

    Parameters
    ----------
    values : array of shape (alt,)
        Constant within its bins.
    bounds : array of shape (alt, 2)
        Lower and upper end of the bins.
    faces : array of shape (level + 1,)
        Ends of the other bins, growing, in the same unit.

    Returns
    -------
    array of shape (level,)
        Means; outside of the bins the profile is zero.
    """
    low = np.maximum(bounds[None, :, 0], faces[:-1, None])
    high = np.minimum(bounds[None, :, 1], faces[1:, None])
    return np.maximum(high - low, 0.0) @ values / np.diff(faces)


def horizontal_shares(
    grid: CapGrid, lat: float, lon: float, width: float, alt: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cells (flat index) and shares, which sum to 1, of a Gaussian spot of the standard deviation ``width``, km.

    A spot narrower than half a cell is widened to that.
    """
    centre = unit_vector(lat, lon)
    distance = np.arccos(np.clip(grid.centres @ centre, -1.0, 1.0))
    angle = max(width / (EARTH_RADIUS / 1e3 + alt), 0.5 * grid.smallest_width)
    weight = np.where(grid.active & (distance < 5.0 * angle), grid.solid_angle * np.exp(-0.5 * (distance / angle) ** 2), 0.0)
    if not weight.any():
        weight = np.where(grid.active & (distance == distance[grid.active].min()), 1.0, 0.0)
    cells = np.flatnonzero(weight)
    return cells, weight.ravel()[cells] / weight.sum()
