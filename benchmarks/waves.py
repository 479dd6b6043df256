"""Speed and memory of the wave analysis, and the reading speed of every format beside it.

    python benchmarks/waves.py                    # one day at 20 Hz, 1.7 million vectors
    python benchmarks/waves.py --days 4 --repeat 5

Each figure is the best of several runs in one process. The floor is what cannot be avoided: the transforms alone
(half-overlapping segments, three components, on all threads), and one copy of the series. benchmarks/peers_waves.py has the
other tools.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cdflib.cdfwrite
import numba
import numpy as np
import pandas as pd
import scipy.fft
import xarray as xr

from siderion.core.bodies import get_body
from siderion.io.magnetometer import read_magnetometer
from siderion.waves.analysis import analyse_waves, make_wave_settings
from siderion.waves.bands import measure_fixed_band
from siderion.waves.settings import DetectionSettings
from siderion.waves.windows import measure_windows

SAMPLING = 20.0
START = np.datetime64("2012-03-01", "ns")


def make_series(vectors: int) -> xr.Dataset:
    """Noise about a field that varies slowly between 15 and 30 nT, at 5 radii of Mercury upstream."""
    rng = np.random.default_rng(7)
    seconds = np.arange(vectors) / SAMPLING
    strength = 22.5 + 7.5 * np.sin(2.0 * np.pi * seconds / 20000.0)
    field = strength[:, None] * np.array([0.5, -0.7, 0.5]) / np.linalg.norm([0.5, -0.7, 0.5])
    field += 0.2 * rng.standard_normal((vectors, 3))
    times = START + np.arange(vectors) * np.timedelta64(int(1e9 / SAMPLING), "ns")
    radius = get_body("Mercury").radius / 1e3
    place = np.broadcast_to(np.array([3.0, 4.0, 0.0]) * radius, (vectors, 3))
    return xr.Dataset(
        {
            "magnetic_field": (("time", "component"), field, {"units": "nT"}),
            "position": (("time", "component"), place, {"units": "km"}),
        },
        coords={"time": times, "component": list("xyz")},
        attrs={"frame": "MSO", "position_frame": "MSO"},
    )


def best(work: Callable[[], object], repeat: int) -> float:
    """Shortest wall time, s; the first run compiles and does not count."""
    work()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def transforms(field: np.ndarray, length: int) -> None:
    """Only the transforms: half-overlapping segments of three components, on all threads, in pieces that caches hold."""
    rows = np.ascontiguousarray(field.T)
    count = 2 * (rows.shape[1] // length) - 1
    chunk = max(1, 2**17 // (3 * length))

    def piece(start: int) -> None:
        number = min(chunk, count - start)
        views = np.stack([rows[:, (start + k) * length // 2 : (start + k) * length // 2 + length] for k in range(number)])
        scipy.fft.rfft(views, axis=-1, overwrite_x=True)

    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        list(threads.map(piece, range(0, count, chunk)))


def speed_table(series: xr.Dataset, repeat: int) -> None:
    """Print times and vectors per second of each stage."""
    vectors = series.sizes["time"]
    field = series["magnetic_field"].values
    settings = DetectionSettings()
    one = make_wave_settings({"body": "Mercury", "species": ["H+"]})
    three = make_wave_settings({"body": "Mercury", "species": ["H+", "H2+", "He+"]})
    bare = DetectionSettings.model_validate({"rejection": {"fixed_lines": False}})
    work: dict[str, Callable[[], object]] = {
        "one copy of the series": lambda: field.copy(),
        "transforms alone, 25.6 s": lambda: transforms(field, 512),
        "one fixed band": lambda: measure_fixed_band(series, (0.2, 0.6), 25.6),
        "windows, H+, no search for lines": lambda: measure_windows(series, ["H+"], bare),
        "windows, H+": lambda: measure_windows(series, ["H+"], settings),
        "windows, H+ H2+ He+": lambda: measure_windows(series, ["H+", "H2+", "He+"], settings),
        "densities and events too, H+": lambda: analyse_waves(series, one),
        "densities and events too, H+ H2+ He+": lambda: analyse_waves(series, three),
    }
    print(f"{'stage':38} {'s':>8} {'million vectors/s':>18} {'over transforms':>16}")
    spent = {name: best(run, repeat) for name, run in work.items()}
    for name, seconds in spent.items():
        ratio = seconds / spent["transforms alone, 25.6 s"]
        print(f"{name:38} {seconds:8.3f} {vectors / seconds / 1e6:18.1f} {ratio:16.2f}")


def memory_table(days: int) -> None:
    """Peak memory of the process after series of growing length, less the series itself."""
    print(f"{'days':>5} {'series, MB':>11} {'peak of the process, MB':>24}")
    settings = DetectionSettings()
    for number in range(1, days + 1):
        series = make_series(int(number * 86400 * SAMPLING))
        measure_windows(series, ["H+", "H2+", "He+"], settings)
        size = sum(array.nbytes for array in series.data_vars.values()) / 1e6
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"{number:5} {size:11.0f} {peak:24.0f}")


def reading_table(rows: int, repeat: int) -> None:
    """Print the reading speed of a table of every format."""
    series = make_series(rows)
    print(f"{'format':22} {'s':>8} {'million vectors/s':>18} {'MB/s':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for name, path in write_files(series, Path(folder)).items():
            seconds = best(lambda path=path: read_magnetometer(path, body="Mercury", frame="MSO"), repeat)  # type: ignore[misc]
            print(f"{name:22} {seconds:8.3f} {rows / seconds / 1e6:18.2f} {path.stat().st_size / seconds / 1e6:8.0f}")


def write_files(series: xr.Dataset, folder: Path) -> dict[str, Path]:
    """The same series as files: text with a header, the eight columns of Galileo, `.sts`, PDS3, CDF."""
    field, place = series["magnetic_field"].values, series["position"].values
    times = pd.DatetimeIndex(series["time"].values)
    iso = np.datetime_as_string(series["time"].values, unit="ms")
    columns = {f"b{c} [nT]": field[:, k].round(3) for k, c in enumerate("xyz")}
    columns |= {f"{c} [km]": place[:, k].round(1) for k, c in enumerate("xyz")}
    csv = folder / "series.csv"
    pd.DataFrame({"time": iso, **columns}).to_csv(csv, index=False)
    eight = folder / "eight.tab"
    strength = np.linalg.norm(field, axis=1)
    table = pd.DataFrame(np.column_stack([field, strength, place]), index=iso)
    table.to_csv(eight, sep="\t", header=False, float_format="%.4f")
    return {
        "text with header": csv,
        "eight columns": eight,
        "pds3": _pds3(times, field, place, folder),
        "cdf": _cdf(series, folder),
    }


def _pds3(times: pd.DatetimeIndex, field: np.ndarray, place: np.ndarray, folder: Path) -> Path:
    """A table in the fixed columns of the MESSENGER MSO product, with its label."""
    table = folder / "MAGMSOSCI12061_V08.TAB"
    rows = np.column_stack([times.year, times.day_of_year, times.hour, times.minute, times.second + times.microsecond / 1e6])
    np.savetxt(
        table, np.column_stack([rows, place, field]),
        fmt="%4d %3d %2d %2d %6.3f %11.3f %11.3f %11.3f %9.3f %9.3f %9.3f", newline="\r\n",
    )  # fmt: skip
    names = ("YEAR", "DAY_OF_YEAR", "HOUR", "MINUTE", "SECOND", "X_MSO", "Y_MSO", "Z_MSO", "BX_MSO", "BY_MSO", "BZ_MSO")
    widths, units = (4, 3, 2, 2, 6, 11, 11, 11, 9, 9, 9), ("",) * 5 + ("KM",) * 3 + ("NANOTESLA",) * 3
    starts = np.cumsum([1, *[width + 1 for width in widths[:-1]]])
    lines = ["PDS_VERSION_ID = PDS3", "RECORD_TYPE = FIXED_LENGTH", f"RECORD_BYTES = {sum(widths) + len(widths) + 1}",
             f"FILE_RECORDS = {len(times)}", f'^TABLE = "{table.name}"', "OBJECT = TABLE", "INTERCHANGE_FORMAT = ASCII",
             f"ROWS = {len(times)}", f"COLUMNS = {len(names)}", f"ROW_BYTES = {sum(widths) + len(widths) + 1}"]  # fmt: skip
    for name, width, unit, start in zip(names, widths, units, starts, strict=True):
        kind = "ASCII_INTEGER" if unit == "" and name != "SECOND" else "ASCII_REAL"
        lines += ["OBJECT = COLUMN", f"NAME = {name}", f"DATA_TYPE = {kind}", f"START_BYTE = {start}", f"BYTES = {width}"]
        lines += [f'UNIT = "{unit}"'] if unit else []
        lines += ["END_OBJECT = COLUMN"]
    table.with_suffix(".LBL").write_text("\r\n".join([*lines, "END_OBJECT = TABLE", "END", ""]), encoding="ascii")
    return table


def _cdf(series: xr.Dataset, folder: Path) -> Path:
    """An ISTP file with TT2000 times."""
    path = folder / "series.cdf"
    epoch = cdflib.cdfepoch.compute_tt2000(
        np.column_stack([*_calendar(series["time"].values)]).tolist()
    ) if series.sizes["time"] < 5000 else _tt2000(series["time"].values)  # fmt: skip
    file = cdflib.cdfwrite.CDF(str(path), delete=True)
    common = {"Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": []}
    file.write_var(
        {"Variable": "Epoch", "Data_Type": 33, **common}, var_attrs={"UNITS": "ns", "VAR_TYPE": "support_data"}, var_data=epoch
    )
    file.write_var(
        {"Variable": "B_MSO", "Data_Type": 45, **common, "Dim_Sizes": [3]},
        var_attrs={"UNITS": "nT", "DEPEND_0": "Epoch", "FILLVAL": -1e31, "VAR_TYPE": "data", "COORDINATE_SYSTEM": "MSO"},
        var_data=series["magnetic_field"].values,
    )
    file.close()
    return path


def _calendar(times: np.ndarray) -> list[np.ndarray]:
    index = pd.DatetimeIndex(times)
    return [index.year, index.month, index.day, index.hour, index.minute, index.second, index.microsecond // 1000]


def _tt2000(times: np.ndarray) -> np.ndarray:
    """TT2000 of times without a leap second between them."""
    first = int(cdflib.cdfepoch.compute_tt2000([int(column[0]) for column in _calendar(times[:1])]))
    return first + (times - times[0]).astype(np.int64)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=1, help="days at 20 Hz that are timed; also of the table of the memory")
    parser.add_argument("--repeat", type=int, default=3, help="runs of which the best counts")
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the files")
    options = parser.parse_args()
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, {numba.get_num_threads()} threads"
    )
    series = make_series(int(options.days * 86400 * SAMPLING))
    print(f"\n{series.sizes['time'] / 1e6:.2f} million vectors at {SAMPLING:.0f} Hz")
    speed_table(series, options.repeat)
    print()
    reading_table(options.rows, options.repeat)
    print()
    del series
    memory_table(max(3, options.days))


if __name__ == "__main__":
    main()
