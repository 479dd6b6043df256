"""``siderion waves``: magnetometer files to ion cyclotron waves and densities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import names_in, page_beside, parse_overrides, print_json, progress_report, write_page
from siderion.core.bodies import get_body
from siderion.core.errors import SettingsError
from siderion.jobs.progress import ProgressEvent
from siderion.jobs.settings import merged, read_toml
from siderion.report import render_report
from siderion.waves.analysis import make_wave_settings
from siderion.waves.criteria import Rejection
from siderion.waves.survey import survey_waves

_NOT_JUDGED = {
    "region_source": "foreshock waves could not be told from waves of He+ and heavier ions, the region being",
    "fixed_line_search": "tones of the spacecraft could not be told from waves, the search for them being",
}
_MOST_EVENTS = 30
"""Events that are printed; all of them are in the file."""


def waves(
    *files: Path,
    body: str | None = None,
    species: str | None = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("events.nc"),
    settings: Path | None = None,
    convention: str | None = None,
    region: str | None = None,
    regions: Path | None = None,
    spin_period: float | None = None,
    plasma_density: float | None = None,
    flow_speed: float | None = None,
    flow_direction: tuple[float, float, float] | None = None,
    ion_mass: float | None = None,
    photo_rate: str | None = None,
    charge_exchange: Annotated[bool | None, Parameter(negative="")] = None,
    electron_impact: float | None = None,
    distance: float | None = None,
    body_radius: float | None = None,
    frame: str | None = None,
    units: str | None = None,
    position_units: str | None = None,
    file_format: str | None = None,
    columns: str | None = None,
    disorder: str = "repair",
    duplicates: str = "repair",
    files_per_part: int = 1,
    skip_failed: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set")] = None,
    no_report: Annotated[bool, Parameter(name="--no-report", negative="")] = False,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Find ion cyclotron waves of pick-up ions and derive the densities of ions and neutrals.

    The output has the groups /windows (every window and ion, with the reason where there is no detection), /events and
    /examples; a page with figures goes beside it. Many files are taken one after the other (or --workers at a time);
    the same command again goes on where it was stopped.

    Parameters
    ----------
    files
        Magnetometer files: PDS3 (.TAB or .LBL), PDS4 (.xml), MAVEN .sts, CDF, CSV or text tables.
    body
        Body, such as mercury; its preset gives radius, distance and plasma.
    species
        Ions and groups separated by commas, such as H+,H2+,He+ or "water group",Cl-; those expected at the body by default.
    output
        NetCDF file; events.nc by default.
    settings
        TOML file with settings; the other options win over it.
    convention
        Factors of the densities: lammer2025 (default), schmid2022, delva2009.
    region
        Only windows of solar_wind, magnetosheath or magnetosphere count; all by default.
    regions
        CSV file with boundary crossings, in place of boundary models.
    spin_period
        Period of rotation of the spacecraft, s; its harmonics are masked.
    plasma_density
        Plasma ions per cm3, in place of the preset.
    flow_speed
        Speed of the plasma relative to the Sun (or to the moon), km/s, in place of the preset.
    flow_direction
        Direction the plasma flows to, in the frame of the field: three numbers.
    ion_mass
        Mean mass of the plasma ions, amu, in place of protons or of the preset.
    photo_rate
        Ionisation rates at the body, s-1, in place of the tables, by ion, such as Li+=1e-3 or H+=5e-7,He+=4e-7.
    charge_exchange
        Add charge exchange with solar wind protons (H and D).
    electron_impact
        Rate of ionisation by electrons that is added, s-1 at the body.
    distance
        Distance from the Sun, au; from the date for planets and moons.
    body_radius
        Radius of the body, km, in place of the preset.
    frame
        Frame of field and position where the file does not name it, such as MSO.
    units
        Units of the field where the file does not name them, such as nT.
    position_units
        Units of the position where the file does not name them: km, or R for radii of the body.
    file_format
        Format of the files, where it is not recognised.
    columns
        Columns of a table without a header, such as time,bx,by,bz,x,y,z; or the variable of a CDF file.
    disorder
        What to do with times out of order: repair or refuse.
    duplicates
        What to do with times that occur twice: repair or refuse.
    files_per_part
        Files that are read together, where they hold less than an orbit or a day.
    skip_failed
        Leave out files that cannot be analysed, and name them in the output.
    workers
        Files at the same time, in processes of their own.
    scheduler
        Address of a Dask cluster.
    set_
        Any setting by its full name, such as detection.criteria.polarization_degree=0.8; may be given several times.
    no_report
        Do not make the page.
    json_
        Print the events as JSON.
    """
    given = {
        "body": body, "convention": convention, "distance": distance, "body_radius": body_radius,
        "species": None if species is None else names_in(species),
        "region.keep": region, "detection.rejection.spin_period": spin_period, "plasma.density": plasma_density,
        "plasma.speed": flow_speed, "plasma.flow_direction": flow_direction, "plasma.ion_mass": ion_mass,
        "plasma.photo_rate": _photo_rates(photo_rate), "plasma.charge_exchange": charge_exchange,
        "plasma.electron_impact": electron_impact,
    }  # fmt: skip
    values = merged(read_toml(settings) if settings else {}, _nested(given))
    chosen = make_wave_settings(merged(values, parse_overrides(tuple(set_ or ()))))
    reading = {
        "body": get_body(chosen.body).name, "frame": frame, "file_format": file_format,
        "units": {key: value for key, value in (("magnetic_field", units), ("position", position_units)) if value} or None,
        "columns": columns,
        "disorder": disorder, "duplicates": duplicates,
    }  # fmt: skip
    if workers is None and scheduler is None:
        scheduler = "synchronous"
    page = None if no_report else page_beside(output)
    with progress_report(quiet=json_) as report:
        tree = survey_waves(
            files, chosen, output, reading={key: value for key, value in reading.items() if value is not None},
            crossings=regions, files_per_part=files_per_part, scheduler=scheduler, workers=workers,
            failed="skip" if skip_failed else "raise", report=report,
        )  # fmt: skip
        if page is not None:
            report(ProgressEvent("page", 0.0, "figures"))
            write_page(render_report(tree), page)
            report(ProgressEvent("page", 1.0))
    events, windows = tree["events"].to_dataset(), tree["windows"].to_dataset()
    if json_:
        print_json("waves", chosen.model_dump(mode="json"), events.drop_vars("first_window"))
        return
    print(summary_text(windows, events))
    print(f"wrote {output}" + (f" and {page}" if page else ""))


def _photo_rates(text: str | None) -> dict[str, float] | None:
    if text is None:
        return None
    rates = {}
    for pair in text.split(","):
        name, _, value = pair.partition("=")
        try:
            rates[name.strip()] = float(value)
        except ValueError:
            raise SettingsError(f"--photo-rate {pair}: write it as ion=rate, such as Li+=1e-3 (s-1 at the body)") from None
    return rates


def _nested(pairs: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs.items():
        if value is None:
            continue
        *path, last = name.split(".")
        place = result
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return result


def summary_text(windows: xr.Dataset, events: xr.Dataset) -> str:
    """Ions, detections and reasons, and the events, as lines of text."""
    lines = [f"{windows.attrs['vectors']} vectors, {windows.sizes['time']} windows, {events.sizes['event']} events"]
    repairs = {key: value for key, value in json.loads(windows.attrs.get("repairs", "{}")).items() if value}
    if repairs:
        lines.append("repaired: " + ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in repairs.items()))
    for name, why in _refused(windows).items():
        lines.append(f"refused: {why if why.startswith(name) else f'{name}: {why}'}")
    lines += _fixed_lines(windows)
    for key in ("region_source", "fixed_line_search"):
        if str(windows.attrs.get(key, "")).startswith(("not known", "inactive")):
            lines.append(f"{_NOT_JUDGED[key]}: {windows.attrs[key]}")
    lines.append("ion          windows  detected  most frequent reasons against")
    for name in map(str, windows["species"].values):
        reasons = windows["rejection"].sel(species=name).values
        counts = {flag.name: int(((reasons & int(flag)) != 0).sum()) for flag in Rejection}
        most = sorted((key for key, value in counts.items() if value), key=lambda key: -counts[key])[:3]
        words = ", ".join(f"{str(key).lower().replace('_', ' ')} {counts[key]}" for key in most)
        lines.append(f"{name:11}  {len(reasons):7}  {int((reasons == 0).sum()):8}  {words}")
    if events.sizes["event"]:
        lines.append("event start            min  ion      fc, Hz  f, Hz   ellipt.  DOP   n_i, cm-3  n_n, cm-3 (16 to 84 %)")
    for k in range(min(events.sizes["event"], _MOST_EVENTS)):
        lines.append(_event_line(events.isel(event=k)))
    if events.sizes["event"] > _MOST_EVENTS:
        lines.append(f"... and {events.sizes['event'] - _MOST_EVENTS} more in the file")
    return "\n".join(lines)


def _fixed_lines(windows: xr.Dataset) -> list[str]:
    """Lines that were masked, of the first file that has any, and how many windows they fill."""
    found = json.loads(windows.attrs.get("fixed_lines", "[]"))
    lines = next(iter(found.values()), []) if isinstance(found, dict) else found
    if not lines:
        return []
    filled = int(((windows["rejection"].values & int(Rejection.FIXED_LINE)) != 0).sum())
    some = ", ".join(f"{line['frequency_hz']:.4f}" for line in lines[:5]) + (" ..." if len(lines) > 5 else "")
    return [f"lines of fixed frequency masked (Hz): {some}; {lines[0]['reason']}; they stand in the band of {filled} windows"]


def _refused(windows: xr.Dataset) -> dict[str, str]:
    """Refused ions and the reason; of several files the first that refused."""
    found: dict[str, str] = {}
    for key, value in json.loads(windows.attrs.get("refused", "{}")).items():
        entries = value if isinstance(value, dict) else {key: value}
        for name, why in entries.items():
            found.setdefault(name, why)
    return found


def _event_line(event: xr.Dataset) -> str:
    minutes = (event["end"].values - event["start"].values) / 60e9
    neutral = [float(event[f"neutral_density{end}"]) * 1e-6 for end in ("", "_lower", "_upper")]
    density = f"{neutral[0]:9.3g} ({neutral[1]:.3g} to {neutral[2]:.3g})" if neutral[0] == neutral[0] else "not known: no rate"
    also = f"  or {event['ambiguous_with'].item()}" if event["ambiguous_with"].item() else ""
    return (
        f"{str(event['start'].values)[:19]}  {minutes.astype(float):5.1f}  {event['species'].item()!s:7}  "
        f"{float(event['gyrofrequency']):6.3g}  {float(event['peak_frequency']):6.3g}  {float(event['ellipticity']):6.2f}  "
        f"{float(event['polarization_degree']):5.2f}  {float(event['ion_density']) * 1e-6:9.2e}  {density}{also}"
    )
