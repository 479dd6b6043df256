"""Drivers on the native levels, at any moment: exact where they must be, refused where they do not reach."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from siderion.chemistry.collisions import ion_neutral_collision_frequency
from siderion.chemistry.network import build_network
from siderion.core.constants import BOLTZMANN, EARTH_GM
from siderion.core.errors import CoverageError
from siderion.core.species import get_species
from siderion.frames.sun import solar_zenith_angle
from siderion.transport.engines.numba_velocity import AMBIPOLAR, DIFFUSIVITY, FORCE, NU, THERMAL, WIND_1, WIND_2
from siderion.transport.fields import COLLISION_PARTNERS, IONS, NEUTRALS, DriverFields, Levels
from siderion.transport.grid import ShellGrid

START = np.datetime64("2023-06-18T12:00", "ns")
LAT = np.arange(32.5, 90.0, 5.0)
LON = -172.5 + 15.0 * np.arange(24)
ALT = np.array([80.0, 90.0, 100.0, 120.0, 160.0, 220.0])
SHELLS = ShellGrid.stretched(85.0, 110.0, 200.0, 2.0, 10.0)
ALL = frozenset({"exb", "pedersen", "parallel_field", "wind", "gravity", "pressure"})
FE = get_species("Fe+")


def clock(step, count):
    return START + np.arange(count) * np.timedelta64(step, "m")


def drivers(hemisphere="north"):
    """Neutrals with a scale height of 10 km, temperatures linear in altitude, all growing by 10 % an hour."""
    lat = LAT if hemisphere == "north" else -LAT[::-1]
    grid = ("time", "alt", "lat", "lon")
    shape = (3, len(ALT), len(lat), len(LON))
    growth = (1.0 + 0.1 * np.arange(3))[:, None, None, None]
    fall = np.exp(-(ALT - 80.0) / 10.0)[None, :, None, None]
    fields = {f"density_{name}": 1e18 * (i + 1) * fall for i, name in enumerate(NEUTRALS)}
    fields |= {f"density_{name}": 1e9 * (i + 1) * np.ones(4 * (1,)) for i, name in enumerate(IONS)}
    for kind, top in (("neutral", 800.0), ("ion", 900.0), ("electron", 2000.0)):
        fields[f"{kind}_temperature"] = (200.0 + (top - 200.0) * (ALT - 80.0) / 140.0)[None, :, None, None] / growth
    fields["electron_density"] = 1e9 * np.exp((ALT - 80.0) / 20.0)[None, :, None, None]
    data = {name: (grid, np.broadcast_to(values * growth, shape).astype(np.float32)) for name, values in fields.items()}
    wind = ("wind_time", *grid[1:])
    hours = (np.arange(5) / 2.0)[:, None, None, None]
    data["neutral_wind_east"] = (wind, np.broadcast_to(100.0 + 10.0 * hours, (5, *shape[1:])).astype(np.float32))
    data["neutral_wind_north"] = (wind, np.broadcast_to(-50.0 + 0.0 * hours, (5, *shape[1:])).astype(np.float32))
    potential = np.random.default_rng(1).normal(size=(13, 9, 24)).astype(np.float32) * 1e4
    data["electric_potential"] = (("convection_time", "magnetic_latitude", "magnetic_local_time"), potential)
    coords = {
        "time": clock(60, 3), "wind_time": clock(30, 5), "convection_time": clock(10, 13), "alt": ALT, "lat": lat, "lon": LON,
        "magnetic_latitude": np.arange(50.0, 90.1, 5.0), "magnetic_local_time": np.arange(24.0),
    }  # fmt: skip
    return xr.Dataset(data, coords=coords, attrs={"hemisphere": hemisphere})


@pytest.fixture(scope="module")
def fields():
    return DriverFields(drivers(), SHELLS)


def test_levels_are_exact_for_lines_and_logarithms():
    levels = Levels.between(ALT, SHELLS.altitude)
    line = np.stack([2.0 - ALT, 3.0 * ALT], axis=1)
    np.testing.assert_allclose(levels(line), np.stack([2.0 - SHELLS.altitude, 3.0 * SHELLS.altitude], axis=1), rtol=1e-13)
    exponential = levels.logarithmic(1e9 * np.exp(-ALT / 7.0)[:, None])
    np.testing.assert_allclose(exponential[:, 0], 1e9 * np.exp(-SHELLS.altitude / 7.0), rtol=1e-11)
    assert np.isfinite(levels.logarithmic(np.zeros((len(ALT), 1)))).all()


@pytest.mark.parametrize("source", [np.array([90.0, 300.0]), np.array([80.0, 150.0])])
def test_levels_outside_the_drivers_are_refused(source):
    with pytest.raises(CoverageError, match=r"drivers reach from .* km, the model from 86 to"):
        Levels.between(source, SHELLS.altitude)


def test_drivers_are_linear_in_time(fields):
    for minutes, name, expected in (
        (0, "density_O", 1.0),
        (30, "density_O", 1.05),
        (75, "density_O", 1.125),
        (120, "density_O", 1.2),
    ):
        found = fields.at(name, START + np.timedelta64(minutes, "m"))
        assert found.shape == (len(ALT), len(LAT) * len(LON))
        np.testing.assert_allclose(found[0], 3e18 * expected, rtol=1e-6)
    east, north = fields.wind(START + np.timedelta64(45, "m"))
    np.testing.assert_allclose(east, 107.5, rtol=1e-6)
    np.testing.assert_allclose(north, -50.0, rtol=1e-6)
    table = fields.drivers.electric_potential.values
    found = fields.at("electric_potential", START + np.timedelta64(15, "m"))
    np.testing.assert_allclose(found, (table[1] + table[2]) / 2, rtol=1e-6)


@pytest.mark.parametrize("minutes", [-1, 121])
@pytest.mark.parametrize("name", ["density_O", "neutral_wind_east", "electric_potential"])
def test_moments_outside_the_drivers_are_refused(fields, minutes, name):
    with pytest.raises(CoverageError, match=f"{name} at .*the drivers cover 2023-06-18T12:00.* to 2023-06-18T14:00"):
        fields.at(name, START + np.timedelta64(minutes, "m"))


def test_electron_density_keeps_its_scale_height(fields):
    found = fields.electron_density(START)
    assert found.shape == (1, SHELLS.levels, len(LAT) * len(LON))
    np.testing.assert_allclose(found[0, :, 5], 1e9 * np.exp((SHELLS.altitude - 80.0) / 20.0), rtol=1e-5)


def test_motion_rows_mean_what_the_equation_says(fields):
    """Forces over m nu: gravity, the gradients of the temperatures, the two diffusivities."""
    rows = fields.motion_rows(START, FE, ALL, "schunk_nagy", 0.0)[:, :, 7]
    here = fields.drivers.isel(time=0, lat=0, lon=7)
    # The scale height is 10 km everywhere, so the frequency is exponential between the levels of the drivers too.
    partners = {name: here[f"density_{name}"].values[:1].astype(float) for name in COLLISION_PARTNERS}
    nu = ion_neutral_collision_frequency("Fe+", partners, 200.0, 200.0) * np.exp(-(SHELLS.altitude - 80.0) / 10.0)
    np.testing.assert_allclose(rows[NU], nu, rtol=1e-5)
    resistance = FE.mass * rows[NU]
    ti, te = (200.0 + (top - 200.0) * (SHELLS.altitude - 80.0) / 140.0 for top in (900.0, 2000.0))
    gravity = EARTH_GM / SHELLS.radius**2
    assert gravity[0] == pytest.approx(9.55, abs=0.02)
    slopes = 700.0 / 140e3, 1800.0 / 140e3
    np.testing.assert_allclose(rows[FORCE], -(FE.mass * gravity + BOLTZMANN * slopes[0]) / resistance, rtol=1e-4)
    np.testing.assert_allclose(rows[THERMAL], -BOLTZMANN * slopes[1] / resistance, rtol=1e-4)
    np.testing.assert_allclose(rows[DIFFUSIVITY], BOLTZMANN * ti / resistance, rtol=1e-5)
    np.testing.assert_allclose(rows[AMBIPOLAR], BOLTZMANN * te / resistance, rtol=1e-5)


def test_terms_that_are_left_out_leave_nothing(fields):
    rows = {
        name: fields.motion_rows(START, FE, ALL - {name}, "schunk_nagy", 0.0)
        for name in ("gravity", "pressure", "parallel_field")
    }
    whole = fields.motion_rows(START, FE, ALL, "schunk_nagy", 0.0)
    assert not rows["pressure"][DIFFUSIVITY].any()
    assert not rows["parallel_field"][[AMBIPOLAR, THERMAL]].any()
    np.testing.assert_allclose(rows["gravity"][FORCE] + rows["pressure"][FORCE], whole[FORCE], rtol=1e-12)
    neither = fields.motion_rows(START, FE, ALL - {"gravity", "pressure"}, "schunk_nagy", 0.0)
    assert not neither[FORCE].any()
    np.testing.assert_array_equal(neither[AMBIPOLAR], whole[AMBIPOLAR])


def test_eddy_diffusion_ends_above_105_km(fields):
    without, with_eddies = (fields.motion_rows(START, FE, ALL, "schunk_nagy", eddy)[DIFFUSIVITY] for eddy in (0.0, 100.0))
    added = (with_eddies - without)[:, 0]
    np.testing.assert_allclose(added[SHELLS.altitude <= 105.0], 100.0, rtol=1e-9)
    level = int(np.abs(SHELLS.altitude - 110.0).argmin())
    assert added[level] == pytest.approx(100.0 * np.exp(-(SHELLS.altitude[level] - 105.0) / 5.0), rel=1e-6)


@pytest.mark.parametrize("hemisphere", ["north", "south"])
def test_wind_rows_point_the_right_way(hemisphere):
    """At longitude near 0 the plane's second axis is east; its first axis points away from the pole."""
    fields = DriverFields(drivers(hemisphere), SHELLS)
    rows = fields.motion_rows(START, FE, ALL, "schunk_nagy", 0.0)
    column = int(np.abs(LON - 7.5).argmin())
    angle, sign = np.radians(7.5), 1.0 if hemisphere == "north" else -1.0
    outward = sign * 50.0  # the wind blows to the south
    assert rows[WIND_1, 0, column] == pytest.approx(outward * np.cos(angle) - 100.0 * np.sin(angle), rel=1e-6)
    assert rows[WIND_2, 0, column] == pytest.approx(outward * np.sin(angle) + 100.0 * np.cos(angle), rel=1e-6)


def test_chemistry_rows_stop_photons_in_the_dark():
    """In June the far south is dark: photo-ionisation must be exactly 0 there, not a smeared logarithm."""
    network = build_network("Fe", "full")
    photo = np.array([edge.sunlit_only for edge in network.edges])
    assert photo.any()
    for hemisphere, column_lat in (("north", 87.5), ("south", -87.5)):
        fields = DriverFields(drivers(hemisphere), SHELLS)
        rates = fields.chemistry_rows(START, network, "horizon").reshape(len(network.edges), SHELLS.levels, len(LAT), len(LON))
        assert np.isfinite(rates).all()
        assert rates.min() >= 0.0
        row = int(np.abs(fields.lat - column_lat).argmin())
        lit = solar_zenith_angle(START, np.full(24, column_lat), LON) < 90.0
        assert lit.all() == (hemisphere == "north")
        assert np.all((rates[photo][:, :, row] > 0) == (hemisphere == "north"))


def test_rates_fall_with_the_density_of_their_partners():
    """A three-body rate goes with two densities: half their scale height of 10 km, where all is at one temperature."""
    even = drivers()
    for kind in ("neutral", "ion", "electron"):
        even[f"{kind}_temperature"][:] = 200.0
    network = build_network("Fe", "full")
    rates = DriverFields(even, SHELLS).chemistry_rows(START, network, "horizon")[:, :, 0]
    for i, edge in enumerate(network.edges):
        if edge.partner in NEUTRALS:
            scale = -1e3 * np.diff(SHELLS.altitude) / np.diff(np.log(rates[i]))
            np.testing.assert_allclose(scale, 5e3 if edge.third_body else 10e3, rtol=1e-4)


def test_convection_is_that_of_the_moment(fields):
    moment = START + np.timedelta64(20, "m")
    convection = fields.convection(moment)
    assert convection.hemisphere == "north"
    assert convection.subsolar_magnetic_longitude == pytest.approx(float(fields.dipole.subsolar_magnetic_longitude(moment)))
    np.testing.assert_allclose(convection.potential, fields.drivers.electric_potential.values[2])
