"""Lengths of segments and windows that resolve the gyrofrequency of an ion, and the reasons why some cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siderion.core.constants import ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import Species, get_species, species_group

from .settings import DetectionSettings, WindowSettings

Real = NDArray[np.float64]
NYQUIST_PART = 0.8
"""Part of the Nyquist frequency up to which a spectrum is used: filters of instruments act above."""


@dataclass(frozen=True)
class WaveIon:
    """An ion, or a group of ions, whose waves are sought.

    Attributes
    ----------
    name : str
        ``"H+"``, ``"Cl-"``, ``"water group"``.
    lightest, heaviest : Species
        Ends of the group; the same for one ion.
    """

    name: str
    lightest: Species
    heaviest: Species

    @property
    def handedness(self) -> int:
        """-1 for positive ions, which turn left-handed about B, 1 for negative ones."""
        return -1 if self.lightest.charge_number > 0 else 1

    @property
    def mass(self) -> float:
        """Mass, kg; the geometric mean of the ends of a group."""
        return float(np.sqrt(self.lightest.mass * self.heaviest.mass))

    @property
    def charge_to_mass(self) -> float:
        """Charge over mass, C kg-1, without sign."""
        return abs(self.lightest.charge_number) * ELEMENTARY_CHARGE / self.mass

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest gyrofrequency of the group, in units of that of the mean mass."""
        return self.mass / self.heaviest.mass, self.mass / self.lightest.mass


def wave_ion(name: str) -> WaveIon:
    """Ion or group of ions by name.

    Raises
    ------
    CoverageError
        The name is no charged species and no group of the tables.
    """
    try:
        members = species_group(name)
    except CoverageError:
        members = (get_species(name),)
    if any(member.charge_number == 0 for member in members):
        raise CoverageError(f"{name!r} is neutral: name the ion, such as {name}+")
    ordered = sorted(members, key=lambda member: member.mass / abs(member.charge_number))
    return WaveIon(name, ordered[0], ordered[-1])


def gyrofrequency(ion: WaveIon, field_strength: Real) -> Real:
    """Gyrofrequency |q| B / (2 pi m), Hz, of a field strength in T; Lammer et al. 2025, equation (3)."""
    return ion.charge_to_mass * np.asarray(field_strength) / (2.0 * np.pi)


@dataclass(frozen=True)
class SegmentPlan:
    """How windows of one segment length are laid on the samples of a stretch.

    Attributes
    ----------
    length : int
        Samples of a segment, a power of two.
    hop : int
        Distance of the starts of segments that are computed, samples.
    stride : int
        Segments of a window are this many hops apart: half a segment.
    count : int
        Segments of a window.
    step : int
        Distance of window centres, samples; a multiple of the hop.
    """

    length: int
    hop: int
    stride: int
    count: int
    step: int

    @property
    def window(self) -> int:
        """Samples of a window."""
        return (self.count + 1) * self.length // 2

    @property
    def offset(self) -> int:
        """Start of the first segment that any window uses, 0 to hop - 1."""
        return (self.step // 2 - self.window // 2) % self.hop

    def first_segment(self, windows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Number of the first segment of windows, negative before the stretch."""
        return (self.step // 2 + windows * self.step - self.window // 2 - self.offset) // self.hop

    def segment_count(self, samples: int) -> int:
        """Segments that fit into a number of samples."""
        return max(0, (samples - self.offset - self.length) // self.hop + 1)

    def fits(self, windows: NDArray[np.intp], samples: int) -> NDArray[np.bool_]:
        """Whether windows lie within a number of samples."""
        first = self.first_segment(windows)
        return (first >= 0) & (first + (self.count - 1) * self.stride < self.segment_count(samples))


def window_step(settings: WindowSettings, cadence: float) -> int:
    """Distance of the window centres in samples: the power of two nearest to the setting, at least 2."""
    return max(2, 2 ** round(np.log2(settings.step / cadence)))


def make_plan(length: int, step: int, cadence: float, settings: WindowSettings) -> SegmentPlan:
    """Plan for one segment length, in samples."""
    hop = min(length // 2, step)
    needed = int(np.ceil(2.0 * settings.shortest / cadence / length)) - 1
    return SegmentPlan(length, hop, length // 2 // hop, max(settings.segments, needed), step)


def segment_length(frequency: Real, cadence: float, settings: WindowSettings) -> NDArray[np.intp]:
    """Samples of a segment, a power of two, with at least the set number of periods of a frequency in Hz; 0 for NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = settings.periods_per_segment / (np.asarray(frequency, dtype=np.float64) * cadence)
    good = np.isfinite(needed) & (needed > 0.0)
    return np.where(good, 2 ** np.ceil(np.log2(np.where(good, needed, 1.0))), 0).astype(np.intp)


def refusal(ion: WaveIon, field_strength: float, cadence: float, settings: DetectionSettings) -> str:
    """Why an ion cannot be resolved in a field (T) at a cadence (s); empty when it can.

    Raises
    ------
    SettingsError
        The field strength is not positive.
    """
    if not field_strength > 0.0:
        raise SettingsError(f"field strength {field_strength} T: it must be positive")
    frequency = float(gyrofrequency(ion, np.array(field_strength)))
    highest = settings.criteria.search_upper * frequency * ion.spread[1]
    limit = NYQUIST_PART * 0.5 / cadence
    if highest > limit:
        return (
            f"{ion.name}: the gyrofrequency is {frequency:.3g} Hz at {field_strength * 1e9:.3g} nT; its spectrum is needed up "
            f"to {highest:.3g} Hz, and a cadence of {cadence:.3g} s gives {limit:.3g} Hz"
        )
    length = int(segment_length(np.array(frequency), cadence, settings.windows))
    window = make_plan(length, window_step(settings.windows, cadence), cadence, settings.windows).window * cadence
    if window > settings.windows.longest:
        return (
            f"{ion.name}: the gyrofrequency is {frequency:.3g} Hz at {field_strength * 1e9:.3g} nT; a window needs "
            f"{window:.0f} s, more than windows.longest, {settings.windows.longest:g} s"
        )
    return ""
