"""The page of lunar ions that the solar wind picks up and brings to the Earth."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.bodies import get_body
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.geospace.lunar import lunar_local_time, lunar_sector
from siderion.sources.moon.cycloid import cycloid
from siderion.sources.moon.pickup import Scene, make_scene
from siderion.sources.moon.results import compare_with_suleica, suleica_species
from siderion.sources.moon.settings import PickupSettings
from siderion.sources.moon.surfaces import PLANE, Surface, arrival_surface, gap

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .pickup_figures import MapFrame, Plane, Spectrum, draw_arrival, draw_cycloids, draw_spectra, draw_wakes
from .selection import species_label
from .source_words import caution, foot, lead, measured, need, record, unbroken

Array = NDArray[np.float64]
KIND = "siderion pickup"
"""Global attribute ``kind`` of the output that this page shows."""
_WAKES = {"wake_width": "simulated, central 98 %",
          "wake_width_one_direction": "2 gyroradii and the Moon: one direction of the field",
          "wake_width_all_directions": "4 gyroradii and the Moon: all directions"}  # fmt: skip
_NEEDS = (
    "launch_rate", "share_striking_moon", "share_arriving", "share_missing", "arrival_energy_mean", "arrival_flux",
    "arrival_flux_lower", "arrival_flux_upper", "differential_flux", "differential_flux_lower", "differential_flux_upper",
    "differential_flux_upper_limit", "energy_bounds", "arrival_map", "mass_per_charge", "pickup_energy_largest",
    "pickup_energy_mean", "gyroradius", "gyroperiod", "cycloid_length", *_WAKES, "surface", "surface_nose_re", "surface_area_m2",
    "settings", "no_arrival_reason",
)  # fmt: skip
_PER_CM2 = 1e-4
_POINTS = 1200


def is_pickup(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion pickup``."""
    return dataset.attrs.get("kind") == KIND


def render_pickup_page(result: xr.Dataset) -> str:
    """Render lunar ions picked up as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.sources.moon.results.simulate_pickup`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError, SettingsError
        A variable is missing; the settings in the file cannot be read.
    """
    need(result, _NEEDS, "pick-up of lunar ions", "siderion pickup")
    settings = PickupSettings.make(json.loads(result.attrs["settings"]))
    scene = make_scene(settings)
    sections = [
        Section("ions", "What becomes of the ions", _shares_table(result)),
        Section("energy", "Energy distribution of the arrivals", _spectra(result)),
        Section("map", "Where they arrive", _map(result, scene)),
        Section("cycloids", "Way from the Moon, to scale", _cycloids(result, settings, scene)),
        Section("wake", "Width of the wake", _wake(result)),
        Section("observations", "Beside observations", _observations(result)),
        *record(result),
    ]
    return markup.page(str(result.attrs.get("title", "Lunar ions")), _head(result, settings, scene), sections, foot(result))


def _names(result: xr.Dataset) -> list[str]:
    return [str(name) for name in result["species"].values]


def _head(result: xr.Dataset, settings: PickupSettings, scene: Scene) -> str:
    reasons = json.loads(result.attrs["no_arrival_reason"])
    lines = []
    for name in _names(result):
        one, label = result.sel(species=name), markup.text(species_label(name))
        if name in reasons:
            limit = markup.number(float(one["arrival_flux"]) * _PER_CM2, 2)
            lines.append(f"<li><strong>{label}</strong>: none arrives (mean flux below {limit} cm<sup>−2</sup> s<sup>−1</sup>): "
                         f"{markup.text(reasons[name])}.</li>")  # fmt: skip
            continue
        lines.append(
            f"<li><strong>{label}</strong>: {measured(one, 'arrival_flux', _PER_CM2)} cm<sup>−2</sup> s<sup>−1</sup>, up to "
            f"{markup.number(float(one['arrival_map'].max()) * _PER_CM2, 2)} in the cell of the most arrivals; mean energy "
            f"{float(one['arrival_energy_mean']) * 1e-3:.0f} keV; {100 * float(one['share_arriving']):.3g} % of the ions "
            "arrive.</li>"
        )
    local_time = float(lunar_local_time(settings.moon))
    pairs = [
        ("Moon in GSE, RE", ", ".join(f"{value:.1f}" for value in settings.moon).replace("-", "\N{MINUS SIGN}")),
        ("lunar local time", f"{local_time:.1f} h, sector {int(lunar_sector(local_time))}"),
        ("speed of the plasma", f"{scene.speed * 1e-3:.0f} km s<sup>−1</sup>"),
        ("magnetic field (GSE), nT", ", ".join(f"{value:g}" for value in settings.imf).replace("-", "\N{MINUS SIGN}")),
        ("nose of the surface", f"{float(result.attrs['surface_nose_re']):.1f} RE"),
        ("area of the mean", f"{markup.number(float(result.attrs['surface_area_m2']) * 1e4, 2)} cm<sup>2</sup>"),
    ]
    intro = lead(
        f"Flux of lunar ions at the {markup.text(result.attrs['surface'])}, mean over its area (nominal value, 16 to 84 %):"
    )
    ends = markup.paragraph(
        "The ends hold the strength of the source and the scatter of the test ions, not the model: the plasma is uniform, and "
        "the fields of the magnetosheath are left out."
    )
    return intro + f'<ul class="lead">{"".join(lines)}</ul>' + ends + markup.facts(pairs) + caution(result)


def _shares_table(result: xr.Dataset) -> str:
    rows: list[list[str | Number]] = []
    for name in _names(result):
        one = result.sel(species=name)
        shares = [
            f"{100 * float(one[key]):.3g}\N{NO-BREAK SPACE}%"
            for key in ("share_striking_moon", "share_arriving", "share_missing")
        ]
        energies = [float(one[key]) * 1e-3 for key in ("arrival_energy_mean", "pickup_energy_mean", "pickup_energy_largest")]
        rows.append([
            unbroken(markup.text(species_label(name))), Number(markup.number(float(one["launch_rate"]), 2)), *map(Number, shares),
            *(Number(f"{value:.0f}" if np.isfinite(value) else "–") for value in energies),
            Number(f"{float(one['gyroradius']):.1f}"), Number(f"{float(one['cycloid_length']):.1f}"),
            Number(f"{float(one['gyroperiod']):.0f}"),
        ])  # fmt: skip
    heads = ["ion", "launched, s⁻¹", "strike the Moon", "arrive", "miss", "mean energy, keV", "mean of a cycle, keV",
             "largest of pick-up, keV", "gyroradius, RE", "cycloid, RE", "gyroperiod, s"]  # fmt: skip
    return markup.table(heads, rows)


def _spectra(result: xr.Dataset) -> str:
    bounds = result["energy_bounds"].transpose("energy", "bound").values * 1e-3
    spectra = []
    for name in _names(result):
        one = result.sel(species=name)
        ends = [one[f"differential_flux{end}"].values * 1e3 * _PER_CM2 for end in ("", "_lower", "_upper")]
        limit = one["differential_flux_upper_limit"].values.astype(bool)
        spectra.append(Spectrum(name, ends[0], ends[1], ends[2], limit, float(one["pickup_energy_largest"]) * 1e-3))
    drawn = draw_spectra(np.append(bounds[:, 0], bounds[-1, 1]), spectra)
    caption = (
        f"Flux of arrivals at the {markup.text(result.attrs['surface'])} by energy, mean over its area: nominal values with 16 "
        "and 84 % ends; horizontal bars are the bins. Open triangles: no test ion arrives; the value is an upper limit (84 %) "
        "from the number of test ions. Dashed: largest energy of an ion picked up at rest in the mean plasma, 2 m v² with the "
        "speed v of the flow across the field."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Differential flux against energy for each species")], caption)


def _electric(scene: Scene) -> Array:
    """Unit vector of the electric field across the flow, (y, z); zeros where there is none."""
    field = scene.electric_field[1:]
    strength = float(np.linalg.norm(field))
    return field / strength if strength > 1e-9 else np.zeros(2)


def _map(result: xr.Dataset, scene: Scene) -> str:
    radius = float(np.sqrt(float(result.attrs["surface_area_m2"]) / np.pi)) / EARTH_RADIUS
    place, electric = scene.moon[1:] / EARTH_RADIUS, _electric(scene)
    rows = result["arrival_map"].transpose("species", "arrival_y", "arrival_z").values * _PER_CM2
    turned = float(result.attrs.get("aberration_degrees", 0.0))
    frame = MapFrame(radius, (float(place[0]), float(place[1])), (float(electric[0]), float(electric[1])))
    drawn = draw_arrival(
        result["arrival_y"].values, result["arrival_z"].values, dict(zip(_names(result), rows, strict=True)), frame
    )
    axes = f"GSE turned about Z by the aberration of {turned:.1f}°" if turned else "GSE"
    caption = (
        f"Flux across the flow at the {markup.text(result.attrs['surface'])}, mean over cells of 1 RE, seen from the Sun; axes: "
        f"{axes}. Circle: the area over which the flux is averaged, of {radius:.1f} RE radius. Cross: the Moon, before or behind "
        "the page. In a steady plasma all ions of a species take nearly the same way and arrive on a narrow spot, widened by "
        "the speeds with which they start; the spread of flow and field over the time of the average (speed-spread, imf-spread) "
        "widens it further."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Maps of arrival across the flow, by species")], caption, wide=True)


def _cycloids(result: xr.Dataset, settings: PickupSettings, scene: Scene) -> str:
    electric = _electric(scene)
    if not electric.any():
        return markup.missing(
            "The field is along the flow: there is no electric field and no cycloid.", "Turn the field with --imf."
        )
    moon = np.array([scene.moon[0], float(scene.moon[1:] @ electric)]) / EARTH_RADIUS
    away = float(scene.moon[1] * electric[1] - scene.moon[2] * electric[0]) / EARTH_RADIUS
    paths, arrives = {}, {}
    for name in _names(result):
        path, arrives[name] = _path(scene, name)
        paths[name] = np.stack([path[:, 0], path[:, 1:] @ electric], axis=1) / EARTH_RADIUS
    radius = get_body("Moon").require_value("radius") / EARTH_RADIUS
    drawn = draw_cycloids(Plane((float(moon[0]), float(moon[1])), radius, paths, arrives, _boundaries(settings, scene)))
    hit = [markup.text(species_label(name)) for name in paths if arrives[name]]
    ends = (
        f"A dot marks where the path meets the {markup.text(result.attrs['surface'])} ({', '.join(hit)})."
        if hit
        else ("None of these paths meets the surface where arrivals count; other ions of a spread plasma may.")
    )
    off = (
        f" The Moon lies {abs(away):.1f} RE off the plane through the Earth; its paths are projected." if abs(away) > 0.05 else ""
    )
    along = abs(scene.field[0]) > 1e-3 * float(np.linalg.norm(scene.field))
    off += " The field has a part along the flow, so that ions also drift out of the plane." if along else ""
    caption = (
        "Plane of flow and electric field through the Earth, to scale, the Sun on the left. One ion of each species that starts "
        f"at rest at the centre of the Moon, in the mean plasma. {ends}{off} Boundaries: cuts through the Earth, turned with the "
        "flow."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Cycloids from the Moon to the Earth, to scale")], caption, wide=True)


def _path(scene: Scene, name: str) -> tuple[Array, bool]:
    """Path of one ion that starts at rest at the Moon up to the surface of arrival, m, and whether it gets there."""
    ion = get_species(name)
    strength = float(np.linalg.norm(scene.field))
    across = scene.speed * np.sin(np.radians(max(scene.flow_angle, 1.0)))
    drift = across * np.sin(np.radians(max(scene.flow_angle, 1.0)))
    period = 2.0 * np.pi / (ion.charge / ion.mass * strength)
    last = min(scene.surface.nose if scene.surface.kind == PLANE else -10.0 * EARTH_RADIUS, scene.moon[0] - 20.0 * EARTH_RADIUS)
    time = np.linspace(0.0, (scene.moon[0] - last) / drift + period, _POINTS)
    flow = np.array([-scene.speed, 0.0, 0.0])
    path, _ = cycloid(scene.moon, np.zeros(3), time, flow, scene.field, ion.charge / ion.mass)
    inside = np.array([_outside(scene.surface, point) for point in path]) < 0.0
    hit = int(inside.argmax()) if inside.any() else 0
    if hit:
        return path[: hit + 1], bool(scene.surface.counts(path[hit]))
    beyond = path[:, 0] < last
    return (path[: int(beyond.argmax()) + 1] if beyond.any() else path), False


def _outside(surface: Surface, point: Array) -> float:
    return float(gap(surface.kind, *surface.parameters, float(point[0]), float(np.hypot(point[1], point[2])))[0])


def _boundaries(settings: PickupSettings, scene: Scene) -> dict[str, Array]:
    """Cuts of bow shock, magnetopause, and the plane of arrival, RE."""
    found = {}
    for name in ("bow-shock", "magnetopause"):
        try:
            surface = arrival_surface(name, scene.state, settings.north_field * 1e-9)
        except SettingsError:
            # a slow flow has no bow shock
            continue
        found[surface.name] = _cut(surface)
    if scene.surface.kind == PLANE:
        x, radius = scene.surface.nose / EARTH_RADIUS, scene.surface.radius / EARTH_RADIUS
        found["plane of arrival"] = np.array([[x, -radius], [x, radius]])
    return found


def _cut(surface: Surface) -> Array:
    """Points of a surface of revolution in a plane through its axis, from x = -25 RE to the nose and back."""
    x = np.concatenate([np.linspace(-25.0, 0.0, 40), np.linspace(0.0, 1.0, 80)[1:] ** 0.5 * surface.nose / EARTH_RADIUS])
    heights = []
    for value in x * EARTH_RADIUS:
        low, high = 0.0, 200.0 * EARTH_RADIUS
        for _ in range(60):
            middle = 0.5 * (low + high)
            inside = gap(surface.kind, *surface.parameters, float(value), middle)[0] < 0.0
            low, high = (middle, high) if inside else (low, middle)
        heights.append(high / EARTH_RADIUS)
    upper = np.stack([x, heights], axis=1)
    return np.concatenate([upper, (upper * np.array([1.0, -1.0]))[::-1]])


def _wake(result: xr.Dataset) -> str:
    row = load_table("sources", "lunar_observations").set_index("name").loc["wake_width"]
    names = _names(result)
    drawn = draw_wakes(names, {words: result[key].values for key, words in _WAKES.items()}, float(row["value"]))
    seen = f"{float(row['value']):g} RE, {markup.text(row['source'].rstrip('.'))}"
    caption = f"Width across the flow of the region that lunar ions pass, by species. Dashed: {seen}."
    return markup.figure([markup.image(to_data_uri(drawn), "Width of the wake by species")], caption)


def _observations(result: xr.Dataset) -> str:
    simulated, observed = compare_with_suleica(result)
    row = load_table("sources", "lunar_observations").set_index("name").loc["suleica_intensity"]
    unit = "cm<sup>−2</sup> s<sup>−1</sup> sr<sup>−1</sup> keV<sup>−1</sup>"
    span = f"{float(row['energy_lower_kev']):g} to {float(row['energy_upper_kev']):g} keV"
    said = (
        f"AMPTE/SULEICA saw at least {observed:g} {unit} of ions of m/q 23 to 37 at {span} upstream of the bow shock "
        f"({markup.text(row['source'])}). "
    )
    if not simulated > 0.0:
        return markup.paragraph(f"{said}No ion of these masses and energies arrives here, so there is nothing to compare.")
    names = [species_label(name) for name, chosen in zip(_names(result), suleica_species(result), strict=True) if chosen]
    said += (
        f"The same mean over energy and all directions gives here <strong>{markup.number(simulated, 2)} {unit}</strong> "
        f"({', '.join(map(markup.text, names))}): {_times(observed / simulated)}."
    )
    flux, brightest = result["arrival_flux"].values, result["arrival_map"].max(("arrival_y", "arrival_z")).values
    factors = (brightest / np.where(flux > 0.0, flux, np.nan))[np.isin([species_label(n) for n in _names(result)], names)]
    times = markup.number(float(f"{np.nanmax(factors):.2g}"), 2)
    caveat = (
        "The two are not the same quantity. Here the flux is a mean over the whole area of arrival and over 4 π. The ions come "
        f"as beams on a part of this area, where the flux of a species is up to {times} times its mean, and from a small solid "
        "angle; an instrument in a beam would see more, one outside of it nothing. Other sources of such ions, the Earth among "
        "them, are not excluded by the observation."
    )
    return markup.paragraph(said) + markup.paragraph(caveat)


def _times(ratio: float) -> str:
    if ratio > 1.0:
        return f"lower than observed by a factor {markup.number(ratio, 2)}"
    return f"higher than the lower end observed by a factor {markup.number(1.0 / ratio, 2)}"
