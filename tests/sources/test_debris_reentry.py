"""Re-entry of whole objects, and the event and the rate made of it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import CoverageError, SettingsError
from siderion.sources.debris.event import debris_event, ground_track, heading_of_orbit
from siderion.sources.debris.parts import element_fractions, get_material, get_parts, material_names
from siderion.sources.debris.rate import debris_rate
from siderion.sources.debris.reentry import fly_reentry
from siderion.sources.debris.settings import ReentrySettings
from siderion.sources.entry.atmosphere import Atmosphere, standard_atmosphere

AIR = standard_atmosphere()
ONE_PART = {"structure": {"material": "aluminium", "mass_fraction": 1.0, "object_mass": 2.0, "bulk_density": 450.0}}


@pytest.fixture(scope="module")
def satellite() -> xr.Dataset:
    return fly_reentry(1000.0, "satellite", ReentrySettings(), AIR)


def budget(entry: xr.Dataset) -> float:
    return float(entry["released_mass"].sum() + entry["final_mass"].sum())


@pytest.mark.parametrize("name", material_names())
def test_elements_of_every_material_add_up(name: str) -> None:
    assert sum(get_material(name).elements.values()) == pytest.approx(1.0, abs=1e-9)
    assert get_material(name, "vaporisation").ablation_heat > get_material(name).ablation_heat


@pytest.mark.parametrize("name", ["satellite", "rocket_stage"])
def test_elements_of_the_objects_add_up(name: str) -> None:
    assert sum(element_fractions(name).values()) == pytest.approx(1.0, abs=1e-9)


@given(
    mass=st.floats(20.0, 8000.0), speed=st.floats(7.4, 8.0), slope=st.floats(-6.0, -0.4),
    break_up=st.sampled_from(["altitude", "dynamic_pressure", "melting"]), name=st.sampled_from(["satellite", "rocket_stage"]),
)  # fmt: skip
@hypothesis_settings(max_examples=15, deadline=None)
def test_released_and_surviving_mass_is_the_initial_mass(
    mass: float, speed: float, slope: float, break_up: str, name: str
) -> None:
    settings = ReentrySettings(speed=speed, flight_path_angle=slope, break_up=break_up)
    entry = fly_reentry(mass, name, settings, AIR)
    assert budget(entry) == pytest.approx(mass, rel=1e-10)
    assert float(entry["released_mass"].min()) >= 0.0


@pytest.mark.parametrize(
    ("mass", "low", "high"), [(20.0, 95.0, 96.0), (100.0, 89.0, 90.5), (500.0, 87.0, 88.5), (8000.0, 87.0, 88.5)]
)
def test_onset_of_the_release(mass: float, low: float, high: float) -> None:
    """Lumps and spheres warm up late: far below the 110 km of section 2.3.4 of the review, the lower the heavier."""
    entry = fly_reentry(mass, "satellite", ReentrySettings(bin_width=0.25), AIR)
    begun = entry["alt_bounds"].isel(bound=1).where(entry["released_mass"].sum(("element", "part")) > 0.0)
    assert low < float(begun.max()) < high


def test_a_large_satellite_sheds_most_below_80_km(satellite: xr.Dataset) -> None:
    """Section 2.3.4 of the review: the main part of the loss is below 80 km for some 100 kg and more."""
    shed = satellite["released_mass"].sum(("element", "part"))
    alt = satellite["alt"]
    assert 0.5 < float(shed.where(alt < 80.0, 0.0).sum() / shed.sum()) < 1.0
    assert float(alt.where(shed > 0.0).max()) > 80.0


def test_tanks_of_titanium_survive_and_the_structure_does_not(satellite: xr.Dataset) -> None:
    assert not bool(satellite["demised"].sel(part="tank"))
    assert bool(satellite["demised"].sel(part="structure"))
    assert float(satellite["break_up_altitude"]) == pytest.approx(78.0, abs=1e-6)


def test_break_up_by_pressure_happens_at_that_pressure() -> None:
    entry = fly_reentry(250.0, "satellite", ReentrySettings(break_up="dynamic_pressure", break_up_pressure=500.0), AIR)
    density = AIR.density_at(float(entry["break_up_altitude"]) * 1e3)
    # the kernel reads a table of the atmosphere, straight in the logarithm every 250 m
    assert 0.5 * density * float(entry["break_up_speed"]) ** 2 == pytest.approx(500.0, rel=1e-3)


def test_break_up_by_melting_happens_at_the_melting_point() -> None:
    entry = fly_reentry(250.0, "satellite", ReentrySettings(break_up="melting"), AIR)
    whole = entry["record_temperature"].values[entry["record_part"].values == "whole"]
    assert whole[-1] == pytest.approx(get_material("aluminium").ablation_temperature, rel=1e-9)


def test_steeper_entries_release_lower() -> None:
    means = []
    for slope in (-0.5, -2.0, -6.0):
        entry = fly_reentry(500.0, ONE_PART, ReentrySettings(flight_path_angle=slope), AIR)
        shed = entry["released_mass"].sum(("element", "part"))
        means.append(float((shed * entry["alt"]).sum() / shed.sum()))
    assert means[0] > means[1] > means[2]


def test_lumps_never_reach_their_boiling_point() -> None:
    """With vaporisation alone the lump radiates all heat away before it boils: the lower end of the release."""
    entry = fly_reentry(250.0, ONE_PART, ReentrySettings(removal="vaporisation"), AIR)
    hottest = float(entry["record_temperature"].max())
    assert hottest < get_material("aluminium", "vaporisation").ablation_temperature
    assert float(entry["final_mass"].sum()) == 250.0


@pytest.mark.parametrize(
    ("parts", "match"),
    [
        ("cubesat", "is unknown"),
        ({"structure": {**ONE_PART["structure"], "mass_fraction": 0.9}}, "must add up to 1"),
        ({"structure": {**ONE_PART["structure"], "material": "wood"}}, "'wood' is unknown"),
        ({"structure": {**ONE_PART["structure"], "elements": {"Al": 0.5}}}, "must add up to 1"),
        ({"structure": {**ONE_PART["structure"], "bulk_density": -1.0}}, "structure.*bulk_density"),
        ({"structure": {**ONE_PART["structure"], "separation_altitude": 90.0}}, "shell"),
    ],
)
def test_bad_compositions_are_refused(parts: object, match: str) -> None:
    with pytest.raises((SettingsError, CoverageError), match=match):
        fly_reentry(250.0, parts, ReentrySettings(), AIR)  # type: ignore[arg-type]


def test_an_own_alloy_is_released() -> None:
    parts = {"structure": {**ONE_PART["structure"], "elements": {"Ti": 0.25, "Li": 0.75}}}
    entry = fly_reentry(250.0, parts, ReentrySettings(), AIR)
    released = entry["released_mass"].sum(("part", "alt"))
    assert float(released.sel(element="Li") / released.sel(element="Ti")) == pytest.approx(3.0)
    assert get_parts(parts)["structure"].number(250.0) == 125


def test_break_up_above_the_start_is_refused() -> None:
    with pytest.raises(SettingsError, match="must lie below entry_altitude"):
        fly_reentry(250.0, "satellite", ReentrySettings(entry_altitude=95.0, break_up_altitude=100.0), AIR)


def event(**values: object) -> xr.Dataset:
    place = {"time": "2024-06-01T12:00", "latitude": 70.0, "longitude": 20.0, "heading": 30.0}
    own = {key: values.pop(key) for key in ("anchor", *place) if key in values}
    return debris_event(1000.0, "satellite", ReentrySettings(**values), AIR, **(place | own))  # type: ignore[arg-type]


def test_masses_of_an_event_add_up_by_element() -> None:
    one = event(vapour_share=0.3, ion_share=0.2)
    parts = one["layer_mass"] + one["oxidised_mass"] + one["droplet_mass"] + one["surviving_mass"]
    np.testing.assert_allclose(parts, one["element_mass"], rtol=1e-9)
    assert float(one["element_mass"].sum()) == pytest.approx(1000.0)
    atoms = (one["released_atoms"] + one["released_ions"]).sum("point")
    # standard atomic weight of aluminium 26.982
    assert float(atoms.sel(species="Al")) * 26.982 * ATOMIC_MASS == pytest.approx(
        float(one["layer_mass"].sel(species="Al")), rel=1e-4
    )
    np.testing.assert_allclose(one["released_ions"], 0.25 * one["released_atoms"], rtol=1e-12)
    assert (one["point_alt"] >= 80.0).all()


def test_impact_makes_no_ions_below_10_km_s() -> None:
    assert float(event()["released_ions"].sum()) == 0.0
    assert float(event()["released_atoms"].sum()) > 1e25


def test_points_lie_on_the_track_and_in_order() -> None:
    one = event(anchor="break_up", heading=0.0, layer_floor=60.0)
    # due north along the meridian: longitude stays, latitude of every part rises with time
    np.testing.assert_allclose(one["point_lon"], 20.0, atol=1e-9)
    for part in np.unique(one["point_part"]):
        points = one.isel(point=one["point_part"].values == part)
        order = np.argsort(points["point_time"].values)
        assert (np.diff(points["point_lat"].values[order]) > 0.0).all()
        assert (np.diff(points["point_alt"].values[order]) <= 0.0).all()
    before = one["point_time"].values < np.datetime64("2024-06-01T12:00")
    np.testing.assert_array_equal(before, one["point_lat"].values < 70.0)
    assert before.any()
    assert not before.all()


def test_points_fill_the_track() -> None:
    """Neighbours of a part are closer than the width of a point, and the points add up to the bins."""
    one = event(heading=0.0)
    radius = 6371.2 + one["point_alt"].values
    for part in np.unique(one["point_part"]):
        own = one["point_part"].values == part
        order = np.argsort(one["point_angle"].values[own])
        gaps = np.diff(one["point_angle"].values[own][order]) * radius[own][order][1:]
        assert 0.0 < gaps.min() <= gaps.max() < 5.0
        times = one["point_time"].values[own][order].astype("datetime64[ns]").astype(float) * 1e-9
        # as fast as the object flies, nearly level
        shed = one.sel(part=part).isel(alt=(one["alt"] > 80.0) & (one["released_speed"].sel(part=part) > 0.0))
        pace = 1e3 * gaps / np.diff(times)
        assert 0.98 * float(shed["released_speed"].min()) < pace.min() <= pace.max() < 1.02 * float(shed["released_speed"].max())
    # due north: the angle from the anchor is the latitude above that of the anchor
    np.testing.assert_allclose(one["point_lat"], 70.0 + np.degrees(one["point_angle"]), atol=1e-6)
    kilograms = one["released_mass"].where(one["alt"] > 80.0, 0.0).sum("part")
    for alt in np.unique(one["point_alt"]):
        mass = (one["released_atoms"].sel(species="Al").values[one["point_alt"].values == alt]).sum() * 26.982 * ATOMIC_MASS
        assert mass == pytest.approx(float(kilograms.sel(species="Al", alt=alt)), rel=1e-4)
    wide = event(heading=0.0, point_width=1000.0)
    assert wide.sizes["point"] < one.sizes["point"] / 5
    np.testing.assert_allclose(wide["released_atoms"].sum("point"), one["released_atoms"].sum("point"), rtol=1e-12)


def test_the_anchor_is_the_break_up_and_points_precede_it() -> None:
    one = event()
    assert json.loads(one.attrs["settings"])["anchor"] == "break_up"
    early = (np.datetime64("2024-06-01T12:00") - one["point_time"].values.min()) / np.timedelta64(1, "s")
    assert 80.0 < early < 120.0
    assert f"the first point precedes the date by {early:.0f} s" in one.attrs["notes"]


@pytest.mark.parametrize("width", [1.0, 0.7, 3.0])
def test_an_edge_lies_on_the_floor(width: float) -> None:
    fine = event(bin_width=0.05, point_width=100.0)["layer_mass"]
    one = event(bin_width=width, point_width=100.0)
    assert 80.0 in one["alt_bounds"].values
    # steps of the flight are put in bins by their middle; one sinks by less than 50 m
    np.testing.assert_allclose(one["layer_mass"], fine, rtol=5e-3)
    assert float(one["point_alt"].min()) > 80.0


def test_parts_set_free_below_the_floor_do_not_reach_the_layer() -> None:
    one = event()
    for name in ("Li", "Ti", "Fe", "Ni"):
        assert float(one["layer_mass"].sel(species=name)) == 0.0
    assert "cannot reach the layer" in one.attrs["notes"]
    high = event(break_up_altitude=85.0)
    assert "cannot reach the layer" not in high.attrs["notes"]
    assert float(high["layer_mass"].sel(species="Fe")) > 1.0


def test_the_example_of_the_page_puts_lithium_and_titanium_into_the_layer() -> None:
    page = (Path(__file__).parents[2] / "docs" / "debris.md").read_text(encoding="utf-8")
    block = page.partition("```toml\n# painted.toml")[2].partition("```")[0]
    place = {"time": "2024-06-01T12:00", "latitude": 70.0, "longitude": 20.0, "heading": 10.0}
    one = debris_event(300.0, tomllib.loads(block), ReentrySettings(break_up_altitude=90.0), AIR, **place)  # type: ignore[arg-type]
    for name in ("Al", "Li", "Ti"):
        assert float(one["layer_mass"].sel(species=name) / one["element_mass"].sel(species=name)) > 0.5


def test_sources_name_the_assumptions_that_decide() -> None:
    one = event(vapour_share=0.5)
    rows = {row["what"]: row for row in json.loads(one.attrs["sources"])}
    for what in ("speed at the start", "angle of entry", "floor of the layer", "drag", "size of the whole", "width of a trail"):
        assert rows[what]["confidence"] in ("verified", "computed", "unverified")
    assert rows["floor of the layer"]["confidence"] == "verified"
    assert rows["share of the melt that turns to atoms"] == {
        "what": "share of the melt that turns to atoms", "model": "0.5", "confidence": "unverified",
        "citation": "stated by the user",
    }  # fmt: skip
    assert "upper limit" not in one.attrs["notes"]
    rate = debris_rate("2019", ReentrySettings(), AIR)
    assert "upper limit" in rate.attrs["notes"]
    found = {row["what"]: row["model"] for row in json.loads(rate.attrs["sources"])}
    assert found["masses of the mean objects"] == "satellite 500 kg, rocket_stage 4000 kg"
    assert found["shares of the objects in the mass"] == "satellite 0.5, rocket_stage 0.5"


def test_speed_over_ground_is_that_of_the_object() -> None:
    one = event(anchor="start", latitude=0.0, longitude=0.0, heading=90.0, layer_floor=60.0)
    rows = one.isel(record=one["record_part"].values == "whole")
    time, angle, speed = (rows[f"record_{name}"].values for name in ("time", "angle", "speed"))
    over_ground = np.gradient(angle, time)[1:-1] * (6371.2e3 + 1e3 * rows["record_altitude"].values[1:-1])
    np.testing.assert_allclose(over_ground, speed[1:-1], rtol=2e-3)  # the path is within 1.5 degrees of the horizontal
    assert float(one["point_lon"].max()) == pytest.approx(float(np.degrees(rows["record_angle"].max())), abs=8.0)


def test_ground_track_is_a_great_circle() -> None:
    lat, lon = ground_track(0.0, 0.0, 90.0, np.radians([0.0, 30.0, 180.0]))
    np.testing.assert_allclose(lat, 0.0, atol=1e-9)
    np.testing.assert_allclose(np.abs(lon), [0.0, 30.0, 180.0], atol=1e-9)
    # of inclination 60 from the equator: after a quarter circle at latitude 60
    lat, _ = ground_track(0.0, 10.0, heading_of_orbit(60.0, 0.0), np.radians([90.0]))
    assert lat[0] == pytest.approx(60.0)
    with pytest.raises(SettingsError, match="reaches 53"):
        heading_of_orbit(53.0, 70.0)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("time", "noon", "no time"),
        ("latitude", 95.0, "latitude"),
        ("anchor", "end", "anchor"),
        ("longitude", 2000.0, "longitude"),
    ],
)
def test_bad_places_are_refused(name: str, value: object, match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        event(**{name: value})


@pytest.mark.parametrize("mass", [1e9, 1e-9, float("nan"), 0.0])
def test_masses_out_of_range_are_refused(mass: float) -> None:
    with pytest.raises(SettingsError, match=r"from 0\.001 to 1e\+06 kg"):
        fly_reentry(mass, "satellite", ReentrySettings(), AIR)


def test_the_atmosphere_is_named(satellite: xr.Dataset) -> None:
    assert isinstance(AIR, Atmosphere)
    assert satellite.attrs["atmosphere"] == AIR.name


def test_the_page_lists_every_setting() -> None:
    page = (Path(__file__).parents[2] / "docs" / "debris.md").read_text(encoding="utf-8")
    for name, field in ReentrySettings.model_fields.items():
        assert f"| `{name}` | {field.description} |" in page


def test_small_objects_release_higher() -> None:
    def mean(mass: float) -> float:
        entry = fly_reentry(mass, "satellite", ReentrySettings(), AIR)
        shed = entry["released_mass"].sum(("element", "part"))
        return float((shed * entry["alt"]).sum() / shed.sum())

    assert mean(20.0) > mean(200.0) > mean(2000.0)
