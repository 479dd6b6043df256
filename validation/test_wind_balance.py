"""Neutral wind: the balance of pressure, Coriolis force and ion drag, and a run of 84 hours that stays bounded.

At rest -grad(p)/rho - 2 Omega x U + nu (V - U) = 0 (Kohl & King 1967, doi:10.1016/0021-9169(67)90139-0), so that with
W = U_east + i U_north: W = (G + nu V) / (nu + i f). The pressure exp(a . s) on the unit sphere and p / rho ~ r make the
balance the same at all heights, so that viscosity has nothing to do. The 84 hours: two cells of ion drift over the pole
that turn with the Sun, a diurnal bulge, momentum advection, viscosity and friction on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from prescribed import order
from recording import check_recorded

from siderion.background.wind import IonDrift, IonVelocity, WindForcing, WindSettings, solve_wind
from siderion.core.constants import ATOMIC_MASS, BOLTZMANN, EARTH_RADIUS, EARTH_ROTATION_RATE
from siderion.frames.spherical import local_axes, unit_vector

START = np.datetime64("2023-06-16T00:00", "ns")
HOUR = np.timedelta64(3600 * 10**9, "ns")
PUSH = np.array([0.05, -0.03, 0.04])
DRAG = 2e-4  # s-1
DRIFT = 120.0 - 60.0j  # m s-1
MASS = 20.0 * ATOMIC_MASS
TEMPERATURE = 900.0


def grid(step: float) -> tuple[NDArray, NDArray]:
    """Latitudes from 30 to the pole and longitudes, cell centres, degrees; cells of ``step`` by 2 ``step``."""
    return np.arange(30.0 + step / 2.0, 90.0, step), np.arange(-180.0 + step, 180.0, 2.0 * step)


def static_forcing(step: float) -> WindForcing:
    """Pressure exp(a . s) and p / rho ~ r, constant for 37 hours."""
    lat, lon = grid(step)
    alt = np.linspace(90.0, 420.0, 8)
    radius = (EARTH_RADIUS + 1e3 * alt)[:, None, None]
    column = 0.1 * np.exp(-(alt - 90.0) / 40.0)[:, None, None]
    pressure = column * np.exp(unit_vector(lat[:, None], lon[None, :]) @ PUSH)
    density = pressure * MASS / (BOLTZMANN * TEMPERATURE) * EARTH_RADIUS / radius
    hours = np.arange(37)

    def constant(values: NDArray) -> NDArray:
        return np.broadcast_to(values, (len(hours), *np.broadcast_shapes(values.shape, pressure.shape)))

    return WindForcing(
        START + hours * HOUR, alt, lat, lon, constant(pressure), constant(density),
        constant(np.full_like(pressure, TEMPERATURE)), constant(DRAG * density),
    )  # fmt: skip


def balance_error(step: float) -> dict[str, float]:
    """Solved wind after 36 hours against the balance: largest and root-mean-square part of the largest wind."""
    forcing = static_forcing(step)
    settings = WindSettings(spin_up=36.0, advection=False, friction=False)
    end = START + 36 * HOUR
    out = solve_wind(forcing, lambda *_: IonDrift(DRIFT.real, DRIFT.imag), end, end, settings).isel(wind_time=0)
    wind = out.neutral_wind_east.values + 1j * out.neutral_wind_north.values
    east, north, _ = local_axes(*np.meshgrid(forcing.latitude, forcing.longitude, indexing="ij"))
    push = -(BOLTZMANN * TEMPERATURE / MASS / EARTH_RADIUS) * (east @ PUSH + 1j * (north @ PUSH))
    coriolis = 2.0 * EARTH_ROTATION_RATE * np.sin(np.radians(forcing.latitude))[:, None]
    exact = (push + DRAG * DRIFT) / (DRAG + 1j * coriolis)
    error = np.abs(wind - exact) / np.abs(exact).max()
    weight = np.cos(np.radians(forcing.latitude))[:, None] * np.ones(error.shape)
    return {"largest": float(error.max()), "mean": float(np.sqrt(np.sum(weight * error**2) / weight.sum()))}


def moving_forcing(step: float, hours: int) -> WindForcing:
    """Hydrostatic air with a bulge that follows the Sun, and drag that grows with height."""
    lat, lon = grid(step)
    alt = np.r_[85.0:125.0:8.0, np.linspace(130.0, 420.0, 9)]
    time = np.arange(hours + 1)
    local = np.radians(lon[None, :] + 15.0 * time[:, None])[:, None, None, :]
    height = -(alt - 85.0)[:, None, None] / np.where(alt < 130.0, 7.0, 30.0)[:, None, None]
    size = 0.3 * np.clip((alt - 100.0) / 200.0, 0.0, 1.0)[:, None, None] * np.cos(np.radians(lat))[:, None]
    pressure = 0.4 * np.exp(height + size * np.cos(local - np.radians(45.0)))
    temperature = np.full(pressure.shape, TEMPERATURE)
    density = pressure * MASS / (BOLTZMANN * temperature)
    rate = 1.5e-4 * np.clip((alt - 110.0) / 100.0, 0.0, 1.0)[:, None, None]
    return WindForcing(START + time * HOUR, alt, lat, lon, pressure, density, temperature, rate * density)


def two_cells(forcing: WindForcing) -> IonVelocity:
    """Ion drift of 800 m/s from noon to midnight over the pole, which turns with the Sun."""
    east, north, _ = local_axes(*np.meshgrid(forcing.latitude, forcing.longitude, indexing="ij"))
    inside = np.exp(-(((90.0 - forcing.latitude[:, None]) / 15.0) ** 2))

    def drift(time: np.datetime64, *_: NDArray) -> IonDrift:
        hours = (time - START) / HOUR
        noon = np.radians(180.0 - 15.0 * hours)
        flow = -800.0 * np.array([np.cos(noon), np.sin(noon), 0.0])
        return IonDrift((east @ flow) * inside, (north @ flow) * inside)

    return drift


def long_run(step: float, hours: int) -> dict[str, float]:
    """Run without spin-up; largest wind of the last two days, and its part that does not repeat after a day."""
    forcing = moving_forcing(step, hours)
    settings = WindSettings(spin_up=0.0)
    out = solve_wind(forcing, two_cells(forcing), START, START + hours * HOUR, settings)
    speed = np.hypot(out.neutral_wind_east.values, out.neutral_wind_north.values)
    day = round(24 * 3600 / settings.output_interval)
    change = np.hypot(
        out.neutral_wind_east.values[-1] - out.neutral_wind_east.values[-1 - day],
        out.neutral_wind_north.values[-1] - out.neutral_wind_north.values[-1 - day],
    )
    high = forcing.altitude > 200.0
    return {
        "largest": float(speed[-day:].max()),
        "before": float(speed[-2 * day : -day].max()),
        "high": float(change[high].max()),
        "low": float(change[~high].max()),
    }


def run(size: str) -> dict[str, float]:
    """Balance on two grids, or three at full size; 84 hours on a coarse or the usual grid."""
    steps = (10.0, 5.0, 2.5) if size == "full" else (10.0, 5.0)
    results = [balance_error(step) for step in steps]
    norms: dict[str, float] = {}
    for step, result in zip(steps, results, strict=True):
        norms[f"balance, largest error at {step:g} deg"] = result["largest"]
        norms[f"balance, mean error at {step:g} deg"] = result["mean"]
    norms["balance, order of the mean error"] = order(results[-2]["mean"], results[-1]["mean"])
    norms["balance, order of the largest error"] = order(results[-2]["largest"], results[-1]["largest"])
    long = long_run(2.5 if size == "full" else 7.5, 84)
    norms["84 h, largest wind of the last day, m/s"] = long["largest"]
    norms["84 h, largest wind of the day before, m/s"] = long["before"]
    norms["84 h, change from day to day above 200 km, m/s"] = long["high"]
    norms["84 h, change from day to day below 200 km, m/s"] = long["low"]
    return norms


def test_wind_balance() -> None:
    """Second order in the grid; after 84 hours the wind repeats from day to day and stays below 600 m/s."""
    norms = check_recorded("wind_balance", run)
    assert norms["balance, order of the mean error"] > 1.9
    assert norms["balance, order of the largest error"] > 1.9
    assert 200.0 < norms["84 h, largest wind of the last day, m/s"] < 600.0
    assert norms["84 h, change from day to day above 200 km, m/s"] < 0.1
    assert norms["84 h, change from day to day below 200 km, m/s"] < 1.0
