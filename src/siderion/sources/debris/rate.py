"""Re-entering mass per year as a global rate of production of atoms by altitude."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS, YEAR
from siderion.core.errors import NumericalError, SettingsError
from siderion.core.measurement import LOWER_QUANTILE, UPPER_QUANTILE, measurement
from siderion.core.species import get_species
from siderion.core.spread import Spread
from siderion.sources.entry.atmosphere import Atmosphere

from .event import ionisation_citation, ionised_share
from .parity import LEAST_SAMPLES
from .reentry import altitude_edges, fly_reentry
from .scenarios import Scenario, element_shares, generator_of, get_scenarios
from .settings import ReentrySettings, default
from .words import Row, citations, low_break_up_note, object_rows, vapour_note

Array = NDArray[np.float64]

_TONNE = 1e3
PROFILES = ("own", "whole", "not shed")
"""Which profile an element follows: its own; that of the whole mass, where the mean objects do not hold it; none, where they hold
it and shed none of it."""
_NOT_SHED = PROFILES.index("not shed")
_CONVENTION = (
    "central value; the ends are the 16 and 84 % quantiles over the spread of the injected mass and of the share of the element; "
    "the re-entry itself is one computation and adds none"
)


class MeanObject(NamedTuple):
    """One object for many: mass (kg), share of the mass that comes down, parts (without them its name in the tables)."""

    mass: float
    share: float
    composition: str | Mapping[str, Mapping[str, Any]] | None = None


class Profile(NamedTuple):
    """Release of the mean objects: kg by species and bin, mean speed by bin (m s-1), edges (km), citations, and notes."""

    species: list[str]
    released: Array
    speed: Array
    edges: Array
    sources: list[dict[str, str]]
    notes: list[str]


def mean_objects() -> dict[str, MeanObject]:
    """Mean satellite and rocket stage of ``debris_reentry.csv``."""
    stages = default("stage_share")
    return {
        "satellite": MeanObject(default("reference_satellite_mass_kg"), 1.0 - stages),
        "rocket_stage": MeanObject(default("reference_stage_mass_kg"), stages),
    }


def mean_release(
    settings: ReentrySettings, atmosphere: Atmosphere, objects: Mapping[str, MeanObject | tuple[float, float]] | None = None
) -> Profile:
    """Release of the objects that come down, each counted by its share of the mass.

    Parameters
    ----------
    settings : ReentrySettings
        The same for all objects.
    atmosphere : Atmosphere
        A global mean.
    objects : mapping of str to MeanObject, optional
        By name: mass of the object (kg), share of the mass that comes down, and its parts as `get_parts` takes them (without
        these the name is one of its compositions); the defaults are in ``debris_reentry.csv``.

    Returns
    -------
    Profile
        A species that the objects hold but do not shed has a row of zeros.

    Raises
    ------
    SettingsError
        The shares do not add up to 1.
    """
    chosen = {name: MeanObject(*one) for name, one in (objects or mean_objects()).items()}
    total = sum(one.share for one in chosen.values())
    if abs(total - 1.0) > 1e-9:
        raise SettingsError(f"shares of the objects {list(chosen)} add up to {total:g}; they must add up to 1")
    released: dict[str, Array] = {}
    weight = speed = 0.0
    sources = citations(object_rows({name: (one.mass, one.share) for name, one in chosen.items()}, objects is None))
    notes = []
    for name, one in chosen.items():
        entry = fly_reentry(one.mass, name if one.composition is None else one.composition, settings, atmosphere)
        per_kilogram = one.share / one.mass
        for element in entry["element"].values:
            profile = per_kilogram * entry["released_mass"].sel(element=element).sum("part").values
            released[str(element)] = released.get(str(element), 0.0) + profile
        shed = per_kilogram * entry["released_mass"].sum("element").values
        weight = weight + shed.sum(axis=0)
        speed = speed + (shed * entry["released_speed"].values).sum(axis=0)
        sources += [row for row in json.loads(entry.attrs["sources"]) if row not in sources]
        notes.append(low_break_up_note(f"the mean object {name}", float(entry["break_up_altitude"]), settings))
    means = np.divide(speed, weight, out=np.zeros_like(weight), where=np.asarray(weight) > 0.0)
    edges = altitude_edges(settings, max(float(entry["alt_bounds"].max()), 0.0))
    kept = [note for note in (vapour_note(settings), *notes) if note]
    return Profile(list(released), np.array(list(released.values())), means, edges, sources, kept)


def debris_rate(
    scenario: str | float | Scenario,
    settings: ReentrySettings,
    atmosphere: Atmosphere,
    *,
    shares: str | Mapping[str, float | Spread] = "table",
    objects: Mapping[str, MeanObject | tuple[float, float]] | None = None,
    samples: int = 4000,
    seed: int = 0,
) -> xr.Dataset:
    """Global mean rate of production of atoms by all debris that comes down in a year.

    The injected mass of the scenario is what is shed at all altitudes. An element follows its own profile in the re-entry of mean
    objects. One that they do not hold follows that of the whole mass. One that they hold but do not shed (titanium: its tanks
    survive) has no profile and adds nothing. Bins below ``layer_floor`` are left out of the production: those atoms are oxidised.
    The area at each altitude is that of the sphere there, 4 pi (R + z)^2.

    Parameters
    ----------
    scenario : str, float or Scenario
        Name in ``debris_scenarios.csv``, mass in t/yr, or a scenario.
    settings, atmosphere, objects
        As in `mean_release`.
    shares : {"table", "composition"} or mapping
        Shares of the elements in the injected mass: of ``debris_element_shares.csv``, of what the mean objects shed, or the
        user's own over the table.
    samples, seed : int
        Of the Monte Carlo over the injected mass and the share of each element.

    Returns
    -------
    xarray.Dataset
        ``neutral_production(species, alt)`` and ``ion_production(species, alt)``, m-3 s-1, with ``alt_bounds``; by species, t/yr:
        ``injected_rate`` and ``layer_rate`` (in the production), which are measurements, and ``oxidised_rate``, ``droplet_rate``,
        ``unshed_rate`` (of elements that the mean objects do not shed). ``profile_of(species)``: own, whole, or not shed.
        The attribute ``notes`` is a JSON list of what a reader has to know.

    Raises
    ------
    CoverageError, SettingsError
        The scenario or a share is unknown or out of range; there are too few samples, or the seed is negative.
    NumericalError
        The model releases nothing, so that there is no profile.
    """
    if samples < LEAST_SAMPLES:
        raise SettingsError(f"samples is {samples}; give {LEAST_SAMPLES} at least")
    chosen = _scenario(scenario)
    profile = mean_release(settings, atmosphere, objects)
    by_element = _shares(shares, profile)
    names = list(by_element)
    spread, which = _profiles(names, profile)
    share = np.array([one.value for one in by_element.values()])
    injected = chosen.mass.value * share
    vapour = injected[:, None] * spread * settings.vapour_share
    edges = profile.edges
    kept = edges[:-1] >= settings.layer_floor
    radii = EARTH_RADIUS + edges * 1e3
    volumes = 4.0 / 3.0 * np.pi * (radii[1:] ** 3 - radii[:-1] ** 3)
    atom = np.array([get_species(name).mass for name in names])
    atoms = vapour * _TONNE / YEAR / atom[:, None] / volumes
    ions = ionised_share(names, profile.speed, settings)
    layer, shed = vapour[:, kept].sum(axis=1), which != _NOT_SHED
    words = {"oxidised_rate": (vapour[:, ~kept].sum(axis=1), "mass released as atoms below the floor, oxidised"),
             "droplet_rate": (injected * shed * (1.0 - settings.vapour_share), "mass that stays melt or dust"),
             "unshed_rate": (injected * ~shed, "injected mass of elements that the mean objects do not shed")}  # fmt: skip
    variables: dict[str, tuple] = {
        "neutral_production": (("species", "alt"), (atoms * (1.0 - ions))[:, kept], _words("m-3 s-1", "neutral atoms produced")),
        "ion_production": (("species", "alt"), (atoms * ions)[:, kept], _words("m-3 s-1", "ions produced")),
        "alt_bounds": (("alt", "bound"), np.stack([edges[:-1], edges[1:]], axis=1)[kept], _words("km", "edges of the bins")),
        "profile_of": ("species", np.array(PROFILES)[which], {"long_name": f"profile by altitude: {', '.join(PROFILES)}"}),
        **{name: ("species", values, _words("t yr-1", text)) for name, (values, text) in words.items()},
    }
    centres = (0.5 * (edges[:-1] + edges[1:]))[kept]
    record = {"samples": samples, "seed": seed, "objects": {name: list(one) for name, one in (objects or mean_objects()).items()}}
    coords = {"species": names, "alt": ("alt", centres, _words("km", "altitude above the sphere of 6371.2 km"))}
    rate = xr.Dataset(variables, coords, _attributes(chosen, settings, profile, shares, record))
    drawn = _drawn(chosen, by_element, samples, seed)
    above = np.divide(layer, injected)
    return rate.merge(_measured("injected_rate", injected, drawn, "mass injected at all altitudes")).merge(
        _measured("layer_rate", layer, drawn * above[:, None], "mass in the production", which)
    )


def _profiles(names: list[str], profile: Profile) -> tuple[Array, NDArray[np.intp]]:
    """Shares of each element by bin, and which of `PROFILES` they are."""
    whole = profile.released.sum(axis=0)
    if not whole.sum() > 0.0:
        raise NumericalError("the mean objects release nothing, so the rate has no profile; use removal = melting")
    rows = dict(zip(profile.species, profile.released, strict=True))
    spread, which = np.zeros((len(names), whole.size)), np.zeros(len(names), dtype=np.intp)
    for k, name in enumerate(names):
        row = rows.get(name, whole)
        which[k] = PROFILES.index("whole") if name not in rows else 0
        if row.sum() > 0.0:
            spread[k] = row / row.sum()
        else:
            which[k] = _NOT_SHED
    return spread, which


def _drawn(chosen: Scenario, shares: Mapping[str, Spread], samples: int, seed: int) -> Array:
    """Injected mass of each element, t/yr, by sample."""
    mass = chosen.mass.at(generator_of("injected mass", seed).standard_normal(samples))
    return np.array([mass * one.at(generator_of(name, seed).standard_normal(samples)) for name, one in shares.items()])


def _measured(name: str, value: Array, drawn: Array, text: str, which: NDArray[np.intp] | None = None) -> xr.Dataset:
    low, high = np.quantile(drawn, [LOWER_QUANTILE, UPPER_QUANTILE], axis=1)
    meanings = {1: "profile of the whole mass", _NOT_SHED: "not shed by the mean objects"}
    return measurement(
        name, value, np.minimum(low, value), np.maximum(high, value), dims=("species",), units="t yr-1", convention=_CONVENTION,
        flag=0 if which is None else which, flag_meanings=None if which is None else meanings, long_name=text,
    )  # fmt: skip


def _attributes(
    chosen: Scenario, settings: ReentrySettings, profile: Profile, shares: object, record: dict[str, Any]
) -> dict[str, str]:
    found: list[Row] = [("injected mass", chosen.name, chosen.mass.confidence, chosen.mass.source)]
    if shares == "composition":
        found.append(
            ("shares of elements", "what the mean objects shed", "unverified", "siderion/sources/tables/debris_parts.csv")
        )
    else:
        own = "" if shares == "table" else ", the user's own over it"
        found.append(("shares of elements", f"table{own}", "unverified", "siderion/sources/tables/debris_element_shares.csv"))
    own_shares = {"shares": shares if isinstance(shares, str) else "table and the user's own"}
    record = {"scenario": chosen.name, "mass_t_per_yr": chosen.mass.value, **own_shares, **record}
    return {
        "title": f"Debris, global rate, scenario {chosen.name}", "kind": "siderion source",
        "settings": json.dumps({**record, **settings.model_dump()}),
        "sources": json.dumps([*citations(found), *profile.sources, ionisation_citation(settings)]),
        "notes": json.dumps(profile.notes), "siderion_version": version("siderion"),
    }  # fmt: skip


def _scenario(scenario: str | float | Scenario) -> Scenario:
    if isinstance(scenario, Scenario):
        return scenario
    if isinstance(scenario, str):
        return get_scenarios((scenario,))[0]
    if not 0.0 < scenario < np.inf:
        raise SettingsError(f"mass_rate is {scenario:g} t/yr; it must be positive and finite")
    return Scenario(f"{scenario:g} t/yr", Spread(float(scenario), float(scenario), float(scenario)), Spread(1.0, 1.0, 1.0))


def _shares(shares: str | Mapping[str, float | Spread], profile: Profile) -> dict[str, Spread]:
    if shares == "composition":
        totals = profile.released.sum(axis=1)
        parts = dict(zip(profile.species, (totals / totals.sum()).tolist(), strict=True))
        return {name: Spread(part, part, part) for name, part in parts.items() if part > 0.0}
    if isinstance(shares, str) and shares != "table":
        raise SettingsError(f"shares is {shares!r}; use table, composition or a mapping of elements")
    return element_shares(None if isinstance(shares, str) else shares)


def _words(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
