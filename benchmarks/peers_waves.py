"""Polarisation of magnetometer series in one band: speed and answers beside pyspedas `wavpol` and pyrfu `ebsp`.

    python benchmarks/peers_waves.py                          # 100 000 vectors at 20 Hz
    python benchmarks/peers_waves.py --vectors 1000000        # minutes: pyspedas takes 2 to 6 of them
    python benchmarks/peers_waves.py --only pyrfu siderion

Run it with an interpreter that has the peers (pip install pyspedas pyrfu "matplotlib<3.11" "geopack==1.0.10"; newer versions
of the last two keep pyrfu from being imported, offline at least). A tool that is missing is listed as not installed.
Every tool gets the same series in memory, in a frame that is not aligned with the field, and gives the same outputs: per
window of about 100 s, power along and across the field, ellipticity, degree of polarisation and wave normal angle in the
band. What each needs beforehand (mean field, rotation) and afterwards (sum or mean over the band) is in its time. Compilation
is not: each tool first runs on a short series. The second table shows what each says of a pure wave and of white noise.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import logging
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "waves"))
from synthetic_waves import coloured_noise, cyclotron_packet

SAMPLING = 20.0
"""Vectors per second."""
WINDOW = 2000
"""Samples of a window: 100 s."""
BAND = (0.2, 0.6)
"""Hz."""
WAVE_FREQUENCY = 0.4
"""Hz."""
FIELD = 26.3 * np.array([0.36, -0.48, 0.8])
"""Mean field, nT."""
CHARGE_TO_MASS = 2.0 * np.pi * WAVE_FREQUENCY / (26.3e-9)
OUTPUTS = ("power_parallel", "power_perpendicular", "ellipticity", "polarization_degree", "wave_normal_angle")

Bands = dict[str, np.ndarray]


@dataclass(frozen=True)
class Series:
    """A series in memory: times in s, field in nT of shape (time, 3)."""

    time: np.ndarray
    field: np.ndarray


def make_series(vectors: int, delta_b: float, noise: float, slope: float, **wave: float) -> Series:
    """Steady field, noise of this density at 0.4 Hz (nT2/Hz per component), and a wave at 0.4 Hz."""
    rng = np.random.default_rng(20)
    seconds = np.arange(vectors) / SAMPLING
    background = np.tile(FIELD, (vectors, 1))
    field = background.copy()
    if noise:
        field += coloured_noise(rng, vectors, 1.0 / SAMPLING, slope, noise, WAVE_FREQUENCY, corner=0.01)
    if delta_b:
        field += cyclotron_packet(rng, seconds, background, CHARGE_TO_MASS, delta_b, **wave)
    return Series(seconds, field)


def field_aligned(field: np.ndarray) -> np.ndarray:
    """Components along two transverse directions and along the mean field of each window (wavpol asks for these)."""
    aligned = np.empty_like(field)
    for first in range(0, len(field), WINDOW):
        piece = field[first : first + WINDOW]
        third = piece.mean(axis=0)
        third /= np.linalg.norm(third)
        second = np.cross(third, [1.0, 0.0, 0.0])
        second /= np.linalg.norm(second)
        aligned[first : first + WINDOW] = piece @ np.array([np.cross(second, third), second, third]).T
    return aligned


def pyspedas_band_outputs(series: Series) -> Bands:
    """`wavpol` with transforms of 100 s every 50 s, three bins smoothed: the nearest it has to windows of 100 s."""
    from pyspedas.analysis.twavpol import wavpol

    aligned = field_aligned(series.field)
    aligned[:, 2] -= aligned[:, 2].mean()
    answer = wavpol(series.time, *aligned.T, nopfft=WINDOW, steplength=WINDOW // 2, bin_freq=3)
    _, frequency, _, degree, angle, ellipticity, _, density, failed = answer
    if failed:
        raise RuntimeError("wavpol gave up: too many steps of time")
    used = density[:, :, 2].any(axis=1) & np.isfinite(density[:, :, 2]).all(axis=1)  # its last rows are never filled
    band = (frequency >= BAND[0]) & (frequency <= BAND[1])
    density, width = density[used][:, band], frequency[1]
    weight = density.sum(axis=2)

    def mean(values: np.ndarray) -> np.ndarray:
        return weighted_mean(values[used][:, band], weight)

    return {
        "power_parallel": density[:, :, 2].sum(axis=1) * width,
        "power_perpendicular": density[:, :, :2].sum(axis=(1, 2)) * width,
        "ellipticity": mean(ellipticity),
        "polarization_degree": mean(degree),
        "wave_normal_angle": np.degrees(mean(angle)),
    }


def pyrfu_band_outputs(series: Series) -> Bands:
    """`ebsp` without electric field, eight wave periods averaged (its default), then means over windows of 100 s."""
    from pyrfu import pyrf

    nanoseconds = np.datetime64("2012-01-01", "ns") + np.round(series.time * 1e9).astype("timedelta64[ns]")
    whole = len(series.field) // WINDOW * WINDOW
    means = series.field[:whole].reshape(-1, WINDOW, 3).mean(axis=1)
    background = pyrf.ts_vec_xyz(
        nanoseconds, np.repeat(means, WINDOW, axis=0)[np.minimum(np.arange(len(nanoseconds)), whole - 1)]
    )
    total = pyrf.ts_vec_xyz(nanoseconds, series.field)
    place = pyrf.ts_vec_xyz(nanoseconds, np.tile([1.0, 0.0, 0.0], (len(nanoseconds), 1)))
    answer = pyrf.ebsp(
        None, total, total, background, place, list(BAND), polarization=True, fac=True, full_b_db=True, no_resample=True
    )
    frequency, density = np.asarray(answer["f"]), np.asarray(answer["bb_xxyyzzss"])
    seconds = (answer["t"].astype("datetime64[ns]") - nanoseconds[0]) / np.timedelta64(1, "s")
    window = np.minimum(seconds * SAMPLING // WINDOW, whole // WINDOW - 1).astype(int)
    weight = density[:, :, 3]

    def mean(values: np.ndarray) -> np.ndarray:
        return by_window(weighted_mean(values, weight), window)

    power = np.trapezoid(density[:, :, :3], frequency, axis=1)
    return {
        "power_parallel": by_window(power[:, 2], window),
        "power_perpendicular": by_window(power[:, :2].sum(axis=1), window),
        "ellipticity": mean(np.asarray(answer["ellipticity"])),
        "polarization_degree": mean(np.asarray(answer["dop"])),
        "wave_normal_angle": mean(np.asarray(answer["k_tp"])[:, :, 0]) * 180.0 / np.pi,
    }


def siderion_band_outputs(series: Series) -> Bands:
    """The same outputs from siderion: windows of 102.4 s every 51.2 s, seven half-overlapping segments of 25.6 s."""
    import xarray as xr

    from siderion.waves.bands import measure_fixed_band

    nanoseconds = np.datetime64("2012-01-01", "ns") + np.round(series.time * 1e9).astype("timedelta64[ns]")
    field = xr.Dataset({"magnetic_field": (("time", "component"), series.field, {"units": "nT"})}, coords={"time": nanoseconds})
    answer = measure_fixed_band(field, BAND, segment=25.6)
    return {name: answer["polarization_degree_3d" if name == "polarization_degree" else name].values for name in OUTPUTS}


def welch_band_outputs(series: Series) -> Bands:
    """Averaged spectral matrix written out in NumPy, with nothing tuned: the plain answer to compare the others with."""
    pieces, segment, hop = len(series.field) // WINDOW, 500, 250
    taper = np.hanning(segment + 1)[:-1]
    frequency = np.fft.rfftfreq(segment, 1.0 / SAMPLING)
    band = (frequency >= BAND[0]) & (frequency <= BAND[1])
    aligned = field_aligned(series.field[: pieces * WINDOW]).reshape(pieces, WINDOW, 3)
    rows = []
    for window in aligned:
        starts = range(0, WINDOW - segment + 1, hop)
        pieces_of_window = np.stack([window[s : s + segment] - window[s : s + segment].mean(axis=0) for s in starts])
        spectrum = np.fft.rfft(pieces_of_window * taper[:, None], axis=1)[:, band]
        matrix = np.einsum("sfi,sfj->fij", spectrum, spectrum.conj()) / len(starts) * 2.0 / (SAMPLING * np.sum(taper**2))
        rows.append(matrix_outputs(matrix.sum(axis=0) * frequency[1]))
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(OUTPUTS)}


def matrix_outputs(matrix: np.ndarray) -> tuple[float, float, float, float, float]:
    """Outputs of one spectral matrix: ellipticity and 3-D degree (Samson and Olson 1980), wave normal (Means 1972)."""
    power, trace = np.real(np.diag(matrix)), np.real(np.trace(matrix))
    stokes_v = 2.0 * matrix[0, 1].imag
    polarised = np.sqrt((power[0] - power[1]) ** 2 + 4.0 * abs(matrix[0, 1]) ** 2)
    degree = np.sqrt(max(3.0 * np.real(np.trace(matrix @ matrix)) / trace**2 - 1.0, 0.0) / 2.0)
    normal = np.array([matrix[1, 2].imag, -matrix[0, 2].imag, matrix[0, 1].imag])
    angle = np.degrees(np.arccos(min(abs(normal[2]) / np.linalg.norm(normal), 1.0)))
    return power[2], power[0] + power[1], np.tan(0.5 * np.arcsin(np.clip(stokes_v / polarised, -1, 1))), degree, angle


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean over the band with the power as weight, over the bins that have a value."""
    good = np.isfinite(values) & np.isfinite(weight)
    total = np.where(good, weight, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(good, values * weight, 0.0).sum(axis=1) / total


def by_window(values: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Mean over each window of the values that are there."""
    good = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.bincount(window[good], values[good], window.max() + 1) / np.bincount(window[good], minlength=window.max() + 1)


TOOLS: dict[str, Callable[[Series], Bands]] = {
    "pyspedas": pyspedas_band_outputs,
    "pyrfu": pyrfu_band_outputs,
    "siderion": siderion_band_outputs,
    "plain NumPy": welch_band_outputs,
}


def version(tool: str) -> str:
    """Version of an installed distribution."""
    try:
        return importlib.metadata.version("numpy" if tool == "plain NumPy" else tool)
    except importlib.metadata.PackageNotFoundError:
        return "source"


def run_tool(tool: str, series: Series) -> tuple[float, Bands] | None:
    """Wall time and outputs; None where the tool cannot be imported."""
    start = time.perf_counter()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            outputs = TOOLS[tool](series)
    except ImportError as error:
        print(f"{tool:>12}  not installed ({error})")
        return None
    return time.perf_counter() - start, outputs


def speed_table(tools: list[str], vectors: int) -> list[str]:
    """Print times, speeds and the answers; the tools that are installed."""
    series = make_series(vectors, 0.2, 0.02, 5.0 / 3.0, coherence_time=50.0)
    short = Series(series.time[: 3 * WINDOW], series.field[: 3 * WINDOW])
    print(f"\n{vectors} vectors at {SAMPLING:.0f} Hz; wave of 0.2 nT at 0.4 Hz in f^(-5/3) noise; band {BAND} Hz; medians")
    print(f"{'tool':>12} {'version':>9} {'s':>9} {'vectors/s':>11} {'ratio':>8}  " + "  ".join(OUTPUTS))
    found: dict[str, tuple[float, Bands]] = {}
    for tool in tools:
        if run_tool(tool, short) is None:  # compiles
            continue
        answer = run_tool(tool, series)
        if answer:
            found[tool] = answer
    against = "siderion" if "siderion" in found else next(iter(found), "")
    for tool, (spent, outputs) in found.items():
        values = "  ".join(f"{np.nanmedian(outputs[name]):{len(name)}.4f}" for name in OUTPUTS)
        print(f"{tool:>12} {version(tool):>9} {spent:9.3f} {vectors / spent:11.3g} {spent / found[against][0]:8.1f}  {values}")
    print(f"ratio: time over that of {against}")
    return list(found)


CASES: dict[str, Callable[[int], Series]] = {
    "left-hand circular": lambda n: make_series(n, 0.2, 0.0, 0.0),
    "right-hand circular": lambda n: make_series(n, 0.2, 0.0, 0.0, handedness=1),
    "left-hand, axes 1 to 2": lambda n: make_series(n, 0.2, 0.0, 0.0, ellipticity=0.5),
    "left-hand, 40 degrees": lambda n: make_series(n, 0.2, 0.0, 0.0, wave_normal_angle=40.0),
    "left-hand in white noise": lambda n: make_series(n, 0.2, 0.02, 0.0, coherence_time=50.0),
    "white noise": lambda n: make_series(n, 0.0, 1.0, 0.0),
}


def answer_table(tools: list[str], vectors: int) -> None:
    """Print what each tool says of cases whose answer is known."""
    print(f"\nKnown cases, {vectors} vectors. Power of the waves: 0.04 nT2 across the field; of the white noise (1 nT2/Hz per")
    print("component): 0.4 nT2 along and 0.8 nT2 across. DOP > 0.7: part of the windows whose mean over the band is above 0.7.")
    print(f"{'case':>25} {'tool':>12}  " + "  ".join(OUTPUTS) + "  DOP > 0.7")
    for case, make in CASES.items():
        series = make(vectors)
        for tool in tools:
            answer = run_tool(tool, series)
            if answer is None:
                continue
            outputs = answer[1]
            values = "  ".join(f"{np.nanmedian(outputs[name]):{len(name)}.4f}" for name in OUTPUTS)
            passed = np.mean(outputs["polarization_degree"] > 0.7)
            print(f"{case:>25} {tool:>12}  {values}  {passed:9.2f}")


def main() -> None:
    """Run both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=100_000, help="length of the series that is timed")
    parser.add_argument("--case-vectors", type=int, default=20_000, help="length of the series of known answer; 0 for none")
    parser.add_argument("--only", nargs="+", choices=TOOLS, default=list(TOOLS), help="tools to run")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores, {platform.machine()}")
    found = speed_table(options.only, options.vectors)
    if options.case_vectors:
        answer_table(found, options.case_vectors)


if __name__ == "__main__":
    main()
