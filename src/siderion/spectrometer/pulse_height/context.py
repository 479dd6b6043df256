"""Where and when: region of the spacecraft, sector of the lunar local time, and class of Kp, for cells of time.

Time is cut into cells of some minutes that divide the three hours of Kp. Each cell has one region, sector and class, those of
its middle; an event has those of its cell, and a cell with an event counts as observed time. So counts and observed time are
split in the same way, and their ratio is a rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import DataError, SettingsError
from siderion.frames.moon import moon_position_gse
from siderion.geospace.lunar import lunar_local_time, lunar_sector
from siderion.geospace.regions import REGIONS as MODEL_REGIONS
from siderion.geospace.regions import region_mask

REGIONS = ("unknown", "solar_wind", "magnetosheath", "magnetosphere", "lobe")
"""Regions of the counts; the lobe only where a list of intervals names it."""
SECTORS = (1, 2, 3, 4, 5, 6)
"""Sectors of the lunar local time; 3 is around new Moon."""
KP_CLASSES = ("unknown", "low", "between", "high")
"""Classes of Kp; by default low is 2 and less, high is 3 and more, between are 2+ and 3-."""
INTERVAL = 10_800_000_000_000
"""Three hours, ns."""
_MARGIN = 1e-6
_LARGEST_GAP = np.timedelta64(3, "h")


@dataclass(frozen=True)
class Surroundings:
    """What is known besides the events.

    Attributes
    ----------
    regions : xarray.Dataset, optional
        ``start``, ``end``, ``region`` along ``interval``.
    positions : xarray.Dataset, optional
        ``position(time, component)``, GSE, km; regions come from the boundary models then.
    kp : xarray.Dataset, optional
        ``kp(time)``, time the start of each three hours.
    cell : float
        Length of a cell, s; it divides three hours.
    low_kp, high_kp : float
        Kp up to which it is low, and from which on it is high.
    """

    regions: xr.Dataset | None = None
    positions: xr.Dataset | None = None
    kp: xr.Dataset | None = None
    cell: float = 600.0
    low_kp: float = 2.0
    high_kp: float = 3.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for values that cannot be."""
        if self.regions is not None and self.positions is not None:
            raise SettingsError("regions and positions are both given; the region comes from one of them: leave the other out")
        number = INTERVAL / 1e9 / self.cell if self.cell > 0.0 else 0.0
        if not number >= 1.0 or abs(number - round(number)) > 1e-9:
            raise SettingsError(f"cell is {self.cell} s; it must divide the three hours (10800 s), such as 600")
        if not 0.0 <= self.low_kp < self.high_kp <= 9.0:
            raise SettingsError(f"Kp is low up to {self.low_kp} and high from {self.high_kp}; both within 0 to 9, in this order")

    @property
    def cell_ns(self) -> int:
        """Length of a cell, ns."""
        return round(self.cell * 1e9)


def context_codes(cells: ArrayLike, surroundings: Surroundings) -> NDArray[np.int64]:
    """One number for region, sector and class of Kp of each cell; `split_codes` takes it apart.

    Parameters
    ----------
    cells : array of int, shape (cell,)
        Cells since 1970.
    surroundings : Surroundings
        Regions, Kp and the length of a cell.
    """
    index = np.asarray(cells, dtype=np.int64)
    middles = (index * surroundings.cell_ns + surroundings.cell_ns // 2).astype("datetime64[ns]")
    region = _regions(middles, surroundings)
    sector = lunar_sector(lunar_local_time(moon_position_gse(middles))) - 1
    return (region * len(SECTORS) + sector) * len(KP_CLASSES) + _kp_classes(middles, surroundings)


def split_codes(codes: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Index of region, of sector (from 0) and of class of Kp."""
    rest, kp = np.divmod(np.asarray(codes, dtype=np.int64), len(KP_CLASSES))
    region, sector = np.divmod(rest, len(SECTORS))
    return region, sector, kp


def _regions(middles: NDArray[np.datetime64], surroundings: Surroundings) -> NDArray[np.int64]:
    if surroundings.regions is not None:
        return _from_intervals(middles, surroundings.regions)
    if surroundings.positions is None:
        return np.zeros(middles.size, dtype=np.int64)
    places = _interpolated(middles, surroundings.positions)
    mask = region_mask(middles, places, body="Earth", frame="GSE")["region"].values
    of_model = np.array([REGIONS.index(name if name != "foreshock" else "solar_wind") for name in MODEL_REGIONS])
    return of_model[mask]


def _from_intervals(middles: NDArray[np.datetime64], regions: xr.Dataset) -> NDArray[np.int64]:
    start, end = (regions[name].values.astype("datetime64[ns]") for name in ("start", "end"))
    names = [str(name) for name in regions["region"].values]
    unknown = sorted(set(names) - set(REGIONS))
    if unknown:
        raise DataError(f"intervals of regions: {', '.join(unknown)} unknown; use {', '.join(REGIONS)}")
    flags = np.array([REGIONS.index(name) for name in names], dtype=np.int64)
    place = np.searchsorted(start, middles, side="right") - 1
    inside = (place >= 0) & (middles < end[place])
    return np.where(inside, flags[place], 0)


def _interpolated(middles: NDArray[np.datetime64], positions: xr.Dataset) -> NDArray[np.float64]:
    """Positions at the cells, km; NaN before, after, and in gaps of more than three hours."""
    times = positions["time"].values.astype("datetime64[ns]")
    after = np.clip(np.searchsorted(times, middles), 1, max(times.size - 1, 1))
    if times.size < 2:
        return np.full((middles.size, 3), np.nan)
    gap = (times[after] - times[after - 1] > _LARGEST_GAP) | (middles < times[0]) | (middles > times[-1])
    seconds = (times - times[0]).astype(np.float64)
    wanted = (middles - times[0]).astype(np.float64)
    places = np.stack([np.interp(wanted, seconds, positions["position"].values[:, k]) for k in range(3)], axis=1)
    places[gap] = np.nan
    return places


def _kp_classes(middles: NDArray[np.datetime64], surroundings: Surroundings) -> NDArray[np.int64]:
    classes = np.zeros(middles.size, dtype=np.int64)
    if surroundings.kp is None:
        return classes
    starts = surroundings.kp["time"].values.astype("datetime64[ns]")
    place = np.searchsorted(starts, middles, side="right") - 1
    there = (place >= 0) & (middles - starts[place] < np.timedelta64(INTERVAL, "ns"))
    values = np.where(there, surroundings.kp["kp"].values[place], np.nan)
    known = np.isfinite(values)
    low, high = values <= surroundings.low_kp + _MARGIN, values >= surroundings.high_kp - _MARGIN
    return np.where(known, np.where(low, 1, np.where(high, 3, 2)), 0)
