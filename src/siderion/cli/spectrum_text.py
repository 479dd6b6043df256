"""Options and text of ``siderion spectrum``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import SettingsError

_FACTORS = {"v": 1.0, "kv": 1e3, "ev": 1.0, "kev": 1e3}


def kilo(text: str, option: str, unit: str) -> float:
    """A voltage or energy in V or eV: a bare number is in thousands; 16kV, 16000V, 0.1keV and 100eV are understood."""
    bare = text.strip().lower().replace(" ", "")
    number = bare.rstrip("abcdefghijklmnopqrstuvwxyz")
    suffix = bare[len(number) :]
    try:
        value = float(number)
        factor = 1e3 if not suffix else _FACTORS[suffix]
    except (ValueError, KeyError):
        raise SettingsError(
            f"{option} is {text!r}; write a number in k{unit}, or with its unit such as 16k{unit} or 16000{unit}"
        ) from None
    if suffix and (suffix.endswith("ev") != (unit == "eV")):
        raise SettingsError(f"{option} is {text!r}; its unit is k{unit} or {unit}")
    if not suffix and abs(value) >= 1000.0:
        raise SettingsError(f"{option} is {text} k{unit}, which no instrument has; write {text}{unit} if that is meant")
    if not np.isfinite(value):
        raise SettingsError(f"{option} is {text!r}; it must be finite")
    return value * factor


def pairs_in(texts: Iterable[str], option: str) -> dict[str, float]:
    """``O+=1e4,O2+=100`` as names and numbers."""
    found: dict[str, float] = {}
    for part in (piece.strip() for text in texts for piece in text.split(",")):
        name, equals, number = part.partition("=")
        try:
            value = float(number)
        except ValueError:
            equals = ""
            value = np.nan
        if not equals or not name or not 0.0 <= value < np.inf:
            raise SettingsError(f"{option} {part!r}: write it as ion=number, such as O+=10000; the number must be at least 0")
        if name in found:
            raise SettingsError(f"{option} names {name} twice")
        found[name] = value
    return found


def tail_in(text: str) -> str | float:
    """A tail by name, or a number."""
    try:
        return float(text)
    except ValueError:
        return text.strip().lower()


def fit_lines(result: xr.Dataset) -> list[str]:
    """The results as lines: one block per spectrum for up to ten spectra, else the sums."""
    lines = [str(result.attrs["title"])]
    limit = f"{100 * float(result.attrs['confidence']):g} %"
    number = result.sizes["spectrum"]
    if number > 10:
        seen = (~result["species_counts_upper_limit"]).sum("spectrum").values
        middle = result["species_counts_best"].median("spectrum").values
        lines += [
            f"{name:6} seen in {seen[s]} of {number} spectra; median counts {middle[s]:.4g}"
            for s, name in enumerate(result["species"].values)
        ]
    else:
        for k in range(number):
            one = result.isel(spectrum=k)
            lines += [f"spectrum {one['spectrum'].item()}: goodness of fit p = {float(one['goodness_of_fit']):.2g}"] * (
                number > 1
            )
            lines += [_species_line(one.isel(species=s), limit) for s in range(one.sizes["species"])]
        one = result.isel(spectrum=0)
        means = float(one["time_scale"] * (1.0 + one["peak_tail"]))
        lines.append(
            f"shape: width {100 * float(one['peak_width']):.2g} %, delay by the tail {100 * float(one['peak_tail']):.2g} %, "
            f"sharp peaks at {float(one['time_scale']):.4f} of the computed mean times (means at {means:.3f}), "
            f"background {float(one['background_per_bin']):.3g} per bin, "
            f"goodness of fit p = {float(one['goodness_of_fit']):.2g}"
        )
    lines += [f"note: {text}" for text in json.loads(result.attrs["notes"])]
    return lines


def _species_line(one: xr.Dataset, limit: str) -> str:
    name = str(one["species"].item())
    flag = int(one["species_counts_flag"])
    if flag == 1:
        return f"{name:6} lies outside of the histogram"
    words = dict(
        zip(
            np.atleast_1d(one["species_counts_flag"].attrs["flag_values"]).tolist(),
            str(one["species_counts_flag"].attrs["flag_meanings"]).split(),
            strict=True,
        )
    )
    note = f" [{words[flag].replace('_', ' ')}]" if flag else ""
    low, best, high = (float(one[key]) for key in ("species_counts_lower", "species_counts_best", "species_counts_upper"))
    if bool(one["species_counts_upper_limit"]):
        return f"{name:6} below {float(one['species_counts']):.4g} ({limit}); best {best:.4g}, 68 % {low:.4g} to {high:.4g}{note}"
    return f"{name:6} {best:.5g} ({low:.5g} to {high:.5g}), {float(one['significance']):.1f} standard deviations{note}"


def odds_lines(odds: xr.Dataset) -> list[str]:
    """The odds between candidates as lines."""
    lines = [f"which of {', '.join(map(str, odds['candidate'].values))}: {odds.attrs['verdict']}"]
    for k, name in enumerate(odds["candidate"].values):
        lines.append(
            f"{name:6} probability {float(odds['posterior_probability'][k]):.3g} "
            f"(prior {float(odds['prior_probability'][k]):.2g}), alone {float(odds['candidate_counts'][k]):.4g} counts"
        )
    return lines


def unverified_line(inputs: Sequence[Mapping[str, str]], output: Path | None) -> str:
    """How many of the instrument values and foil losses are not verified, and how to see which."""
    number = sum(row["confidence"] == "unverified" for row in inputs)
    return f"instrument values and foil losses: {number} of {len(inputs)} unverified; see siderion cite " + (
        str(output) if output is not None else "with an output (-o) that ends in .nc"
    )
