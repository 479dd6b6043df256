"""Flight of one object: exact solutions, energy, heat and mass."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import NumericalError
from siderion.sources.debris import kernels
from siderion.sources.debris.flight import Air, air_for, flight_parameters, fly_object, start_state
from siderion.sources.debris.parts import Material, get_material
from siderion.sources.entry.atmosphere import exponential_atmosphere, standard_atmosphere

EDGES = np.arange(0.0, 201e3, 1e3)
COLD = Material("cold", 1000.0, 0.0, 1e9, 1e6, {"Al": 1.0})
"""Never warms to its melting point."""
SURFACE, SCALE = 1.225, 7000.0


@pytest.fixture(scope="module")
def exponential() -> Air:
    return air_for(exponential_atmosphere(SURFACE, SCALE))


def vacuum() -> Air:
    air = air_for(exponential_atmosphere(SURFACE, SCALE))
    return air._replace(log_density=air.log_density - 300.0)


def error_of_allen_eggers(air: Air, step: float, slope: float) -> float:
    """Largest relative error of the speed over its exact value, of a body without gravity on a straight path.

    Allen & Eggers 1958: v = v0 exp(-rho H / (2 b sin(slope))), b = m / (Cd A). The air above the start counts.
    """
    radius = 1e12  # so large that a path of 100 km stays straight over a plane: it sinks by 1 cm
    mass, area, drag = 100.0, 1.0, 1.0
    parameters = flight_parameters(
        mass, COLD, area, gravity=0.0, planet_radius=radius, drag_coefficient=drag, step=step, change=1e9, stop_altitude=20e3
    )
    state = start_state(110e3, 7500.0, -slope, mass, 300.0, radius)
    record = fly_object(state, parameters, air, EDGES).record
    altitude, speed = record[:, 1], record[:, 2]
    density = SURFACE * (np.exp(-altitude / SCALE) - np.exp(-110e3 / SCALE))
    exact = 7500.0 * np.exp(-density * SCALE * drag * area / (2.0 * mass * np.sin(np.radians(slope))))
    return float(np.abs(speed / exact - 1.0).max())


@pytest.mark.parametrize("slope", [90.0, 50.0])
def test_ballistic_entry_converges_to_allen_and_eggers_with_order_four(exponential: Air, slope: float) -> None:
    errors = [error_of_allen_eggers(exponential, step, slope) for step in (1.6, 0.8, 0.4)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 1e-5
    assert (orders > 3.6).all()
    assert (orders < 4.6).all()


def test_peak_deceleration_lies_where_allen_and_eggers_put_it(exponential: Air) -> None:
    mass, area, slope = 500.0, 1.0, 60.0
    parameters = flight_parameters(
        mass, COLD, area, gravity=0.0, planet_radius=1e11, drag_coefficient=1.0, step=0.02, change=1e9, stop_altitude=1e3
    )
    parameters[kernels.RECORD_INTERVAL] = 0.0
    record = fly_object(start_state(150e3, 7500.0, -slope, mass, 300.0, 1e11), parameters, exponential, EDGES).record
    slowing = -np.gradient(record[:, 2], record[:, 0])
    peak = int(slowing.argmax())
    # closed form: the density of the peak is b sin(slope) / H, its speed v0 / sqrt(e), its size v0^2 sin(slope) / (2 e H)
    b_sine = mass / area * np.sin(np.radians(slope))
    assert record[peak, 1] == pytest.approx(SCALE * np.log(SURFACE * SCALE / b_sine), abs=150.0)
    assert record[peak, 2] == pytest.approx(7500.0 * np.exp(-0.5), rel=0.01)
    assert slowing[peak] == pytest.approx(7500.0**2 * np.sin(np.radians(slope)) / (2.0 * np.e * SCALE), rel=1e-3)


def test_orbit_in_vacuum_keeps_energy_and_closes() -> None:
    parameters = flight_parameters(10.0, COLD, 1.0, step=1.0, change=1e9, max_time=5400.0)
    altitude = 300e3
    circular = np.sqrt(EARTH_GM / (EARTH_RADIUS + altitude))
    state = start_state(altitude, 1.01 * circular, 0.0, 10.0, 300.0)
    air = vacuum()
    last = state.copy()
    why, time, angle, rows = kernels.fly(
        last, 0.0, 0.0, parameters, *air, EDGES, np.zeros((4, len(EDGES) - 1)), record := np.empty((20000, 6))
    )
    assert why == kernels.TIME
    energy = 0.5 * record[:rows, 2] ** 2 - EARTH_GM / (EARTH_RADIUS + record[:rows, 1])
    assert np.abs(energy / energy[0] - 1.0).max() < 1e-11
    # Kepler: the angle in the time of a flight from pericentre, by solving the equation of Kepler
    axis = -EARTH_GM / (2.0 * energy[0])
    eccentricity = 1.0 - (EARTH_RADIUS + altitude) / axis
    mean = np.sqrt(EARTH_GM / axis**3) * time
    eccentric = mean
    for _ in range(50):
        eccentric = mean + eccentricity * np.sin(eccentric)
    true = 2.0 * np.arctan2(
        np.sqrt(1.0 + eccentricity) * np.sin(eccentric / 2.0), np.sqrt(1.0 - eccentricity) * np.cos(eccentric / 2.0)
    )
    assert angle == pytest.approx(true % (2.0 * np.pi), rel=1e-8)


def test_an_object_that_stays_up_is_told_so() -> None:
    parameters = flight_parameters(10.0, COLD, 1.0, step=5.0, change=1e9, max_time=1000.0)
    with pytest.raises(NumericalError, match="does not come down"):
        fly_object(start_state(300e3, 7800.0, 0.0, 10.0, 300.0), parameters, vacuum(), EDGES)


def test_heat_taken_up_is_that_of_warming_and_melting() -> None:
    """Integral of the net heating along the record against m c dT + L dm; the heating is written down here again.

    Free molecules: 0.9 of rho v^3 A / 2. Continuum: Sutton & Graves, 1.7415e-4 sqrt(rho / R) v^3, 0.275 of it over the surface
    4 A, less for a hot wall by c_p (T - T_air) over v^2 / 2. Both are bridged. Radiation: 4 A emissivity sigma (T^4 - T_air^4).
    """
    table = standard_atmosphere()
    air, mass = air_for(standard_atmosphere()), 4.0
    material = get_material("electronics")
    parameters = flight_parameters(mass, material, 0.01, step=0.01, change=0.01)
    parameters[kernels.RECORD_INTERVAL] = 0.0
    flight = fly_object(start_state(78e3, 7300.0, -1.0, mass, 300.0), parameters, air, EDGES)
    record = flight.record
    heat = []
    for _, altitude, speed, temperature, left, _ in record:
        density, air_temperature = float(table.density_at(altitude)), float(table.temperature_at(altitude))
        area = 0.01 * (left / mass) ** (2.0 / 3.0)
        if area == 0.0:
            heat.append(0.0)
            continue
        free = 0.9 * 0.5 * density * speed**3 * area
        hot_wall = 1.0 - 1004.5 * (temperature - air_temperature) / (0.5 * speed**2)
        continuum = 0.275 * 1.7415e-4 * (density / (area / np.pi) ** 0.5) ** 0.5 * speed**3 * 4.0 * area * hot_wall
        radiated = 4.0 * area * material.emissivity * 5.670374419e-8 * (temperature**4 - air_temperature**4)
        heat.append((free**-2 + continuum**-2) ** -0.5 - radiated)
    total = np.trapezoid(heat, record[:, 0])
    assert flight.why == kernels.DEMISED
    needed = mass * (material.specific_heat * (material.ablation_temperature - 300.0) + material.ablation_heat)
    # the kernel reads density from a table every 250 m, straight in the logarithm
    assert total == pytest.approx(needed, rel=1e-3)


def test_heating_has_both_limits() -> None:
    p = flight_parameters(1.0, Material("black", 1000.0, 0.0, 1e9, 1e6, {"Al": 1.0}), 1.0)
    radius, speed = np.sqrt(1.0 / np.pi), 7500.0
    thin, thick = 1e-11, 1e-2
    free = 0.5 * p[kernels.ACCOMMODATION] * thin * speed**3
    assert kernels.net_heating(thin, speed, 200.0, 200.0, radius, 1.0, p) == pytest.approx(free, rel=1e-3)
    continuum = p[kernels.TUMBLING] * p[kernels.STAGNATION] * np.sqrt(thick / radius) * speed**3 * 4.0
    assert kernels.net_heating(thick, speed, 200.0, 200.0, radius, 1.0, p) == pytest.approx(continuum, rel=1e-2)
    # a body at rest in its own radiation: no net heat; a hot one radiates 4 A sigma T^4
    p[kernels.EMISSIVITY] = 1.0
    glow = kernels.net_heating(1e-20, 1.0, 0.0, 1000.0, radius, 1.0, p)
    assert glow == pytest.approx(-4.0 * 5.670374419e-8 * 1000.0**4, rel=1e-9)


@pytest.mark.parametrize("mass", [0.01, 1.0, 50.0])
def test_released_and_surviving_mass_add_up(mass: float) -> None:
    air = air_for(standard_atmosphere())
    area = np.pi * (3.0 * mass / 2813.0 / (4.0 * np.pi)) ** (2.0 / 3.0)
    parameters = flight_parameters(mass, get_material("aluminium"), area)
    flight = fly_object(start_state(78e3, 7300.0, -1.0, mass, 300.0), parameters, air, EDGES)
    assert flight.release[kernels.RELEASED].sum() + flight.state[kernels.MASS] == pytest.approx(mass, rel=1e-12)
    assert flight.state[kernels.MASS] >= 0.0


def test_release_converges_with_the_step() -> None:
    """Mean altitude of the release against a much finer flight: better with each halving of the step."""
    air = air_for(standard_atmosphere())

    def altitude(step: float) -> float:
        parameters = flight_parameters(1.0, get_material("aluminium"), 0.02, step=step, change=step / 10.0)
        flight = fly_object(start_state(80e3, 7400.0, -0.8, 1.0, 300.0), parameters, air, np.arange(0.0, 120e3, 20.0))
        weights = flight.release[kernels.RELEASED]
        assert weights.sum() == pytest.approx(1.0, rel=1e-12)
        return float((weights * np.arange(10.0, 119e3 + 980.0, 20.0)[: weights.size]).sum())

    finest = altitude(0.01)
    errors = [abs(altitude(step) - finest) for step in (0.4, 0.2, 0.1)]
    assert errors[2] < 5.0
    assert errors[2] < 0.5 * errors[0]
