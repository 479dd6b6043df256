"""Speed of reading and counting pulse-height events, beside pandas with NumPy, and the floor.

    python benchmarks/pulse_height.py                       # 10 files of a million events
    python benchmarks/pulse_height.py --events 200000 --files 4 --workers 2

The files are made first (not timed). The floor is what cannot be avoided: unpacking the files, on one core. The plain way is
pandas' C reader with the needed columns and small types, and numpy.histogramdd. Times are wall times of one run each, after
a run over a small file that compiles; "2 processes" includes their start.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from siderion.io.pulse_height.columns import stics_columns
from siderion.io.pulse_height.geotail_stics import stics_pieces
from siderion.io.pulse_height.writer import write_stics_events
from siderion.spectrometer.pulse_height.histogram import Bins
from siderion.spectrometer.pulse_height.sample import sample_events
from siderion.spectrometer.pulse_height.years import PulseHeightSettings, count_files

NEEDED = ["year", "day_of_year", "hour", "minute", "second", "deflection_step", "mass_per_charge", "mass"]


def make_files(folder: Path, files: int, events: int) -> list[Path]:
    """Sample files, each of some days."""
    paths = []
    for k in range(files):
        path = folder / f"sample_{k:03d}.gz"
        start = str(np.datetime64("1995-01-01") + np.timedelta64(30 * k, "D"))
        write_stics_events(path, sample_events(events, seed=k, start=start), comments=["synthetic"])
        paths.append(path)
    return paths


def unpack(paths: list[Path]) -> None:
    """Only unpack."""
    for path in paths:
        unpacker = zlib.decompressobj(wbits=31)
        with path.open("rb") as stream:
            while piece := stream.read(1 << 18):
                unpacker.decompress(piece)


def read(paths: list[Path]) -> int:
    """Unpack and read."""
    return sum(len(rows.values) for path in paths for rows in stics_pieces(path))


def plain(paths: list[Path], bins: Bins) -> np.ndarray:
    """The usual way: pandas reads, NumPy counts mass against mass per charge, one file at a time."""
    names = list(stics_columns().names)
    types = dict.fromkeys(NEEDED, np.int16) | dict.fromkeys(("second", "mass", "mass_per_charge"), np.float64)
    total = np.zeros((bins.mass.size - 1, bins.mass_per_charge.size - 1))
    for path in paths:
        table = pd.read_csv(path, sep=r"\s+", comment="#", header=None, names=names, usecols=NEEDED, dtype=types)
        triple = table[table["mass"] > 0.0]
        total += np.histogramdd((triple["mass"], triple["mass_per_charge"]), (bins.mass, bins.mass_per_charge))[0]
    return total


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Wall time, s, and result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10, help="files")
    parser.add_argument("--events", type=int, default=1_000_000, help="events in each file")
    parser.add_argument("--workers", type=int, default=2, help="processes of the last row")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, pandas {pd.__version__}, {os.cpu_count()} cores")
    bins, number = Bins(), options.files * options.events
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        small = make_files(Path(folder) / ".", 1, 1000)
        for mass in ("file", "recompute"):
            count_files(small, PulseHeightSettings(mass=mass))  # compiles
        paths = make_files(Path(folder), options.files, options.events)
        print(f"{number / 1e6:g} million events, {sum(path.stat().st_size for path in paths) / 1e6:.0f} MB of gzip")
        work: dict[str, Callable[[], object]] = {
            "unpack alone (floor)": lambda: unpack(paths),
            "unpack and read": lambda: read(paths),
            "count, mass of the file, 1 process": lambda: count_files(paths),
            "count, mass recomputed, 1 process": lambda: count_files(paths, PulseHeightSettings(mass="recompute")),
            f"count, mass of the file, {options.workers} processes": lambda: count_files(paths, workers=options.workers),
            "pandas and numpy.histogramdd, 1 process": lambda: plain(paths, bins),
        }
        print(f"{'stage':42} {'s':>8} {'million events/s':>17} {'over unpacking':>15}")
        results, floor = {}, 0.0
        for name, run in work.items():
            seconds, results[name] = timed(run)
            floor = floor or seconds
            print(f"{name:42} {seconds:8.2f} {number / seconds / 1e6:17.2f} {seconds / floor:15.2f}", flush=True)
    ours = results["count, mass of the file, 1 process"]["counts"].sum(("region", "lunar_sector", "kp_class")).values  # type: ignore[index]
    same = np.array_equal(ours, results["pandas and numpy.histogramdd, 1 process"])  # type: ignore[arg-type]
    print(f"both ways count the same: {same}")


if __name__ == "__main__":
    main()
