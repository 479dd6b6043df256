"""Re-entering mass per year as a global rate of production of atoms by altitude."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import NumericalError, SettingsError
from siderion.core.species import get_species
from siderion.core.spread import Spread
from siderion.sources.entry.atmosphere import Atmosphere

from .event import ionisation_citation, ionised_share
from .reentry import altitude_edges, fly_reentry
from .scenarios import Scenario, element_shares, get_scenarios
from .settings import ReentrySettings, default

Array = NDArray[np.float64]

_SECONDS_PER_YEAR = 365.25 * 86400.0
_TONNE = 1e3


class Profile(NamedTuple):
    """Release of a mean object: kg by species and bin, its mean speed by bin (m s-1), and the citations behind it."""

    species: list[str]
    released: Array
    speed: Array
    sources: list[dict[str, str]]


def mean_release(
    settings: ReentrySettings, atmosphere: Atmosphere, objects: Mapping[str, tuple[float, float]] | None = None
) -> Profile:
    """Release of the objects that come down, each counted by its share of the mass.

    Parameters
    ----------
    settings : ReentrySettings
        The same for all objects.
    atmosphere : Atmosphere
        A global mean.
    objects : mapping of str to (float, float), optional
        Mass of the object (kg) and share of the mass that comes down, by composition of `get_parts`; the defaults are in
        ``debris_reentry.csv``.

    Returns
    -------
    Profile

    Raises
    ------
    SettingsError
        The shares do not add up to 1.
    """
    stages = default("stage_share")
    objects = objects or {
        "satellite": (default("reference_satellite_mass_kg"), 1.0 - stages),
        "rocket_stage": (default("reference_stage_mass_kg"), stages),
    }
    total = sum(share for _, share in objects.values())
    if abs(total - 1.0) > 1e-9:
        raise SettingsError(f"shares of the objects {list(objects)} add up to {total:g}; they must add up to 1")
    released: dict[str, Array] = {}
    weight = speed = 0.0
    sources: list[dict[str, str]] = []
    for name, (mass, share) in objects.items():
        entry = fly_reentry(mass, name, settings, atmosphere)
        per_kilogram = share / mass
        for element in entry["element"].values:
            profile = per_kilogram * entry["released_mass"].sel(element=element).sum("part").values
            released[str(element)] = released.get(str(element), 0.0) + profile
        shed = per_kilogram * entry["released_mass"].sum("element").values
        weight = weight + shed.sum(axis=0)
        speed = speed + (shed * entry["released_speed"].values).sum(axis=0)
        sources += [row for row in json.loads(entry.attrs["sources"]) if row not in sources]
    means = np.divide(speed, weight, out=np.zeros_like(weight), where=np.asarray(weight) > 0.0)
    return Profile(list(released), np.array(list(released.values())), means, sources)


def debris_rate(
    scenario: str | float | Scenario,
    settings: ReentrySettings,
    atmosphere: Atmosphere,
    *,
    shares: str | Mapping[str, float | Spread] = "table",
    objects: Mapping[str, tuple[float, float]] | None = None,
) -> xr.Dataset:
    """Global mean rate of production of atoms by all debris that comes down in a year.

    The injected mass of the scenario is what is shed at all altitudes. An element follows its own profile in the re-entry of mean
    objects (that of the whole mass where the model holds none of it). Bins below ``layer_floor`` are left out of the production:
    those atoms are oxidised. The area at each altitude is that of the sphere there, 4 pi (R + z)^2.

    Parameters
    ----------
    scenario : str, float or Scenario
        Name in ``debris_scenarios.csv``, mass in t/yr, or a scenario.
    settings, atmosphere, objects
        As in `mean_release`.
    shares : {"table", "composition"} or mapping
        Shares of the elements in the injected mass: of ``debris_element_shares.csv``, of what the mean objects shed, or the
        user's own over the table.

    Returns
    -------
    xarray.Dataset
        ``neutral_production(species, alt)`` and ``ion_production(species, alt)``, m-3 s-1, with ``alt_bounds``; by species, t/yr:
        ``injected_rate``, ``layer_rate`` (in the production), ``oxidised_rate``, ``droplet_rate``.

    Raises
    ------
    CoverageError, SettingsError
        The scenario or a share is unknown or out of range.
    NumericalError
        The model releases nothing, so that there is no profile.
    """
    chosen = _scenario(scenario)
    profile = mean_release(settings, atmosphere, objects)
    whole = profile.released.sum(axis=0)
    if not whole.sum() > 0.0:
        raise NumericalError("the mean objects release nothing, so the rate has no profile; use removal = melting")
    by_element = _shares(shares, profile)
    names = list(by_element)
    rows = dict(zip(profile.species, profile.released, strict=True))
    spread = np.array([row / row.sum() if (row := rows.get(name, whole)).sum() > 0.0 else whole / whole.sum() for name in names])
    injected = chosen.mass.value * np.array(list(by_element.values()))
    vapour = injected[:, None] * spread * settings.vapour_share
    edges = altitude_edges(settings, len(whole) * settings.bin_width)
    kept = 0.5 * (edges[:-1] + edges[1:]) >= settings.layer_floor
    radii = EARTH_RADIUS + edges * 1e3
    volumes = 4.0 / 3.0 * np.pi * (radii[1:] ** 3 - radii[:-1] ** 3)
    atom = np.array([get_species(name).mass for name in names])
    atoms = vapour * _TONNE / _SECONDS_PER_YEAR / atom[:, None] / volumes
    share = ionised_share(names, profile.speed, settings)
    layer = vapour[:, kept].sum(axis=1)
    words = {"injected_rate": (injected, "mass injected at all altitudes"), "layer_rate": (layer, "mass in the production"),
             "oxidised_rate": (vapour.sum(axis=1) - layer, "mass released as atoms below the floor, oxidised"),
             "droplet_rate": (injected * (1.0 - settings.vapour_share), "mass that stays melt or dust")}  # fmt: skip
    variables: dict[str, tuple] = {
        "neutral_production": (("species", "alt"), (atoms * (1.0 - share))[:, kept], _words("m-3 s-1", "neutral atoms produced")),
        "ion_production": (("species", "alt"), (atoms * share)[:, kept], _words("m-3 s-1", "ions produced")),
        "alt_bounds": (("alt", "bound"), np.stack([edges[:-1], edges[1:]], axis=1)[kept], _words("km", "edges of the bins")),
        **{name: ("species", values, _words("t yr-1", text)) for name, (values, text) in words.items()},
    }
    centres = (0.5 * (edges[:-1] + edges[1:]))[kept]
    coords = {"species": names, "alt": ("alt", centres, _words("km", "altitude above the sphere of 6371.2 km"))}
    return xr.Dataset(variables, coords, _attributes(chosen, settings, profile, shares))


def _attributes(chosen: Scenario, settings: ReentrySettings, profile: Profile, shares: object) -> dict[str, str]:
    found = [("injected mass", chosen.name, chosen.mass.confidence, chosen.mass.source)]
    if shares == "composition":
        found.append(
            ("shares of elements", "what the mean objects shed", "unverified", "siderion/sources/tables/debris_parts.csv")
        )
    else:
        own = "" if shares == "table" else ", the user's own over it"
        found.append(("shares of elements", f"table{own}", "unverified", "siderion/sources/tables/debris_element_shares.csv"))
    rows = [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in found]
    return {
        "title": f"Debris, global rate, scenario {chosen.name}", "kind": "siderion source",
        "settings": json.dumps({"scenario": chosen.name, "mass_t_per_yr": chosen.mass.value, **settings.model_dump()}),
        "sources": json.dumps([*rows, *profile.sources, ionisation_citation(settings)]), "siderion_version": version("siderion"),
    }  # fmt: skip


def _scenario(scenario: str | float | Scenario) -> Scenario:
    if isinstance(scenario, Scenario):
        return scenario
    if isinstance(scenario, str):
        return get_scenarios((scenario,))[0]
    return Scenario(f"{scenario:g} t/yr", Spread(float(scenario), float(scenario), float(scenario)), Spread(1.0, 1.0, 1.0))


def _shares(shares: str | Mapping[str, float | Spread], profile: Profile) -> dict[str, float]:
    if shares == "composition":
        totals = profile.released.sum(axis=1)
        return dict(zip(profile.species, (totals / totals.sum()).tolist(), strict=True))
    if isinstance(shares, str) and shares != "table":
        raise SettingsError(f"shares is {shares!r}; use table, composition or a mapping of elements")
    return {name: share.value for name, share in element_shares(None if isinstance(shares, str) else shares).items()}


def _words(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
