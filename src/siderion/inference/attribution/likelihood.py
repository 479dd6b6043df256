"""From observations and a prior to the arrays of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import SettingsError
from siderion.inference.attribution.channels import REFERENCE, response
from siderion.inference.attribution.context import SOURCES, influences, pickup_cut_off, pickup_share, setting
from siderion.inference.attribution.model import SHARES, Block, Problem, log_probability
from siderion.inference.attribution.observation import Observation, equivalent_counts, target_channels
from siderion.inference.attribution.priors import Prior
from siderion.inference.attribution.sources_expected import STREAM_SOURCE, Expected, Ion, expected_streams

Array = NDArray[np.float64]


def build_problem(
    observations: Sequence[Observation], prior: Prior, *, dispersion: float = 1.0, year: float = 2004.0, wind: str = "slow"
) -> Problem:
    """Turn observations and a prior into arrays.

    Parameters
    ----------
    observations : sequence of Observation
        At least one of them a target.
    prior : Prior
        Of `siderion.inference.attribution.priors.get_prior`.
    dispersion : float
        Variance of the counts over their mean; 1 for Poisson.
    year, wind
        See `expected_source`.

    Raises
    ------
    SettingsError
        There is no target, or the dispersion is below 1.
    """
    if not any(one.is_target for one in observations):
        raise SettingsError("no observation is the target; give at least one measurement that the question is about")
    if not 1.0 <= dispersion < np.inf:
        raise SettingsError(f"dispersion is {dispersion}; it is 1 (Poisson) or more")
    sources = expected_streams(year=year, wind=wind)
    names = _names(sources, observations)
    where = {name: k for k, name in enumerate(names)}
    ions = [(s, ion) for s, source in enumerate(sources) for ion in source.ions]
    ion_slope = np.zeros((len(ions), len(names)))
    for k, (s, ion) in enumerate(ions):
        ion_slope[k, where[_ion_name(sources[s], ion)]] = ion.deviation * prior.width
        if ion.group:
            ion_slope[k, where[f"{sources[s].origin}: {ion.group}"]] = ion.group_deviation * prior.width
    blocks = [_block(one, k, sources, prior, where) for k, one in enumerate(observations)]
    problem = Problem(
        tuple(names), tuple(observations), prior, dispersion, setting("discrepancy"), np.array(STREAM_SOURCE),
        np.array([s for s, _ in ions]), np.log([max(ion.supply, 1e-300) for _, ion in ions]), ion_slope, tuple(blocks),
    )  # fmt: skip
    return problem if prior.centre == "budget" else _equalised(problem, sources)


def _names(sources: Sequence[Expected], observations: Sequence[Observation]) -> list[str]:
    found = [f"strength of {source.origin}" for source in sources]
    found += [_ion_name(source, ion) for source in sources for ion in source.ions]
    found += [f"{source.origin}: {ion.group}" for source in sources for ion in source.ions if ion.group]
    found += ["efficiency", *SHARES]
    found += [one.name for item in observations for source in sources for one in influences(item.context, source.origin)]
    when = {index if one.interval is None else one.interval for index, one in enumerate(observations)}
    found += [f"scatter of {source.origin} in {k}" for k in sorted(when - {0}) for source in sources]
    return list(dict.fromkeys(found))


def _ion_name(source: Expected, ion: Ion) -> str:
    return f"{source.origin}: {ion.name}"


def _block(one: Observation, index: int, sources: Sequence[Expected], prior: Prior, where: dict[str, int]) -> Block:
    centre, slope = np.zeros(len(sources)), np.zeros((len(sources), len(where)))
    parts: dict[str, list[Array]] = {"": [], "spill": [], "pickup_tail": []}
    for s, source in enumerate(sources):
        centre[s] = np.log(one.exposure / setting("area"))
        spread = source.deviation * prior.width if prior.centre == "budget" else np.log(setting("equal_factor"))
        slope[s, where[f"strength of {source.origin}"]] = spread
        slope[s, where["efficiency"]] = np.log(setting("exposure_factor"))
        for effect in influences(one.context, source.origin):
            centre[s] += effect.centre
            slope[s, where[effect.name]] += effect.deviation * prior.width
        scatter = f"scatter of {source.origin} in {index if one.interval is None else one.interval}"
        if scatter in where:
            slope[s, where[scatter]] = np.log(setting("scatter_factor"))
        counted, spilled = response(one.channels, source.ions, one.mass_resolution)
        ring, tail = np.array([_access(ion, source.origin, one) for ion in source.ions]).T
        for name, part in (("", counted * ring), ("spill", spilled * ring), ("pickup_tail", counted * tail)):
            parts[name].append(part)
    joined = {name: np.hstack(some) for name, some in parts.items()}
    ions = np.flatnonzero(sum(part.any(axis=0) for part in joined.values()))
    return Block(centre, slope, ions, tuple((name, part[:, ions]) for name, part in joined.items()), one.counts, one.scale)


def _access(ion: Ion, origin: str, one: Observation) -> tuple[float, float]:
    """Shares of an ion that energies and selection let in: of new pick-up ions (or of all), and of their tail."""
    upstream = "solar wind" in one.context.regions
    ring, tail = pickup_share(ion.mass, ion.charge, one.context) if origin == "Moon" else (1.0, 0.0)
    if one.selection == "above cut-off":
        if origin != "Moon":
            return _share_above(pickup_cut_off(ion.mass, one.context), ion.charge, one.context.energy), 0.0
        return (0.0, tail) if upstream else (ring, tail)
    if one.selection == "direction":
        mixed = "pickup_direction_share" if upstream else "mixed_direction_share"
        share = setting(mixed if origin == "Moon" else "direction_share")
        return ring * share, tail * share
    return ring, tail


def _share_above(cut_off: float, charge: int, energy: tuple[float, float]) -> float:
    """Share of the window above an energy, even in the logarithm."""
    lower, upper = (max(charge * one, 1.0) for one in energy)
    return float(np.clip(np.log(upper / np.clip(cut_off, lower, None)) / np.log(upper / lower), 0.0, 1.0))


def _equalised(problem: Problem, sources: Sequence[Expected]) -> Problem:
    """Strengths such that every source gives the target as much in the context where it is at home, then the real context.

    At home means without any factor of the context and without cuts in energy. Only a source of which a fair share of the ions
    falls into the target is made equal; the others keep the strength of the budget. The scale is the counts of the target, one
    at least: the source that the context favours most is expected to give as many.
    """
    home, whole = np.zeros(len(SOURCES)), np.zeros(len(SOURCES))
    for observation in problem.observations:
        if observation.is_target:
            chosen = target_channels(observation)
            asked = any(not observation.channels[k].is_reference for k in chosen)
            for s, source in zip(problem.stream_source, sources, strict=True):
                ions = [ion for ion in source.ions if not (asked and ion.name in REFERENCE)]
                supply = np.array([ion.supply for ion in ions])
                whole[s] += observation.exposure / setting("area") * supply.sum()
                counted = response(observation.channels, ions, observation.mass_resolution)[0][chosen].sum(axis=0)
                home[s] += observation.exposure / setting("area") * float(counted @ supply)
    able = home >= setting("able_share") * whole
    able &= home > 0.0
    if not able.any():
        return problem
    shift = np.where(able, -np.log(np.where(able, home, 1.0)), 0.0)
    rates = problem.target_counts(problem.rates(np.zeros((1, problem.size))))[0]
    given = rates * np.exp(shift) * able
    seen = sum(float((one.counts / one.scale)[target_channels(one)].sum()) for one in problem.observations if one.is_target)
    if not given.max() > 0.0:
        return problem
    shift += np.where(able, np.log(max(seen, 1.0)) - np.log(given.max()), 0.0)
    blocks = tuple(replace(block, centre=block.centre + shift[problem.stream_source]) for block in problem.blocks)
    return replace(problem, blocks=blocks)


__all__ = ["Observation", "Problem", "build_problem", "equivalent_counts", "log_probability", "target_channels"]
