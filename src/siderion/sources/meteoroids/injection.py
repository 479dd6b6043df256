"""Global injection of atoms by meteoroids: the influx integrated over mass, speed and entry angle, by element and altitude.

The result is a source that a transport run can take: production of neutral atoms and of ions made by impact, the same all
over the Earth and at all times. Rates per volume are those of the spherical shell between two altitudes, so that their
integral over the shells of radius `EARTH_RADIUS` + z is the ablated amount.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.measurement import measurement
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.jobs.progress import Report, silent
from siderion.sources.entry.atmosphere import Atmosphere
from siderion.sources.entry.materials import OTHER, composition
from siderion.sources.entry.settings import AblationSettings

from .bodies import Deposit, Fly, deposit, make_bodies
from .entry_angles import before_the_fall
from .influx import REFERENCE_ALTITUDE, REFERENCE_AREA, TONNE_PER_DAY
from .scenarios import Scenario
from .settings import DEFAULT_ELEMENTS, InjectionSettings
from .speeds import SpeedDistribution

Array = NDArray[np.float64]
TOLERANCE = 1e-4
"""Relative error of a step of the flights: changes the global sums by about 1e-6 and takes a quarter of the time of 1e-6."""
_STAGE = "meteoroids"
_CONVENTION = (
    "value, and value with the mass influx one standard deviation lower and higher; speeds, masses, atmosphere and ablation "
    "model are taken as given"
)
_NO_UNCERTAINTY = {1: "no uncertainty of the mass influx given"}


def meteoroid_injection(
    scenario: Scenario,
    speeds: SpeedDistribution,
    atmosphere: Atmosphere,
    settings: InjectionSettings | None = None,
    ablation: AblationSettings | None = None,
    *,
    elements: Sequence[str] = DEFAULT_ELEMENTS,
    ablated_flux: tuple[str, float] | None = None,
    report: Report = silent,
    fly: Fly | None = None,
) -> xr.Dataset:
    """Integrate the ablation of all meteoroids.

    Parameters
    ----------
    scenario : Scenario
        Masses and total mass influx. The total is that of the range of masses of the settings.
    speeds : SpeedDistribution
        Entry speeds.
    atmosphere : Atmosphere
        The air.
    settings : InjectionSettings, optional
        Bodies, quadrature or Monte Carlo, altitudes.
    ablation : AblationSettings, optional
        How bodies ablate; the defaults with a tolerance of `TOLERANCE`, which is enough for sums, without it.
    elements : sequence of str
        Elements of the result.
    ablated_flux : (element, flux), optional
        Scale the influx so that this element ablates at this rate, atoms m-2 s-1 of the sphere at 100 km and at all
        altitudes; without it, the mass influx is that of the scenario.
    report : callable
        Receiver of progress events.
    fly : callable, optional
        In place of `siderion.sources.entry.flight.fly_bodies`; takes mass, speed and zenith angle at 100 km, density and
        altitude edges.

    Returns
    -------
    xarray.Dataset
        On ``species`` (neutral names) and ``alt`` (km): ``neutral_production``, ``ion_production``, ``ablation_rate`` (their
        sum), m-3 s-1; on ``species``: ``ablated_mass_rate`` (t/d) and ``ablated_flux`` (m-2 s-1) as measurements,
        ``ablated_share``, ``surviving_share``, ``ionised_share``, ``ions_outside_law_share`` (of the ions),
        ``peak_altitude`` (km), ``ablated_outside_rate`` (t/d ablated above and below the altitudes) and, after a Monte
        Carlo integral, ``ablated_mass_rate_sampling_error``; ``mass_influx`` (measurement), ``unlisted_mass_rate``,
        ``residue_mass_rate``, t/d. The ablated rates, the unlisted and the residue add up to the influx.

    Raises
    ------
    SettingsError
        An element is asked for twice or not in the material, or the flux is out of range.
    CoverageError
        An element of the material is no known species.
    DataError, NumericalError
        The flight of a body fails.
    """
    chosen, law = settings or InjectionSettings(), ablation or AblationSettings(tolerance=TOLERANCE)
    fractions = composition(chosen.material)
    _check_elements(elements, fractions, ablated_flux)
    flight = fly or _real_flight(atmosphere, law, chosen)
    edges = chosen.altitude_edges
    left = deposit(make_bodies(scenario.shape, speeds, chosen), elements, edges, flight, chosen, law.ionisation, report, _STAGE)
    total, uncertainty = _normalise(scenario, elements, left, ablated_flux)
    result = _profiles(elements, edges, left, total)
    result = result.merge(_totals(elements, left, total, uncertainty, fractions))
    result["peak_altitude"] = _peaks(result)
    return result.assign_attrs(_attributes(scenario, speeds, atmosphere, chosen, law, left, total, ablated_flux))


def shell_volumes(edges: Array) -> Array:
    """Volumes, m3, of the spherical shells between altitudes in m."""
    return np.diff(4.0 / 3.0 * np.pi * (EARTH_RADIUS + edges) ** 3)


def _real_flight(atmosphere: Atmosphere, law: AblationSettings, settings: InjectionSettings) -> Fly:
    """Flights of bodies whose speed and angle are those at the reference altitude."""
    from siderion.sources.entry.flight import ENTRY_ALTITUDE, fly_bodies

    def fly(mass: Array, speed: Array, angle: Array, density: float, edges: Array) -> xr.Dataset:
        above = before_the_fall(speed, angle, REFERENCE_ALTITUDE, ENTRY_ALTITUDE, gravity=law.gravity, curved=law.curved)
        return fly_bodies(mass, *above, density, atmosphere, law, edges, material=settings.material)

    return fly


def _check_elements(elements: Sequence[str], fractions: dict[str, float], ablated_flux: tuple[str, float] | None) -> None:
    if not elements or len(set(elements)) != len(elements):
        raise SettingsError(f"elements {', '.join(elements)}: name each once, and one at least")
    missing = [name for name in elements if fractions.get(name, 0.0) <= 0.0]
    if missing:
        raise SettingsError(f"the material has no {', '.join(missing)}; it has {', '.join(fractions)}")
    if OTHER in elements:
        raise SettingsError(f"{OTHER} is no element but all that the composition does not list; choose among its elements")
    for name in elements:
        get_species(name)  # before the flights: raises for what has no mass
    if ablated_flux is not None:
        name, flux = ablated_flux
        if name not in elements or not 0.0 < flux < np.inf:
            raise SettingsError(f"ablated flux of {name} is {flux} m-2 s-1: it must be positive, of one of {', '.join(elements)}")


def _normalise(
    scenario: Scenario, elements: Sequence[str], left: Deposit, ablated_flux: tuple[str, float] | None
) -> tuple[float, float | None]:
    """Mass influx and its uncertainty, kg s-1."""
    if ablated_flux is None:
        return scenario.total, scenario.uncertainty
    name, flux = ablated_flux
    k = list(elements).index(name)
    share = float(left.atoms[k].sum() + left.ions[k].sum() + left.outside[k])
    if share <= 0.0:
        raise SettingsError(f"no {name} ablates, so the influx cannot be scaled to its flux; normalise to the mass influx")
    return flux * REFERENCE_AREA * get_species(name).mass / share, None


def _profiles(elements: Sequence[str], edges: Array, left: Deposit, total: float) -> xr.Dataset:
    masses = np.array([get_species(name).mass for name in elements])[:, None]
    volume = shell_volumes(edges)
    atoms, ions = (total * part / masses / volume for part in (left.atoms, left.ions))
    dims = ("species", "alt")
    kilometres = edges / 1e3
    return xr.Dataset(
        {
            "neutral_production": (dims, atoms, {"units": "m-3 s-1", "long_name": "production of neutral atoms"}),
            "ion_production": (dims, ions, {"units": "m-3 s-1", "long_name": "production of ions by impact on the air"}),
            "ablation_rate": (dims, atoms + ions, {"units": "m-3 s-1", "long_name": "atoms and ions left by ablation"}),
        },
        {
            "species": list(elements),
            "alt": (
                "alt",
                0.5 * (kilometres[1:] + kilometres[:-1]),
                {"units": "km", "long_name": "altitude above the sphere of 6371.2 km"},
            ),
            "alt_bounds": (
                ("alt", "bound"),
                np.stack([kilometres[:-1], kilometres[1:]], axis=1),
                {"units": "km", "long_name": "lower and upper altitude of the cells"},
            ),
        },
    )


def _totals(
    elements: Sequence[str], left: Deposit, total: float, uncertainty: float | None, fractions: dict[str, float]
) -> xr.Dataset:
    masses = np.array([get_species(name).mass for name in elements])
    content = np.array([fractions[name] for name in elements])
    ions, inside = left.ions.sum(axis=1), (left.atoms + left.ions).sum(axis=1)
    ablated = inside + left.outside
    spread = partial(_measured, uncertainty=None if uncertainty is None else uncertainty / total)
    daily = total / TONNE_PER_DAY
    share = ablated / content
    ionised = np.divide(ions, inside, out=np.zeros_like(ions), where=inside > 0.0)
    result = xr.merge([
        spread("ablated_mass_rate", ablated * daily, ("species",), "t d-1", "mass ablated a day over the Earth"),
        spread("ablated_flux", ablated * total / masses / REFERENCE_AREA, ("species",), "m-2 s-1",
               "atoms ablated per area of the sphere at 100 km"),
        spread("mass_influx", daily, (), "t d-1", "mass that arrives a day over the Earth"),
    ])  # fmt: skip
    plain = {
        "ablated_share": (share, "1", "share of the arriving element that ablates"),
        "surviving_share": (left.left / content, "1", "share of the arriving element that does not ablate"),
        "ionised_share": (ionised, "1", "share of the atoms that impact on the air ionises"),
        "ions_outside_law_share": (np.divide(left.ions_outside_law, ions, out=np.zeros_like(ions), where=ions > 0.0), "1",
                                   "share of the ions made at speeds outside of the range of the ionisation law"),
        "ablated_outside_rate": (left.outside * daily, "t d-1", "mass ablated a day above and below the altitudes"),
    }  # fmt: skip
    if np.isfinite(left.ablated_error).all():
        plain["ablated_mass_rate_sampling_error"] = (
            left.ablated_error * daily,
            "t d-1",
            "standard error of the Monte Carlo integral",
        )
    for name, (values, units, words) in plain.items():
        result[name] = ("species", values, {"units": units, "long_name": words})
    for name, value, words in (
        ("unlisted_mass_rate", left.unlisted, "mass of other elements ablated a day over the Earth"),
        ("residue_mass_rate", left.residue, "mass that does not ablate, a day over the Earth"),
    ):
        result[name] = ((), value * daily, {"units": "t d-1", "long_name": words})
    return result


def _measured(
    name: str, value: Array | float, dims: tuple[str, ...], units: str, words: str, uncertainty: float | None
) -> xr.Dataset:
    """Measurement with the relative uncertainty of the influx; without one it is flagged."""
    values = np.asarray(value, np.float64)
    if uncertainty is None:
        nothing = np.full(values.shape, np.nan)
        return measurement(name, values, nothing, nothing, dims=dims, units=units, convention=_CONVENTION, flag=1,
                           flag_meanings=_NO_UNCERTAINTY, long_name=words)  # fmt: skip
    lower, upper = values * max(1.0 - uncertainty, 0.0), values * (1.0 + uncertainty)
    return measurement(name, values, lower, upper, dims=dims, units=units, convention=_CONVENTION,
                       flag_meanings=_NO_UNCERTAINTY, long_name=words)  # fmt: skip


def _peaks(result: xr.Dataset) -> xr.DataArray:
    """Altitude of the largest rate; NaN where nothing ablates within the altitudes."""
    rate = result["ablation_rate"]
    peak = result["alt"].values[rate.values.argmax(axis=1)]
    peak = np.where(rate.values.max(axis=1) > 0.0, peak, np.nan)
    return xr.DataArray(peak, dims="species", attrs={"units": "km", "long_name": "altitude of the largest ablation rate"})


def _attributes(
    scenario: Scenario,
    speeds: SpeedDistribution,
    atmosphere: Atmosphere,
    settings: InjectionSettings,
    law: AblationSettings,
    left: Deposit,
    total: float,
    ablated_flux: tuple[str, float] | None,
) -> dict[str, str | int | float]:
    names = ("what", "model", "confidence", "citation")
    density = load_table("sources", "gruen_bodies").iloc[0]
    rows = [
        *scenario.sources,
        *scenario.shape.sources,
        *speeds.sources,
        ("entry angles", "isotropic flux, p(z) = sin 2z", "computed", "geometry"),
        ("density of the bodies", f"{settings.density:g} kg m-3", str(density["confidence"]), str(density["source"])),
    ]
    sources = [dict(zip(names, row, strict=True)) for row in rows] + list(left.sources)
    normalised = "mass influx" if ablated_flux is None else f"{ablated_flux[1]:g} atoms m-2 s-1 of {ablated_flux[0]} at 100 km"
    resolved = {
        "scenario": scenario.name,
        "mass_distribution": scenario.shape.name,
        "mass_influx_t_per_day": total / TONNE_PER_DAY,
        "speeds": speeds.name,
        "mean_speed_km_s": speeds.mean / 1e3,
        "atmosphere": atmosphere.name,
        "normalised_to": normalised,
        "injection": settings.model_dump(mode="json"),
        "ablation": law.model_dump(mode="json"),
    }
    return {
        "kind": "siderion source",
        "title": f"Meteoroids: scenario {scenario.name}, speeds {speeds.name}, {atmosphere.name}",
        "settings": json.dumps(resolved),
        "sources": json.dumps(sources),
        "siderion_version": version("siderion"),
        "bodies": left.bodies,
        "integral": "Monte Carlo" if settings.samples else "quadrature",
        "area": "shells of radius 6371.2 km + altitude; fluxes per area of the sphere at 100 km",
    }  # fmt: skip
