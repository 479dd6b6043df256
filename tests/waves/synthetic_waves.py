"""Synthetic waves and backgrounds for tests and validation, made by code that shares nothing with the detector.

Times are plain seconds, fields nT, frequencies Hz, angles degrees. A wave is a vector that turns in a plane. The plane
follows the local field: a triad is drawn about the mean field and carried to the field of each sample by Rodrigues'
rotation, so no routine for field-aligned coordinates is used. A left-handed wave (handedness -1) turns as a positive ion
does, (cos, -sin) about the field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import fft

Field = np.ndarray | Callable[[np.ndarray], np.ndarray]
SMALLEST_COSINE = -0.9
"""A field that turns further than this from its mean leaves Rodrigues' rotation ill defined."""


def coloured_noise(
    rng: np.random.Generator,
    n: int,
    cadence: float,
    slope: float,
    level_at: float,
    frequency: float,
    components: int = 3,
    corner: float | None = None,
) -> np.ndarray:
    """Gaussian noise whose one-sided power spectral density is ``level_at * (f / frequency)**-slope``.

    The spectrum is drawn on a record that is longer by two periods of the corner, and the record is cut, so the noise is
    not periodic over the samples returned.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    n : int
        Number of samples.
    cadence : float
        Time between samples, s.
    slope : float
        Spectral index: 0 is white, 5/3 the inertial range.
    level_at, frequency : float
        Density of each component in nT2/Hz at this frequency in Hz.
    components : int
        Number of independent components.
    corner : float, optional
        White below this frequency, Hz; the lowest frequency of the record unless given.

    Returns
    -------
    array of shape (n, components)
        Field, nT.
    """
    lowest = 1.0 / (n * cadence) if corner is None else corner
    longer = fft.next_fast_len(n + int(np.ceil(2.0 / (lowest * cadence))), real=True)
    density = level_at * (np.maximum(fft.rfftfreq(longer, cadence), lowest) / frequency) ** -slope
    amplitude = np.sqrt(density * longer / (4.0 * cadence))  # of the real and of the imaginary part, each
    real_bins = [0, -1] if longer % 2 == 0 else [0]
    noise = np.empty((n, components))
    for component in range(components):
        numbers = rng.standard_normal(2 * amplitude.size).view(np.complex128)
        numbers *= amplitude
        numbers[real_bins] = numbers[real_bins].real * np.sqrt(2.0)
        noise[:, component] = fft.irfft(numbers, longer, overwrite_x=True)[:n]
    return noise


def gaussian_envelope(time: np.ndarray, centre: float, duration: float) -> np.ndarray:
    """Gaussian of six standard deviations in ``duration``, one at its centre and zero outside."""
    distance = (time - centre) / duration
    return np.where(np.abs(distance) <= 0.5, np.exp(-18.0 * distance**2), 0.0)


def tukey_envelope(time: np.ndarray, centre: float, duration: float, taper: float = 0.3) -> np.ndarray:
    """Flat top with cosine flanks; ``taper`` is the part of ``duration`` that both flanks take together."""
    from_end = np.clip(0.5 - np.abs(time - centre) / duration, 0.0, None)
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(from_end / (0.5 * taper), 1.0))


def envelope_of(name: str, time: np.ndarray, centre: float, duration: float, level: str) -> np.ndarray:
    """Envelope by name ("flat", "gauss", "tukey"), with its mean square over ``duration`` or its peak equal to one."""
    if name == "flat":
        return np.ones_like(time)
    shape = {"gauss": gaussian_envelope, "tukey": tukey_envelope}[name]
    if level == "peak":
        return shape(time, centre, duration)
    fine = np.linspace(-0.5, 0.5, 20001)
    return shape(time, centre, duration) / np.sqrt(np.mean(shape(fine, 0.0, 1.0) ** 2))


def random_walk_phase(rng: np.random.Generator, time: np.ndarray, coherence_time: float) -> np.ndarray:
    """Phase whose phasor decorrelates as exp(-lag / coherence_time): a Lorentzian line of half width 1/(2 pi time)."""
    start = rng.uniform(0.0, 2.0 * np.pi)
    if not np.isfinite(coherence_time):
        return np.full(time.size, start)
    steps = rng.standard_normal(time.size) * np.sqrt(2.0 * np.diff(time, prepend=time[0]) / coherence_time)
    return start + np.cumsum(steps)


def integrated_phase(time: np.ndarray, angular_frequency: np.ndarray) -> np.ndarray:
    """Integral of the angular frequency over time by the trapezoidal rule, zero at the first sample."""
    phase = np.zeros(time.size)
    np.cumsum(0.5 * (angular_frequency[1:] + angular_frequency[:-1]) * np.diff(time), out=phase[1:])
    return phase


def turn_vectors(vectors: np.ndarray, start: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Turn each vector by the smallest rotation that carries the unit vector ``start`` to its own of ``ends``."""
    cosine = ends @ start
    if cosine.min() < SMALLEST_COSINE:
        i = int(cosine.argmin())
        raise ValueError(f"sample {i}: the field is turned by {np.degrees(np.arccos(cosine[i])):.0f} degrees from its mean")
    vx, vy, vz = vectors.T
    ax, ay, az = _cross(*start, *ends.T)
    along = (ax * vx + ay * vy + az * vz) / (1.0 + cosine)
    cx, cy, cz = _cross(ax, ay, az, vx, vy, vz)
    turned = np.empty_like(vectors)
    for i, (v, c, a) in enumerate(((vx, cx, ax), (vy, cy, ay), (vz, cz, az))):
        turned[:, i] = cosine * v + c + along * a
    return turned


def _cross(ax, ay, az, bx, by, bz):
    """Cross product by components."""
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


def random_triad(rng: np.random.Generator, axis: np.ndarray) -> np.ndarray:
    """Rows of a right-handed triad whose third is ``axis``, at a random azimuth."""
    first = rng.standard_normal(3)
    first -= (first @ axis) * axis
    first /= np.sqrt(first @ first)
    return np.array([first, _cross(*axis, *first), axis])


def ellipse_axes(wave_normal_angle: float, azimuth: float, major_angle: float) -> np.ndarray:
    """Major and minor direction, in (e1, e2, field), of a wave whose normal is at this angle to the field (degrees)."""
    tilt = np.radians(wave_normal_angle)
    towards = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    first = np.cos(tilt) * towards - np.sin(tilt) * np.array([0.0, 0.0, 1.0])
    second = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    cosine, sine = np.cos(major_angle), np.sin(major_angle)
    return np.array([cosine * first + sine * second, -sine * first + cosine * second])


def sampled(field: Field, time: np.ndarray) -> np.ndarray:
    """Field vectors at the times."""
    return np.asarray(field(time) if callable(field) else field, dtype=np.float64)


def turning_wave(
    rng: np.random.Generator,
    background: np.ndarray,
    phase: np.ndarray,
    delta_b: float | np.ndarray,
    *,
    handedness: int = -1,
    wave_normal_angle: float = 0.0,
    ellipticity: float = 1.0,
) -> np.ndarray:
    """Elliptical wave of a given phase about the local field, of shape (time, 3).

    ``delta_b`` is the root of the mean square, over phases, of the two components transverse to the field, nT.
    ``ellipticity`` is the ratio of the axes, 0 to 1, in the plane normal to the wave normal; the azimuth of the wave
    normal and that of the major axis are random.
    """
    if handedness not in (-1, 1):
        raise ValueError(f"handedness {handedness}: must be -1 (as a positive ion) or 1")
    strength = np.sqrt(np.einsum("ij,ij->i", background, background))
    unit = background / strength[:, None]
    mean = unit.mean(axis=0)
    mean /= np.sqrt(mean @ mean)
    major, minor = ellipse_axes(wave_normal_angle, *rng.uniform(0.0, 2.0 * np.pi, 2))
    transverse = major[:2] @ major[:2] + ellipticity**2 * (minor[:2] @ minor[:2])
    amplitude = delta_b * np.sqrt(2.0 / transverse)
    axes = np.array([major, handedness * ellipticity * minor]) @ random_triad(rng, mean)
    local = np.column_stack([amplitude * np.cos(phase), amplitude * np.sin(phase)]) @ axes
    return turn_vectors(local, mean, unit)


def cyclotron_packet(
    rng: np.random.Generator,
    time: np.ndarray,
    field: Field,
    charge_to_mass: float,
    delta_b: float | np.ndarray,
    *,
    handedness: int = -1,
    wave_normal_angle: float = 0.0,
    ellipticity: float = 1.0,
    ellipticity_spread: float = 0.0,
    coherence_time: float = np.inf,
    follow_field: bool = True,
    frequency_ratio: float = 1.0,
    frequency_offset: float = 0.0,
    envelope: str = "flat",
    centre: float | None = None,
    duration: float | None = None,
    level: str = "mean",
) -> np.ndarray:
    """Packet of an ion cyclotron wave.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of random numbers.
    time : array of shape (time,)
        Times, s.
    field : array of shape (time, 3), or a function of the times that gives one
        Background field, nT.
    charge_to_mass : float
        Charge over mass of the ion, C/kg; its sign is not used.
    delta_b : float or array of shape (time,)
        Root mean square of the two components transverse to the field together, nT.
    handedness : {-1, 1}
        Sense about the field; -1 turns as a positive ion does.
    wave_normal_angle : float
        Angle between the wave normal and the field, degrees, below 90.
    ellipticity, ellipticity_spread : float
        Mean and standard deviation, from packet to packet, of the ratio of the axes; kept within 0 to 1.
    coherence_time : float
        Time in which the phasor decorrelates, s.
    follow_field : bool
        Frequency follows the local field strength; otherwise that of the mean strength.
    frequency_ratio, frequency_offset : float
        Frequency is ``ratio * gyrofrequency + offset`` (Hz).
    envelope : {"flat", "gauss", "tukey"}
        Shape in time.
    centre, duration : float, optional
        Centre and whole length of the envelope, s; those of ``time`` unless given.
    level : {"mean", "peak"}
        Whether ``delta_b`` holds over the whole envelope in the mean square, or at its peak.

    Returns
    -------
    array of shape (time, 3)
        The wave alone, nT, in the frame of the field.
    """
    background = sampled(field, time)
    strength = np.sqrt(np.einsum("ij,ij->i", background, background))
    if not follow_field:
        strength = np.full(time.size, strength.mean())
    angular = abs(charge_to_mass) * 1e-9 * strength * frequency_ratio + 2.0 * np.pi * frequency_offset
    phase = integrated_phase(time, angular) + random_walk_phase(rng, time, coherence_time)
    ratio = float(np.clip(ellipticity + ellipticity_spread * rng.standard_normal(), 0.0, 1.0))
    middle = 0.5 * (time[0] + time[-1]) if centre is None else centre
    length = time[-1] - time[0] if duration is None else duration
    size = delta_b * envelope_of(envelope, time, middle, length, level)
    return turning_wave(
        rng,
        background,
        phase,
        size,
        handedness=handedness,
        wave_normal_angle=wave_normal_angle,
        ellipticity=ratio,
    )


def right_hand_wave(rng, time, field, charge_to_mass, delta_b, **options) -> np.ndarray:
    """Wave at the gyrofrequency that turns as a negative ion does."""
    return cyclotron_packet(rng, time, field, charge_to_mass, delta_b, **{**options, "handedness": 1})


def anisotropy_wave(rng, time, field, charge_to_mass, delta_b, frequency_ratio: float | None = None, **options) -> np.ndarray:
    """Left-hand wave of a temperature anisotropy, at 0.5 to 0.7 of the gyrofrequency."""
    ratio = rng.uniform(0.5, 0.7) if frequency_ratio is None else frequency_ratio
    return cyclotron_packet(rng, time, field, charge_to_mass, delta_b, **{**options, "frequency_ratio": ratio})


def rotating_spin_tones(
    rng: np.random.Generator,
    time: np.ndarray,
    field: Field,
    delta_b: float,
    *,
    fundamental: float = 0.0525,
    harmonics: Sequence[int] = (1, 2, 3),
    decay: float = 0.5,
) -> np.ndarray:
    """Left-hand transverse lines at multiples of a spin frequency, of constant amplitude and exact frequency.

    ``delta_b`` is the root mean square of the first line; each further harmonic is smaller by the factor ``decay``.
    """
    background = sampled(field, time)
    lines = np.zeros_like(background)
    for order, harmonic in enumerate(harmonics):
        phase = 2.0 * np.pi * fundamental * harmonic * time + rng.uniform(0.0, 2.0 * np.pi)
        lines += turning_wave(rng, background, phase, delta_b * decay**order)
    return lines


def mirror_modes(
    rng: np.random.Generator,
    time: np.ndarray,
    field: Field,
    depth: float,
    *,
    period: float = 15.0,
    coherence_time: float = 60.0,
) -> np.ndarray:
    """Train of dips of the field strength: along the field, linear, of relative depth ``depth`` and of random spacing."""
    background = sampled(field, time)
    phase = 2.0 * np.pi * time / period + random_walk_phase(rng, time, coherence_time)
    dips = (0.5 + 0.5 * np.cos(phase)) ** 2
    return -depth * background * dips[:, None]


def foreshock_train(
    rng: np.random.Generator,
    time: np.ndarray,
    field: Field,
    delta_b: float,
    *,
    period: float | None = None,
    handedness: int = -1,
    wave_normal_angle: float = 35.0,
    coherence_time: float = 150.0,
) -> np.ndarray:
    """Foreshock waves of 20 to 30 s; left-handed as seen when swept past, and compressive because they are oblique."""
    background = sampled(field, time)
    seconds = rng.uniform(20.0, 30.0) if period is None else period
    phase = 2.0 * np.pi * time / seconds + random_walk_phase(rng, time, coherence_time)
    return turning_wave(rng, background, phase, delta_b, handedness=handedness, wave_normal_angle=wave_normal_angle)
