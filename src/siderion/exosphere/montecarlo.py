"""Monte Carlo exospheres: densities with standard errors, loss and escape rates, from sources on the surface and in space.

Test particles (`siderion.particles`) leave a source that is the same all over the body; the weighted time they spend in
each shell, times the rate of the source, over the volume of the shell, is the density. A source on the surface is given
by the density it makes at the surface, up-going and returning particles together (for a Maxwellian: the density of the
ballistic and escaping populations of Chamberlain 1963, doi:10.1016/0032-0633(63)90122-3), or by its flux.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.constants import gravitational_constant

from siderion.core.bodies import Body
from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import DataError, NumericalError, SettingsError
from siderion.core.species import get_species
from siderion.particles import (
    Flight,
    fly_integrated,
    fly_kepler,
    impact_vapour,
    in_frame_of,
    maxwellian_flux,
    mono_energetic,
    photo_dissociation,
    points_on_sphere,
    sputter,
)

from .release import PROCESSES, Source, SpaceSource, SurfaceSource, check_surface_source, given, source_name

__all__ = ["PROCESSES", "Source", "SpaceSource", "SurfaceSource", "monte_carlo_exosphere", "shell_volumes"]

Array = NDArray[np.float64]
OUTER_RADIUS = 10.0
SHELLS = 90
"""Default shells: this many, of equal ratio, from the surface to `OUTER_RADIUS` radii of the body."""


@dataclass(frozen=True)
class _Setup:
    """What all populations share: gravity, shells, environment."""

    gravity: float
    edges: Array
    particles: int
    push: Mapping[str, float]
    loss: Mapping[str, float]
    shadow: bool
    zenith_steps: int


def monte_carlo_exosphere(
    body: Body,
    sources: Sequence[Source],
    *,
    seed: int,
    particles: int = 100_000,
    radius_edges: ArrayLike | None = None,
    loss_rate: Mapping[str, float] | None = None,
    radiation_acceleration: Mapping[str, float] | None = None,
    shadow: bool = False,
    zenith_steps: int = 1,
) -> xr.Dataset:
    """Simulate an exosphere of one or more populations.

    Without radiation pressure, shadow and zenith steps the orbits are exact (`fly_kepler`), and bound particles that cross
    the outer radius fall back. Otherwise they are integrated (`fly_integrated`) and end at the outer radius.

    Parameters
    ----------
    body : Body
        With radius and mass.
    sources : sequence of SurfaceSource or SpaceSource
        One population each.
    seed : int
        Seed; each population draws from its own stream, so that adding one does not change the others.
    particles : int
        Test particles per population.
    radius_edges : array of shape (radius + 1,), optional
        Edges of the shells, km from the centre; the first is the radius of the body. Default: `SHELLS` shells of equal
        ratio up to `OUTER_RADIUS` radii.
    loss_rate : mapping of species to float, optional
        Photo-loss, s-1; none for species that are not named.
    radiation_acceleration : mapping of species to float, optional
        Acceleration away from the Sun, m s-2.
    shadow : bool
        No loss and no radiation pressure in the shadow of the body (of the fragments, not of their parents).
    zenith_steps : int
        With more than 1, also the density by zenith angle from the Sun.

    Returns
    -------
    xarray.Dataset
        ``density`` and ``density_standard_error`` (population, radius), m-3, means over shells; ``radius_bounds``, km;
        ``source_rate``, ``return_rate``, ``escape_rate``, ``photo_loss_rate`` (population), s-1; with zenith steps
        ``density_by_zenith_angle`` (population, radius, zenith_angle). Dimension ``radius``, km, middle of the shell.

    Raises
    ------
    SettingsError
        A source is incomplete or contradicts itself, a species in a mapping has no source, or body or numbers do not fit.
    DataError
        The profile of a parent is not one, or lies outside the shells.
    NumericalError
        Particles circle for ever: fragments on closed orbits need a loss rate.
    """
    radius = _required_number(body, "radius")
    setup = _Setup(
        gravitational_constant * _required_number(body, "mass"),
        _edges(radius, radius_edges),
        int(particles),
        dict(radiation_acceleration or {}),
        dict(loss_rate or {}),
        shadow,
        zenith_steps,
    )
    _check_sources(sources, setup)
    streams = np.random.SeedSequence(seed).spawn(len(sources))
    parts = [_population(source, setup, np.random.default_rng(s)) for source, s in zip(sources, streams, strict=True)]
    result = _dataset(parts, [source_name(source) for source in sources], setup)
    result["species"] = ("population", [source.species for source in sources], {"long_name": "species of the population"})
    result.attrs = {
        "title": f"Monte Carlo exosphere of {body.name}",
        "body": body.name,
        "seed": seed,
        "particles": setup.particles,
        "loss_rate_per_s": json.dumps(setup.loss),
        "radiation_acceleration_m_s2": json.dumps(setup.push),
        "shadow": int(shadow),
        "method": "integrated orbits" if _integrated(setup) else "exact Kepler orbits",
    }
    return result


def shell_volumes(edges: ArrayLike) -> Array:
    """Volumes of the shells between radii, in the cube of their unit."""
    radii = np.asarray(edges, dtype=np.float64)
    return 4.0 / 3.0 * np.pi * np.diff(radii**3)


def _population(source: Source, setup: _Setup, generator: np.random.Generator) -> dict[str, Array | float]:
    """Density (radius, zenith) with its error, and the rates of one population."""
    mass = get_species(source.species).mass
    if isinstance(source, SurfaceSource):
        radius: Array | float = float(setup.edges[0])
        velocity = _release(source, mass, setup.particles, generator)
        flight = _fly(source.species, radius, velocity, setup, generator)
        base, rate = _surface_norm(source, velocity, flight, setup)
    else:
        radius, rate = _birth_places(source, setup, generator)
        energy = np.asarray(source.energy, dtype=np.float64) * ELEMENTARY_CHARGE
        parent = get_species(source.parent).mass
        velocity = photo_dissociation(
            setup.particles, energy, mass, generator, source.share, source.parent_temperature, parent
        )  # fmt: skip
        flight = _fly(source.species, radius, velocity, setup, generator)
        base = flight.launched
    stuck = flight.unfinished.sum() / flight.launched.sum()
    if stuck > 0.0:
        raise NumericalError(
            f"population {source_name(source)!r}: {stuck:.2%} of the particles never end their flight; "
            f"give a loss_rate for {source.species}, or leave such orbits out"
        )
    scale = rate / base.sum()
    ratio = flight.residence.sum(axis=0) / base.sum()
    scatter = flight.residence - ratio * base[:, None, None]
    blocks = len(base)
    error = np.sqrt(blocks / (blocks - 1.0) * (scatter**2).sum(axis=0)) * scale
    volume = _cells(setup)
    return {
        "density": flight.residence.sum(axis=0) * scale / volume,
        "error": error / volume,
        "total": flight.residence.sum(axis=(0, 2)) * scale / volume.sum(axis=1),
        "total_error": _total_error(flight, base) * scale / volume.sum(axis=1),
        "source": float(flight.launched.sum() * scale),
        "return": float(flight.returned.sum() * scale),
        "escape": float(flight.escaped.sum() * scale),
        "photo_loss": float(flight.lost.sum() * scale),
    }


def _total_error(flight: Flight, base: Array) -> Array:
    """Standard error of the sum of the blocks, ratio to the norm ``base`` included."""
    shells = flight.residence.sum(axis=2)
    scatter = shells - shells.sum(axis=0) / base.sum() * base[:, None]
    return np.sqrt(len(base) / (len(base) - 1.0) * (scatter**2).sum(axis=0))


def _surface_norm(source: SurfaceSource, velocity: Array, flight: Flight, setup: _Setup) -> tuple[Array, float]:
    """Per block, what the source is measured by (weights, or density per flux times weights), and its rate, s-1.

    Density over flux at the surface is <(1 + part that returns) / v_n>. The mean of 1/v_n is taken exactly over the angle
    (it is (p + 1)/p over v for cos^p), which leaves a difference that stays finite for grazing launches.
    """
    area = 4.0 * np.pi * setup.edges[0] ** 2
    if source.flux is not None:
        return flight.launched, source.flux * area
    speed = np.sqrt((velocity**2).sum(axis=1))
    power = source.cosine_power if source.process in ("sputter", "mono_energetic") else 1.0
    bound = speed < np.sqrt(2.0 * setup.gravity / setup.edges[0])
    slowness = (power + 1.0) / power * (1.0 + bound) / speed - (bound - flight.return_part) / velocity[:, 0]
    blocks = len(flight.launched)
    limits = np.arange(blocks + 1) * len(speed) // blocks
    base = np.add.reduceat(np.append(slowness, 0.0), limits[:-1])
    base[limits[1:] == limits[:-1]] = 0.0
    return base, float(source.surface_density or 0.0) * area


def _release(source: SurfaceSource, mass: float, count: int, generator: np.random.Generator) -> Array:
    if source.process == "maxwellian":
        return maxwellian_flux(count, given(source, "temperature"), mass, generator)
    if source.process == "impact_vapour":
        return impact_vapour(count, mass, generator, source.temperature)
    energy = given(source, "energy") * ELEMENTARY_CHARGE
    if source.process == "mono_energetic":
        return mono_energetic(count, energy, mass, generator, source.cosine_power)
    largest = None if source.largest_energy is None else source.largest_energy * ELEMENTARY_CHARGE
    return sputter(count, energy, mass, generator, source.cosine_power, largest)


def _birth_places(source: SpaceSource, setup: _Setup, generator: np.random.Generator) -> tuple[Array, float]:
    """Radii drawn from 4 pi r^2 n(r), and the number of fragments per second."""
    levels, density = (np.asarray(a, dtype=np.float64) for a in (source.parent_radius, source.parent_density))
    if levels.ndim != 1 or levels.shape != density.shape or len(levels) < 2 or not (np.diff(levels) > 0).all():
        raise DataError(f"profile of {source.parent}: radius {levels.shape} must rise and match density {density.shape}")
    if not (np.isfinite(density).all() and (density > 0).all() and levels[0] > 0):
        raise DataError(f"profile of {source.parent}: densities must be finite and positive; cut the profile where it ends")
    low, high = max(levels[0] * 1e3, setup.edges[0]), min(levels[-1] * 1e3, setup.edges[-1])
    if low >= high:
        raise DataError(
            f"profile of {source.parent} from {levels[0]:g} to {levels[-1]:g} km lies outside the shells, "
            f"{setup.edges[0] / 1e3:g} to {setup.edges[-1] / 1e3:g} km"
        )
    grid = np.geomspace(low, high, 4001)
    births = grid**2 * np.exp(np.interp(np.log(grid), np.log(levels * 1e3), np.log(density)))
    cells = 0.5 * (births[1:] + births[:-1]) * np.diff(grid)
    chosen = generator.choice(len(cells), size=setup.particles, p=cells / cells.sum())
    first, last, part = births[chosen], births[chosen + 1], generator.random(setup.particles)
    share = part * (first + last) / (first + np.sqrt(first**2 + part * (last**2 - first**2)))
    radius = grid[chosen] + share * (grid[chosen + 1] - grid[chosen])
    return np.clip(radius, setup.edges[0], setup.edges[-1]), float(source.rate * source.fragments * 4.0 * np.pi * cells.sum())


def _fly(species: str, radius: Array | float, velocity: Array, setup: _Setup, generator: np.random.Generator) -> Flight:
    loss = float(setup.loss.get(species, 0.0))
    if not _integrated(setup):
        return fly_kepler(radius, velocity, setup.gravity, setup.edges, loss_rate=loss)
    normal = points_on_sphere(len(velocity), generator)
    return fly_integrated(
        normal * np.broadcast_to(radius, (len(velocity),))[:, None],
        in_frame_of(normal, velocity),
        setup.gravity,
        setup.edges,
        radiation_acceleration=float(setup.push.get(species, 0.0)),
        loss_rate=loss,
        shadow=setup.shadow,
        zenith_steps=setup.zenith_steps,
    )


def _dataset(parts: list[dict], names: list[str], setup: _Setup) -> xr.Dataset:
    edges = setup.edges / 1e3
    density = {"units": "m-3", "long_name": "number density of the neutral, mean over the shell"}
    error = {"units": "m-3", "long_name": "standard error of the density from the scatter of particles"}
    meanings = {
        "source": "particles released or born",
        "return": "particles that fall back to the surface",
        "escape": "particles that leave through the outer radius",
        "photo_loss": "particles lost by photo-loss",
    }
    variables: dict = {
        "density": (("population", "radius"), np.stack([part["total"] for part in parts]), density),
        "density_standard_error": (("population", "radius"), np.stack([part["total_error"] for part in parts]), error),
        "radius_bounds": (("radius", "bound"), np.stack([edges[:-1], edges[1:]], axis=1), {"units": "km"}),
    }
    for key, meaning in meanings.items():
        variables[f"{key}_rate"] = ("population", [part[key] for part in parts], {"units": "s-1", "long_name": meaning})
    if setup.zenith_steps > 1:
        dims = ("population", "radius", "zenith_angle")
        variables["density_by_zenith_angle"] = (dims, np.stack([part["density"] for part in parts]), density)
        variables["density_by_zenith_angle_standard_error"] = (dims, np.stack([part["error"] for part in parts]), error)
    coordinates: dict = {
        "population": ("population", names, {"long_name": "population"}),
        "radius": ("radius", 0.5 * (edges[1:] + edges[:-1]), {"units": "km", "long_name": "distance from the centre"}),
    }
    if setup.zenith_steps > 1:
        step = 180.0 / setup.zenith_steps
        middle = (np.arange(setup.zenith_steps) + 0.5) * step
        coordinates["zenith_angle"] = ("zenith_angle", middle, {"units": "degree", "long_name": "angle from the Sun"})
    return xr.Dataset(variables, coordinates)


def _cells(setup: _Setup) -> Array:
    """Volumes of the cells (radius, zenith), m3."""
    angle = np.linspace(0.0, np.pi, setup.zenith_steps + 1)
    return shell_volumes(setup.edges)[:, None] * (-np.diff(np.cos(angle)) / 2.0)


def _integrated(setup: _Setup) -> bool:
    return setup.shadow or setup.zenith_steps > 1 or any(setup.push.values())


def _edges(radius: float, radius_edges: ArrayLike | None) -> Array:
    if radius_edges is None:
        return radius * np.geomspace(1.0, OUTER_RADIUS, SHELLS + 1)
    edges = np.asarray(radius_edges, dtype=np.float64) * 1e3
    if edges.ndim != 1 or len(edges) < 2 or abs(edges[0] / radius - 1.0) > 1e-9:
        first = edges.flat[0] / 1e3 if edges.size else float("nan")
        raise SettingsError(
            f"radius_edges begin at {first:g} km with shape {edges.shape}; they must begin at the surface, {radius / 1e3:g} km"
        )
    edges[0] = radius
    return edges


def _check_sources(sources: Sequence[Source], setup: _Setup) -> None:
    if not sources:
        raise SettingsError("no source is given; an exosphere needs one at least")
    if setup.particles < 2 * 128:
        raise SettingsError(f"particles is {setup.particles}; standard errors need at least 256")
    names = [source_name(source) for source in sources]
    if len(set(names)) < len(names):
        raise SettingsError(f"populations are named {names}; give each its own name")
    unknown = (set(setup.loss) | set(setup.push)) - {source.species for source in sources}
    if unknown:
        raise SettingsError(f"loss_rate or radiation_acceleration names {sorted(unknown)}; no source releases such a species")
    for source in sources:
        if isinstance(source, SurfaceSource):
            check_surface_source(source)
        elif not (0.0 < source.rate < np.inf and 0.0 < source.fragments < np.inf):
            raise SettingsError(f"population {source_name(source)!r}: rate {source.rate} s-1 and fragments {source.fragments} "
                                "must be positive and finite")  # fmt: skip


def _required_number(body: Body, field: str) -> float:
    return float(body.require(field))  # type: ignore[arg-type]
