"""From a mixture of ions to the histogram that a time-of-flight spectrometer would send down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

import siderion
from siderion.core.errors import SettingsError

from .dead_time import observed_rate
from .foil_montecarlo import draw_flight_times
from .instruments import Setup
from .peaks import PeakShape, default_shape, peak_matrix

Array = NDArray[np.float64]


def simulate_spectrum(
    counts: Mapping[str, float],
    edges_s: ArrayLike,
    setup: Setup,
    *,
    shape: PeakShape | str | None = None,
    background: float = 0.0,
    dead_time: float = 0.0,
    dead_time_kind: str = "nonparalyzable",
    duration: float = 1.0,
    seed: int | np.random.Generator | None = None,
    template_size: int = 100_000,
    with_expected: bool = True,
) -> xr.Dataset:
    """Simulate the histogram of a mixture.

    Parameters
    ----------
    counts : mapping of str to float
        Expected events of each ion over the whole time axis, before dead time.
    edges_s : array (edge,)
        Edges of the bins, s.
    setup : Setup
    shape : PeakShape or "montecarlo", optional
        Analytic peak (`default_shape` without it), or templates drawn with `draw_flight_times`; with a seed and no dead time the
        Monte Carlo draws the events themselves, one by one.
    background : float
        Expected accidental events per bin.
    dead_time, duration : float
        Dead time of the whole counter and length of the measurement, s. All events of the spectrum share the dead time.
    dead_time_kind : {"nonparalyzable", "paralyzable"}
    seed : int or numpy.random.Generator, optional
        Draws counts; without it ``counts`` are the expected ones.
    template_size : int
        Ions of a Monte Carlo template of one species, from which the expected counts are.
    with_expected : bool
        Without it, ``counts`` only: where events are drawn one by one, no templates are drawn. The counts are the same.

    Returns
    -------
    xarray.Dataset
        ``counts`` and ``expected_counts(tof)``, ``expected_by_species(species, tof)``, ``expected_background(tof)``, with dead
        time (``counts`` alone without ``with_expected``); coordinate ``tof_ns``, the centres of the bins. attrs ``live_share``:
        share of events that the dead time leaves.

    Raises
    ------
    SettingsError
        A number is negative or not finite, or a template is asked for without a seed.
    """
    edges = np.asarray(edges_s, dtype=np.float64)
    names, expected = list(counts), np.array([float(value) for value in counts.values()])
    if not (np.isfinite(expected).all() and (expected >= 0.0).all()):
        raise SettingsError(f"expected counts are {dict(counts)}; each must be finite and not negative")
    for name, value in (("background", background), ("duration", duration)):
        if not (np.isfinite(value) and value >= 0.0) or (name == "duration" and value == 0.0):
            raise SettingsError(f"{name} is {value}; it must be finite and positive (the background may be 0)")
    generator = None if seed is None else np.random.default_rng(seed)
    noise = np.full(edges.size - 1, float(background))
    settings = _settings(shape, setup, background, dead_time, duration)
    drawn: Array | None = None
    if shape == "montecarlo":
        if generator is None:
            raise SettingsError("templates of the Monte Carlo are random; give a seed")
        if dead_time == 0.0:
            drawn = _drawn_events(names, expected, edges, setup, generator) + generator.poisson(noise)
            if not with_expected:
                return _counts_dataset(edges, setup, drawn, settings, 1.0)
        matrix = _templates(names, edges, setup, generator, template_size)
    elif isinstance(shape, str):
        raise SettingsError(f"shape is {shape!r}; give a PeakShape or 'montecarlo'")
    else:
        matrix = peak_matrix(names, edges, setup, shape)
    by_species = expected[:, None] * matrix
    rate = (by_species.sum() + noise.sum()) / duration
    live = float(observed_rate(rate, dead_time, dead_time_kind) / rate) if rate > 0.0 else 1.0
    total = live * (by_species.sum(axis=0) + noise)
    if drawn is None:
        drawn = total if generator is None else generator.poisson(total).astype(np.float64)
    found = _counts_dataset(edges, setup, drawn, settings, live)
    return _with_expected(found, names, live * by_species, live * noise) if with_expected else found


def _drawn_events(names: list[str], expected: Array, edges: Array, setup: Setup, generator: np.random.Generator) -> Array:
    """Counts of ions that go through the foil one by one, a Poisson number of each."""
    events = np.zeros(edges.size - 1)
    for name, mean in zip(names, expected, strict=True):
        events += np.histogram(draw_flight_times(name, setup, int(generator.poisson(mean)), generator), edges)[0]
    return events


def _templates(names: list[str], edges: Array, setup: Setup, generator: np.random.Generator, size: int) -> Array:
    """Probabilities of bins from drawn ions."""
    return np.stack([np.histogram(draw_flight_times(name, setup, size, generator), edges)[0] / size for name in names])


def _settings(
    shape: PeakShape | str | None, setup: Setup, background: float, dead_time: float, duration: float
) -> dict[str, Any]:
    used = shape if isinstance(shape, str) else asdict(default_shape(setup) if shape is None else shape)
    return {
        "instrument": setup.instrument.name,
        "voltage": setup.voltage,
        "energy_per_charge": setup.energy_per_charge,
        "foil_thickness": setup.foil_thickness,
        "foil_model": setup.foil_model,
        "peak_shape": used,
        "background": background,
        "dead_time": dead_time,
        "duration": duration,
    }


def _counts_dataset(edges: Array, setup: Setup, seen: Array, settings: dict[str, Any], live: float) -> xr.Dataset:
    middle = 0.5e9 * (edges[1:] + edges[:-1])
    return xr.Dataset(
        {"counts": _variable("tof", seen, "events per bin")},
        coords={"tof_ns": ("tof", middle, {"units": "ns", "long_name": "time of flight, centre of the bin"})},
        attrs={
            "kind": "siderion simulated spectrum",
            "title": f"Simulated spectrum of {setup.instrument.title}",
            "settings": json.dumps(settings),
            "sources": json.dumps(setup_sources(setup)),
            "live_share": live,
            "siderion_version": siderion.__version__,
        },
    )


def _with_expected(found: xr.Dataset, names: list[str], by_species: Array, noise: Array) -> xr.Dataset:
    return found.assign_coords(species=names).assign(
        {
            "expected_counts": _variable("tof", by_species.sum(axis=0) + noise, "expected events per bin"),
            "expected_by_species": _variable(("species", "tof"), by_species, "expected events per bin of each species"),
            "expected_background": _variable("tof", noise, "expected accidental events per bin"),
        }
    )


def _variable(dims: str | tuple[str, ...], values: Array, name: str) -> Any:
    return dims, values, {"units": "1", "long_name": name}


def setup_sources(setup: Setup) -> list[dict[str, str]]:
    """What a result that uses this setup is built on: models and numbers with confidence and source."""
    used = ["path_length", "post_acceleration", "foil_thickness", "time_resolution", "mass_resolution"]
    found = [
        {
            "what": f"{name} of {setup.instrument.title}",
            "model": "instrument table",
            "confidence": row["confidence"],
            "citation": row["source"],
        }
        for name in used
        if (row := setup.instrument.sources.get(name))
    ]
    if setup.instrument.has_foil:
        found.append(
            {
                "what": "energy loss in the foil",
                "model": f"foil loss, {setup.foil_model} below 15.1 keV; scaled stopping laws but for H, O, Ar",
                "confidence": "unverified",
                "citation": "SPEDAS spp_swp_spi_flight_elo.pro (TRIM); Lindhard and Scharff 1961; Ziegler et al. 1985",
            }
        )
    return found
