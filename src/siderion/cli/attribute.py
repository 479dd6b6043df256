"""``siderion attribute``: odds of solar wind, ionosphere, metal layer and Moon for what was counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import names_in, numbers_in, page_beside, print_json, write_page
from siderion.core.errors import SettingsError, explained
from siderion.inference.attribution.channels import parse_channel
from siderion.inference.attribution.context import Context
from siderion.inference.attribution.observation import Observation, equivalent_counts
from siderion.inference.attribution.result import attribute as attribute_counts
from siderion.inference.attribution.ten_events import all_events, event_names, event_observations
from siderion.inference.attribution.verdict import bounded
from siderion.inference.chain import exposure_of
from siderion.io.attribution_input import MeasuredCounts, parse_counts, read_attribution_input
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.spectrometer.instruments import get_instrument

_HOUR = 3600.0


def attribute(
    file: Path | None = None,
    *,
    counts: str | None = None,
    instrument: str = "stics",
    region: str | None = None,
    time: str | None = None,
    moon_sector: int | None = None,
    in_wake: bool | None = None,
    kp: float | None = None,
    dst: float | None = None,
    imf: str | None = None,
    position: str | None = None,
    speed: float | None = None,
    density: float | None = None,
    energy: str | None = None,
    shock: bool | None = None,
    shower: bool | None = None,
    duration: float | None = None,
    mass_resolution: float | None = None,
    spectrum: int = 0,
    table_4_3: Annotated[bool, Parameter(name="--table-4-3", negative="")] = False,
    prior: str | None = None,
    threshold: float = 10.0,
    dispersion: float = 1.0,
    year: float | None = None,
    wind: str = "slow",
    samples: int = 2000,
    seed: int = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Odds of solar wind, ionosphere, metal layer and Moon for a measured spectrum, and what would decide best.

    Parameters
    ----------
    file
        TOML or CSV with counts, or the output of siderion spectrum.
    counts
        Counts by channel in place of a file, such as "N2+=30,Fe+=12,K+=<3"; also groups (N2+/NO+/O2+), highly charged ions
        (Fe high) and windows (m>34, m/q 39-46).
    instrument
        Gives mass resolution, energies and sensitivity.
    region
        solar wind, magnetosheath or magnetosphere, or two joined by " to "; solar wind by default.
    time
        UTC; gives the sector of the Moon, and the year for debris.
    moon_sector
        Sector of the lunar local time, 1 to 6 (3: new Moon), in place of the time.
    in_wake
        Whether the place is in the wake of lunar ions.
    kp
        Kp.
    dst
        Dst, nT, where Kp is not known.
    imf
        Magnetic field in GSE, such as 3,-4,2.
    position
        Place in GSE, radii of the Earth, such as 20,5,0.
    speed
        Solar wind, km/s.
    density
        Solar wind, cm-3.
    energy
        Energies that were counted, keV per charge, such as 87:212; those of the instrument by default.
    shock
        After an interplanetary shock or a stream interaction.
    shower
        During a meteor shower.
    duration
        Counting time, h; 12 by default.
    mass_resolution
        m/dm in place of that of the instrument.
    spectrum
        Which spectrum of a file of siderion spectrum.
    table_4_3
        Evaluate the ten events of Table 4.3 of the review, each and together.
    prior
        Priors separated by commas; all by default (budget,equal,wide).
    threshold
        Odds from which a source is named, under every prior.
    dispersion
        Variance of the counts over their mean; 1 for Poisson.
    year
        For debris; that of the time, or 2004, by default.
    wind
        Charge states of the wind: slow, fast or cme.
    samples
        Samples of the posterior.
    seed
        Of the random numbers.
    output
        NetCDF file; a page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    page = None if no_report or output is None else page_beside(output)
    options: dict[str, Any] = {
        "priors": names_in(prior) or None, "threshold": threshold, "samples": samples, "seed": seed, "dispersion": dispersion,
        "wind": wind, "year": year if year is not None else _year(time),
    }  # fmt: skip
    given = {
        "region": region, "time": time, "moon_sector": moon_sector, "in_wake": in_wake, "kp": kp, "dst": dst,
        "imf": _triple(imf, "--imf"), "position": _triple(position, "--position"), "speed": speed, "density": density,
        "energy": _range(energy), "shock": shock, "shower": shower, "duration": duration, "mass_resolution": mass_resolution,
    }  # fmt: skip
    given = {key: value for key, value in given.items() if value is not None}
    if table_4_3:
        if file is not None or counts is not None or given:
            raise SettingsError("--table-4-3 brings its own counts and context; leave the file, --counts and the context out")
        result, settings, lines = _table(options)
    else:
        measured = _measured(file, counts, spectrum)
        result = attribute_counts([_observation(one, given, instrument) for one in measured], **options)
        settings = {"file": str(file or ""), "counts": counts, "instrument": instrument, **given}
        lines = _text(result)
    result.attrs["settings"] = json.dumps(settings | json.loads(result.attrs["settings"]))
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(result, temporary)
    if page is not None:
        write_page(render_report(result), page)
    if json_:
        shown = result.assign(verdict=((), result.attrs["verdict"]), verdict_reason=((), result.attrs["verdict_reason"]))
        print_json("attribute", json.loads(result.attrs["settings"]), shown)
        return
    print("\n".join(lines))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _measured(file: Path | None, counts: str | None, spectrum: int) -> list[MeasuredCounts]:
    if (file is None) == (counts is None):
        raise SettingsError("give a file or --counts, one of the two, such as --counts 'N2+=30,Fe+=12'; or --table-4-3")
    return read_attribution_input(file, spectrum=spectrum) if file is not None else [parse_counts(counts or "")]


def _observation(measured: MeasuredCounts, given: Mapping[str, Any], instrument: str) -> Observation:
    """One observation; what is given on the command line stands before what is in the file, but not for a control."""
    values = {**given, **measured.context} if measured.is_control else {**measured.context, **given}
    device = get_instrument(instrument)
    duration = float(values.pop("duration", 12.0)) * _HOUR
    resolution = float(values.pop("mass_resolution", device.mass_resolution))
    energy = values.pop("energy", (device.minimum_energy / 1e3, device.maximum_energy / 1e3))
    for name, factor in (("speed", 1e3), ("density", 1e6)):
        if name in values:
            values[name] = float(values[name]) * factor
    if "time" in values:
        values["time"] = _time(values["time"])
    for name in ("imf", "position"):
        if name in values:
            values[name] = tuple(map(float, values[name]))
    context = Context(energy=(float(energy[0]) * 1e3, float(energy[1]) * 1e3), **values)
    pairs = [
        (value, 1.0) if not limit and not np.isfinite(lower) else equivalent_counts(value, lower, upper, is_limit=limit)
        for value, lower, upper, limit in zip(measured.counts, measured.lower, measured.upper, measured.is_limit, strict=True)
    ]
    channels = tuple(map(parse_channel, measured.channels))
    exposure = exposure_of(device, duration)
    return Observation(
        channels, np.array([pair[0] for pair in pairs]), context, exposure, np.array([pair[1] for pair in pairs]),
        mass_resolution=resolution, is_target=not measured.is_control,
    )  # fmt: skip


def _table(options: dict[str, Any]) -> tuple[xr.Dataset, dict[str, Any], list[str]]:
    """The ten events one by one, and together."""
    names = event_names()
    quick = {**options, "samples": min(options["samples"], 800), "further": False}
    single = [attribute_counts(event_observations(name), **quick) for name in names]
    whole = attribute_counts(all_events(), **options)
    odds = xr.concat([one["posterior_odds"] for one in single], dim="event").rename("event_odds")
    whole["event_odds"] = odds.assign_coords(event=list(names))
    whole["event_odds"].attrs = {"units": "1", "long_name": "odds that the source supplies the most, by event"}
    whole["event_verdict"] = ("event", [one.attrs["verdict"] for one in single], {"long_name": "verdict on the event alone"})
    whole.attrs["title"] = "Odds of the sources of the ten events of Table 4.3"
    lines = ["event              verdict       highest odds by prior"]
    for name, one in zip(names, single, strict=True):
        best = [f"{p}: {_leader(one, p)}" for p in one["prior"].values]
        lines.append(f"{name}   {one.attrs['verdict']:12}  {'; '.join(best)}")
    return whole, {"table": "4.3", "events": list(names)}, [*lines, "", "all together:", *_text(whole)]


def _leader(result: xr.Dataset, prior: str) -> str:
    odds = result["posterior_odds"].sel(prior=prior)
    k = int(np.argmax(odds.values))
    return f"{odds['origin'].values[k]} {bounded(float(odds[k]), float(result['odds_bound'].sel(prior=prior)[k]))}"


def _text(result: xr.Dataset) -> list[str]:
    """Odds, priors, verdict, and what would decide."""
    lines = ["prior    source        prior prob.  expected counts          Bayes factor  probability (error)  odds       share"]
    for prior in result["prior"].values:
        for origin in result["origin"].values:
            one = result.sel(prior=prior, origin=origin)
            lines.append(
                f"{prior:8} {origin:12}  {float(one['prior_probability']):<11.3g}  {_ends(one, 'prior_counts', '.2g'):23}  "
                f"{_bounded(one, 'bayes_factor', 'bayes_factor_bound'):12}  {_with_error(one):19}  "
                f"{_bounded(one, 'posterior_odds', 'odds_bound'):9}  {_ends(one, 'count_share', '.2f')}"
            )
        spread = float(result["log_evidence_spread"].sel(prior=prior))
        lines.append(f"{'':8} log evidence of independent runs differs by {spread:.2g}")
        lines.append(f"{'':8} the lead in this prior rests most on: {result['rests_on'].sel(prior=prior).item()}")
    lines += [f"verdict: {result.attrs['verdict']}", f"  {result.attrs['verdict_reason']}"]
    if "candidate" in result:
        lines.append(
            f"what would decide best (of {float(result['leader_entropy']):.2f} bits that are open, all priors together):"
        )
        for name in result["candidate"].values:
            one = result.sel(candidate=name)
            lines.append(
                f"  {float(one['information_gain']):.2f} bits, decides in {100 * float(one['decided_probability']):.0f} %: "
                f"{name} ({one['candidate_meaning'].item()})"
            )
    return [
        *lines,
        "Most numbers behind the priors are assumed (unverified): see the tables attribution_*.csv and docs/attribution.md.",
    ]


def _bounded(one: xr.Dataset, name: str, bound: str) -> str:
    return bounded(float(one[name]), float(one[bound]))


def _with_error(one: xr.Dataset) -> str:
    return f"{float(one['leading_probability']):.3f} ({float(one['sampling_error']):.3f})"


def _ends(one: xr.Dataset, name: str, form: str) -> str:
    value, lower, upper = (float(one[name + end]) for end in ("", "_lower", "_upper"))
    return f"{value:{form}} ({lower:{form}} to {upper:{form}})"


def _time(text: Any) -> np.datetime64:
    try:
        return np.datetime64(str(text).replace(" ", "T").removesuffix("Z"), "ns")
    except ValueError:
        raise SettingsError(f"time {text!r}: write it as 2004-01-22T01:10 (UTC)") from None


def _year(time: str | None) -> float:
    return 2004.0 if time is None else float(_time(time).astype("datetime64[Y]").astype(int) + 1970)


def _triple(text: str | None, option: str) -> list[float] | None:
    if text is None:
        return None
    numbers = numbers_in([text], option)
    if len(numbers) != 3:
        raise SettingsError(f"{option} is {text}; give three numbers, such as 3,-4,2")
    return numbers


def _range(text: str | None) -> list[float] | None:
    if text is None:
        return None
    low, _, high = text.partition(":")
    try:
        return [float(low), float(high)]
    except ValueError:
        raise SettingsError(f"--energy is {text}; give lower:upper in keV per charge, such as 87:212") from None
