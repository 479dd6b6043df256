"""Sputtering of the lunar surface: yields, composition of the regolith, atoms and ions per second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import get_body
from siderion.core.constants import ATOMIC_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table

from .plasma import IONS, PlasmaState, impact_energy, surface_flux

Array = NDArray[np.float64]
_CHARGE_NUMBER = {"H": 1, "He": 2, "O": 8}
_COSINES = 401


@dataclass(frozen=True)
class SputterYields:
    """Atoms of all elements per ion at 1 keV per atomic mass unit, by kind of ion.

    Attributes
    ----------
    name : str
        Name of the model, or ``"user"``.
    value, lower, upper : mapping of str to float
        Atoms per ion and the range taken for the uncertainty, for ``"H"``, ``"He"`` and ``"O"``.
    energy_dependent : bool
        The yield follows the energy of the ions, `energy_shape`; else it is that at 1 keV/amu.
    """

    name: str
    value: Mapping[str, float]
    lower: Mapping[str, float]
    upper: Mapping[str, float]
    energy_dependent: bool = False

    def at(self, ion: str, energy: float) -> float:
        """Atoms per ion of some energy (J)."""
        return self.value[ion] * (float(energy_shape(ion, energy)) if self.energy_dependent else 1.0)


def sputter_yields(model: str | float | Mapping[str, float] = "brotzner2024", energy_dependent: bool = False) -> SputterYields:
    """Sputter yields of the lunar regolith.

    Parameters
    ----------
    model : str, float or mapping of str to float
        ``"brotzner2024"`` or ``"high"``; or one's own yield: one number for all ions, or numbers for H, He and O.
    energy_dependent : bool
        Let the yield follow the energy of the ions.

    Raises
    ------
    SettingsError
        The model is unknown, an ion is missing, or a yield is negative.

    References
    ----------
    Brotzner et al. 2024, arXiv:2410.14450; table ``sources/tables/sputter_yields.csv``.
    """
    if isinstance(model, str):
        table = load_table("sources", "sputter_yields")
        rows = table[table["model"] == model].set_index("ion")
        if rows.empty:
            known = ", ".join(table["model"].unique())
            raise SettingsError(f"sputter yields {model!r} are unknown; known: {known}; or give a number of atoms per ion")
        value, lower, upper = (rows[name].astype(float).to_dict() for name in ("atoms_per_ion", "lower", "upper"))
        return SputterYields(model, value, lower, upper, energy_dependent)
    own = dict(model) if isinstance(model, Mapping) else dict.fromkeys(IONS, float(model))
    if set(own) != set(IONS) or not all(0.0 <= value < np.inf for value in own.values()):
        raise SettingsError(f"sputter yields {own}: give a number that is not negative for each of {', '.join(IONS)}")
    return SputterYields("user", own, own, own, energy_dependent)


def energy_shape(ion: str, energy: ArrayLike) -> Array:
    """Yield at an energy over that at 1 keV per atomic mass unit; zero below the threshold.

    s_n(eps) [1 - (E_th/E)^(2/3)] (1 - E_th/E)^2 with the nuclear stopping s_n of the Kr-C potential at the Thomas-Fermi
    reduced energy eps, for the mean atom of the regolith.

    Parameters
    ----------
    ion : str
        ``"H"``, ``"He"`` or ``"O"``.
    energy : array
        Kinetic energy, J.

    References
    ----------
    Bohdansky 1984, doi:10.1016/0168-583X(84)90271-4; threshold of Yamamura and Tawara 1996, doi:10.1006/adnd.1996.0005.
    """
    mass = get_species(IONS[ion]).mass / ATOMIC_MASS
    reference = _unscaled_shape(ion, np.asarray(1e3 * mass))
    return _unscaled_shape(ion, np.asarray(energy, dtype=np.float64) / ELEMENTARY_CHARGE) / reference


def sputter_threshold(ion: str) -> float:
    """Energy below which an ion sputters nothing from the mean atom of the regolith, J."""
    table = _energy_table()
    ratio = get_species(IONS[ion]).mass / ATOMIC_MASS / table["target_mass_amu"]
    transfer = 4.0 * ratio / (1.0 + ratio) ** 2
    factor = table["threshold_heavy"] if ratio >= 1.0 else 1.0 + table["threshold_light"] * ratio
    return factor * table["target_binding_ev"] / transfer * ELEMENTARY_CHARGE


def regolith_composition(regolith: str = "highland") -> dict[str, float]:
    """Share of each element in the number of atoms of the regolith, oxygen from the oxides.

    Parameters
    ----------
    regolith : str
        ``"highland"`` or ``"mare"``.

    Raises
    ------
    SettingsError
        The regolith is unknown.
    """
    table = load_table("sources", "lunar_regolith")
    rows = table[table["regolith"] == regolith]
    if rows.empty:
        raise SettingsError(f"regolith {regolith!r} is unknown; known: {', '.join(table['regolith'].unique())}")
    atoms: dict[str, float] = {"O": 0.0}
    for row in rows.itertuples():
        metal, oxygen = int(row.metal_atoms), int(row.oxygen_atoms)  # type: ignore[arg-type]
        molecule = metal * get_species(str(row.metal)).mass + oxygen * get_species("O").mass
        units = float(row.mass_percent) / molecule  # type: ignore[arg-type]
        atoms[str(row.metal)] = atoms.get(str(row.metal), 0.0) + metal * units
        atoms["O"] += oxygen * units
    total = sum(atoms.values())
    return {element: number / total for element, number in atoms.items()}


def element_share(element: str, regolith: str = "highland") -> float:
    """Share of an element in the atoms of the regolith; `CoverageError` where the table has none of it."""
    shares = regolith_composition(regolith)
    if element not in shares:
        raise CoverageError(f"no {element} in the composition of the lunar regolith; known: {', '.join(shares)}")
    return shares[element]


def binding_energy(element: str) -> float:
    """Surface binding energy of the law of sputtered energies, J; `CoverageError` where the table has none."""
    table = load_table("sources", "lunar_binding").set_index("element")["binding_ev"]
    if element not in table.index:
        raise CoverageError(f"no surface binding energy of {element}; known: {', '.join(table.index)}")
    return float(table[element]) * ELEMENTARY_CHARGE


def sputtered_flux(state: PlasmaState, yields: SputterYields, cosine: ArrayLike = 1.0) -> Array:
    """Atoms of all elements sputtered per area and time, m-2 s-1, where the flow comes in under some angle.

    Parameters
    ----------
    state : PlasmaState
        Plasma.
    yields : SputterYields
        Atoms per ion; those of a porous surface do not depend on the angle (Brotzner et al. 2024).
    cosine : array
        Cosine of the zenith angle of the flow; 1 is the subsolar point.
    """
    cosines = np.asarray(cosine, dtype=np.float64)
    parts = [yields.at(ion, impact_energy(state, ion)) * surface_flux(state, ion, cosines) for ion in IONS]
    return np.sum(parts, axis=0)


def sputter_rate(state: PlasmaState, yields: SputterYields) -> float:
    """Atoms of all elements sputtered from the whole Moon per second: the flux integrated over the sphere."""
    cosine, area = _rings()
    return float(np.sum(sputtered_flux(state, yields, cosine) * area))


def largest_recoil_energy(state: PlasmaState, yields: SputterYields, element: str) -> tuple[Array, Array]:
    """Largest energy that each kind of ion can give to an atom, J, and its share in the sputtered atoms.

    4 m1 m2/(m1 + m2)^2 times the mean energy of the ions, at least twice the surface binding energy.

    Parameters
    ----------
    state, yields
        Plasma and sputter yields.
    element : str
        The atom.

    Returns
    -------
    energy, share : ndarray of shape (ion,)
        In the order H, He, O.

    Raises
    ------
    SettingsError
        Nothing is sputtered.
    """
    target = get_species(element).mass
    energies, shares = [], []
    for ion in IONS:
        mass, energy = get_species(IONS[ion]).mass, impact_energy(state, ion)
        energies.append(max(4.0 * mass * target / (mass + target) ** 2 * energy, 2.0 * binding_energy(element)))
        shares.append(float(yields.at(ion, energy) * surface_flux(state, ion, 1.0)))
    total = sum(shares)
    if not total > 0.0:
        raise SettingsError(nothing_sputtered(state, yields))
    return np.array(energies), np.array(shares) / total


def nothing_sputtered(state: PlasmaState, yields: SputterYields) -> str:
    """Say why there are no sputtered atoms, for an error."""
    values = ", ".join(f"{ion} {yields.at(ion, impact_energy(state, ion)):g}" for ion in IONS)
    return (
        f"plasma {state.name} at {state.speed / 1e3:g} km/s sputters nothing from the Moon (atoms per ion: {values}; below the "
        "threshold energy they are 0): give higher --yields or a faster plasma, or take --source photo"
    )


def sputtered_cosines(state: PlasmaState, yields: SputterYields, count: int, generator: np.random.Generator) -> Array:
    """Sample cosines of the zenith angle of the flow at the places that sputtered atoms leave, shape (count,).

    Raises
    ------
    SettingsError
        Nothing is sputtered.
    """
    edges = np.linspace(-1.0, 1.0, _COSINES)
    flux = sputtered_flux(state, yields, edges)
    if not flux.max() > 0.0:
        raise SettingsError(nothing_sputtered(state, yields))
    # relative to the largest, so that tiny yields do not underflow where they are squared
    flux = flux / flux.max()
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (flux[1:] + flux[:-1]))])
    draw = generator.random(count) * cumulative[-1]
    cell = np.clip(np.searchsorted(cumulative, draw, side="right") - 1, 0, len(edges) - 2)
    first, last = flux[cell], flux[cell + 1]
    part = (draw - cumulative[cell]) / (cumulative[cell + 1] - cumulative[cell])
    # inverse of the integral of a linear density in the cell
    share = part * (first + last) / (first + np.sqrt(first**2 + part * (last**2 - first**2)))
    return np.clip(edges[cell] + share * (edges[1] - edges[0]), -1.0, 1.0)


def _rings() -> tuple[Array, Array]:
    """Cosines and areas (m2, with the weights of Gauss) of rings about the line of the flow."""
    # two halves: the flux of a cold flow has a kink at the terminator
    nodes, weights = np.polynomial.legendre.leggauss(64)
    cosine = np.concatenate([0.5 * (nodes - 1.0), 0.5 * (nodes + 1.0)])
    area = 2.0 * np.pi * get_body("Moon").require_value("radius") ** 2
    return cosine, area * 0.5 * np.concatenate([weights, weights])


def _energy_table() -> dict[str, float]:
    return load_table("sources", "sputter_energy").set_index("quantity")["value"].astype(float).to_dict()


def _unscaled_shape(ion: str, electronvolt: Array) -> Array:
    table = _energy_table()
    mass, target = get_species(IONS[ion]).mass / ATOMIC_MASS, table["target_mass_amu"]
    z1, z2 = _CHARGE_NUMBER[ion], table["target_charge_number"]
    with np.errstate(divide="ignore", invalid="ignore"):
        reduced = (
            table["reduced_energy"] * electronvolt * target / (mass + target) / (z1 * z2 * np.sqrt(z1 ** (2 / 3) + z2 ** (2 / 3)))
        )
        width = reduced + table["stopping_b"] * np.sqrt(reduced) + table["stopping_c"] * reduced ** table["stopping_d"]
        stopping = 0.5 * np.log1p(table["stopping_a"] * reduced) / width
        below = sputter_threshold(ion) / ELEMENTARY_CHARGE / electronvolt
        return np.where(below < 1.0, stopping * (1.0 - below ** (2 / 3)) * (1.0 - below) ** 2, 0.0)
