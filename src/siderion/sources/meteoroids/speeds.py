"""Speeds of meteoroids at the top of the atmosphere: a single one, tables, populations, mixtures.

All distributions are of the entry speed: at 100 km, where the gravity of the Earth has already acted, and weighted as the
flux into the atmosphere is. Tables of the speed in free space are turned into entry speeds by `focused`. The rotation of
the Earth is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table

from .influx import REFERENCE_ALTITUDE

Array = NDArray[np.float64]
Sources = tuple[tuple[str, str, str, str], ...]

ESCAPE_SPEED = float(np.sqrt(2.0 * EARTH_GM / (EARTH_RADIUS + REFERENCE_ALTITUDE)))
"""Speed, m s-1, of a body that falls from rest far away, at 100 km: the slowest entry from outside, 11.10 km/s."""
_LIMITS = load_table("sources", "entry_speed_limits").set_index("quantity")["value"].astype(float)
SLOWEST, FASTEST = 1e3 * float(_LIMITS["slowest"]), 1e3 * float(_LIMITS["fastest"])
"""Range of entry speeds, m s-1, of bodies bound to the Sun, from ``sources/tables/entry_speed_limits.csv``."""
_RANGE = f"{_LIMITS['slowest']:g} to {_LIMITS['fastest']:g} km/s"
_ROUND_OFF = 1.0 + 1e-9
_POPULATION_BIN = 250.0
_POPULATION_SHAPE = float(_LIMITS["population_shape"])
"""First parameter of the beta law of a population: the density rises from 0 at the escape speed to one maximum."""


@dataclass(frozen=True)
class SpeedDistribution:
    """Share of the influx by entry speed, in bins that are evenly filled.

    Attributes
    ----------
    name : str
        What it is.
    lower, upper : array (bin,)
        Speeds, m s-1; equal for a single speed.
    share : array (bin,)
        Shares, which sum to 1.
    sources : tuple of (what, model, confidence, citation)
        Where it comes from.
    """

    name: str
    lower: Array
    upper: Array
    share: Array
    sources: Sources = field(default=())

    def __post_init__(self) -> None:
        """Refuse what is no histogram of entry speeds."""
        _check_bins(self.name, self.lower, self.upper, self.share)

    @property
    def mean(self) -> float:
        """Mean speed, m s-1."""
        return float((self.share * 0.5 * (self.lower + self.upper)).sum())

    def quadrature(self, count: int) -> tuple[Array, Array]:
        """Speeds and shares: the bins gathered into ``count`` of equal ratio between the slowest and the fastest speed.

        The speed of each is the mean speed of what falls into it, so that the mean of all is kept; the error of an
        integral is of second order in the ratio of the bins.

        Returns
        -------
        speed, share : array (point,)
            m s-1; empty bins are left out; shares sum to 1.

        Raises
        ------
        SettingsError
            The count is below 1.
        """
        if count < 1:
            raise SettingsError(f"number of speeds is {count}; it must be at least 1")
        edges = np.geomspace(self.lower.min(), max(self.upper.max(), self.lower.min() * _ROUND_OFF), count + 1)
        edges[-1] *= _ROUND_OFF
        edges[0] /= _ROUND_OFF
        low = np.maximum(self.lower[:, None], edges[:-1])
        high = np.minimum(self.upper[:, None], edges[1:])
        width = (self.upper - self.lower)[:, None]
        inside = (self.lower[:, None] >= edges[:-1]) & (self.lower[:, None] < edges[1:])
        part = np.where(width > 0.0, np.clip(high - low, 0.0, None) / np.where(width > 0.0, width, 1.0), inside)
        part = part / part.sum(axis=1, keepdims=True) * self.share[:, None]
        total = part.sum(axis=0)
        full = total > 0.0
        middle = (part * 0.5 * (low + high)).sum(axis=0)
        return middle[full] / total[full], total[full]

    def sample(self, count: int, generator: np.random.Generator) -> Array:
        """Draw entry speeds, m s-1."""
        which = generator.choice(len(self.share), count, p=self.share)
        return np.asarray(self.lower[which] + (self.upper - self.lower)[which] * generator.random(count))


def single_speed(speed: float) -> SpeedDistribution:
    """All bodies at one entry speed, m s-1.

    Raises
    ------
    SettingsError
        The speed is not within 11 to 72 km/s.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise SettingsError(f"entry speed is {speed / 1e3:g} km/s; bodies from the solar system have {_RANGE}")
    value = np.array([float(speed)])
    return SpeedDistribution(
        f"{speed / 1e3:g} km/s", value, value, np.ones(1), (("speeds", "one speed", "unverified", "user's own"),)
    )


def tabulated_speeds(edges: ArrayLike, weight: ArrayLike, name: str = "table") -> SpeedDistribution:
    """A user's histogram of entry speeds.

    Parameters
    ----------
    edges : array (bin + 1,)
        m s-1, rising, within 11 to 72 km/s.
    weight : array (bin,)
        Influx of each bin, in any unit.
    name : str
        What it is.

    Returns
    -------
    SpeedDistribution

    Raises
    ------
    DataError
        The histogram is not one.
    """
    bounds, values = np.asarray(edges, np.float64), np.asarray(weight, np.float64)
    if bounds.ndim != 1 or values.shape != (len(bounds) - 1,) or not values.sum() > 0.0:
        raise DataError(f"speed table: {bounds.shape} edges and {values.shape} weights; give one weight between each two edges")
    source = (("speeds", name, "unverified", "user's own table"),)
    return SpeedDistribution(name, bounds[:-1], bounds[1:], values / values.sum(), source)


def mixture(parts: Sequence[tuple[float, SpeedDistribution]], name: str) -> SpeedDistribution:
    """Several distributions with weights (of any common unit) in one.

    Raises
    ------
    SettingsError
        There is none, or a weight is negative.
    """
    weights = np.array([weight for weight, _ in parts], np.float64)
    if not (len(parts) and np.isfinite(weights).all() and (weights >= 0.0).all() and weights.sum() > 0.0):
        raise SettingsError(f"mixture {name}: weights {weights.tolist()}; they must be at least 0 and not all 0")
    kept = [(weight / weights.sum(), part) for weight, part in parts if weight > 0.0]
    return SpeedDistribution(
        name,
        np.concatenate([part.lower for _, part in kept]),
        np.concatenate([part.upper for _, part in kept]),
        np.concatenate([weight * part.share for weight, part in kept]),
        tuple(dict.fromkeys(source for _, part in kept for source in part.sources)),
    )


def entry_speed(excess: ArrayLike, altitude: float = REFERENCE_ALTITUDE) -> Array:
    """Speed near the Earth of a body with a given speed in free space: sqrt(v_excess^2 + v_escape^2).

    Parameters
    ----------
    excess : array
        m s-1.
    altitude : float
        m.

    Returns
    -------
    array
        m s-1.
    """
    return np.sqrt(np.asarray(excess, np.float64) ** 2 + 2.0 * EARTH_GM / (EARTH_RADIUS + altitude))


def focusing_factor(excess: ArrayLike, altitude: float = REFERENCE_ALTITUDE) -> Array:
    """Flux near the Earth over that in free space, 1 + (v_escape / v_excess)^2.

    Parameters
    ----------
    excess : array
        Speed in free space, m s-1, above 0.
    altitude : float
        m.

    Returns
    -------
    array

    References
    ----------
    Opik 1951, Proc. R. Irish Acad. 54 A, 165; ECSS-E-ST-10-04C Rev. 1, equations C-13 to C-18.
    """
    return 1.0 + 2.0 * EARTH_GM / (EARTH_RADIUS + altitude) / np.asarray(excess, np.float64) ** 2


def focused(
    edges: ArrayLike, weight: ArrayLike, name: str, altitude: float = REFERENCE_ALTITUDE
) -> tuple[SpeedDistribution, float]:
    """Entry speeds of a histogram of speeds in free space, with the focusing by the gravity of the Earth.

    The bodies of each bin stay together: the edges move to sqrt(v^2 + v_escape^2), the flux grows by the factor at the middle
    of the bin. Bins that end above 72 km/s are left out.

    Parameters
    ----------
    edges : array (bin + 1,)
        Speeds in free space, m s-1, rising.
    weight : array (bin,)
        Flux in free space of each bin, any unit.
    name : str
        What it is.
    altitude : float
        m, at which the speeds are wanted.

    Returns
    -------
    SpeedDistribution, float
        The distribution, and the mean focusing factor: flux near the Earth over that in free space.

    Raises
    ------
    DataError
        The histogram is not one.
    """
    bounds, values = np.asarray(edges, np.float64), np.asarray(weight, np.float64)
    if bounds.ndim != 1 or values.shape != (len(bounds) - 1,) or not ((np.diff(bounds) > 0.0).all() and bounds[0] >= 0.0):
        raise DataError(f"speeds {name}: {bounds.shape} edges, {values.shape} weights; edges must rise from 0 or more")
    flux = values * focusing_factor(0.5 * (bounds[1:] + bounds[:-1]), altitude)
    moved = entry_speed(bounds, altitude)
    kept = moved[1:] <= FASTEST
    share = flux[kept] / flux[kept].sum()
    return SpeedDistribution(name, moved[:-1][kept], moved[1:][kept], share), float(flux.sum() / values.sum())


def speed_names() -> tuple[str, ...]:
    """Names that `get_speeds` knows."""
    return ("zodiacal", *load_table("sources", "speed_distributions")["distribution"].unique())


def get_speeds(name: str) -> SpeedDistribution:
    """A distribution of the table ``sources/tables/speed_distributions.csv``.

    Parameters
    ----------
    name : str
        ``"hrmp"``: sporadic meteors of the Harvard Radio Meteor Project, corrected by Taylor 1995, focused to 100 km.
        ``"hrmp_printed"``: the column for 400 km of the standard as printed, which leaves out the change of the width of
        the bins; what lies below the escape speed at 100 km is moved up to it. ``"jupiter_family"``, ``"asteroids"``,
        ``"halley_type"``, ``"oort_cloud"``: populations of which only the mean speed is taken from the literature; the
        shape between the escape speed and 72 km/s is a beta law. ``"zodiacal"``: these, weighted with their influx.

    Returns
    -------
    SpeedDistribution

    Raises
    ------
    CoverageError
        The name is unknown.
    """
    table = load_table("sources", "speed_distributions")
    if name == "zodiacal":
        rows = table[table["quantity"] == "mean entry"]
        return mixture([(float(row["weight"]), get_speeds(str(row["distribution"]))) for _, row in rows.iterrows()], "zodiacal")
    rows = table[table["distribution"] == name]
    if rows.empty:
        raise CoverageError(f"no speeds {name!r}; known: {', '.join(speed_names())}, or a speed in km/s")
    source = (("speeds", name, str(rows["confidence"].iloc[0]), str(rows["source"].iloc[0])),)
    quantity, speed = str(rows["quantity"].iloc[0]), 1e3 * rows["speed"].to_numpy(float)
    if quantity == "mean entry":
        found = _population(name, float(speed[0]))
    else:
        half = 0.5 * float(speed[1] - speed[0])
        edges = np.concatenate([speed - half, speed[-1:] + half])
        weight = rows["weight"].to_numpy(float)
        found = focused(edges, weight, name)[0] if quantity == "excess" else _entry_table(edges, weight, name)
    return SpeedDistribution(name, found.lower, found.upper, found.share, source)


def hrmp_focusing() -> float:
    """Mean focusing factor at 100 km of the distribution ``"hrmp"``."""
    rows = load_table("sources", "speed_distributions").query("distribution == 'hrmp'")
    speed = 1e3 * rows["speed"].to_numpy(float)
    half = 0.5 * float(speed[1] - speed[0])
    return focused(np.concatenate([speed - half, speed[-1:] + half]), rows["weight"].to_numpy(float), "hrmp")[1]


def _entry_table(edges: Array, weight: Array, name: str) -> SpeedDistribution:
    moved = np.clip(edges, ESCAPE_SPEED, FASTEST)
    kept = np.diff(moved) > 0.0
    return tabulated_speeds(moved[np.concatenate([kept, [True]])], weight[kept], name)


def _population(name: str, mean: float) -> SpeedDistribution:
    """Beta law of a given mean between the escape speed and 72 km/s."""
    edges = np.concatenate([np.arange(ESCAPE_SPEED, FASTEST, _POPULATION_BIN), [FASTEST]])
    part = (mean - ESCAPE_SPEED) / (FASTEST - ESCAPE_SPEED)
    scaled = (edges - ESCAPE_SPEED) / (FASTEST - ESCAPE_SPEED)
    share = np.diff(beta.cdf(scaled, _POPULATION_SHAPE, _POPULATION_SHAPE * (1.0 / part - 1.0)))
    return tabulated_speeds(edges, share, name)


def _check_bins(name: str, lower: Array, upper: Array, share: Array) -> None:
    if not (lower.ndim == 1 and lower.shape == upper.shape == share.shape and len(share)):
        raise DataError(f"speeds {name}: shapes {lower.shape}, {upper.shape}, {share.shape} differ; give one bin each")
    bad = ~((lower >= SLOWEST / _ROUND_OFF) & (upper >= lower) & (upper <= FASTEST * _ROUND_OFF))
    if bad.any():
        index = int(np.argmax(bad))
        raise DataError(
            f"speeds {name}: bin {index} is {lower[index] / 1e3:g} to {upper[index] / 1e3:g} km/s; "
            f"entry speeds rise within {_RANGE}"
        )
    if not ((share >= 0.0).all() and abs(float(share.sum()) - 1.0) < 1e-9):
        raise DataError(f"speeds {name}: shares sum to {float(share.sum()):g}; they must be at least 0 and sum to 1")
