"""A synthetic Mercury mission: orbits, solar wind, and the ion cyclotron waves of a known exosphere.

    days = mission(species, delta_b, MissionSettings(orbits=20), seed=1)
    for series, packets in days: ...

Each chunk is made when it is asked for, from the seed and its own number, so years take no more memory than a day and any
day can be made alone. The amplitude of the waves is given by the caller, so nothing of the theory under test is in here.

What is assumed. The orbit is an ellipse with a fixed period, a fixed lowest altitude and a highest radius drawn per orbit;
its plane keeps its direction in space while the Sun goes round it. The solar wind is where the position is beyond a
hyperbola about the Sun line. The field is a Parker spiral whose strength (a smooth random function within limits), angles
and sign vary over hours; turbulence with f^(-5/3) down to a corner is added to each component alike, and its level varies
from one interval to the next. The waves turn about, and take their frequency from, the field averaged over 20 s.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from scipy import constants

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "waves"))
from synthetic_waves import coloured_noise, cyclotron_packet

RADIUS = 2440.0
"""Radius of Mercury, km."""
YEAR = 87.969 * 86400.0
"""Orbital period of Mercury, s."""
GRID = 10.0
"""Spacing of the grid on which orbit and mean field are evaluated, s."""
LARGEST_TURN = 60.0
"""A packet in which the field turns further from that at its middle, as in a current sheet, is left out, degrees."""

WaveAmplitude = Callable[[str, np.ndarray, np.ndarray], np.ndarray]
"""Transverse root mean square amplitude in nT of (species, radial distance in km, field strength in nT)."""


@dataclass(frozen=True)
class WaveSpecies:
    """Ion whose waves are made: its mass, how often its waves are on, and the exosphere behind it."""

    name: str
    mass: float
    """Mass of the ion, unified atomic mass units."""
    neutral_density: Callable[[np.ndarray], np.ndarray]
    """Density of the neutrals in m-3 at a radial distance in km, kept as the truth beside each packet."""
    occupancy: float = 0.15
    """Mean fraction of the time with a packet."""


@dataclass(frozen=True)
class MissionSettings:
    """Orbit, solar wind and packets."""

    start: str = "2012-01-01"
    orbits: int = 20
    orbits_per_chunk: int = 2
    sampling_frequency: float = 20.0
    """Vectors per second, Hz."""
    orbit_period: float = 43200.0
    """s."""
    lowest_altitude: float = 0.2
    """Radii of Mercury."""
    highest_radius: tuple[float, float] = (6.0, 7.5)
    """Radii of Mercury, drawn per orbit."""
    inclination: float = 82.5
    """Degrees from the orbital plane of Mercury."""
    latitude_of_lowest: float = 65.0
    """Argument of the lowest point, degrees from the ascending node."""
    shock: tuple[float, float, float] = (0.5, 2.75, 1.04)
    """Bow shock as a conic: focus on the Sun line, semi-latus rectum (radii of Mercury), eccentricity."""
    field_strength: tuple[float, float] = (15.0, 45.0)
    """Limits of the mean field, nT."""
    spiral_angle: float = 20.0
    """Mean angle of the field from the Sun line, degrees: the Parker spiral at Mercury."""
    angle_spread: float = 25.0
    """Standard deviation of azimuth and elevation of the field, degrees."""
    turbulence: float = 0.3
    """Median density of each component at 0.1 Hz, nT2/Hz: a quiet solar wind, assumed (0.03 at 0.4 Hz, 1.4e-4 at 10 Hz)."""
    turbulence_spread: float = 0.7
    """Standard deviation of the logarithm of the level, from one interval to the next."""
    turbulence_corner: float = 1e-3
    """White below this frequency, Hz."""
    packet_duration: tuple[float, float] = (300.0, 900.0)
    """s, drawn per packet."""
    coherence_periods: float = 20.0
    """Coherence time in gyroperiods."""
    ellipticity: float = 0.9
    ellipticity_spread: float = 0.08
    largest_wave_normal_angle: float = 25.0
    """Degrees, drawn evenly from zero."""
    frequency_ratio: tuple[float, float] = (0.98, 0.02)
    """Mean and standard deviation of wave over gyrofrequency, per packet."""


@dataclass
class PacketTable:
    """Truth of the packets of a chunk, row by row."""

    rows: list[tuple] = field(default_factory=list)

    def dataset(self) -> xr.Dataset:
        """Rows as a Dataset with the dimension ``packet``."""
        columns = list(zip(*self.rows, strict=True)) if self.rows else [()] * len(PACKET_COLUMNS)
        packets = xr.Dataset()
        for (name, kind, units), values in zip(PACKET_COLUMNS, columns, strict=True):
            packets[name] = (("packet",), np.array(values, dtype=kind), {"units": units} if units else {})
        return packets


PACKET_COLUMNS = (
    ("species", "U16", ""),
    ("start", "datetime64[ns]", ""),
    ("end", "datetime64[ns]", ""),
    ("radial_distance", "f8", "km"),
    ("magnetic_field_strength", "f8", "nT"),
    ("delta_b", "f8", "nT"),
    ("neutral_density", "f8", "m-3"),
    ("frequency_ratio", "f8", "1"),
)


class SmoothVariation:
    """Random function of time of unit variance: a sum of sinusoids with periods from half an hour to two days."""

    def __init__(self, rng: np.random.Generator, terms: int = 24) -> None:
        periods = np.exp(rng.uniform(np.log(1800.0), np.log(172800.0), terms))
        self.frequencies = 2.0 * np.pi / periods
        self.phases = rng.uniform(0.0, 2.0 * np.pi, terms)
        self.amplitudes = np.sqrt(periods / periods.sum() * 2.0)

    def __call__(self, time: np.ndarray) -> np.ndarray:
        """Values at times in s."""
        return np.sin(np.outer(time, self.frequencies) + self.phases) @ self.amplitudes


class MeanField:
    """Interplanetary magnetic field of the whole mission, without its turbulence."""

    def __init__(self, rng: np.random.Generator, settings: MissionSettings) -> None:
        self.settings = settings
        self.strength, self.azimuth, self.elevation, self.sector = (SmoothVariation(rng) for _ in range(4))

    def __call__(self, time: np.ndarray) -> np.ndarray:
        """Field in MSO at times in s, shape (time, 3), nT."""
        lower, upper = self.settings.field_strength
        strength = lower + (upper - lower) / (1.0 + np.exp(-1.7 * self.strength(time)))
        # The sector turns over within minutes, as a current sheet that is crossed; the turn goes through the azimuth.
        turned = np.pi / (1.0 + np.exp(-40.0 * self.sector(time)))
        spread = np.radians(self.settings.angle_spread)
        azimuth = np.pi - np.radians(self.settings.spiral_angle) + spread * self.azimuth(time) + turned
        elevation = np.clip(spread * self.elevation(time), -1.2, 1.2)
        flat = np.cos(elevation)
        return strength[:, None] * np.column_stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])


def orbit_position(time: np.ndarray, highest: float, settings: MissionSettings) -> np.ndarray:
    """Position in MSO (x to the Sun, z north), km, shape (time, 3); the lowest point is passed at multiples of the period."""
    lowest = 1.0 + settings.lowest_altitude
    eccentricity = (highest - lowest) / (highest + lowest)
    mean = 2.0 * np.pi * (time / settings.orbit_period % 1.0)
    anomaly = mean + eccentricity * np.sin(mean)
    for _ in range(8):  # Newton's method for the equation of Kepler
        excess = anomaly - eccentricity * np.sin(anomaly) - mean
        anomaly -= excess / (1.0 - eccentricity * np.cos(anomaly))
    axis = 0.5 * (highest + lowest) * RADIUS
    along, across = axis * (np.cos(anomaly) - eccentricity), axis * np.sqrt(1.0 - eccentricity**2) * np.sin(anomaly)
    argument, tilt = np.radians([settings.latitude_of_lowest, settings.inclination])
    node = along * np.cos(argument) - across * np.sin(argument)
    upward = along * np.sin(argument) + across * np.cos(argument)
    sunward = -2.0 * np.pi * time / YEAR
    x, y = node, upward * np.cos(tilt)
    return np.column_stack(
        [x * np.cos(sunward) - y * np.sin(sunward), x * np.sin(sunward) + y * np.cos(sunward), upward * np.sin(tilt)]
    )


def in_solar_wind(position: np.ndarray, settings: MissionSettings) -> np.ndarray:
    """True beyond the bow shock; positions in km."""
    focus, rectum, eccentricity = settings.shock
    x = position[:, 0] / RADIUS - focus
    distance = np.sqrt(x**2 + (position[:, 1] ** 2 + position[:, 2] ** 2) / RADIUS**2)
    return distance + eccentricity * x > rectum


def solar_wind_intervals(orbit: int, highest: float, settings: MissionSettings) -> list[tuple[float, float]]:
    """Starts and ends of the intervals of an orbit in the solar wind, s from the start of the mission."""
    time = (orbit + np.arange(0.0, 1.0, GRID / settings.orbit_period)) * settings.orbit_period
    outside = in_solar_wind(orbit_position(time, highest, settings), settings)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], outside, [False]]).astype(np.int8)))
    return [(float(time[first]), float(time[last - 1])) for first, last in edges.reshape(-1, 2) if last - first > 30]


def interpolated(time: np.ndarray, grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Linear interpolation of vectors on an even grid."""
    place = (time - grid[0]) / (grid[1] - grid[0])
    index = np.minimum(place.astype(np.int64), grid.size - 2)
    weight = (place - index)[:, None]
    steps = np.diff(values, axis=0)
    return values[index] + weight * steps[index]


def packet_times(
    rng: np.random.Generator, start: float, end: float, occupancy: float, duration: tuple[float, float]
) -> list[tuple[float, float]]:
    """Packets of an alternating renewal process that is stationary from the start; those cut by the ends are left out."""
    if occupancy <= 0.0:
        return []
    mean_gap = np.mean(duration) * (1.0 - occupancy) / occupancy
    packets = []
    now = start - 5.0 * (mean_gap + duration[1]) * rng.uniform()
    while now < end:
        now += rng.exponential(mean_gap)
        length = rng.uniform(*duration)
        if now >= start and now + length <= end:
            packets.append((now, now + length))
        now += length
    return packets


def add_packet(
    rng: np.random.Generator,
    time: np.ndarray,
    total: np.ndarray,
    position: np.ndarray,
    background: np.ndarray,
    ion: WaveSpecies,
    delta_b: WaveAmplitude,
    settings: MissionSettings,
) -> tuple[float, float, float, float, float]:
    """Add one packet to the field in place; radius, strength, amplitude and density at its middle, and its frequency ratio."""
    radius = np.sqrt(np.einsum("ij,ij->i", position, position))
    strength = np.sqrt(np.einsum("ij,ij->i", background, background))
    amplitude = np.broadcast_to(delta_b(ion.name, radius, strength), time.shape)
    ratio = settings.frequency_ratio[0] + settings.frequency_ratio[1] * rng.standard_normal()
    charge_to_mass = constants.elementary_charge / (ion.mass * constants.atomic_mass)
    period = 2.0 * np.pi / (charge_to_mass * 1e-9 * strength.mean())
    total += cyclotron_packet(
        rng,
        time,
        background,
        charge_to_mass,
        amplitude,
        wave_normal_angle=rng.uniform(0.0, settings.largest_wave_normal_angle),
        ellipticity=settings.ellipticity,
        ellipticity_spread=settings.ellipticity_spread,
        coherence_time=settings.coherence_periods * period,
        frequency_ratio=ratio,
        envelope="tukey",
        level="peak",
    )
    middle = time.size // 2
    density = float(ion.neutral_density(radius[middle : middle + 1])[0])
    return float(radius[middle]), float(strength[middle]), float(amplitude[middle]), density, float(ratio)


def make_interval(
    rng: np.random.Generator,
    bounds: tuple[float, float],
    highest: float,
    mean_field: MeanField,
    species: Sequence[WaveSpecies],
    delta_b: WaveAmplitude,
    settings: MissionSettings,
    packets: PacketTable,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One interval in the solar wind: times, field in nT, position in km; its packets are added to the table."""
    cadence = 1.0 / settings.sampling_frequency
    start, end = bounds
    count = int((end - start) * settings.sampling_frequency)
    grid = np.arange(start, end + 2.0 * GRID, GRID)
    time = start + np.arange(count) * cadence
    position = interpolated(time, grid, orbit_position(grid, highest, settings))
    steady = mean_field(grid)
    level = settings.turbulence * np.exp(settings.turbulence_spread * rng.standard_normal())
    noise = coloured_noise(rng, count, cadence, 5.0 / 3.0, level, 0.1, corner=settings.turbulence_corner)
    total = noise + interpolated(time, grid, steady)
    carrier_field = steady + averaged_on_grid(noise, round(GRID * settings.sampling_frequency), grid.size)
    epoch = np.datetime64(settings.start, "ns")
    for ion in species:
        for first, last in packet_times(rng, start, time[-1], ion.occupancy, settings.packet_duration):
            part = slice(*np.searchsorted(time, [first, last]))
            carrier = interpolated(time[part], grid, carrier_field)
            if field_turn(carrier) > LARGEST_TURN:
                continue
            truth = add_packet(rng, time[part], total[part], position[part], carrier, ion, delta_b, settings)
            packets.rows.append((ion.name, epoch + nanoseconds(first), epoch + nanoseconds(last), *truth))
    return epoch + nanoseconds(start) + nanoseconds(time - start), total, position


def field_turn(vectors: np.ndarray) -> float:
    """Largest angle of the vectors from the middle one, degrees."""
    unit = vectors / np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    return float(np.degrees(np.arccos(np.clip((unit @ unit[len(unit) // 2]).min(), -1.0, 1.0))))


def averaged_on_grid(noise: np.ndarray, samples: int, size: int) -> np.ndarray:
    """Mean of the noise over two steps of the grid about each of its points: the part that the waves follow."""
    blocks = noise[: noise.shape[0] // samples * samples].reshape(-1, samples, noise.shape[1]).mean(axis=1)
    padded = np.concatenate([blocks[:1], blocks, np.repeat(blocks[-1:], size - len(blocks), axis=0)])
    return 0.5 * (padded[1:] + padded[:-1])[:size]


def nanoseconds(seconds: np.ndarray | float) -> np.ndarray:
    """Seconds as a time difference."""
    return np.round(np.asarray(seconds) * 1e9).astype("timedelta64[ns]")


def make_series(parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], chunk: int) -> xr.Dataset:
    """Intervals as one series; the stays below the bow shock are gaps in its times."""
    time = np.concatenate([part[0] for part in parts]) if parts else np.empty(0, "datetime64[ns]")
    vectors = [np.concatenate([part[i] for part in parts]) if parts else np.empty((0, 3)) for i in (1, 2)]
    dims = ("time", "component")
    return xr.Dataset(
        {
            "magnetic_field": (dims, vectors[0], {"units": "nT", "long_name": "Magnetic field"}),
            "position": (dims, vectors[1], {"units": "km", "long_name": "Position relative to the centre of the body"}),
        },
        {"time": time, "component": ["x", "y", "z"]},
        {
            "frame": "MSO",
            "position_frame": "MSO",
            "body": "Mercury",
            "source_format": "synthetic",
            "files": json.dumps([]),
            "repairs": json.dumps({}),
            "title": f"Synthetic Mercury mission, chunk {chunk}",
        },
    )


def mission(
    species: Sequence[WaveSpecies],
    delta_b: WaveAmplitude,
    settings: MissionSettings | None = None,
    *,
    seed: int,
    chunks: Sequence[int] | None = None,
) -> Iterator[tuple[xr.Dataset, xr.Dataset]]:
    """Make the mission chunk by chunk.

    Parameters
    ----------
    species : sequence of WaveSpecies
        Ions whose waves are made.
    delta_b : callable
        Transverse root mean square amplitude in nT of (name, radial distance in km, field strength in nT); it holds in the
        flat part of each packet.
    settings : MissionSettings, optional
        Orbit, solar wind and packets.
    seed : int
        Seed of all random numbers.
    chunks : sequence of int, optional
        Which chunks to make; all of them unless given.

    Yields
    ------
    (xarray.Dataset, xarray.Dataset)
        Series of the chunk (a day, with two orbits of 12 h), and the truth of its packets (dimension ``packet``).
    """
    settings = settings or MissionSettings()
    mean_field = MeanField(np.random.default_rng([seed, 0]), settings)
    total = -(-settings.orbits // settings.orbits_per_chunk)
    for chunk in range(total) if chunks is None else chunks:
        first = chunk * settings.orbits_per_chunk
        parts, packets = [], PacketTable()
        for orbit in range(first, min(first + settings.orbits_per_chunk, settings.orbits)):
            rng = np.random.default_rng([seed, 1, orbit])
            highest = rng.uniform(*settings.highest_radius)
            for bounds in solar_wind_intervals(orbit, highest, settings):
                parts.append(make_interval(rng, bounds, highest, mean_field, species, delta_b, settings, packets))
        yield make_series(parts, chunk), packets.dataset()
