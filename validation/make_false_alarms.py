"""Count false alarms of the wave detector in coloured noise and write src/siderion/waves/tables/false_alarms.csv.

    python validation/make_false_alarms.py [--part 0.1] [--seed 1]

Series of Gaussian noise, no wave in them, go through the default settings. The table says how many windows meet all
criteria before and after lonely windows are taken back, and how many events are left, for every slope of the noise, cadence,
ion, estimator, kind and threshold of the degree of polarisation.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numba
import numpy as np
import xarray as xr
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "waves"))
from synthetic_waves import coloured_noise

from siderion.waves.criteria import NO_SPECTRUM, Rejection
from siderion.waves.events import find_events, reject_lonely_windows
from siderion.waves.settings import DetectionSettings
from siderion.waves.windows import measure_windows

TABLE = Path(__file__).resolve().parents[1] / "src" / "siderion" / "waves" / "tables" / "false_alarms.csv"
SOURCE = "computed by validation/make_false_alarms.py"
SLOPES = (0.0, 1.0, 5.0 / 3.0, 2.5)
ESTIMATORS = {0.05: ("welch",), 1.0 / 3.0: ("welch",), 1.0: ("welch", "multitaper")}
DIMENSIONS = (2, 3)
DEGREES = (0.6, 0.7, 0.8)
CASES = ((0.05, 25.0, 8, 1), (1.0 / 3.0, 40.0, 50, 10), (1.0, 10.0, 60, 20))
"""Cadence, s; mean field, nT; days in all and in one series. A cadence of 1 s resolves H+ only in a weak field."""
SPECIES = {0.05: ("H+", "H2+", "He+"), 1.0 / 3.0: ("H+", "H2+", "He+", "Na+"), 1.0: ("H+", "H2+", "He+", "Li+")}
LEVEL, LEVEL_FREQUENCY, CORNER = 0.1, 0.1, 1e-3
"""Density of each component, nT2/Hz, at a frequency, Hz; white below the corner, Hz."""
DAY = 86400.0
HEAD = f"""# False alarms of the wave detector in Gaussian noise whose power falls as f^-slope:
# {LEVEL} nT2/Hz at {LEVEL_FREQUENCY} Hz, white below {CORNER} Hz. Mean field 25 nT at 0.05 s, 40 nT at 0.333 s, 10 nT at 1 s.
# Default settings but for those named. windows: those with a spectrum. passed_windows: those that meet all criteria of one
# window. fraction: part of the windows that is detected in the end, after the rule of two consecutive windows.
# fraction_upper_95: its upper bound (Clopper-Pearson, one-sided, 95 %) for as many windows as fit beside each other, because
# neighbouring windows share samples.
"""
COLUMNS = (
    "slope", "cadence_s", "species", "estimator", "polarization_dimensions", "polarization_degree", "windows", "passed_windows",
    "fraction", "fraction_upper_95", "events", "events_per_day", "source", "confidence",
)  # fmt: skip
Key = tuple[str, int, float]


def upper_bound(passed: int, total: int, confidence: float = 0.95) -> float:
    """Exact one-sided upper bound of a binomial probability."""
    return 1.0 if passed >= total else float(beta.ppf(confidence, passed + 1, total - passed))


def noise_series(rng: np.random.Generator, slope: float, cadence: float, strength: float, days: int) -> xr.Dataset:
    """Days of noise about a steady field in a random direction."""
    number = round(days * DAY / cadence)
    direction = rng.standard_normal(3)
    noise = coloured_noise(rng, number, cadence, slope, LEVEL, LEVEL_FREQUENCY, corner=CORNER)
    values = noise + strength * direction / np.linalg.norm(direction)
    times = np.datetime64("2012-01-01", "ns") + np.round(np.arange(number) * cadence * 1e9).astype("timedelta64[ns]")
    field = xr.DataArray(values, dims=("time", "component"), attrs={"units": "nT"})
    return xr.Dataset({"magnetic_field": field}, {"time": times, "component": ["x", "y", "z"]}, {"frame": "MSO"})


def with_degree(windows: xr.Dataset, dimensions: int, degree: float) -> xr.Dataset:
    """The windows judged by another kind or threshold of the degree of polarisation."""
    values = windows["polarization_degree" if dimensions == 2 else "polarization_degree_3d"].values
    flag = int(Rejection.LOW_POLARIZATION)
    reasons = windows["rejection"].values & ~np.int32(flag)
    spectrum = (reasons & int(NO_SPECTRUM)) == 0
    reasons = np.where(spectrum & ~(values > degree), reasons | flag, reasons).astype(np.int32)
    return windows.assign(rejection=windows["rejection"].copy(data=reasons), detected=windows["detected"].copy(data=reasons == 0))


def count_series(series: xr.Dataset, cadence: float, counts: dict[tuple[Key, str], Counter[str]]) -> None:
    """Add the windows, false alarms and events of a series to the counts."""
    species = SPECIES[cadence]
    for estimator in ESTIMATORS[cadence]:
        settings = DetectionSettings(spectrum={"estimator": estimator})
        measured = measure_windows(series, species, settings)
        spectrum = (measured["rejection"].values & int(NO_SPECTRUM)) == 0
        for dimensions in DIMENSIONS:
            for degree in DEGREES:
                judged = with_degree(measured, dimensions, degree)
                final = reject_lonely_windows(judged, settings)
                names = find_events(final)["species"].values
                for k, name in enumerate(species):
                    count = counts.setdefault(((estimator, dimensions, degree), name), Counter())
                    count["windows"] += int(spectrum[:, k].sum())
                    count["beside"] += _beside_each_other(measured, spectrum, k)
                    count["passed"] += int(judged["detected"].values[:, k].sum())
                    count["detected"] += int(final["detected"].values[:, k].sum())
                    count["events"] += int((names == name).sum())


def _beside_each_other(measured: xr.Dataset, spectrum: np.ndarray, column: int) -> int:
    """How many windows of an ion fit without sharing samples."""
    if not spectrum[:, column].any():
        return 0
    step = float(np.diff(measured["time"].values[:2])[0] / np.timedelta64(1, "s"))
    length = float(measured["window_length"].values[spectrum[:, column], column].mean())
    return int(spectrum[:, column].sum() * min(1.0, step / length))


def rows_of_case(
    slope: float, cadence: float, strength: float, days: int, each: int, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Rows of the table for one slope and cadence."""
    counts: dict[tuple[Key, str], Counter[str]] = {}
    for _ in range(days // each):
        count_series(noise_series(rng, slope, cadence, strength, each), cadence, counts)
    for ((estimator, dimensions, degree), name), count in counts.items():
        total, beside = count["windows"], count["beside"]
        bound = upper_bound(int(np.ceil(count["detected"] / total * beside)), beside)
        yield {
            "slope": f"{slope:.4g}", "cadence_s": f"{cadence:.4g}", "species": name, "estimator": estimator,
            "polarization_dimensions": dimensions, "polarization_degree": degree, "windows": total,
            "passed_windows": count["passed"], "fraction": f"{count['detected'] / total:.3g}",
            "fraction_upper_95": f"{bound:.3g}", "events": count["events"],
            "events_per_day": f"{count['events'] / days:.3g}", "source": f'"{SOURCE}"', "confidence": "computed",
        }  # fmt: skip


def false_alarm_rows(part: float, seed: int) -> Iterator[dict[str, object]]:
    """All rows; ``part`` scales the number of days."""
    for number, (cadence, strength, days, each) in enumerate(CASES):
        for slope in SLOPES:
            start = time.perf_counter()
            rng = np.random.default_rng([seed, number, SLOPES.index(slope)])
            yield from rows_of_case(slope, cadence, strength, each * max(1, round(part * days / each)), each, rng)
            print(f"cadence {cadence:.3g} s, slope {slope:.3g}: {time.perf_counter() - start:.0f} s", flush=True)


def main() -> None:
    """Write the table."""
    numba.set_num_threads(1)
    parser = argparse.ArgumentParser(description="False alarms of the wave detector in coloured noise")
    parser.add_argument("--part", type=float, default=1.0, help="part of the days that is run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=TABLE)
    given = parser.parse_args()
    lines = [", ".join(COLUMNS)]
    lines += [", ".join(str(row[name]) for name in COLUMNS) for row in false_alarm_rows(given.part, given.seed)]
    given.output.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
