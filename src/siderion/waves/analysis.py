"""The main path: a field series becomes windows, events and densities."""

from __future__ import annotations

import json
from importlib.metadata import version

import numpy as np
import xarray as xr

from siderion.chemistry.photo_rates import photo_rate_confidence
from siderion.core.bodies import ASTRONOMICAL_UNIT, Body, get_body
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.expected_ions import expected_species
from siderion.core.species import PARENTS, parent_neutral
from siderion.geospace.regions import FORESHOCK, MAGNETOSHEATH, MAGNETOSPHERE, SOLAR_WIND, region_mask

from .conventions import get_convention
from .criteria import NO_SPECTRUM, Rejection
from .densities import add_densities, event_densities
from .density_settings import resolve_plasma
from .events import add_ambiguities, find_events, reject_lonely_windows
from .examples import event_examples
from .plans import wave_ion
from .settings import WaveSettings
from .windows import measure_windows

_FARTHEST = 1000.0
_KEPT = {
    "solar_wind": (SOLAR_WIND, FORESHOCK),
    "magnetosheath": (MAGNETOSHEATH,),
    "magnetosphere": (MAGNETOSPHERE,),
}


def make_wave_settings(values: dict) -> WaveSettings:
    """Settings of an analysis; without ``species`` those that are expected at the body.

    Raises
    ------
    SettingsError
        A value breaks its rule, or no ions are given or expected.
    """
    if not values.get("species"):
        if "body" not in values:
            raise SettingsError("no body: give one with --body, such as --body mercury")
        values = {**values, "species": list(expected_species(get_body(str(values["body"])).name))}
    settings = WaveSettings.make(values)
    for name in settings.species:
        wave_ion(name)
    repeated = [name for name in settings.species if settings.species.count(name) > 1]
    if repeated:
        raise SettingsError(f"species {repeated[0]} is given twice")
    unknown = [name for name in settings.plasma.photo_rate or () if name not in settings.species]
    if unknown:
        raise SettingsError(f"plasma.photo_rate names {unknown[0]}, which is not sought; ions: {', '.join(settings.species)}")
    get_convention(settings.convention)
    resolve_plasma(settings.plasma, body_of(settings))
    return settings


def body_of(settings: WaveSettings) -> Body:
    """Body with the values of the settings in place of those of the preset."""
    given = {}
    if settings.distance is not None:
        given["distance"] = settings.distance * ASTRONOMICAL_UNIT
    if settings.body_radius is not None:
        given["radius"] = settings.body_radius * 1e3
    return get_body(settings.body).with_values(**given)


def analyse_waves(series: xr.Dataset, settings: WaveSettings, crossings: xr.Dataset | None = None) -> xr.DataTree:
    """Find ion cyclotron waves in a field series and turn their power into densities of ions and neutrals.

    Parameters
    ----------
    series : xarray.Dataset
        ``magnetic_field(time, component)`` in nT, ``position(time, component)`` in km from the centre of the body (optional,
        needed for regions, profiles and the foreshock), attributes ``frame`` and ``position_frame``; from
        `siderion.io.magnetometer.read_magnetometer`.
    settings : WaveSettings
        From `make_wave_settings`.
    crossings : xarray.Dataset, optional
        Intervals of regions from `siderion.io.crossings.read_crossings`, in place of boundary models.

    Returns
    -------
    xarray.DataTree
        Groups ``windows`` (by time and species), ``events`` and ``examples`` (series and spectra of the strongest events).

    Raises
    ------
    DataError
        The series is empty, too short, constant or resolves none of the ions.
    SettingsError
        A region was asked for that cannot be told from the series.
    """
    body = body_of(settings)
    windows = measure_windows(series, settings.species, settings.detection)
    windows.attrs.update({key: series.attrs[key] for key in ("frame", "position_frame", "source_format") if key in series.attrs})
    _check_distance(windows, body)
    windows = _judge_regions(windows, settings, body, crossings)
    windows = reject_lonely_windows(windows, settings.detection)
    plasma = resolve_plasma(settings.plasma, body)
    windows = add_densities(
        windows, body, plasma, settings.plasma, get_convention(settings.convention), settings.uncertainty, settings.background
    )
    events = add_ambiguities(event_densities(find_events(windows), windows), _candidates(settings, body))
    examples = event_examples(series, events, settings)
    attributes = _attributes(windows, settings, body)
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=attributes),
            "windows": windows.assign_attrs(attributes),
            "events": events.assign_attrs(attributes),
            "examples": examples,
        }
    )


def _check_distance(windows: xr.Dataset, body: Body) -> None:
    """Raise `DataError` where positions cannot be those from the centre of the body: comets apart, farther than 1000 radii."""
    if "radial_distance" not in windows:
        return
    radii = windows["radial_distance"].values * 1e3 / float(body.require("radius"))  # type: ignore[arg-type]
    wrong = (radii < 0.9) | ((radii > _FARTHEST) & (body.kind != "comet"))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise DataError(
            f"position at {windows['time'].values[k]} is {radii[k]:.3g} radii from the centre of {body.name}; positions are in "
            "km from its centre: check body and units (--position-units), or leave the position out with --position-units none"
        )


def _candidates(settings: WaveSettings, body: Body) -> tuple[str, ...]:
    """Ions that could be meant by a wave: those sought, those expected at the body, and the classical confusions."""
    try:
        expected = expected_species(body.name)
    except CoverageError:
        expected = ()
    return tuple(dict.fromkeys((*settings.species, *expected, "H+", "D+", "H2+", "He++", "He+", "O2+", "S+")))


def _judge_regions(windows: xr.Dataset, settings: WaveSettings, body: Body, crossings: xr.Dataset | None) -> xr.Dataset:
    """Add ``region(time)`` where it can be known, and reject windows outside the region asked for and foreshock waves."""
    wanted = settings.region.keep != "all" or crossings is not None
    try:
        regions = _regions(windows, settings, body, crossings)
    except (CoverageError, SettingsError) as error:
        if wanted:
            raise SettingsError(f"region {settings.region.keep!r} cannot be told: {error}") from error
        windows.attrs["region_source"] = f"not known: {error}"
        return windows
    result = windows.copy()
    result["region"] = ("time", regions["region"].values, regions["region"].attrs)
    if "connection_distance" in regions:
        result["connection_distance"] = ("time", regions["connection_distance"].values)
    result.attrs.update({key: regions.attrs[key] for key in ("region_source", "foreshock_source") if key in regions.attrs})
    reasons = windows["rejection"].values.copy()
    flags = regions["region"].values
    if settings.region.keep != "all":
        outside = ~np.isin(flags, _KEPT[settings.region.keep])
        reasons[outside] |= int(Rejection.OUTSIDE_REGION)
    rule = settings.detection.rejection
    if rule.foreshock != "off":
        proton = wave_ion("H+").charge_to_mass
        for k, name in enumerate(settings.species):
            slow = wave_ion(name).charge_to_mass < rule.foreshock_ratio * proton
            if slow or rule.foreshock == "all":
                judged = (flags == FORESHOCK) & ((reasons[:, k] & int(NO_SPECTRUM)) == 0)
                reasons[judged, k] |= int(Rejection.FORESHOCK)
    result["rejection"] = windows["rejection"].copy(data=reasons)
    result["detected"] = windows["detected"].copy(data=reasons == 0)
    return result


def _regions(windows: xr.Dataset, settings: WaveSettings, body: Body, crossings: xr.Dataset | None) -> xr.Dataset:
    frame, place = windows.attrs.get("frame", ""), windows.attrs.get("position_frame", "")
    if crossings is not None:
        return region_mask(windows["time"].values, body=body.name, crossings=crossings)
    if "position" not in windows:
        raise SettingsError("the series has no position; give a list of crossings with --regions")
    field = windows["mean_magnetic_field"].transpose("time", "component").values
    if place and frame.lower() != place.lower():
        raise SettingsError(f"field and position are in different frames, {frame!r} and {place!r}; transform one of them")
    speed = settings.plasma.speed
    return region_mask(
        windows["time"].values, windows["position"].transpose("time", "component").values, field, body=body.name, frame=frame,
        shock_model=settings.region.shock_model, inner_model=settings.region.inner_model, flow_speed=speed,
        tail_limit=settings.region.tail_limit,
    )  # fmt: skip


def _attributes(windows: xr.Dataset, settings: WaveSettings, body: Body) -> dict[str, object]:
    return windows.attrs | {
        "title": f"Ion cyclotron waves at {body.name}: windows, events and densities",
        "Conventions": "CF-1.11",
        "siderion_version": version("siderion"),
        "kind": "siderion waves",
        "body": body.name,
        "body_radius_km": float(body.require("radius")) / 1e3,  # type: ignore[arg-type]
        "convention": settings.convention,
        "settings": settings.model_dump_json(),
        "sources": json.dumps(_sources(windows, settings)),
    }


def _sources(windows: xr.Dataset, settings: WaveSettings) -> list[dict[str, str]]:
    """Citations of what the analysis rests on, with the confidence of what it used."""
    convention = get_convention(settings.convention)
    neutrals = [parent_neutral(name) for name in settings.species if " " not in name or name in PARENTS]
    found = [
        ("criteria and densities", "ion cyclotron waves to neutral densities", "verified",
         "Lammer et al. 2025, doi:10.3389/fspas.2024.1499346"),
        ("criteria", "band, ellipticity, degree of polarisation", "unverified",
         "Schmid et al. 2022, as described by Lammer et al. 2025"),
        ("energy transfer", f"{convention.transfer_efficiency:g} of the free energy, convention {convention.name}", "unverified",
         "Cowee et al. 2007, doi:10.1029/2006JA012230, as cited by Lammer et al. 2025"),
        ("photo-ionisation rates", "rates at 1 au", photo_rate_confidence(neutrals, settings.plasma.activity),
         "Huebner & Mukherjee 2015, doi:10.1016/j.pss.2014.11.022 (quiet Sun); siderion/chemistry/tables/photo_rates.csv"),
        ("body and plasma", f"preset {settings.body}", "unverified", "siderion/core/tables/bodies.csv"),
    ]  # fmt: skip
    if str(windows.attrs.get("region_source", "")).startswith("boundary models"):
        found.append(("regions", windows.attrs["region_source"], "unverified", "siderion/geospace/tables/boundaries.csv"))
    return [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in found]
