"""Lines of fixed frequency: tones of the spacecraft, which pass every criterion of a wave but stay when |B| changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from .plans import NYQUIST_PART, SegmentPlan
from .polarization import Real
from .series import Stretch
from .settings import RejectionSettings, SpectrumSettings
from .spectra import cross_spectra, window_fields

_SEGMENT = 170.0
"""Length of the segments in which lines are sought, s: tells harmonics of a spin period of 10 to 28 s apart."""
_SEGMENTS_PER_BLOCK = 3
_SURROUNDINGS = 15
"""Frequencies over which the median stands for the surroundings of a line."""
_FEWEST_BLOCKS = 4
_LOWEST = 6
"""Frequencies left out at the low end, where the slope of the spectrum makes a maximum of its own."""
_LARGEST_CONTRAST = np.log(4.0)
"""What one block counts at most: a strong wave of a few minutes is no line."""
_HARMONICS = 8
_FEWEST_FREQUENCIES = 128
_WIDEST = 5
"""Frequencies that a line can fill: the main lobe of the taper, and one more."""


@dataclass(frozen=True)
class FixedLine:
    """A line: frequency and half width, Hz, and why it is taken for one."""

    frequency: float
    half_width: float
    reason: str


def find_fixed_lines(stretches: Sequence[Stretch], settings: RejectionSettings, highest: float = np.inf) -> list[FixedLine]:
    """Lines that stand in most parts of a series although |B| changes, and the harmonics of the spin.

    The series is cut into blocks of about 340 s. The logarithm of the total power over that of the surrounding frequencies is
    averaged over the blocks. A frequency counts as a fixed line when this mean stands out of those of the other frequencies by
    ``line_significance`` standard deviations (robust), those over the blocks of weak, middle and strong field alone by
    3/4 of it, the line is no wider than the taper makes it, and |B| varies between the blocks (10 to 90 %) by the ratio
    ``line_field_ratio`` at least, and by so much that the line of an ion would move by three times the resolution. A series of
    such lines at multiples of one frequency is taken for the spin, and its other multiples are masked too.

    Parameters
    ----------
    stretches : sequence of Stretch
        The series.
    settings : RejectionSettings
        Significance and ratio of |B|; the period of the spin, if given.
    highest : float
        Frequency, Hz, above which lines do not matter.
    """
    highest = min(highest, max((0.5 / stretch.cadence for stretch in stretches), default=0.0))
    lines: list[FixedLine] = []
    if settings.spin_period is not None:
        spin = 1.0 / settings.spin_period
        lines += _harmonics(spin, highest, 0.02 * spin, 1e-3 * spin, f"of the spin of {settings.spin_period:g} s")
    if not settings.fixed_lines:
        return lines
    for cadence in _cadences(stretches):
        same = [stretch for stretch in stretches if abs(stretch.cadence / cadence - 1.0) < 0.05]
        lines += _persistent(same, cadence, settings, highest)
    return lines


def free_frequencies(frequency: Real, resolution: float, lines: Sequence[FixedLine]) -> NDArray[np.bool_]:
    """Which frequencies (Hz) no line touches: those farther from all than its half width and 0.75 times the resolution."""
    free = np.ones(len(frequency), dtype=np.bool_)
    for line in lines:
        free &= np.abs(frequency - line.frequency) > line.half_width + 0.75 * resolution
    return free


def _cadences(stretches: Sequence[Stretch]) -> list[float]:
    """Distinct cadences, those within 5 % taken as one."""
    found: list[float] = []
    for stretch in stretches:
        if not any(abs(stretch.cadence / cadence - 1.0) < 0.05 for cadence in found):
            found.append(stretch.cadence)
    return found


def _persistent(stretches: Sequence[Stretch], cadence: float, settings: RejectionSettings, highest: float) -> list[FixedLine]:
    length = max(32, 2 ** round(np.log2(_SEGMENT / cadence)))
    plan = SegmentPlan(length, length // 2, 1, _SEGMENTS_PER_BLOCK, (_SEGMENTS_PER_BLOCK + 1) * length // 2)
    # the surroundings of the highest line are needed too, and a spectrum wide enough to tell what is usual
    count = min(length // 2, max(_FEWEST_FREQUENCIES, int(np.ceil(highest * length * cadence)) + _SURROUNDINGS))
    parts = [_blocks(stretch, plan, count) for stretch in stretches]
    power, strength = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    good = np.isfinite(strength) & (power > 0.0).all(axis=1)
    if good.sum() < _FEWEST_BLOCKS:
        return []
    frequency = np.fft.rfftfreq(length, cadence)[1 : count + 1]
    resolution = 1.0 / (length * cadence)
    weakest, strongest = np.quantile(strength[good], (0.1, 0.9))
    ratio = float(strongest / weakest) if weakest > 0.0 else np.inf
    if not ratio >= settings.line_field_ratio:
        return []
    score = _line_score(power[good])
    everywhere = _score_everywhere(power[good], strength[good])
    out = (frequency * (ratio - 1.0) <= 3.0 * resolution) | (frequency >= NYQUIST_PART * 0.5 / cadence)
    score[out], everywhere[out] = 0.0, 0.0
    words = f"stands while |B| changes by a factor of {ratio:.2f}"
    found = [
        FixedLine(float(frequency[a:b].mean()), 0.5 * float(frequency[b - 1] - frequency[a]) + 0.5 * resolution, words)
        for a, b in _groups((score > settings.line_significance) & (everywhere > 0.75 * settings.line_significance))
        if b - a <= _WIDEST
    ]
    spin = _spin_frequency(
        np.where(everywhere > 0.25 * settings.line_significance, score, 0.0), resolution, settings.line_significance
    )
    if spin is not None:
        found += _harmonics(spin[0], frequency[-1], 0.25 * resolution, spin[1], f"of {spin[0]:.4f} Hz, {words}")
    return found


def _score_everywhere(power: Real, strength: Real) -> Real:
    """Lowest of the scores in parts of the series with fields of about one strength, from weak to strong.

    A line stands in all of them. The wave of an ion moves with the field, or is in a part of it only; and where H2+ in a strong
    field has the frequency of H+ in a field half as strong, nothing stands between. The more blocks, the more parts.
    """
    low, high = np.quantile(strength, (0.1, 0.9))
    order = np.argsort(strength, kind="stable")
    parts = int(np.clip(len(strength) // 8, 3, 8))
    number = np.clip(((strength[order] - low) / (high - low) * parts).astype(int), 0, parts - 1)
    number[:2], number[-2:] = 0, parts - 1
    groups = [order[number == k] for k in range(parts)]
    return np.min([_line_score(power[group]) for group in groups if len(group) >= 2], axis=0)


def _line_score(power: Real) -> Real:
    """How far each frequency stands out of its surroundings in the mean over the blocks, in robust standard deviations."""
    level = np.log(power)
    contrast = np.minimum(level - median_filter(level, size=(1, _SURROUNDINGS), mode="nearest"), _LARGEST_CONTRAST)
    mean = contrast.mean(axis=0)
    middle = np.median(mean)
    deviation = 1.4826 * float(np.median(np.abs(mean - middle)))
    score = (mean - middle) / deviation if deviation > 1e-9 else np.zeros_like(mean)
    score[:_LOWEST] = 0.0
    return score


def _spin_frequency(score: Real, resolution: float, significance: float) -> tuple[float, float] | None:
    """Fundamental, and its uncertainty, of harmonics that stand out together; None without.

    Among the first harmonics three must stand out by half the significance, one of them odd and not the first, and all together
    by 1.25 times.
    """
    best, fundamental = 0.0, None
    number = np.arange(1, _HARMONICS + 1)
    for candidate in np.arange(_LOWEST * resolution, len(score) * resolution / 4.0, resolution / _HARMONICS):
        places = np.rint(number * candidate / resolution).astype(int) - 1
        raw = score[places[places < len(score)]]
        values = np.clip(raw, -2.0, 1.5 * significance)
        # the little of what stands above the clip decides between neighbours
        total = float(values.sum() / np.sqrt(len(values)) + 1e-3 * np.maximum(raw, 0.0).sum())
        clear = np.flatnonzero(values > 0.5 * significance)
        odd = ((number[clear] > 1) & (number[clear] % 2 == 1)).any()  # H+, H2+ and He+ stand at 4, 2 and 1 times one frequency
        if len(clear) >= 3 and odd and total > max(best, 1.25 * significance):
            best, fundamental = total, _fundamental(score, number[clear], places[clear], resolution)
    return fundamental


def _fundamental(score: Real, number: NDArray[np.intp], places: NDArray[np.intp], resolution: float) -> tuple[float, float]:
    """Fundamental through the summits next to its clear harmonics, and its uncertainty: half a frequency at the highest."""
    summits = np.array([max(range(max(0, k - 1), min(len(score), k + 2)), key=lambda j: score[j]) for k in places])
    middle = float(np.sum(number * (summits + 1) * resolution) / np.sum(number**2))
    return middle, 0.5 * resolution / float(number.max())


def _harmonics(fundamental: float, highest: float, width: float, uncertainty: float, words: str) -> list[FixedLine]:
    """Multiples of a frequency, as far as its uncertainty (Hz) still tells them from the gaps between them."""
    numbers = range(1, int(highest / fundamental) + 1)
    lines = [FixedLine(n * fundamental, width + n * uncertainty, f"harmonic {n} {words}") for n in numbers]
    return [line for line in lines if line.half_width < 0.25 * fundamental]


def _blocks(stretch: Stretch, plan: SegmentPlan, count: int) -> tuple[Real, Real]:
    """Total power (n_block, count) from the first frequency above zero, and mean |B| of blocks that do not overlap."""
    windows = np.arange(stretch.field.shape[1] // plan.step)
    windows = windows[plan.fits(windows, stretch.field.shape[1])]
    if not len(windows):
        return np.zeros((0, count)), np.zeros(0)
    first, segments = plan.first_segment(windows), plan.segment_count(stretch.field.shape[1])
    spectra, whole = cross_spectra(
        stretch.field,
        stretch.cadence,
        plan.length,
        plan.hop,
        plan.offset,
        segments,
        slice(1, count + 1),
        SpectrumSettings(),
    )
    total = spectra[:, :, :3].sum(axis=2)
    members = first[:, None] + np.arange(plan.count)[None, :]
    used = whole[members].sum(axis=1)
    mean = total[members].sum(axis=1) / np.maximum(used, 1)[:, None]
    strength = np.where(used > plan.count // 2, window_fields(stretch.field, plan, windows)[:, 3], np.nan)
    return mean, strength


def _groups(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
