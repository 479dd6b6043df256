"""What the commands of debris say on the screen."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from siderion.sources.debris.settings import ReentrySettings


def event_text(event: xr.Dataset, settings: ReentrySettings) -> list[str]:
    """One re-entry in lines."""
    lines = [
        f"{event.attrs['title']}; {event.attrs['atmosphere']}",
        f"break-up at {float(event['break_up_altitude']):.1f} km, {float(event['break_up_speed']) / 1e3:.2f} km/s, "
        f"{float(event['break_up_time']):.0f} s after the start",
    ]
    for part in event["part"].values:
        row = event.sel(part=part)
        shed = row["released_mass"].sum("species")
        heights = event["alt"].values[shed.values > 0.0]
        where = f"{heights.max():g} to {heights.min():g} km" if heights.size else "nowhere"
        survives = "demised" if bool(row["demised"]) else f"{float(row['final_mass']):.3g} kg survive"
        lines.append(f"{part:16} {float(row['initial_mass']):8.4g} kg, sheds {float(shed.sum()):8.4g} kg, {where}; {survives}")
    lines.append(f"kg of the object, in the layer (above {settings.layer_floor:g} km), oxidised below, as droplets, surviving:")
    budget = ("element_mass", "layer_mass", "oxidised_mass", "droplet_mass", "surviving_mass")
    for name in event["species"].values:
        row = event.sel(species=name)
        lines.append(f"{name:3} " + " ".join(f"{float(row[one]):10.4g}" for one in budget))
    if not event.sizes["point"]:
        lines.append("nothing is released above the floor of the layer: the event has no point")
    none = [str(name) for name in event["species"].values if not float(event["layer_mass"].sel(species=name)) > 0.0]
    if none and event.sizes["point"]:
        lines.append(f"not in the layer: {', '.join(none)}")
    return [*lines, *_notes(event)]


def rate_text(rate: xr.Dataset, settings: ReentrySettings) -> list[str]:
    """A rate in lines, one for each element."""
    lines = [f"{rate.attrs['title']}; t/yr injected, and released as atoms above {settings.layer_floor:g} km (16 to 84 %)"]
    words = {"own": "", "whole": "not in the mean objects: profile of their whole mass",
             "not shed": "in the mean objects, but they do not shed it: no input"}  # fmt: skip
    for name in rate["species"].values:
        row = rate.sel(species=name)
        values = [
            f"{float(row[one]):10.4g} ({float(row[f'{one}_lower']):.3g} to {float(row[f'{one}_upper']):.3g})"
            for one in ("injected_rate", "layer_rate")
        ]
        lines.append(f"{name:3} {' '.join(values)} {words[row['profile_of'].item()]}".rstrip())
    return [*lines, *_notes(rate)]


def _notes(dataset: xr.Dataset) -> list[str]:
    return [f"note: {note}" for note in json.loads(dataset.attrs["notes"])]


def parity_text(parity: xr.Dataset) -> list[str]:
    """Debris against natural input in lines."""
    lines = ["input by debris over natural input (16 to 84 %), whether it exceeds, and the share of debris for parity"]
    for name in parity["element"].values:
        row = parity.sel(element=name)
        for scenario in parity["scenario"].values:
            one = row.sel(scenario=scenario)
            lines.append(
                f"{name:3} {scenario:6} {float(one['debris_ratio']):9.3g} ({float(one['debris_ratio_lower']):.3g} to "
                f"{float(one['debris_ratio_upper']):.3g}) {one['exceeds_natural'].item()!s:7} {float(one['parity_fraction']):.3g}"
            )
        if "parity_year" in row:
            lines.append(f"{name:3} parity: {_year_text(row)}")
    lines.append(parity.attrs["note"])
    return lines


def _year_text(row: xr.Dataset) -> str:
    year, low, high = (float(row[f"parity_year{end}"]) for end in ("", "_lower", "_upper"))
    if int(row["parity_year_flag"]):
        return str(np.atleast_1d(row["parity_year_flag"].attrs["flag_meanings"].split())[-1]).replace("_", " ")
    if bool(row["parity_year_upper_limit"]):
        return f"before {year:.0f}"
    return f"{year:.0f} ({low:.0f} to {high:.0f})"
