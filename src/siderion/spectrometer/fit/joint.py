"""Joint fit of energy and time of flight: ions that flow together have one velocity, so heavier ones have more energy.

In a flow behind a velocity filter O2+ has twice the energy of O+ (Figure 4.9 of the review). With g(v) the common distribution of
counted events over the velocity, as a histogram in ln v with half the spacing of the energies,

    mu(i, t) = sum_s n_s sum_v g_v A_s,iv P_s(t; E_i) + b,    A_s,iv = part of bin v that species s has in energy step i.

This is linear in n and in g, as amplitudes and tail weights are in a single spectrum, and is fitted by the same likelihood. The
shape of the peaks comes from the spectrum summed over energies. The assumption that the flow is common is the user's: where it
does not hold (heated ions, other sources), the fit of the times alone holds, and is given beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError
from siderion.core.species import get_species
from siderion.spectrometer.instruments import Setup

from .fitting import fit_spectra
from .goodness import goodness_of_fit
from .intervals import BetterFitError, interval, profile
from .likelihood import JointLikelihood
from .settings import FitSettings
from .shape import Channel, ShapeFamily
from .single import make_likelihood

Array = NDArray[np.float64]


@dataclass(frozen=True)
class VelocityFamily:
    """Velocity bins in the place of the parts of a tail: templates of given peaks, nothing else free."""

    table: Array
    centres: Array
    names: tuple[str, ...] = ()
    start: Array = field(default_factory=lambda: np.empty(0))
    spread: Array = field(default_factory=lambda: np.empty(0))
    lowest: Array = field(default_factory=lambda: np.empty(0))
    highest: Array = field(default_factory=lambda: np.empty(0))

    @property
    def parts(self) -> int:
        """Number of velocity bins."""
        return len(self.table)

    def delays(self, parameters: Array) -> Array:
        """No delays."""
        return np.zeros(self.parts)

    def templates(self, parameters: Array, channels: Sequence[Channel]) -> Array:
        """Templates (velocity, species, energy and time)."""
        return self.table


def energy_edges(energies: ArrayLike) -> Array:
    """Edges of energy steps, midway between them in the logarithm."""
    logarithm = np.log(np.asarray(energies, dtype=float))
    inner = 0.5 * (logarithm[1:] + logarithm[:-1])
    return np.asarray(np.exp(np.concatenate([[2 * logarithm[0] - inner[0]], inner, [2 * logarithm[-1] - inner[-1]]])))


def velocity_shares(energies: ArrayLike, species: Sequence[str], reference: int = 0) -> tuple[Array, Array]:
    """Share of each velocity bin of each species in each energy step.

    The bins are halves of the energy steps of the reference species, so all of them lie inside of its energy range.

    Parameters
    ----------
    energies : array of shape (energy,)
        Energy per charge, eV, increasing.
    species : sequence of str
    reference : int
        Index of the reference species.

    Returns
    -------
    shares : array of shape (velocity, species, energy)
    velocities : array of shape (velocity,)
        Centres of the bins in ln sqrt(E / m), E in eV and m in kg.
    """
    edges = np.log(energy_edges(energies))
    ions = [get_species(name) for name in species]
    moves = np.array([np.log(ion.charge_number / ion.mass) for ion in ions])
    coarse = 0.5 * (edges + moves[reference])
    grid = np.sort(np.concatenate([coarse, 0.5 * (coarse[1:] + coarse[:-1])]))
    shares = np.zeros((grid.size - 1, len(species), len(edges) - 1))
    for s, move in enumerate(moves):
        mine = 0.5 * (edges + move)
        low = np.maximum(grid[:-1, None], mine[None, :-1])
        high = np.minimum(grid[1:, None], mine[None, 1:])
        shares[:, s] = np.maximum(high - low, 0.0) / np.diff(grid)[:, None]
    return shares, 0.5 * (grid[1:] + grid[:-1])


def fit_energy_time(
    counts: ArrayLike,
    energies_ev: ArrayLike,
    edges_s: ArrayLike,
    species: Sequence[str],
    setup: Setup,
    settings: FitSettings | None = None,
) -> xr.Dataset:
    """Counts of species from a histogram of energy and time of flight, under one common velocity distribution.

    Parameters
    ----------
    counts : array of shape (energy, bin)
    energies_ev : array of shape (energy,)
        Energy per charge, eV, increasing.
    edges_s : array of shape (bin + 1,)
        s.
    species : sequence of str
    setup : Setup
        Its energy per charge is replaced step by step.
    settings : FitSettings, optional

    Returns
    -------
    xarray.Dataset
        The result of `fit_spectra` for the times alone, and along species ``joint_counts``, ``joint_counts_lower``,
        ``joint_counts_upper``, ``joint_counts_limit``, ``joint_significance``, ``separation_gain`` (width of the 68 % interval
        of the times alone over that of the joint fit); ``joint_goodness_of_fit``; ``velocity_distribution(velocity)``.

    Raises
    ------
    DataError
        Energies do not rise, there are fewer than 3, or the shape of the counts does not fit.
    """
    chosen = settings or FitSettings()
    names, data = tuple(species), np.asarray(counts, dtype=float)
    energies, edges = np.asarray(energies_ev, dtype=float), np.asarray(edges_s, dtype=float)
    if energies.size < 3 or not np.all(np.diff(energies) > 0.0) or not energies[0] > 0.0:
        raise DataError(f"energies are {energies.size} values; give 3 at least, positive and rising")
    if data.shape != (energies.size, edges.size - 1):
        raise DataError(f"counts have shape {data.shape}; needed: {(energies.size, edges.size - 1)}, energies by bins")
    mean = float(np.average(energies, weights=data.sum(axis=1) + 1e-9))
    middle = replace(setup, energy_per_charge=mean)
    alone = fit_spectra(data.sum(axis=0), edges, names, middle, _per_spectrum(chosen, energies.size))
    channel = Channel(data.sum(axis=0), edges, names, middle, _per_spectrum(chosen, energies.size).background)
    summed = make_likelihood((channel,), chosen)
    shape = summed.fit()
    likelihood, velocities = _joint_likelihood(data, energies, edges, names, setup, chosen, summed, shape.parameters)
    found = likelihood.minimise(
        _start(likelihood, np.nan_to_num(alone["species_counts_best"].values[0])), precision=1e-6, steps=300
    )
    intervals = []
    for s in range(len(names)):
        for attempt in range(5):
            try:
                curve = profile(likelihood, found, s, tolerant=attempt == 4)
                break
            except BetterFitError as better:
                found = likelihood.minimise(better.found.parameters, precision=1e-6, steps=300)
        intervals.append(interval(curve, float(found.parameters[s]), confidence=chosen.confidence))
    inside = _inside(likelihood, found.parameters)
    chance, _ = goodness_of_fit(data.ravel(), found.expected, int(likelihood.free(found).sum()))
    result = alone
    for key in ("best", "lower", "upper", "limit", "significance"):
        name = {"best": "joint_counts", "significance": "joint_significance"}.get(key, f"joint_counts_{key}")
        values = np.array([[getattr(one, key) for one in intervals]])
        values = values if key == "significance" else values * inside
        result[name] = (
            ("spectrum", "species"),
            values,
            {"units": "1", "long_name": f"{key} of the joint fit of energy and time"},
        )
    width = result["joint_counts_upper"] - result["joint_counts_lower"]
    result["separation_gain"] = (result["species_counts_upper"] - result["species_counts_lower"]) / width
    result["separation_gain"].attrs = {"units": "1", "long_name": "width of the interval of the times alone over that of both"}
    result["joint_goodness_of_fit"] = ((), float(chance), {"units": "1", "long_name": "chance of a larger deviance, both"})
    weights = likelihood.parts(found.parameters)[2]
    result["velocity_distribution"] = ("velocity", weights / weights.sum(), {"units": "1", "long_name": "share of velocity bins"})
    model = found.parameters[: len(names), None] * np.einsum("v,vsb->sb", weights, likelihood.family.templates(np.empty(0), ()))
    result["energy_time_counts"] = (("energy", "tof"), data, {"units": "1", "long_name": "counts per bin of energy and time"})
    result["energy_time_model"] = (("species", "energy", "tof"), model.reshape(len(names), *data.shape) / weights.sum())
    result["energy_time_model"].attrs = {"units": "1", "long_name": "fitted counts of each species by energy and time"}
    result = result.assign_coords(energy_ev=("energy", energies, {"units": "eV e-1", "long_name": "energy per charge"}))
    speed = np.exp(velocities) * np.sqrt(2.0 * 1.602176634e-19) / 1e3
    return result.assign_coords(velocity=("velocity", speed, {"units": "km s-1", "long_name": "speed, centre of the bin"}))


def _per_spectrum(settings: FitSettings, steps: int) -> FitSettings:
    """The known background of a sum over energy steps."""
    return settings if settings.background is None else replace(settings, background=settings.background * steps)


def _joint_likelihood(
    data: Array,
    energies: Array,
    edges: Array,
    species: tuple[str, ...],
    setup: Setup,
    settings: FitSettings,
    summed: JointLikelihood,
    parameters: Array,
) -> tuple[JointLikelihood, Array]:
    """Likelihood of all energy steps with the shape of the summed spectrum."""
    amplitudes, _, weights, shape = summed.parts(parameters)
    shares, velocities = velocity_shares(energies, species, int(np.argmax(amplitudes[: len(species)])))
    family: ShapeFamily = summed.family
    blank = np.zeros(edges.size - 1)
    table = np.zeros((len(velocities), len(species), energies.size, blank.size))
    for i, energy in enumerate(energies):
        there = Channel(blank, edges, species, replace(setup, energy_per_charge=float(energy)))
        peaks = np.einsum("k,ksb->sb", weights / weights.sum(), family.templates(shape, [there]))
        table[:, :, i] = shares[:, :, i, None] * peaks
    used = np.einsum("vsib,ib->v", table, data) > 0.0
    flat = table[used].reshape(int(used.sum()), len(species), -1)
    everything = Channel(data.ravel(), np.arange(data.size + 1.0), species, setup, settings.background)
    return JointLikelihood((everything,), VelocityFamily(flat, velocities[used])), velocities[used]  # type: ignore[arg-type]


def _inside(likelihood: JointLikelihood, parameters: Array) -> Array:
    """Share of each species within the energies and times of the histogram."""
    weights = likelihood.parts(parameters)[2]
    table = likelihood.family.templates(np.empty(0), ())
    return np.asarray(weights @ table.sum(axis=2) / weights.sum())


def _start(likelihood: JointLikelihood, amplitudes: Array) -> Array:
    """Amplitudes of the times alone, and velocities by a few steps of expectation and maximisation."""
    table = likelihood.family.templates(np.empty(0), ())
    total = np.maximum(amplitudes, 0.01 * max(amplitudes.sum(), 1.0))
    weights, level = np.full(len(table), 1.0 / len(table)), np.full(len(likelihood.lines), 0.01)
    rates = total @ table
    sums = rates.sum(axis=1)
    for _ in range(50):
        mu = weights @ rates + level @ likelihood.lines + likelihood.given + 1e-12
        weights = np.where(sums > 0.0, weights * (rates @ (likelihood.counts / mu)) / np.maximum(sums, 1e-300), 0.0)
        level = level * (likelihood.lines @ (likelihood.counts / mu)) / likelihood.lines.sum(axis=1) if level.size else level
    whole = weights.sum()
    return np.concatenate([total * whole, level, weights / whole])
