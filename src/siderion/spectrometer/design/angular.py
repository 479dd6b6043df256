"""Angular resolution: loss cones and beams that can be seen, and the place of a source that directions point to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from siderion.core.errors import SettingsError

from .settings import Demand

Array = NDArray[np.float64]
_FINE = 0.25
"""Step of the pitch angle in the integrals, degrees."""


def loss_cone_angle(field_ratio: float) -> float:
    """Half angle of the loss cone, degrees: sin^2 a = B / B_mirror.

    Parameters
    ----------
    field_ratio : float
        Magnetic field at the spacecraft over that at the place where ions are lost, above 0 to 1.
    """
    if not 0.0 < field_ratio <= 1.0:
        raise SettingsError(f"field ratio is {field_ratio}; the field here over that at the loss must be above 0 and at most 1")
    return float(np.degrees(np.arcsin(np.sqrt(field_ratio))))


def cone_significance(counts: float, resolution: float, half_angle: float, excess: float) -> float:
    """Median significance of a cone about the magnetic field against isotropic ions with the same number of counts.

    Parameters
    ----------
    counts : float
        Expected counts of all pitch angles.
    resolution : float
        Angular resolution (full width at half maximum, and width of the bins), degrees.
    half_angle : float
        Half angle of the cone, degrees, above 0 to 90.
    excess : float
        Flux within the cone over that outside, less 1: -1 is an empty loss cone, a beam is positive.

    Returns
    -------
    float
        Standard deviations.

    Raises
    ------
    SettingsError
        A number cannot be.
    """
    if not (counts > 0.0 and 0.0 < resolution <= 180.0 and 0.0 < half_angle <= 90.0 and -1.0 <= excess < np.inf):
        raise SettingsError(
            f"counts {counts}, resolution {resolution}, half angle {half_angle} degrees, excess {excess}: counts must be "
            "positive, the resolution at most 180, the half angle at most 90 degrees, the excess at least -1"
        )
    angle = np.arange(0.5 * _FINE, 180.0, _FINE)
    solid = np.sin(np.radians(angle))
    cone = np.where(angle < half_angle, 1.0 + excess, 1.0)
    seen, flat = (_binned(_blurred(shape, angle, solid, resolution), resolution) for shape in (cone, np.ones_like(cone)))
    expected, isotropic = counts * seen / seen.sum(), counts * flat / flat.sum()
    return float(np.sqrt(max(2.0 * (xlogy(expected, expected / isotropic) - expected + isotropic).sum(), 0.0)))


def cone_counts_needed(resolution: float, half_angle: float, excess: float, demand: Demand | None = None) -> float:
    """Counts of all pitch angles at which a cone is seen with the demanded confidence and power; arguments as before."""
    wanted = Demand() if demand is None else demand
    # the square of the significance is proportional to the counts
    one = cone_significance(1.0, resolution, half_angle, excess)
    return float("inf") if one == 0.0 else (wanted.needed / one) ** 2


def gyroradius(mass: float, charge: float, speed: float, field: float) -> float:
    """Radius of the circle of an ion across the magnetic field, m: m v / (q B), all SI."""
    if not all(0.0 < value < np.inf for value in (mass, charge, speed, field)):
        raise SettingsError(
            f"mass {mass}, charge {charge}, speed {speed}, field {field}: all must be positive and finite (SI units)"
        )
    return mass * speed / (charge * field)


def source_position_error(distance: float, resolution: float, counts: float) -> float:
    """Standard error of the place of a source across the line of sight, m: distance times direction error.

    The direction of a count has the standard deviation resolution / 2.355; that of the mean of N counts is sqrt(N) smaller.
    For ions that turn in a magnetic field the distance is the gyroradius: an error of the direction turns the orbit about the
    spacecraft, and the place it comes from moves by at most twice the gyroradius times the error.

    Parameters
    ----------
    distance : float
        m.
    resolution : float
        Angular resolution, degrees, full width at half maximum.
    counts : float
        Number of ions of the source.
    """
    if not (0.0 < distance < np.inf and 0.0 < resolution <= 180.0 and counts >= 1.0):
        raise SettingsError(
            f"distance {distance} m, resolution {resolution} degrees, counts {counts}: all positive, one count at least"
        )
    return float(distance * np.radians(resolution) / np.sqrt(8.0 * np.log(2.0) * counts))


def source_counts_needed(distance: float, resolution: float, error: float) -> float:
    """Counts at which the place of a source is known to a standard error (m); at least 1."""
    if not 0.0 < error < np.inf:
        raise SettingsError(f"error is {error} m; it must be positive and finite")
    return max(1.0, (source_position_error(distance, resolution, 1.0) / error) ** 2)


def _blurred(shape: Array, angle: Array, solid: Array, resolution: float) -> Array:
    """Counts by seen pitch angle: a Gaussian of the resolution, folded at 0 and 180 degrees, that keeps every count."""
    sigma = resolution / np.sqrt(8.0 * np.log(2.0))
    difference = [angle[:, None] - image for image in (angle, -angle, 360.0 - angle)]
    kernel = sum(np.exp(-0.5 * (part / sigma) ** 2) for part in difference)
    kernel = kernel / kernel.sum(axis=0)
    return np.asarray(kernel @ (shape * solid))


def _binned(values: Array, resolution: float) -> Array:
    bins = max(1, round(180.0 / resolution))
    place = np.minimum((np.arange(len(values)) + 0.5) / len(values) * bins, bins - 1e-9).astype(int)
    return np.asarray(np.bincount(place, weights=values, minlength=bins), dtype=np.float64)
