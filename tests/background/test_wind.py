from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from siderion.background import wind as module
from siderion.background.wind import (
    IonDrift,
    WindForcing,
    WindSettings,
    balanced_wind,
    exchange_rates,
    friction_rate,
    pressure_acceleration,
    solve_wind,
    viscosity,
)
from siderion.background.wind_kernels import advance_columns, advect_momentum
from siderion.core.constants import ATOMIC_MASS, BOLTZMANN, EARTH_RADIUS, EARTH_ROTATION_RATE
from siderion.core.errors import CoverageError, DataError, NumericalError, SettingsError

START = np.datetime64("2023-06-16T00:00", "ns")
HOUR = np.timedelta64(3600 * 10**9, "ns")
MASS = 20 * ATOMIC_MASS


def columns(
    start=0.0,
    *,
    local=0.0,
    conjugate=0.0,
    forcing=0.0,
    slope=0.0,
    lower=0.0,
    upper=0.0,
    step=60.0,
    steps=1,
    shape=(2, 3),
):
    wind = np.full(shape, start, complex) if np.ndim(start) == 0 else np.array(start, complex)
    parts = [np.full(wind.shape, a, complex) if np.ndim(a) == 0 else a for a in (local, conjugate, forcing, slope)]
    rates = [np.full(wind.shape, a) if np.ndim(a) == 0 else a for a in (lower, upper)]
    advance_columns(wind, *parts, *rates, step, steps)
    return wind


def orders(errors):
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


# ---------------------------------------------------------------------------------------------------- columns


def test_pressure_coriolis_and_drag_reach_the_closed_form_balance():
    coriolis, drag, push, drift = 1.3e-4, 2e-4, 0.02 - 0.01j, 300 + 200j
    wind = columns(local=-drag - 1j * coriolis, forcing=push + drag * drift, step=300.0, steps=1000)
    np.testing.assert_allclose(wind, (push + drag * drift) / (drag + 1j * coriolis), rtol=1e-12)


def test_time_order_is_two_with_growing_force_and_unequal_drag():
    local, conjugate, force, slope, hours = -2e-4 - 1.3e-4j, 1e-4 + 0.5e-4j, 0.02 + 0.01j, 3e-6 - 2e-6j, 3.0
    # d/dt (u, v, 1, t) = matrix (u, v, 1, t)
    matrix = np.zeros((4, 4))
    matrix[:2, :2] = [
        [local.real + conjugate.real, -local.imag + conjugate.imag],
        [local.imag + conjugate.imag, local.real - conjugate.real],
    ]
    matrix[:2, 2] = force.real, force.imag
    matrix[:2, 3] = slope.real, slope.imag
    matrix[3, 2] = 1.0
    u, v = (expm(matrix * hours * 3600) @ [50.0, -30.0, 1.0, 0.0])[:2]
    errors = []
    for step in (1200.0, 600.0, 300.0, 150.0):
        steps = round(hours * 3600 / step)
        wind = columns(50 - 30j, local=local, conjugate=conjugate, forcing=force, slope=slope, step=step, steps=steps)
        errors.append(abs(wind[0, 0] - (u + 1j * v)))
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < 0.05


def test_inertial_oscillation_has_period_two_pi_over_f():
    coriolis = 1.4e-4
    period = 2 * np.pi / coriolis
    errors = []
    for steps in (187, 374, 748):
        wind = columns(100.0, local=-1j * coriolis, step=period / steps, steps=steps)
        errors.append(abs(wind[0, 0] - 100.0))
        quarter = columns(100.0, local=-1j * coriolis, step=period / (4 * steps), steps=steps)
        # Clockwise in the north: an eastward wind turns southward.
        assert quarter[0, 0] == pytest.approx(-100j, abs=0.1)
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.1)
    assert abs(wind[0, 0]) == pytest.approx(100.0, rel=1e-5)


def test_drag_decays_exponentially():
    wind = columns(80 + 60j, local=-1 / 7200, step=60.0, steps=120)
    assert wind[0, 0] == pytest.approx((80 + 60j) * np.exp(-1), rel=1e-5)


@pytest.mark.parametrize("stretched", [False, True])
def test_viscosity_decays_a_cosine_mode_with_order_two(stretched):
    depth, ratio, time, errors = 400e3, 2e6, 3600.0 * 2, []
    for levels in (17, 33, 65, 129):
        share = np.linspace(0.0, 1.0, levels)
        altitude = 100.0 + 400.0 * (np.expm1(1.5 * share) / np.expm1(1.5) if stretched else share)
        density = np.full((levels, 1), 1e-11)
        lower, upper = exchange_rates(altitude, density, density * ratio)
        mode = np.cos(np.pi * (altitude - 100.0) / 400.0)[:, None]
        wind = columns(mode, lower=lower, upper=upper, step=time / 800, steps=800)
        errors.append(np.abs(wind - mode * np.exp(-ratio * (np.pi / depth) ** 2 * time)).max())
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < 1e-4


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_viscosity_conserves_momentum_and_damps_on_any_grid(seed):
    random = np.random.default_rng(seed)
    altitude = 85.0 + np.cumsum(random.uniform(1.0, 30.0, 12))
    density = np.exp(-np.sort(random.uniform(10.0, 26.0, 12)))[:, None] * np.ones(50)
    lower, upper = exchange_rates(altitude, density, np.full_like(density, 4.5e-5))
    start = random.normal(size=(12, 50)) * 200
    wind = columns(start, lower=lower, upper=upper, step=300.0, steps=40)
    thickness = np.gradient(altitude) * np.r_[0.5, np.ones(10), 0.5]
    mass = density * thickness[:, None]
    scale = (mass * np.abs(start)).sum(axis=0)
    np.testing.assert_allclose(((mass * wind).sum(axis=0) - (mass * start).sum(axis=0)) / scale, 0.0, atol=1e-12)
    assert ((mass * np.abs(wind) ** 2).sum(axis=0) <= (mass * start**2).sum(axis=0) * (1 + 1e-12)).all()


# ---------------------------------------------------------------------------------------------------- advection


def sphere(rows=18, count=24, *, south=False):
    lat = np.radians((np.arange(rows) + 0.5) * 90.0 / rows)
    lat = np.ascontiguousarray(-lat[::-1]) if south else lat
    lon = np.radians(-180.0 + (np.arange(count) + 0.5) * 360.0 / count)
    sin_lat, cos_lat = np.sin(lat)[:, None], np.cos(lat)[:, None]
    x, y = np.cos(lon), np.sin(lon)
    up = np.stack(np.broadcast_arrays(cos_lat * x, cos_lat * y, sin_lat + 0 * x), -1)
    east = np.stack(np.broadcast_arrays(-y + 0 * sin_lat, x + 0 * sin_lat, 0 * sin_lat * x), -1)
    north = np.stack(np.broadcast_arrays(-sin_lat * x, -sin_lat * y, cos_lat + 0 * x), -1)
    return lat, lon, up, east, north


def as_wind(vector, east, north):
    return ((vector * east).sum(-1) + 1j * (vector * north).sum(-1))[None]


RADIUS = np.array([EARTH_RADIUS + 300e3])


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.6, 0.0, 0.8)])
@pytest.mark.parametrize("south", [False, True])
def test_solid_body_flow_feels_only_its_curvature_also_over_the_pole(axis, south):
    """-(v . grad) v of v = omega a x r is -omega^2 (r . a) times the tangential part of a."""
    omega, step, errors = 300.0 / RADIUS[0], 600.0, []
    for rows, count in ((18, 24), (36, 48), (72, 96)):
        lat, lon, up, east, north = sphere(rows, count, south=south)
        flow = as_wind(np.cross(axis, up) * omega * RADIUS[0], east, north)
        change = as_wind(-(omega**2) * RADIUS[0] * (up @ axis)[..., None] * np.array(axis), east, north)
        out = advect_momentum(flow, lat, lon, RADIUS, step, south, not south)
        inside = slice(None, -3) if south else slice(3, None)
        errors.append(np.abs(out - flow - step * change)[:, inside].max())
    assert errors[-1] < 0.25
    assert errors[0] / errors[-1] > 4.0


def test_stream_over_the_pole_keeps_its_cartesian_vector():
    lat, lon, up, east, north = sphere(36, 48)
    flow = as_wind(np.cross((0.0, 1.0, 0.0), up) * 300.0, east, north)
    wind = flow
    for _ in range(6):
        wind = advect_momentum(wind, lat, lon, RADIUS, 600.0, False, True)
    vector = (wind[0].real[..., None] * east + wind[0].imag[..., None] * north)[-2:]
    np.testing.assert_allclose(vector[..., 0], 300.0, atol=3.0)
    np.testing.assert_allclose(vector[..., 1], 0.0, atol=6.0)


def test_meridional_flow_steepens_as_free_particles_do():
    """Along a meridian the flow obeys Burgers' equation, v(lat, t) = v0(lat - v t / r); one step errs as its square."""

    def initial(angle):
        return 150.0 * np.exp(-(((angle - 0.8) / 0.25) ** 2))

    lat, lon, *_ = sphere(360, 8)
    wind = np.repeat(1j * initial(lat)[None, :, None], 8, axis=2)
    errors = []
    for step in (3600.0, 1800.0, 900.0):
        out = advect_momentum(wind, lat, lon, RADIUS, step, False, True)
        exact = initial(lat)
        for _ in range(200):
            exact = initial(lat - exact * step / RADIUS[0])
        errors.append(np.abs(out.imag - exact[:, None])[:, :324].max())
        np.testing.assert_allclose(out.real, 0.0, atol=1e-9)
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.15)
    # The wind of the arrival point instead of the midpoint would err twice as much.
    assert errors[1] < 1.2


@given(st.integers(0, 2**32 - 1), st.floats(60.0, 7200.0))
@settings(max_examples=30, deadline=None)
def test_advection_never_raises_the_largest_speed(seed, step):
    lat, lon, *_ = sphere(8, 12)
    random = np.random.default_rng(seed)
    wind = random.normal(size=(1, 8, 12)) * 500 + 1j * random.normal(size=(1, 8, 12)) * 500
    out = advect_momentum(wind, lat, lon, RADIUS, step, False, True)
    assert np.abs(out).max() <= np.abs(wind).max() * (1 + 1e-12)


def test_advection_turns_with_the_longitudes_and_mirrors_with_the_hemisphere():
    lat, lon, *_ = sphere(8, 12)
    random = np.random.default_rng(1)
    wind = random.normal(size=(1, 8, 12)) * 200 + 1j * random.normal(size=(1, 8, 12)) * 200
    out = advect_momentum(wind, lat, lon, RADIUS, 600.0, False, True)
    turned = advect_momentum(np.roll(wind, 5, axis=2), lat, lon, RADIUS, 600.0, False, True)
    np.testing.assert_allclose(turned, np.roll(out, 5, axis=2), atol=1e-9)
    mirrored = np.ascontiguousarray(np.conj(wind[:, ::-1]))
    south = advect_momentum(mirrored, np.ascontiguousarray(-lat[::-1]), lon, RADIUS, 600.0, True, False)
    np.testing.assert_allclose(south, np.conj(out[:, ::-1]), atol=1e-9)


# ---------------------------------------------------------------------------------------------------- forces


@pytest.mark.parametrize("south", [False, True])
def test_pressure_acceleration_is_of_second_order_across_the_pole(south):
    vector, errors = np.array([0.05, -0.03, 0.02]), []
    for rows, count in ((18, 24), (36, 48), (72, 96)):
        lat, lon, up, east, north = sphere(rows, count, south=south)
        pressure = 1e-5 * np.exp(up @ vector)[None]
        density = np.full_like(pressure, 1e-11)
        got = pressure_acceleration(pressure, density, np.array([300.0]), np.degrees(lat), np.degrees(lon), (south, not south))
        expected = -pressure / density * as_wind(np.broadcast_to(vector, up.shape), east, north) / RADIUS
        errors.append(np.abs(got - expected).max() / np.abs(expected).max())
    assert orders(errors)[-1] == pytest.approx(2.0, abs=0.2)
    assert errors[-1] < 2e-3


@pytest.mark.parametrize("sign", [1, -1])
def test_balanced_wind_obeys_the_gradient_wind_equation(sign):
    latitude = sign * np.array([30.0, 50.0, 70.0, 85.0])
    altitude = np.array([90.0, 110.0])
    push = 1j * sign * np.full((2, 4, 6), 0.004)
    wind = balanced_wind(push, altitude, latitude)
    radius = EARTH_RADIUS + 1e3 * altitude[:, None, None]
    angle = np.radians(latitude)[:, None]
    coriolis = 2 * EARTH_ROTATION_RATE * np.sin(angle)
    np.testing.assert_allclose(np.tan(angle) / radius * wind.real**2 + coriolis * wind.real, push.imag, rtol=1e-12)
    np.testing.assert_allclose(wind.imag, 0.0, atol=1e-12)
    # A poleward force, low pressure over the pole, drives an eastward vortex in both hemispheres.
    assert (wind.real > 0).all()


def test_balanced_wind_of_a_wave_is_geostrophic():
    wave = 0.002 * np.cos(2 * np.pi * np.arange(8) / 8)[None, None] * (1 + 0.5j)
    wind = balanced_wind(wave, np.array([95.0]), np.array([60.0]))
    coriolis = 2 * EARTH_ROTATION_RATE * np.sin(np.radians(60.0))
    np.testing.assert_allclose(wave - 1j * coriolis * wind, 0.0, atol=1e-15)


def test_friction_keeps_its_rate_to_the_top_and_falls_above():
    rate = friction_rate(np.array([85.0, 105.0, 113.0, 200.0]))
    np.testing.assert_allclose(rate[:3] * 21600, [1.0, 1.0, np.exp(-1)])
    assert rate[3] < 1e-9


def test_viscosity_grows_with_temperature():
    assert viscosity(np.array(1000.0)) == pytest.approx(4.5e-5)
    assert viscosity(np.array(500.0)) == pytest.approx(4.5e-5 * 0.5**0.71)


# ---------------------------------------------------------------------------------------------------- solver


def make_forcing(*, hours=25, amplitude=0.0, tilt=0.0, drag=1e-4, south=False, top=420.0, rows=6, count=8):
    """Isothermal air in hydrostatic balance; ``tilt`` is ln p per radian of |lat|, ``amplitude`` a diurnal bulge."""
    altitude = np.r_[85.0:125.0:8.0, np.linspace(130.0, top, 8)]
    latitude = 30.0 + (np.arange(rows) + 0.5) * 60.0 / rows
    latitude = -latitude[::-1] if south else latitude
    longitude = -180.0 + (np.arange(count) + 0.5) * 360.0 / count
    time = START + np.arange(hours) * HOUR
    shape = (hours, len(altitude), rows, count)
    local = np.radians(longitude[None] + 15.0 * np.arange(hours)[:, None])[:, None, None]
    colatitude = np.cos(np.radians(latitude))[:, None]
    height = -(altitude - 85.0)[:, None, None] / np.where(altitude < 130, 7.0, 25.0)[:, None, None]
    bulge = amplitude * colatitude * np.cos(local - np.pi) * np.clip((altitude - 85) / 200, 0, 1)[:, None, None]
    pressure = 0.4 * np.exp(height + tilt * np.radians(np.abs(latitude))[:, None] + bulge)
    pressure = np.broadcast_to(pressure, shape).copy()
    temperature = np.full(shape, 900.0)
    density = pressure * MASS / (BOLTZMANN * temperature)
    return WindForcing(time, altitude, latitude, longitude, pressure, density, temperature, drag * density)


def no_drift(time, east, north):
    return IonDrift(0.0, 0.0)


def test_solver_reaches_the_balance_of_all_forces_with_wind_dependent_ions():
    forcing = make_forcing(tilt=-0.05, drag=2e-4)
    matrix = np.array([[0.3, 0.25], [-0.1, 0.1]])
    linear = matrix.reshape(2, 2, 1, 1, 1)
    plain = WindSettings(spin_up=23.0, advection=False, friction=False)
    out = solve_wind(forcing, lambda *_: IonDrift(100.0, -50.0, linear), START + 23 * HOUR, START + 24 * HOUR, plain)
    assert dict(out.sizes) == {"wind_time": 3, "alt": len(forcing.altitude), "lat": 6, "lon": 8}
    # The lowest levels touch neither viscosity nor one another.
    radius = EARTH_RADIUS + 1e3 * forcing.altitude[0]
    push = 0.05 * BOLTZMANN * 900.0 / MASS / radius
    for i, latitude in enumerate(forcing.latitude):
        coriolis = 2 * EARTH_ROTATION_RATE * np.sin(np.radians(latitude))
        system = 2e-4 * (np.eye(2) - matrix) + np.array([[0.0, -coriolis], [coriolis, 0.0]])
        force = 2e-4 * np.array([100.0, -50.0]) + np.array([0.0, push])
        if 0 < i < 5:  # centred differences; the row at the pole and the open edge see a kink of this pressure
            u, v = np.linalg.solve(system, force)
            np.testing.assert_allclose(out.neutral_wind_east[-1, 0, i], u, rtol=1e-4)
            np.testing.assert_allclose(out.neutral_wind_north[-1, 0, i], v, rtol=1e-4)


def test_solver_follows_a_force_that_grows_with_time():
    forcing = make_forcing(drag=2e-4)
    hours = np.arange(25.0)[:, None, None, None]
    growing = forcing.pressure * np.exp(-0.002 * hours * np.radians(forcing.latitude)[:, None])
    density = growing * MASS / (BOLTZMANN * forcing.temperature)
    forcing = replaced(forcing, pressure=growing, mass_density=density, ion_friction=2e-4 * density)
    plain = WindSettings(spin_up=23.0, advection=False, friction=False)
    out = solve_wind(forcing, no_drift, START + 23 * HOUR, START + 24 * HOUR, plain)
    push = 1j * 0.002 / 3600 * BOLTZMANN * 900.0 / MASS / (EARTH_RADIUS + 1e3 * forcing.altitude[0])
    for i in range(1, 5):
        rate = 2e-4 + 2j * EARTH_ROTATION_RATE * np.sin(np.radians(forcing.latitude[i]))
        expected = push * 86400 / rate - push / rate**2
        np.testing.assert_allclose(out.neutral_wind_east[-1, 0, i], expected.real, rtol=2e-4)
        np.testing.assert_allclose(out.neutral_wind_north[-1, 0, i], expected.imag, rtol=2e-4)


def test_friction_brings_the_lower_thermosphere_to_balance_without_poleward_flow():
    forcing = make_forcing(hours=49, tilt=-0.04, drag=0.0)
    out = solve_wind(forcing, no_drift, START + 47 * HOUR, START + 48 * HOUR, WindSettings(spin_up=47.0))
    low = out.isel(wind_time=-1, alt=slice(0, 2), lat=slice(1, 5))
    grid = (forcing.altitude, forcing.latitude, forcing.longitude, forcing.poles)
    push = pressure_acceleration(forcing.pressure[0], forcing.mass_density[0], *grid)
    target = balanced_wind(push, forcing.altitude, forcing.latitude)[:2, 1:5]
    assert np.abs(target.real).min() > 10.0
    np.testing.assert_allclose(low.neutral_wind_east, target.real, rtol=0.06)
    assert np.abs(low.neutral_wind_north.values).max() < 0.05 * np.abs(target.real).max()


def synthetic_drift(sign):
    def drift(time, east, north):
        angle = np.radians(-180.0 + (np.arange(8) + 0.5) * 45.0) + 2 * np.pi * ((time - START) / (24 * HOUR))
        return IonDrift(400 * np.sin(angle), sign * 400 * np.cos(angle), None)

    return drift


def test_84_hours_of_diurnal_forcing_stay_bounded_and_mirror_between_hemispheres():
    period = (START + 48 * HOUR, START + 84 * HOUR)
    north = solve_wind(make_forcing(hours=85, amplitude=0.4), synthetic_drift(1), *period)
    south = solve_wind(make_forcing(hours=85, amplitude=0.4, south=True), synthetic_drift(-1), *period)
    speed = np.hypot(north.neutral_wind_east, north.neutral_wind_north)
    assert north.sizes["wind_time"] == 73
    assert 100.0 < float(speed.max()) < 800.0
    # Periodic forcing: after the spin-up one day equals the next.
    day = north.isel(wind_time=slice(24, 73, 48))
    np.testing.assert_allclose(day.neutral_wind_east[0], day.neutral_wind_east[1], atol=2.0)
    np.testing.assert_allclose(south.neutral_wind_east, north.neutral_wind_east[:, :, ::-1], atol=1e-6)
    np.testing.assert_allclose(south.neutral_wind_north, -north.neutral_wind_north[:, :, ::-1], atol=1e-6)


def test_scale_units_times_and_progress():
    forcing, seen = make_forcing(amplitude=0.2), []
    period = (START + 2 * HOUR, START + 3 * HOUR)
    full = solve_wind(forcing, no_drift, *period, WindSettings(spin_up=2.0), seen.append)
    part = solve_wind(forcing, no_drift, *period, WindSettings(spin_up=2.0, wind_scale=0.6))
    np.testing.assert_allclose(part.neutral_wind_east, 0.6 * full.neutral_wind_east)
    np.testing.assert_array_equal(full.wind_time, START + np.array([4, 5, 6]) * (HOUR // 2))
    assert full.neutral_wind_north.attrs["units"] == "m s-1"
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


def test_composition_gives_pressure_and_density():
    forcing = make_forcing()
    number = forcing.mass_density / MASS
    same = WindForcing.from_composition(
        forcing.time, forcing.altitude, forcing.latitude, forcing.longitude, {"X": number}, {"X": MASS},
        forcing.temperature, forcing.ion_friction,
    )  # fmt: skip
    np.testing.assert_allclose(same.pressure, forcing.pressure, rtol=1e-12)
    np.testing.assert_allclose(same.mass_density, forcing.mass_density, rtol=1e-12)
    with pytest.raises(DataError, match=r"no mass for \['X'\]"):
        WindForcing.from_composition(
            forcing.time, forcing.altitude, forcing.latitude, forcing.longitude, {"X": number}, {},
            forcing.temperature, forcing.ion_friction,
        )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- errors


def replaced(forcing, **changes):
    names = ("time", "altitude", "latitude", "longitude", "pressure", "mass_density", "temperature", "ion_friction")
    return WindForcing(**{name: changes.get(name, getattr(forcing, name)) for name in names})


@pytest.mark.parametrize(("name", "value"), [("pressure", np.nan), ("temperature", 0.0), ("ion_friction", -1.0)])
def test_bad_values_are_named_with_their_place(name, value):
    forcing = make_forcing()
    values = getattr(forcing, name).copy()
    values[3, 2, 1, 4] = value
    with pytest.raises(DataError, match=rf"{name} is {value}.*\(3, 2, 1, 4\).*03:00.*101 km"):
        replaced(forcing, **{name: values})


def test_bad_grids_are_refused():
    forcing = make_forcing()
    with pytest.raises(DataError, match="cover 315 degrees"):
        replaced(forcing, longitude=forcing.longitude[:-1])
    with pytest.raises(DataError, match="latitude is not uniform"):
        replaced(forcing, latitude=forcing.latitude + np.array([0, 0, 0, 0, 0, 1.0]))
    with pytest.raises(DataError, match="lies on a pole"):
        replaced(forcing, latitude=forcing.latitude + 5.0)
    with pytest.raises(DataError, match="altitude must hold at least 2 increasing"):
        replaced(forcing, altitude=forcing.altitude[::-1])
    with pytest.raises(DataError, match="pressure has shape"):
        replaced(forcing, pressure=forcing.pressure[0])


def test_uncovered_periods_and_low_tops_are_refused():
    hour = WindSettings(spin_up=1.0)
    with pytest.raises(CoverageError, match=r"ends at 350 km.*400 km"):
        solve_wind(make_forcing(top=350.0), no_drift, START + HOUR, START + 2 * HOUR, hour)
    with pytest.raises(CoverageError, match="the forcing covers"):
        solve_wind(make_forcing(), no_drift, START + HOUR, START + 2 * HOUR)
    with pytest.raises(CoverageError, match="at least 24 h"):
        solve_wind(make_forcing(hours=10), no_drift, START + HOUR, START + 2 * HOUR, hour)
    with pytest.raises(SettingsError, match="whole number of output intervals"):
        solve_wind(make_forcing(), no_drift, START + HOUR, START + HOUR * 5 // 4, hour)
    with pytest.raises(SettingsError, match="update_interval = 600 s is no whole multiple of step = 70 s"):
        WindSettings(step=70.0)
    with pytest.raises(SettingsError, match="wind_scale"):
        WindSettings(wind_scale=-1.0)


def test_bad_ion_velocity_and_runaway_wind_are_refused(monkeypatch):
    forcing, period, hour = make_forcing(), (START + HOUR, START + 2 * HOUR), WindSettings(spin_up=1.0)
    with pytest.raises(DataError, match=r"ion velocity at 2023-06-16T00:05.*nan"):
        solve_wind(forcing, lambda *_: IonDrift(np.nan, 0.0), *period, hour)
    with pytest.raises(DataError, match="need"):
        solve_wind(forcing, lambda *_: IonDrift(np.zeros(3), 0.0), *period, hour)
    monkeypatch.setattr(module, "_SPEED_LIMIT", 1.0)
    with pytest.raises(NumericalError, match=r"must stay below 1 m/s"):
        solve_wind(forcing, lambda *_: IonDrift(500.0, 0.0), *period, hour)
