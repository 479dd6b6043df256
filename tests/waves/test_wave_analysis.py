"""The whole path: foreshock by geometry, regions, densities in detected windows, examples, ambiguity."""

import json

import numpy as np
import pytest
import xarray as xr
from scipy import constants
from synthetic_waves import coloured_noise, cyclotron_packet, foreshock_train

from siderion.core.bodies import get_body
from siderion.core.errors import SettingsError, SiderionError
from siderion.waves.analysis import analyse_waves, make_wave_settings
from siderion.waves.criteria import Rejection

START = np.datetime64("2012-03-01", "ns")
HELIUM = constants.elementary_charge / (4.0021 * constants.atomic_mass)
PROTON = constants.elementary_charge / constants.proton_mass


def series(time, field, place=None, **attrs):
    times = START + np.round(time * 1e9).astype("timedelta64[ns]")
    data = xr.Dataset({"magnetic_field": (("time", "component"), field, {"units": "nT"})}, coords={"time": times})
    if place is not None:
        data["position"] = (("time", "component"), np.tile(np.asarray(place, dtype=float), (time.size, 1)), {"units": "km"})
    return data.assign_attrs({"frame": "unknown", "position_frame": "unknown", **attrs})


def upstream(direction, wave="foreshock", duration=6000.0):
    """10 nT upstream of the nose of the bow shock of Venus, waves of 26 s: those of He+ or of the foreshock."""
    rng = np.random.default_rng(31)
    time = np.arange(0.0, duration, 1.0)
    field = np.tile(10.0 * np.asarray(direction, dtype=float), (time.size, 1))
    noise = coloured_noise(rng, time.size, 1.0, 5 / 3, 1e-2, 0.1, corner=0.003)
    if wave == "foreshock":
        added = foreshock_train(rng, time, field, 1.5, period=26.2)
    else:
        added = cyclotron_packet(rng, time, field, HELIUM, 1.5, coherence_time=400.0)
    place = [3.0 * get_body("Venus").radius / 1e3, 0.0, 0.0]
    return series(time, field + noise + added, place, frame="VSO", position_frame="VSO")


def analysis(data, species, **values):
    return analyse_waves(data, make_wave_settings({"body": "Venus", "species": species, **values}))


def measured(windows, name):
    reasons = windows["rejection"].sel(species=name).values
    return reasons[(reasons & 3) == 0]


def test_foreshock_waves_are_rejected_on_field_lines_to_the_shock():
    """A field along x from the nose region meets the shock; He+ (1/4 of fc of H+) is rejected, with the reason."""
    windows = analysis(upstream([1.0, 0.0, 0.0]), ["He+"])["windows"].to_dataset()
    assert not windows.detected.any()
    assert ((measured(windows, "He+") & int(Rejection.FORESHOCK)) != 0).all()
    assert len(measured(windows, "He+")) > 20
    off = analysis(upstream([1.0, 0.0, 0.0]), ["He+"], detection={"rejection": {"foreshock": "off"}})["windows"].to_dataset()
    assert off.detected.any()


def test_helium_waves_off_the_shock_are_kept():
    """A field across x, upstream of the nose, never meets the shock."""
    result = analysis(upstream([0.0, 0.0, 1.0], "helium"), ["He+"])
    windows = result["windows"].to_dataset()
    assert (measured(windows, "He+") == 0).mean() > 0.9
    assert result["events"].to_dataset().sizes["event"] >= 1


def test_foreshock_rule_spares_protons_unless_asked():
    data = upstream([1.0, 0.0, 0.0])
    windows = analysis(data, ["He+", "H+"])["windows"].to_dataset()
    assert not (measured(windows, "H+") & int(Rejection.FORESHOCK)).any()
    windows = analysis(data, ["He+", "H+"], detection={"rejection": {"foreshock": "all"}})["windows"].to_dataset()
    assert ((measured(windows, "H+") & int(Rejection.FORESHOCK)) != 0).all()


def test_region_that_was_asked_for():
    windows = analysis(upstream([0.0, 0.0, 1.0], "helium"), ["He+"], region={"keep": "magnetosheath"})["windows"].to_dataset()
    assert not windows.detected.any()
    assert ((measured(windows, "He+") & int(Rejection.OUTSIDE_REGION)) != 0).all()


def test_region_that_cannot_be_told_is_an_error_with_the_reason():
    data = upstream([0.0, 0.0, 1.0], "helium")
    with pytest.raises(SettingsError, match="no position"):
        analysis(data.drop_vars("position"), ["He+"], region={"keep": "solar_wind"})
    with pytest.raises(SettingsError, match="different frames"):
        analysis(data.assign_attrs(position_frame="IAU_VENUS"), ["He+"], region={"keep": "solar_wind"})
    windows = analysis(data.drop_vars("position"), ["He+"])["windows"].to_dataset()
    assert "no position" in windows.attrs["region_source"]


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(32)
    time = np.arange(0.0, 3000.0, 0.1)
    field = np.tile([0.0, 15.0, 20.0], (time.size, 1))
    noise = coloured_noise(rng, time.size, 0.1, 5 / 3, 1e-3, 0.1, corner=0.005)
    wave = cyclotron_packet(rng, time, field, 0.5 * PROTON, 1.0, envelope="tukey", duration=1200.0)
    return analyse_waves(series(time, field + noise + wave), make_wave_settings({"body": "Mercury", "species": ["H+", "H2+"]}))


def test_detected_windows_have_densities_and_no_nan(found):
    windows = found["windows"].to_dataset()
    detected = windows.detected.values
    assert detected[:, 1].sum() > 10
    assert not detected[:, 0].any()
    for name in ("ion_density", "ion_density_lower", "ion_density_upper", "neutral_density", "power_perpendicular",
                 "ellipticity", "polarization_degree", "gyrofrequency"):  # fmt: skip
        assert np.isfinite(windows[name].values[detected]).all(), name
        assert windows[name].attrs.get("units") is not None, name
    assert (windows.ion_density_lower.values[detected] <= windows.ion_density.values[detected]).all()
    assert (windows.ion_density.values[detected] <= windows.ion_density_upper.values[detected]).all()


def test_event_is_where_the_packet_is_and_names_deuterium(found):
    events = found["events"].to_dataset()
    assert events.species.values.tolist() == ["H2+"]
    packet = START + np.array([900, 2100]) * np.timedelta64(1, "s")
    slack = np.timedelta64(210, "s")  # half a window of 410 s
    assert abs(events.start.values[0] - packet[0]) < slack
    assert abs(events.end.values[0] - packet[1]) < slack
    assert "D+" in str(events.ambiguous_with.values[0]).split(", ")
    assert "H+" not in str(events.ambiguous_with.values[0]).split(", ")


def test_attributes_say_what_was_used(found):
    for group in ("windows", "events"):
        attrs = found[group].attrs
        assert attrs["body"] == "Mercury"
        assert attrs["convention"] == "lammer2025"
        assert json.loads(attrs["settings"])["species"] == ["H+", "H2+"]


def test_example_shows_the_wave(found):
    examples = found["examples"].to_dataset()
    assert examples.sizes["example"] == 1
    density = examples.density_across.values[0] - examples.density_along.values[0]
    fc = 0.5 * PROTON * 25e-9 / (2.0 * np.pi)
    frequency = examples.spectrum_frequency.values[0]
    assert frequency[np.nanargmax(density)] == pytest.approx(fc, abs=float(2.0 * (frequency[1] - frequency[0])))
    field = examples.aligned_field.values[0]
    assert np.nanstd(field[:, 2]) < 0.5 * np.nanstd(field[:, 0])


def test_settings_are_checked():
    with pytest.raises(SettingsError, match="no body"):
        make_wave_settings({})
    with pytest.raises(SettingsError, match="twice"):
        make_wave_settings({"body": "Mercury", "species": ["H+", "H+"]})
    for values in (
        {"body": "Vulcan", "species": ["H+"]},
        {"body": "Mercury", "species": ["H"]},
        {"body": "Mercury", "species": ["H+"], "convention": "nobody2020"},
        {"body": "Mercury", "species": ["H+"], "detection": {"windows": {"shortest": -1.0}}},
        {"body": "Mercury", "species": ["H+"], "detection": {"windows": {"shortest": 100.0, "longest": 50.0}}},
        {"body": "Mercury", "species": ["H+"], "detection": {"criteria": {"elipticity": 0.3}}},
    ):
        with pytest.raises(SiderionError):
            make_wave_settings(values)


def test_species_are_those_expected_at_the_body():
    assert make_wave_settings({"body": "mercury"}).species == ("H+", "H2+", "He+", "Li+")


def test_charge_exchange_and_electrons_add_to_the_rate():
    """nu = n v sigma with the cross section of the table; the density of neutrals falls as the rate rises."""
    from siderion.chemistry.photo_rates import charge_exchange_rate

    exact = {"density": 40.0, "density_uncertainty": 0, "speed": 400.0, "speed_uncertainty": 0, "activity": 0.0}
    rng = np.random.default_rng(2)
    field = np.tile([15.0, 12.0, -9.0], (12000, 1)) + 0.05 * rng.standard_normal((12000, 3))
    time = np.datetime64("2012-03-01", "ns") + np.arange(12000) * np.timedelta64(100_000_000, "ns")
    series = xr.Dataset({"magnetic_field": (("time", "component"), field, {"units": "nT"})}, coords={"time": time})
    rates = []
    for more in ({}, {"charge_exchange": True}, {"electron_impact": 1e-7}):
        settings = make_wave_settings({"body": "Mercury", "species": ["H+"], "distance": 0.4, "plasma": {**exact, **more}})
        rates.append(float(analyse_waves(series, settings)["windows"]["ionisation_rate"][0, 0]))
    assert rates[0] == pytest.approx(7.26e-8 / 0.16, rel=1e-3)
    assert rates[1] - rates[0] == pytest.approx(charge_exchange_rate("H", 40e6, 400e3), rel=1e-9)
    assert rates[2] - rates[0] == pytest.approx(1e-7, rel=1e-9)


def near_mercury(seconds=4800, position=(9000.0, 6000.0, 2000.0), wave=True, seed=5):
    """Field of 21 nT at 4 Hz upstream of Mercury in MSO, with a proton wave of 20 minutes in the middle."""
    rng = np.random.default_rng(seed)
    time = np.arange(seconds * 4) * 0.25
    background = np.tile([15.0, 12.0, -9.0], (len(time), 1))
    field = background + coloured_noise(rng, len(time), 0.25, 5 / 3, 0.02, 0.1, corner=1e-3)
    if wave:
        charge_to_mass = constants.elementary_charge / (1.00728 * constants.atomic_mass)
        field += cyclotron_packet(
            rng, time, background, charge_to_mass, 0.2, envelope="tukey", centre=seconds / 2, duration=1200, level="peak"
        )
    stamps = np.datetime64("2012-03-01", "ns") + (time * 1e9).astype("timedelta64[ns]")
    return xr.Dataset(
        {
            "magnetic_field": (("time", "component"), field, {"units": "nT"}),
            "position": (("time", "component"), np.tile(position, (len(time), 1)), {"units": "km"}),
        },
        coords={"time": stamps},
        attrs={"frame": "MSO", "position_frame": "MSO"},
    )


def mercury(**more):
    return make_wave_settings({"body": "Mercury", "species": ["H+"], "uncertainty": {"samples": 500}, **more})


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_a_hole_in_the_field_does_not_stop_an_analysis_in_a_known_frame(value):
    series = near_mercury()
    series["magnetic_field"][1000:2200] = value  # 300 s: some cells of the grid have no field
    windows = analyse_waves(series, mercury())["windows"].to_dataset()
    assert np.isnan(windows["pitch_angle"].values).sum() >= 4
    assert np.isfinite(windows["pitch_angle"].values).sum() > 60
    assert windows["detected"].values.any()
    holes = np.isnan(windows["pitch_angle"].values)
    assert not windows["detected"].values[holes].any()


def test_densities_inside_the_bow_shock_are_flagged_unless_the_plasma_is_given():
    near = (4000.0, 0.0, 500.0)  # 1.65 radii from the centre on the Sun line: inside the shock, at 1.9
    windows = analyse_waves(near_mercury(position=near), mercury())["windows"].to_dataset()
    detected = windows["detected"].values[:, 0]
    assert detected.any()
    assert (windows["neutral_density_flag"].values[detected, 0] == 5).all()
    given = {"density": 100.0, "speed": 200.0}
    known = analyse_waves(near_mercury(position=near), mercury(plasma=given))["windows"].to_dataset()
    assert (known["neutral_density_flag"].values[detected, 0] == 0).all()


def test_windows_outside_the_region_give_no_limit():
    near = (4000.0, 0.0, 500.0)
    windows = analyse_waves(near_mercury(position=near), mercury(region={"keep": "solar_wind"}))["windows"].to_dataset()
    assert not windows["detected"].values.any()
    assert not windows["ion_density_upper_limit"].values.any()


def test_given_rates_are_those_of_their_ion():
    settings = make_wave_settings(
        {"body": "Mercury", "species": ["H+", "H2+", "Li+"], "plasma": {"photo_rate": {"H+": 1e-6, "Li+": 1e-3}, "activity": 0.0}}
    )
    windows = analyse_waves(near_mercury(), settings)["windows"].to_dataset()
    rate = windows["ionisation_rate"].values
    assert rate[:, 0] == pytest.approx(1e-6)
    assert rate[:, 2] == pytest.approx(1e-3)
    distance = windows["heliocentric_distance"].values
    np.testing.assert_allclose(rate[:, 1], 5.41e-8 / distance**2, rtol=1e-3)
    assert "H+: 1e-06 s-1 at the body, given" in windows.attrs["ionisation_rates"]
    with pytest.raises(SettingsError, match="not sought"):
        mercury(plasma={"photo_rate": {"He+": 1e-6}})


def test_ions_of_two_charges_have_no_rate_of_single_ionisation():
    settings = make_wave_settings({"body": "Mercury", "species": ["H+", "He++"]})
    windows = analyse_waves(near_mercury(), settings)["windows"].to_dataset()
    assert np.isnan(windows["ionisation_rate"].values[:, 1]).all()
    assert (windows["neutral_density_flag"].values[:, 1] == 3).all()


@pytest.mark.parametrize("position", [(5e7, 0.0, 0.0), (100.0, 0.0, 0.0)])
def test_positions_that_cannot_be_are_refused(position):
    with pytest.raises(SiderionError, match=r"radii from the centre"):
        analyse_waves(near_mercury(position=position), mercury())


def test_a_steady_field_says_that_tones_were_not_sought():
    windows = analyse_waves(near_mercury(), mercury())["windows"]
    assert windows.attrs["fixed_line_search"].startswith("inactive")
    assert "--spin-period" in windows.attrs["fixed_line_search"]


@pytest.mark.parametrize("body", ["Mercury", "Venus", "Mars", "Io", "Europa", "Ganymede", "Callisto", "Enceladus",
                                  "Dione", "Rhea", "Titan", "67P", "1P"])  # fmt: skip
def test_every_body_can_be_analysed_for_its_ions(body):
    """A steady field of the preset, ten hours at 1 s or 0.05 s: each expected ion is sought or refused for its cadence."""
    lower, upper = get_body(body).require("magnetic_field")
    strength = (lower * upper) ** 0.5 * 1e9
    cadence = 0.02 if strength > 300 else 1.0
    count = 120_000
    field = np.tile(strength * np.array([0.6, 0.0, 0.8]), (count, 1)) + 0.01 * np.random.default_rng(1).standard_normal(
        (count, 3)
    )
    time = np.datetime64("2012-03-01", "ns") + (np.arange(count) * cadence * 1e9).astype("timedelta64[ns]")
    series = xr.Dataset({"magnetic_field": (("time", "component"), field, {"units": "nT"})}, coords={"time": time})
    windows = analyse_waves(series, make_wave_settings({"body": body.lower(), "uncertainty": {"samples": 200}}))["windows"]
    refused = json.loads(windows.attrs["refused"])
    assert len(refused) < windows.sizes["species"]
    assert not windows["detected"].values.any()
