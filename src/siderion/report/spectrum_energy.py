"""The part of the page of spectra on fits of energy and time of flight together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from . import markup
from .figures import to_data_uri
from .markup import Number
from .selection import species_label
from .source_words import unbroken
from .spectrum_figures import draw_energy_time, draw_velocities
from .spectrum_words import counted, expected_times, setup_of, species_names


def energy_time_section(result: xr.Dataset) -> str:
    """Counts of the joint fit, map of energy against time, and the distribution of the speed (ready HTML)."""
    names = species_names(result)
    one = result.isel(spectrum=0)
    rows: list[list[str | Number]] = [
        [unbroken(markup.text(species_label(name))), Number(counted(row)), Number(_joint(row)),
         Number(f"{float(row['joint_significance']):.1f}"), Number(markup.number(float(row["separation_gain"]), 2))]
        for name in names for row in (one.sel(species=name),)
    ]  # fmt: skip
    heads = ["ion", "times alone", "energy and time", "significance, both", "interval narrower by"]
    chance = markup.number(float(result["joint_goodness_of_fit"]), 2)
    words = markup.paragraph(
        "The joint fit takes it that all ions have one distribution of the velocity, as behind a velocity filter; where this "
        f"does not hold, only the times alone count. Goodness of the joint fit: p = {chance}. Its counts are those within the "
        "histogram."
    )
    table = markup.table(heads, rows, "wide")
    pieces = [words, table, _energy_figure(result), _velocity_figure(result)]
    return "".join(pieces)


def _joint(one: xr.Dataset) -> str:
    value, low, high = (float(one[f"joint_counts{end}"]) for end in ("", "_lower", "_upper"))
    if float(one["joint_significance"]) < 3.0:
        return f"&lt; {markup.number(float(one['joint_counts_limit']), 3)}"
    return f"{value:.4g} ({low:.4g} to {high:.4g})"


def _energy_figure(result: xr.Dataset) -> str:
    if "energy_time_counts" not in result or "energy_time_model" not in result:
        return markup.missing("The file does not hold the counts by energy and time.", "A new siderion spectrum writes them.")
    energy, setup = result["energy_ev"].values, setup_of(result)
    scale = float(result["time_scale"].values[0])
    each = (
        [expected_times(replace(setup, energy_per_charge=float(e)), species_names(result), scale) for e in energy]
        if setup
        else []
    )
    tracks = {name: np.array([row[name] for row in each]) for name in (each[0] if each else {})}
    model = dict(
        zip(species_names(result), result["energy_time_model"].transpose("species", "energy", "tof").values, strict=True)
    )
    drawn = draw_energy_time(energy, result["tof_ns"].values, result["energy_time_counts"].values, model, tracks)
    caption = (
        "Counts by energy per charge and time of flight (left), as Figure 4.9 of the review, and the fitted species (right); "
        "below 0.1 counts white. Lines: time at which most of an ion is expected at each energy. With one velocity, ions of "
        "twice the mass have twice the energy."
    )
    return markup.figure([markup.image(to_data_uri(drawn), "Energy against time of flight, counts and fit")], caption, wide=True)


def _velocity_figure(result: xr.Dataset) -> str:
    if "velocity_distribution" not in result:
        return ""
    drawn = draw_velocities(result["velocity"].values, result["velocity_distribution"].values)
    caption = "Fitted common distribution of the speed: share of the counted events in each bin."
    return markup.figure([markup.image(to_data_uri(drawn), "Distribution of the speed")], caption)
