"""Pick-up current: the current that new ions carry while they take up the motion of the plasma."""

from __future__ import annotations

from numpy.typing import ArrayLike

from .density import Floats, checked


def production_rate(neutral_density: ArrayLike, rate: ArrayLike) -> Floats:
    """Ions made per volume and time, nu n_n.

    Parameters
    ----------
    neutral_density : array
        m-3.
    rate : array
        Ionisation rate of one neutral, s-1.

    Returns
    -------
    array
        m-3 s-1.

    Raises
    ------
    DataError
        A value is negative or not finite, or the rate is zero.
    """
    return checked("neutral density", neutral_density, zero=True) * checked("ionisation rate", rate)


def pickup_current(production: ArrayLike, ion_mass: ArrayLike, pickup_speed: ArrayLike, magnetic_field: ArrayLike) -> Floats:
    """Equation (5) of Lammer et al. 2025 (after Kivelson et al. 2009): j = m n_dot u / B = |q| n_dot rho_L.

    The charge cancels: rho_L = m u / (|q| B).

    Parameters
    ----------
    production : array
        n_dot, m-3 s-1, as `production_rate` gives it.
    ion_mass : array
        kg.
    pickup_speed : array
        u, the part of the speed across the field, m s-1.
    magnetic_field : array
        T.

    Returns
    -------
    array
        Current density, A m-2.

    Raises
    ------
    DataError
        A value is out of range.
    """
    momentum = checked("ion mass", ion_mass) * checked("pick-up speed", pickup_speed, zero=True)
    return checked("production rate", production, zero=True) * momentum / checked("magnetic field", magnetic_field)
