"""``siderion sources wind`` and ``loss``: ions of the solar wind; nitrogen and oxygen lost over geological time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import print_json
from siderion.core.errors import SettingsError, explained
from siderion.io.store import write_netcdf
from siderion.jobs.atomic import atomic_file
from siderion.sources.evolution import MEGAYEAR, EscapeHistory, LinearHistory, atmospheric_loss
from siderion.sources.solar_wind import solar_wind_ions

Output = Annotated[Path | None, Parameter(name=["--output", "-o"])]
Json = Annotated[bool, Parameter(name="--json")]


def wind(
    kind: str = "slow",
    *,
    speed: float = 400.0,
    density: float = 5.0,
    magnetic_field: float = 5.0,
    abundances: str | None = None,
    output: Output = None,
    json_: Json = False,
) -> None:
    """Heavy ions of the solar wind: flux, mass per charge, energy per charge, gyroradius.

    Parameters
    ----------
    kind
        slow, fast or cme: charge states, and the abundances of hydrogen and helium.
    speed
        Flow speed, km/s.
    density
        Protons, cm-3.
    magnetic_field
        Field strength, nT.
    abundances
        Column of Table 2.1 of the review for the heavier elements, such as sep_corona; that of the wind by default.
    output
        NetCDF file.
    json_
        Print the results as JSON.
    """
    result = solar_wind_ions(
        kind, proton_flux=density * 1e6 * speed * 1e3, speed=speed * 1e3, magnetic_field=magnetic_field * 1e-9,
        abundances=abundances,
    )  # fmt: skip
    settings = {"kind": kind, "speed_km_s": speed, "density_cm3": density, "magnetic_field_nt": magnetic_field,
                "abundances": abundances}  # fmt: skip
    if _given(result, settings, "sources wind", output, json_):
        return
    print(f"{kind} solar wind, {speed:g} km/s, {density:g} cm-3, {magnetic_field:g} nT")
    print("ion      m/q, u   energy/charge, kV   gyroradius, RE   flux, cm-2 s-1")
    for name in result["ion"].values:
        one = result.sel(ion=name)
        print(
            f"{name:8} {float(one['mass_per_charge']):6.2f}   {float(one['energy_per_charge']) / 1e3:17.2f}   "
            f"{float(one['gyroradius']) / 6371.2:14.3f}   {float(one['ion_flux']) * 1e-4:.2e}"
        )
    print(f"left out, charge states unknown: {result.attrs.get('without_charge_states') or 'none'}")
    if output is not None:
        print(f"wrote {output}")


def loss(
    *,
    species: str = "O",
    first_rate: float = 1e27,
    last_rate: float | None = None,
    duration: float = 600.0,
    inventory: str = "atmosphere",
    output: Output = None,
    json_: Json = False,
) -> None:
    """Nitrogen or oxygen that escapes over geological time, and its share of what the atmosphere holds.

    Parameters
    ----------
    species
        N or O.
    first_rate
        Atoms per second at first.
    last_rate
        Atoms per second at last, linear between; the first rate (constant) by default.
    duration
        Million years.
    inventory
        atmosphere (today's), or printed (that of the review, section 2.2.4).
    output
        NetCDF file.
    json_
        Print the results as JSON.
    """
    last = first_rate if last_rate is None else last_rate
    if not 0.0 < duration < float("inf"):
        raise SettingsError(f"--duration is {duration}; it must be positive and finite (million years)")
    history: dict[str, EscapeHistory] = {species: LinearHistory(first_rate, last, 0.0, duration * MEGAYEAR)}
    steps = 101
    times = [duration * MEGAYEAR * k / (steps - 1) for k in range(steps)]
    result = atmospheric_loss(history, times, inventory)
    settings = {"species": species, "first_rate": first_rate, "last_rate": last, "duration_myr": duration, "inventory": inventory}
    if _given(result, settings, "sources loss", output, json_):
        return
    end = result.isel(species=0, elapsed_time=-1)
    low, high = (100 * float(end[f"lost_share_{side}"]) for side in ("lower", "upper"))
    print(
        f"{species}: {float(end['lost_mass']):.3g} kg in {duration:g} million years, {low:.3g} to {high:.3g} % of the inventory "
        f"({inventory})"
    )
    if output is not None:
        print(f"wrote {output}")


def _given(result: xr.Dataset, settings: dict[str, Any], command: str, output: Path | None, json_: bool) -> bool:
    """Write the file and the JSON that were asked for; true where the JSON is the answer."""
    if output is not None:
        with explained(output), atomic_file(output) as temporary:
            write_netcdf(result, temporary)
    if json_:
        print_json(command, settings, result)
    return json_
