"""What an instrument counts: channels by name or by window of mass, and which ions fall into them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.inference.attribution.context import setting
from siderion.inference.attribution.sources_expected import Ion

Array = NDArray[np.float64]
REFERENCE = ("O+", "N+")
"""Channels that are no part of the question: they tell how much of the ionosphere is there."""
_LONGEST_WINDOW = 1e3
_WIDTH_OF_SIGMA = 2.3548
_MASS = re.compile(r"^m\s*>\s*(?P<low>[0-9.]+)$")
_WINDOW = re.compile(r"^m/q\s*(?P<low>[0-9.]+)\s*-\s*(?P<high>[0-9.]+)$")
_HIGH = re.compile(r"^(?P<element>[A-Z][a-z]?) high$")


@dataclass(frozen=True)
class Channel:
    """One channel of counts.

    Attributes
    ----------
    name : str
        ``"Fe+"``; ``"N2+/NO+/O2+"``, a group; ``"Fe high"``, all ions of the element with two charges or more; ``"m>34"``,
        a window of the mass of ions with few charges (m/q also above); ``"m/q 39-46"``, a window of mass per charge.
    kind : str
        ``species``, ``high``, ``mass`` or ``window``.
    members : tuple of str
        Ions of a ``species``, the element of a ``high``.
    lower, upper : float
        Window in atomic mass units (per charge).
    """

    name: str
    kind: str
    members: tuple[str, ...] = ()
    lower: float = 0.0
    upper: float = _LONGEST_WINDOW

    @property
    def is_reference(self) -> bool:
        """Whether it is one of `REFERENCE`."""
        return self.kind == "species" and set(self.members) <= set(REFERENCE)


def parse_channel(text: str) -> Channel:
    """Channel of a name, see `Channel`.

    Raises
    ------
    SettingsError
        The name has no form that is known, or names an unknown ion.
    """
    name = text.strip()
    if found := _HIGH.match(name):
        return Channel(name, "high", (found["element"],))
    if found := _MASS.match(name):
        return Channel(name, "mass", lower=float(found["low"]))
    if found := _WINDOW.match(name):
        lower, upper = float(found["low"]), float(found["high"])
        if not lower < upper:
            raise SettingsError(f"channel {name!r}: the window must rise, such as m/q 39-46")
        return Channel(name, "window", lower=lower, upper=upper)
    members = tuple(part.strip() for part in name.split("/"))
    for member in members:
        _require_ion(member, name)
    return Channel(name, "species", members)


def response(channels: Sequence[Channel], ions: Sequence[Ion], mass_resolution: float) -> tuple[Array, Array]:
    """Share of the ions that each channel counts, and of those that can spill into it.

    A named channel is a Gaussian peak about its mass per charge, with the full width m/(m/dm); an ion between two peaks is
    shared between them. A window counts the ions inside it; those just below it spill into it with a share that is not known.

    Parameters
    ----------
    channels : sequence of Channel
        Of one measurement.
    ions : sequence of Ion
        Of one source.
    mass_resolution : float
        m/dm.

    Returns
    -------
    (counted, spilled) : two arrays of shape (channel, ion)
        Shares 0 to 1.
    """
    if not 0.0 < mass_resolution < np.inf:
        raise SettingsError(f"mass resolution is {mass_resolution}; m/dm must be positive and finite")
    mass = np.array([ion.mass / ATOMIC_MASS for ion in ions])
    ratio = np.array([ion.mass_per_charge for ion in ions])
    counted = np.zeros((len(channels), len(ions)))
    spilled = np.zeros_like(counted)
    peaks = np.zeros_like(counted)
    reach = setting("spill_reach")
    for k, channel in enumerate(channels):
        if channel.kind == "species":
            for member in channel.members:
                centre = get_species(member).mass / ATOMIC_MASS
                sigma = centre / mass_resolution / _WIDTH_OF_SIGMA
                peaks[k] = np.maximum(peaks[k], np.exp(-0.5 * np.minimum((ratio - centre) / sigma, 40.0) ** 2))
        elif channel.kind == "high":
            counted[k] = [ion.element == channel.members[0] and ion.charge > 1 for ion in ions]
        else:
            inside = (ratio >= channel.lower) & (ratio <= channel.upper)
            counted[k] = inside & (mass > channel.lower) if channel.kind == "mass" else inside
            spilled[k] = (ratio < channel.lower) & (ratio >= reach * channel.lower)
    peaks[peaks < 1e-6] = 0.0
    total = np.maximum(peaks.sum(axis=0), np.finfo(float).tiny)
    counted += peaks / total * peaks.max(axis=0, initial=0.0)
    return counted, spilled


def _require_ion(member: str, name: str) -> None:
    help_ = "write an ion such as Fe+, a group N2+/NO+/O2+, Fe high, m>34 or m/q 39-46"
    try:
        charge = get_species(member).charge_number
    except CoverageError:
        raise SettingsError(f"channel {name!r}: {member!r} is no ion that is known; {help_}") from None
    if charge != 1:
        raise SettingsError(f"channel {name!r}: {member!r} must have one charge; for highly charged ions {help_}")


__all__ = ["REFERENCE", "Channel", "parse_channel", "response"]
