"""Loss of nitrogen and oxygen to space over geological time (Yamauchi et al., section 2.2.4).

An escape history gives the rate of escaping atoms at a time and its exact integral. Times are in s from an origin that the
user chooses; the power law counts from the birth of the Sun. Data sets have Myr and kg.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import YEAR
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table

Array = NDArray[np.float64]

MEGAYEAR = 1e6 * YEAR
"""Million Julian years, s."""


class EscapeHistory(Protocol):
    """Rate of escape against time."""

    def rate(self, time: ArrayLike) -> Array:
        """Atoms per second at times in s."""

    def escaped(self, start: float, end: ArrayLike) -> Array:
        """Atoms that escape between a start and one or several ends, s."""


@dataclass(frozen=True)
class LinearHistory:
    """Escape that changes linearly from one time to another; equal rates make it constant.

    Attributes
    ----------
    first_rate, last_rate : float
        Rates at the first and last time, s-1.
    first_time, last_time : float
        Times, s.
    """

    first_rate: float
    last_rate: float
    first_time: float
    last_time: float

    def __post_init__(self) -> None:
        """Check the numbers."""
        _not_negative("first rate, s-1", self.first_rate)
        _not_negative("last rate, s-1", self.last_rate)
        if not -np.inf < self.first_time < self.last_time < np.inf:
            raise SettingsError(f"times are {self.first_time} and {self.last_time} s; the last must come after the first")

    def rate(self, time: ArrayLike) -> Array:
        """Atoms per second at times in s."""
        times = _within(time, self.first_time, self.last_time)
        part = (times - self.first_time) / (self.last_time - self.first_time)
        return self.first_rate + (self.last_rate - self.first_rate) * part

    def escaped(self, start: float, end: ArrayLike) -> Array:
        """Atoms that escape between a start and one or several ends, s."""
        return 0.5 * (self.rate(start) + self.rate(end)) * (np.asarray(end, dtype=np.float64) - start)


def constant_history(rate: float, duration: float) -> LinearHistory:
    """Escape at one rate (s-1) from time 0 for a duration (s)."""
    return LinearHistory(rate, rate, 0.0, duration)


@dataclass(frozen=True)
class PowerHistory:
    """Escape that falls as a power of the age of the Sun, rate = rate_now (time / age_now)^-exponent.

    Attributes
    ----------
    rate_now : float
        Rate at the age ``age_now``, s-1.
    exponent : float
        Power; positive for escape that was stronger in the past.
    age_now : float
        Age of the Sun now, s; times count from its birth.
    """

    rate_now: float
    exponent: float
    age_now: float

    def __post_init__(self) -> None:
        """Check the numbers."""
        _not_negative("rate of today, s-1", self.rate_now)
        if not (np.isfinite(self.exponent) and 0.0 < self.age_now < np.inf):
            raise SettingsError(f"exponent {self.exponent} and age {self.age_now} s must be finite, and the age positive")

    def rate(self, time: ArrayLike) -> Array:
        """Atoms per second at times in s, after 0."""
        return self.rate_now * (_within(time, np.nextafter(0.0, 1.0), np.inf) / self.age_now) ** -self.exponent

    def escaped(self, start: float, end: ArrayLike) -> Array:
        """Atoms that escape between a start and one or several ends, s, all after 0."""
        lower = float(_within(start, np.nextafter(0.0, 1.0), np.inf)) / self.age_now
        upper = _within(end, np.nextafter(0.0, 1.0), np.inf) / self.age_now
        # x^p ln(u/l) expm1(y)/y with y = (1 - p) ln(u/l): no cancellation at exponent 1
        logarithm = np.log(upper / lower)
        power = (1.0 - self.exponent) * logarithm
        small = np.abs(power) < 1e-12
        growth = np.where(small, 1.0, np.expm1(power) / np.where(small, 1.0, power))
        return self.rate_now * self.age_now * lower ** (1.0 - self.exponent) * logarithm * growth


class TableHistory:
    """Escape that is given at times and linear between them.

    Parameters
    ----------
    time : array (time,)
        Rising times, s.
    rates : array (time,)
        Rates, s-1.

    Raises
    ------
    SettingsError
        Times do not rise, shapes differ, or a rate is negative or not finite.
    """

    def __init__(self, time: ArrayLike, rates: ArrayLike) -> None:
        self.times, self.rates = np.asarray(time, dtype=np.float64), np.asarray(rates, dtype=np.float64)
        if self.times.ndim != 1 or self.times.shape != self.rates.shape or len(self.times) < 2:
            raise SettingsError(f"times have shape {self.times.shape}, rates {self.rates.shape}; give two or more of each")
        if not (np.isfinite(self.times).all() and (np.diff(self.times) > 0.0).all()):
            raise SettingsError("times of the escape history must be finite and rise")
        if not (np.isfinite(self.rates).all() and (self.rates >= 0.0).all()):
            index = int(np.argmin(np.where(np.isfinite(self.rates), self.rates, -np.inf)))
            raise SettingsError(
                f"rate {index} of the escape history is {self.rates[index]:g} s-1; it must be finite, not negative"
            )
        steps = 0.5 * (self.rates[1:] + self.rates[:-1]) * np.diff(self.times)
        self._sums = np.concatenate([[0.0], np.cumsum(steps)])

    def __repr__(self) -> str:
        """Words for the settings of a result."""
        return f"TableHistory({self.times.tolist()}, {self.rates.tolist()})"

    def rate(self, time: ArrayLike) -> Array:
        """Atoms per second at times in s."""
        return np.interp(_within(time, self.times[0], self.times[-1]), self.times, self.rates)

    def escaped(self, start: float, end: ArrayLike) -> Array:
        """Atoms that escape between a start and one or several ends, s."""
        return self._since_first(end) - self._since_first(start)

    def _since_first(self, time: ArrayLike) -> Array:
        times = _within(time, self.times[0], self.times[-1])
        cell = np.clip(np.searchsorted(self.times, times, side="right") - 1, 0, len(self.times) - 2)
        return self._sums[cell] + 0.5 * (self.rates[cell] + self.rate(times)) * (times - self.times[cell])


def first_rate_of_linear_loss(mass: float, duration: float, last_rate: float, species: str = "O") -> float:
    """First rate, s-1, of a linear history that loses a mass (kg) of a species in a duration (s) and ends with a rate (s-1).

    Raises
    ------
    SettingsError
        The last rate alone, held constant over half of the duration, would lose more.
    """
    first = 2.0 * mass / (get_species(species).mass * duration) - last_rate
    if not first >= 0.0:
        raise SettingsError(
            f"a loss of {mass:g} kg of {species} needs a last rate below {first + last_rate:g} s-1, not {last_rate:g}"
        )
    return first


def polar_escape_rate(kp: ArrayLike) -> Array:
    """O+ ions that escape per second through plasma mantle and dayside magnetosheath, 3.9e24 exp(0.45 Kp) (1 + 1/3).

    Parameters
    ----------
    kp : array
        Kp, 0 to 10; the fit was made below 9, and 10 is an extrapolation for the young Sun.

    Returns
    -------
    array
        s-1; single times differ by one to two orders of magnitude.

    Raises
    ------
    SettingsError
        Kp is out of range.

    References
    ----------
    Slapak et al. 2017, Ann. Geophys. 35, 721, doi:10.5194/angeo-35-721-2017, abstract.
    """
    values = np.asarray(kp, dtype=np.float64)
    if not ((values >= 0.0) & (values <= 10.0)).all():
        raise SettingsError(f"Kp is {values}; it must lie between 0 and 10")
    mantle = printed("kp_mantle_rate") * np.exp(printed("kp_exponent") * values)
    return mantle * (1.0 + 1.0 / printed("mantle_over_magnetosheath"))


def nitrogen_oxygen_ratio(atomic: ArrayLike, molecular: Mapping[str, float] | None = None, enhancement: ArrayLike = 1.0) -> Array:
    """N atoms over O atoms in an outflow of N+, O+ and molecular ions.

    Parameters
    ----------
    atomic : array
        N+ over O+, by number.
    molecular : mapping of str to float, optional
        N2+, NO+ and O2+ over O+, by number; those not named are absent.
    enhancement : array
        Factor on all molecular ions, such as that of a storm.

    Returns
    -------
    array
        (N+ + 2 N2+ + NO+) / (O+ + 2 O2+ + NO+).

    Raises
    ------
    SettingsError
        A ratio is negative, or an ion is none of the three.
    """
    ions = dict(molecular or {})
    unknown = set(ions) - {"N2+", "NO+", "O2+"}
    if unknown:
        raise SettingsError(f"molecular ions {', '.join(sorted(unknown))} are not known here; give N2+, NO+ and O2+")
    parts: dict[str, ArrayLike] = {"N+/O+": atomic, "enhancement": enhancement, **{f"{ion}/O+": ions[ion] for ion in ions}}
    for name, value in parts.items():
        array = np.asarray(value, dtype=np.float64)
        if not (np.isfinite(array).all() and (array >= 0.0).all()):
            raise SettingsError(f"{name} is {array}; it must be finite and not negative")
    factor = np.asarray(enhancement, dtype=np.float64)
    nitrogen = np.asarray(atomic, dtype=np.float64) + factor * (2.0 * ions.get("N2+", 0.0) + ions.get("NO+", 0.0))
    oxygen = 1.0 + factor * (2.0 * ions.get("O2+", 0.0) + ions.get("NO+", 0.0))
    return np.asarray(nitrogen / oxygen)


def inventory_mass(inventory: str, element: str) -> tuple[float, float]:
    """Lower and upper mass (kg) of N or O: ``atmosphere``, or ``printed`` (the numbers of the review).

    Raises
    ------
    CoverageError
        The inventory or the element is not in the table.
    """
    table = load_table("sources", "atmosphere_inventory")
    rows = table[(table["inventory"] == inventory) & (table["element"] == element)]
    if rows.empty:
        known = ", ".join(f"{row.inventory} {row.element}" for row in table.itertuples())
        raise CoverageError(f"no inventory {inventory!r} of {element}; known: {known}")
    return float(rows["lower_kg"].iloc[0]), float(rows["upper_kg"].iloc[0])


def printed(name: str) -> float:
    """One printed number of ``escape_history.csv`` (the lower end of a range).

    Raises
    ------
    CoverageError
        There is no such number.
    """
    table = load_table("sources", "escape_history").set_index("name")
    if name not in table.index:
        raise CoverageError(f"no printed number {name!r}; known: {', '.join(table.index)}")
    return float(table.loc[name, "lower"])


def atmospheric_loss(histories: Mapping[str, EscapeHistory], time: ArrayLike, inventory: str = "atmosphere") -> xr.Dataset:
    """Cumulative loss of elements, its share of an inventory, and N/O of loss and remainder.

    The inventory is that of today. Sources and sinks other than escape are not counted.

    Parameters
    ----------
    histories : mapping of str to EscapeHistory
        History of the escaping atoms of each element, ``N`` and ``O``, or one of them.
    time : array (time,)
        Rising times, s, in the frame of the histories; the loss counts from the first to the last.
    inventory : {"atmosphere", "printed"}
        Masses of today: see `inventory_mass`.

    Returns
    -------
    xarray.Dataset
        Over ``species`` and ``elapsed_time`` (Myr from the first time): ``escape_rate`` (s-1), ``escaped_atoms``,
        ``lost_mass`` (kg), ``lost_share_lower`` and ``lost_share_upper`` of the inventory of today. With both elements also
        ``escape_n_over_o`` and ``initial_n_over_o``, atoms of N over atoms of O in the escape, and in the inventory with the
        loss after each time given back (middle of the inventory).

    Raises
    ------
    SettingsError
        Times do not rise, or no history is given.
    CoverageError
        A time lies outside a history, or an element has no inventory.
    """
    times = np.atleast_1d(np.asarray(time, dtype=np.float64))
    if not histories or times.ndim != 1 or not (np.diff(times) > 0.0).all():
        raise SettingsError("give at least one history, and times that rise")
    names = list(histories)
    mass = np.array([get_species(name).mass for name in names])[:, None]
    rate = np.array([histories[name].rate(times) for name in names])
    atoms = np.array([histories[name].escaped(float(times[0]), times) for name in names])
    ends = np.array([inventory_mass(inventory, name) for name in names])
    pair = ("species", "elapsed_time")
    result = xr.Dataset(
        {
            "escape_rate": (pair, rate, _words("s-1", "atoms that escape per second")),
            "escaped_atoms": (pair, atoms, _words("1", "atoms that have escaped since the first time")),
            "lost_mass": (pair, atoms * mass, _words("kg", "mass that has escaped since the first time")),
            "lost_share_lower": (pair, atoms * mass / ends[:, 1:], _words("1", "lost mass over the largest inventory")),
            "lost_share_upper": (pair, atoms * mass / ends[:, :1], _words("1", "lost mass over the smallest inventory")),
        },
        coords={"species": names, "elapsed_time": ("elapsed_time", (times - times[0]) / MEGAYEAR,
                                                   _words("Myr", "time since the first time, million Julian years"))},
    )  # fmt: skip
    if {"N", "O"} <= set(names):
        now = ends.mean(axis=1)[:, None] / mass
        before = now + atoms[:, -1:] - atoms
        n, o = names.index("N"), names.index("O")
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(rate[o] > 0.0, rate[n] / rate[o], np.nan)
        result["escape_n_over_o"] = ("elapsed_time", ratio, _words("1", "N over O in the escape; NaN where no O escapes"))
        result["initial_n_over_o"] = ("elapsed_time", before[n] / before[o], _words("1", "N over O in the inventory at the time"))
    result.attrs = {
        "title": "Loss to space over geological time", "kind": "siderion atmospheric loss", "inventory": inventory,
        "settings": json.dumps({name: repr(history) for name, history in histories.items()}),
        "siderion_version": version("siderion"), "sources": json.dumps(_sources(inventory)),
    }  # fmt: skip
    return result


def _within(time: ArrayLike, first: float, last: float) -> Array:
    """Times, checked against the range of a history (a rounding error beyond the ends is forgiven)."""
    times = np.asarray(time, dtype=np.float64)
    slack = 1e-12 * max(abs(first), abs(last)) if np.isfinite(last) else 0.0
    wrong = ~((times >= first - slack) & (times <= last + slack))
    if wrong.any():
        raise CoverageError(
            f"time {float(times[wrong].flat[0]) / MEGAYEAR:g} Myr is outside the escape history, "
            f"which covers {first / MEGAYEAR:g} to {last / MEGAYEAR:g} Myr"
        )
    return np.clip(times, first, last)


def _not_negative(name: str, value: float) -> None:
    if not 0.0 <= value < np.inf:
        raise SettingsError(f"{name}: {value}; it must be finite and not negative")


def _words(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _sources(inventory: str) -> list[dict[str, str]]:
    table = load_table("sources", "atmosphere_inventory")
    rows = table[table["inventory"] == inventory]
    return [{"what": f"inventory of {row.element}", "model": inventory, "confidence": str(row.confidence),
             "citation": str(row.source)} for row in rows.itertuples()]  # fmt: skip
