"""Made-up events of a known mixture, for tests and examples: ions through foil, clock and detector with noise.

It is no measurement: shares and noise are made up, energies are drawn evenly from the steps of the usual cycle.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import SettingsError
from siderion.core.tables import load_table
from siderion.spectrometer.pulse_height.events import event_masses
from siderion.spectrometer.pulse_height.mass import Calibration, energy_per_charge_of_steps, flight_of_ions, stics_calibration

COMMENT = "synthetic events made by siderion pha sample: no measurement"
"""First line of a sample, after #."""
CYCLE = (30, 26, 22, 18, 14, 10, 6, 2)
"""Deflection steps of the usual cycle, three seconds each."""
_PART = 1 << 18
_TIME_NOISE, _ENERGY_NOISE, _DETECTOR_NOISE = 0.012, 0.05, 6e3
_LAST_CHANNEL = 1023


def sample_events(
    events: int,
    *,
    seed: int = 0,
    start: str = "1995-01-01",
    rate: float = 2.0,
    mixture: dict[str, float] | None = None,
    calibration: Calibration | None = None,
    part: int = _PART,
) -> Iterator[dict[str, NDArray[np.float64]]]:
    """Made-up events, some at a time, as the columns of the Geotail/STICS files and ``species`` (index in the mixture).

    Parameters
    ----------
    events : int
        How many.
    seed : int
        Of the random numbers.
    start : str
        Time of the first event, UTC.
    rate : float
        Mean number of events per second.
    mixture : dict of str to float, optional
        Shares of species of ``spectrometer/tables/pulse_height_sample.csv``; its own without it.
    calibration : Calibration, optional
        Path, foil, channels; that of the table without it.
    part : int
        Events at a time; it changes the random numbers.

    Raises
    ------
    SettingsError
        A number is impossible, or a species is not in the table.
    """
    if events < 1 or part < 1 or not 0.0 < rate < np.inf:
        raise SettingsError(f"sample: events {events}, rate {rate}; both must be positive")
    table = load_table("spectrometer", "pulse_height_sample").set_index("species")
    shares = mixture or table["share"].to_dict()
    unknown = [name for name in shares if name not in table.index]
    if unknown or not min(shares.values()) >= 0.0 or not sum(shares.values()) > 0.0:
        raise SettingsError(f"sample: mixture {shares}; use species of {', '.join(table.index)} and shares that are not negative")
    ions = table.loc[list(shares), ["mass_amu", "charge"]].to_numpy(float)
    weights = np.array(list(shares.values())) / sum(shares.values())
    known = calibration or stics_calibration()
    generator = np.random.default_rng(seed)
    seconds = 0.0
    for first in range(0, events, part):
        number = min(part, events - first)
        times = seconds + np.cumsum(generator.exponential(1.0 / rate, number))
        seconds = float(times[-1])
        yield _part(np.datetime64(start, "ns"), times, ions, weights, known, generator)


def _part(
    start: np.datetime64, seconds: NDArray, ions: NDArray, weights: NDArray, known: Calibration, generator: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    number = seconds.size
    species = generator.choice(weights.size, number, p=weights)
    tenths = np.floor(seconds * 10.0).astype(np.int64)
    step = np.array(CYCLE)[(tenths // 30) % len(CYCLE)]
    flight, energy = flight_of_ions(ions[species, 0], ions[species, 1], energy_per_charge_of_steps()[step], known)
    flight = flight * (1.0 + _TIME_NOISE * generator.standard_normal(number))
    seen = energy + np.hypot(_ENERGY_NOISE * energy, _DETECTOR_NOISE) * generator.standard_normal(number)
    time_channel = np.maximum(np.rint((flight - known.time_offset) / known.time_gain), 1.0)
    # a flight longer than the clock counts gives no time, and so no mass per charge
    time_channel[time_channel > _LAST_CHANNEL] = 0.0
    measured = seen >= known.energy_threshold
    energy_channel = np.where(measured, np.clip(np.rint((seen - known.energy_offset) / known.energy_gain), 1, _LAST_CHANNEL), 0)
    zeros = np.zeros(number)
    mass, per_charge = event_masses(step, energy_channel, time_channel, zeros, zeros, source="recompute", calibration=known)
    made = _time_columns(start, tenths) | {
        "deflection_step": step, "energy_channel": energy_channel, "time_channel": time_channel,
        "mass": np.minimum(np.round(mass, 2), 98.99), "mass_per_charge": np.minimum(np.round(per_charge, 3), 98.99),
        "sector": (tenths * 16 // 30) % 16, "engineering_data_block": (tenths // 960) % 32,
        "identification": generator.integers(0, 31, number), "detector_head": generator.integers(1, 4, number) * measured,
        "start_plate": generator.integers(1, 7, number), "stop_plate": generator.integers(1, 4, number),
        "range": np.minimum(np.maximum(species, 0), 2), "species": species,
    }  # fmt: skip
    return {name: np.asarray(values, dtype=np.float64) for name, values in made.items()}


def _time_columns(start: np.datetime64, tenths: NDArray[np.int64]) -> dict[str, NDArray]:
    times = start + tenths * np.timedelta64(100, "ms")
    days, years = times.astype("datetime64[D]"), times.astype("datetime64[Y]")
    in_day = ((times - days) // np.timedelta64(100, "ms")).astype(np.int64)
    return {
        "year": years.astype(np.int64) + 1970, "day_of_year": (days - years.astype("datetime64[D]")).astype(np.int64) + 1,
        "hour": in_day // 36000, "minute": in_day // 600 % 60, "second": in_day % 600 / 10.0,
    }  # fmt: skip
