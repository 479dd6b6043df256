"""Options that the commands for bodies in the atmosphere share: elements, material, atmosphere, settings of the ablation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import constants as codata

from siderion.cli.show import names_in, parse_overrides
from siderion.core.errors import DataError, SettingsError
from siderion.sources.entry.atmosphere import (
    Atmosphere,
    dry_air_molar_mass,
    mean_atmosphere,
    msis_atmosphere,
    standard_atmosphere,
)


def read_elements(text: str) -> list[str]:
    """Names of elements separated by commas, each once and one at least."""
    names = names_in(text)
    if not names:
        raise SettingsError(f"--elements {text!r} names no element; write it as Na,Mg,Fe or leave it out")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"--elements {text}: {', '.join(twice)} is named more than once; name each once")
    return names


def read_material(text: str) -> str | dict[str, float]:
    """A material by name, or mass fractions such as Al=0.9,Cu=0.04."""
    if "=" not in text:
        return text
    result: dict[str, float] = {}
    for pair in text.split(","):
        name, _, value = (part.strip() for part in pair.partition("="))
        if name in result:
            raise SettingsError(f"--material {text}: {name} is named more than once; name each element once")
        try:
            result[name] = float(value)
        except ValueError:
            raise SettingsError(f"--material {pair!r}: write mass fractions as Al=0.9,Cu=0.04") from None
    return result


def given_settings(named: Mapping[str, Any], pairs: list[str] | None, known: Collection[str]) -> dict[str, Any]:
    """What options (None: not given) and ``--set`` give together; unknown names and those that both give are refused."""
    given = {name: value for name, value in named.items() if value is not None}
    for name, value in parse_overrides(tuple(pairs or ())).items():
        if name not in known:
            raise SettingsError(f"--set {name}: no such setting; known: {', '.join(known)}")
        if name in given:
            raise SettingsError(f"--set {name}={value}: an option of this command gives {name} already; leave one of them out")
        given[name] = value
    return given


def read_atmosphere(
    name: str, date: str | None, lat: float | None, lon: float | None, f107: float | None, ap: float | None
) -> Atmosphere:
    """The air by its name: us1976, msis, mean, or a user's CSV file; options that it does not read are refused."""
    place = {"--date": date, "--lat": lat, "--lon": lon}
    sun: dict[str, Any] = {key: value for key, value in (("f107", f107), ("ap", ap)) if value is not None}
    if name == "msis":
        if date is None:
            raise SettingsError("--atmosphere msis needs --date, such as --date 2020-06-21T12:00")
        return msis_atmosphere(date, lat or 0.0, lon or 0.0, **sun)
    _refuse({key: value for key, value in place.items() if value is not None}, "msis", name)
    if name == "mean":
        return mean_atmosphere(**sun)
    _refuse({f"--{key}": value for key, value in sun.items()}, "msis or mean", name)
    if name == "us1976":
        return standard_atmosphere()
    if not name.lower().endswith(".csv"):
        raise SettingsError(f"--atmosphere is {name!r}; use us1976, mean, msis or the path of a .csv file")
    return _own_atmosphere(Path(name))


def _refuse(given: Mapping[str, Any], owner: str, name: str) -> None:
    if given:
        options = ", ".join(given)
        raise SettingsError(f"{options}: for --atmosphere {owner} only; with {name} it has no effect: leave it out")


def _own_atmosphere(path: Path) -> Atmosphere:
    """The user's own profile: columns altitude_km, density_kg_m3, temperature_k and, if known, molar_mass_g_mol."""
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)
        columns = {key: table[key].to_numpy(float) for key in ("altitude_km", "density_kg_m3", "temperature_k")}
        known = "molar_mass_g_mol" in table
        mass = table["molar_mass_g_mol"].to_numpy(float) if known else np.full(len(table), dry_air_molar_mass())
    except OSError as error:
        raise DataError(f"atmosphere {path}: {error.strerror or error}; give the path of a CSV file") from None
    except KeyError as error:
        raise DataError(
            f"atmosphere {path}: column {error} is missing; altitude_km, density_kg_m3, temperature_k are needed"
        ) from None
    except ValueError as error:
        raise DataError(f"atmosphere {path} is no table of numbers: {error}") from None
    return Atmosphere(
        str(path), columns["altitude_km"] * 1e3, columns["density_kg_m3"], columns["temperature_k"],
        mass * 1e-3 / codata.Avogadro, ("atmosphere", str(path), "unverified", "user's own profile"),
    )  # fmt: skip
