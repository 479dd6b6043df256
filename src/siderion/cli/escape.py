"""``siderion escape``: speed and energy that particles need to leave a body, or to rise from one altitude to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import names_in, print_json
from siderion.core.errors import SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.sources.escape import gravity_field
from siderion.sources.escape_dataset import escape_dataset


def escape(
    *,
    body: str = "earth",
    species: str = "O,N2,Fe",
    from_: Annotated[float, Parameter(name="--from")],
    to: str | None = None,
    potential_drop: str = "0",
    perpendicular_energy: float = 0.0,
    magnetic_latitude: float = 90.0,
    masses: str = "weights",
    body_mass: float | None = None,
    body_radius: float | None = None,
    gm: float | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Escape speed and energy at an altitude of a body, and the energy to rise to other altitudes, or to escape.

    Parameters
    ----------
    body
        Body, such as earth, moon or mars.
    species
        Atoms, molecules or ions separated by commas, such as O,N2,Fe or O+,N2+.
    from_
        Altitude of the start, km.
    to
        Altitudes to reach, km, separated by commas; without it, escape.
    potential_drop
        Electric potential at the start less that at the target, V: the ambipolar field, which lifts ions; one number, or one for
        each target, separated by commas.
    perpendicular_energy
        Energy of the ions across the magnetic field at the start, eV; the mirror force turns part of it upwards.
    magnetic_latitude
        Magnetic latitude of the dipole field line at the start, degrees; 90 is the axis.
    masses
        weights (atomic weights) or nucleons (mass number times the proton mass, as Table 2.2 of the review was made).
    body_mass
        Mass of the body, kg, in place of the preset.
    body_radius
        Radius of the body, km, in place of the preset.
    gm
        Gravitational constant times mass, m3 s-2, in place of the preset.
    output
        NetCDF file; none by default.
    json_
        Print the results as JSON.
    """
    names = names_in(species)
    targets = [np.inf] if to is None else _numbers("--to", to)
    drops = _numbers("--potential-drop", potential_drop)
    field = gravity_field(body, gm, body_mass, None if body_radius is None else body_radius * 1e3)
    result = escape_dataset(
        names, from_, targets, field, potential_drop=drops[0] if len(drops) == 1 else drops,
        perpendicular_energy=perpendicular_energy, magnetic_latitude=magnetic_latitude, masses=masses,
    )  # fmt: skip
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(result, temporary)
    if json_:
        settings = {
            "body": field.name, "species": names, "from_km": from_, "to_km": None if to is None else targets,
            "potential_drop_v": drops, "perpendicular_energy_ev": perpendicular_energy,
            "magnetic_latitude": magnetic_latitude, "masses": masses, "gm": field.gm, "body_radius_km": field.radius / 1e3,
        }  # fmt: skip
        print_json("escape", settings, result)
        return
    print("\n".join(_text(result)))
    if output is not None:
        print(f"wrote {output}")


def _numbers(option: str, text: str) -> list[float]:
    """Numbers separated by commas."""
    try:
        found = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SettingsError(f"{option} {text}: write numbers separated by commas, such as {option} 1000,2000") from None
    if not found:
        raise SettingsError(f"{option} {text!r} holds no number; write numbers separated by commas, such as {option} 1000,2000")
    return found


def _text(result: xr.Dataset) -> list[str]:
    """The data set as lines for a reader."""
    names = [str(name) for name in result["species"].values]
    attributes = result.attrs
    lines = [
        f"{attributes['body']}, GM {attributes['gm']:.7g} m3 s-2, radius {attributes['body_radius_km']:.7g} km",
        _row("altitude km", "escape km/s", [f"{name} eV" for name in names]),
    ]
    for k, altitude in enumerate(result["alt"].values):
        energies = [f"{value:.4g}" for value in result["escape_energy"].values[:, k]]
        lines.append(_row(f"{altitude:g}", f"{float(result['escape_speed'][k]):.4g}", energies))
    ambipolar = bool((result["energy_needed"] != result["energy_between"]).any())
    mirror = bool((result["parallel_energy_needed"] != result["energy_needed"].clip(min=0.0)).any())
    shown = [("energy_between", "gravity")]
    shown += [("energy_needed", "with potential")] if ambipolar else []
    shown += [("parallel_energy_needed", "along the field")] if ambipolar or mirror else []
    lines.append(f"from {float(result['alt'][0]):g} km to")
    for k, target in enumerate(result["target_alt"].values):
        place = "escape" if np.isinf(target) else f"{target:g}"
        lines += [_row(place, words, [f"{value:.4g}" for value in result[name].values[:, k]]) for name, words in shown]
    return lines


def _row(first: str, second: str, others: list[str]) -> str:
    return f"{first:>12} {second:>16}" + "".join(f"{text:>12}" for text in others)
