"""The bodies that stand for an influx: points of a quadrature or random draws, and what they leave by element and altitude."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.core.errors import DataError, NumericalError
from siderion.jobs.progress import ProgressEvent, Report
from siderion.sources.entry.ionisation import ions_outside_law

from .entry_angles import angle_quadrature, sample_angles
from .influx import MassDistribution
from .settings import InjectionSettings
from .speeds import SpeedDistribution

Array = NDArray[np.float64]
Fly = Callable[..., xr.Dataset]
"""A function with the arguments and the result of `siderion.sources.entry.flight.fly_bodies`."""
_CLOSURE = 1e-6


@dataclass(frozen=True)
class Bodies:
    """Bodies with their share of the mass influx.

    Attributes
    ----------
    mass, speed, angle : array (body,)
        kg, m s-1 at entry, degrees from the zenith.
    share : array (body,)
        Share of the mass influx that each stands for; they sum to 1.
    random : bool
        Drawn at random, with equal shares.
    """

    mass: Array
    speed: Array
    angle: Array
    share: Array
    random: bool


@dataclass(frozen=True)
class Deposit:
    """What becomes of the mass influx, as shares of it.

    Attributes
    ----------
    atoms, ions : array (element, alt)
        Left as neutral atoms and as ions in the altitude bins, elements as asked for.
    ions_outside_law : array (element,)
        Part of the ions, all bins, that is made at speeds outside of the range of the ionisation law.
    outside : array (element,)
        Ablated above or below the altitude bins.
    left : array (element,)
        Not ablated.
    unlisted : float
        Ablated of all other elements, at any altitude.
    residue : float
        Not ablated, all elements.
    ablated_error : array (element,)
        Standard error of the ablated share of each element (at all altitudes); NaN for a quadrature.
    bodies : int
        Number of bodies.
    sources : tuple of dict
        What the flights rest on: what, model, confidence, citation.
    """

    atoms: Array
    ions: Array
    ions_outside_law: Array
    outside: Array
    left: Array
    unlisted: float
    residue: float
    ablated_error: Array
    bodies: int
    sources: tuple[dict[str, str], ...]


def make_bodies(shape: MassDistribution, speeds: SpeedDistribution, settings: InjectionSettings) -> Bodies:
    """Bodies of a quadrature (all combinations of masses, speeds and angles), or drawn at random.

    Masses, speeds and angles are independent of one another.

    Parameters
    ----------
    shape : MassDistribution
        Share of the mass influx by mass.
    speeds : SpeedDistribution
        Share by entry speed.
    settings : InjectionSettings
        Range of masses, numbers of points, samples and seed.

    Returns
    -------
    Bodies
    """
    part = shape.between(settings.smallest_mass, settings.largest_mass)
    if settings.samples:
        generator = np.random.default_rng(settings.seed)
        count = settings.samples
        mass = part.sample(count, generator)
        speed = speeds.sample(count, generator)
        return Bodies(mass, speed, sample_angles(count, generator), np.full(count, 1.0 / count), True)
    axes = (part.quadrature(settings.masses_per_bin), speeds.quadrature(settings.speeds), angle_quadrature(settings.angles))
    mass, speed, angle = (one.ravel() for one in np.meshgrid(*(axis[0] for axis in axes), indexing="ij"))
    shares = np.meshgrid(*(axis[1] for axis in axes), indexing="ij")
    return Bodies(mass, speed, angle, (shares[0] * shares[1] * shares[2]).ravel(), False)


def deposit(
    bodies: Bodies, elements: Sequence[str], edges: Array, fly: Fly, settings: InjectionSettings, ionisation: str, report: Report,
    stage: str,
) -> Deposit:  # fmt: skip
    """Fly the bodies and add up what they leave.

    Parameters
    ----------
    bodies : Bodies
        From `make_bodies`.
    elements : sequence of str
        Elements to tell apart; the others are added up.
    edges : array (alt + 1,)
        Edges of the altitude bins, m, rising.
    fly : callable
        Takes mass, speed, zenith angle, density and altitude edges (SI, degrees) and gives the data set of
        `siderion.sources.entry.flight.fly_bodies`, with all elements of the material.
    settings : InjectionSettings
        Density and size of the chunks.
    ionisation : str
        Law by which the flights ionise; tells which ions lie outside of its range.
    report : callable
        Receiver of progress events.
    stage : str
        Name of the stage in the events.

    Returns
    -------
    Deposit

    Raises
    ------
    DataError
        The material lacks an element.
    NumericalError
        A body leaves more or less than its mass.
    """
    parts = ("atoms", "ions", "ions_outside_law", "outside", "left", "ablated", "squares", "unlisted", "residue")
    sums: dict[str, Array] = dict.fromkeys(parts, np.zeros(()))
    count = len(bodies.mass)
    origins: tuple[dict[str, str], ...] = ()
    for start in range(0, count, settings.chunk):
        report(ProgressEvent(stage, start / count, f"{start} of {count} bodies"))
        some = slice(start, min(start + settings.chunk, count))
        flown = fly(bodies.mass[some], bodies.speed[some], bodies.angle[some], settings.density, edges)
        _check_closure(flown, bodies, some)
        origins = tuple(json.loads(flown.attrs.get("sources", "[]")))
        for name, values in _chunk_sums(flown, bodies.mass[some], bodies.share[some], elements, ionisation).items():
            sums[name] = sums[name] + values
    report(ProgressEvent(stage, 1.0, f"{count} bodies"))
    error = np.full(len(elements), np.nan)
    if bodies.random and count > 1:
        error = np.sqrt(np.clip(sums["squares"] - sums["ablated"] ** 2, 0.0, None) / (count - 1))
    return Deposit(
        atoms=sums["atoms"],
        ions=sums["ions"],
        ions_outside_law=sums["ions_outside_law"],
        outside=sums["outside"],
        left=sums["left"],
        unlisted=float(sums["unlisted"]),
        residue=float(sums["residue"]),
        ablated_error=error,
        bodies=count,
        sources=origins,
    )


def _chunk_sums(flown: xr.Dataset, mass: Array, share: Array, elements: Sequence[str], ionisation: str) -> dict[str, Array]:
    """Shares of the mass influx that the bodies of a chunk leave."""
    known = [str(name) for name in flown["element"].values]
    places = _places(elements, known)
    others = [k for k in range(len(known)) if k not in places]
    scale = share / mass
    released = flown["released_mass"].transpose("element", "body", "alt").values
    outside = flown["released_outside"].transpose("element", "body").values
    whole = np.einsum("eba,b->ea", released, scale)
    ionised = flown["impact_ionised_mass"].transpose("element", "body", "alt").values[places]
    ions = np.einsum("eba,b->ea", ionised, scale)
    beyond = ions_outside_law(flown.isel(element=places), ionisation).transpose("element", "body").values
    per_body = (released[places].sum(axis=2) + outside[places]) / mass
    return {
        "atoms": whole[places] - ions,
        "ions": ions,
        "ions_outside_law": beyond @ scale,
        "outside": outside[places] @ scale,
        "left": flown["residue_mass"].transpose("element", "body").values[places] @ scale,
        "ablated": per_body @ share,
        "squares": per_body**2 @ share,
        "unlisted": whole[others].sum() + (outside[others] @ scale).sum(),
        "residue": flown["final_mass"].values @ scale,
    }


def _places(elements: Sequence[str], known: list[str]) -> list[int]:
    missing = [name for name in elements if name not in known]
    if missing:
        raise DataError(f"the material has no {', '.join(missing)}; it has {', '.join(known)}; choose among these")
    return [known.index(name) for name in elements]


def _check_closure(flown: xr.Dataset, bodies: Bodies, some: slice) -> None:
    """Raise unless every body leaves its mass."""
    mass = bodies.mass[some]
    found = flown["released_mass"].sum(("element", "alt")) + flown["released_outside"].sum("element") + flown["final_mass"]
    change = found.values / mass - 1.0
    wrong = ~(np.abs(change) < _CLOSURE)
    if wrong.any():
        k = int(np.argmax(wrong))
        speed, angle = bodies.speed[some][k] / 1e3, bodies.angle[some][k]
        body = f"body {some.start + k} ({mass[k]:g} kg, {speed:.4g} km/s, {angle:.4g} degrees)"
        raise NumericalError(
            f"{body} leaves {1.0 + change[k]:.8g} of its mass; it must leave all; use a smaller tolerance of the flight"
        )
