"""What is known about the time and place of a measurement, and what it does to the supply of each source."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from siderion.core.constants import EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table
from siderion.frames.moon import moon_position_gse
from siderion.geospace.boundaries import connected_to_shock, get_boundary
from siderion.geospace.lunar import lunar_local_time, lunar_sector

SOURCES = ("solar wind", "ionosphere", "metal layer", "Moon")
"""The four sources of the review."""
REGIONS = ("solar wind", "magnetosheath", "magnetosphere")
"""Regions of the spacecraft; two may be joined, such as ``"magnetosheath to magnetosphere"``."""
NEW_MOON_SECTOR = 3
_RANGES = {
    "kp": (0.0, 9.0, ""), "dst": (-2500.0, 200.0, "nT"), "speed": (1e5, 5e6, "m s-1 (100 to 5000 km/s)"),
    "density": (1e3, 1e9, "m-3 (0.001 to 1000 cm-3)"),
}  # fmt: skip
"""What the context may be: no wind and no storm was ever outside of it."""


@cache
def setting(name: str) -> float:
    """A number of ``inference/tables/attribution_settings.csv``."""
    return float(load_table("inference", "attribution_settings").set_index("name")["value"][name])


@cache
def _rows() -> dict[tuple[str, str, str], pd.Series]:
    table = load_table("inference", "attribution_factors")
    return {(row["origin"], row["factor"], row["state"]): row for _, row in table.iterrows()}


@dataclass(frozen=True)
class Context:
    """Circumstances of a measurement; None where not known.

    Attributes
    ----------
    region : str
        Of `REGIONS`, or two of them joined by `` to ``.
    time : datetime64, optional
        Gives the sector of the Moon.
    moon_sector : int, optional
        1 to 6; in place of that of the time.
    in_wake : bool, optional
        Whether the place is in the wake of lunar ions.
    wake_computed : bool
        ``in_wake`` comes from the real field and flow (`siderion.geospace.ion_wake`): it stands in place of the sector.
    kp, dst : float, optional
        Activity; Dst (nT) serves where Kp is not given.
    imf : (float, float, float), optional
        Magnetic field in GSE, any unit.
    position : (float, float, float), optional
        Place in GSE, radii of the Earth.
    speed, density : float, optional
        Solar wind, m s-1 and m-3.
    energy : (float, float)
        Range of the measurement, eV.
    shock, shower : bool
        Interplanetary shock or stream interaction; meteor shower.
    """

    region: str = "solar wind"
    time: np.datetime64 | None = None
    moon_sector: int | None = None
    in_wake: bool | None = None
    kp: float | None = None
    dst: float | None = None
    imf: tuple[float, float, float] | None = None
    position: tuple[float, float, float] | None = None
    speed: float | None = None
    density: float | None = None
    energy: tuple[float, float] = (8.7e4, 2.12e5)
    shock: bool = False
    shower: bool = False
    wake_computed: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for region in self.regions:
            if region not in REGIONS:
                raise CoverageError(f"region {region!r} is unknown; use {', '.join(REGIONS)}, or two joined by ' to '")
        if self.moon_sector is not None and self.moon_sector not in range(1, 7):
            raise SettingsError(f"sector of the Moon is {self.moon_sector}; it is 1 to 6")
        for name, (lower, upper, units) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not lower <= value <= upper:
                raise SettingsError(f"{name} is {value:g}; it must be {lower:g} to {upper:g} {units}".rstrip())
        if not (np.isfinite(self.energy).all() and 0.0 <= self.energy[0] < self.energy[1]):
            raise SettingsError(f"energies are {self.energy} eV; the lower must be 0 or more and below the upper")
        for name in ("imf", "position"):
            value = getattr(self, name)
            if value is not None and not (len(value) == 3 and np.isfinite(value).all() and np.any(value)):
                raise SettingsError(f"{name} is {value}; give three finite components that are not all zero")
        if self.time is not None and np.isnat(self.time):
            raise SettingsError("the time is not a time (NaT); write it as 2004-01-22T01:10 (UTC)")
        self._check_moon()

    def _check_moon(self) -> None:
        """The wake of lunar ions lies behind the Moon as the wind blows: none at the Earth unless the Moon is before it."""
        if self.wake_computed and self.in_wake is None:
            raise SettingsError("wake_computed is set, but not in_wake; give in_wake as well")
        if self.in_wake and not self.wake_computed and _sector_state(self.sector) == "away":
            raise SettingsError(
                f"in_wake is set with the Moon in sector {self.sector}: lunar ions go with the wind, and reach the Earth "
                f"from sector {NEW_MOON_SECTOR} (new Moon) or one beside it; correct the sector or the time, or leave in_wake out"
            )

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions, one or two."""
        return tuple(self.region.split(" to "))

    @property
    def sector(self) -> int | None:
        """Sector of the Moon, given or from the time."""
        if self.moon_sector is not None or self.time is None:
            return self.moon_sector
        return int(lunar_sector(lunar_local_time(moon_position_gse(self.time))))

    def changed(self, **changes: Any) -> Context:
        """A copy with other values."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Influence:
    """A factor on the supply of a source: exp(centre + deviation z), with z a standard normal number.

    Attributes
    ----------
    name : str
        Influences with the same name share z in all measurements.
    centre, deviation : float
        Of the logarithm.
    """

    name: str
    centre: float
    deviation: float


def influences(context: Context, origin: str) -> list[Influence]:
    """Factors of the context on one source.

    Parameters
    ----------
    context : Context
        Circumstances.
    origin : str
        Of `SOURCES`, or ``"ionosphere atoms"``: O+ and N+ of the ionosphere, which rise less with activity than molecules.

    Returns
    -------
    list of Influence
        From ``inference/tables/attribution_factors.csv``.
    """
    activity = "any"
    if origin == "ionosphere atoms":
        origin, activity = "ionosphere", "O+ and N+"
    weight = 1.0 / len(context.regions)
    found = [_of(origin, "region", region, weight) for region in context.regions]
    found.append(_of(origin, "energy", energy_class(context.energy)))
    if origin == "Moon":
        found += _place_of_moon(context)
        if context.speed is not None and context.density is not None:
            flux = context.speed * context.density / setting("reference_flux")
            found.append(Influence("Moon.flux", float(np.log(flux)), 0.0))
    if origin in ("ionosphere", "metal layer"):
        outside = sum(region == "solar wind" for region in context.regions) * weight
        if outside:
            found.append(_of(origin, "foreshock", foreshock_state(context), outside))
        found += _activity(context, origin, activity)
    for name in ("shock", "shower"):
        if getattr(context, name) and (origin, name, "yes") in _rows():
            found.append(_of(origin, name, "yes"))
    return [one for one in found if one.centre != 0.0 or one.deviation != 0.0]


def energy_class(energy: tuple[float, float]) -> str:
    """``cold``, ``hot`` or ``energetic``, by the middle of the range (geometric, at least 1 eV)."""
    middle = float(np.sqrt(max(energy[0], 1.0) * max(energy[1], 1.0)))
    if middle < setting("cold_limit"):
        return "cold"
    return "hot" if middle < setting("energetic_limit") else "energetic"


def pickup_share(mass: float, charge: int, context: Context) -> tuple[float, float]:
    """Share of picked-up ions inside the energy range of the measurement, and of their tail.

    With the speed of the flow v, the field across it and uniform phase, the energy is m v2 (1 - cos phase), at most 2 m v2.
    The tail is what waves and shocks bring above that, taken as even in the logarithm over a decade.

    Parameters
    ----------
    mass : float
        kg.
    charge : int
        In elementary charges; the range is per charge.
    context : Context
        Range and speed.

    Returns
    -------
    (ring, tail) : two floats
        Shares 0 to 1 of the ions of each kind.
    """
    speed = context.speed or setting("reference_speed")
    scale = mass * speed**2 / ELEMENTARY_CHARGE
    lower, upper = (charge * energy for energy in context.energy)
    ring = (_cycle(upper / scale) - _cycle(lower / scale)) / np.pi
    top = 2.0 * scale
    above = np.clip(np.log10(max(upper, 1e-9) / top), 0.0, 1.0) - np.clip(np.log10(max(lower, 1e-9) / top), 0.0, 1.0)
    return ring, float(above)


def pickup_cut_off(mass: float, context: Context) -> float:
    """Largest energy of a pick-up ion, 2 m v2, eV."""
    return 2.0 * mass * (context.speed or setting("reference_speed")) ** 2 / ELEMENTARY_CHARGE


def foreshock_state(context: Context) -> str:
    """``connected``, ``not connected`` or ``unknown``: whether the field line of the place meets the bow shock.

    Without a position the place is taken on the line to the Sun, 20 radii before the Earth.
    """
    if context.imf is None:
        return "unknown"
    place = np.array(context.position or (20.0, 0.0, 0.0)) * EARTH_RADIUS
    field = np.asarray(context.imf, dtype=np.float64)
    connection = connected_to_shock(place, field, get_boundary("Earth", "bow_shock"), tail_limit=-30.0 * EARTH_RADIUS)
    return "connected" if bool(connection.connected) else "not connected"


def _cycle(ratio: float) -> float:
    """Phase, 0 to pi, at which the energy over m v2 is reached."""
    return float(np.arccos(np.clip(1.0 - ratio, -1.0, 1.0)))


def _sector_state(sector: int | None) -> str:
    if sector is None:
        return "unknown"
    distance = abs(sector - NEW_MOON_SECTOR)
    return ("new Moon", "beside")[distance] if distance < 2 else "away"


def _place_of_moon(context: Context) -> list[Influence]:
    """Factors of the sector and of the wake; of one of them where it says what the other does.

    The wake counts where the Moon may be before the Earth: with the Moon at the flanks or in the tail the sector says all. A
    place inside the wake has the Moon before it, and a computed wake knows where the Moon is.
    """
    state = _sector_state(context.sector)
    wake = _of("Moon", "wake", "unknown" if context.in_wake is None else "inside" if context.in_wake else "outside")
    if context.wake_computed or (context.in_wake and state == "unknown"):
        return [wake]
    sector = _of("Moon", "sector", state)
    return [sector] if state == "away" else [sector, wake]


def _activity(context: Context, origin: str, state: str) -> list[Influence]:
    kp, unknown = context.kp, 0.0
    reference = setting("reference_kp")
    if kp is None and context.dst is not None:
        kp = float(np.clip(reference - context.dst * setting("kp_per_dst"), 0.0, 9.0))
        unknown = setting("unknown_kp_deviation")
    if kp is None:
        kp, unknown = setting("unknown_kp"), setting("unknown_kp_deviation")
    row = _rows()[origin, "kp_slope", state]
    slope, spread = float(row["value"]), 0.5 * float(row["upper"] - row["lower"])
    rise = kp - reference
    found = [Influence(f"{origin}.kp_slope{'' if state == 'any' else ' of ' + state}", slope * rise, spread * rise)]
    if unknown:
        when = "" if context.time is None else f" {np.datetime_as_string(context.time, unit='m')}"
        found.append(Influence(f"Kp{when}", 0.0, slope * unknown))
    return found


def _of(origin: str, factor: str, state: str, weight: float = 1.0) -> Influence:
    row = _rows()[origin, factor, state]
    deviation = 0.5 * float(np.log(row["upper"] / row["lower"]))
    return Influence(f"{origin}.{factor}: {state}", weight * float(np.log(row["value"])), weight * deviation)


__all__ = ["REGIONS", "SOURCES", "Context", "Influence", "energy_class", "foreshock_state", "influences",
           "pickup_cut_off", "pickup_share", "setting"]  # fmt: skip
