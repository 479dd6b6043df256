"""Exact counts of events in bins of mass, mass per charge, region, Moon and Kp, piece by piece.

Counts are whole numbers, so that the order of files and the size of the pieces change nothing. Bins hold lower <= x < upper,
the last one its upper end too, as `numpy.histogramdd`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import SettingsError
from siderion.spectrometer.pulse_height.context import KP_CLASSES, REGIONS, SECTORS, Surroundings, context_codes
from siderion.spectrometer.pulse_height.events import DOUBLE, NONE, TRIPLE, window_table
from siderion.spectrometer.pulse_height.mass import energy_per_charge_of_steps

CONTEXTS = len(REGIONS) * len(SECTORS) * len(KP_CLASSES)
"""Number of codes of `context_codes`."""
_ANY = 3
_KINDS = {"double": DOUBLE, "triple": TRIPLE, "any": _ANY}
_LONGEST_SPAN = 1 << 22


@dataclass(frozen=True)
class Bins:
    """Edges of the bins.

    Attributes
    ----------
    mass, mass_per_charge : ndarray
        Edges of the scatter of mass against mass per charge (triples), u and u/e; logarithmic by default.
    fine_mass_per_charge : ndarray
        Edges of the histogram of mass per charge, u/e.
    energy_min : float
        Lowest energy per charge of events in the histograms, eV/e; windows have their own.
    """

    mass: NDArray[np.float64] = field(default_factory=lambda: np.geomspace(0.7, 100.0, 61))
    mass_per_charge: NDArray[np.float64] = field(default_factory=lambda: np.geomspace(0.7, 100.0, 61))
    fine_mass_per_charge: NDArray[np.float64] = field(default_factory=lambda: np.linspace(10.0, 70.0, 121))
    energy_min: float = 0.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for edges that do not rise."""
        for name in ("mass", "mass_per_charge", "fine_mass_per_charge"):
            edges = getattr(self, name)
            if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0.0).all() or not np.isfinite(edges).all():
                raise SettingsError(f"edges of {name} must rise and be finite, two at least; they begin {edges[:4]}")


@dataclass
class Counts:
    """What has been counted; `add` takes another one in.

    Attributes
    ----------
    scatter : ndarray of int64, shape (context, mass_bin, mass_per_charge_bin)
        Triples.
    spectrum : ndarray of int64, shape (context, coincidence, fine bin)
        Coincidence 0 is double, 1 triple.
    windows : ndarray of int64, shape (window, context)
        Events in the windows of the species.
    cells : dict of int to int
        Observed cells and their context.
    totals : dict of str to int
        events, none, double, triple, scatter_outside, left_out.
    """

    scatter: NDArray[np.int64]
    spectrum: NDArray[np.int64]
    windows: NDArray[np.int64]
    cells: dict[int, int]
    totals: dict[str, int]

    def add(self, other: Counts) -> None:
        """Take in the counts of other events."""
        self.scatter += other.scatter
        self.spectrum += other.spectrum
        self.windows += other.windows
        self.cells.update(other.cells)
        for name, number in other.totals.items():
            self.totals[name] = self.totals.get(name, 0) + number


def no_counts(bins: Bins) -> Counts:
    """Counts of nothing."""
    shape = (CONTEXTS, bins.mass.size - 1, bins.mass_per_charge.size - 1)
    fine = np.zeros((CONTEXTS, 2, bins.fine_mass_per_charge.size - 1), dtype=np.int64)
    names = ("events", "none", "double", "triple", "scatter_outside", "left_out")
    windows = np.zeros((len(window_table()), CONTEXTS), dtype=np.int64)
    return Counts(np.zeros(shape, dtype=np.int64), fine, windows, {}, dict.fromkeys(names, 0))


def count_events(
    counts: Counts,
    time: ArrayLike,
    deflection_step: ArrayLike,
    mass: ArrayLike,
    mass_per_charge: ArrayLike,
    bins: Bins,
    surroundings: Surroundings,
    *,
    steps: str = "cycle",
) -> None:
    """Add events to the counts.

    Parameters
    ----------
    counts : Counts
        Changed in place.
    time : array of int, shape (event,)
        ns since 1970.
    deflection_step, mass, mass_per_charge : array of shape (event,)
        Step, u, u/e; mass 0 without a detector signal.
    bins, surroundings
        Edges, and what the context comes from.
    steps : str
        Reading of the deflection steps.
    """
    times = np.asarray(time, dtype=np.int64)
    if times.size == 0:
        return
    codes = _event_codes(times // surroundings.cell_ns, counts.cells, surroundings)
    totals = np.zeros(5, dtype=np.int64)
    _count(
        codes, np.asarray(deflection_step, dtype=np.float64), np.asarray(mass, dtype=np.float64),
        np.asarray(mass_per_charge, dtype=np.float64), _energies(steps), bins.energy_min, bins.mass, bins.mass_per_charge,
        bins.fine_mass_per_charge, _windows(), counts.scatter, counts.spectrum, counts.windows, totals,
    )  # fmt: skip
    for name, number in zip(("events", "none", "double", "triple", "scatter_outside"), totals, strict=True):
        counts.totals[name] += int(number)


def _event_codes(cells: NDArray[np.int64], known: dict[int, int], surroundings: Surroundings) -> NDArray[np.int64]:
    """Context of the cell of every event; new cells are looked up once."""
    first = int(cells.min())
    if int(cells.max()) - first < _LONGEST_SPAN:
        offset = cells - first
        seen = np.flatnonzero(np.bincount(offset))
        places = np.zeros(int(seen[-1]) + 1, dtype=np.int64)
        places[seen] = np.arange(seen.size)
        inverse = places[offset]
        unique = seen + first
    else:
        unique, inverse = np.unique(cells, return_inverse=True)
    new = np.array([cell for cell in unique.tolist() if cell not in known], dtype=np.int64)
    if new.size:
        known.update(zip(new.tolist(), context_codes(new, surroundings).tolist(), strict=True))
    return np.array([known[cell] for cell in unique.tolist()], dtype=np.int64)[inverse]


@cache
def _energies(steps: str) -> NDArray[np.float64]:
    return energy_per_charge_of_steps(steps)


@cache
def _windows() -> NDArray[np.float64]:
    """Rows of limits of m/q, mass, lowest energy (eV/e), and kind of coincidence."""
    return np.array([
        (row["mass_per_charge_min"], row["mass_per_charge_max"], row["mass_min"], row["mass_max"],
         1e3 * float(row["energy_min_kev"]), _KINDS[str(row["coincidence"])])  # type: ignore[arg-type]
        for row in window_table()
    ])  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _bin(edges, value):  # type: ignore[no-untyped-def]
    """Bin of a value, -1 outside."""
    last = edges.size - 1
    if not edges[0] <= value <= edges[last]:
        return -1
    return min(np.searchsorted(edges, value, side="right") - 1, last - 1)


@numba.njit(cache=True, nogil=True)
def _count(  # type: ignore[no-untyped-def]
    codes, steps, mass, per_charge, energies, energy_min, mass_edges, charge_edges, fine_edges, windows, scatter, spectrum,
    window_counts, totals,
):  # fmt: skip
    for i in range(codes.size):
        totals[0] += 1
        kind = NONE if not per_charge[i] > 0.0 else (TRIPLE if mass[i] > 0.0 else DOUBLE)
        totals[1 + kind] += 1
        if kind == NONE:
            continue
        energy = energies[int(steps[i])]
        if energy >= energy_min:
            fine = _bin(fine_edges, per_charge[i])
            if fine >= 0:
                spectrum[codes[i], kind - 1, fine] += 1
            if kind == TRIPLE:
                row, column = _bin(mass_edges, mass[i]), _bin(charge_edges, per_charge[i])
                if row >= 0 and column >= 0:
                    scatter[codes[i], row, column] += 1
                else:
                    totals[4] += 1
        for k in range(windows.shape[0]):
            if (
                windows[k, 0] <= per_charge[i] < windows[k, 1]
                and windows[k, 2] <= mass[i] < windows[k, 3]
                and energy >= windows[k, 4]
                and (windows[k, 5] == _ANY or windows[k, 5] == kind)
            ):
                window_counts[k, codes[i]] += 1
