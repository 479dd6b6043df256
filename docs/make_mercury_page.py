"""Write docs/mercury_numbers.md: which of the numbers of Lammer et al. 2025 for Mercury can be met together.

python docs/make_mercury_page.py

The numbers of the Monte Carlo model are those of validation/recorded.csv (full size), which CI holds; all others are computed
here.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from siderion.core.bodies import get_body
from siderion.core.species import get_species
from siderion.exosphere.airglow import g_factor, limb_brightness, thin_brightness
from siderion.exosphere.chamberlain import chamberlain_density
from siderion.exosphere.column import vertical_column

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "mercury_numbers.md"
MERCURY = get_body("Mercury")
RADIUS, MASS = MERCURY.radius, MERCURY.mass
CUBIC = 1e-6

TEXT = """\
# Mercury: which of the paper's numbers can be met together

Made by `python docs/make_mercury_page.py`. The paper is Lammer et al. (2025), doi:10.3389/fspas.2024.1499346, sections 3.1.1 to
3.1.4 and Figures 6 to 8. Densities in cm-3. Radii from the centre of Mercury (2440 km). Temperatures, and the energies of the
fragments of H2, are not in the paper: those used here are remembered values (`src/siderion/exosphere/tables/populations.csv`,
`src/siderion/particles/tables/launch.csv`) and marked so.

## Atomic hydrogen

The paper gives medians of about 100 at 2 radii and 10 at 7.5 radii, a surface density of 320, and names H2 of 1.8e3 at the
surface as a further source of H by dissociation.

| source | temperature, K | at 2 radii | at 7.5 radii | ratio |
|---|---|---|---|---|
| the paper's medians | | 100 | 10 | 10 |
{surface}
| H from the dissociation of H2, 1.8e3 at the surface, 0.307 au | 420 | {h2_420_2} | {h2_420_7} | |
| the same | 575 | {h2_575_2} | {h2_575_7} | |
| the same, if all fragments had only 0.01 eV | 575 | {slow_575_2} | {slow_575_7} | |

- **Not together:** 320 at the surface with 100 and 10 farther out. The most that a Maxwellian surface source of 320 gives at
  2 radii is {most_2} (at {most_2_t} K), and at 7.5 radii {most_7} (at {most_7_t} K).
- **Not by dissociation of that H2:** it adds {h2_420_2} to {h2_575_2} at 2 radii, below one hundredth of what is missing: the
  fragments are fast and leave. Even fragments without energy would not be enough at 7.5 radii.
- **Not by one Maxwellian source of any density:** its ratio between 2 and 7.5 radii is never below {least_ratio} (between 200 and
  20 000 K); the paper's is 10.
- **Together:** the two profiles of the paper with a source of H that is extended or energetic, as its text suggests (charge
  exchange, impacts); neither has a number there.

## Molecular hydrogen and helium

| | temperature, K | at the surface | at 2 radii | at 6 radii | column above the surface, cm-2 |
|---|---|---|---|---|---|
{others}

The paper prints no other number of H2 or of He than these surface densities and the range of distances of He, so nothing in it
contradicts them. The 8e4 of H2 that it quotes from Schmid et al. (2022) is {schmid_ratio} times larger than its own 1.8e3;
both cannot hold, and the paper takes the lower one.

## Lyman-alpha

A thin exosphere of 320 at {airglow_t} K has a limb brightness of {limb} R at the surface (g = {g} s-1 at 0.352 au, no
velocity), and {vertical} R above the subsolar point. A profile that falls as a power law through 100 at 2 radii and 10 at
7.5 radii gives {power_limb} R at a tangent distance of 2 radii.

## The revision by a factor of two

The paper says that the factor 2 pi and phi = 0.3 lower the densities by about two. By its equations (1) and (2) they raise them
by 21: `docs/wave_densities.md` has the numbers. The profile of Figure 6 cannot follow from the older one by these equations.

## Lithium

The columns of 5.8e6 to 1.8e7 cm-2 need the ionisation rate of Li, which is uncertain by ten; Siderion has no default and asks for
`--photo-rate`.
"""


def number(value: float) -> str:
    """Three digits."""
    return f"{value:.3g}"


def surface_density(temperature: float, density: float, species: str, radii: float) -> float:
    """Chamberlain density at a distance, cm-3."""
    mass = get_species(species).mass
    return float(chamberlain_density(np.array([radii * RADIUS]), RADIUS, density / CUBIC, temperature, mass, MASS)[0]) * CUBIC


def recorded() -> dict[str, float]:
    """Norms of the Monte Carlo case at full size."""
    with (ROOT / "validation" / "recorded.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["case"] == "exosphere_montecarlo" and row["size"] == "full"]
    return {row["norm"]: float(row["value"]) for row in rows}


def surface_rows() -> list[str]:
    """H of 320 at the surface at several temperatures."""
    rows = []
    for temperature in (420.0, 575.0, 1000.0):
        near, far = (surface_density(temperature, 320.0, "H", radii) for radii in (2.0, 7.5))
        rows.append(f"| surface, 320, Chamberlain | {temperature:.0f} | {number(near)} | {number(far)} | {number(near / far)} |")
    return rows


def other_rows() -> list[str]:
    """H2 and He."""
    rows = []
    for species, density, temperature, name in (
        ("H2", 1.8e3, 420.0, "H2"), ("H2", 1.8e3, 575.0, "H2"), ("He", 1100.0, 420.0, "He, thermal"),
        ("He", 1100.0, 575.0, "He, thermal"), ("He", 150.0, 4000.0, "He, energetic"),
    ):  # fmt: skip
        grid = np.geomspace(1.0, 30.0, 600)
        profile = [surface_density(temperature, density, species, float(radii)) for radii in grid]
        column = float(vertical_column(grid * RADIUS, np.array(profile) / CUBIC)[0]) * 1e-4
        near, far = (surface_density(temperature, density, species, radii) for radii in (2.0, 6.0))
        rows.append(f"| {name} | {temperature:.0f} | {density:.3g} | {number(near)} | {number(far)} | {column:.2e} |")
    return rows


def page() -> str:
    """The page."""
    mc = recorded()
    temperatures = np.geomspace(200.0, 20000.0, 400)
    near, far = (np.array([surface_density(float(t), 320.0, "H", radii) for t in temperatures]) for radii in (2.0, 7.5))
    g = float(g_factor("H", 121.6, 0.352))
    grid = np.geomspace(1.0, 60.0, 800)
    airglow_t = 420.0
    profile = np.array([surface_density(airglow_t, 320.0, "H", float(radii)) for radii in grid]) / CUBIC
    slope = np.log(10.0) / np.log(7.5 / 2.0)
    power = 100.0 / CUBIC * (grid / 2.0) ** -slope
    return TEXT.format(
        surface="\n".join(surface_rows()), others="\n".join(other_rows()),
        h2_420_2=number(mc["H from H2 at 2 radii, 420 K"]), h2_420_7=number(mc["H from H2 at 7.5 radii, 420 K"]),
        h2_575_2=number(mc["H from H2 at 2 radii, 575 K"]), h2_575_7=number(mc["H from H2 at 7.5 radii, 575 K"]),
        slow_575_2=number(mc["H from H2 with only 0.01 eV at 2 radii, 575 K"]),
        slow_575_7=number(mc["H from H2 with only 0.01 eV at 7.5 radii, 575 K"]),
        most_2=number(near.max()), most_2_t=f"{temperatures[near.argmax()]:.0f}",
        most_7=number(far.max()), most_7_t=f"{temperatures[far.argmax()]:.0f}", least_ratio=number((near / far).min()),
        schmid_ratio=number(8e4 / 1.8e3), airglow_t=f"{airglow_t:.0f}", g=number(g),
        limb=number(float(limb_brightness(RADIUS, grid * RADIUS, profile, g)[()])),
        vertical=number(float(thin_brightness(float(vertical_column(grid * RADIUS, profile)[0]), g))),
        power_limb=number(float(limb_brightness(2.0 * RADIUS, grid * RADIUS, power, g)[()])),
    )  # fmt: skip


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
