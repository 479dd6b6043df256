"""Spread of the energy behind a carbon foil: many small losses make a Gaussian core, few large collisions a long tail.

Collisions with carbon nuclei follow the Thomas-Fermi scattering function of Winterbon, Sigmund and Sanders (1970),
``dsigma = pi a^2 f(x) / x^2 dx`` with ``x = eps sin(theta / 2)`` and ``f = l x^(1/3) (1 + (2 l x^(4/3))^(2/3))^(-3/2)``: the
energy handed over is ``gamma E (x / eps)^2``. Collisions that happen less than once in the foil belong to the tail.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import constants as codata

from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE

from .foil import mean_loss
from .foil_stopping import SQUARED_CHARGE, areal_density, collision, electronic_stopping, foil_constants

Array = NDArray[np.float64]

LOWEST, HIGHEST = 1e-5, 3e3
"""Range of the scattering variable x that is tabulated."""


@cache
def scattering_table() -> tuple[Array, Array, Array, Array]:
    """Universal integrals of the scattering function over x, from each x of a fine grid up to `HIGHEST`.

    Returns
    -------
    x, count, loss, square : array (x,)
        Grid, and integrals of f / x^2, f and f x^2 above each x: number of collisions, energy and squared energy.
    """
    x = np.geomspace(LOWEST, HIGHEST, 4001)
    lam = foil_constants()["scattering_lambda"]
    f = lam * np.cbrt(x) * (1.0 + (2.0 * lam * x ** (4.0 / 3.0)) ** (2.0 / 3.0)) ** -1.5
    above = []
    for power in (-2.0, 0.0, 2.0):
        inside = f * x**power
        pieces = 0.5 * (inside[1:] * x[1:] + inside[:-1] * x[:-1]) * np.diff(np.log(x))
        above.append(np.concatenate([np.cumsum(pieces[::-1])[::-1], [0.0]]))
    return x, above[0], above[1], above[2]


def between(column: int, lower: float, upper: float) -> float:
    """Integral of column 1 (count), 2 (loss) or 3 (square) of `scattering_table` from ``lower`` to ``upper``."""
    x, *columns = scattering_table()
    values = np.interp(np.log([lower, upper]), np.log(x), columns[column - 1])
    return float(values[0] - values[1])


def rare_limit(atom: str, energy: float, thickness: float) -> float:
    """Scattering variable above which an atom has one collision in the foil on average; at most that of a central collision."""
    one = collision(atom)
    eps = one.reduced_energy * energy
    wanted = 1.0 / (areal_density(thickness) * one.screening_area)
    x, count, _, _ = scattering_table()
    above = count - np.interp(np.log(eps), np.log(x), count)
    if above[0] <= wanted:
        return LOWEST
    return float(np.exp(np.interp(-wanted, -above, np.log(x))))


def electronic_variance(atom: str, energy: float, thickness: float) -> float:
    """Variance of the electronic loss, eV2: Bohr's, reduced at low speed, with the charge that the stopping implies.

    4 pi e4 q^2 Z2 N min(1, L / 2), L = 1.36 chi^(1/2) - 0.016 chi^(3/2), chi = (v / v0)^2 / Z2; q^2 is the stopping of the
    atom over that of a proton of the same speed.

    References
    ----------
    Lindhard & Scharff 1953, Mat. Fys. Medd. Dan. Vid. Selsk. 27, no. 15.
    """
    one, constants = collision(atom), foil_constants()
    proton_energy = energy * collision("H").mass / one.mass
    charge = float(electronic_stopping(atom, energy) / electronic_stopping("H", proton_energy))
    speed = np.sqrt(2.0 * energy * ELEMENTARY_CHARGE / (one.mass * ATOMIC_MASS)) / (codata.fine_structure * codata.c)
    chi = speed**2 / constants["carbon_number"]
    reduced = constants["electronic_straggling_a"] * np.sqrt(chi) - constants["electronic_straggling_b"] * chi**1.5
    bohr = 4.0 * np.pi * SQUARED_CHARGE**2 * charge * constants["carbon_number"] * areal_density(thickness)
    return float(bohr * min(1.0, 0.5 * reduced))


def nuclear_variance(atom: str, energy: float, thickness: float, whole: bool = False) -> float:
    """Variance of the nuclear loss, eV2, from collisions that are not rare, or (``whole``) from all."""
    one = collision(atom)
    eps = one.reduced_energy * energy
    upper = eps if whole else rare_limit(atom, energy, thickness)
    square = between(3, LOWEST, max(upper, LOWEST))
    return areal_density(thickness) * one.screening_area * (one.kinematic_factor * energy / eps**2) ** 2 * square


def straggling(atom: str, energy: float, thickness: float = 1.0, foil_model: str = "fit") -> float:
    """Standard deviation of the Gaussian core of the energy behind a foil, eV.

    Electronic and nuclear straggling (without the rare collisions of the tail) and the unevenness of the foil.

    Parameters
    ----------
    atom : str
        Such as ``"O"``.
    energy : float
        Before the foil, eV.
    thickness : float
        ug cm-2.
    foil_model : {"fit", "stopping"}
        See `siderion.spectrometer.foil.retained_fraction`.
    """
    if thickness <= 0.0:
        return 0.0
    uneven = foil_constants()["thickness_spread"] * float(mean_loss(atom, energy, thickness, foil_model))
    return float(np.sqrt(electronic_variance(atom, energy, thickness) + nuclear_variance(atom, energy, thickness) + uneven**2))
