"""Results of a pick-up simulation as one data set: shares, fluxes with uncertainty, energies, wake."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.bodies import get_body
from siderion.core.constants import ATOMIC_MASS, EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.measurement import LOWER_QUANTILE, UPPER_QUANTILE, measurement
from siderion.core.tables import load_table

from .citations import source_citations
from .cycloid import pickup_numbers
from .pickup import ARRIVED, MISSED, STRUCK_MOON, Arrivals, Scene, fly_species, make_scene, no_arrival_reason
from .settings import PickupSettings
from .sputtering import sputter_yields
from .uncertainty import source_factors
from .wake import wake_shape

Array = NDArray[np.float64]
SAMPLES = 10_000
_CONVENTION = (
    "nominal strength of the source times the share of the test ions that arrive; the ends are the 16 and 84 % quantiles over "
    "the strength of the source and the scatter of test ions; where no test ion arrives, the value is an upper limit (84 %)"
)
_NO_EVENT = -np.log(LOWER_QUANTILE)
_MAP_STEP = 1.0


def simulate_pickup(settings: PickupSettings) -> xr.Dataset:
    """Pick lunar ions up and bring them to the Earth.

    Parameters
    ----------
    settings : PickupSettings
        Everything; see there.

    Returns
    -------
    xarray.Dataset
        By ``species``: the measurements ``arrival_rate`` (s-1), ``arrival_flux`` (m-2 s-1, mean over the area of arrival) and
        ``differential_flux`` (species, energy), m-2 s-1 eV-1; ``launch_rate``; ``share_arriving``, ``share_striking_moon``,
        ``share_missing`` (sum 1); ``arrival_energy_mean``; the numbers of the cycloid; ``wake_width`` and the widths expected
        for one and for all directions of the field; ``arrival_map`` (species, arrival_y, arrival_z), m-2 s-1; the shape of the
        wake of `wake_shape`. Times the area, ``arrival_flux`` is ``launch_rate`` times ``share_arriving``, and the bins of
        ``differential_flux`` add up to it.
        Attributes name settings, sources, the surface and, by species, why nothing arrives.

    Raises
    ------
    SettingsError
        A setting does not fit.
    """
    scene = make_scene(settings)
    streams = np.random.SeedSequence(settings.seed).spawn(2 * len(settings.species))
    found = [fly_species(settings, scene, name, np.random.default_rng(streams[2 * k])) for k, name in enumerate(settings.species)]
    samples = [_samples(settings, scene, one, np.random.default_rng(streams[2 * k + 1])) for k, one in enumerate(found)]
    result = xr.merge([_shares(found), _fluxes(settings, scene, found, samples), _numbers(settings, scene, found)])
    result = xr.merge([result.assign(arrival_map=_map(settings, scene, found)), wake_shape(scene, found)])
    result = result.assign_coords(species=("species", list(settings.species), {"long_name": "ion"}))
    reasons = {one.species.name: no_arrival_reason(settings, scene, one) for one in found}
    moon = [float(value) for value in settings.moon]
    result.attrs = {
        "title": f"Lunar ions picked up, at the {scene.surface.name}",
        "kind": "siderion pickup",
        "surface": scene.surface.name,
        "surface_nose_re": scene.surface.nose / EARTH_RADIUS,
        "surface_area_m2": scene.surface.area,
        "moon_gse_re": moon,
        "aberration_degrees": float(np.degrees(scene.angle)),
        "no_arrival_reason": json.dumps({name: text for name, text in reasons.items() if text}),
        "settings": settings.model_dump_json(),
        "sources": json.dumps(source_citations(settings)),
        "axes": "x against the flow; GSE turned about z by the aberration",
        "siderion_version": version("siderion"),
    }
    return result


def energy_edges(settings: PickupSettings, scene: Scene) -> Array:
    """Edges of the energy bins, eV: from 0 to 2 m v^2 of the heaviest ion at the speed plus three spreads."""
    fastest = scene.speed + 3e3 * settings.speed_spread
    largest = max(pickup_numbers(name, fastest, 1e-9).largest_energy for name in settings.species)
    return np.linspace(0.0, 1.02 * largest / ELEMENTARY_CHARGE, settings.energy_bins + 1)


def compare_with_suleica(result: xr.Dataset) -> tuple[float, float]:
    """Intensity of the result beside that of AMPTE/SULEICA, cm-2 s-1 sr-1 keV-1: (simulated, observed).

    The simulated one is the flux of all species of m/q 23 to 37 with energies of the observation, mean over the area, over
    the width in energy and over 4 pi: an isotropic average, as that of an instrument that turns. Ions of a beam are seen more
    intense in one direction.
    """
    row = load_table("sources", "lunar_observations").set_index("name").loc["suleica_intensity"]
    lower, upper = float(row["energy_lower_kev"]), float(row["energy_upper_kev"])
    energy = result["energy"].values / 1e3
    inside = (energy >= lower) & (energy <= upper)
    chosen = suleica_species(result)
    edges = result["energy_bounds"].values
    seen = ~result["differential_flux_upper_limit"].values
    flux = result["differential_flux"].values * (edges[:, 1] - edges[:, 0]) * seen
    total = flux[chosen][:, inside].sum() * 1e-4
    return float(total / (upper - lower) / (4.0 * np.pi)), float(row["value"])


def suleica_species(result: xr.Dataset) -> NDArray[np.bool_]:
    """Whether each species of a result is in the range of mass per charge that AMPTE/SULEICA reported."""
    table = load_table("sources", "lunar_observations").set_index("name")["value"].astype(float)
    masses = result["mass_per_charge"].values
    return (masses >= table["suleica_mass_lower"]) & (masses < table["suleica_mass_upper"])


def ldex_production() -> float:
    """Ions per second in the sunlit half of a shell, from the production rate that LDEX saw and the height of the table."""
    table = load_table("sources", "lunar_observations").set_index("name")["value"].astype(float)
    area = 2.0 * np.pi * get_body("Moon").require_value("radius") ** 2
    return float(table["ldex_production"] * area * table["ldex_height"] * 1e3)


def _samples(settings: PickupSettings, scene: Scene, one: Arrivals, generator: np.random.Generator) -> Array:
    """Random factors of the strength of each origin, shape (sample, origin)."""
    yields = sputter_yields(settings.yields, settings.yield_energy)
    element = one.species.neutral_name
    return np.stack(
        [source_factors(name, element, scene.state, yields, SAMPLES, generator) for name in one.origins], axis=1
    )  # fmt: skip


def _rates(one: Arrivals, factors: Array, cell: NDArray[np.int64], cells: int, generator: np.random.Generator) -> tuple:
    """Nominal value, ends and limit flags of the rates of arrival (s-1) in cells of some kind; ``cell`` is -1 outside."""
    origins = len(one.origins)
    counts = np.zeros((origins, cells))
    weights = np.array([one.weight[one.origin == k][0] for k in range(origins)])
    chosen = (one.end == ARRIVED) & (cell >= 0)
    np.add.at(counts, (one.origin[chosen], cell[chosen]), 1.0)
    launched = np.bincount(one.origin, minlength=origins)[:, None]
    # a count of the Monte Carlo is binomial; its rate has the Gamma law of a count plus one half
    scatter = generator.standard_gamma(counts + 0.5, size=(SAMPLES, origins, cells)) if cells else np.empty((SAMPLES, origins, 0))
    scatter = np.where(counts > 0.5, np.minimum(scatter, launched), 0.0)
    scatter = np.where(counts == launched, counts, scatter)
    rates = np.einsum("so,o,soc->sc", factors, weights, scatter)
    nominal = weights @ counts
    lower, upper = np.quantile(rates, [LOWER_QUANTILE, UPPER_QUANTILE], axis=0)
    # factors have the median 1, so the nominal value lies between the ends but for rounding
    lower, upper = np.minimum(lower, nominal), np.maximum(upper, nominal)
    empty = counts.sum(axis=0) == 0
    limit = _NO_EVENT * np.quantile(factors @ weights, UPPER_QUANTILE)
    nothing = weights.sum() == 0.0
    middle = np.where(empty & ~np.bool_(nothing), limit, nominal)
    return middle, lower, upper, empty & ~np.bool_(nothing)


def _fluxes(settings: PickupSettings, scene: Scene, found: Sequence[Arrivals], samples: Sequence[Array]) -> xr.Dataset:
    """Rates and fluxes of arrival with their uncertainty."""
    edges = energy_edges(settings, scene)
    bins = settings.energy_bins
    generator = np.random.default_rng(np.random.SeedSequence([settings.seed, 1]))
    whole, parts = [], []
    for one, factors in zip(found, samples, strict=True):
        whole.append(_rates(one, factors, np.zeros(len(one.end), dtype=np.int64), 1, generator))
        cell = np.minimum(np.searchsorted(edges, one.energy / ELEMENTARY_CHARGE, side="right") - 1, bins - 1)
        parts.append(_rates(one, factors, cell, bins, generator))
    rate = [np.array([row[k][0] for row in whole]) for k in range(4)]
    spectrum = [np.stack([row[k] for row in parts]) for k in range(4)]
    area, width = scene.surface.area, np.diff(edges)
    data = xr.merge([
        _measured("arrival_rate", rate, 1.0, ("species",), "s-1", "ions that arrive"),
        _measured("arrival_flux", rate, area, ("species",), "m-2 s-1", "flux of ions that arrive, mean over the area of arrival"),
        _measured("differential_flux", spectrum, area * width, ("species", "energy"), "m-2 s-1 eV-1",
                  "flux of ions that arrive per energy, mean over the area of arrival"),
    ])  # fmt: skip
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    return data.assign_coords(
        energy=("energy", bounds.mean(axis=1), {"units": "eV", "long_name": "kinetic energy, middle of the bin"})
    ).assign(energy_bounds=(("energy", "bound"), bounds, {"units": "eV", "long_name": "ends of the energy bin"}))


def _measured(name: str, values: list[Array], over: float | Array, dims: tuple[str, ...], units: str, words: str) -> xr.Dataset:
    middle, lower, upper = (value / over for value in values[:3])
    return measurement(
        name, middle, lower, upper, dims=dims, units=units, convention=_CONVENTION, upper_limit=values[3], long_name=words
    )


def _shares(found: Sequence[Arrivals]) -> xr.Dataset:
    """Launched rate and how it ends."""
    rows: dict[str, list[float]] = {"launch_rate": [], "share_striking_moon": [], "share_arriving": [], "share_missing": []}
    means = []
    for one in found:
        total = float(one.weight.sum())
        rows["launch_rate"].append(total)
        scale = one.weight / total if total > 0.0 else np.full(len(one.weight), 1.0 / len(one.weight))
        for name, end in (("share_striking_moon", STRUCK_MOON), ("share_arriving", ARRIVED), ("share_missing", MISSED)):
            rows[name].append(float(scale[one.end == end].sum()))
        there = one.end == ARRIVED
        means.append(float(np.average(one.energy[there], weights=scale[there]) / ELEMENTARY_CHARGE) if there.any() else np.nan)
    words = {
        "launch_rate": ("s-1", "ions that start on and around the Moon"),
        "share_striking_moon": ("1", "share of the ions that strike the Moon"),
        "share_arriving": ("1", "share of the ions that arrive"),
        "share_missing": ("1", "share of the ions that pass without arriving"),
    }
    variables: dict = {
        name: ("species", rows[name], {"units": unit, "long_name": text}) for name, (unit, text) in words.items()
    }  # fmt: skip
    meaning = {"units": "eV", "long_name": "mean energy of the ions that arrive; missing where none does"}
    variables["arrival_energy_mean"] = ("species", means, meaning)
    return xr.Dataset(variables)


def _numbers(settings: PickupSettings, scene: Scene, found: Sequence[Arrivals]) -> xr.Dataset:
    """Numbers of the cycloid in the mean plasma, and widths of the wake."""
    strength = float(np.linalg.norm(scene.field))
    # a field along the flow has no cycloid; its numbers are zero
    angle = max(scene.flow_angle, 1e-9)
    cycloids = [pickup_numbers(one.species.name, scene.speed, strength, angle) for one in found]
    moon = 2.0 * get_body("Moon").require_value("radius") / EARTH_RADIUS
    height = np.array([2.0 * one.gyroradius / EARTH_RADIUS for one in cycloids])
    entries: dict[str, tuple] = {
        "mass_per_charge": ([_amu(one) for one in found], "1", "mass per charge, atomic mass units per elementary charge"),
        "gyroperiod": ([one.gyroperiod for one in cycloids], "s", "gyroperiod in the mean field"),
        "gyroradius": (height / 2.0, "RE", "gyroradius of ions picked up at rest"),
        "cycloid_length": ([one.cycloid_length / EARTH_RADIUS for one in cycloids], "RE", "drift in a gyroperiod"),
        "pickup_energy_largest": (
            [one.largest_energy / ELEMENTARY_CHARGE for one in cycloids],
            "eV",
            "largest energy of pick-up",
        ),
        "pickup_energy_mean": ([one.mean_energy / ELEMENTARY_CHARGE for one in cycloids], "eV", "mean of a cycle of pick-up"),
        "wake_width": ([_wake_width(one) for one in found], "RE", "width of the wake of ions, central 98 % of places on a cycle"),
        "wake_width_one_direction": (height + moon, "RE", "2 gyroradii and the Moon: wake for one direction of the field"),
        "wake_width_all_directions": (
            2.0 * height + moon,
            "RE",
            "4 gyroradii and the Moon: wake for all directions of the field",
        ),
    }
    return xr.Dataset({
        name: ("species", np.asarray(values, dtype=np.float64), {"units": unit, "long_name": text})
        for name, (values, unit, text) in entries.items()
    })  # fmt: skip


def _amu(one: Arrivals) -> float:
    return one.species.mass / ATOMIC_MASS / one.species.charge_number


def _wake_width(one: Arrivals) -> float:
    """Width across the flow along the widest direction, RE; 0 where no ion leaves the Moon."""
    if len(one.wake) < 2:
        return 0.0
    centred = one.wake - one.wake.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    along = one.wake @ vectors[:, -1]
    return float(np.diff(np.quantile(along, [0.01, 0.99]))[0] / EARTH_RADIUS)


def _map(settings: PickupSettings, scene: Scene, found: Sequence[Arrivals]) -> xr.DataArray:
    """Flux of arrivals by place across the flow."""
    half = np.sqrt(scene.surface.area / np.pi) / EARTH_RADIUS
    edges = np.arange(-np.ceil(half / _MAP_STEP), np.ceil(half / _MAP_STEP) + 1.0) * _MAP_STEP
    rows = []
    for one in found:
        there = one.end == ARRIVED
        place = one.position[there] / EARTH_RADIUS
        counts, _, _ = np.histogram2d(place[:, 1], place[:, 2], bins=[edges, edges], weights=one.weight[there])
        rows.append(counts / (_MAP_STEP * EARTH_RADIUS) ** 2)
    middle = 0.5 * (edges[1:] + edges[:-1])
    words = {"units": "RE", "long_name": "place of arrival across the flow"}
    return xr.DataArray(
        np.stack(rows), dims=("species", "arrival_y", "arrival_z"),
        coords={"arrival_y": ("arrival_y", middle, words), "arrival_z": ("arrival_z", middle, words)},
        attrs={"units": "m-2 s-1", "long_name": "flux of ions that arrive, mean over the cell"},
    )  # fmt: skip
