"""Write docs/wave_densities.md: every number in it comes from the functions of siderion.waves.

python docs/make_wave_densities_page.py
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from siderion.core.bodies import get_body
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.waves import density as d
from siderion.waves.conventions import convention_names, get_convention
from siderion.waves.density_settings import DensityUncertainty, PlasmaSettings, resolve_plasma
from siderion.waves.pickup_current import pickup_current, production_rate
from siderion.waves.uncertainty import propagate_density

FILE = Path(__file__).resolve().parent / "wave_densities.md"
PROTON = get_species("H+")
CUBIC = 1e6  # m-3 in one cm-3

EQUATIONS = """\
# From wave power to densities

Made by `python docs/make_wave_densities_page.py`; every number is computed by `siderion.waves`. Equation numbers are those of
Lammer et al. (2025), doi:10.3389/fspas.2024.1499346. Functions are in `siderion.waves.density` unless said otherwise.

## Equations

| Quantity | Equation | Function |
|---|---|---|
| wave energy | E = k delta_B² / (2 µ0), k = 1, or 2 with the motion of the plasma | `wave_energy_density` |
| delta_B² | integral over the band of both perpendicular one-sided power densities | `siderion.waves.spectra` |
| Alfven speed | v_A = B / sqrt(µ0 n_p (m_p + x m_alpha)), x alpha particles per proton, 0 unless given | `alfven_speed` |
| injection speed | v_inj = sqrt(v² + v_body²), v_body the orbital speed | `injection_speed` |
| density of ions (1) | n_i = E / (0.25 phi m v_A v_inj [(1 + cos a)² + (1 - cos a)²]) | `ion_density` |
| density of neutrals (2) | n_n = g n_i f / (N nu), g = 2 pi or 1, N = 100 | `neutral_density` |
| gyrofrequency (3) | f = q B / (2 pi m) | `gyrofrequency` |
| pick-up current (5) | j = q n_dot rho_L = m n_dot u / B, n_dot = nu n_n | `pickup_current.pickup_current` |
| gyroradius | rho = v_inj sin a / Omega | `pickup_gyroradius` |

The wave energy is not printed in the paper; k = 1 is the choice here. A mass of the plasma ions replaces the protons around the
moons of the giant planets. The field cancels in n_n, because v_A and f are both proportional to it.

## Equation (1), derived

In the frame of a wave that moves at v_A along the field, an ion keeps its speed. In the frame of the plasma its energy changes by
m v_A times the change of its parallel velocity, with the sign of the wave. New ions start at v_par = v cos a. Those that scatter
down lose energy to waves along the field, those that scatter up to waves against it. They end evenly on the sphere, so
a share (1 + c)/2 lies below, at a mean distance v (1 + c)/2 from the start, and a share (1 - c)/2 above, at v (1 - c)/2;
c = cos a. The loss per ion is the sum of the products, m v_A v [(1 + c)² + (1 - c)²]/4. **The bracket is squared, as printed:**
in units of m v_A v it gives {across} at 90 degrees and {along} at 0 and 180 degrees. It is the first order in v_A/v_inj: with the
two spheres about +v_A and -v_A kept exact, the loss is {exact} of equation (1) at 90 degrees and {ratio}, that of the
Mercury case below; densities by equation (1) are then too small by that factor, which no source of uncertainty covers.
`tests/waves/test_wave_density.py` holds both.
"""

INCONSISTENCIES = """\
## Three inconsistencies of the paper, with numbers

**1. What 100 counts.** Equation (2) as printed holds 2 pi f = Omega: ions gather for 100/Omega, which is {periods} gyroperiods.
The text speaks of 100 gyro-periods; those need equation (2) without 2 pi. It cites growth over {low:g} to {high:g} gyrations.

**2. Which way the revision goes.** From `schmid2022` (phi 1, no 2 pi) to `lammer2025` (phi 0.3, 2 pi) the densities of neutrals
grow by 2 pi/0.3 = {rise}. The text says that they are about 2 times lower: a factor {printed:g}. The change of phi alone raises
n_i by {phi}, while the text calls phi = 1 an overestimation. Neither follows from the printed equations.

**3. Venus.** From n_i = {n_i:g} cm-3, B = {field:g} nT and nu = {rate} s-1 follow {venus_lammer} cm-3 with 2 pi
and {venus_schmid} without. The text says about {venus_text:g}. That would need {needed} gyroperiods of growth.

Nothing is repaired in silence: the convention is named in every output, and each factor can be set.
"""

UNCERTAINTY = """\
## Uncertainty

Both densities are products, so every source is a term of their logarithm (`siderion.waves.uncertainty`). The true power over the
measured one is dof/chi-square(dof), with the effective degrees of freedom of the band. phi and the growth time are log-uniform
over their ranges, the ionisation rate is log-uniform from quiet to active Sun, the plasma is lognormal or log-uniform over the
range of the preset. A pitch angle that is not known is isotropic, with 60 degrees as nominal angle, and unknown degrees of
freedom are 2: what is unknown widens. Each is a setting of `DensityUncertainty` or `PlasmaSettings`.

The value is that of the equations with the convention as named; the ends are the 16 and 84 % quantiles of the samples, moved out
to the value where it lies beyond them: the 100 gyrations are the far end of their own range, and the phi = 1 of `schmid2022` and
`delva2009` lies outside the range of phi. The setting `value="median"` gives the median of the samples instead. Only the power
differs from window to window and averages out over many; efficiency, growth time, rate and plasma are common to all, the
pitch angle in part.

The case above with 40 degrees of freedom, an unknown pitch angle, a rate from quiet to 2.4 times that, and the usual
variability of the wind; factors on the nominal density at 16 and 84 %, each source alone:
"""


def shown(value: float, digits: int = 3) -> str:
    """A number rounded to significant digits; powers of ten only for the very large and small."""
    return f"{float(f'{float(value):.{digits}g}'):g}"


def case(name: str) -> dict[str, float]:
    """Inputs of a worked case, by quantity, in the units of the table."""
    table = load_table("waves", "density_cases")
    return table[table["case"] == name].set_index("quantity")["value"].astype(float).to_dict()


def exact_over_first_order(ratio: float) -> float:
    """Loss on the exact bispherical shell over that of equation (1), at 90 degrees, for v_A/v_inj = ratio."""
    radius = math.hypot(1.0, ratio)
    # by symmetry both caps hold half of the ions; mean parallel velocity of the upper one is (radius - ratio)/2
    loss = ratio * (radius - ratio) / 2.0
    return loss / float(d.free_energy_per_ion(1.0, ratio, 1.0, math.pi / 2.0, transfer_efficiency=1.0))


def mercury() -> dict[str, float]:
    """The sanity case of Mercury, SI."""
    given, convention = case("mercury"), get_convention("lammer2025")
    field, speed, angle = given["magnetic_field"] * 1e-9, given["flow_speed"] * 1e3, math.radians(given["pitch_angle"])
    rate = given["photo_rate_1au"] / given["distance"] ** 2
    frequency = float(d.gyrofrequency(field, PROTON.mass, PROTON.charge))
    ions = float(d.ion_density_of_neutrals(given["neutral_density"] * CUBIC, frequency, rate, convention=convention))
    alfven = float(d.alfven_speed(field, d.solar_wind_mass_density(given["plasma_density"] * CUBIC)))
    amplitude = float(d.wave_amplitude_of_ions(ions, PROTON.mass, alfven, speed, angle, convention=convention))
    radius = float(d.pickup_gyroradius(speed, angle, field, PROTON.mass, PROTON.charge))
    current = float(pickup_current(production_rate(given["neutral_density"] * CUBIC, rate), PROTON.mass, speed, field))
    return {"field": field, "speed": speed, "angle": angle, "rate": rate, "frequency": frequency, "ions": ions, "alfven": alfven,
            "amplitude": amplitude, "radius": radius, "current": current}  # fmt: skip


def conventions_table() -> list[str]:
    """What each convention takes."""
    rows = [
        "## Conventions",
        "",
        "| Convention | phi | g | N | gyroperiods N/g | kinetic half | constant plasma |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in convention_names():
        c = get_convention(name)
        factor = "2 pi" if c.gyration_factor != 1.0 else "1"
        flags = ["yes" if flag else "no" for flag in (c.kinetic_energy_included, c.constant_plasma)]
        rows.append(
            f"| `{name}` | {c.transfer_efficiency:g} | {factor} | {c.growth_gyrations:g} | {shown(c.growth_periods)} | "
            f"{flags[0]} | {flags[1]} |"
        )
    rows += [
        "",
        "Sources and confidence of each factor: `src/siderion/waves/tables/conventions.csv`. Change a factor with",
        '`get_convention("lammer2025").with_values(transfer_efficiency=0.5)`; the name in the output then says so.',
        "`constant_plasma` records that the source took one wind, field and rate for all of its data; no function acts on it.",
        "",
    ]
    return rows


def inconsistencies() -> str:
    """The section on the paper."""
    lammer, schmid = get_convention("lammer2025"), get_convention("schmid2022")
    given = case("venus")
    rate = given["photo_rate_1au"] / given["distance"] ** 2
    frequency = d.gyrofrequency(given["magnetic_field"] * 1e-9, PROTON.mass, PROTON.charge)
    venus = [float(d.neutral_density(given["ion_density"], frequency, rate, convention=c)) for c in (lammer, schmid)]
    args = (1e-10, PROTON.mass, 1e5, 4e5, math.pi / 2.0)
    ions = [d.ion_density(*args, convention=c) for c in (lammer, schmid)]
    neutrals = [d.neutral_density(n, frequency, rate, convention=c) for n, c in zip(ions, (lammer, schmid), strict=True)]
    growth = load_table("waves", "density_spreads").set_index("quantity").loc["growth_gyrations"]
    return INCONSISTENCIES.format(
        periods=shown(lammer.growth_periods), low=growth["lower"], high=growth["upper"],
        rise=shown(neutrals[0] / neutrals[1]), printed=case("lammer2025")["printed_ratio_to_schmid2022"],
        phi=shown(ions[0] / ions[1]), n_i=given["ion_density"], field=given["magnetic_field"], rate=shown(rate, 2),
        venus_lammer=shown(venus[0]), venus_schmid=shown(venus[1]), venus_text=given["printed_neutral_density"],
        needed=shown(schmid.growth_gyrations * venus[1] / given["printed_neutral_density"], 2),
    )  # fmt: skip


def mercury_section(values: dict[str, float]) -> list[str]:
    """The sanity case."""
    given = case("mercury")
    return [
        "## Mercury, a sanity case",
        "",
        f"n_H = {given['neutral_density']:g} cm-3, B = {given['magnetic_field']:g} nT, "
        f"{given['plasma_density']:g} protons per cm3, {given['flow_speed']:g} km/s, 90 degrees, {given['distance']:g} au, "
        "quiet Sun, `lammer2025`.",
        "",
        "| Quantity | Value |",
        "|---|---|",
        f"| ionisation rate | {shown(values['rate'])} s-1 |",
        f"| gyrofrequency of H+ | {shown(values['frequency'])} Hz |",
        f"| density of ions | {shown(values['ions'] / CUBIC, 2)} cm-3 |",
        f"| delta_B | {shown(values['amplitude'] * 1e9, 2)} nT |",
        f"| v_A | {shown(values['alfven'] / 1e3)} km/s |",
        f"| v_A/v_inj | {shown(values['alfven'] / values['speed'])} |",
        f"| gyroradius | {shown(values['radius'] / 1e3)} km, {shown(values['radius'] / get_body('Mercury').radius)} radii |",
        f"| pick-up current density | {shown(values['current'])} A m-2 |",
        "",
    ]


def uncertainty_section(values: dict[str, float]) -> list[str]:
    """Budget of the sanity case."""
    plasma = resolve_plasma(PlasmaSettings(density=40, speed=400), get_body("Mercury"))
    result = propagate_density(
        np.array([values["amplitude"] ** 2]), 40.0, math.nan, values["field"], PROTON.mass, PROTON.charge,
        values["rate"], values["rate"], 2.4 * values["rate"],
        plasma=plasma, convention=get_convention("lammer2025"), uncertainty=DensityUncertainty(samples=100_000),
    )  # fmt: skip
    table = result.budget_table()
    rows = [
        UNCERTAINTY,
        "| Source | ions | neutrals |",
        "|---|---|---|",
    ]
    for source, row in table.iterrows():
        ends = [f"{value:.2f}" for value in row]
        rows.append(f"| {str(source).replace('_', ' ')} | {ends[0]} to {ends[1]} | {ends[2]} to {ends[3]} |")
    return [*rows, ""]


def page() -> str:
    """The page."""
    values = mercury()
    ratio = values["alfven"] / values["speed"]
    shares = {name: shown(0.25 * float(d.free_energy_bracket(a)), 2) for name, a in (("across", math.pi / 2), ("along", 0.0))}
    equations = EQUATIONS.format(**shares, exact=shown(exact_over_first_order(ratio), 2), ratio=f"v_A/v_inj = {shown(ratio, 2)}")
    lines = [
        equations,
        *conventions_table(),
        inconsistencies(),
        *mercury_section(values),
        *uncertainty_section(values),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
    print(FILE)
