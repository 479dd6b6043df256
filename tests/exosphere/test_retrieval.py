"""From events to an exosphere, and the model profiles of a body."""

import numpy as np
import pytest
import xarray as xr

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError, DataError
from siderion.exosphere.chamberlain import chamberlain_density
from siderion.exosphere.retrieval import (
    Sunlight,
    brightness,
    event_densities_of,
    losses,
    neutrals_of,
    preset_exosphere,
    retrieve_exosphere,
)

MERCURY = get_body("Mercury")
LIGHT = Sunlight(0.352)
HELIUM = 4.0026 * 1.66054e-27


def events(count=160, scatter=0.2, seed=3):
    """Densities of a Chamberlain exosphere of 1100 cm-3 at 500 K with log-normal scatter, and a few events of another ion."""
    rng = np.random.default_rng(seed)
    distance = rng.uniform(2600.0, 9000.0, count)
    density = chamberlain_density(distance * 1e3, MERCURY.radius, 1.1e9, 500.0, HELIUM, MERCURY.mass)
    value = density * np.exp(scatter * rng.standard_normal(count))
    names = np.array(["He+"] * count, dtype=object)
    names[:5] = "H+"
    return xr.Dataset(
        {
            "species": ("event", names),
            "radial_distance": ("event", distance),
            "neutral_density": ("event", value),
            "neutral_density_lower": ("event", 0.7 * value),
            "neutral_density_upper": ("event", 2.0 * value),
            "neutral_density_flag": ("event", np.zeros(count, dtype=np.int16)),
            "neutral_density_upper_limit": ("event", np.zeros(count, dtype=bool)),
        }
    )


@pytest.fixture(scope="module")
def found():
    return retrieve_exosphere(events(), MERCURY, "He", "chamberlain", LIGHT, seed=1, bootstrap=40)


def test_surface_density_and_temperature_come_back(found):
    fit = found["fit"].to_dataset()
    assert float(fit["temperature"][0]) == pytest.approx(500.0, rel=0.1)
    assert float(fit["surface_density"][0]) == pytest.approx(1.1e9, rel=0.3)
    assert fit["systematic_factor"].values == pytest.approx([0.7, 2.0], rel=1e-6)
    assert found["profile"]["event_count"].sum() == 155


def test_parts_add_up_to_the_model(found):
    fit = found["fit"].to_dataset()
    np.testing.assert_allclose(fit["population_density"].sum("population"), fit["model_density"], rtol=1e-10)


def test_brightness_is_the_column_times_g(found):
    """At the surface a tangent column of a thin gas; at 3 radii the density falls nearly as a power law of the distance."""
    light = found["brightness"].to_dataset()
    fit = found["fit"].to_dataset()
    radius, density = fit["radius"].values * 1e3, fit["model_density"].values
    for k in (0, 80):
        path = np.linspace(0.0, 3e7, 200_001)
        along = np.interp(np.hypot(radius[k], path), radius, density, right=0.0)
        column = 2.0 * np.trapezoid(along, path)
        assert float(light["brightness"][0, k]) == pytest.approx(1e-10 * float(light["g_factor"][0]) * column, rel=0.02)
    assert float(light["optical_depth"][0]) < 0.1
    assert "thick_brightness" not in light


def test_thick_lines_get_a_second_brightness():
    """H of Mars: 2.6e11 m-3 at 205 K has a line-centre depth of about 7."""
    mars = get_body("Mars")
    radius = 3.39e6 + 2e5 + np.linspace(0.0, 2e7, 300)
    density = chamberlain_density(radius, radius[0], 2.6e11, 205.0, 1.674e-27, mars.mass)
    fit = xr.Dataset(
        {"model_density": ("radius", density), "surface_density": ("population", [2.6e11]),
         "temperature": ("population", [205.0]), "column_density": ((), np.trapezoid(density, radius))},
        coords={"radius": radius / 1e3, "population": ["thermal"]},
    )  # fmt: skip
    light = brightness(fit, mars, "H", Sunlight(1.52))
    assert float(light["optical_depth"][0]) > 3.0
    assert (light["thick_brightness"].values[0, :50] < light["brightness"].values[0, :50]).all()


def test_losses_by_hand(found):
    fit, lost = found["fit"].to_dataset(), found["losses"].to_dataset()
    radius, density = fit["radius"].values * 1e3, fit["model_density"].values
    content = np.trapezoid(4.0 * np.pi * radius**2 * density, radius)
    assert float(lost["photo_loss_total"]) == pytest.approx(float(lost["photo_loss_frequency"]) * content, rel=0.01)
    assert float(lost["photo_loss_frequency"]) == pytest.approx(5.64e-8 / 0.352**2, rel=0.01)
    assert float(losses(fit, MERCURY, "He", LIGHT)["jeans_escape_rate"][0]) > 0.0


def test_flagged_events_and_limits_do_not_count():
    data = events()
    data["neutral_density_flag"][10:30] = 2
    data["neutral_density_upper_limit"][30:40] = True
    assert event_densities_of(data, "He").sizes["event"] == 155 - 30
    assert neutrals_of(data) == ("H", "He")


def test_two_components_are_held_to_the_temperatures_of_the_table():
    tree = retrieve_exosphere(events(), MERCURY, "He", "two-component", LIGHT, seed=1, bootstrap=0)
    fit = tree["fit"].to_dataset()
    assert 400.0 <= float(fit["temperature"].sel(population="thermal")) <= 575.0
    assert 3000.0 <= float(fit["temperature"].sel(population="energetic")) <= 5000.0


def test_preset_of_mercury():
    tree = preset_exosphere(MERCURY, "He", LIGHT)
    fit = tree["fit"].to_dataset()
    assert fit["surface_density"].values.tolist() == [1.1e9, 1.5e8]
    assert float(fit["model_density"][0]) == pytest.approx(1.25e9, rel=1e-6)
    with pytest.raises(CoverageError):
        preset_exosphere(get_body("Venus"), "Xe", LIGHT)


def test_what_cannot_be_retrieved():
    with pytest.raises(DataError, match="no event has a good density of O"):
        event_densities_of(events(), "O")
    with pytest.raises(DataError, match="radial_distance"):
        event_densities_of(events().drop_vars("radial_distance"), "He")


def test_one_wave_is_not_two_neutrals():
    """Events of D+ and H2+ at the same time that name each other; one of H2+ an hour later names D+ alone: not doubtful."""
    time = np.datetime64("2012-03-01T00:00", "ns") + np.arange(8) * np.timedelta64(1, "h")
    data = events(8)
    data["species"] = ("event", np.array(["H2+", "D+"] * 3 + ["H2+", "H2+"], dtype=object))
    data["start"] = ("event", time - np.arange(8) % 2 * np.timedelta64(1, "h"))
    data["end"] = ("event", data["start"].values + np.timedelta64(10, "m"))
    data["ambiguous_with"] = ("event", np.array(["D+, He++", "H2+"] * 3 + ["D+", "D+"], dtype=object))
    with pytest.raises(DataError, match=r"3 of 5 events may as well be waves of D\+.*--ambiguous keep"):
        retrieve_exosphere(data, MERCURY, "H2", "chamberlain", LIGHT, seed=1, bootstrap=0)
    kept = retrieve_exosphere(data, MERCURY, "H2", "chamberlain", LIGHT, seed=1, bootstrap=0, ambiguous="keep")
    assert kept.attrs["ambiguous_events"] == 3


def test_the_bootstrap_tells_how_far_it_has_got():
    seen = []
    retrieve_exosphere(events(), MERCURY, "He", "chamberlain", LIGHT, seed=1, bootstrap=20, report=seen.append)
    assert [event.done for event in seen] == pytest.approx(np.arange(1, 21) / 20)
