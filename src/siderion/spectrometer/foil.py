"""Carbon foils: the energy that an ion keeps, and how much that varies from ion to ion.

For H, O and Ar the kept share was simulated between 15.1 and 80 keV behind 1.0 ug cm-2 and fitted as
``(a1 exp(a2 E) + a3) / 100`` (``spectrometer/tables/foil_retained_fit.csv``). Other elements, and energies above the table, use
the stopping laws of `siderion.spectrometer.foil_stopping` times the ratio of the simulated to that loss, interpolated in the
logarithm of the atomic number (held beyond argon). Below 15.1 keV there are two readings, since the fit was never tested there:
``"fit"`` continues the fitted formula, ``"stopping"`` continues the stopping laws with the ratio at 15.1 keV. They differ by a
third of the loss for an oxygen atom of 8 keV, which matters for the fragments of molecules.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table

from .foil_stopping import collision, foil_constants, model_loss
from .instruments import FOIL_MODELS

Array = NDArray[np.float64]


@cache
def _anchors() -> tuple[list[str], Array, Array]:
    """Atoms of the fits, logarithms of their atomic numbers, and rows of a1, a2, a3, lower and upper energy, thickness."""
    table = load_table("spectrometer", "foil_retained_fit")
    atoms = [str(atom) for atom in table["atom"]]
    numbers = np.log([float(collision(atom).number) for atom in atoms])
    return atoms, numbers, table[["a1", "a2", "a3", "lower_ev", "upper_ev", "thickness_ug_cm2"]].to_numpy(dtype=np.float64)


def _anchor_ratio(row: int, energy: Array, foil_model: str) -> Array:
    """Simulated loss of an atom of the table over the loss by the stopping laws; held outside of the energies of the table."""
    atoms, _, fits = _anchors()
    a1, a2, a3, lower, upper, thickness = fits[row]
    at = np.minimum(energy, upper) if foil_model == "fit" else np.clip(energy, lower, upper)
    loss = at * (1.0 - (a1 * np.exp(a2 * at) + a3) / 100.0)
    return np.asarray(loss / model_loss(atoms[row], at, thickness))


def mean_loss(atom: str, energy: ArrayLike, thickness: float = 1.0, foil_model: str = "fit") -> Array:
    """Mean energy that an atom loses in a carbon foil, proportional to the thickness, eV. Parameters as `retained_fraction`."""
    if foil_model not in FOIL_MODELS:
        raise SettingsError(f"foil_model is {foil_model!r}; use one of {', '.join(FOIL_MODELS)}")
    energies = np.asarray(energy, dtype=np.float64)
    _, numbers, _ = _anchors()
    place = float(np.interp(np.log(collision(atom).number), numbers, np.arange(len(numbers), dtype=np.float64)))
    below = min(int(place), len(numbers) - 2)
    share = place - below
    ratio = (1.0 - share) * _anchor_ratio(below, energies, foil_model) if share < 1.0 else 0.0
    if share > 0.0:
        ratio = ratio + share * _anchor_ratio(below + 1, energies, foil_model)
    return np.asarray(ratio * model_loss(atom, energies, thickness))


def retained_fraction(atom: str, energy_ev: ArrayLike, thickness: float = 1.0, foil_model: str = "fit") -> Array:
    """Share of its kinetic energy that an atom keeps behind a carbon foil.

    Parameters
    ----------
    atom : str
        Such as ``"O"``.
    energy_ev : array
        Kinetic energy before the foil, eV.
    thickness : float
        ug cm-2; 0 means no loss. The loss is proportional to it (0.5 to 3 ug cm-2).
    foil_model : {"fit", "stopping"}
        How the loss continues below the simulated energies, see above.

    Returns
    -------
    array
        Above 0, at most 1.

    Raises
    ------
    CoverageError
        The atom is not known, or would stop in the foil.
    SettingsError
        An energy or the thickness is not valid.

    References
    ----------
    Fits of H, O and Ar: ground software of SPAN-I (SPEDAS, ``spp_swp_spi_flight_elo.pro``).
    """
    energies = np.asarray(energy_ev, dtype=np.float64)
    if not (np.isfinite(energies).all() and (energies > 0.0).all()):
        raise SettingsError(f"energy of {atom} before the foil is {energies} eV; it must be positive and finite")
    if not 0.0 <= thickness < np.inf:
        raise SettingsError(f"foil thickness is {thickness} ug cm-2; it must be finite and not negative")
    collision(atom)
    if thickness == 0.0:
        return np.ones_like(energies)
    fraction = 1.0 - mean_loss(atom, energies, thickness, foil_model) / energies
    if (fraction <= 0.0).any():
        index = np.unravel_index(int(np.argmin(fraction)), fraction.shape)
        raise CoverageError(
            f"{atom} of {energies[index]:g} eV stops in a foil of {thickness:g} ug cm-2 (mean loss "
            f"{(1.0 - fraction[index]) * energies[index]:.0f} eV); take a higher voltage or a thinner foil"
        )
    return np.asarray(np.minimum(fraction, 1.0))


def energy_slope(atom: str, energy: float, thickness: float = 1.0, foil_model: str = "fit") -> float:
    """Relative change of the energy behind the foil for a relative change of the energy before it."""
    step = 1e-3
    above, below = energy * (1.0 + step), energy * (1.0 - step)
    kept = retained_fraction(atom, np.array([below, above]), thickness, foil_model) * np.array([below, above])
    return float(np.log(kept[1] / kept[0]) / np.log(above / below))


def default_energy_release() -> float:
    """Kinetic energy that the fragments of a molecule share in the foil, eV (table ``foil_constants``)."""
    return foil_constants()["energy_release"]
