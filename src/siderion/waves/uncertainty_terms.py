"""Terms of ln(density) by source, and the quantiles of their sums.

The sum of all terms but that of the power is sampled once per range of the ionisation rate and pitch angle; the term of
the power is added on a grid of degrees of freedom. Between grid points of the degrees of freedom, and between pitch angles,
quantiles are interpolated. `sampled_factors` is the plain Monte Carlo that holds this to account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv, ndtri

from siderion.core.errors import DataError
from siderion.core.measurement import LOWER_QUANTILE, UPPER_QUANTILE

from .conventions import Convention
from .density import MEDIAN_PITCH_ANGLE, Floats, checked
from .density_settings import DensityUncertainty, Plasma, Spread

Term = Callable[[Floats], tuple[Floats, Floats]]
"""From probabilities to ln of the factors on the densities of ions and of neutrals."""

SOURCES = (
    "power",
    "transfer_efficiency",
    "growth_gyrations",
    "photo_rate",
    "plasma_density",
    "flow_speed",
    "pitch_angle",
    "magnetic_field",
)
"""Sources of uncertainty, in the order of the budget."""
INDEPENDENT = ("power",)
"""Sources that differ from window to window and average out; the others are common, the pitch angle in part."""
FEWEST_DEGREES = 2.0
"""Degrees of freedom of one spectral line, taken where they are unknown (NaN): the widest."""
ANGLE_STEP = 3.0
"""Distance, degrees, of the pitch angles whose spread is sampled; it is interpolated between them."""
GRID = 33
"""Points of the grid of degrees of freedom, evenly in 1/sqrt(degrees of freedom)."""
UNKNOWN_ANGLE, EXACT_ANGLE = -10, -20
"""In the place of a pitch angle: not known; known exactly."""
QUANTILES = (LOWER_QUANTILE, 0.5, UPPER_QUANTILE)
_CHUNK_BYTES = 100e6


@dataclass(frozen=True)
class Share:
    """What one source alone does: factors on the nominal densities at the 16, 50 and 84 % quantiles, shape (3, ...)."""

    ion: NDArray[np.floating]
    neutral: NDArray[np.floating]


@dataclass(frozen=True)
class Entries:
    """Windows and species in one line, and what the spread of each depends on.

    Attributes
    ----------
    degrees : array of shape (entry,)
        Effective degrees of freedom.
    angle : array of shape (entry,)
        Pitch angle folded to 0 to 90 degrees, in steps of `ANGLE_STEP`; or `UNKNOWN_ANGLE`, `EXACT_ANGLE`.
    rate_ends : array of shape (entry, 2)
        Ends of the ionisation rate over the rate in use.
    """

    degrees: Floats
    angle: Floats
    rate_ends: Floats


def spread_entries(lines: dict[str, Floats], angles: Floats, uncertainty: DensityUncertainty) -> Entries:
    """What the spread of each window and species depends on, from the arrays of `propagate_density` (one line each)."""
    lower, upper, rate = (checked(name, lines[name]) for name in ("rate_lower", "rate_upper", "rate"))
    if (lower > upper).any():
        index = int(np.argmax(lower > upper))
        raise DataError(
            f"ionisation rate: lower end {lower[index]:g} above upper end {upper[index]:g} s-1 at good entry {index}; swap them"
        )
    if uncertainty.pitch_angle_deviation > 0.0:
        code = np.degrees(np.minimum(angles, np.pi - angles)) / ANGLE_STEP
    else:
        code = np.full(angles.shape, float(EXACT_ANGLE))
    code[np.isnan(lines["pitch_angle"])] = UNKNOWN_ANGLE
    # single precision joins ratios that differ only by round-off of the scaling with distance
    ends = np.stack([lower / rate, upper / rate], axis=-1).astype(np.float32).astype(np.float64)
    return Entries(_degrees(lines["degrees_of_freedom"]), code, ends)


def _degrees(values: Floats) -> Floats:
    return checked("degrees of freedom", np.where(np.isnan(values), FEWEST_DEGREES, values))


class Terms:
    """Terms of the logarithm of both densities, and quantiles of their sums over any set of sources.

    With 8192 samples the quantiles of all sources together carry a sampling error of about 0.6 % of the density.
    """

    def __init__(self, entries: Entries, plasma: Plasma, convention: Convention, uncertainty: DensityUncertainty) -> None:
        self.entries, self.uncertainty = entries, uncertainty
        rng = np.random.default_rng(uncertainty.seed)
        count = uncertainty.samples
        # one stratum per sample and source: even coverage of each distribution, random pairing
        self.u = {source: (rng.permutation(count) + 0.5) / count for source in SOURCES}
        self.common = {name: terms(self.u[name]) for name, terms in _common(plasma, convention, uncertainty).items()}
        self.rates, self.rate_code = _codes(entries.rate_ends)
        self.grid, self.chi_square = self._power_terms()

    def _power_terms(self) -> tuple[Floats, Floats]:
        """Grid in 1/sqrt(degrees of freedom), and ln(dof/chi-square) on it, shape (grid, sample)."""
        if self.uncertainty.power == "none" or not self.entries.degrees.size:
            return np.zeros(1), np.zeros((1, self.uncertainty.samples))
        grid = 1.0 / np.sqrt(np.unique(self.entries.degrees)[::-1])
        if grid.size > GRID:
            grid = np.linspace(grid[0], grid[-1], GRID)
        half = 0.5 / grid[:, None] ** 2
        return grid, np.log(half / gammaincinv(half, self.u["power"][None, :]))

    def quantiles(self, active: frozenset[str]) -> Share:
        """Factors at 16, 50, 84 % of the active sources together, shape (3, entry); (3, 1) where one serves all."""
        one = not active & {"pitch_angle", "photo_rate", "power"}
        count = 1 if one else self.entries.degrees.size
        place = np.zeros(1) if one else 1.0 / np.sqrt(self.entries.degrees)
        grid, chi_square = (self.grid, self.chi_square) if "power" in active else (np.zeros(1), np.zeros((1, 1)))
        ion, neutral = np.zeros((3, count)), np.zeros((3, count))
        for chosen, weight, angle, rate in self._groups(active):
            log_ion, log_neutral = self._sums(active, angle, rate)
            for out, total in ((ion, log_ion), (neutral, log_neutral)):
                curves = np.quantile(total + chi_square, QUANTILES, axis=1)
                for index in range(3):
                    out[index, chosen] += weight * np.interp(place[chosen], grid, curves[index])
        return Share(np.exp(ion), np.exp(neutral))

    def _groups(self, active: frozenset[str]) -> Iterator[tuple[NDArray[np.int64] | slice, Floats | float, int, int]]:
        """Entries, their weights, the pitch angle and the range of the rate that they share; weights of an entry sum to 1."""
        if not active & {"pitch_angle", "photo_rate"}:
            yield slice(None), 1.0, EXACT_ANGLE, 0
            return
        angle = self.entries.angle if "pitch_angle" in active else np.full_like(self.entries.angle, float(EXACT_ANGLE))
        rate = self.rate_code if "photo_rate" in active else np.zeros_like(self.rate_code)
        below = np.floor(angle).astype(np.int64)
        above = angle - below
        for rate_code in np.unique(rate):
            for code in np.unique(np.concatenate([below[rate == rate_code], below[(rate == rate_code) & (above > 0.0)] + 1])):
                for start, part in ((code, 1.0 - above), (code - 1, above)):
                    chosen = np.flatnonzero((below == start) & (rate == rate_code) & (part > 0.0))
                    if chosen.size:
                        yield chosen, part[chosen], int(code), int(rate_code)

    def _sums(self, active: frozenset[str], angle: int, rate: int) -> tuple[Floats, Floats]:
        """ln of both factors, all active sources but the power, shape (sample,)."""
        ion, neutral = np.zeros(self.uncertainty.samples), np.zeros(self.uncertainty.samples)
        for name, (to_ion, to_neutral) in self.common.items():
            if name in active:
                ion, neutral = ion + to_ion, neutral + to_neutral
        if "pitch_angle" in active and angle != EXACT_ANGLE:
            known = np.nan if angle == UNKNOWN_ANGLE else np.radians(angle * ANGLE_STEP)
            term = _pitch_term(self.u["pitch_angle"], np.array(known), self.uncertainty)
            ion, neutral = ion + term, neutral + term
        if "photo_rate" in active:
            neutral = neutral + _rate_term(self.u["photo_rate"], self.rates[rate, 0], self.rates[rate, 1], self.uncertainty)
        return ion, neutral


def _common(plasma: Plasma, convention: Convention, uncertainty: DensityUncertainty) -> dict[str, Term]:
    """Functions from probabilities to ln of the factors on (ion density, neutral density), by common source."""

    def log_ratio(spread: Spread, nominal: float) -> Callable[[Floats], Floats]:
        return lambda u: np.log(spread.ratios(u, nominal))

    efficiency = log_ratio(uncertainty.transfer_efficiency, convention.transfer_efficiency)
    growth = log_ratio(uncertainty.growth_gyrations, convention.growth_gyrations)
    plasma_density = log_ratio(plasma.density_spread, plasma.density)
    field = log_ratio(uncertainty.magnetic_field, 1.0)

    def speed(u: Floats) -> Floats:
        flow = plasma.flow_speed * plasma.speed_spread.ratios(u, plasma.flow_speed)
        return -np.log(np.hypot(flow, plasma.body_speed) / plasma.injection_speed)

    return {
        "transfer_efficiency": lambda u: (-efficiency(u),) * 2,
        "growth_gyrations": lambda u: (np.zeros_like(u), -growth(u)),
        "plasma_density": lambda u: (0.5 * plasma_density(u),) * 2,
        "flow_speed": lambda u: (speed(u),) * 2,
        # v_A and the gyrofrequency are both proportional to B: it cancels in the density of the neutrals
        "magnetic_field": lambda u: (-field(u), np.zeros_like(u)),
    }


def _pitch_term(u: Floats, angle: Floats, uncertainty: DensityUncertainty) -> Floats:
    """-ln of the bracket of equation (1) over its nominal value; isotropic where the angle is NaN."""
    unknown = np.isnan(angle)
    centre = np.where(unknown, MEDIAN_PITCH_ANGLE, angle)
    turned = np.cos(centre + np.radians(uncertainty.pitch_angle_deviation) * ndtri(u))
    cosine = np.where(unknown, u, turned)
    return -np.log((1.0 + cosine**2) / (1.0 + np.cos(centre) ** 2))


def _rate_term(u: Floats, lower: ArrayLike, upper: ArrayLike, uncertainty: DensityUncertainty) -> Floats:
    """-ln of the ionisation rate over the rate in use."""
    low, high = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    if uncertainty.photo_rate == "none":
        return np.zeros_like(u)
    if uncertainty.photo_rate == "uniform":
        return -np.log(low + (high - low) * u)
    return -(np.log(low) + np.log(high / low) * u)


def _codes(ends: Floats) -> tuple[Floats, NDArray[np.int64]]:
    if not len(ends):
        return np.ones((1, 2)), np.zeros(0, dtype=np.int64)
    values, code = np.unique(ends, axis=0, return_inverse=True)
    return values, code.reshape(-1)


def sampled_factors(
    degrees_of_freedom: ArrayLike,
    pitch_angle: ArrayLike,
    rate_ratios: ArrayLike,
    *,
    plasma: Plasma,
    convention: Convention,
    uncertainty: DensityUncertainty,
) -> Share:
    """Plain Monte Carlo: every window with its own random numbers, in chunks of at most about 100 MB.

    Slow; the reference of `propagate_density`, whose factors it gives without groups, grid or shared samples.

    Parameters
    ----------
    degrees_of_freedom, pitch_angle : array of shape (window,)
        As in `propagate_density`.
    rate_ratios : array of shape (window, 2)
        Ends of the ionisation rate over the rate in use.
    plasma, convention, uncertainty
        As in `propagate_density`.

    Returns
    -------
    Share
        Factors on the nominal densities, arrays of shape (3, window).
    """
    rng = np.random.default_rng(uncertainty.seed)
    ratios = checked("ratio of ionisation rates", rate_ratios)
    angle = np.asarray(pitch_angle, dtype=float)
    degrees = _degrees(np.asarray(degrees_of_freedom, dtype=float))
    ion, neutral = np.empty((3, degrees.size)), np.empty((3, degrees.size))
    chunk = max(1, int(_CHUNK_BYTES / (8.0 * 8.0 * uncertainty.samples)))
    for start in range(0, degrees.size, chunk):
        part = slice(start, start + chunk)
        size = (degrees[part].size, uncertainty.samples)
        common = {name: terms(rng.random(size)) for name, terms in _common(plasma, convention, uncertainty).items()}
        log_ion = sum(common[name][0] for name in common) + _pitch_term(rng.random(size), angle[part, None], uncertainty)
        if uncertainty.power == "chi-square":
            log_ion = log_ion + np.log(degrees[part, None] / rng.chisquare(degrees[part, None], size))
        log_rate = _rate_term(rng.random(size), ratios[part, None, 0], ratios[part, None, 1], uncertainty)
        log_neutral = log_ion - common["magnetic_field"][0] + common["growth_gyrations"][1] + log_rate
        ion[:, part] = np.quantile(np.exp(log_ion), QUANTILES, axis=1)
        neutral[:, part] = np.quantile(np.exp(log_neutral), QUANTILES, axis=1)
    return Share(ion, neutral)
