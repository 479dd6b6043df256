"""``siderion spectrum``: counts of species from time-of-flight spectra, with intervals and limits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from cyclopts import App, Parameter

from siderion.cli.show import names_in, page_beside, print_json, write_page
from siderion.cli.spectrum_text import fit_lines, kilo, odds_lines, pairs_in, tail_in, unverified_line
from siderion.core.errors import SettingsError, explained
from siderion.io.spectrum_table import edges_from_centres, read_spectra
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file

Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]
Json = Annotated[bool, Parameter(name="--json", negative="")]

spectrum = App(name="spectrum", help="Fit time-of-flight spectra: counts by species, intervals, limits; simulate them too.")

_METHODS = [
    {"what": "intervals", "model": "profile likelihood of Poisson counts", "confidence": "computed",
     "citation": "validation/test_spectrum_fit.py"},
    {"what": "tail error", "model": "relative error of the tail under another peak", "confidence": "computed",
     "citation": "measured against the Monte Carlo of the foil, validation/test_spectrum_fit.py"},
]  # fmt: skip


@spectrum.default
def fit(
    file: Path,
    *,
    species: str = "O+,N+,O2+",
    instrument: str = "codif",
    voltage: str | None = None,
    energy: str = "0",
    foil: float | None = None,
    foil_model: Literal["fit", "stopping"] = "fit",
    calibration: Path | None = None,
    calibration_species: str = "O+",
    calibration_energy: str | None = None,
    tail: str = "mixture",
    tail_error: float | None = None,
    background: float | None = None,
    time_scale_prior: float = 0.01,
    confidence: float = 0.95,
    detection_level: float = 3.0,
    shape: str = "auto",
    candidates: str | None = None,
    prior: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    output: Output = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Json = False,
) -> None:
    """Fit spectra: counts of each species with intervals; upper limits where nothing is seen.

    Parameters
    ----------
    file
        CSV with the columns tof_ns (centre of the bin) and counts; with a column spectrum many of them, with a column energy_ev a
        histogram of energy and time that is fitted jointly. Or NetCDF with counts and tof_ns.
    species
        Ions that may be there, separated by commas; the first one is what ratios refer to.
    instrument
        codif, stics, hpca, irm, static, ima, esa-tof.
    voltage
        Post-acceleration, kV (or 16kV, 16000V); the usual one of the instrument by default.
    energy
        Energy per charge of the ions, keV (or 100eV).
    foil
        Carbon foil, ug/cm2; that of the instrument by default.
    foil_model
        Foil loss below 15.1 keV: fit (the formula of the ground software, continued) or stopping (stopping laws). The time of the
        O2+ fragment at 16 kV differs by 4.7 % between them; see docs/instruments.md.
    calibration
        Spectrum of an interval with one species only, which fixes the shape of the peaks; CSV or NetCDF as above.
    calibration_species
        That species.
    calibration_energy
        Energy per charge of that interval, keV; that of --energy by default.
    tail
        mixture (fitted), exponential (fitted), power (fitted), none, or the relative constant of a fixed exponential.
    tail_error
        Relative error of the tail of one species under the peak of another; 0.1, or 0.03 with a calibration, by default.
    background
        Accidental events per bin, if known; fitted by default.
    time_scale_prior
        Standard deviation of the common factor on the computed times.
    confidence
        Of the upper limits.
    detection_level
        Standard deviations below which a species is given as an upper limit.
    shape
        Of many spectra: shared (fitted to their sum), each, or auto (shared from 20 spectra on).
    candidates
        Ions with about the same mass, of which one is there, such as Al+,Si+,N2+: posterior odds between them.
    prior
        Prior weights of candidates, such as N2+=5; 1 by default.
    output
        NetCDF file, with a page beside it; none by default.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    from siderion.spectrometer.fit import FitSettings
    from siderion.spectrometer.fit.calibration import calibration_channel
    from siderion.spectrometer.forward import setup_sources
    from siderion.spectrometer.instruments import make_setup

    page = None if output is None or no_report else page_beside(output)
    if shape not in ("auto", "shared", "each"):
        raise SettingsError(f"--shape is {shape}; it must be auto, shared or each")
    chosen = FitSettings(tail_in(tail), background, time_scale_prior, confidence, detection_level, tail_error=tail_error)
    volts = None if voltage is None else kilo(voltage, "--voltage", "V")
    setup = make_setup(instrument, volts, kilo(energy, "--energy", "eV"), foil, foil_model)
    data = read_spectra(file)
    edges = edges_from_centres(data["tof_ns"].values) * 1e-9
    known, there = None, setup
    if calibration is not None:
        if calibration_energy is not None:
            there = replace(setup, energy_per_charge=kilo(calibration_energy, "--calibration-energy", "eV"))
        other = read_spectra(calibration)
        known = calibration_channel(
            other["counts"].sum(str(other["counts"].dims[0])).values, edges_from_centres(other["tof_ns"].values) * 1e-9, there,
            calibration_species,
        )  # fmt: skip
    names = names_in(species)
    result = _fitted(data, edges, names, setup, chosen, known, shape)
    odds, rivals, weights = None, names_in(candidates), pairs_in(prior or [], "--prior")
    if candidates is not None:
        odds = _odds(data, edges, rivals, names, setup, chosen, known, weights)
        result = xr.merge([result, odds], combine_attrs="drop_conflicts").assign_attrs(result.attrs | odds.attrs)
    settings = {
        "file": str(file), "species": names, "instrument": instrument, "voltage_v": setup.voltage,
        "energy_per_charge_ev": setup.energy_per_charge, "foil_thickness_ug_cm2": setup.foil_thickness,
        "foil_model": setup.foil_model, "calibration": str(calibration or ""),
        "calibration_species": None if known is None else calibration_species,
        "calibration_energy_per_charge_ev": None if known is None else there.energy_per_charge,
        "candidates": rivals, "prior": weights, "shape": shape, **chosen.as_dict(),
    }  # fmt: skip
    notes = json.loads(result.attrs["notes"])
    if data.attrs.get("fractional"):
        notes.append("counts are not whole numbers: intervals hold for raw counts only")
    inputs = setup_sources(setup)
    sources = [*inputs, *_METHODS]
    result.attrs |= {"settings": json.dumps(settings), "sources": json.dumps(sources), "notes": json.dumps(notes)}
    _write(result, output, page)
    if json_:
        verdict = {"verdict": odds.attrs["verdict"]} if odds is not None else {}
        print_json("spectrum", settings | {"notes": notes, "sources": sources} | verdict, result)
        return
    print("\n".join(fit_lines(result) + (odds_lines(odds) if odds is not None else []) + [unverified_line(inputs, output)]))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


@spectrum.command
def simulate(
    *,
    species: Annotated[list[str], Parameter(consume_multiple=True)],
    instrument: str = "codif",
    voltage: str | None = None,
    energy: str = "0",
    foil: float | None = None,
    foil_model: Literal["fit", "stopping"] = "fit",
    shape: str = "montecarlo",
    width: float = 0.02,
    tail: float = 0.03,
    background: float = 0.0,
    first: float | None = None,
    last: float | None = None,
    bins: int | None = None,
    seed: int = 0,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("counts.csv"),
    json_: Json = False,
) -> None:
    """Simulate the spectrum of a mixture of ions; the file is what the fit takes.

    Parameters
    ----------
    species
        Expected counts, such as O+=1e4,O2+=100.
    instrument
        As in the fit.
    voltage
        Post-acceleration, kV.
    energy
        Energy per charge, keV.
    foil
        Carbon foil, ug/cm2.
    foil_model
        As in the fit.
    shape
        montecarlo (each ion through the foil), exponential or power.
    width
        Relative width of the Gaussian of the analytic shapes.
    tail
        Relative constant of the exponential, or share of events in the power tail.
    background
        Accidental events per bin.
    first
        Begin of the first bin, ns; that of the instrument by default.
    last
        End of the last bin, ns.
    bins
        Number of bins; half a nanosecond each by default if --first and --last are given, else that of the instrument.
    seed
        Seed of the random numbers.
    output
        CSV file (tof_ns, counts), or NetCDF with the expected counts by its ending .nc.
    json_
        Print the results as JSON.
    """
    from siderion.spectrometer.forward import simulate_spectrum
    from siderion.spectrometer.instruments import make_setup
    from siderion.spectrometer.peaks import PeakShape

    if shape not in ("montecarlo", "exponential", "power"):
        raise SettingsError(f"--shape is {shape}; it must be montecarlo, exponential or power")
    mixture = pairs_in(species, "--species")
    volts = None if voltage is None else kilo(voltage, "--voltage", "V")
    setup = make_setup(instrument, volts, kilo(energy, "--energy", "eV"), foil, foil_model)
    edges = setup.time_edges() if first is None and last is None else _edges(first, last, bins)
    if first is None and last is None and bins is not None:
        edges = np.linspace(edges[0], edges[-1], bins + 1)
    form: Any = "montecarlo" if shape == "montecarlo" else PeakShape(shape, width, tail)
    whole = output.suffix == ".nc" or json_
    result = simulate_spectrum(mixture, edges, setup, shape=form, background=background, seed=seed, with_expected=whole)
    sources = json.loads(result.attrs["sources"])
    settings = {
        "species": mixture, "instrument": instrument, "voltage_v": setup.voltage, "energy_per_charge_ev": setup.energy_per_charge,
        "foil_thickness_ug_cm2": setup.foil_thickness, "foil_model": setup.foil_model, "shape": shape, "background": background,
        "seed": seed, "sources": sources,
    }  # fmt: skip
    with explained(output), atomic_file(output) as temporary:
        if output.suffix == ".nc":
            write_netcdf(result, temporary)
        else:
            table = np.column_stack([result["tof_ns"].values, result["counts"].values])
            np.savetxt(temporary, table, fmt=["%.6g", "%d"], delimiter=",", header="tof_ns,counts", comments="")
    if json_:
        print_json("spectrum simulate", settings, result)
        return
    total = ", ".join(f"{name} {value:g}" for name, value in mixture.items())
    print(f"{setup.instrument.title}: {total}; {float(result['counts'].sum()):.0f} counts in {result.sizes['tof']} bins")
    print(unverified_line(sources, output if output.suffix == ".nc" else None))
    print(f"wrote {output}")


def _edges(first: float | None, last: float | None, bins: int | None) -> np.ndarray:
    if first is None or last is None:
        raise SettingsError(f"--{'first' if first is None else 'last'} is missing; give both --first and --last, in ns")
    if not 0.0 <= first < last < np.inf:
        raise SettingsError(f"--first is {first:g}, --last is {last:g}, ns; --first is at least 0, --last is larger")
    number = bins if bins is not None else round((last - first) / 0.5)
    if not 5 <= number <= 100_000:
        what = f"--bins is {number}" if bins is not None else f"--first {first:g} --last {last:g} make {number} bins of 0.5 ns"
        raise SettingsError(f"{what}; there must be 5 to 100 000 bins: give another range or --bins")
    return np.asarray(np.linspace(first, last, number + 1)) * 1e-9


def _fitted(data: xr.Dataset, edges: np.ndarray, names: list[str], setup: Any, chosen: Any, known: Any, shape: str) -> xr.Dataset:
    """Single, batch or joint fit."""
    from siderion.spectrometer.fit import fit_spectra

    if "energy_ev" in data.coords:
        from siderion.spectrometer.fit.joint import fit_energy_time

        if known is not None:
            raise SettingsError("--calibration does not go with a histogram of energy and time; leave it out")
        return fit_energy_time(data["counts"].values, data["energy_ev"].values, edges, names, setup, chosen)
    share = {"auto": None, "shared": True, "each": False}[shape]
    labels = [str(label) for label in data["spectrum"].values]
    return fit_spectra(data["counts"].values, edges, names, setup, chosen, calibration=known, labels=labels, share_shape=share)


def _odds(
    data: xr.Dataset,
    edges: np.ndarray,
    candidates: list[str],
    names: list[str],
    setup: Any,
    chosen: Any,
    known: Any,
    priors: dict,
) -> xr.Dataset:
    from siderion.spectrometer.fit.confusion import species_odds

    if "energy_ev" in data.coords or data.sizes["spectrum"] != 1:
        raise SettingsError("--candidates takes one spectrum of times; give a file with one")
    return species_odds(data["counts"].values[0], edges, candidates, names, setup, chosen, priors=priors, calibration=known)


def _write(result: xr.Dataset, output: Path | None, page: Path | None) -> None:
    if output is None:
        return
    with explained(output), atomic_file(output) as temporary:
        write_netcdf(result, temporary)
    if page is not None:
        from siderion.report import render_report

        write_page(render_report(result), page)
