"""Fit of exosphere models to binned density profiles: surface densities and temperatures with uncertainties.

The logarithms of the binned medians are fitted by least squares (lmfit) in the logarithms of the parameters, weighted with
the errors of the medians. Where the events are at hand, a second pass takes the fall of the density within a bin out of
medians and errors, and a bootstrap over the events gives the uncertainties; otherwise the covariance matrix does.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import lmfit
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.stats import chi2, norm

from siderion.core.bodies import Body
from siderion.core.errors import DataError, NumericalError, SettingsError
from siderion.core.measurement import LOWER_QUANTILE, UPPER_QUANTILE, measurement
from siderion.jobs.progress import ProgressEvent, Report, silent

from .column import vertical_column
from .populations import Template, maxwellian_population, model_populations, population_names, total_density
from .profile_bins import bin_profile, median_error, weighted_quantile

__all__ = ["FLAGS", "bin_profile", "fit_profile"]

Array = NDArray[np.float64]
FLAGS = {
    1: "degenerate with another parameter",
    2: "relative error above 1",
    3: "at a bound",
    4: "fixed by the caller",
}
"""Flags of fitted parameters, the first that holds."""
LARGEST_CORRELATION = 0.95
LARGEST_RATIO = 1.5
"""Ratio of the ends of a parameter from which its correlation with another one makes it degenerate."""
HOTTEST = 20_000.0
"""Upper bound of fitted temperatures, K, unless the caller sets one: far above any release process."""
_STARTS = 6
_CURVE = 200
_DRAWS = 100
_VANISHED = 1e-4
"""Surface density, as a part of the lowest density of the data, below which a component has no effect."""
_MOST_EVALUATIONS = 600
_FEWEST_CONVERGED = 0.8
_CONVERGED = (1, 2, 3, 4, 5, 6, 7, 8)
"""Exit codes of MINPACK that mean a minimum, those where round-off or the number of evaluations ends the search included: along
a flat direction, where a component is not needed, the search does not end by itself; flags tell such parameters."""


@dataclass(frozen=True)
class _Problem:
    """What a fit needs besides its data: model, fixed and free parameters (logarithms), bounds."""

    body: Body
    species: str
    model: str
    templates: Mapping[str, Template]
    fixed: Mapping[str, float]
    free: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]]

    def density(self, radius: Array, logarithms: Mapping[str, float]) -> Array:
        """Density of the model at radii (km), m-3."""
        values = {**self.fixed, **{name: float(np.exp(logarithms[name])) for name in self.free}}
        return total_density(radius, self.body, model_populations(self.model, self.species, values, self.templates))


def fit_profile(
    profile: xr.Dataset,
    body: Body,
    species: str,
    model: str = "chamberlain",
    *,
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    templates: Mapping[str, Template] | None = None,
    bootstrap: int = 200,
    seed: int | None = None,
    largest_radius: float | None = None,
    report: Report = silent,
) -> xr.Dataset:
    """Fit a model of an exosphere to a binned profile.

    Parameters
    ----------
    profile : xarray.Dataset
        From `bin_profile`; of the variables on ``radial_bin``, ``radial_distance`` (km), ``density_median`` (m-3) and
        ``log_density_error`` are needed; with those on ``event`` the fit uses the events.
    body : Body
        With radius and mass.
    species : str
        Neutral, such as ``"He"``.
    model : str
        ``"chamberlain"`` or ``"two-component"``.
    fixed : mapping of str to float, optional
        Parameters held fixed, such as ``{"temperature_thermal": 420.0}``; m-3 and K.
    bounds : mapping of str to (float, float), optional
        Bounds of parameters, m-3 and K. Default for temperatures: from half the body's lower temperature to `HOTTEST`;
        with two components the thermal one ends, and the energetic one begins, at twice the body's upper temperature.
    templates : mapping of population to Template, optional
        Populations of fixed shape whose surface density is fitted.
    bootstrap : int
        Samples of the bootstrap over events; 0 takes the covariance matrix.
    seed : int, optional
        Seed of the bootstrap; needed when there is one.
    largest_radius : float, optional
        End of the model curve and of the column, km; the outermost bin without it.
    report : callable
        Takes progress events of the bootstrap.

    Returns
    -------
    xarray.Dataset
        Measurements ``surface_density`` (m-3) and ``temperature`` (K) by ``population`` (templates have no temperature:
        NaN, flag 4), ``column_density`` (m-2, above the surface up to ``largest_radius``); ``model_density`` with
        ``_lower`` and ``_upper`` on ``radius`` (km); ``correlation`` (parameter, other_parameter); ``chi_square``,
        ``degrees_of_freedom``, ``chi_square_probability``; ``fit_residual`` (radial_bin), in errors.

    Raises
    ------
    DataError
        Fewer bins than free parameters, no finite densities, a radius below the surface, or medians without error.
    SettingsError
        The model or a parameter is unknown, bounds are impossible, or the seed is missing.
    NumericalError
        No start of the fit converged.
    """
    problem = _problem(body, species, model, fixed, bounds, templates)
    surface = float(body.require("radius")) / 1e3  # type: ignore[arg-type]
    radius, logarithm, error = _binned(profile, surface, len(problem.free))
    problem = _bounded_by_data(problem, bounds or {}, logarithm)
    events = "event_density" in profile
    if events and bootstrap and seed is None:
        raise SettingsError("a bootstrap needs a seed; give seed=..., or bootstrap=0 for the covariance matrix")
    result = _solve(problem, radius, logarithm, error)
    if events:
        radius, logarithm, error = _detrended(profile, problem, _best(problem, result))
        result = _solve(problem, radius, logarithm, error, _best(problem, result))
    if result.covar is None or not np.isfinite(result.covar).all():
        covariance = np.full((len(problem.free),) * 2, np.nan)
    else:
        covariance = np.asarray(result.covar)
    best = _best(problem, result)
    drawn = bool(events and bootstrap)
    if drawn:
        samples, origin = (
            _bootstrap(profile, problem, best, bootstrap, seed, report),
            f"bootstrap of {bootstrap} samples of events",
        )
    else:
        samples, origin = _gaussian_samples(problem, best, covariance), "covariance matrix of the fit, in logarithms"
    end = float(largest_radius or radius.max())
    output = _output(problem, best, samples, covariance, origin, drawn, surface, end)
    model_at_bins = np.log(problem.density(radius, best))
    output["fit_residual"] = (
        "radial_bin",
        (logarithm - model_at_bins) / error,
        {"units": "1", "long_name": "residual over error"},
    )
    output["radial_distance"] = ("radial_bin", radius, {"units": "km", "long_name": "distance of the bin"})
    freedom = len(radius) - len(problem.free)
    square = float((output["fit_residual"] ** 2).sum())
    output["chi_square"] = ((), square, {"units": "1", "long_name": "sum of squared residuals over errors"})
    output["degrees_of_freedom"] = ((), freedom, {"units": "1", "long_name": "bins less free parameters"})
    probability = float(chi2.sf(square, freedom)) if freedom else 1.0
    output["chi_square_probability"] = ((), probability, {"units": "1", "long_name": "chance of a larger chi-square"})
    output.attrs = {
        "body": body.name, "species": species, "model": model, "fixed": json.dumps(dict(problem.fixed)),
        "bounds": json.dumps({key: list(value) for key, value in problem.bounds.items()}), "uncertainty": origin,
        "seed": -1 if seed is None else seed, "largest_radius_km": end,
    }  # fmt: skip
    return output


def _problem(body, species, model, fixed, bounds, templates) -> _Problem:  # type: ignore[no-untyped-def]
    shapes, held = dict(templates or {}), {key: float(value) for key, value in (fixed or {}).items()}
    names = [
        key
        for name in population_names(model, shapes)
        for key in (f"surface_density_{name}", *([] if name in shapes else [f"temperature_{name}"]))
    ]
    unknown = [key for key in (*held, *(bounds or {})) if key not in names]
    if unknown:
        raise SettingsError(f"model {model!r} has no parameter {unknown[0]!r}; parameters: {', '.join(names)}")
    for key, value in held.items():
        if not 0.0 < value < np.inf:
            raise SettingsError(f"fixed {key} is {value}; it must be positive and finite (m-3 or K)")
    free = tuple(name for name in names if name not in held)
    if not free:
        raise SettingsError("every parameter is fixed; leave one free, or evaluate the model with total_density")
    limits = {name: tuple(map(float, (bounds or {}).get(name) or _default_bounds(name, body, model))) for name in free}
    for name, (low, high) in limits.items():
        if not 0.0 < low < high < np.inf:
            raise SettingsError(f"bounds of {name} are {low:g} and {high:g}; they must be positive, finite and rise")
    return _Problem(body, species, model, shapes, held, free, limits)  # type: ignore[arg-type]


def _bounded_by_data(problem: _Problem, given: Mapping[str, tuple[float, float]], logarithm: Array) -> _Problem:
    """Surface densities not bounded by the caller end far below the data: a component that is not there stops at its bound."""
    smallest = _VANISHED * float(np.exp(logarithm.min()))
    bounds = {
        name: (max(limits[0], smallest), limits[1]) if name.startswith("surface_density") and name not in given else limits
        for name, limits in problem.bounds.items()
    }
    return replace(problem, bounds=bounds)


def _default_bounds(name: str, body: Body, model: str) -> tuple[float, float]:
    if name.startswith("surface_density"):
        return 1e-6, 1e26
    if body.temperature is None:
        return 10.0, HOTTEST
    lower, upper = body.temperature
    if model == "chamberlain":
        return 0.5 * lower, HOTTEST
    return (0.5 * lower, 2.0 * upper) if name == "temperature_thermal" else (2.0 * upper, HOTTEST)


def _binned(profile: xr.Dataset, surface: float, parameters: int) -> tuple[Array, Array, Array]:
    missing = [name for name in ("radial_distance", "density_median", "log_density_error") if name not in profile]
    if missing:
        raise DataError(f"profile: {', '.join(missing)} missing; build it with bin_profile")
    radius, median, error = (profile[k].values.astype(float) for k in ("radial_distance", "density_median", "log_density_error"))
    good = np.isfinite(median) & (median > 0.0) & np.isfinite(radius)
    if not good.any():
        raise DataError(f"profile: none of the {len(median)} bins has a finite positive density")
    radius, median, error = radius[good], median[good], error[good]
    if radius.min() < surface * (1.0 - 1e-9):
        raise DataError(f"profile: a bin is at {radius.min():g} km, below the surface at {surface:g} km; check units and body")
    if len(radius) < parameters:
        raise DataError(f"profile: {len(radius)} bins for {parameters} free parameters; narrow the bins, or fix parameters")
    if not (np.isfinite(error).all() and (error > 0.0).all()):
        index = int(np.flatnonzero(~(np.isfinite(error) & (error > 0.0)))[0])
        raise DataError(f"profile: the error of ln density is {error[index]} in bin {index} at {radius[index]:g} km; it must be "
                        "positive; give the densities their ends, or bin_profile an error_floor")  # fmt: skip
    return radius, np.log(median), error


def _solve(
    problem: _Problem, radius: Array, logarithm: Array, error: Array, start: Mapping[str, float] | None = None
) -> lmfit.minimizer.MinimizerResult:
    """Best fit over several starts (or one)."""

    def residual(parameters: lmfit.Parameters) -> Array:
        return (np.log(problem.density(radius, parameters.valuesdict())) - logarithm) / error

    starts = [start] if start is not None else _starts(problem, radius, logarithm, error)
    results = []
    for values in starts:
        parameters = lmfit.Parameters()
        for name in problem.free:
            low, high = np.log(problem.bounds[name])
            parameters.add(name, value=float(np.clip(values[name], low + 1e-6, high - 1e-6)), min=low, max=high)
        result = lmfit.minimize(residual, parameters, scale_covar=False, xtol=1e-10, ftol=1e-10, max_nfev=_MOST_EVALUATIONS)
        if result.ier in _CONVERGED and np.isfinite(result.chisqr):
            results.append(result)
    if not results and start is not None:
        return _solve(problem, radius, logarithm, error)
    if not results:
        raise NumericalError(f"no start of the fit of {problem.model!r} converged; check the profile, or narrow the bounds")
    return min(results, key=lambda item: item.chisqr)


def _starts(problem: _Problem, radius: Array, logarithm: Array, error: Array) -> list[dict[str, float]]:
    """Best starts of a coarse grid of temperatures; densities by non-negative least squares."""
    hot = [name for name in problem.free if name.startswith("temperature")]
    grids = [np.geomspace(*problem.bounds[name], _STARTS + 2)[1:-1] for name in hot]
    names = population_names(problem.model, problem.templates)
    ranked = []
    for temperatures in itertools.product(*grids):
        chosen = {**problem.fixed, **dict(zip(hot, temperatures, strict=True))}
        shapes = np.stack([_unit_density(problem, name, radius, chosen) for name in names], axis=1)
        weight = 1.0 / (error * np.exp(logarithm))
        known = np.array([chosen.get(f"surface_density_{name}", 0.0) for name in names])
        open_ = known == 0.0
        amounts = known.copy()
        if open_.any():
            target = np.maximum(np.exp(logarithm) - shapes @ known, 0.0)
            amounts[open_] = nnls(shapes[:, open_] * weight[:, None], target * weight)[0]
        floor = 1e-3 * np.exp(logarithm.min())
        amounts = np.maximum(amounts, floor)
        misfit = float((((np.log(shapes @ amounts) - logarithm) / error) ** 2).sum())
        values = {f"surface_density_{name}": float(np.log(a)) for name, a in zip(names, amounts, strict=True)}
        values |= {name: float(np.log(t)) for name, t in zip(hot, temperatures, strict=True)}
        ranked.append((misfit, values))
    ranked.sort(key=lambda item: item[0])
    return [values for _, values in ranked[: max(1, 2 * len(hot) - 1)]]


def _unit_density(problem: _Problem, name: str, radius: Array, chosen: Mapping[str, float]) -> Array:
    if name in problem.templates:
        return problem.templates[name].density(radius, 1.0)
    return maxwellian_population(radius, problem.body, problem.species, 1.0, chosen[f"temperature_{name}"])


def _best(problem: _Problem, result: lmfit.minimizer.MinimizerResult) -> dict[str, float]:
    return {name: float(result.params[name].value) for name in problem.free}


def _detrended(
    profile: xr.Dataset, problem: _Problem, best: Mapping[str, float], chosen: NDArray[np.intp] | None = None
) -> tuple[Array, Array, Array]:
    """Bins from the events, with the fall of the model within each bin taken out of medians and errors."""
    pick = slice(None) if chosen is None else chosen
    radius, density, single, weight = (
        profile[name].values[pick] for name in ("event_radial_distance", "event_density", "event_log_error", "event_weight")
    )
    _, member = np.unique(profile["event_bin"].values[pick], return_inverse=True)
    excess = np.log(density) - np.log(problem.density(radius, best))
    count = int(member.max()) + 1
    centre = np.array([weighted_quantile(radius[member == k], weight[member == k], 0.5) for k in range(count)])
    median = np.array([weighted_quantile(excess[member == k], weight[member == k], 0.5) for k in range(count)])
    error = median_error(excess, single, weight, member, max(float(profile.attrs.get("error_floor", 0.0)), 1e-9))
    return centre, np.log(problem.density(centre, best)) + median, error


def _bootstrap(
    profile: xr.Dataset, problem: _Problem, best: dict[str, float], count: int, seed: int | None, report: Report
) -> Array:
    """Fits to events drawn with replacement, (sample, parameter); draws with too few bins are drawn again."""
    generator = np.random.default_rng(seed)
    events, samples, failed = profile.sizes["event"], [], 0
    for _ in range(20 * count):
        chosen = generator.integers(0, events, events)
        binned = _detrended(profile, problem, best, chosen)
        if len(binned[0]) < len(problem.free):
            continue
        try:
            result = _solve(problem, *binned, start=best)
        except NumericalError:
            failed += 1
            if failed > (1.0 - _FEWEST_CONVERGED) * count + 2:
                break
            continue
        samples.append([result.params[name].value for name in problem.free])
        report(ProgressEvent("bootstrap", len(samples) / count, problem.species))
        if len(samples) == count:
            return np.array(samples)
    raise NumericalError(
        f"{failed} bootstrap samples did not converge and {len(samples)} of {count} did; fix or bound parameters, or use "
        "bootstrap=0"
    )


def _gaussian_samples(problem: _Problem, best: Mapping[str, float], covariance: Array) -> Array:
    """Samples of the normal law of the covariance matrix, with a fixed seed; the band and the column need them."""
    middle = np.array([best[name] for name in problem.free])
    if not np.isfinite(covariance).all():
        return np.full((_DRAWS, len(middle)), np.nan)
    samples = np.random.default_rng(0).multivariate_normal(middle, covariance, _DRAWS, check_valid="ignore")
    limits = np.log([problem.bounds[name] for name in problem.free])
    return np.clip(samples, limits[:, 0], limits[:, 1])


def _output(  # type: ignore[no-untyped-def]
    problem: _Problem,
    best: dict[str, float],
    samples: Array,
    covariance: Array,
    origin: str,
    drawn: bool,
    surface: float,
    end: float,
) -> xr.Dataset:
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore"):
        correlation = covariance / np.outer(spread, spread)
    names = population_names(problem.model, problem.templates)
    convention = f"best fit; the ends are the 16 and 84 % quantiles, widened to hold the value, from: {origin}"
    sets = []
    for quantity, units in (("surface_density", "m-3"), ("temperature", "K")):
        rows = [
            _parameter(problem, f"{quantity}_{name}", best, samples if drawn else None, correlation, spread) for name in names
        ]
        value, low, high, flag = (np.array(column) for column in zip(*rows, strict=True))
        sets.append(
            measurement(quantity, value, low, high, dims=["population"], units=units, convention=convention, flag=flag,
                        flag_meanings=FLAGS, long_name=f"{quantity.replace('_', ' ')} of the population")
        )  # fmt: skip
    grid = surface * (end / surface) ** np.linspace(0.0, 1.0, _CURVE) ** 2  # dense at the surface, where profiles have a cusp
    curve = problem.density(grid, best)
    draws = np.array(
        [problem.density(grid, dict(zip(problem.free, row, strict=True))) for row in samples if np.isfinite(row).all()]
    )
    if not len(draws):
        draws = np.full((2, _CURVE), np.nan)
    columns = [float(vertical_column(grid * 1e3, row, "none")[0]) for row in (curve, *draws) if np.isfinite(row).all()]
    bad = int(max(sets[0]["surface_density_flag"].max(), 0) in (1, 2, 3)) if len(columns) > 1 else 1
    ends = np.quantile(columns[1:], [LOWER_QUANTILE, UPPER_QUANTILE]) if len(columns) > 1 else [np.nan, np.nan]
    sets.append(
        measurement("column_density", columns[0], min(ends[0], columns[0]), max(ends[1], columns[0]), dims=(), units="m-2",
                    convention=convention, flag=bad, flag_meanings={1: "a surface density is flagged"},
                    long_name="column density from the surface to the end of the curve")
    )  # fmt: skip
    result = xr.merge(sets, combine_attrs="no_conflicts")
    low, high = np.quantile(draws, [LOWER_QUANTILE, UPPER_QUANTILE], axis=0)
    for name, row in (("", curve), ("_lower", np.minimum(low, curve)), ("_upper", np.maximum(high, curve))):
        label = "density of the fitted model" + {"": "", "_lower": ", 16 %", "_upper": ", 84 %"}[name]
        result[f"model_density{name}"] = ("radius", row, {"units": "m-3", "long_name": label})
    result["correlation"] = (("parameter", "other_parameter"), correlation, {"units": "1", "long_name": "correlation"})
    return result.assign_coords(
        population=list(names), parameter=list(problem.free), other_parameter=list(problem.free),
        radius=("radius", grid, {"units": "km", "long_name": "distance from the centre"}),
    )  # fmt: skip


def _parameter(  # type: ignore[no-untyped-def]
    problem: _Problem, name: str, best: Mapping[str, float], samples: Array | None, correlation: Array, spread: Array
) -> tuple[float, float, float, int]:
    """Value, ends and flag of one parameter."""
    if name not in problem.free:
        value = problem.fixed.get(name, np.nan)
        return value, value, value, 4
    index = problem.free.index(name)
    value = float(np.exp(best[name]))
    if samples is None:
        low, high = np.exp(best[name] + spread[index] * norm.ppf([LOWER_QUANTILE, UPPER_QUANTILE]))
    else:
        low, high = np.exp(np.quantile(samples[:, index], [LOWER_QUANTILE, UPPER_QUANTILE]))
    others = np.delete(np.abs(correlation[index]), index)
    limits = np.log(problem.bounds[name])
    if not (np.isfinite(low) and np.isfinite(high)):
        low, high = np.exp(limits)  # the data do not tell
    low, high = np.clip((low, high), *np.exp(limits))
    flag = 0
    if np.min(np.abs(limits - best[name])) < 1e-3:
        flag = 3
    elif not np.isfinite(spread[index]) or (len(others) and others.max() > LARGEST_CORRELATION and high > LARGEST_RATIO * low):
        flag = 1
    elif spread[index] > np.log(2.0):
        flag = 2
    return value, float(min(low, value)), float(max(high, value)), flag
