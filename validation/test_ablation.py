"""Entry of bodies: order of the steps, agreement with a tight independent integration, exact laws of the classical model."""

from __future__ import annotations

import numpy as np
from recording import check_recorded
from scipy import constants as codata
from scipy.integrate import solve_ivp

from siderion.sources.entry.atmosphere import exponential_atmosphere, standard_atmosphere
from siderion.sources.entry.flight import _plan, fly_bodies, fly_one
from siderion.sources.entry.rates import jacobian
from siderion.sources.entry.settings import AblationSettings
from siderion.sources.entry.stepping import rosenbrock_step

GM, RADIUS = 3.986004418e14, 6371.2e3
BODIES = {"1e-12 kg, 60 km/s": (1e-12, 60e3), "1e-6 kg, 20 km/s": (1e-6, 20e3), "1e-3 kg, 20 km/s": (1e-3, 20e3)}
REFERENCES = {
    "1e-6 kg": (1e-6, 20e3, 3300.0, 0.03),
    "1e-9 kg": (1e-9, 20e3, 3300.0, 0.03),
    "2e-5 kg": (2e-5, 23.57e3, 1000.0, 0.023),
}


def bulk_equations(mass: float, density: float, air):
    """The heat balance written out again, in plain SI, for a body of one substance; state h, v, chi, T, ln(m/m0)."""

    def slopes(_, y):
        h, v, chi, temperature, logarithm = y
        m = mass * np.exp(logarithm)
        surface = (m / density) ** (2.0 / 3.0)
        rho, around = float(air.density_at(h)), 280.0
        g = GM / (RADIUS + h) ** 2
        pressure = 0.1 * 10.0 ** (10.6 - 13500.0 / temperature)  # dyn cm-2 to Pa
        molecule = 36.0 * 1e-3 / codata.Avogadro
        loss = 4.0 * 1.21 * surface * 0.5 * pressure * np.sqrt(molecule / (2.0 * np.pi * codata.Boltzmann * temperature))
        heat = 1.21 * surface * 0.5 * rho * v**3 / 2.0
        light = 4.0 * 1.21 * surface * codata.Stefan_Boltzmann * 0.9 * (temperature**4 - around**4)
        return [
            -v * np.cos(chi),
            -1.21 * surface / m * rho * v**2 + g * np.cos(chi),
            np.sin(chi) * (v / (RADIUS + h) - g / v),
            (heat - light - 6.6e6 * loss) / (m * 1000.0),
            -loss / m,
        ]

    return slopes


def half_mass_altitude(mass: float, speed: float, density: float, air) -> float:
    """Altitude where half is left, km, by a tight implicit integration."""

    def half(_, y):
        return y[4] + np.log(2.0)

    half.terminal = True
    start = [400e3, speed, np.pi / 4.0, 280.0, 0.0]
    done = solve_ivp(
        bulk_equations(mass, density, air),
        (0.0, 200.0),
        start,
        "Radau",
        events=half,
        rtol=1e-9,
        atol=[1e-3, 1e-5, 1e-10, 1e-6, 1e-10],
    )
    return float(done.y_events[0][0][0]) / 1e3


def order_in_steps(mass: float, speed: float, air) -> float:
    """Order of the Rosenbrock steps in their length: error over 0.1 s in the middle of the ablation, from 16, 32 and 64 steps."""
    plan = _plan(AblationSettings(), air, "chondritic", None, 400e3)
    body = plan.body._replace(unit_mass=mass, density=3300.0)
    rest = (plan.melt.group_fractions, plan.melt.volatility, body, plan.air, plan.yields)
    start = np.concatenate([[72e3, 0.5 * speed**2, np.pi / 4.0, 1700.0], np.full(len(plan.melt.volatility), -0.1)])

    def end(count: int) -> np.ndarray:
        state, size = start.copy(), start.size
        slopes, work, stages, new = np.empty((size, size)), np.empty((size, size)), np.empty((6, size)), np.empty(size)
        for _ in range(count):
            jacobian(state, *rest, slopes)
            rosenbrock_step(state, 0.1 / count, *rest, slopes, work, stages, np.empty(size, np.int64), new)
            state[:] = new
        return state

    exact = end(1024)
    errors = [np.abs((end(count) - exact) / (1.0 + np.abs(exact))).max() for count in (16, 32, 64)]
    return float(np.log2(errors[0] / errors[2]) / 2.0)


def run(size: str) -> dict[str, float]:
    """Norms of all bodies; the tight integration of one in the reduced size."""
    norms: dict[str, float] = {}
    air = exponential_atmosphere(1.225, 6000.0)  # smooth: the order of the steps is not that of a table
    standard = standard_atmosphere()
    for name, (mass, speed) in BODIES.items():
        found = fly_bodies(mass, speed, 45.0, 3300.0, air, AblationSettings(tolerance=1e-6)).isel(body=0)
        if size == "full" or mass == 1e-6:
            plain = AblationSettings(tolerance=1e-8, release="uniform")
            ours = float(fly_bodies(mass, speed, 45.0, 3300.0, air, plain)["half_mass_altitude"][0])
            norms[f"{name}, altitude of half mass against scipy, km"] = abs(ours - half_mass_altitude(mass, speed, 3300.0, air))
        total = float(found["released_mass"].sum() + found["released_outside"].sum() + found["final_mass"])
        norms[f"{name}, change of mass"] = abs(total / mass - 1.0)
        norms[f"{name}, half mass at km"] = float(found["half_mass_altitude"])
    norms["order of the steps"] = order_in_steps(1e-6, 20e3, air)
    for name, (mass, speed, density, sigma) in REFERENCES.items():
        chosen = AblationSettings(model="classical", sigma=sigma, gravity=False, curved=False)
        track = fly_one(mass, speed, 45.0, density, standard, chosen)
        invariant = np.log(track["mass"] / mass) + 0.5e-6 * sigma * (speed**2 - track["speed"] ** 2)
        norms[f"{name}, invariant"] = float(np.abs(invariant).max())
        norms[f"{name}, column at half mass, kg m-2"] = float(track["half_mass_air_column"])
        norms[f"{name}, altitude at half mass, km"] = float(track["half_mass_altitude"])
    return norms


def test_ablation() -> None:
    """The steps are of order 4, scipy agrees, mass and the classical invariant hold to round-off."""
    norms = check_recorded("ablation", run)
    assert norms["order of the steps"] > 3.7
    assert norms["1e-6 kg, 20 km/s, altitude of half mass against scipy, km"] < 1e-4
    for name, value in norms.items():
        if name.endswith(("change of mass", "invariant")):
            assert value < 1e-9, name
    for name, column in (("1e-6 kg", 0.07082), ("1e-9 kg", 0.007082), ("2e-5 kg", 0.08115)):
        assert abs(norms[f"{name}, column at half mass, kg m-2"] / column - 1.0) < 1e-3
