"""Resonance line that is optically thick: multiple scattering in a plane-parallel gas, such as Lyman-alpha at Mars.

The gas has one temperature. Every scattering is isotropic and gives the photon a new frequency of the Doppler profile
(complete redistribution). The solar line is flat over the Doppler width. Photons that leave the lower boundary are
absorbed there; nothing else absorbs. Optical depth is that at line centre, measured down from the top.

Limits. The layers are flat: good within about a scale height of the thick gas and away from the terminator; far out in an
extended corona the light from below comes from a cone that narrows with distance, which `thick_limb_brightness` allows for
in an approximate way. Wings of the natural line matter beyond an optical depth of about 1e4, where this refuses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import expn

from siderion.core.errors import DataError, SettingsError

from .airglow import RAYLEIGH
from .checks import finite_array, positive
from .column import Tail, line_shells, vertical_column

LARGEST_OPTICAL_DEPTH = 1e4
"""Beyond it the natural wings of the line carry the photons out, and the Doppler profile alone is wrong."""
_STEP = 0.08
_FREQUENCY = np.arange(0.5, 90.0) * _STEP
"""Frequency from line centre in Doppler widths, one side; the midpoint rule converges exponentially for these integrands."""


def transmission(optical_depth: ArrayLike) -> NDArray[np.float64]:
    """Share of the photons of a Doppler profile that pass a line-centre optical depth.

    T(tau) = integral of exp(-x^2)/sqrt(pi) exp(-tau exp(-x^2)) over x (Holstein 1947, doi:10.1103/PhysRev.72.1212).

    Parameters
    ----------
    optical_depth : array
        Optical depth at line centre.

    Returns
    -------
    array
        Share, as ``optical_depth``.

    Raises
    ------
    DataError
        A value is negative or not finite.
    """
    return _frequency_sum(finite_array("optical depth", optical_depth), lambda y: np.exp(-y), with_profile=True)


def absorbed_width(optical_depth: ArrayLike) -> NDArray[np.float64]:
    """Curve of growth: integral of `transmission` from 0 to an optical depth.

    W(tau) = integral of (1 - exp(-tau exp(-x^2)))/sqrt(pi) over x: the width that the line takes out of a flat spectrum, in
    units of sqrt(pi) Doppler widths; tau where thin, 2 sqrt(ln tau / pi) where thick.

    Parameters
    ----------
    optical_depth : array
        Optical depth at line centre.

    Returns
    -------
    array
        Width, as ``optical_depth``.

    Raises
    ------
    DataError
        A value is negative or not finite.
    """
    return _frequency_sum(finite_array("optical depth", optical_depth), lambda y: -np.expm1(-y), with_profile=False)


def scattered_emission(edges: ArrayLike, solar_cosine: float) -> xr.Dataset:
    """Emission rate of the atoms in flat layers that scatter sunlight many times.

    Solves e(tau) = T(tau/mu0) + integral of K(tau - t) e(t) dt with the kernel of complete redistribution,
    K(tau) = integral of exp(-2 x^2)/(2 sqrt(pi)) E1(tau exp(-x^2)) over x. Every photon is followed from layer to layer with
    exact probabilities between whole layers, so that none is lost whatever the layers are.

    Parameters
    ----------
    edges : array (edge,)
        Optical depths at line centre of the edges of the layers, from 0 at the top, rising.
    solar_cosine : float
        Cosine mu0 of the solar zenith angle, above 0.

    Returns
    -------
    xarray.Dataset
        On ``layer``: ``relative_emission``, photons emitted per atom over the g-factor of an atom in full sunlight, and
        ``single_scattering``, the part of the first scattering. Attributes, in photons over g times the column of optical
        depth 1: ``absorbed`` from the beam, ``escaped_up``, ``escaped_down``.

    Raises
    ------
    DataError
        The edges are not rising from 0, or the last exceeds `LARGEST_OPTICAL_DEPTH`.
    SettingsError
        The cosine is not above 0 and at most 1.
    """
    levels = finite_array("optical depth", edges)
    if levels.ndim != 1 or len(levels) < 2 or levels[0] != 0.0 or (np.diff(levels) <= 0.0).any():
        raise DataError("optical depths of the edges must rise from 0 at the top; give at least two")
    if levels[-1] > LARGEST_OPTICAL_DEPTH:
        raise DataError(
            f"optical depth {levels[-1]:g} at line centre exceeds {LARGEST_OPTICAL_DEPTH:g}, beyond which the natural wings "
            "of the line matter; stop the gas higher up"
        )
    if not 0.0 < solar_cosine <= 1.0:
        raise SettingsError(f"cosine of the solar zenith angle is {solar_cosine}; it must be above 0 and at most 1")
    depth = np.diff(levels)
    single = np.diff(solar_cosine * absorbed_width(levels / solar_cosine)) / depth
    escape = _escape_integral(np.abs(levels[:, None] - levels[None, :]))
    kernel = 0.5 * np.abs(levels[:, None] - levels[None, :]) - escape  # second antiderivative of K
    # photons from layer j that are next absorbed in layer i, times the depth of j: the mixed difference of the antiderivative
    exchange = -(kernel[1:, 1:] - kernel[1:, :-1] - kernel[:-1, 1:] + kernel[:-1, :-1])
    emission = np.linalg.solve(np.diag(depth) - exchange, depth * single)
    up = np.diff(_escape_integral(levels)) @ emission  # (1/2) E2 over the profile, from each layer to the boundary
    down = -np.diff(_escape_integral(levels[-1] - levels)) @ emission
    words = {"units": "1", "long_name": "emission per atom over the g-factor in full sunlight"}
    return xr.Dataset(
        {
            "relative_emission": ("layer", emission, words),
            "single_scattering": ("layer", single, {**words, "long_name": words["long_name"] + ", first scattering"}),
        },
        attrs={"absorbed": float(depth @ single), "escaped_up": float(up), "escaped_down": float(down)},
    )


def thick_brightness(
    column_density: float,
    line_centre_cross_section: float,
    g: float,
    solar_cosine: float,
    view_cosine: ArrayLike,
    layers: int = 80,
) -> NDArray[np.float64]:
    """Brightness 4 pi I of a flat gas seen from above, for any optical depth up to `LARGEST_OPTICAL_DEPTH`.

    4 pi I = integral of g e(tau) T(tau/mu) dtau / (sigma_0 mu), with e of `scattered_emission`.

    Parameters
    ----------
    column_density : float
        Vertical column density of the atoms above the absorbing lower boundary, m-2.
    line_centre_cross_section : float
        sigma_0, m2, of `siderion.exosphere.airglow.line_centre_cross_section`.
    g : float
        g-factor in full sunlight, s-1.
    solar_cosine : float
        Cosine of the solar zenith angle, above 0.
    view_cosine : array
        Cosine mu of the angle between the line of sight and the vertical, above 0.
    layers : int
        Number of layers; they are thinner towards both boundaries. With 80 the error is 3e-5 at optical depth 1, 7e-4 at 20
        and 1e-2 at 1000. It falls with the square of the number up to depths of some tens, and more slowly beyond.

    Returns
    -------
    array
        Brightness, rayleigh, as ``view_cosine``; for a thin gas it is g N / mu.

    Raises
    ------
    DataError, SettingsError
        A value is out of range.
    """
    total = positive("column density, m-2", column_density) * positive("cross section, m2", line_centre_cross_section)
    cosines = finite_array("cosine of the line of sight", view_cosine)
    if not ((cosines > 0.0) & (cosines <= 1.0)).all():
        raise SettingsError(f"cosines of the line of sight are {cosines.min():g} to {cosines.max():g}; they must be in (0, 1]")
    if layers < 1:
        raise SettingsError(f"number of layers is {layers}; at least 1 is needed")
    edges = layer_edges(total, layers)
    emission = scattered_emission(edges, solar_cosine)["relative_emission"].values
    seen = np.diff(absorbed_width(edges / cosines[..., None]), axis=-1) @ emission  # the factor mu cancels 1/mu
    return positive("g-factor, s-1", g) * seen / line_centre_cross_section / RAYLEIGH


def spherical_emission(
    radius: ArrayLike, density: ArrayLike, line_centre_cross_section: float, solar_cosine: float, tail: Tail = "power_law"
) -> NDArray[np.float64]:
    """Emission rate of the atoms in the shells of a spherical exosphere, over the g-factor in full sunlight; an estimate.

    The shells are the layers of `scattered_emission`. The light that comes up from below is diluted above the radius r1 of
    vertical optical depth 1 as that of a sphere of even brightness, by 1 - sqrt(1 - (r1/r)^2). Against a Monte Carlo in
    spheres (density as r^-4, optical depth 12 at the base, cosine 0.7) the emission is within 4 % up to 1.3 radii of the
    base and within 25 % up to 3.4; without the dilution it would be 43 % too large there.

    Parameters
    ----------
    radius, density : array (radius,)
        Profile, m and m-3; its first radius is the absorbing lower boundary. The spacing sets the accuracy.
    line_centre_cross_section : float
        m2.
    solar_cosine : float
        Cosine of the solar zenith angle, above 0.
    tail : {"power_law", "none"}
        See `siderion.exosphere.column.vertical_column`.

    Returns
    -------
    array (radius,)
        Relative emission in every shell, from the innermost to the gas above the last radius (0 without a tail).

    Raises
    ------
    DataError, SettingsError
        As in `scattered_emission` and `siderion.exosphere.column.vertical_column`.
    """
    section = positive("cross section, m2", line_centre_cross_section)
    columns = vertical_column(radius, density, tail)[::-1]
    empty_tail = columns[0] == 0.0
    flat = scattered_emission(section * (columns if empty_tail else np.append(0.0, columns)), solar_cosine)
    first, all_of_it = flat["single_scattering"].values, flat["relative_emission"].values
    radii = np.asarray(radius, dtype=np.float64)
    middle = np.append(0.5 * (radii[1:] + radii[:-1]), radii[-1])[::-1][-len(first) :]
    inward = first + _dilution(middle, radii[::-1], section * columns) * (all_of_it - first)
    return np.concatenate([[0.0] if empty_tail else [], inward])[::-1]


def thick_limb_brightness(
    tangent_radius: ArrayLike,
    radius: ArrayLike,
    density: ArrayLike,
    line_centre_cross_section: float,
    g: float,
    solar_cosine: float,
    tail: Tail = "power_law",
) -> NDArray[np.float64]:
    """Brightness 4 pi I of a spherical exosphere above its limb, absorption along the line of sight included.

    The emission is that of `spherical_emission`, at one solar zenith angle; the line of sight crosses the shells as spheres.

    Parameters
    ----------
    tangent_radius : array
        Least distance of the line of sight from the centre, m, within the profile.
    radius, density, line_centre_cross_section, solar_cosine, tail
        As in `spherical_emission`; the cosine is that at the tangent point.
    g : float
        g-factor in full sunlight, s-1.

    Returns
    -------
    array
        Brightness seen from outside, rayleigh, as ``tangent_radius``; for a thin gas it is
        `siderion.exosphere.airglow.limb_brightness`.

    Raises
    ------
    CoverageError, DataError, SettingsError
        As in `spherical_emission` and `siderion.exosphere.column.tangent_column`.
    """
    tangents = finite_array("tangent radius, m", tangent_radius)
    emission = spherical_emission(radius, density, line_centre_cross_section, solar_cosine, tail)
    along = np.concatenate([emission[::-1], emission])
    result = np.empty(tangents.shape)
    for index, tangent in np.ndenumerate(tangents):
        half = line_centre_cross_section * line_shells(float(tangent), radius, density, tail)
        passed = np.append(0.0, np.cumsum(np.concatenate([half[::-1], half])))
        result[index] = np.diff(absorbed_width(passed)) @ along
    return positive("g-factor, s-1", g) * result / line_centre_cross_section / RAYLEIGH


def layer_edges(optical_depth: float, layers: int) -> NDArray[np.float64]:
    """Edges of layers from 0 to an optical depth, thin at both ends, where the emission changes fast."""
    stretch = np.arcsinh(positive("optical depth", optical_depth))
    half = np.linspace(-1.0, 1.0, layers + 1)
    shape = np.tanh(0.5 * stretch * half) / np.tanh(0.5 * stretch)
    edges = 0.5 * optical_depth * (1.0 + shape)
    edges[0], edges[-1] = 0.0, optical_depth
    return edges


def _dilution(middle: NDArray, radii: NDArray, depths: NDArray) -> NDArray[np.float64]:
    """Share of the hemisphere that the sphere of vertical optical depth 1 fills; 1 below it. Radii fall, depths rise."""
    level = float(np.interp(1.0, depths, radii))
    return 1.0 - np.sqrt(np.maximum(0.0, 1.0 - (level / middle) ** 2))


def _frequency_sum(depth: NDArray, function: Callable[[NDArray], NDArray], with_profile: bool) -> NDArray[np.float64]:
    """Integral over both sides of the line of function(tau exp(-x^2))/sqrt(pi), or of that times exp(-x^2)."""
    total = np.zeros(depth.shape)
    for x in _FREQUENCY:
        shape = np.exp(-(x**2))
        total += function(depth * shape) * (shape if with_profile else 1.0)
    return total * (2.0 * _STEP / np.sqrt(np.pi))


def _escape_integral(depth: NDArray) -> NDArray[np.float64]:
    """Integral from 0 to tau of the probability that a photon leaves through the nearer side, (1/2) E2 over the profile."""
    return _frequency_sum(depth, lambda y: 0.5 * (0.5 - expn(3, y)), with_profile=False)
