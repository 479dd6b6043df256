from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from siderion.core.bodies import get_body
from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table

NAMES = tuple(load_table("core", "bodies")["name"])
RANGES = ("distance", "magnetic_field", "flow_speed", "plasma_density", "temperature")
GRAVITATIONAL_CONSTANT = 6.67430e-11  # CODATA 2022
ASTRONOMICAL_UNIT = 1.495978707e11  # IAU 2012


def test_earth_in_si_units() -> None:
    earth = get_body("Earth")
    assert earth.require_value("radius") == pytest.approx(EARTH_RADIUS, rel=1e-4)
    assert GRAVITATIONAL_CONSTANT * earth.require_value("mass") == pytest.approx(EARTH_GM, rel=1e-3)
    assert earth.distance == pytest.approx((ASTRONOMICAL_UNIT, ASTRONOMICAL_UNIT))
    assert earth.magnetic_field == pytest.approx((5e-9, 5e-9))
    assert earth.flow_speed == pytest.approx((4e5, 4e5))
    assert earth.plasma_density == pytest.approx((6e6, 6e6))
    assert earth.temperature == (1000.0, 1000.0)


def test_mercury_has_ranges() -> None:
    mercury = get_body("Mercury")
    assert mercury.require("distance") == pytest.approx((0.307 * ASTRONOMICAL_UNIT, 0.467 * ASTRONOMICAL_UNIT))
    assert mercury.require("magnetic_field") == pytest.approx((15e-9, 45e-9))
    assert mercury.require("temperature") == (100.0, 700.0)


@pytest.mark.parametrize("name", NAMES)
def test_every_body(name: str) -> None:
    body = get_body(name)
    assert body.kind in ("planet", "moon", "comet")
    for field in RANGES:
        quantity = getattr(body, field)
        assert quantity is None or 0 < quantity[0] <= quantity[1], field
    if body.mass is not None and body.radius is not None:
        density = body.mass / (4 / 3 * np.pi * body.radius**3)
        assert 200 < density < 6000, "mean density of a planet, a moon or a comet, kg m-3"


def test_all_bodies_of_the_table_are_there() -> None:
    assert len(NAMES) == len(set(NAMES)) == 17


def test_field_of_the_cusp_gives_proton_gyrofrequencies_of_the_paper() -> None:
    """B = 2 pi m f/q with CODATA values; 4 to 7 Hz in Lammer et al. 2025, section 3.3."""
    lower, upper = get_body("Earth cusp").require("magnetic_field")  # type: ignore[misc]
    frequencies = [1.602176634e-19 * b / (2 * np.pi * 1.67262192e-27) for b in (lower, upper)]
    assert frequencies == pytest.approx([4.0, 7.0], rel=5e-3)
    with pytest.raises(SettingsError, match="flow_speed is not known; give it with the option flow_speed"):
        get_body("Earth cusp").require("flow_speed")


def test_case_does_not_matter() -> None:
    assert get_body("mercury") == get_body("Mercury")


@pytest.mark.parametrize(
    ("name", "field", "option"),
    [("1P", "temperature", "temperature"), ("26P", "mass", "body_mass"), ("26P", "plasma_density", "plasma_density")],
)
def test_missing_preset_names_the_option(name: str, field: str, option: str) -> None:
    message = f"body '{name}': {field} is not known; give it with the option {option}"
    with pytest.raises(SettingsError, match=message):
        get_body(name).require(field)
    with pytest.raises(SettingsError, match=message):
        get_body(name).require_value(field)


def test_a_range_is_not_one_value() -> None:
    with pytest.raises(SettingsError, match=r"temperature lies between 100 and 700 .* with the option temperature"):
        get_body("Mercury").require_value("temperature")
    assert get_body("Mercury").require_value("flow_speed") == pytest.approx(4e5)


@pytest.mark.parametrize("field", ["albedo", "kind", "require"])
def test_unknown_field(field: str) -> None:
    with pytest.raises(SettingsError, match=f"a body has no field '{field}'; fields: radius, mass"):
        get_body("Moon").require(field)
    with pytest.raises(SettingsError, match="a body has no field"):
        get_body("Moon").with_values(**{field: 1.0})


def test_values_of_the_user_win_and_leave_the_preset_alone() -> None:
    comet = get_body("26P").with_values(mass=2e12, temperature=180.0)
    assert (comet.mass, comet.require_value("temperature"), comet.radius) == (2e12, 180.0, 1300.0)
    assert get_body("26P").mass is None


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_values_of_the_user_are_checked(value: float) -> None:
    with pytest.raises(SettingsError, match=r"option body_mass of body 'Moon' is .*; it must be positive and finite"):
        get_body("Moon").with_values(mass=value)


def test_unknown_body() -> None:
    with pytest.raises(CoverageError, match="body 'Vulcan' is unknown; known bodies: Mercury"):
        get_body("Vulcan")


def test_presets_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        get_body("Moon").radius = 1.0  # type: ignore[misc]
