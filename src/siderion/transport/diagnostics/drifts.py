"""Every term of the ion velocity, equation (2) of Andoh et al. 2026, at any output time and altitude.

The velocities are worked out anew from the densities of the output and the drivers of the run, in plain vectors
(`siderion.background.ion_velocity`), so they also check the compiled kernel of the model. Drivers are brought to the
levels and columns as the model does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from siderion.background.electric_field import ConvectionField, field_axes
from siderion.background.ion_velocity import TERMS, ion_velocity_terms
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.species import Species, get_species
from siderion.core.variables import with_attributes
from siderion.frames.dipole import TiltedDipole
from siderion.frames.spherical import local_axes, unit_vector
from siderion.transport.columns import ColumnWeights, column_weights
from siderion.transport.diagnostics.cells import time_index
from siderion.transport.engines.numba_velocity import (
    AMBIPOLAR,
    DIFFUSIVITY,
    EMPTY_DENSITY,
    FORCE,
    NU,
    THERMAL,
    WIND_1,
    WIND_2,
)
from siderion.transport.fields import DriverFields
from siderion.transport.grid import ShellGrid
from siderion.transport.plan import make_grids
from siderion.transport.settings import RunSettings

WAYS = ("east", "north", "up")


def ion_drifts(
    output: xr.Dataset,
    drivers: xr.Dataset,
    time: str | np.datetime64,
    species: str = "Fe+",
    altitudes: Sequence[float] | None = None,
) -> xr.Dataset:
    """Velocity of an ion, term by term, at one output time.

    Terms: ``exb`` and ``pedersen`` (electric field perpendicular to B), ``parallel_field`` (ambipolar field along B,
    equation (4), with the metal ions among the electrons), ``wind``, ``gravity`` and ``pressure`` (equation (3)). As in
    the model, the pressure of ions and electrons is taken to change in the vertical only: force -(1/N) d(N k Ti)/dz
    upwards and E.B from the vertical gradient of Ne k Te, with central differences over the neighbouring levels. Their
    horizontal motion is kept. Eddy mixing, if the run has any, counts as ``pressure``. Terms that the run has switched
    off are zero. Gradients are those of the logarithm of the density however thin the ions are, as in the model: where
    there are hardly any (below 1e4 m-3, say), the pressure term can be hundreds of m s-1 and means nothing.

    The numbers are those at the cell centres. ``velocity_*`` of the output are means of native cells, so the two differ
    by the remap (first order in the cell size; 1 to 3 % root mean square at 1 degree) and by the rounding of the output.

    Parameters
    ----------
    output : xarray.Dataset
        Output of a run: ``number_density(species, time, alt, lat, lon)`` and the attribute ``settings``.
    drivers : xarray.Dataset
        The drivers of the same run, as `siderion.transport.run.load_drivers` gives them.
    time : str or datetime64
        One of the output times, UTC.
    species : str
        Ion, such as ``"Fe+"``.
    altitudes : sequence of float, optional
        Altitudes, km; the nearest output levels are taken, each once. All levels without it.

    Returns
    -------
    xarray.Dataset
        ``velocity_{east,north,up}(alt, lat, lon)``, m s-1, the sum of the terms, and
        ``velocity_{east,north,up}_by_term(term, alt, lat, lon)``; float32, geographic components, in the frame that
        turns with the Earth. It takes 84 bytes per cell: 166 MB for all 110 levels at 1 degree, 1.4 GB for the 197
        levels at 0.5 degree.

    Raises
    ------
    CoverageError
        The species or an altitude is not in the output, or the drivers do not reach the time.
    DataError
        The time is not in the output, it has no settings, or output and drivers do not belong together.
    """
    setting = IonColumns.of_output(output, drivers, time, species)
    levels = chosen_levels(output, altitudes)
    shape = (len(levels), output.sizes["lat"], output.sizes["lon"])
    total = {way: np.zeros(shape, np.float32) for way in WAYS}
    parts = {way: np.zeros((len(TERMS), *shape), np.float32) for way in WAYS}
    for place, level in enumerate(levels):
        vectors = setting.terms(int(level))
        for way, axis in zip(WAYS, setting.axes, strict=True):
            components = np.stack([np.sum(vectors[term] * axis, axis=-1) for term in TERMS])
            parts[way][:, place] = components
            total[way][place] = components.sum(axis=0)
    dims = ("alt", "lat", "lon")
    variables: dict[str, tuple[tuple[str, ...], NDArray]] = {f"velocity_{way}": (dims, total[way]) for way in WAYS}
    variables |= {f"velocity_{way}_by_term": (("term", *dims), parts[way]) for way in WAYS}
    dataset = xr.Dataset(
        variables,
        coords={
            "term": list(TERMS), "alt": output.alt.values[levels], "lat": output.lat.values, "lon": output.lon.values,
            "time": setting.time, "species": species,
        },
    )  # fmt: skip
    return with_attributes(dataset)


def electric_field(
    drivers: xr.Dataset, time: str | np.datetime64, lat: ArrayLike, lon: ArrayLike, alt: float, hemisphere: str
) -> xr.Dataset:
    """Convection electric field at one altitude, in geomagnetic components.

    The field is that in the frame that turns with the Earth, perpendicular to B, from the equipotential field lines of the
    tilted dipole. Geomagnetic east points to growing magnetic longitude, geomagnetic north along the magnetic meridian to
    the magnetic pole of the northern hemisphere, in both hemispheres. Both components are positive in those directions;
    the vertical component is left out. Inside the two-cell pattern, between the cells, the field points from the morning
    cell (positive potential) to the evening cell (negative).

    Parameters
    ----------
    drivers : xarray.Dataset
        Drivers of a run, one hemisphere.
    time : str or datetime64
        UTC, within the drivers; linear between their times (10 min).
    lat, lon : (n,), (m,)
        Geocentric degrees; they span the grid.
    alt : float
        Altitude, km.
    hemisphere : {"north", "south"}
        Of the drivers.

    Returns
    -------
    xarray.Dataset
        ``electric_field_magnetic_east`` and ``electric_field_magnetic_north``, (lat, lon), V m-1; 0 equatorward of the
        potential.

    Raises
    ------
    CoverageError
        The drivers do not reach the time or the altitude.
    DataError
        The drivers are of the other hemisphere.
    SettingsError
        The altitude is not between 80 and 1000 km, or a latitude lies in the other hemisphere.
    """
    if drivers.attrs.get("hemisphere") != hemisphere:
        raise DataError(f"the drivers are of the {drivers.attrs.get('hemisphere')}; {hemisphere!r} was asked for")
    rows, columns = np.atleast_1d(np.asarray(lat, dtype=float)), np.atleast_1d(np.asarray(lon, dtype=float))
    sign = 1.0 if hemisphere == "north" else -1.0
    if not 80.0 <= alt <= 1000.0 or np.any(sign * rows < 0.0):
        raise SettingsError(f"altitude {alt} km and latitudes {rows.min()} to {rows.max()}: use 80 to 1000 km, the {hemisphere}")
    moment = _moment(time)
    convection = _fields(drivers).convection(moment)
    lat2, lon2 = np.meshgrid(rows, columns, indexing="ij")
    field = convection.electric_field(lat2, lon2, EARTH_RADIUS + 1e3 * alt)
    _, away, east = field_axes(unit_vector(lat2, lon2), convection.near_pole, convection.dipole.axes[2])
    dims = ("lat", "lon")
    dataset = xr.Dataset(
        {
            "electric_field_magnetic_east": (dims, np.sum(field * east, axis=-1)),
            "electric_field_magnetic_north": (dims, -sign * np.sum(field * away, axis=-1)),
        },
        coords={"lat": rows, "lon": columns, "alt": float(alt), "time": moment},
    )
    return with_attributes(dataset)


def run_settings(output: xr.Dataset) -> RunSettings:
    """Settings of the run that made an output; raises `DataError` when they are not in it."""
    try:
        return RunSettings.model_validate_json(output.attrs["settings"])
    except (KeyError, ValidationError) as error:
        raise DataError(f"the output holds no valid settings of a polar run ({error}); open the polar.zarr of a run") from error


def chosen_levels(output: xr.Dataset, altitudes: Sequence[float] | None) -> NDArray[np.int64]:
    """Indices of the output levels nearest to altitudes in km, growing, each once; all without altitudes.

    Raises
    ------
    CoverageError
        An altitude lies outside the output.
    """
    levels = output.alt.values
    if altitudes is None:
        return np.arange(len(levels))
    wanted = np.atleast_1d(np.asarray(altitudes, dtype=float))
    bottom, top = float(output.alt_bounds.values.min()), float(output.alt_bounds.values.max())
    outside = ~((wanted >= bottom) & (wanted <= top))
    if outside.any():
        raise CoverageError(
            f"altitude {wanted[outside][0]} km is outside the output, which reaches from {bottom:g} to {top:g} km"
        )
    return np.unique(np.argmin(np.abs(levels[:, None] - wanted), axis=0))


def _moment(time: str | np.datetime64) -> np.datetime64:
    return np.array([time], dtype="datetime64[ns]")[0]  # type: ignore[no-any-return]


def _fields(drivers: xr.Dataset) -> DriverFields:
    """Drivers on their own altitudes, for what does not depend on the levels of a run."""
    return DriverFields(drivers, ShellGrid(tuple(float(z) for z in drivers.alt.values)))


@dataclass(frozen=True)
class IonColumns:
    """What an ion feels in columns of air at one moment. Driver rows are on the levels of the run, (row, lev, column)."""

    time: np.datetime64
    ion: Species
    active: frozenset[str]  # terms
    shells: ShellGrid
    dipole: TiltedDipole
    convection: ConvectionField
    columns: ColumnWeights
    rows: dict[str, NDArray]  # by term
    background: NDArray  # (lev, column): electrons without metals
    density: NDArray  # (lev, lat, lon)
    metals: NDArray  # (lev, lat, lon): all metal ions
    sign: float
    lat: NDArray
    lon: NDArray
    axes: tuple[NDArray, NDArray, NDArray]  # east, north, up, (lat, lon, 3)

    @classmethod
    def of_output(cls, output: xr.Dataset, drivers: xr.Dataset, time: str | np.datetime64, species: str) -> IonColumns:
        """Columns of an output at one of its times; for the errors see `ion_drifts`."""
        settings = run_settings(output)
        if drivers.attrs.get("hemisphere") != settings.hemisphere:
            raise DataError(f"the drivers are of the {drivers.attrs.get('hemisphere')}, the output of the {settings.hemisphere}")
        names = [str(name) for name in output.species.values]
        if species not in names:
            raise CoverageError(f"species {species!r} is not in the output, which has {', '.join(names)}")
        moment = output.time.values[time_index(output, time)]
        _, shells = make_grids(settings)
        if not np.array_equal(shells.altitude, output.alt.values):
            raise DataError("the levels of the output are not those of its settings; take an output as the run wrote it")
        density = output.number_density.sel(time=moment).values
        lat, lon = np.meshgrid(output.lat.values, output.lon.values, indexing="ij")
        fields = DriverFields(drivers, shells)
        return cls.at(fields, settings, moment, species, density[names.index(species)], density.sum(axis=0), lat, lon)

    @classmethod
    def at(
        cls,
        fields: DriverFields,
        settings: RunSettings,
        time: np.datetime64,
        species: str,
        density: NDArray,
        metals: NDArray,
        lat: NDArray,
        lon: NDArray,
    ) -> IonColumns:
        """Columns at any places, ``lat`` and ``lon`` (a, b) in degrees, with densities (lev, a, b) of the ion and all metals."""
        ion, active = get_species(species), frozenset(settings.terms)

        def rows(term: str) -> NDArray:
            eddy = settings.eddy_diffusivity if term == "pressure" else 0.0
            return fields.motion_rows(time, ion, active & {term}, settings.collision_formula, eddy)

        return cls(
            time, ion, active, fields.shells, fields.dipole, fields.convection(time),
            column_weights(fields.lat, fields.lon, lat, lon),
            {term: rows(term) for term in ("gravity", "pressure", "parallel_field")}, fields.electron_density(time)[0],
            density.astype(float) + float(EMPTY_DENSITY), metals, fields.sign, lat, lon, local_axes(lat, lon),
        )  # fmt: skip

    def terms(self, level: int) -> dict[str, NDArray]:
        """Every term at one level, (lat, lon, 3) Earth-fixed Cartesian, m s-1."""
        radius = self.shells.radius[level]
        up = self.axes[2]
        field = self.dipole.field(self.lat, self.lon, radius)
        nu = self._row("gravity", NU, level)
        resistance = self.ion.mass * nu
        # Drivers hold velocities (force over m nu): these are what the model interpolates between columns.
        slope = self._slope(self._ions, level)
        pressure = self._row("pressure", FORCE, level) - self._row("pressure", DIFFUSIVITY, level) * slope
        slope = self._slope(self._electrons, level)
        along = self._row("parallel_field", THERMAL, level) - self._row("parallel_field", AMBIPOLAR, level) * slope
        along = along * np.sum(field * up, axis=-1) / np.linalg.norm(field, axis=-1)
        vectors = ion_velocity_terms(
            self.ion.charge,
            self.ion.mass,
            nu,
            field,
            self.convection.electric_field(self.lat, self.lon, radius),
            self._wind(level),
            (self._row("gravity", FORCE, level) * nu)[..., None] * up,
            (pressure * resistance)[..., None] * up,
            along * resistance / self.ion.charge,
        )
        return {name: vector if name in self._kept else np.zeros_like(vector) for name, vector in vectors.items()}

    @property
    def _kept(self) -> frozenset[str]:
        """Terms that may be other than zero; the rows of gravity, pressure and parallel field are zero where they are off."""
        return self.active | {"gravity", "pressure", "parallel_field"}

    def _row(self, term: str, row: int, level: int) -> NDArray:
        return self.columns(self.rows[term][row, level])

    def _ions(self, level: int) -> NDArray:
        return self.density[level]

    def _electrons(self, level: int) -> NDArray:
        return self.columns(self.background[level]) + self.metals[level]

    def _slope(self, values: Callable[[int], NDArray], level: int) -> NDArray:
        """Vertical gradient of the logarithm, m-1, between the neighbouring levels, as the velocity kernel takes it."""
        below, above = max(level - 1, 0), min(level + 1, self.shells.levels - 1)
        return np.log(values(above) / values(below)) / (self.shells.radius[above] - self.shells.radius[below])

    def _wind(self, level: int) -> NDArray:
        """Wind vector: its two components of the polar plane are interpolated, which is smooth across the pole."""
        first, second = self._row("gravity", WIND_1, level), self._row("gravity", WIND_2, level)
        east, north, _ = self.axes
        cosine, sine = np.cos(np.radians(self.lon)), np.sin(np.radians(self.lon))
        toward_north = -self.sign * (first * cosine + second * sine)
        return (second * cosine - first * sine)[..., None] * east + toward_north[..., None] * north
