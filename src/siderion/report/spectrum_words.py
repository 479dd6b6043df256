"""Words and numbers that the pages of spectra share: names, setup of the instrument, expected times, counts with their ends."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from siderion.core.errors import SiderionError
from siderion.spectrometer.flight_time import flight_components
from siderion.spectrometer.instruments import Setup, make_setup

from . import markup


def species_names(result: xr.Dataset) -> list[str]:
    """Names of the species of a result."""
    return [str(name) for name in result["species"].values]


def find_setup(name: object, voltage: object, energy: object, foil: object, model: object = "fit") -> Setup | None:
    """The instrument setup by name, V, eV/e, µg cm-2 and model of the foil; None where it cannot be made."""
    try:
        return make_setup(str(name), float(voltage), float(energy), float(foil), model)  # type: ignore[arg-type]
    except (SiderionError, TypeError, ValueError):
        return None


def setup_of(result: xr.Dataset) -> Setup | None:
    """The setup that the attributes of a fit name; None where it cannot be made."""
    keys = ("instrument", "voltage_v", "energy_per_charge_ev", "foil_thickness_ug_cm2")
    name, voltage, energy, foil = (result.attrs.get(key) for key in keys)
    return find_setup(name, voltage, energy, foil, result.attrs.get("foil_model", "fit"))


def expected_times(setup: Setup | None, names: Sequence[str], scale: float) -> dict[str, float]:
    """Time of the heaviest part of each species, ns."""
    found = {}
    for name in names if setup is not None else ():
        try:
            parts = flight_components(name, setup)  # type: ignore[arg-type]
        except SiderionError:
            continue
        found[name] = 1e9 * scale * max(parts, key=lambda part: part.weight).time
    return found


def counted(one: xr.Dataset) -> str:
    """Counts with ends, with the limit before them where there is one (ready HTML); what lies outside says so."""
    if int(one["species_counts_flag"]) == 1:
        return "outside of the histogram"
    best, low, high = (float(one[f"species_counts{end}"]) for end in ("_best", "_lower", "_upper"))
    digits = min(6, max(3, len(f"{best:.0f}")))
    ends = f"{_plain(best, digits)} ({_plain(low, digits)} to {_plain(high, digits)})"
    if bool(one["species_counts_upper_limit"]):
        return f"&lt; {markup.number(float(one['species_counts']), 3)}, best {ends}"
    return ends


def _plain(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if abs(value) < 1e5 else markup.number(value, 4)
