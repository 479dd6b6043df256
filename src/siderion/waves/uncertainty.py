"""Uncertainty of the densities, all sources together and each alone.

Every density of equations (1) and (2) is a product, so ln(density) = ln(nominal) + one term per source. All terms but
that of the wave power depend on few things (species, whether and to which degree the pitch angle is known), so their sum
is sampled once per distinct group; the term of the power depends on the degrees of freedom alone and is added on a grid of
them. Quantiles between grid points are interpolated. `sampled_factors` does the same window by window, by independent
random numbers and without grid or groups; the tests hold the two together.

Sources common to all windows (efficiency, growth, rates, plasma) do not average out over windows; that of the power does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError
from siderion.core.measurement import measurement

from . import density as kernels
from .conventions import Convention
from .density import MEDIAN_PITCH_ANGLE, Floats
from .density_settings import DensityUncertainty, Plasma
from .uncertainty_terms import INDEPENDENT, SOURCES, Share, Terms, sampled_factors, spread_entries

__all__ = ["FLAGS", "INDEPENDENT", "SOURCES", "DensityResult", "Interval", "Share", "propagate_density", "sampled_factors"]

FLAGS = {1: "no wave power", 2: "Alfven speed not below injection speed"}
"""Meanings of the flags; 0 is good."""
CONVENTION = {
    "nominal": "value: the equations with the named convention; ends: 16 and 84 % quantiles of the samples, "
    "moved out to the value where it lies beyond them",
    "median": "median of the samples; ends: their 16 and 84 % quantiles",
}
"""What value and ends of the measurements mean, by the setting ``value``."""


@dataclass(frozen=True)
class Interval:
    """A density in m-3: value, ends, and the median of the samples; one shape. NaN where the flag is 1."""

    value: Floats
    lower: Floats
    upper: Floats
    median: Floats


@dataclass(frozen=True)
class DensityResult:
    """Densities of ions and neutrals, the budget of their uncertainty by source, and what they rest on.

    Attributes
    ----------
    ion_density, neutral_density : Interval
        m-3.
    flag : array of int
        0, or a key of `FLAGS`.
    budget : dict of str to Share
        By source.
    attributes : dict
        Convention, plasma and settings.
    """

    ion_density: Interval
    neutral_density: Interval
    flag: NDArray[np.int16]
    budget: dict[str, Share]
    attributes: dict[str, str | float]

    def to_dataset(self, dims: tuple[str, ...]) -> xr.Dataset:
        """The measurements ``ion_density`` and ``neutral_density`` with the dimensions named."""
        parts = []
        names = {"ion_density": "number density of the pick-up ions", "neutral_density": "number density of the parent neutrals"}
        for name, long_name in names.items():
            part: Interval = getattr(self, name)
            parts.append(
                measurement(
                    name,
                    part.value,
                    part.lower,
                    part.upper,
                    dims=dims,
                    units="m-3",
                    convention=str(self.attributes["density_value"]),
                    flag=self.flag,
                    flag_meanings=FLAGS,
                    long_name=long_name,
                )
            )
        return xr.merge(parts).assign_attrs(self.attributes)

    def budget_table(self) -> pd.DataFrame:
        """Budget as a table: by source and for all together, the medians over good windows of the factors at 16 and 84 %."""
        good = self.flag != 1
        if not good.any():
            raise DataError("budget of the densities: no window has wave power; there is nothing to take a median of")
        rows = {}
        for source, share in self.budget.items():
            ends = [np.median(factors[i][good]) for factors in (share.ion, share.neutral) for i in (0, 2)]
            rows[source] = ends
        columns = ["ion_density_lower", "ion_density_upper", "neutral_density_lower", "neutral_density_upper"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("source")


def propagate_density(
    power: ArrayLike,
    degrees_of_freedom: ArrayLike,
    pitch_angle: ArrayLike,
    magnetic_field: ArrayLike,
    ion_mass: ArrayLike,
    charge: ArrayLike,
    rate: ArrayLike,
    rate_lower: ArrayLike,
    rate_upper: ArrayLike,
    *,
    plasma: Plasma,
    convention: Convention,
    uncertainty: DensityUncertainty,
) -> DensityResult:
    """Densities of ions and neutrals with uncertainties for many windows and species.

    Parameters
    ----------
    power : array of shape (...)
        Band-integrated one-sided power of both perpendicular components, delta_B^2, T2, without the background. Where it
        is NaN or not positive there is no density: NaN and flag 1.
    degrees_of_freedom : array
        Effective number for the power in the band; NaN: unknown, 2 is taken, the widest.
    pitch_angle : array
        radians; NaN: unknown, isotropic with 60 degrees as nominal angle.
    magnetic_field : array
        T.
    ion_mass, charge : array
        kg, C.
    rate, rate_lower, rate_upper : array
        Ionisation rate at the place and the ends of its spread, s-1 (`density_settings.rate_range`).
    plasma : Plasma
        From `density_settings.resolve_plasma`.
    convention : Convention
        Factors of equations (1) and (2).
    uncertainty : DensityUncertainty
        Spreads, samples, seed.

        All arrays broadcast to the shape of ``power``: with (time, species), values of the time have shape (time, 1).

    Returns
    -------
    DensityResult
        With ``lower <= value <= upper`` at every good value.

    Raises
    ------
    DataError
        A value is out of range, or shapes do not fit. Where there is no power, nothing is checked.
    """
    amplitude_squared = np.asarray(power, dtype=np.float64)
    shape = amplitude_squared.shape
    good = np.isfinite(amplitude_squared) & (amplitude_squared > 0.0)
    arrays = {
        "degrees_of_freedom": degrees_of_freedom, "pitch_angle": pitch_angle, "magnetic_field": magnetic_field,
        "ion_mass": ion_mass, "charge": charge, "rate": rate, "rate_lower": rate_lower, "rate_upper": rate_upper,
    }  # fmt: skip
    lines = {name: _like(name, array, shape)[good] for name, array in arrays.items()}
    angles = np.where(np.isnan(lines["pitch_angle"]), MEDIAN_PITCH_ANGLE, lines["pitch_angle"])
    ions, neutrals, ratio = _nominal(np.sqrt(amplitude_squared[good]), angles, lines, plasma, convention)
    entries = spread_entries(lines, angles, uncertainty)
    terms = Terms(entries, plasma, convention, uncertainty)
    total = terms.quantiles(frozenset(SOURCES))
    flag = np.ones(shape, dtype=np.int16)
    flag[good] = np.where(ratio < 1.0, 0, 2)
    return DensityResult(
        _interval(ions, total.ion, good, uncertainty),
        _interval(neutrals, total.neutral, good, uncertainty),
        flag,
        {source: _spread_out(terms.quantiles(frozenset((source,))), good) for source in SOURCES}
        | {"all": _spread_out(total, good)},
        _attributes(plasma, convention, uncertainty),
    )


def _nominal(
    amplitude: Floats, angles: Floats, lines: dict[str, Floats], plasma: Plasma, convention: Convention
) -> tuple[Floats, Floats, Floats]:
    """Densities by the equations, and v_A/v_inj."""
    alfven = kernels.alfven_speed(lines["magnetic_field"], plasma.mass_density)
    speed = plasma.injection_speed
    ions = kernels.ion_density(amplitude, lines["ion_mass"], alfven, speed, angles, convention=convention)
    frequency = kernels.gyrofrequency(lines["magnetic_field"], lines["ion_mass"], lines["charge"])
    neutrals = kernels.neutral_density(ions, frequency, lines["rate"], convention=convention)
    return ions, neutrals, kernels.speed_ratio(alfven, speed)


def _interval(
    nominal: Floats, factors: NDArray[np.floating], good: NDArray[np.bool_], uncertainty: DensityUncertainty
) -> Interval:
    lower, median, upper = nominal * factors
    value = nominal if uncertainty.value == "nominal" else median
    parts = [np.full(good.shape, np.nan) for _ in range(4)]
    for part, line in zip(parts, (value, np.minimum(lower, value), np.maximum(upper, value), median), strict=True):
        part[good] = line
    return Interval(*parts)


def _spread_out(share: Share, good: NDArray[np.bool_]) -> Share:
    """Factors back on the shape of the windows, single precision; one factor for all stays one number behind a view."""
    both = []
    for factors in (share.ion, share.neutral):
        if factors.shape[1] == 1:
            one = factors.astype(np.float32).reshape(3, *(1,) * good.ndim)
            both.append(np.broadcast_to(one, (3, *good.shape)))
            continue
        whole = np.full((3, *good.shape), np.nan, dtype=np.float32)
        whole[:, good] = factors
        both.append(whole)
    return Share(*both)


def _like(name: str, array: ArrayLike, shape: tuple[int, ...]) -> Floats:
    try:
        return np.broadcast_to(np.asarray(array, dtype=np.float64), shape)
    except ValueError as error:
        raise DataError(
            f"{name} has shape {np.shape(array)}; it must broadcast to that of the power, {shape}; "
            "give values of the time the shape (time, 1)"
        ) from error


def _attributes(plasma: Plasma, convention: Convention, uncertainty: DensityUncertainty) -> dict[str, str | float]:
    return {
        **convention.attributes(),
        **plasma.attributes(),
        "density_value": CONVENTION[uncertainty.value],
        "density_uncertainty": uncertainty.model_dump_json(),
    }
