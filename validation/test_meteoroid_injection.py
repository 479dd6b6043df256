"""Global injection by meteoroids: convergence of the quadrature, and Monte Carlo against it.

The mass influx of Gruen et al. 1985 (doi:10.1016/0019-1035(85)90121-6), speeds of the Harvard Radio Meteor Project focused
to 100 km and an isotropic flux are integrated over the thermal ablation in the US standard atmosphere. The quadrature in
masses, speeds and angles is refined until the ablated shares stand; the Monte Carlo integral must agree within its own
standard error, which falls as the root of the number of bodies. All mass must be found again.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from recording import check_recorded, current_size

from siderion.sources.entry.atmosphere import standard_atmosphere
from siderion.sources.meteoroids import InjectionSettings, get_scenario, get_speeds, meteoroid_injection

ELEMENTS = ("Na", "Fe", "Ca")
LEVELS = {"reduced": ((1, 6, 2), (2, 12, 3), (3, 24, 5)), "full": ((2, 12, 3), (3, 24, 5), (4, 48, 8))}
"""Masses per decade, speeds and angles, coarse to fine."""
LARGEST_CHANGE = {"reduced": 0.01, "full": 0.005}
"""Of the ablated share, from the middle to the fine quadrature."""
SAMPLES = {"reduced": (400, 1600), "full": (2000, 32000)}


def integrate(**options: float) -> xr.Dataset:
    """The integral with the numbers of points or samples that are given."""
    settings = InjectionSettings.make({"smallest_mass": 1e-14, "largest_mass": 1e-3, "altitude_step": 2.0, **options})
    return meteoroid_injection(get_scenario("review"), get_speeds("hrmp"), standard_atmosphere(), settings, elements=ELEMENTS)


def run(size: str) -> dict[str, float]:
    """Changes of the ablated shares and of the profile with each refinement; Monte Carlo against the finest."""
    levels = [integrate(masses_per_bin=m, speeds=v, angles=a) for m, v, a in LEVELS[size]]
    norms: dict[str, float] = {}
    fine = levels[-1]
    for name in ELEMENTS:
        share = [float(level["ablated_share"].sel(species=name)) for level in levels]
        norms[f"{name}, ablated share"] = share[-1]
        norms[f"{name}, coarse quadrature, share"] = share[0] / share[-1] - 1.0
        norms[f"{name}, middle quadrature, share"] = share[1] / share[-1] - 1.0
        rates = [level["ablation_rate"].sel(species=name).values for level in levels]
        norms[f"{name}, coarse quadrature, l1 of the profile"] = float(np.abs(rates[0] - rates[-1]).sum() / rates[-1].sum())
        norms[f"{name}, middle quadrature, l1 of the profile"] = float(np.abs(rates[1] - rates[-1]).sum() / rates[-1].sum())
    for count in SAMPLES[size]:
        drawn = integrate(samples=count, seed=1)
        iron = drawn.sel(species="Fe")
        error = float(iron["ablated_mass_rate_sampling_error"])
        distance = float(iron["ablated_mass_rate"] - fine["ablated_mass_rate"].sel(species="Fe"))
        norms[f"Monte Carlo, {count} bodies, standard error of Fe, t/d"] = error
        norms[f"Monte Carlo, {count} bodies, distance in standard errors"] = distance / error
    total = fine["ablated_mass_rate"].sum() + fine["unlisted_mass_rate"] + fine["residue_mass_rate"]
    norms["mass not found again"] = abs(float(total / fine["mass_influx"]) - 1.0)
    return norms


def test_meteoroid_injection() -> None:
    """The quadrature converges, Monte Carlo agrees with it, and no mass is lost."""
    norms = check_recorded("meteoroid_injection", run)
    for name in ELEMENTS:
        assert abs(norms[f"{name}, middle quadrature, share"]) < LARGEST_CHANGE[current_size()]
        coarse, middle = (norms[f"{name}, {level} quadrature, l1 of the profile"] for level in ("coarse", "middle"))
        assert middle < 0.7 * coarse
    errors = [value for name, value in norms.items() if "standard error of Fe" in name]
    counts = [int(name.split()[2]) for name in norms if "standard error of Fe" in name]
    assert abs(errors[0] / errors[1] / np.sqrt(counts[1] / counts[0]) - 1.0) < 0.15
    assert all(abs(value) < 3.5 for name, value in norms.items() if "distance" in name)
    assert norms["mass not found again"] < 1e-6
