"""``siderion conjunctions``: when shocks, the Moon, spacecraft, activity and meteor showers line up."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import xarray as xr
from cyclopts import Parameter
from numpy.typing import NDArray

from siderion.cli.show import names_in, numbers_in, page_beside, print_json, write_page
from siderion.core.errors import DataError, SettingsError, explained
from siderion.core.species import get_species
from siderion.geospace.conjunction_evidence import Evidence, Track
from siderion.geospace.conjunction_score import ConjunctionCriteria
from siderion.geospace.conjunction_search import search_conjunctions, with_indices
from siderion.geospace.conjunctions import find_conjunctions
from siderion.geospace.event_lists import COUNTS, heavy_ion_events
from siderion.geospace.orbit import two_line_positions_gse
from siderion.io.celestrak import read_lines
from siderion.io.dst import read_dst
from siderion.io.event_list import read_event_list
from siderion.io.gse_track import read_gse_track
from siderion.io.omni import read_omni
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.solarwind.indices import load_indices

_SHOWER_DAYS = 3.0  # both showers of the footnotes of Table 4.3 are within it
_STATES = {-1: "?", 0: "no", 1: "yes"}


def conjunctions(
    *,
    events: Path | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    new_moon_days: float = 2.0,
    sector: int = 3,
    any_moon: Annotated[bool, Parameter(name="--any-moon", negative="")] = False,
    region: str | None = None,
    wake: Literal["inside", "outside"] | None = None,
    smallest_kp: float | None = None,
    largest_dst: float | None = None,
    activity_hours: float = 12.0,
    showers: str | None = None,
    shower_days: float | None = None,
    smallest_rate: float = 0.0,
    spacecraft: Path | None = None,
    kp: Path | None = None,
    dst: Path | None = None,
    imf: str | None = None,
    speed: float = 400.0,
    species: str = "Fe+",
    wake_reading: str = "spread",
    step: float = 60.0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Judge a list of events, or search a time span, and rank what is found; without options, the ten events of the review.

    Parameters
    ----------
    events
        CSV with the column time (UTC) and perhaps name, region, in_wake; the ten shocks of Table 4.3 of the review by default.
    from_
        Begin of a span (UTC). Without --events the span is searched for windows; with it, events outside are left out.
    to
        End of the span.
    new_moon_days
        Largest distance to new Moon, days.
    sector
        Sector of lunar local time, 1 to 6; 3 is around new Moon.
    any_moon
        Ask nothing of the Moon.
    region
        Regions of the spacecraft that count, such as solar_wind,magnetosheath.
    wake
        The spacecraft must be inside or outside of the wake of lunar ions; from --spacecraft, or as the list of events says.
    smallest_kp
        Smallest of the largest Kp around the event.
    largest_dst
        Largest of the smallest Dst around the event, nT, such as -50.
    activity_hours
        Hours before and after an event that count for Kp and Dst.
    showers
        Codes of meteor showers that count, such as ORI,AUR, or all; asks for a peak within --shower-days.
    shower_days
        Largest distance to the peak of a meteor shower, days; 3 with --showers.
    smallest_rate
        Smallest zenithal hourly rate of the showers that count.
    spacecraft
        CSV with time, x, y, z (GSE, km), or two-line elements (a name line may come first).
    kp
        File of Kp, of CelesTrak or GFZ; that of the package (2021-11 to 2025-03) by default.
    dst
        File of hourly Dst: exchange format of Kyoto, or CSV with time and dst.
    imf
        Field for the wake: BY,BZ or BX,BY,BZ in nT, GSE, or a file of OMNI hours (hour_start_utc, By_GSM, Bz_GSM, V, N);
        with --spacecraft.
    speed
        Speed of the solar wind, km s-1.
    species
        Ion whose wake is asked for, with --spacecraft.
    wake_reading
        What the wake is with --imf: spread (half cylinder of 2 gyroradii on the side of the electric field), cycloid, trajectory,
        symmetric or "two gyroradii" (see siderion.geospace.ion_wake).
    step
        Step of the search for region and wake, minutes.
    output
        NetCDF file; none by default. A page with figures goes beside it.
    no_report
        Do not make the page.
    json_
        Print the results as JSON.
    """
    page = None if output is None or no_report else page_beside(output)
    values = {
        "regions": tuple(name.lower().replace(" ", "_") for name in names_in(region)), "wake": wake, "smallest_kp": smallest_kp,
        "largest_dst": largest_dst, "activity_hours": activity_hours, "smallest_rate": smallest_rate,
        "showers": tuple(name for name in names_in(showers) if name.lower() != "all"),
        "shower_days": _SHOWER_DAYS if showers is not None and shower_days is None else shower_days,
        "new_moon_days": None if any_moon else new_moon_days, "sector": None if any_moon else sector,
    }  # fmt: skip
    criteria = ConjunctionCriteria.make(values)
    if spacecraft is None:
        _without_spacecraft(events, from_, wake, imf, species, wake_reading)
    evidence = _evidence(kp, dst, spacecraft, imf, speed, species, wake_reading)
    first, last = _moment(from_, "--from"), _moment(to, "--to")
    if events is None and (first is not None or last is not None):
        if first is None or last is None:
            raise SettingsError("a search needs both ends of the span; give --from and --to")
        if not 0.0 < step < np.inf:
            raise SettingsError(f"--step is {step}; it must be a positive number of minutes")
        result = search_conjunctions(first, last, criteria, evidence, np.timedelta64(round(step * 60.0), "s"))
        title = f"Windows from {from_} to {to}"
    else:
        listed = _within(heavy_ion_events() if events is None else read_event_list(events), first, last)
        result = find_conjunctions(listed, criteria, evidence)
        title = "Ten shocks near new Moon (Table 4.3 of the review)" if events is None else f"Events of {events.name}"
    files = {"events": events, "spacecraft": spacecraft, "kp": kp, "dst": dst}
    settings = {
        **criteria.model_dump(mode="json"), **{key: None if path is None else str(path) for key, path in files.items()},
        "from": from_, "to": to, "imf": imf, "speed_km_s": speed, "species": species,
        "wake_reading": wake_reading, "step_minutes": step,
    }  # fmt: skip
    result.attrs |= {
        "title": title,
        "kind": "siderion conjunctions",
        "settings": json.dumps(settings),
        "sources": json.dumps(_sources(evidence, criteria, events is None and "event" in result.dims)),
        "siderion_version": version("siderion"),
    }
    if output is not None:
        whole = result if "event" in result.dims or first is None or last is None else with_indices(result, first, last, evidence)
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(whole, temporary)
        if page is not None:
            write_page(render_report(whole), page)
    if json_:
        print_json("conjunctions", settings, result)
        return
    print("\n".join(_event_text(result) if "event" in result.dims else _window_text(result)))
    if output is not None:
        print(f"wrote {output}" + (f" and {page}" if page else ""))


def _without_spacecraft(
    events: Path | None, from_: str | None, wake: str | None, imf: str | None, species: str, reading: str
) -> None:
    """Refuse options that ask for the place of a spacecraft where none is given."""
    given = {"--imf": imf is not None, "--species": species != "Fe+", "--wake-reading": reading != "spread"}
    unused = [name for name, used in given.items() if used]
    if unused:
        raise SettingsError(
            f"{', '.join(unused)}: the wake is computed for the place of a spacecraft, and none is given: it would not be "
            "used; give --spacecraft, or leave it out"
        )
    if wake is not None and events is None and from_ is not None:
        raise SettingsError(f"--wake {wake}: a search needs the place of the spacecraft; give --spacecraft, or leave it out")


def _evidence(
    kp: Path | None, dst: Path | None, spacecraft: Path | None, imf: str | None, speed: float, species: str, reading: str
) -> Evidence:
    if get_species(species).charge_number <= 0:
        raise SettingsError(f"--species {species}: only positive ions are picked up; give one such as Fe+")
    if not 0.0 < speed < np.inf:
        raise SettingsError(f"--speed is {speed:g}; it must be a positive number of km s-1")
    field, wind = None, None
    if imf is not None and Path(imf).is_file():
        wind = read_omni(imf)
    elif imf is not None:
        numbers = numbers_in([imf], "--imf")
        if len(numbers) not in (2, 3):
            raise SettingsError(f"--imf {imf}: write BY,BZ or BX,BY,BZ in nT, or give a file that exists")
        field = (0.0, *numbers)[-3:]
    return Evidence(
        kp=_kp(kp),
        dst=None if dst is None else read_dst(dst),
        track=None if spacecraft is None else _track(spacecraft),
        imf=None if field is None else (field[0], field[1], field[2]),
        wind=wind,
        speed=speed,
        species=species,
        reading=reading,
    )


def _kp(path: Path | None) -> xr.Dataset:
    if path is None:
        return load_indices()
    return load_indices(path, "celestrak" if read_lines(path)[0].startswith("DATATYPE") else "gfz")


def _track(path: Path) -> Track:
    """Positions of a table, or a function for two-line elements."""
    lines = [line.rstrip() for line in read_lines(path) if line.strip()]
    elements = [line for line in lines if line.startswith(("1 ", "2 "))]
    if len(elements) != 2 or len(lines) > 3:
        return read_gse_track(path)

    def positions(times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        return two_line_positions_gse(elements, times) / 1e3

    return positions


def _moment(text: str | None, option: str) -> np.datetime64 | None:
    if text is None:
        return None
    try:
        if not text[:4].isdigit():
            raise ValueError
        return np.datetime64(text.removesuffix("Z"), "ns")
    except ValueError:
        raise SettingsError(f"{option} {text}: write an ISO time (UTC), such as 2023-01-01 or 2023-01-01T06:00") from None


def _within(events: xr.Dataset, first: np.datetime64 | None, last: np.datetime64 | None) -> xr.Dataset:
    times = events["event_time"].values
    keep = np.ones(len(times), dtype=bool)
    keep &= True if first is None else times >= first
    keep &= True if last is None else times <= last
    if not keep.any():
        raise DataError(f"no event of the list lies between {first} and {last}; widen --from and --to")
    return events.isel(event=np.flatnonzero(keep))


def _sources(evidence: Evidence, criteria: ConjunctionCriteria, table: bool) -> list[dict[str, str]]:
    rows = [
        ("Moon and Sun", "series of Meeus, IAU SOFA moon98 and epv00", "verified", "IAU SOFA"),
        (
            "distance to new Moon and sector",
            "two days, sector 3",
            "verified",
            "Yamauchi et al. review, section 4.1; Christon et al. 2020",
        ),
    ]
    if table:
        rows.append(("events, place of Geotail and counts", "Table 4.3", "verified", "Yamauchi et al. review"))
    if criteria.shower_days is not None:
        rows.append(("meteor showers", "working list", "unverified", "siderion/geospace/tables/meteor_showers.csv"))
    for what, data in (("Kp", evidence.kp), ("Dst", evidence.dst), ("solar wind", evidence.wind)):
        if data is not None:
            rows.append((what, "as measured", "verified", str(data.attrs.get("source", ""))))
    if evidence.track is not None:
        rows.append(("region and wake", "boundary models of the Earth, wake of lunar ions", "computed",
                     "siderion/geospace/tables/boundaries.csv; docs/conjunctions.md"))  # fmt: skip
    return [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in rows]


def _event_text(result: xr.Dataset) -> list[str]:
    names = [str(name) for name in result["criterion"].values]
    lines = [
        result.attrs["title"],
        f"{'rank':>4} {'time':>16} {'new Moon':>16} {'days':>6} {'LLT h':>6} {'sector':>6} {'region':>14} {'wake':>5}  "
        + " ".join(f"{name:>8}" for name in names),
    ]
    for k in np.argsort(result["rank"].values):
        one = result.isel(event=int(k))
        states = " ".join(f"{_STATES[int(state)]:>8}" for state in one["criterion_state"].values)
        lines.append(
            f"{int(one['rank']):>4} {_time(one['event_time'])} {_time(one['new_moon_time'])} "
            f"{float(one['days_from_new_moon']):6.2f} {float(one['lunar_local_time']):6.2f} {int(one['lunar_sector']):>6} "
            f"{one['event_region'].values!s:>14} {_STATES[int(one['in_lunar_wake'])]:>5}  {states}"
        )
    days = np.abs(result["days_from_new_moon"].values)
    lines.append(
        f"{int((days <= 2.0).sum())} of {len(days)} events are within 2 days of new Moon (at most {days.max():.2f} days); "
        f"{int((result['lunar_sector'].values == 3).sum())} have the Moon in sector 3"
    )
    if COUNTS[0] in result:
        lines.append("region, wake and counts are those of the table: the place of Geotail is not computed")
    lines += _summary(result)
    return lines


def _summary(result: xr.Dataset) -> list[str]:
    """Met, not met and unknown of every criterion."""
    states, words = result["criterion_state"].values, ((1, "met"), (0, "not"), (-1, "unknown"))
    return [
        f"{name}: " + ", ".join(f"{int((states[:, k] == state).sum())} {word}" for state, word in words)
        for k, name in enumerate(result["criterion"].values)
    ]


def _window_text(result: xr.Dataset) -> list[str]:
    lines = [
        f"{result.attrs['title']}: {result.sizes['window']} windows for {', '.join(map(str, result['criterion'].values))}",
        f"{'rank':>4} {'start':>16} {'end':>16} {'hours':>7} {'days':>6} {'LLT h':>6} {'Kp':>5} {'Dst':>6} {'state':>8}",
    ]
    for k in range(result.sizes["window"]):
        one = result.isel(window=k)
        kp, dst = float(one["largest_kp"]), float(one["smallest_dst"])
        lines.append(
            f"{int(one['rank']):>4} {_time(one['window_start'])} {_time(one['window_end'])} {float(one['window_hours']):7.1f} "
            f"{float(one['days_from_new_moon']):6.2f} {float(one['lunar_local_time']):6.2f} "
            f"{'-' if np.isnan(kp) else f'{kp:.1f}':>5} {'-' if np.isnan(dst) else f'{dst:.0f}':>6} "
            f"{'met' if int(one['window_state']) == 1 else 'unknown':>8}"
        )
    return lines


def _time(array: xr.DataArray) -> str:
    return str(np.datetime_as_string(array.values, unit="m"))
