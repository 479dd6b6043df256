"""Angular resolution, gain fatigue and the use of an orbit."""

import numpy as np
import pytest
from scipy.constants import atomic_mass, elementary_charge
from scipy.integrate import quad

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table
from siderion.geospace.orbit_elements import orbit_from_altitudes
from siderion.spectrometer.design.angular import (
    cone_counts_needed,
    cone_significance,
    gyroradius,
    loss_cone_angle,
    source_counts_needed,
    source_position_error,
)
from siderion.spectrometer.design.gain import effective_exposure, efficiency_left, limit_factor
from siderion.spectrometer.design.orbit_use import orbit_use, region_named
from siderion.spectrometer.design.settings import Demand


def test_loss_cone():
    assert loss_cone_angle(0.25) == pytest.approx(30.0)
    assert loss_cone_angle(1.0) == pytest.approx(90.0)


def test_empty_cone_that_is_resolved():
    """Bins much finer than the cone: all that is missing is its share; Z^2 = 2 sum n ln(n / m), n = 0 within."""
    share = 0.5 * (1 - np.cos(np.radians(30.0)))
    # the counts outside rise by 1 / (1 - share), those inside vanish: 2 N ln(1 / (1 - share))
    exact = np.sqrt(2 * 1e3 * np.log(1 / (1 - share)))
    errors = [abs(cone_significance(1e3, d, 30.0, -1.0) / exact - 1) for d in (4.0, 2.0, 1.0)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.03


def test_finer_resolution_needs_fewer_counts():
    needed = [cone_counts_needed(d, 10.0, -1.0) for d in (22.5, 6.0)]
    assert needed[0] > 4 * needed[1]
    # fewer bins than cones: no information left in one bin of 180 degrees
    assert cone_significance(1e3, 180.0, 10.0, -1.0) == pytest.approx(0.0, abs=1e-6)
    assert cone_significance(needed[1], 6.0, 10.0, -1.0) == pytest.approx(Demand().needed, rel=1e-9)


def test_place_of_a_source_at_a_gyroradius():
    """K+ at 400 km/s in 5 nT by hand; 6 degrees then are 3395 km full width, 1442 km standard deviation."""
    radius = gyroradius(39.0983 * atomic_mass, elementary_charge, 4e5, 5e-9)
    assert radius == pytest.approx(3.242e7, rel=1e-3)
    assert source_position_error(radius, 6.0, 1) == pytest.approx(radius * np.radians(6.0) / 2.35482, rel=1e-5)
    needed = source_counts_needed(radius, 22.5, 1737e3)
    assert source_position_error(radius, 22.5, needed) == pytest.approx(1737e3)
    assert source_counts_needed(radius, 6.0, 1737e3) == 1.0


def test_error_of_the_place_against_drawn_directions():
    generator = np.random.default_rng(1)
    angles = np.radians(generator.normal(0.0, 22.5 / 2.35482, (4000, 25))).mean(axis=1)
    assert source_position_error(1e7, 22.5, 25) == pytest.approx(1e7 * angles.std(), rel=0.04)


@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_exposure_is_the_integral_of_the_efficiency(floor):
    for years in (0.5, 4.0, 30.0):
        integral = quad(lambda t: float(efficiency_left(t, 4.0, floor)), 0.0, years)[0]
        assert effective_exposure(years, 4.0, floor) == pytest.approx(integral, rel=1e-9)
    assert limit_factor(0.0, 4.0) == 1.0
    assert limit_factor(1e-6, 4.0) == pytest.approx(1.0, rel=1e-6)


def test_exposure_never_exceeds_the_scale():
    assert effective_exposure(1e4, 4.0) == pytest.approx(4.0)


def test_circular_orbit_within_one_region():
    """300 km is below the top of the ionosphere, always: all hours of a year, and counts of the rate in them."""
    orbit = orbit_from_altitudes(300.0, 300.0, 80.0, epoch="2020-01-01")
    found = orbit_use(orbit, days=2.0, step=300.0, count_rate=1e-3)
    assert float(found["hours_per_year"].sel(region="ionosphere")) == pytest.approx(8766.0, rel=1e-9)
    assert float(found["counts_per_year"].sel(region="ionosphere")) == pytest.approx(8766.0 * 3.6, rel=1e-9)
    assert float(found["residence_share"].sum()) == pytest.approx(1.0)


def test_escape_orbit_follows_kepler():
    """Time below an altitude of 500 x 33 000 km: from the eccentric anomaly, M = E - e sin E."""
    orbit = orbit_from_altitudes(500.0, 33000.0, 90.0, epoch="2020-01-01")
    found = orbit_use(orbit, days=20.0, step=120.0)
    assert float(found["hours_per_year"].sum()) == pytest.approx(8766.0, rel=1e-6)
    a, e = orbit.semi_major_axis, orbit.eccentricity
    limits = load_table("geospace", "residence_regions").set_index("name")["value"].astype(float)
    top = 6371.2e3 + 1e3 * limits["ionosphere_top"]
    anomaly = np.arccos((1 - top / a) / e)
    share = (anomaly - e * np.sin(anomaly)) / np.pi
    assert float(found["residence_share"].sel(region="ionosphere")) == pytest.approx(share, rel=0.05)


def test_regions_by_name():
    assert region_named("Polar_cap") == "polar cap"
    with pytest.raises(CoverageError, match="lobe"):
        region_named("moon base")


@pytest.mark.parametrize("call", [
    lambda: loss_cone_angle(2.0), lambda: cone_significance(0.0, 5.0, 10.0, 1.0), lambda: cone_significance(1.0, 5.0, 10.0, -2.0),
    lambda: gyroradius(1.0, 0.0, 1.0, 1.0), lambda: source_position_error(1.0, 6.0, 0.5),
    lambda: source_counts_needed(1.0, 6.0, 0.0),
    lambda: efficiency_left(-1.0, 1.0), lambda: effective_exposure(1.0, 0.0), lambda: limit_factor(1.0, 1.0, 1.0),
    lambda: orbit_use(orbit_from_altitudes(500.0, 500.0, 80.0, epoch="2020-01-01"), step=5000.0),
    lambda: orbit_use(orbit_from_altitudes(500.0, 500.0, 80.0, epoch="2020-01-01"), days=1.0, count_rate=-1.0),
])  # fmt: skip
def test_refusals(call):
    with pytest.raises(SettingsError):
        call()
