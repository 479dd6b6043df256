"""Pick-up of lunar ions by the solar wind, and their way to the Earth on exact cycloids.

Every test ion has its own uniform plasma, constant over its flight, so that its path is exact (`cycloid`). The axes have x
against the flow. The fields of the magnetosheath are not there: ions go on to the magnetopause as in the solar wind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siderion.core.bodies import ASTRONOMICAL_UNIT, get_body
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.species import Species, get_species
from siderion.geospace.boundaries import aberrate, aberration_angle, orbital_speed

from .births import Births, photo_ions, sputtered_ions
from .cycloid import cycloid
from .exosphere import lunar_exosphere
from .flight import CROSSED, STRUCK, fly_to_surface
from .plasma import PlasmaState, get_plasma_state
from .settings import PickupSettings
from .sputtering import sputter_yields
from .surfaces import PLANE, Surface, arrival_surface, gap

Array = NDArray[np.float64]
LONGEST_FLIGHT = 2.0 * 86400.0
"""End of a flight, s: ions that the flow hardly carries do not come to the Earth in the plasma they started in."""


@dataclass(frozen=True)
class Scene:
    """What all ions share, in axes with x against the flow and the Earth in the origin; SI units.

    Attributes
    ----------
    state : PlasmaState
        Plasma with the speed, density and field asked for.
    moon, field : array of shape (3,)
        Position of the Moon (m) and magnetic field (T).
    speed : float
        Speed of the plasma past the Earth, aberration included, m s-1.
    angle : float
        Angle of aberration, rad.
    surface : Surface
        Where ions arrive.
    """

    state: PlasmaState
    moon: Array
    field: Array
    speed: float
    angle: float
    surface: Surface

    @property
    def electric_field(self) -> Array:
        """Electric field -V x B, V m-1."""
        return -np.cross([-self.speed, 0.0, 0.0], self.field)

    @property
    def flow_angle(self) -> float:
        """Angle between the field and the line of the flow, degrees, 0 to 90."""
        return float(np.degrees(np.arccos(min(1.0, abs(self.field[0]) / float(np.linalg.norm(self.field))))))


@dataclass(frozen=True)
class Starts:
    """Starts of the ions of one species, and the plasma of each; axes as in `Scene`, SI units, shapes (particle, 3)."""

    position: Array
    velocity: Array
    flow: Array
    field: Array


@dataclass(frozen=True)
class Arrivals:
    """Ends of the ions of one species; the Moon and the Earth as in `Scene`.

    Attributes
    ----------
    species : Species
        The ion.
    origin : array of int (particle,)
        Index of the origin in ``origins``.
    origins : tuple of str
        Names of the origins.
    weight : array (particle,)
        Ions per second of each test ion.
    end : array of int (particle,)
        0 struck the Moon, 1 arrived, 2 missed.
    position, velocity : array (particle, 3)
        At the end, m and m s-1.
    time : array (particle,)
        Time of flight, s.
    wake : array (point, 2)
        Places (y, z) about the line of the flow through the Moon that ions pass on their way, m.
    start : Starts
        Where they start and their plasma.
    """

    species: Species
    origin: NDArray[np.int64]
    origins: tuple[str, ...]
    weight: Array
    end: NDArray[np.int64]
    position: Array
    velocity: Array
    time: Array
    wake: Array
    start: Starts

    @property
    def energy(self) -> Array:
        """Kinetic energy at the end, J."""
        return 0.5 * self.species.mass * np.sum(self.velocity**2, axis=1)


STRUCK_MOON, ARRIVED, MISSED = range(3)
"""Ends of ions in `Arrivals`."""


def make_scene(settings: PickupSettings) -> Scene:
    """Turn settings into SI units and aberrated axes.

    Raises
    ------
    SettingsError
        A name or number does not fit.
    """
    chosen = get_plasma_state(settings.plasma)
    state = chosen.changed(
        speed=None if settings.speed is None else settings.speed * 1e3,
        density=None if settings.density is None else settings.density * 1e6,
        field=float(np.linalg.norm(settings.imf)) * 1e-9,
    )
    orbit = orbital_speed(ASTRONOMICAL_UNIT) if settings.aberration else 0.0
    angle = aberration_angle(state.speed, orbit)
    field = aberrate(np.array(settings.imf) * 1e-9, angle)
    place = settings.at if isinstance(settings.at, str) else settings.at * EARTH_RADIUS
    surface = arrival_surface(
        place, state, settings.north_field * 1e-9,
        radius=settings.radius * EARTH_RADIUS, tail_limit=settings.tail_limit * EARTH_RADIUS,
    )  # fmt: skip
    moon = aberrate(np.array(settings.moon) * EARTH_RADIUS, angle)
    return Scene(state, moon, field, float(np.hypot(state.speed, orbit)), angle, surface)


def make_births(settings: PickupSettings, scene: Scene, ion: Species, generator: np.random.Generator) -> list[Births]:
    """Starts of the ions of one species, from the sources asked for."""
    element = ion.neutral_name
    yields = sputter_yields(settings.yields, settings.yield_energy)
    found: list[Births] = []
    if settings.source in ("sputter", "all"):
        found.append(sputtered_ions(element, scene.state, yields, settings.regolith, settings.particles, generator))
    if settings.source in ("photo", "all"):
        exosphere = lunar_exosphere(
            element, scene.state, yields, seed=int(generator.integers(2**31)), regolith=settings.regolith,
            rate=settings.photo_rates.get(element),
        )  # fmt: skip
        found += photo_ions(element, exosphere, settings.particles, generator)
    return found


def fly_species(settings: PickupSettings, scene: Scene, name: str, generator: np.random.Generator) -> Arrivals:
    """Launch the ions of one species and fly them to the surface.

    Raises
    ------
    SettingsError
        The species is not a singly charged positive ion of one atom.
    """
    ion = get_species(name)
    if ion.charge_number != 1:
        raise SettingsError(f"species {name!r}: lunar ions are singly charged; write it as Fe+ or Na+")
    births = make_births(settings, scene, ion, generator)
    position = np.concatenate([one.position for one in births]) + scene.moon
    velocity = np.concatenate([one.velocity for one in births])
    count = len(position)
    flow, field = _plasmas(settings, scene, count, generator)
    ratio = ion.charge / ion.mass
    limit = _limits(scene, flow, field, velocity, ratio)
    radius = get_body("Moon").require_value("radius")
    if gap(scene.surface.kind, *scene.surface.parameters, scene.moon[0], float(np.hypot(*scene.moon[1:])))[0] < 0.0:
        # the Moon is behind the surface: ions may strike the Moon, none arrives from the Sun
        away = Surface("none", PLANE, (-1e30, 0.0, 0.0), -1e30)
        end, time, place, speed = fly_to_surface(position, velocity, flow, field, ratio, away, scene.moon, radius, limit)
        counted = np.zeros(count, dtype=bool)
    else:
        end, time, place, speed = fly_to_surface(
            position, velocity, flow, field, ratio, scene.surface, scene.moon, radius, limit
        )  # fmt: skip
        counted = scene.surface.counts(place)
    arrived = (end == CROSSED) & counted
    ends = np.where(end == STRUCK, STRUCK_MOON, np.where(arrived, ARRIVED, MISSED)).astype(np.int64)
    origin = np.repeat(np.arange(len(births)), [len(one.position) for one in births])
    weight = np.concatenate([np.full(len(one.position), one.rate / len(one.position)) for one in births])
    wake = _wake_points(scene, position, velocity, flow, field, ratio, end)
    names = tuple(one.origin for one in births)
    return Arrivals(ion, origin, names, weight, ends, place, speed, time, wake, Starts(position, velocity, flow, field))


def no_arrival_reason(settings: PickupSettings, scene: Scene, arrivals: Arrivals) -> str:
    """Why no ion of a species arrives, in words; empty where some do."""
    if (arrivals.end == ARRIVED).any():
        return ""
    height = float(np.hypot(*scene.moon[1:]))
    if gap(scene.surface.kind, *scene.surface.parameters, scene.moon[0], height)[0] < 0.0:
        return f"the Moon is behind the {scene.surface.name}, and the flow carries ions away from the Sun"
    if scene.flow_angle < 1.0 and settings.imf_spread == 0.0:
        return "the field is along the flow: there is no electric field that picks ions up"
    if (arrivals.end == STRUCK_MOON).all():
        return "all ions fall back on the Moon"
    missed = arrivals.position[arrivals.end == MISSED]
    median = float(np.median(np.hypot(missed[:, 1], missed[:, 2]))) / EARTH_RADIUS
    electric = scene.electric_field[1:] / max(float(np.linalg.norm(scene.electric_field)), 1e-30)
    towards = -float(scene.moon[1:] @ electric) / max(height, 1.0)
    way = "towards the line of the Earth" if towards > 0.3 else "away from it" if towards < -0.3 else "across the way to it"
    if settings.clock_angles == "all":
        return f"they pass the Earth, at a median distance of {median:.1f} RE from its line: the cycloid is too high there"
    return (
        f"they pass the Earth, at a median distance of {median:.1f} RE from its line; the electric field, "
        f"along y {electric[0]:.2f}, z {electric[1]:.2f}, points {way}"
    )


def _plasmas(settings: PickupSettings, scene: Scene, count: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Plasma velocity and field of each ion."""
    speed = np.full(count, scene.speed) + settings.speed_spread * 1e3 * generator.standard_normal(count)
    # a plasma that stands still carries nothing; the tail of the normal law is folded back
    speed = np.maximum(np.abs(speed), 1e3)
    field = np.tile(scene.field, (count, 1)) + settings.imf_spread * 1e-9 * generator.standard_normal((count, 3))
    if settings.clock_angles == "all":
        turn = generator.uniform(0.0, 2.0 * np.pi, count)
        cosine, sine = np.cos(turn), np.sin(turn)
        y, z = field[:, 1].copy(), field[:, 2].copy()
        field[:, 1], field[:, 2] = cosine * y - sine * z, sine * y + cosine * z
    flow = np.zeros((count, 3))
    flow[:, 0] = -speed
    return flow, field


def _limits(scene: Scene, flow: Array, field: Array, velocity: Array, ratio: float) -> Array:
    """Time in which an ion has certainly passed the last place where arrivals count, s."""
    strength = np.linalg.norm(field, axis=1)
    unit = field / strength[:, None]
    u = velocity - flow
    along = np.sum(u * unit, axis=1)
    drift = flow[:, 0] + along * unit[:, 0]
    across = np.sqrt(np.maximum(0.0, np.sum(u**2, axis=1) - along**2))
    surface = scene.surface
    last = surface.nose if surface.kind == PLANE else surface.tail_limit
    way = scene.moon[0] - last + 2.0 * across / (ratio * strength) + 10.0 * EARTH_RADIUS
    with np.errstate(divide="ignore"):
        needed = np.where(drift < 0.0, np.maximum(way, EARTH_RADIUS) / np.abs(drift), LONGEST_FLIGHT)
    return np.minimum(needed, LONGEST_FLIGHT)


def some_free(end: NDArray[np.int64], count: int = 1000) -> NDArray[np.int64]:
    """Indices of at most some ions that do not strike the Moon, spread evenly over all origins."""
    free = np.flatnonzero(end != STRUCK)
    return free[:: max(1, -(-len(free) // count))]


def _wake_points(
    scene: Scene, position: Array, velocity: Array, flow: Array, field: Array, ratio: float, end: NDArray[np.int64]
) -> Array:
    """Places (y, z) about the line of the flow that ions pass in one gyration, of some of those that leave the Moon."""
    free = some_free(end)
    if not len(free):
        return np.empty((0, 2))
    period = 2.0 * np.pi / (ratio * np.linalg.norm(field[free], axis=1))
    share = np.linspace(0.0, 1.0, 49)
    place, _ = cycloid(
        position[free, None], velocity[free, None], share * period[:, None], flow[free, None], field[free, None], ratio
    )
    return (place[..., 1:] - scene.moon[1:]).reshape(-1, 2)
