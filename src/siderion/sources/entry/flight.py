"""Flight of bodies through the atmosphere: their ablation, and what elements they release where.

Thermal model (default), for a body of mass m, density rho_m, V = m / rho_m, in air of density rho:

    dv/dt   = -G A m^(-1/3) rho_m^(-2/3) rho v^2 + g cos(chi)
    m c dT/dt = A V^(2/3) L rho v^3 / 2 - 4 A V^(2/3) s e (T^4 - Ta^4) - q |dm/dt|
    dm_i/dt = -4 A V^(2/3) psi (m_i / m) p_i(T) sqrt(m_mol / (2 pi k T))          for each element i

Classical model: dm/dt = -sigma G A V^(2/3) rho v^3, all elements alike. References: Rogers et al. 2005
(doi:10.1016/j.pss.2005.07.002), Hill et al. 2005 (doi:10.1051/0004-6361:20053053), Vondrak et al. 2008
(doi:10.5194/acp-8-7015-2008), Ceplecha et al. 1998 (doi:10.1023/A:1005069928850).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import constants as codata

from siderion.core.constants import BOLTZMANN, ELEMENTARY_CHARGE
from siderion.core.errors import NumericalError, SettingsError
from siderion.core.tables import load_table

from .atmosphere import Atmosphere, Source
from .flight_kernels import END, STEPS, TRACK, Breaking, Limits, fly_all, fly_body
from .ionisation import impact_ionisation, ionisation_source
from .materials import Melt, make_melt
from .rates import FIRST, Air, Body
from .settings import AblationSettings, default_value

Array = NDArray[np.float64]
Sums = tuple[Array, Array, Array, Array, Array]
"""Released (body, group, alt), momentum (body, alt), ionised (body, pair, alt), outside (body, group), ends (body, END)."""
ENTRY_ALTITUDE = 400e3
"""Altitude at which flights begin unless said otherwise, m."""
ENDS = ("ablated", "slowed", "ground", "left", "steps")
"""Ways in which a flight ends; ``end`` of the data sets counts them from 0."""
SPEED_STEP = 50.0
"""Steps of the tables of ionisation, m s-1."""
_FASTEST = 1e5
_CAUSES = {"none": 0, "pressure": 1, "grain_energy": 2, "grain_altitude": 3}
_TRACK_ATTRIBUTES = {
    "altitude": ("km", "altitude above the ground"),
    "speed": ("m s-1", "speed of the body"),
    "zenith_angle": ("degrees", "angle of the path from the vertical"),
    "mass": ("kg", "mass that is left, all fragments"),
    "temperature": ("K", "temperature of the body"),
    "mass_loss_rate": ("kg s-1", "mass lost per time, all fragments"),
    "fragment_count": ("1", "number of fragments"),
}


def fly_bodies(
    mass: ArrayLike,
    speed: ArrayLike,
    zenith_angle: ArrayLike,
    density: ArrayLike,
    atmosphere: Atmosphere,
    settings: AblationSettings | None = None,
    altitude_edges: ArrayLike | None = None,
    *,
    material: str | Mapping[str, float] = "chondritic",
    entry_altitude: float = ENTRY_ALTITUDE,
    elements: Sequence[str] | None = None,
) -> xr.Dataset:
    """Fly bodies through an atmosphere, in parallel.

    Parameters
    ----------
    mass, speed, zenith_angle, density : array (body,) or float
        kg; m s-1 at entry; degrees from the vertical at entry, 0 to 90; kg m-3.
    atmosphere : Atmosphere
        The air.
    settings : AblationSettings, optional
        Model and its numbers.
    altitude_edges : array (alt + 1,), optional
        Edges of the bins of altitude, m, rising; 1 km from 40 to 200 km without them.
    material : str or mapping
        Composition, see `siderion.sources.entry.materials.composition`.
    entry_altitude : float
        Altitude where the flight begins, m.
    elements : sequence of str, optional
        Elements to report; all of the material by default. Sums over elements are those of the ones reported.

    Returns
    -------
    xarray.Dataset
        On ``element``, ``body``, ``alt`` (bin centres, km, with ``alt_bounds``): ``released_mass`` and
        ``impact_ionised_mass`` (kg per bin); ``released_speed(body, alt)`` (m s-1, mass-weighted, missing where nothing is
        released); ``released_outside(element, body)`` (kg, above or below the bins), ``residue_mass(element, body)`` (kg);
        ``final_mass``, ``final_speed``, ``end_altitude`` (km), ``end`` (see `ENDS`), ``half_mass_altitude`` (km),
        ``half_mass_speed``, ``half_mass_air_column`` (kg m-2, vertical; missing where less than half is lost) on ``body``.

    Raises
    ------
    SettingsError
        A number is out of range.
    NumericalError
        A flight did not end within the largest number of steps.
    """
    bodies, chosen = (mass, speed, zenith_angle, density), settings or AblationSettings()
    return fly_with(_fly_compiled, bodies, atmosphere, chosen, altitude_edges, material, entry_altitude, elements)


def fly_with(
    kernel: Callable[[Plan, Array, Array, float], Sums], bodies: Sequence[ArrayLike], atmosphere: Atmosphere,
    settings: AblationSettings, altitude_edges: ArrayLike | None, material: str | Mapping[str, float], entry_altitude: float,
    elements: Sequence[str] | None,
) -> xr.Dataset:  # fmt: skip
    """Check, fly by a kernel and collect; the kernel takes plan, rows of bodies, edges (m) and temperature at entry (K)."""
    rows, edges = _checked_bodies(*bodies), _checked_edges(altitude_edges)
    plan = _plan(settings, atmosphere, material, elements, entry_altitude)
    sums = kernel(plan, rows, edges, settings.body_temperature)
    _check_ends(sums[-1], rows, settings)
    return _collect(rows, edges, plan, *sums, atmosphere, settings)


def _fly_compiled(plan: Plan, rows: Array, edges: Array, temperature: float) -> Sums:
    """All bodies by the compiled kernel."""
    count, groups, bins = rows.shape[1], len(plan.melt.volatility), edges.size - 1
    released, ionised = np.zeros((count, groups, bins)), np.zeros((count, len(plan.pair_group), bins))
    momentum, outside, ends = np.zeros((count, bins)), np.zeros((count, groups)), np.zeros((count, len(END)))
    fly_all(
        np.ascontiguousarray(rows[[0, 3]].T), rows[1], np.radians(rows[2]), temperature, plan.melt.group_fractions,
        plan.melt.volatility, plan.body, plan.air, plan.yields, plan.breaking, plan.limits, plan.pair_group, plan.chances,
        SPEED_STEP, edges, released, momentum, ionised, outside, ends,
    )  # fmt: skip
    return released, momentum, ionised, outside, ends


def fly_one(
    mass: float,
    speed: float,
    zenith_angle: float,
    density: float,
    atmosphere: Atmosphere,
    settings: AblationSettings | None = None,
    altitude_edges: ArrayLike | None = None,
    *,
    material: str | Mapping[str, float] = "chondritic",
    entry_altitude: float = ENTRY_ALTITUDE,
    elements: Sequence[str] | None = None,
) -> xr.Dataset:
    """Fly one body and keep its trajectory.

    Parameters
    ----------
    mass, speed, zenith_angle, density : float
        kg; m s-1; degrees; kg m-3.
    atmosphere, settings, altitude_edges, material, entry_altitude, elements
        As in `fly_bodies`.

    Returns
    -------
    xarray.Dataset
        That of `fly_bodies` without the dimension ``body``, and on ``time`` (s since entry, the steps of the flight)
        ``altitude`` (km), ``speed`` (m s-1), ``zenith_angle`` (degrees), ``mass`` (kg), ``temperature`` (K, thermal
        model only), ``mass_loss_rate`` (kg s-1), ``fragment_count``.

    Raises
    ------
    SettingsError, NumericalError
        As in `fly_bodies`.
    """
    chosen = settings or AblationSettings()
    rows, edges = _checked_bodies(mass, speed, zenith_angle, density), _checked_edges(altitude_edges)
    if rows.shape[1] != 1:
        raise SettingsError(f"fly_one takes one body, not {rows.shape[1]}; use fly_bodies")
    plan = _plan(chosen, atmosphere, material, elements, entry_altitude)
    groups, bins = len(plan.melt.volatility), edges.size - 1
    released, ionised = np.zeros((1, groups, bins)), np.zeros((1, len(plan.pair_group), bins))
    momentum, outside, ends = np.zeros((1, bins)), np.zeros((1, groups)), np.zeros((1, len(END)))
    state = np.zeros(FIRST + groups)
    state[:FIRST] = entry_altitude, 0.5 * rows[1, 0] ** 2, np.radians(rows[2, 0]), chosen.body_temperature
    body = plan.body._replace(unit_mass=float(rows[0, 0]), density=float(rows[3, 0]))
    track = np.zeros((chosen.largest_steps, len(TRACK)))
    length = fly_body(
        state, float(rows[0, 0]), plan.melt.group_fractions, plan.melt.volatility, body, plan.air, plan.yields, plan.breaking,
        plan.limits, plan.pair_group, plan.chances, SPEED_STEP, edges, (released[0], momentum[0], ionised[0], outside[0]),
        ends[0], track,
    )  # fmt: skip
    _check_ends(ends, rows, chosen)
    result = _collect(rows, edges, plan, released, momentum, ionised, outside, ends, atmosphere, chosen).isel(body=0)
    time, *columns = track[:length].T
    for name, values in zip(TRACK[1:], columns, strict=True):
        units, words = _TRACK_ATTRIBUTES[name]
        scaled = values / 1e3 if name == "altitude" else np.degrees(values) if name == "zenith_angle" else values
        result[name] = ("time", scaled, {"units": units, "long_name": words})
    result = result.drop_vars("temperature") if chosen.model == "classical" else result
    return result.assign_coords(time=("time", time, {"units": "s", "long_name": "time since entry"}))


@dataclass(frozen=True)
class Plan:
    """What the kernels need, from settings and material."""

    melt: Melt
    body: Body
    air: Air
    yields: Array
    breaking: Breaking
    limits: Limits
    reported: NDArray[np.int64]
    pair_group: NDArray[np.int64]
    pair: NDArray[np.int64]
    chances: Array
    sources: tuple[Source, ...]


def _plan(
    settings: AblationSettings,
    atmosphere: Atmosphere,
    material: str | Mapping[str, float],
    elements: Sequence[str] | None,
    entry_altitude: float,
) -> Plan:
    bottom = float(atmosphere.altitude[0])
    if not bottom < entry_altitude < np.inf:
        raise SettingsError(f"entry altitude is {entry_altitude / 1e3:g} km; it must be above {bottom / 1e3:g} km")
    melt = make_melt(material, settings.release if settings.model == "thermal" else "uniform")
    names = list(melt.elements if elements is None else elements)
    if (unknown := [name for name in names if name not in melt.elements]) or not names:
        raise SettingsError(f"elements {unknown} are not in the material; it has {', '.join(melt.elements)}")
    reported = np.array([melt.elements.index(name) for name in names])
    speeds = np.arange(0.0, _FASTEST + SPEED_STEP, SPEED_STEP)
    curves = np.array([impact_ionisation(speeds, settings.ionisation, name) for name in names])
    different, curve = np.unique(curves, axis=0, return_inverse=True)
    pairs, pair = np.unique(np.stack([melt.group[reported], curve.ravel()]), axis=1, return_inverse=True)
    air = Air(*atmosphere.kernel_table(entry_altitude, None if settings.surroundings == "air" else settings.body_temperature))
    ends = (settings.tolerance, settings.smallest_share, settings.slowest_speed, settings.largest_steps)
    return Plan(
        melt, _body(settings), air, _yields(), _breaking(settings), Limits(*ends, float(entry_altitude)), reported,
        np.ascontiguousarray(pairs[0]), pair.ravel(), np.ascontiguousarray(different[pairs[1]]),
        _sources(settings, atmosphere, melt),
    )  # fmt: skip


def _body(settings: AblationSettings) -> Body:
    law = load_table("sources", "vapour_pressure").set_index("law").loc[settings.vapour_pressure]
    gram = 1e-3 / codata.Avogadro
    area, whole = settings.shape_area, settings.surfaces == "sphere"
    return Body(
        drag_area=settings.drag_coefficient * area,
        heating_area=area,
        evaporating_area=4.0 * area if whole else area,
        radiating_area=4.0 * area if whole else 4.0,
        heat_transfer=settings.heat_transfer,
        sticking=settings.sticking,
        latent_heat=settings.latent_heat,
        specific_heat=settings.specific_heat,
        radiation=settings.emissivity * codata.Stefan_Boltzmann,
        sigma=settings.sigma * 1e-6,
        density=1.0,
        unit_mass=1.0,
        gravity=float(settings.gravity),
        curved=float(settings.curved),
        classical=settings.model == "classical",
        pressure_log=float((law["a"] - 1.0) * np.log(10.0)),  # dyn cm-2 to Pa: one power of ten
        pressure_slope=float(law["b_k"] * np.log(10.0)),
        molecules=float(np.sqrt(settings.vapour_molar_mass * gram / (2.0 * np.pi * BOLTZMANN))),
        sputtering=default_value("sputtered_molar_mass") / default_value("air_atom_molar_mass") if settings.sputtering else 0.0,
        air_atom=default_value("air_atom_molar_mass") * gram,
    )


def _yields() -> Array:
    table = load_table("sources", "ablation_sputter_yields")
    energy = table["energy_ev"].to_numpy(float) * ELEMENTARY_CHARGE
    return np.ascontiguousarray(np.log(np.stack([energy, table["yield"].to_numpy(float)], axis=1)))


def _breaking(settings: AblationSettings) -> Breaking:
    return Breaking(
        _CAUSES[settings.fragmentation], settings.strength, settings.strength_exponent, float(settings.fragments),
        settings.grain_energy, settings.grain_altitude * 1e3, settings.grain_mass,
    )  # fmt: skip


def _checked_bodies(mass: ArrayLike, speed: ArrayLike, zenith_angle: ArrayLike, density: ArrayLike) -> Array:
    """Rows of mass, speed, zenith angle and density; raises `SettingsError` for what no body can have."""
    try:
        rows = np.array(
            np.broadcast_arrays(*(np.atleast_1d(np.asarray(one, float)) for one in (mass, speed, zenith_angle, density)))
        )
    except ValueError:
        raise SettingsError("mass, speed, zenith angle and density have different numbers of bodies") from None
    if rows.ndim != 2 or not rows.shape[1]:
        raise SettingsError("give at least one body, in one dimension")
    limits = {"mass, kg": (0.0, 1e12), "speed, m s-1": (0.0, _FASTEST), "density, kg m-3": (0.0, 3e4)}
    for (name, (low, high)), values in zip(limits.items(), rows[[0, 1, 3]], strict=True):
        bad = np.flatnonzero(~((values > low) & (values <= high)))
        if bad.size:
            raise SettingsError(f"{name} of body {bad[0]} is {values[bad[0]]:g}; it must be above {low:g} and at most {high:g}")
    bad = np.flatnonzero(~((rows[2] >= 0.0) & (rows[2] <= 90.0)))
    if bad.size:
        raise SettingsError(f"zenith angle of body {bad[0]} is {rows[2, bad[0]]:g} degrees; it must be 0 to 90")
    return rows


def _checked_edges(altitude_edges: ArrayLike | None) -> Array:
    if altitude_edges is None:
        return np.arange(40e3, 200.5e3, 1e3)
    edges = np.asarray(altitude_edges, float)
    if edges.ndim != 1 or edges.size < 2 or not (np.isfinite(edges).all() and (np.diff(edges) > 0.0).all()):
        raise SettingsError("edges of the bins of altitude must be 2 at least, finite and rising, in m")
    return edges


def _check_ends(ends: Array, rows: Array, settings: AblationSettings) -> None:
    failed = np.flatnonzero(ends[:, 3] == STEPS)
    if failed.size:
        mass, speed, zenith, density = rows[:, failed[0]]
        raise NumericalError(
            f"body {failed[0]} ({mass:g} kg, {speed:g} m s-1, {zenith:g} degrees, {density:g} kg m-3) did not end its flight "
            f"within {settings.largest_steps} steps (at {ends[failed[0], 2] / 1e3:.1f} km, {ends[failed[0], 1]:.0f} m s-1); "
            "a path without enough air never ends: give a steeper angle, gravity, or more with largest_steps"
        )


def _collect(
    rows: Array, edges: Array, plan: Plan, released: Array, momentum: Array, ionised: Array, outside: Array, ends: Array,
    atmosphere: Atmosphere, settings: AblationSettings,
) -> xr.Dataset:  # fmt: skip
    """Data set of the flights."""
    melt, kept = plan.melt, plan.reported
    part = melt.fractions[kept] / melt.group_fractions[melt.group[kept]]
    by_element = np.moveaxis(released[:, melt.group[kept]], 1, 0) * part[:, None, None]
    ions = np.moveaxis(ionised[:, plan.pair], 1, 0) * part[:, None, None]
    lost_outside = outside[:, melt.group[kept]].T * part[:, None]
    residue = rows[0] * melt.fractions[kept][:, None] - by_element.sum(axis=2) - lost_outside
    whole = released.sum(axis=1)
    speed = np.divide(momentum, whole, out=np.full(whole.shape, np.nan), where=whole > 0.0)
    end = dict(zip(END, ends.T, strict=True))
    column = np.full(rows.shape[1], np.nan)
    half = np.isfinite(end["half_mass_altitude"])
    column[half] = atmosphere.column_above(end["half_mass_altitude"][half])
    found = ("element", "body", "alt")
    variables = {
        "released_mass": (found, by_element, "kg", "mass of the element released in the bin"),
        "impact_ionised_mass": (found, ions, "kg", "part of the released mass that collisions ionise at once"),
        "released_speed": (("body", "alt"), speed, "m s-1", "speed at release, weighted with mass; missing where nothing is"),
        "released_outside": (("element", "body"), lost_outside, "kg", "mass released above or below the bins"),
        "residue_mass": (("element", "body"), np.maximum(residue, 0.0), "kg", "mass of the element that is not released"),
        "end": ("body", end["end"].astype(np.int16), "1", "how the flight ended"),
        "initial_mass": ("body", rows[0], "kg", "mass at entry"),
        "final_mass": ("body", end["final_mass"], "kg", "mass at the end of the flight"),
        "final_speed": ("body", end["final_speed"], "m s-1", "speed at the end of the flight"),
        "end_altitude": ("body", end["end_altitude"] / 1e3, "km", "altitude of the end of the flight"),
        "half_mass_altitude": ("body", end["half_mass_altitude"] / 1e3, "km", "altitude where half of the mass is left"),
        "half_mass_speed": ("body", end["half_mass_speed"], "m s-1", "speed where half of the mass is left"),
        "half_mass_air_column": ("body", column, "kg m-2", "vertical column of air above the point of half mass"),
        "highest_temperature": ("body", end["highest_temperature"], "K", "highest temperature of the body"),
        "break_altitude": ("body", end["break_altitude"] / 1e3, "km", "altitude of the first break; missing where never"),
        "final_fragment_count": ("body", end["fragment_count"], "1", "number of fragments at the end"),
        "step_count": ("body", end["steps"].astype(np.int32), "1", "steps of the integration"),
    }
    result = xr.Dataset({name: (dims, data, {"units": u, "long_name": w}) for name, (dims, data, u, w) in variables.items()})
    result = result.drop_vars("highest_temperature") if settings.model == "classical" else result
    result["end"].attrs |= {"flag_values": np.arange(4, dtype=np.int16), "flag_meanings": " ".join(ENDS[:4])}
    centres = 0.5e-3 * (edges[1:] + edges[:-1])
    result = result.assign_coords(
        element=[melt.elements[k] for k in kept],
        alt=("alt", centres, {"units": "km", "long_name": "altitude above the ground", "bounds": "alt_bounds"}),
    )
    result["alt_bounds"] = (("alt", "bound"), 1e-3 * np.stack([edges[:-1], edges[1:]], axis=1), {"units": "km"})
    result.attrs = {
        "title": "Ablation of bodies that enter the atmosphere",
        "kind": "siderion ablation",
        "atmosphere": atmosphere.name,
        "settings": json.dumps(settings.model_dump(mode="json")),
        "sources": json.dumps([dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in plan.sources]),
    }
    return result


def _sources(settings: AblationSettings, atmosphere: Atmosphere, melt: Melt) -> tuple[Source, ...]:
    """What the result rests on."""
    if settings.model == "classical":
        ablation = ("ablation", "classical, ablation coefficient", "unverified",
                    "Ceplecha et al. 1998, doi:10.1023/A:1005069928850")  # fmt: skip
    else:
        ablation = ("ablation", f"heat balance, {settings.vapour_pressure} vapour pressure, surfaces: {settings.surfaces}",
                    "unverified", "Rogers et al. 2005; Hill et al. 2005; siderion/sources/tables/ablation.csv")  # fmt: skip
    found = [atmosphere.source, ablation, ionisation_source(settings.ionisation)]
    found.append(("elements", "composition and release temperatures", melt.confidence,
                  "siderion/sources/tables/compositions.csv, elements_release.csv"))  # fmt: skip
    if settings.sputtering:
        found.append(("sputtering", "yields of molecules of air", "unverified",
                      "siderion/sources/tables/ablation_sputter_yields.csv"))  # fmt: skip
    if settings.fragmentation != "none":
        found.append(("fragmentation", settings.fragmentation, "unverified", "siderion/sources/tables/ablation.csv"))
    return tuple(found)


__all__ = ["ENDS", "ENTRY_ALTITUDE", "fly_bodies", "fly_one"]
