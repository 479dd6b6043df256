"""``siderion design separate`` and ``detect``: two species in one spectrum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import names_in, numbers_in, page_beside, print_json, write_page
from siderion.core.errors import SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.spectrometer.design.answers import detection_dataset, instrument_separation_dataset, separation_dataset
from siderion.spectrometer.design.separation import geometric_factor_needed, time_needed
from siderion.spectrometer.design.settings import Demand, MassPeak, default
from siderion.spectrometer.design.templates import flight_time_templates, mass_templates
from siderion.spectrometer.exposure import sensitivity
from siderion.spectrometer.instruments import Setup, make_setup

FLUX_TO_SI, AREA_TO_SI, KILO, MINUTE = 10.0, 1e-4, 1e3, 60.0
"""cm-2 s-1 sr-1 keV-1 in m-2 s-1 sr-1 eV-1; cm2 in m2; keV in eV; minutes in s."""


def separate(
    *,
    species: str = "Si+,Al+",
    fraction: float = 0.1,
    others: str | None = None,
    others_fraction: float = 0.0,
    resolution: str = "15,60",
    instrument: str | None = None,
    voltage: float | None = None,
    energy: float = 0.0,
    counts: float | None = None,
    flux: float | None = None,
    energy_width: float = 1.0,
    geometric_factor: float | None = None,
    efficiency: float | None = None,
    duty_cycle: float | None = None,
    minutes: float | None = None,
    confidence: float | None = None,
    power: float | None = None,
    tail_fraction: float | None = None,
    tail_length: float | None = None,
    tail_uncertainty: float | None = None,
    width_uncertainty: float | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Counts, m/dm, geometric factor and time that separate a minor species from a major one.

    Parameters
    ----------
    species
        Major and minor ion, such as Si+,Al+.
    fraction
        Counts of the minor over those of the major ion.
    others
        Other ions that may be there and are fitted too, separated by commas, such as N2+,O2+.
    others_fraction
        Counts of each of them over those of the major ion.
    resolution
        m/dm of generic instruments, separated by commas.
    instrument
        Named instrument with its foil and fragments, such as codif, in place of m/dm.
    voltage
        Post-acceleration, kV.
    energy
        Energy per charge, keV.
    counts
        Counts of the major ion: gives the m/dm that is needed.
    flux
        Differential flux of the major ion, cm-2 s-1 sr-1 keV-1: gives times and geometric factors.
    energy_width
        Width of the energies that are counted, keV.
    geometric_factor
        Geometric factor without the energy width, cm2 sr; that of the instrument by default.
    efficiency
        Efficiency; that of the instrument, or 1, by default.
    duty_cycle
        Share of the time in which an energy is looked at; that of the instrument, or 1, by default.
    minutes
        Time, minutes, for the needed geometric factor; 30 by default, as the review asks for keV ions.
    confidence
        One-sided confidence of the detection; three standard deviations by default.
    power
        Probability of the detection; 0.9 by default.
    tail_fraction
        Share of a peak in its tail.
    tail_length
        Decay length of the tail over m/q.
    tail_uncertainty
        Relative uncertainty of the tail.
    width_uncertainty
        Relative uncertainty of the width.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    check_numbers({
        "--fraction": fraction, "--counts": counts, "--flux": flux, "--energy-width": energy_width, "--minutes": minutes,
        "--geometric-factor": geometric_factor, "--efficiency": efficiency, "--duty-cycle": duty_cycle, "--voltage": voltage,
    })  # fmt: skip
    check_numbers({"--others-fraction": others_fraction, "--energy": energy}, zero=True)
    pair, demand = _pair(species), _demand(confidence, power)
    every = (pair[0], *names_in(others), pair[1])
    setup = _setup(instrument, voltage, energy)
    peak = _peak(tail_fraction, tail_length, tail_uncertainty, width_uncertainty)
    if setup is None:
        result = separation_dataset(
            every, fraction, numbers_in([resolution], "--resolution"), peak, demand, counts, others_fraction
        )
    else:
        result = instrument_separation_dataset(every, fraction, setup, demand, others_fraction)
    if flux is not None:
        seconds = MINUTE * (default("time_hot") if minutes is None else minutes)
        if duty_cycle is None:
            duty_cycle = 1.0 if setup is None else setup.instrument.duty_cycle
        _add_times(result, flux * FLUX_TO_SI, energy_width * KILO, setup, geometric_factor, efficiency, duty_cycle, seconds)
    settings = {
        "command": "separate", "species": list(every), "others_fraction": others_fraction,
        "fraction": fraction, "instrument": instrument, "voltage_kV": voltage,
        "energy_keV": energy, "counts": counts, "flux": flux, "energy_width_keV": energy_width,
        "geometric_factor_cm2_sr": geometric_factor, "efficiency": efficiency, "duty_cycle": duty_cycle, "minutes": minutes,
        "confidence": demand.confidence, "power": demand.power, "tail_fraction": peak.tail_fraction,
        "tail_length": peak.tail_length, "tail_uncertainty": peak.tail_uncertainty, "width_uncertainty": peak.width_uncertainty,
    }  # fmt: skip
    finish(result, settings, _separation_text(result, pair, fraction, demand), output, no_report, json_)


def detect(
    *,
    species: str = "O+,NO+",
    others: str | None = None,
    others_fraction: float = 0.0,
    counts: str = "100,1000,10000,100000",
    resolution: str = "5,15,60",
    tails: str | None = None,
    instrument: str | None = None,
    voltage: float | None = None,
    energy: float = 0.0,
    confidence: float | None = None,
    power: float | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Smallest fraction of a minor species that can be detected beside a major one, against the counts of that.

    Parameters
    ----------
    species
        Major and minor ion, such as O+,NO+.
    others
        Other ions that may be there and are fitted too, separated by commas, such as N2+,O2+.
    others_fraction
        Counts of each of them over those of the major ion.
    counts
        Counts of the major ion, separated by commas.
    resolution
        m/dm of generic instruments, separated by commas.
    tails
        Shares of a peak in its tail, separated by commas; 0.01 by default.
    instrument
        Named instrument with its foil and fragments, in place of m/dm.
    voltage
        Post-acceleration, kV.
    energy
        Energy per charge, keV.
    confidence
        One-sided confidence of the detection; three standard deviations by default.
    power
        Probability of the detection; 0.9 by default.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    check_numbers({"--voltage": voltage})
    check_numbers({"--others-fraction": others_fraction, "--energy": energy}, zero=True)
    pair, demand, setup = _pair(species), _demand(confidence, power), _setup(instrument, voltage, energy)
    every = (pair[0], *names_in(others), pair[1])
    numbers = numbers_in([counts], "--counts")
    if not numbers:
        raise SettingsError("--counts is empty; give counts of the major ion, such as --counts 1000,10000")
    shares = [default("tail_fraction")] if tails is None else numbers_in([tails], "--tails")
    if setup is None:
        cases = {
            f"m/dm {r:g}, tail {share:g}": mass_templates(every, MassPeak(r, share))
            for r in numbers_in([resolution], "--resolution") for share in shares
        }  # fmt: skip
    else:
        cases = {setup.instrument.name: flight_time_templates(every, setup)}
    if not cases:
        raise SettingsError("no case: give one or more --resolution and --tails")
    result = detection_dataset(cases, numbers, demand, setup, others_fraction)
    settings = {
        "command": "detect", "species": list(every), "others_fraction": others_fraction,
        "counts": numbers, "instrument": instrument, "voltage_kV": voltage,
        "energy_keV": energy, "confidence": demand.confidence, "power": demand.power, "tails": shares,
    }  # fmt: skip
    lines = [f"smallest {pair[1]} / {pair[0]} that is detected, confidence {demand.confidence:g}, power {demand.power:g}"]
    lines.append(f"{'counts of ' + pair[0]:24}" + "".join(f"{n:>12g}" for n in numbers))
    for name, row in zip(result["case"].values, result["minimum_fraction"].values, strict=True):
        lines.append(f"{name!s:24}" + "".join(f"{'none' if np.isnan(v) else f'{v:.2g}':>12}" for v in row))
    finish(result, settings, lines, output, no_report, json_)


def check_numbers(numbers: Mapping[str, float | None], *, positive: bool = True, zero: bool = False) -> None:
    """Refuse options that are not finite, not positive (or, with ``zero``, negative), or shares above 1.

    Parameters
    ----------
    numbers : mapping of str to float or None
        Values by option; those that are not given are left out.
    positive : bool
        Whether they must be positive.
    zero : bool
        Whether 0 is good too.

    Raises
    ------
    SettingsError
        A number cannot be.
    """
    for name, value in numbers.items():
        if value is None:
            continue
        low = -np.inf if not positive else 0.0
        largest = 1.0 if name in ("--efficiency", "--duty-cycle") else np.inf
        if not np.isfinite(value) or value < low or (positive and not zero and value == 0.0) or value > largest:
            rule = "finite" if not positive else "finite and not negative" if zero else "positive and finite"
            raise SettingsError(f"{name} is {value:g}; it must be {rule}" + (" and at most 1" if largest == 1.0 else ""))


def finish(
    result: xr.Dataset, settings: dict[str, object], lines: list[str], output: Path | None, no_report: bool, as_json: bool
) -> None:
    """Write, with a page beside the file, then print as text or as JSON."""
    result.attrs["settings"] = json.dumps(settings)
    page = None if output is None or no_report else page_beside(output)
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(result, temporary)
    if page is not None:
        from siderion.report import render_report

        write_page(render_report(result), page)
    if as_json:
        print_json("design", settings, result)
        return
    print("\n".join(lines))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _add_times(
    result: xr.Dataset, flux: float, width: float, setup: Setup | None, factor_cm2: float | None, efficiency: float | None,
    duty_cycle: float, seconds: float,
) -> None:  # fmt: skip
    """Times with a geometric factor, where one is known, and geometric factors within a time; SI."""
    dim = str(result["counts_needed"].dims[0])
    counts = result["counts_needed"].values
    share = 1.0 if efficiency is None else efficiency
    needed = [geometric_factor_needed(n, flux, width, seconds, share, duty_cycle) if np.isfinite(n) else np.inf for n in counts]
    text = {"units": "m2 sr", "long_name": "geometric factor needed within the time, efficiency counted apart"}
    result["geometric_factor_needed"] = (dim, needed, text)
    seen = None
    if setup is not None:
        seen = sensitivity(setup.instrument, None if factor_cm2 is None else factor_cm2 * AREA_TO_SI, efficiency)
    elif factor_cm2 is not None:
        seen = factor_cm2 * AREA_TO_SI * share
    if seen is not None:
        times = [time_needed(n, flux, width, seen, duty_cycle) if np.isfinite(n) else np.inf for n in counts]
        result["time_needed"] = (dim, times, {"units": "s", "long_name": "time needed"})


def _separation_text(result: xr.Dataset, pair: tuple[str, str], fraction: float, demand: Demand) -> list[str]:
    dim = str(result["counts_needed"].dims[0])
    head = f"{pair[1]} beside {pair[0]}, {fraction:g} of its counts, confidence {demand.confidence:g}, power {demand.power:g}"
    columns = [("counts_needed", f"{pair[0]} counts", 1.0), ("counts_to_tell_apart", "to tell apart", 1.0)]
    columns += [("geometric_factor_needed", "G cm2 sr", 1.0 / AREA_TO_SI), ("time_needed", "minutes", 1.0 / MINUTE)]
    columns = [column for column in columns if column[0] in result]
    lines = [
        head,
        f"{'m/dm' if dim == 'mass_resolution' else 'instrument':>12}" + "".join(f"{name:>15}" for _, name, _ in columns),
    ]
    for k, place in enumerate(result[dim].values):
        values = [float(result[name][k]) * factor for name, _, factor in columns]
        words = f"{place:g}" if dim == "mass_resolution" else str(place)
        lines.append(f"{words:>12}" + "".join(f"{'never' if np.isinf(v) else f'{v:.3g}':>15}" for v in values))
    if "resolution_needed" in result:
        value = float(result["resolution_needed"])
        lines.append(
            "m/dm needed with these counts: "
            + ("none is enough" if np.isnan(value) else "1 or less" if value <= 1.0 else f"{value:.3g}")
        )
    return lines


def _pair(text: str) -> tuple[str, str]:
    names = names_in(text)
    if len(names) != 2:
        raise SettingsError(f"--species {text}: give two ions, the major one first, such as Si+,Al+")
    return names[0], names[1]


def _demand(confidence: float | None, power: float | None) -> Demand:
    return Demand(**{name: v for name, v in (("confidence", confidence), ("power", power)) if v is not None})


def _peak(fraction: float | None, length: float | None, tail: float | None, width: float | None) -> MassPeak:
    given = {"tail_fraction": fraction, "tail_length": length, "tail_uncertainty": tail, "width_uncertainty": width}
    return MassPeak(default("group_resolution"), **{name: value for name, value in given.items() if value is not None})


def _setup(instrument: str | None, voltage: float | None, energy: float) -> Setup | None:
    if instrument is None:
        if voltage is not None or energy:
            raise SettingsError("--voltage and --energy belong to a named instrument; give --instrument, such as codif")
        return None
    return make_setup(instrument, None if voltage is None else voltage * KILO, energy * KILO)
