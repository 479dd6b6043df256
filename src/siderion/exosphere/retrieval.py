"""From densities along an orbit to an exosphere: profile, fit, columns, brightness, losses, in one tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.chemistry.photo_rates import photo_loss_frequency
from siderion.core.bodies import Body
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.species import get_species, parent_neutral
from siderion.core.tables import load_table
from siderion.jobs.progress import Report, silent

from .airglow import g_factor, limb_brightness, line_centre_cross_section
from .chamberlain import escape_parameter, maxwellian_density
from .column import vertical_column
from .escape import jeans_escape_rate, photo_loss_rate
from .fit import fit_profile
from .line_transfer import thick_limb_brightness
from .populations import Population, load_populations, model_populations, total_density
from .profile_bins import bin_profile

Array = NDArray[np.float64]
THIN = 0.1
"""Optical depth at line centre, from the surface up, below which the thin brightness is given alone."""


@dataclass(frozen=True)
class Sunlight:
    """The Sun at the body.

    Attributes
    ----------
    distance : float
        Distance from the Sun, au.
    activity : float
        0 (quiet) to 1 (active).
    solar_zenith : float
        Solar zenith angle below the tangent point, degrees; only thick lines depend on it.
    """

    distance: float
    activity: float = 0.0
    solar_zenith: float = 60.0


def event_densities_of(events: xr.Dataset, neutral: str) -> xr.Dataset:
    """Good neutral densities of events (or windows) whose ion comes from a neutral: distance, km, and density, m-3.

    Raises
    ------
    DataError
        Distances or densities are missing, or no event has a good density of that neutral.
    """
    missing = [name for name in ("species", "radial_distance", "neutral_density", "neutral_density_flag") if name not in events]
    if missing:
        raise DataError(
            f"events lack {', '.join(missing)}; `siderion waves` writes them, the distance where the series has a position"
        )
    names = np.array([str(name) for name in events["species"].values])
    parents = np.array([parent_neutral(name) for name in names])
    good = (parents == neutral) & (events["neutral_density_flag"].values == 0)
    good &= np.isfinite(events["radial_distance"].values) & ~events["neutral_density_upper_limit"].values.astype(bool)
    if not good.any():
        there = ", ".join(sorted(set(parents))) or "none"
        raise DataError(f"no event has a good density of {neutral}; neutrals of the events: {there}")
    return events.isel(event=np.flatnonzero(good))


def _count_ambiguous(chosen: xr.Dataset, events: xr.Dataset, rule: str) -> int:
    """How many events overlap one of another ion that they name as a possible origin of the same waves; refuses them by rule."""
    if rule not in ("refuse", "keep"):
        raise SettingsError(f'ambiguous is {rule!r}; use "refuse" or "keep"')
    if "ambiguous_with" not in chosen or "start" not in chosen:
        return 0
    names = np.array([str(name) for name in events["species"].values])
    start, end = events["start"].values, events["end"].values
    others = []
    for listed, first, last in zip(chosen["ambiguous_with"].values, chosen["start"].values, chosen["end"].values, strict=True):
        same = np.isin(names, [name.strip() for name in str(listed).split(",")]) & (start < last) & (end > first)
        if same.any():
            others.append(names[np.argmax(same)])
    if others and rule == "refuse":
        raise DataError(
            f"{len(others)} of {chosen.sizes['event']} events may as well be waves of {others[0]}, which the same file holds; "
            "seek one of the two ions in siderion waves, or take them all for this neutral with --ambiguous keep"
        )
    return len(others)


def neutrals_of(events: xr.Dataset) -> tuple[str, ...]:
    """Neutrals whose ions made the events, in the order of their mass."""
    neutrals = {parent_neutral(str(name)) for name in events["species"].values}
    return tuple(sorted(neutrals, key=lambda name: get_species(name).mass))


def retrieve_exosphere(
    events: xr.Dataset,
    body: Body,
    neutral: str,
    model: str,
    sunlight: Sunlight,
    *,
    seed: int,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    bin_width: float = 0.5,
    error_floor: float = 0.15,
    bootstrap: int = 200,
    largest_radius: float | None = None,
    ambiguous: str = "refuse",
    report: Report = silent,
) -> xr.DataTree:
    """Fit an exosphere to the densities of events and derive columns, brightness and losses.

    Parameters
    ----------
    events : xarray.Dataset
        Group ``events`` of `siderion waves`.
    body : Body
        With radius and mass.
    neutral : str
        Such as ``"He"``.
    model : str
        ``"chamberlain"`` or ``"two-component"``.
    sunlight : Sunlight
        For brightness and losses.
    seed : int
        Seed of the bootstrap.
    fixed, bounds : mapping, optional
        Parameters held, or their bounds, see `siderion.exosphere.fit.fit_profile`. Temperatures that the table of populations
        knows for the body are bounded by its ranges unless bounds are given here.
    bin_width : float
        Width of the radial bins, radii of the body.
    error_floor : float
        Smallest relative error of a median: events on few orbits are not independent.
    bootstrap : int
        Samples; 0 takes the covariance matrix.
    largest_radius : float, optional
        End of the model, km; 10 radii of the body, or the outermost event, without it.
    ambiguous : {"refuse", "keep"}
        What to do where the same waves were written down as those of another ion of the events too (H2+ and D+): refuse, or
        take them for this neutral.
    report : callable
        Takes progress events of the bootstrap.

    Returns
    -------
    xarray.DataTree
        Groups ``profile``, ``fit`` (with the model curve), ``brightness`` (where a g-factor is known), ``losses``. The ends in
        ``fit`` are statistical. ``systematic_factor`` (two ends) is what the common sources (transfer of energy, growth, rates,
        plasma) add: multiply densities with it.
    """
    clash = set(fixed or {}) & set(bounds or {})
    if clash:
        raise SettingsError(f"{sorted(clash)[0]} is both fixed and bounded; give one of the two")
    chosen = event_densities_of(events, neutral)
    doubtful = _count_ambiguous(chosen, events, ambiguous)
    radius = float(body.require("radius")) / 1e3  # type: ignore[arg-type]
    distance = chosen["radial_distance"].values.astype(np.float64)
    profile = bin_profile(distance, chosen["neutral_density"].values, body, bin_width=bin_width, error_floor=error_floor)
    held = dict(fixed or {})
    tabled = {} if model == "chamberlain" else temperature_ranges(body, neutral)
    tabled = {name: ends for name, ends in tabled.items() if name not in held and name not in (bounds or {})}
    end = largest_radius or max(10.0 * radius, float(distance.max()))
    fit = fit_profile(
        profile, body, neutral, model, fixed=held, bounds={**tabled, **(bounds or {})}, bootstrap=bootstrap, seed=seed,
        largest_radius=end, report=report,
    )  # fmt: skip
    value, lower, upper = (chosen[f"neutral_density{name}"].values for name in ("", "_lower", "_upper"))
    factors = [float(np.exp(np.median(np.log(one / value)))) for one in (lower, upper)]
    fit["systematic_factor"] = ("end", np.array(factors), {"units": "1", "long_name": "common uncertainty of all densities"})
    fit.attrs["systematic"] = (
        "16 and 84 % ends of one event over its value, median of the events: transfer of energy, growth time, ionisation rate, "
        "plasma and the noise of one event; not reduced by the number of events"
    )
    parts = model_populations(model, neutral, _parameters(fit, held))
    curves = np.stack([one.density(fit["radius"].values, body) for one in parts])
    fit["population_density"] = (("population", "radius"), curves, {"units": "m-3", "long_name": "density of one population"})
    attributes = {
        "body": body.name, "neutral": neutral, "model": model, "event_count": int(chosen.sizes["event"]),
        "ambiguous_events": doubtful,
        "temperature_bounds": "; ".join(
            f"{key} {low:g} to {high:g} K (table of populations, unverified)"
            for key, (low, high) in tabled.items()
        ),
    }  # fmt: skip
    return _tree(attributes, {"profile": profile, "fit": fit}, body, neutral, sunlight)


def _tree(
    attributes: dict[str, object], groups: dict[str, xr.Dataset], body: Body, neutral: str, sunlight: Sunlight
) -> xr.DataTree:
    """Groups of a result with what follows from the model: losses, and brightness where there is a g-factor."""
    groups = {**groups, "losses": losses(groups["fit"], body, neutral, sunlight)}
    light = brightness(groups["fit"], body, neutral, sunlight)
    if light is not None:
        groups["brightness"] = light
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **groups})


def _parameters(fit: xr.Dataset, held: Mapping[str, float]) -> dict[str, float]:
    """Parameters of the fitted model, m-3 and K."""
    found = {
        f"{quantity}_{name}": float(fit[quantity].values[k])
        for k, name in enumerate(fit["population"].values)
        for quantity in ("surface_density", "temperature")
    }
    return {**found, **held}


def temperature_ranges(body: Body, neutral: str) -> dict[str, tuple[float, float]]:
    """Ranges of temperature in the table of populations, K, by name of the parameter, such as ``temperature_thermal``.

    They bound a fit of several components. A single one that is to describe all of a gas is not held to the temperature of one
    of its parts.
    """
    table = load_table("exosphere", "populations")
    rows = table[(table["body"] == body.name) & (table["species"] == neutral) & (table["quantity"] == "temperature_k")]
    return {f"temperature_{row.population}": (float(row.lower), float(row.upper)) for row in rows.itertuples()}


def preset_exosphere(body: Body, neutral: str, sunlight: Sunlight, largest_radius: float | None = None) -> xr.DataTree:
    """Model profile of a body from the table of populations, without data.

    Temperatures that the table gives as a range take its geometric middle.

    Raises
    ------
    CoverageError
        The table has no populations of the neutral at the body.
    """
    radius = float(body.require("radius")) / 1e3  # type: ignore[arg-type]
    populations = [_with_temperature(one, body) for one in load_populations(body.name, neutral)]
    end = largest_radius or 10.0 * radius
    grid = radius * (end / radius) ** np.linspace(0.0, 1.0, 200) ** 2
    fit = xr.Dataset(
        {
            "model_density": ("radius", total_density(grid, body, populations), {"units": "m-3"}),
            "population_density": (
                ("population", "radius"), np.stack([one.density(grid, body) for one in populations]), {"units": "m-3"}
            ),
            "surface_density": ("population", [one.surface_density for one in populations], {"units": "m-3"}),
            "temperature": ("population", [float(one.temperature or np.nan) for one in populations], {"units": "K"}),
        },
        coords={"radius": ("radius", grid, {"units": "km"}), "population": [one.name for one in populations]},
    )  # fmt: skip
    column = float(vertical_column(grid * 1e3, fit["model_density"].values, "none")[0])
    fit["column_density"] = ((), column, {"units": "m-2", "long_name": "column density up to the end of the curve"})
    fit.attrs["model"] = "preset: " + "; ".join(
        f"{one.name}, {one.surface_density * 1e-6:g} cm-3 at {one.temperature:.0f} K" for one in populations
    )
    return _tree({"body": body.name, "neutral": neutral, "model": "preset"}, {"fit": fit}, body, neutral, sunlight)


def _with_temperature(population: Population, body: Body) -> Population:
    """The population with the geometric middle of its range of temperature, where the table gives no single one."""
    if population.temperature is not None:
        return population
    lower, upper = temperature_ranges(body, population.species)[f"temperature_{population.name}"]
    return replace(population, temperature=float(np.sqrt(lower * upper)))


def losses(fit: xr.Dataset, body: Body, neutral: str, sunlight: Sunlight) -> xr.Dataset:
    """Jeans escape of each population and loss to sunlight of the whole model, s-1."""
    radius = float(body.require("radius"))  # type: ignore[arg-type]
    body_mass, mass = float(body.require("mass")), get_species(neutral).mass  # type: ignore[arg-type]
    density, temperature = fit["surface_density"].values, fit["temperature"].values
    rates = np.full(len(density), np.nan)
    for k in np.flatnonzero(np.isfinite(temperature) & (density > 0.0)):
        exobase = float(escape_parameter(radius, temperature[k], mass, body_mass))
        whole = float(maxwellian_density(density[k], exobase))
        rates[k] = float(jeans_escape_rate(radius, whole, temperature[k], mass, body_mass))
    result = xr.Dataset(
        {"jeans_escape_rate": ("population", rates, {"units": "s-1", "long_name": "atoms lost by thermal escape"})},
        coords={"population": fit["population"].values},
        attrs={"distance_au": sunlight.distance, "activity": sunlight.activity},
    )
    try:
        frequency = photo_loss_frequency(neutral, sunlight.distance, sunlight.activity, "quiet")
    except CoverageError as error:
        result.attrs["photo_loss"] = f"not known: {error}"
        return result
    rate = photo_loss_rate(fit["radius"].values * 1e3, fit["model_density"].values, frequency)
    result["photo_loss_frequency"] = ((), frequency, {"units": "s-1", "long_name": "rate of loss of one neutral to sunlight"})
    result["photo_loss_total"] = ((), rate, {"units": "s-1", "long_name": "neutrals lost to sunlight within the curve"})
    result.attrs["photo_loss"] = "from the surface to the end of the curve, all of it in sunlight"
    return result


def brightness(fit: xr.Dataset, body: Body, neutral: str, sunlight: Sunlight) -> xr.Dataset | None:
    """Brightness above the limb in the resonance lines of the neutral, rayleigh; None without a g-factor.

    ``brightness`` is that of a thin line. Where the optical depth at line centre from the surface up exceeds `THIN`,
    ``thick_brightness`` holds the estimate of `thick_limb_brightness`.
    """
    table = load_table("exosphere", "g_factors")
    lines = sorted(set(table[table["species"] == neutral]["line_nm"]))
    if not lines:
        return None
    radius = fit["radius"].values * 1e3
    tangent = radius[:-1]
    sets = []
    for line in lines:
        g = float(g_factor(neutral, float(line), sunlight.distance))
        one = xr.Dataset(coords={"radius": ("radius", tangent / 1e3, {"units": "km"}), "line": [float(line)]})
        for end in ("", "_lower", "_upper"):
            if f"model_density{end}" in fit and np.isfinite(fit[f"model_density{end}"].values).all():
                values = limb_brightness(tangent, radius, fit[f"model_density{end}"].values, g)
                one[f"brightness{end}"] = (
                    ("line", "radius"),
                    values[None, :],
                    {"units": "R", "long_name": "thin limb brightness"},
                )
        one["g_factor"] = ("line", [g], {"units": "s-1", "long_name": "g-factor of an atom at rest"})
        _add_optical_depth(one, fit, body, neutral, float(line), g, sunlight)
        sets.append(one)
    result = xr.concat(sets, "line", combine_attrs="override")
    result.attrs["distance_au"] = sunlight.distance
    return result


def _add_optical_depth(
    one: xr.Dataset, fit: xr.Dataset, body: Body, neutral: str, line: float, g: float, sunlight: Sunlight
) -> None:
    known = load_table("exosphere", "resonance_lines")
    temperature = fit["temperature"].values
    temperature = temperature[np.isfinite(temperature)]
    if not ((known["species"] == neutral) & (known["line_nm"] == line)).any() or not len(temperature):
        return
    coldest = float(temperature.min())
    section = line_centre_cross_section(neutral, line, coldest, get_species(neutral).mass)
    depth = section * float(fit["column_density"])
    one["optical_depth"] = ("line", [depth], {"units": "1", "long_name": "vertical optical depth at line centre"})
    if depth <= THIN:
        return
    radius = fit["radius"].values * 1e3
    cosine = float(np.cos(np.radians(sunlight.solar_zenith)))
    values = thick_limb_brightness(radius[:-1], radius, fit["model_density"].values, section, g, cosine)
    one["thick_brightness"] = (
        ("line", "radius"), values[None, :], {"units": "R", "long_name": "limb brightness with multiple scattering, an estimate"}
    )  # fmt: skip
