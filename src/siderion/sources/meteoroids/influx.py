"""Influx of meteoroids by mass: the flux of Gruen et al. 1985, and distributions of the mass influx over mass.

A distribution says which share of the incoming mass (not of the number) each range of masses brings. Rates "over the
Earth" are through the sphere 100 km above the reference sphere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS, YEAR
from siderion.core.errors import DataError, SettingsError
from siderion.core.tables import load_table

Array = NDArray[np.float64]

REFERENCE_ALTITUDE = 100e3
"""Altitude, m, of the sphere through which rates over the Earth pass and to which fluxes per area refer."""
REFERENCE_AREA = 4.0 * np.pi * (EARTH_RADIUS + REFERENCE_ALTITUDE) ** 2
"""Area of that sphere, m2."""
TONNE_PER_DAY = 1e3 / 86400.0
"""One tonne a day in kg s-1."""
TONNE_PER_YEAR = 1e3 / YEAR
"""One tonne a year (of 365.25 days) in kg s-1."""
_BODIES = load_table("sources", "gruen_bodies").set_index("quantity")["value"].astype(float)
GRUN_LOWEST, GRUN_HIGHEST = float(_BODIES["lowest_mass"]), float(_BODIES["highest_mass"])
"""Range of masses, kg, for which the flux of Gruen et al. is stated, from ``sources/tables/gruen_bodies.csv``."""
_POINTS_PER_DECADE = 200
_PANEL_POINTS = 24


def grun_flux(mass: ArrayLike) -> Array:
    """Flux of meteoroids of more than a mass at 1 au onto a plate that spins, without the gravity of the Earth.

    F = (2.2e3 m^0.306 + 15)^-4.38 + 1.3e-9 (m + 1e11 m^2 + 1e27 m^4)^-0.36 + 1.3e-16 (m + 1e6 m^2)^-0.85, m in g; the
    numbers are those of ``sources/tables/gruen1985.csv``.

    Parameters
    ----------
    mass : array
        kg, above 0; the formula is stated for 1e-21 to 0.1 kg.

    Returns
    -------
    array
        m-2 s-1.

    Raises
    ------
    DataError
        A mass is not positive and finite.

    References
    ----------
    Gruen et al. 1985, Icarus 62, 244, doi:10.1016/0019-1035(85)90121-6.
    """
    grams = 1e3 * _masses(mass)
    flux: Array = np.zeros(grams.shape)
    for scale, exponent, coefficients, powers in _grun_terms():
        flux += scale * _polynomial(grams, coefficients, powers) ** exponent
    return flux


def grun_differential_flux(mass: ArrayLike) -> Array:
    """Flux per mass, -dF/dm, of `grun_flux` (its exact derivative).

    Parameters
    ----------
    mass : array
        kg, above 0.

    Returns
    -------
    array
        m-2 s-1 kg-1.

    Raises
    ------
    DataError
        A mass is not positive and finite.
    """
    grams = 1e3 * _masses(mass)
    flux: Array = np.zeros(grams.shape)
    for scale, exponent, coefficients, powers in _grun_terms():
        slope = _polynomial(grams, coefficients * powers, powers - 1.0)
        flux -= scale * exponent * _polynomial(grams, coefficients, powers) ** (exponent - 1.0) * slope
    return 1e3 * flux


@dataclass(frozen=True)
class MassDistribution:
    """Share of the mass influx by mass of the meteoroid.

    Attributes
    ----------
    name : str
        What it is.
    edges : array (bin + 1,)
        Masses, kg, rising; between two edges the density is smooth.
    density : callable
        Mass influx over the Earth per natural logarithm of mass, kg s-1, at masses in kg. For a table any common factor.
    sources : tuple of (what, model, confidence, citation)
        Where it comes from.
    """

    name: str
    edges: Array
    density: Callable[[Array], Array]
    sources: tuple[tuple[str, str, str, str], ...] = ()

    @cached_property
    def influx(self) -> Array:
        """Mass influx of each bin, in the unit of ``density`` (kg s-1)."""
        nodes, weights = np.polynomial.legendre.leggauss(_PANEL_POINTS)
        logarithm = np.log(self.edges)
        half = 0.5 * np.diff(logarithm)[:, None]
        middle = 0.5 * (logarithm[1:] + logarithm[:-1])[:, None]
        return np.asarray((self.density(np.exp(middle + half * nodes)) * weights * half).sum(axis=1))

    @property
    def total(self) -> float:
        """Mass influx of all bins, in the unit of ``density``."""
        return float(self.influx.sum())

    def between(self, lowest: float, highest: float) -> MassDistribution:
        """The part between two masses, kg.

        Raises
        ------
        SettingsError
            The masses do not rise or leave nothing.
        """
        low, high = max(lowest, float(self.edges[0])), min(highest, float(self.edges[-1]))
        if not low < high:
            raise SettingsError(
                f"masses from {lowest:g} to {highest:g} kg leave nothing of {self.name}, which has {self.edges[0]:g} to "
                f"{self.edges[-1]:g} kg; widen them"
            )
        inner = self.edges[(self.edges > low) & (self.edges < high)]
        return MassDistribution(self.name, np.concatenate([[low], inner, [high]]), self.density, self.sources)

    def quadrature(self, points_per_bin: int) -> tuple[Array, Array]:
        """Masses and shares of the mass influx: Gauss points in the logarithm of mass, in each bin.

        Returns
        -------
        mass, share : array (point,)
            kg; shares sum to 1 (each bin has its exact share).
        """
        nodes, weights = np.polynomial.legendre.leggauss(points_per_bin)
        logarithm = np.log(self.edges)
        half = 0.5 * np.diff(logarithm)[:, None]
        mass = np.exp(0.5 * (logarithm[1:] + logarithm[:-1])[:, None] + half * nodes)
        part = self.density(mass) * weights
        # a bin that carries mass only between its points keeps it at equal parts
        part = np.where(part.sum(axis=1, keepdims=True) > 0.0, part, weights)
        share = part / part.sum(axis=1, keepdims=True) * (self.influx / self.total)[:, None]
        return mass.ravel(), share.ravel()

    def sample(self, count: int, generator: np.random.Generator) -> Array:
        """Draw masses, kg, so that each stands for the same share of the mass influx."""
        logarithm, cumulative = self._cumulative
        return np.exp(np.interp(generator.random(count), cumulative, logarithm))

    @cached_property
    def _cumulative(self) -> tuple[Array, Array]:
        pieces = [
            np.linspace(low, high, max(int(np.ceil((high - low) / np.log(10.0) * _POINTS_PER_DECADE)), 2) + 1)
            for low, high in zip(np.log(self.edges[:-1]), np.log(self.edges[1:]), strict=True)
        ]
        logarithm = np.concatenate([pieces[0][:1], *[piece[1:] for piece in pieces]])
        middle = np.exp(0.5 * (logarithm[1:] + logarithm[:-1]))
        part = self.density(middle) * np.diff(logarithm)
        cumulative = np.concatenate([[0.0], np.cumsum(part)])
        return logarithm, cumulative / cumulative[-1]


def grun_shape(lowest: float = GRUN_LOWEST, highest: float = GRUN_HIGHEST) -> MassDistribution:
    """Mass influx over the Earth of the flux of Gruen et al., with bins of a decade.

    The flux through each area of the sphere at 100 km is that of free space at 1 au: the gravity of the Earth, which adds a
    factor (`siderion.sources.meteoroids.speeds.focusing_factor`), is not in it.

    Parameters
    ----------
    lowest, highest : float
        kg, within 1e-21 to 0.1 kg.

    Returns
    -------
    MassDistribution
        Its ``total`` is 7990 t a year for the whole range.

    Raises
    ------
    SettingsError
        The masses do not rise or leave the range of the formula.
    """
    if not GRUN_LOWEST * (1.0 - 1e-9) <= lowest < highest <= GRUN_HIGHEST * (1.0 + 1e-9):
        raise SettingsError(
            f"masses {lowest:g} to {highest:g} kg: they must rise and stay within {GRUN_LOWEST:g} to {GRUN_HIGHEST:g} kg"
        )
    decades = 10.0 ** np.arange(np.ceil(np.log10(lowest) - 1e-9), np.floor(np.log10(highest) + 1e-9) + 1.0)
    inner = decades[(decades > lowest * (1.0 + 1e-9)) & (decades < highest * (1.0 - 1e-9))]
    table = load_table("sources", "gruen1985")
    source = ("mass distribution", "flux of Gruen et al. 1985", str(table["confidence"][0]), str(table["source"][0]))

    def density(mass: Array) -> Array:
        return REFERENCE_AREA * mass**2 * grun_differential_flux(mass)

    return MassDistribution("gruen", np.concatenate([[lowest], inner, [highest]]), density, (source,))


def table_shape(edges: ArrayLike, influx: ArrayLike, name: str = "table") -> MassDistribution:
    """Distribution of a user's table: the mass influx of each bin, spread evenly over the logarithm of mass.

    Parameters
    ----------
    edges : array (bin + 1,)
        kg, rising.
    influx : array (bin,)
        Mass influx, in any unit (kg s-1 for a ``total`` that means something).
    name : str
        What it is.

    Returns
    -------
    MassDistribution

    Raises
    ------
    DataError
        The table is not one.
    """
    bounds, values = _masses(edges), np.asarray(influx, np.float64)
    if bounds.ndim != 1 or values.shape != (len(bounds) - 1,) or len(values) == 0:
        raise DataError(f"mass table: {bounds.shape} edges and {values.shape} values; give one value between each two edges")
    falling = np.flatnonzero(np.diff(bounds) <= 0.0)
    if len(falling):
        raise DataError(f"mass table: edge {falling[0] + 1} is {bounds[falling[0] + 1]:g} kg; edges must rise; sort the table")
    if not (np.isfinite(values).all() and (values >= 0.0).all() and values.sum() > 0.0):
        raise DataError(f"mass table: influx {values.tolist()} must be finite, at least 0 and not all 0")
    level = values / np.diff(np.log(bounds))

    def density(mass: Array) -> Array:
        place = np.clip(np.searchsorted(bounds, mass, side="right") - 1, 0, len(level) - 1)
        return np.asarray(level[place])

    return MassDistribution(name, bounds, density, (("mass distribution", name, "unverified", "user's own table"),))


def influx_by_decade(shape: MassDistribution, total: float | None = None) -> xr.Dataset:
    """Mass influx by mass, for a figure: t a year in each bin and per decade.

    Parameters
    ----------
    shape : MassDistribution
        By default bins of a decade (`grun_shape`).
    total : float, optional
        Mass influx of all bins, kg s-1; that of the distribution by default.

    Returns
    -------
    xarray.Dataset
        ``mass_influx_of_bin`` (t a year), ``mass_influx_per_decade`` (t a year per decade of mass) on ``meteoroid_mass`` (g,
        geometric middle), with ``meteoroid_mass_bounds`` (g).
    """
    influx = shape.influx * (1.0 if total is None else total / shape.total) / TONNE_PER_YEAR
    grams = 1e3 * shape.edges
    return xr.Dataset(
        {
            "mass_influx_of_bin": ("meteoroid_mass", influx, {"units": "t year-1", "long_name": "mass influx of the bin"}),
            "mass_influx_per_decade": (
                "meteoroid_mass",
                influx / np.diff(np.log10(grams)),
                {"units": "t year-1", "long_name": "mass influx per decade of mass"},
            ),
            "meteoroid_mass_bounds": (
                ("meteoroid_mass", "bound"),
                np.stack([grams[:-1], grams[1:]], axis=1),
                {"units": "g", "long_name": "lower and upper mass of the bin"},
            ),
        },
        {
            "meteoroid_mass": (
                "meteoroid_mass",
                np.sqrt(grams[1:] * grams[:-1]),
                {"units": "g", "long_name": "mass of the meteoroid"},
            )
        },
        {"mass_distribution": shape.name},
    )


def _grun_terms() -> list[tuple[float, float, Array, Array]]:
    """Scale, exponent, coefficients and powers of each term."""
    table = load_table("sources", "gruen1985")
    terms = []
    for _, rows in table.groupby("term"):
        scale, exponent = (float(rows[name].iloc[0]) for name in ("scale", "exponent"))
        terms.append((scale, exponent, rows["coefficient"].to_numpy(float), rows["power"].to_numpy(float)))
    return terms


def _polynomial(grams: Array, coefficients: Array, powers: Array) -> Array:
    return np.asarray(sum(c * grams**p for c, p in zip(coefficients, powers, strict=True)))


def _masses(values: ArrayLike) -> Array:
    masses = np.asarray(values, dtype=np.float64)
    bad = ~(np.isfinite(masses) & (masses > 0.0))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"mass is {masses[index]} kg at index {index}; masses must be positive and finite")
    return masses
