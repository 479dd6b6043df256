"""Write docs/escape.md: escape energies, solar wind ions and atmospheric loss beside the numbers of Yamauchi et al.

python docs/make_escape_page.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.species import get_species
from siderion.sources import evolution as e
from siderion.sources.escape_dataset import escape_dataset, printed_table
from siderion.sources.solar_wind import mass_per_charge_range, solar_wind_ions

FILE = Path(__file__).resolve().parent / "escape.md"
SPECIES = ("O", "N2", "Fe")

TEXT = """\
# Escape, solar wind ions and the loss of the atmosphere

Made by `python docs/make_escape_page.py`. The paper is Yamauchi et al., sections 2.1 and 2.2; functions are in
`siderion.sources.escape`, `siderion.sources.escape_dataset`, `siderion.sources.solar_wind` and `siderion.sources.evolution`.

## Escape

| Quantity | Equation | Function |
|---|---|---|
| escape speed | sqrt(2 GM / r) | `escape_speed` |
| energy to escape | GM m / r | `escape_energy` |
| energy between two altitudes | GM m (1/r1 - 1/r2) | `energy_between` |
| with the ambipolar field | less q V, V the potential at the start less that at the target | `energy_needed` |
| with the mirror force | less W_perp (1 - B2/B1), at least 0 | `parallel_energy_needed` |
| for one pitch angle a | W = dW / (1 - sin²a B2/B1) | `start_energy_needed` |

`siderion escape --from 500 --to 1360,2000,4000` gives them for a body and several species. The field is a centred dipole:
proportional to r^-3 on its axis, or along the line of a magnetic latitude. A potential that follows gravity and a dipole leave no
place between start and target where more energy is needed than at the ends, which a test follows along the line.

Of 2 eV across the field at 500 km, the mirror force turns {mirror_2000:.2f} eV upwards by 2000 km and {mirror_4000:.2f} eV by
4000 km. Beside them, an O2+ ion then needs {o2_2000:.2f} eV along the field to reach 2000 km, and {o2_plain:.2f} eV without.

### Table 2.2, printed and recomputed

Printed numbers first, then those recomputed with GM = 3.986004e14 m3 s-2 and a sphere of 6371.2 km (the Earth), with
the masses and radii of `src/siderion/core/tables/bodies.csv` (Venus, Mars) and with atomic weights. In parentheses the energy
from 500 km. 3 RE and 4 RE are distances from the centre, as their speeds tell. A star marks what the rounding of the print does
not explain.

| place | speed, km/s | O, eV | N2, eV | Fe, eV |
|---|---|---|---|---|
{rows}

- **The whole table of the Earth follows from masses of A proton masses,** A the mass number (16, 28, 56): {earth_nucleons} of its
  {earth} numbers then differ by more than their rounding (`--masses nucleons`). A proton weighs 1.0073 atomic mass units, so
  these energies are 0.7 to 1.0 % too high. With atomic weights {earth_weights} of {earth} differ.
- **Venus contradicts itself.** An O energy printed as 8.2 eV is at least 8.15 eV, which makes Fe at least 28.5 eV with the same
  mass numbers, printed 28. The mass and radius of Venus give {venus_speed:.2f} km/s, printed 9.9, and {venus} of its four numbers
  differ.
- **In the text, the energies of O2+ are doubled from the rounded ones of O:** 3.4 and 5.2 eV to 2000 and 3000 km; they are
  {o2_to_2000:.2f} and {o2_to_3000:.2f} eV ({o2_n_2000:.2f} and {o2_n_3000:.2f} eV with proton masses).
- "About 20 eV for mass 30" (section 1.1): {no_500:.1f} eV for NO at 500 km.

## Solar wind ions

Abundances are those of Table 2.1 (`src/siderion/sources/tables/solar_wind_abundances.csv`); helium is missing there and was added
from memory. The shares of charge states are remembered values, those of ejections an illustration: every result says so.

| wind | O of all ions, % | m/q of He | O | Mg | Si | Fe |
|---|---|---|---|---|---|---|
{winds}

- **Oxygen is 0.05 to 0.15 % of all ions**, as printed: hydrogen, 1900 or 820 times as many, decides it.
- **"All species have similar m/q within a factor of 2" (section 2.4) holds for He to Si, and for no wind with H or Fe.**
  From He to Si the factor is {factor_si:.2f} in slow wind, with Fe {factor_fe:.2f}, with H+ also {factor_h:.2f}. Of iron, only
  Fe14+ to Fe16+ of a hot ejection lie within two of He. The m/q of 23 to 56 of singly charged metals are far above all of them.
- The footnote of Table 2.1 names SOHO/CELIAS as the source of the last column with a paper of 1985, ten years before SOHO.

## Loss over geological time

| statement of section 2.2.4 | recomputed | holds |
|---|---|---|
| 600 million years are 2e16 s | {seconds:.2e} s | rounded |
| 1e27 N atoms per second are about 20 kg/s | {mass_rate:.1f} kg/s | {more:.0f} % more |
| this takes about 10 % of (4-5)e18 kg | {lost:.2e} kg, {share_low:.1f} to {share_high:.1f} % | yes |
| (4-5)e18 kg is the nitrogen of the present-day biosphere | the N2 of all air is {air_n:.2e} kg | no: it is the atmosphere |
| a few percent of N/O are 10 % of the nitrogen | {share_air:.1f} % of the N2 of the air changes N/O by {share_air:.1f} % | no |
| 5e17 kg are 40 % of the oxygen of today | {oxygen_share:.0f} % of {air_o:.2e} kg | yes |
| an escape that falls linearly takes 5e17 kg in 4 Gyr | {mean:.2e} s-1 on average, {first:.1e} s-1 at first | with this start |
| 1e27 s-1 is not unrealistic 4 billion years ago | from there linearly: {from_27:.0f} % of the oxygen of today | not together |

- **Two readings of the inventory**, `atmosphere` and `printed`, are options. "A few percent" fits the share of N2 in N2 and O2:
  without {share_air:.1f} % of its N2, it would be {n2_after:.1f} % by number in place of {n2_now:.1f} %.
- **40 % or all of it:** the abstract of Slapak et al. (2017) says that the loss is roughly equal to the oxygen of today, and
  1e27 to 1e28 s-1 a few billion years ago; the review gives 40 %. A corrigendum exists, which was not read.
- Their fit, 3.9e24 exp(0.45 Kp) s-1 and a third of it more through the magnetosheath (`polar_escape_rate`), gives
  {kp9:.1e} s-1 at Kp 9, the 3e26 s-1 of their abstract, and {kp10:.1e} s-1 at Kp 10. Kp 10 for ever is thus
  below 1e27 s-1; their higher rates of the past assume a brighter young Sun too.
- Histories are linear, a power law, or a user's table; their integrals are exact. `nitrogen_oxygen_ratio` counts the atoms of
  molecular ions, which raise N/O where (2 N2+ + NO+) / (2 O2+ + NO+) is above N+/O+.
"""


def agreement(table: xr.Dataset, masses: str, *bodies: str) -> tuple[int, int]:
    """Numbers of Table 2.2 that differ by more than the rounding, and all of them."""
    chosen = np.isin(table["body"].values, bodies)
    return int((~table["agrees"].sel(masses=masses).values & chosen).sum()), int(chosen.sum())


def rows(table: xr.Dataset) -> list[str]:
    """Table 2.2, printed and recomputed."""
    cells: dict[str, dict[tuple[str, str], str]] = {}
    digits = np.round(-np.log10(2.0 * table["half_unit"].values)).astype(int)
    weights = table.sel(masses="weights")
    for k in range(table.sizes["entry"]):
        star = "" if bool(weights["agrees"][k]) else " \\*"
        found = f"{float(table['printed'][k]):.{digits[k]}f} / {float(weights['recomputed'][k]):.{digits[k] + 1}f}{star}"
        key = (str(table["quantity"].values[k]), str(table["of_species"].values[k]))
        cells.setdefault(str(table["place"].values[k]), {})[key] = found
    lines = []
    for place, row in cells.items():
        energies = []
        for name in SPECIES:
            climb = row.get(("energy_from_500_km", name))
            energies.append(row["escape_energy", name] + (f" ({climb})" if climb else ""))
        lines.append(f"| {place} | {row['escape_speed', '']} | {' | '.join(energies)} |")
    return lines


def wind_rows() -> list[str]:
    """Oxygen share and mass per charge of each wind."""
    lines = []
    for wind in ("slow", "fast", "cme"):
        data = solar_wind_ions(wind, proton_flux=2e12, speed=4e5, magnetic_field=5e-9)
        oxygen = float(data["ion_share"].values[data["element"].values == "O"].sum()) * 100
        spans = [mass_per_charge_range(wind, (name,)) for name in ("He", "O", "Mg", "Si", "Fe")]
        lines.append(
            f"| {wind} | {oxygen:.3f} | " + " | ".join(f"{a:.2f}" if a == b else f"{a:.2f} to {b:.2f}" for a, b in spans) + " |"
        )
    return lines


def evolution_numbers() -> dict[str, float]:
    """The numbers of section 2.2.4."""
    nitrogen, oxygen = get_species("N").mass, get_species("O").mass
    span = e.printed("nitrogen_duration") * e.MEGAYEAR
    history = {"N": e.constant_history(e.printed("nitrogen_rate"), span)}
    loss, air = (
        e.atmospheric_loss(history, [0.0, span], name).isel(elapsed_time=-1, species=0) for name in ("printed", "atmosphere")
    )
    long, mass = e.printed("oxygen_duration") * e.MEGAYEAR, e.printed("oxygen_mass")
    high = e.LinearHistory(e.printed("oxygen_ancient_rate"), 0.0, 0.0, long)
    air_n, air_o = (e.inventory_mass("atmosphere", name)[0] for name in ("N", "O"))
    n2, o2 = air_n / (2.0 * nitrogen), air_o / (2.0 * oxygen)
    left = n2 * (1.0 - float(air["lost_share_upper"]))
    return {
        "seconds": span, "mass_rate": e.printed("nitrogen_rate") * nitrogen, "lost": float(loss["lost_mass"]),
        "share_low": 100 * float(loss["lost_share_lower"]), "share_high": 100 * float(loss["lost_share_upper"]),
        "share_air": 100 * float(air["lost_share_upper"]), "air_n": air_n, "air_o": air_o,
        "n2_now": 100 * n2 / (n2 + o2), "n2_after": 100 * left / (left + o2),
        "more": 100 * (e.printed("nitrogen_rate") * nitrogen / e.printed("nitrogen_mass_rate") - 1),
        "oxygen_share": 100 * mass / air_o, "mean": mass / oxygen / long,
        "first": e.first_rate_of_linear_loss(mass, long, 0.0), "from_27": 100 * float(high.escaped(0.0, long)) * oxygen / air_o,
        "kp9": float(e.polar_escape_rate(9.0)), "kp10": float(e.polar_escape_rate(10.0)),
    }  # fmt: skip


def page() -> str:
    """The page."""
    table = printed_table()
    (weights, earth), (nucleons, _) = agreement(table, "weights", "Earth"), agreement(table, "nucleons", "Earth")
    ions = escape_dataset(["O2+"], 500.0, [2000.0, 3000.0, 4000.0], perpendicular_energy=2.0)
    protons = escape_dataset(["O2+"], 500.0, [2000.0, 3000.0], masses="nucleons")
    turned = 2.0 * (1.0 - ions["field_ratio"].values)
    venus = table["recomputed"].sel(masses="weights").values[table["body"].values == "Venus"][0]
    light = {key: mass_per_charge_range("slow", names) for key, names in (
        ("factor_si", ("He", "O", "Mg", "Si")), ("factor_fe", ("He", "O", "Mg", "Si", "Fe")),
        ("factor_h", ("H", "He", "O", "Mg", "Si", "Fe")))}  # fmt: skip
    return TEXT.format(
        rows="\n".join(rows(table)), winds="\n".join(wind_rows()), earth=earth, earth_weights=weights,
        earth_nucleons=nucleons or "none", venus=agreement(table, "weights", "Venus")[0], venus_speed=venus,
        mirror_2000=turned[0], mirror_4000=turned[2], o2_2000=float(ions["parallel_energy_needed"][0, 0]),
        o2_plain=float(ions["energy_between"][0, 0]), o2_to_2000=float(ions["energy_between"][0, 0]),
        o2_to_3000=float(ions["energy_between"][0, 1]), o2_n_2000=float(protons["energy_between"][0, 0]),
        o2_n_3000=float(protons["energy_between"][0, 1]),
        no_500=float(escape_dataset(["NO"], 500.0)["escape_energy"][0, 0]),
        **{key: high / low for key, (low, high) in light.items()}, **evolution_numbers(),
    )  # fmt: skip


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
