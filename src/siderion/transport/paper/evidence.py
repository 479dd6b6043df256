"""The fields of one output that the statements of the paper are tested on, each found once.

Words used: the *cells* are where the potential exceeds 30 % of its extremum (`convection_cells`); the *reversal* and the
*common boundary* are the lines of `convection_pattern`; *at* a line is within `NEAR` degrees of it. *Day* is 06 to 18 h magnetic
local time, *night* the rest, *before midnight* 18 to 24 h. The *layer density* of a column is its largest density between 115
and 125 km (`siderion.transport.diagnostics.layers.LAYER`). Times are those of the analysed day, each hour once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError
from siderion.core.tables import load_table
from siderion.frames.dipole import TiltedDipole
from siderion.frames.spherical import distance_to_nearest, local_axes, unit_vector
from siderion.transport.diagnostics.cells import convection_cells, convection_pattern
from siderion.transport.diagnostics.drifts import electric_field
from siderion.transport.diagnostics.layers import layer_density
from siderion.transport.diagnostics.levels import at_altitude, nearest_level
from siderion.transport.diagnostics.times import analysed_times
from siderion.transport.paper.variants import check_same_cells, check_variant

NEAR = 3.0
"""Degrees from a line that still count as being at it."""
_HALF_HOUR = np.timedelta64(30, "m")

T = TypeVar("T")
Field = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Evidence:
    """One output, with its drivers and an ensemble where given.

    Parameters
    ----------
    output : xarray.Dataset
        Output of a polar run.
    species : str
    drivers, ensemble : xarray.Dataset, optional
        Drivers of the run; reduced maps of many runs.
    experiments : mapping of str to xarray.Dataset, optional
        Outputs of runs with something changed, by the names of their settings files.
    """

    def __init__(
        self,
        output: xr.Dataset,
        species: str = "Fe+",
        drivers: xr.Dataset | None = None,
        ensemble: xr.Dataset | None = None,
        experiments: Mapping[str, xr.Dataset] | None = None,
    ) -> None:
        self.output, self.species, self.drivers, self.ensemble = output, species, drivers, ensemble
        self.experiments = experiments or {}
        self.weight: Field = output.solid_angle.values.astype(float)
        self.limits = load_table("transport", "andoh2026").set_index("key").value.astype(float).to_dict()
        self._kept: dict[Any, Any] = {}
        self._latest: tuple[int, NDArray] = (-1, np.empty(0))

    def experiment(self, name: str, same_cells: bool = False) -> Evidence:
        """The evidence of one experiment; ``same_cells`` where its fields are compared with the output cell by cell.

        Raises
        ------
        DataError
            Its output was not given, its settings are not what its name says, it is of another day or hemisphere, or it has
            other cells or times.
        """
        if name not in self.experiments:
            raise DataError(f"the output of the experiment {name} was not given.")
        variant = self.experiments[name]
        check_variant(name, variant, self.output)
        if same_cells:
            check_same_cells(name, variant, self.output)
        return self._once(("experiment", name), lambda: Evidence(variant, self.species))

    # ------------------------------------------------------------------ times

    @property
    def times(self) -> list[int]:
        """Numbers of the output times of the analysed day."""
        return self._once("times", lambda: [int(t) for t in analysed_times(self.output)])

    @property
    def moments(self) -> list[tuple[int, int, str]]:
        """Numbers of a velocity time of the analysed day and of the output time nearest to it, and the hour in words.

        Raises
        ------
        DataError
            No output lies within half an hour of a velocity time.
        """
        found = []
        written = self.output.time.values
        chosen = [int(m) for m in analysed_times(self.output, "velocity_time")]
        texts = [str(self.output.velocity_time.values[m]) for m in chosen]
        one_day = len({text[11:16] for text in texts}) == len(texts)
        for m, text in zip(chosen, texts, strict=True):
            away = np.abs(written - self.output.velocity_time.values[m])
            hour = text[11:13] if text[14:16] == "00" else text[11:16]
            if away.min() <= _HALF_HOUR:
                found.append((m, int(np.argmin(away)), f"{hour} UT" if one_day else f"{text[:10]} {hour} UT"))
        if not found:
            raise DataError("no output was written within half an hour of a time with velocities.")
        return found

    def moment_at(self, hour: int) -> tuple[int, int, str]:
        """The moment of an hour of the analysed day, UT; `DataError` when the output has no velocities then."""
        for m, t, label in self.moments:
            if str(self.output.velocity_time.values[m])[11:16] == f"{hour:02d}:00":
                return m, t, label
        raise DataError(f"the output has no velocities at {hour:02d} UT; repeat the run with {hour:02d}:00 in velocity_at.")

    # ------------------------------------------------------------------ fields on (lat, lon)

    @property
    def latitude(self) -> Field:
        """Absolute geographic latitude, degrees."""
        return np.broadcast_to(np.abs(self.output.lat.values)[:, None], self.weight.shape)

    def density(self, t: int, altitude: float) -> Field:
        """Number density, m-3, at the level nearest to an altitude, km."""
        level = nearest_level(self.output, altitude)
        return self._once(("density", t, level), lambda: self._densities(t)[level].astype(float))

    def layer_density(self, t: int) -> Field:
        """Largest number density of a column between 115 and 125 km, m-3."""
        return self._once(("layer", t), lambda: layer_density(self.output, t, self.species))

    def column(self, t: int, bottom: float, top: float) -> Field:
        """Content of the columns between two altitudes, m-2; levels count by their centres."""
        alt, bounds = self.output.alt.values, self.output.alt_bounds.values
        levels = np.flatnonzero((alt >= bottom) & (alt < top))
        thickness = 1e3 * (bounds[levels, 1] - bounds[levels, 0])
        return self._once(
            ("column", t, bottom, top), lambda: np.einsum("k,kji->ji", thickness, self._densities(t)[levels].astype(float))
        )

    def velocity(self, way: str, altitude: float, moment: int, *terms: str) -> Field:
        """Velocity, m s-1, interpolated to an altitude: the total, or the sum of some terms."""
        if not terms:
            array = self.output[f"velocity_{way}"].sel(species=self.species).isel(velocity_time=moment)
            return self._once((way, altitude, moment), lambda: at_altitude(array, altitude))
        name = f"velocity_{way}_by_term"
        if name not in self.output:
            raise DataError("the output has no velocities by term; repeat the run with term_altitudes = [120, 200, 300]")

        def total() -> Field:
            array = self.output[name].sel(species=self.species, term=list(terms)).isel(velocity_time=moment)
            return at_altitude(array.sum("term").rename(name), altitude, grid=self.output.alt.values)

        return self._once((way, altitude, moment, terms), total)

    def potential(self, t: int) -> Field:
        """Electric potential, V."""
        return self._once(("potential", t), lambda: self.output.electric_potential.isel(time=t).values.astype(float))

    def local_time(self, t: int) -> Field:
        """Magnetic local time, h."""
        return self._once(("local time", t), lambda: self.output.magnetic_local_time.isel(time=t).values.astype(float))

    def invariant(self, altitude: float) -> Field:
        """Absolute invariant latitude, degrees, at the level nearest to an altitude, km."""
        level = nearest_level(self.output, altitude)
        return self._once(
            ("invariant", level), lambda: np.abs(self.output.invariant_latitude.isel(alt=level).values.astype(float))
        )

    def electric_field(self, t: int) -> tuple[Field, Field]:
        """Geomagnetic eastward and northward electric field at 120 km, V m-1.

        Raises
        ------
        DataError
            No drivers were given.
        """
        if self.drivers is None:
            raise DataError("the drivers of the run were not given.")
        output, drivers = self.output, self.drivers

        def found() -> tuple[Field, Field]:
            hemisphere = "south" if output.lat.values[0] < 0 else "north"
            field = electric_field(drivers, output.time.values[t], output.lat.values, output.lon.values, 120.0, hemisphere)
            east, north = (field[f"electric_field_magnetic_{way}"].values.astype(float) for way in ("east", "north"))
            return east, north

        return self._once(("electric field", t), found)

    # ------------------------------------------------------------------ places

    def pattern(self, t: int) -> xr.Dataset:
        """The convection pattern."""
        return self._once(("pattern", t), lambda: convection_pattern(self.output, t))

    def morning(self, t: int) -> Mask:
        """The morning cell."""
        return self._once(("cells", t), lambda: convection_cells(self.potential(t)))[0]

    def evening(self, t: int) -> Mask:
        """The evening cell."""
        return self._once(("cells", t), lambda: convection_cells(self.potential(t)))[1]

    def cells(self, t: int) -> Mask:
        """Both cells."""
        return self.morning(t) | self.evening(t)

    def day(self, t: int) -> Mask:
        """06 to 18 h magnetic local time."""
        return (self.local_time(t) >= 6.0) & (self.local_time(t) < 18.0)

    def before_midnight(self, t: int) -> Mask:
        """18 to 24 h magnetic local time."""
        return self.local_time(t) >= 18.0

    def depth(self, t: int) -> Field:
        """Potential over the extremum of its sign: 1 in the middle of a cell, 0 at the common boundary."""
        potential = self.potential(t)
        return potential / np.where(potential > 0.0, potential.max(), potential.min())

    def boundary_distance(self, t: int) -> Field:
        """Distance from the common boundary of the cells, degrees."""
        pattern = self.pattern(t)
        return self._once(("to boundary", t), lambda: self.distance(pattern.boundary_lat.values, pattern.boundary_lon.values))

    def reversal_distance(self, t: int, cell: str = "evening") -> Field:
        """Distance from the reversal of one cell, degrees."""

        def found() -> Field:
            pattern = self.pattern(t).sel(cell=cell)
            return self.distance(pattern.reversal_lat.values, pattern.reversal_lon.values)

        return self._once(("to reversal", t, cell), found)

    def inside_reversal(self, t: int, cell: str) -> Mask:
        """Poleward of the reversal of a cell, at the meridians that have one: the side of the common boundary."""
        pattern = self.pattern(t).sel(cell=cell)
        there = np.isfinite(pattern.reversal_magnetic_latitude.values)
        clock = pattern.magnetic_local_time.values[there]
        line = np.interp(self.local_time(t), clock, pattern.reversal_magnetic_latitude.values[there], period=24.0)
        gap = np.abs((self.local_time(t)[..., None] - clock + 12.0) % 24.0 - 12.0).min(axis=-1)
        return (gap <= 0.25) & (self.magnetic_latitude > line)

    @property
    def magnetic_latitude(self) -> Field:
        """Absolute magnetic latitude of the tilted dipole, degrees."""
        lat, lon = np.meshgrid(self.output.lat.values, self.output.lon.values, indexing="ij")
        dipole = TiltedDipole.at(self.output.time.values[0])
        return self._once("magnetic latitude", lambda: np.abs(dipole.magnetic_latitude(lat, lon)))

    def distance(self, lat: ArrayLike, lon: ArrayLike) -> Field:
        """Distance of every cell from the nearest of some points, degrees of arc; infinite without points."""
        return distance_to_nearest(self.position, lat, lon)

    @property
    def position(self) -> Field:
        """Unit vectors to the cells, (lat, lon, 3)."""
        lat, lon = np.meshgrid(self.output.lat.values, self.output.lon.values, indexing="ij")
        return self._once("position", lambda: unit_vector(lat, lon))

    # ------------------------------------------------------------------ directions

    def antisunward(self, t: int) -> tuple[Field, Field]:
        """East and north component of the horizontal unit vector away from magnetic noon."""

        def found() -> tuple[Field, Field]:
            moment = self.output.time.values[t]
            dipole = TiltedDipole.at(moment)
            noon = np.radians(float(dipole.subsolar_magnetic_longitude(moment)))
            away = -(np.array([np.cos(noon), np.sin(noon), 0.0]) @ dipole.axes)
            lat, lon = np.meshgrid(self.output.lat.values, self.output.lon.values, indexing="ij")
            east, north, _ = local_axes(lat, lon)
            length = np.hypot(east @ away, north @ away)
            return (east @ away) / length, (north @ away) / length

        return self._once(("antisunward", t), found)

    def depth_gradient(self, t: int) -> tuple[Field, Field]:
        """East and north component of the unit vector to growing \\|potential\\|: into a cell."""

        def found() -> tuple[Field, Field]:
            east, north = self.gradient(np.abs(self.potential(t)))
            length = np.maximum(np.hypot(east, north), 1e-30)
            return east / length, north / length

        return self._once(("into the cell", t), found)

    def gradient(self, field: Field) -> tuple[Field, Field]:
        """East and north derivative of a field on the unit sphere, per radian, by central differences."""
        lat, lon = np.radians(self.output.lat.values), np.radians(self.output.lon.values)
        around = np.roll(field, -1, axis=1) - np.roll(field, 1, axis=1)
        return around / (2.0 * (lon[1] - lon[0]) * np.cos(lat)[:, None]), np.gradient(field, lat, axis=0)

    # ------------------------------------------------------------------ statistics

    def mean(self, field: Field, where: Mask, share: Field | None = None) -> float:
        """Area-weighted mean (or weighted by ``share`` too) where a mask holds; not a number where it never does."""
        weight = (self.weight if share is None else self.weight * share)[where]
        return float(np.average(field[where], weights=weight)) if where.any() and weight.sum() > 0.0 else float("nan")

    def part(self, of: Mask, inside: Mask, share: Field | None = None) -> float:
        """Share of the area (or of a positive field) of one mask that lies inside another."""
        return self.mean(inside.astype(float), of, share)

    def correlation(self, a: Field, b: Field, where: Mask) -> float:
        """Area-weighted linear correlation; not a number where one of the two does not vary (a term switched off)."""
        return correlation(a[where], b[where], self.weight[where])

    def slope(self, a: Field, b: Field, where: Mask) -> float:
        """Slope of the area-weighted least-squares line of ``a`` on ``b``; not a number where ``b`` does not vary."""
        if not where.any() or np.ptp(b[where]) == 0.0:
            return float("nan")
        db = b - self.mean(b, where)
        return self.mean(a * db, where) / self.mean(db**2, where)

    def median(self, field: Field, where: Mask) -> float:
        """Area-weighted median where a mask holds: half of the area has at most this value; not a number without area."""
        if not where.any():
            return float("nan")
        order = np.argsort(field[where], kind="stable")
        area = np.cumsum(self.weight[where][order])
        return float(field[where][order][int(np.searchsorted(area, 0.5 * area[-1]))])

    def strength(self, field: Field, where: Mask) -> float:
        """Root mean square where a mask holds."""
        return float(np.sqrt(self.mean(field**2, where)))

    # ------------------------------------------------------------------ inside

    def _densities(self, t: int) -> NDArray[np.float32]:
        if self._latest[0] != t:  # one time at a time: all of them fill the memory at half a degree
            self._latest = (t, self.output.number_density.sel(species=self.species).isel(time=t).values)
        return self._latest[1]

    def _once(self, key: Any, compute: Callable[[], T]) -> T:
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]  # type: ignore[no-any-return]


def correlation(a: Field, b: Field, weight: Field) -> float:
    """Weighted linear correlation; not a number without values, or where one field varies by no more than rounding."""
    if not a.size:
        return float("nan")
    da, db = (field - np.average(field, weights=weight) for field in (a, b))
    spread = [float(np.sqrt(np.average(d**2, weights=weight))) for d in (da, db)]
    if any(size <= 1e-12 * float(np.abs(field).max()) for size, field in zip(spread, (a, b), strict=True)):
        return float("nan")
    return float(np.average(da * db, weights=weight)) / (spread[0] * spread[1])


def ratio(a: float, b: float) -> float:
    """a/b; not a number where b is 0."""
    return a / b if b else float("nan")


def geometric_mean(values: list[float]) -> float:
    """Geometric mean of the positive values; not a number without any."""
    good = [v for v in values if v > 0.0]
    return float(np.exp(np.mean(np.log(good)))) if good else float("nan")
