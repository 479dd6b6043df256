"""Debris against natural input by element and year: ratio, parity and the year of parity, with uncertainty."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.measurement import LOWER_QUANTILE, UPPER_QUANTILE, measurement, measurement_from_samples
from siderion.core.spread import Spread

from .scenarios import (
    Scenario,
    element_shares,
    generator_of,
    get_scenarios,
    natural_fractions,
    natural_influx,
    parity_fraction,
)
from .words import citations

Array = NDArray[np.float64]

_PACE_LIMIT = 3.0
LEAST_SAMPLES = 100
"""Fewer samples give no 16 and 84 % quantiles."""
_COMMON = ("natural mass", "injected mass", "pace of growth")
VERDICTS = ("no", "likely", "yes")
"""Exceeds natural: no (median below 1), likely (median above 1), yes (84 % of the samples above 1)."""
_CONVENTION = "median; the ends are the 16 and 84 % quantiles of the samples"


def debris_parity(
    elements: Sequence[str] | None = None,
    *,
    scenarios: Sequence[Scenario] | None = None,
    natural: str | float = "schulz2021",
    composition: str = "CI",
    shares: Mapping[str, float | Spread] | None = None,
    years: ArrayLike | None = None,
    samples: int = 4000,
    seed: int = 0,
    horizon: float = 2100.0,
) -> xr.Dataset:
    """Input of elements by debris over their natural input, for scenarios, by year, and the year when they are equal.

    Monte Carlo over the spread of the natural mass, the injected masses (one factor for all scenarios), the shares of the
    elements, and the pace of growth (one factor for the time from the first year, which is taken as it is, to the others).
    Spreads are lognormal, with their own width on either side. Between the years of the scenarios the mass grows exponentially,
    after the last with the last rate.

    Parameters
    ----------
    elements : sequence of str, optional
        Elements; all whose share and natural fraction are known without it.
    scenarios : sequence of Scenario, optional
        Of `get_scenarios` or `own_series`, in order of their years; two at least for years of parity.
    natural, composition
        See `natural_influx` and `natural_fractions`.
    shares : mapping, optional
        The user's own shares over the table; see `element_shares`.
    years : array (year,), optional
        Years of the series; those from the first to the last scenario without it.
    samples, seed : int
        Of the Monte Carlo.
    horizon : float
        A parity that comes later is not looked for.

    Returns
    -------
    xarray.Dataset
        On ``element`` and ``scenario``: ``parity_fraction`` (share of debris for parity, from the central values),
        ``debris_input`` (t/yr) and ``debris_ratio`` (measurements), ``exceedance_probability``, ``exceeds_natural`` (no, likely,
        yes). ``natural_input(element)``, t/yr. ``debris_ratio_by_year(element, year)`` and ``parity_year(element)``
        (measurements; an upper limit where parity came before the first year, a flag where it does not come by the horizon).

    Raises
    ------
    CoverageError
        An element has no share or no natural fraction.
    SettingsError
        There are too few samples, scenarios are not in order, an element is given twice or none is, or the seed or the horizon is
        out of range.
    """
    if samples < LEAST_SAMPLES:
        raise SettingsError(f"samples is {samples}; give {LEAST_SAMPLES} at least")
    chosen = tuple(get_scenarios() if scenarios is None else scenarios)
    mean_years = [scenario.year.value for scenario in chosen]
    if not chosen or any(after <= before for before, after in pairwise(mean_years)):
        raise SettingsError(f"years of the scenarios are {mean_years}; give one scenario at least, in order of years")
    if not mean_years[0] < horizon < np.inf:
        raise SettingsError(f"horizon is {horizon:g}; give a year after that of the first scenario, {mean_years[0]:g}")
    debris, fractions, influx = element_shares(shares), natural_fractions(composition), natural_influx(natural)
    names = _elements(elements, debris, fractions)
    common = np.array([generator_of(one, seed).standard_normal(samples) for one in _COMMON])
    background = influx.at(common[0])
    masses = np.array([scenario.mass.at(common[1]) for scenario in chosen])
    times = _sampled_years(chosen, np.clip(common[2], -_PACE_LIMIT, _PACE_LIMIT))
    share = np.array([debris[name].at(generator_of(name, seed).standard_normal(samples)) for name in names])
    level = share / (np.array([fractions[name] for name in names])[:, None] * background)  # ratio per t/yr of debris
    ratio = level[:, None] * masses  # element, scenario, sample
    dims = ("element", "scenario")
    fraction = [[parity_fraction(name, one.mass.value, influx.value, composition) for one in chosen] for name in names]
    above = (ratio > 1.0).mean(axis=-1)
    verdict = np.array(VERDICTS, dtype=object)[(above > 0.5).astype(int) + (above >= UPPER_QUANTILE).astype(int)].astype(str)
    result = xr.merge([
        _sampled("debris_ratio", ratio, dims, "1", "input by debris over natural input"),
        _sampled("debris_input", share[:, None] * masses, dims, "t yr-1", "input by debris"),
        *_series(chosen, level, masses, times, years, horizon),
    ]).assign(
        parity_fraction=(dims, np.array(fraction), {"units": "1", "long_name": "share of debris for parity; impossible above 1"}),
        exceedance_probability=(dims, above, {"units": "1", "long_name": "share of samples with more debris than natural"}),
        exceeds_natural=(dims, verdict, {"long_name": f"exceeds natural: {', '.join(VERDICTS)}"}),
        natural_input=("element", [influx.value * fractions[name] for name in names],
                       {"units": "t yr-1", "long_name": "natural input"}),
        injected_mass=("scenario", [one.mass.value for one in chosen], {"units": "t yr-1", "long_name": "injected by debris"}),
        scenario_year=("scenario", mean_years, {"units": "year", "long_name": "year that the scenario stands for"}),
    ).assign_coords(element=names, scenario=[one.name for one in chosen])  # fmt: skip
    result.attrs = {
        "title": "Debris against natural input by element", "kind": "siderion debris parity",
        "settings": json.dumps({"natural": natural, "composition": composition, "samples": samples, "seed": seed,
                                "horizon": horizon, "scenarios": [one.name for one in chosen]}),
        "sources": json.dumps(_sources(chosen, influx, [debris[name] for name in names], composition)),
        "note": "Iron: the abstract of the review lists it among future contaminants, its section 4.4 does not; parity needs "
                "more than the whole mass of debris in 2019 and S1.",
        "siderion_version": version("siderion"),
    }  # fmt: skip
    return result


def parity_years(thresholds: Array, masses: Array, times: Array) -> Array:
    """Year when a mass that grows exponentially between given years first reaches a threshold, for each sample.

    Parameters
    ----------
    thresholds : array (sample,)
        Mass of parity.
    masses, times : array (scenario, sample)
        Masses, and their years, rising.

    Returns
    -------
    array (sample,)
        Years; -inf where the first mass exceeds the threshold, +inf where it is never reached.
    """
    logs, goal = np.log(masses), np.log(thresholds)
    year = np.full(goal.shape, np.inf)
    for k in range(len(logs) - 1):
        slope = (logs[k + 1] - logs[k]) / (times[k + 1] - times[k])
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = times[k] + (goal - logs[k]) / slope
        last = k == len(logs) - 2
        inside = (goal > logs[k]) & (slope > 0.0) & (last | (goal <= logs[k + 1]))
        year = np.where(inside & np.isinf(year), crossing, year)
    return np.where(goal <= logs[0], -np.inf, year)


def _series(
    chosen: Sequence[Scenario], level: Array, masses: Array, times: Array, years: ArrayLike | None, horizon: float
) -> list[xr.Dataset]:
    """Ratio by year and years of parity; nothing where one scenario gives no growth."""
    if len(chosen) < 2:
        return []
    first, last = chosen[0].year.value, chosen[-1].year.value
    wanted = np.arange(np.ceil(first), np.floor(last) + 1.0) if years is None else np.atleast_1d(np.asarray(years, float))
    if (wanted < first).any():
        raise SettingsError(f"year {wanted.min():g} lies before the first scenario, {first:g}; give later years")
    mass = _mass_at(wanted, masses, times)
    series = _sampled(
        "debris_ratio_by_year", level[:, None] * mass, ("element", "year"), "1", "input by debris over natural input"
    )
    found = np.array([parity_years(1.0 / row, masses, times) for row in level])
    low, middle, high = np.quantile(
        np.clip(found, first, horizon), [LOWER_QUANTILE, 0.5, UPPER_QUANTILE], axis=1, method="nearest"
    )
    late, early = middle >= horizon, middle <= first
    parity = measurement(
        "parity_year", np.where(late, np.nan, middle), low, high, dims=("element",), units="year",
        convention=f"{_CONVENTION}, each at {first:g} where earlier and at {horizon:g} where later or never",
        flag=np.where(late, 1, 0), flag_meanings={1: f"not reached by {horizon:g}"}, upper_limit=early,
        long_name="year of parity",
    )  # fmt: skip
    return [series.assign_coords(year=wanted), parity]


def _mass_at(years: Array, masses: Array, times: Array) -> Array:
    """Masses by year and sample, exponential between the scenarios and after the last."""
    logs = np.log(masses)
    result = np.empty((len(years), masses.shape[1]))
    for j, year in enumerate(years):
        value = logs[0].copy()
        for k in range(len(logs) - 1):
            slope = (logs[k + 1] - logs[k]) / (times[k + 1] - times[k])
            value = np.where(year >= times[k], logs[k] + slope * (year - times[k]), value)
        result[j] = np.exp(value)
    return result


def _sampled(name: str, samples: Array, dims: tuple[str, str], units: str, long_name: str) -> xr.Dataset:
    return measurement_from_samples(name, np.moveaxis(samples, -1, 0), dims=dims, units=units, long_name=long_name)


def _sampled_years(chosen: Sequence[Scenario], normal: Array) -> Array:
    """Years of the scenarios by sample: the first as it is, the time from there to the others lognormal."""
    first = chosen[0].year.value
    rows = [np.full(normal.shape, first)]
    for scenario in chosen[1:]:
        ends = (scenario.year.value - first, scenario.year.lower - first, scenario.year.upper - first)
        rows.append(first + Spread(*ends).at(normal))
    times = np.array(rows)
    if len(times) > 1 and not (np.diff(times, axis=0) > 0.0).all():
        raise SettingsError(
            f"years of the scenarios {[one.name for one in chosen]} overlap within {_PACE_LIMIT:g} standard deviations; "
            "narrow their spread"
        )
    return times


def _elements(elements: Sequence[str] | None, debris: Mapping[str, Spread], fractions: Mapping[str, float]) -> list[str]:
    if elements is None:
        return [name for name in debris if name in fractions]
    if not elements or len(set(elements)) < len(elements):
        raise SettingsError(f"elements are {', '.join(elements) or 'empty'}; name one at least, and each once")
    for name in elements:
        if name not in debris or name not in fractions:
            where = "debris: give one with shares" if name not in debris else "the natural influx"
            raise CoverageError(
                f"element {name!r} has no share in {where}; known: {', '.join(n for n in debris if n in fractions)}"
            )
    return list(elements)


def _sources(chosen: Sequence[Scenario], influx: Spread, shares: Sequence[Spread], composition: str) -> list[dict[str, str]]:
    """Citations, with the confidence of what was used."""
    found = [("injected mass", one.name, one.mass.confidence, one.mass.source) for one in chosen]
    found.append(("natural mass", f"{influx.value:g} t/yr", influx.confidence, influx.source))
    certain = "verified" if composition == "CI" else "unverified"
    found.append(("natural composition", composition, certain, "siderion/sources/tables/compositions.csv"))
    sure = "verified" if all(share.confidence == "verified" for share in shares) else "unverified"
    found.append(("shares of debris", "table or the user's own", sure, "siderion/sources/tables/debris_element_shares.csv"))
    return citations(found)
