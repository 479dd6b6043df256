"""Chemistry of the molecular ions: lifetimes, what survives the way up, steady state and a box in time.

Rates come from the reaction table of `siderion.chemistry`; the three recombinations have the variants ``yamauchi`` (the
review of heavy ions, the default) and ``tiegcm``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import cumulative_trapezoid, solve_ivp
from scipy.optimize import brentq

from siderion.background.composition import REACTIONS, RECOMBINATION, ion_balance, production_shares
from siderion.chemistry.reactions import get_reaction, rate_coefficient, select_rate
from siderion.core.errors import CoverageError, DataError, NumericalError, SettingsError
from siderion.core.tables import load_table

Array = NDArray[np.float64]
METAL_RECOMBINATION = {"Fe+": "fe_ion_electron", "Mg+": "mg_ion_electron", "Na+": "na_ion_electron", "Si+": "si_ion_electron",
                       "Al+": "al_ion_electron", "Ca+": "ca_ion_electron"}  # fmt: skip
"""Key of the radiative recombination of metal ions."""
ASSUMED_METALS = ("Li+", "K+", "Ti+", "V+", "Cr+", "Mn+", "Co+", "Ni+", "Cu+", "Zn+", "Ge+", "Sr+", "Nb+", "Mo+", "Ag+", "Sn+",
                  "Ba+", "Hf+", "Pb+", "Bi+")  # fmt: skip
"""Metal ions without a rate in the table: that of Mg+ is assumed; its lifetime is days, a flight takes an hour."""
VARIANTS = ("yamauchi", "tiegcm")
"""Sets of rates of the dissociative recombination."""
BOX_SPECIES = ("O+", "N+", "O2+", "NO+", "N2+", "O", "N", "O2", "NO", "N2")
"""Species of the box."""
_FRAGMENT = {("N2", "N+"): ("N",), ("O2", "O+"): ("O",)}
_ATOMS = {"O": (0, 1), "N": (1, 0), "O2": (0, 2), "NO": (1, 1), "N2": (2, 0)}


def recombination_coefficient(species: str, electron_temperature: ArrayLike, variant: str = "yamauchi") -> Array:
    """Recombination coefficient of an ion with electrons, m3 s-1; 0 for O+ and N+, whose radiative one is left out.

    Parameters
    ----------
    species : str
        O2+, NO+, N2+ (dissociative), a metal ion (radiative; that of Mg+ is assumed for `ASSUMED_METALS`), O+ or N+.
    electron_temperature : array
        K.
    variant : {"yamauchi", "tiegcm"}
        Set of rates of the molecular ions.

    Raises
    ------
    CoverageError
        No rate is known.
    """
    temperature = np.asarray(electron_temperature, dtype=np.float64)
    if species in ("O+", "N+", "H+", "He+"):
        return np.zeros(temperature.shape)
    if species in RECOMBINATION:
        key = select_rate(RECOMBINATION[species], variant)
    elif species in METAL_RECOMBINATION or species in ASSUMED_METALS:
        key = METAL_RECOMBINATION.get(species, METAL_RECOMBINATION["Mg+"])
    else:
        known = ", ".join((*RECOMBINATION, *METAL_RECOMBINATION, *ASSUMED_METALS))
        raise CoverageError(f"no recombination rate for {species}; known: {known}; or leave recombination out")
    return rate_coefficient(key, temperature, temperature, temperature)


def recombination_lifetime(
    species: str, electron_density: ArrayLike, electron_temperature: ArrayLike, variant: str = "yamauchi"
) -> Array:
    """Lifetime against recombination, s: 1/(k(Te) Ne); the arguments (m-3, K) broadcast.

    Raises
    ------
    DataError
        An electron density is not positive.
    CoverageError
        The ion does not recombine in this model, or no rate is known.
    """
    density = np.asarray(electron_density, dtype=np.float64)
    if not (density > 0.0).all():
        raise DataError(f"electron density is {density.min()} m-3; it must be positive")
    coefficient = recombination_coefficient(species, electron_temperature, variant)
    if not (coefficient > 0.0).all():
        raise CoverageError(f"{species} does not recombine in this model; ask for a molecular or metal ion")
    return 1.0 / (coefficient * density)


def surviving_share(
    species: str,
    altitude: ArrayLike,
    electron_density: ArrayLike,
    electron_temperature: ArrayLike,
    upflow_speed: ArrayLike,
    variant: str = "yamauchi",
) -> Array:
    """Share of the ions that are still there when they rise from the first altitude: exp(-integral of k Ne dz / w).

    Parameters
    ----------
    altitude, electron_density, electron_temperature : array (alt,)
        m (rising), m-3, K.
    upflow_speed : float or array (alt,)
        w, m s-1, positive.
    species, variant
        As in `recombination_coefficient`.

    Returns
    -------
    array (alt,)
        Share, 1 at the first altitude. Trapezoidal rule.

    Raises
    ------
    DataError
        The altitudes do not rise or a value is not positive.
    """
    height = np.asarray(altitude, dtype=np.float64)
    fields = [np.broadcast_to(np.asarray(v, float), height.shape) for v in (electron_density, electron_temperature, upflow_speed)]
    density, temperature, speed = fields
    if height.ndim != 1 or len(height) < 2 or not (np.diff(height) > 0).all():
        raise DataError("altitudes must be two or more and rise")
    for name, values in zip(("electron density", "electron temperature", "upflow speed"), fields, strict=True):
        if not (values > 0.0).all():
            raise DataError(f"{name} is {values.min()} at {height[int(values.argmin())] * 1e-3:.0f} km; it must be positive")
    frequency = recombination_coefficient(species, temperature, variant) * density / speed
    return np.exp(-cumulative_trapezoid(frequency, height, initial=0.0))


def box_rates(
    neutral_temperature: ArrayLike, electron_temperature: ArrayLike, ion_temperature: ArrayLike, variant: str = "yamauchi"
) -> dict[str, Array]:
    """Rate coefficients of the molecular ions by their default keys, m3 s-1, with one set of recombination rates."""
    if variant not in VARIANTS:
        raise SettingsError(f"unknown set of rates {variant!r}; use one of {', '.join(VARIANTS)}")
    recombining = set(RECOMBINATION.values())
    return {
        key: rate_coefficient(
            select_rate(key, variant) if key in recombining else key, neutral_temperature, electron_temperature, ion_temperature
        )
        for key in REACTIONS
    }


def steady_state(ionisation_rate: float, neutral: Mapping[str, float], rates: Mapping[str, Array]) -> dict[str, float]:
    """Densities of the ions and electrons in balance with a total ionisation rate, m-3.

    The inverse of `siderion.background.composition.ion_balance`, with N+ (which that balance passes on at once) as production
    over loss. Arguments: m-3 s-1; densities of N2, O2, O, NO, m-3; `box_rates`.

    Raises
    ------
    SettingsError
        The ionisation rate is not positive.
    """
    if not 0.0 < ionisation_rate < np.inf:
        raise SettingsError(f"ionisation rate is {ionisation_rate} m-3 s-1; it must be positive and finite")

    loss = float(rates["n_ion_o2_to_o2_ion"] + rates["n_ion_o2_to_no_ion"]) * neutral["O2"]
    nitrogen = ionisation_rate * float(production_shares(neutral)["N+"]) / loss

    def excess(logarithm: float) -> float:
        # The ions are proportional to the ionisation rate while the electron density is given.
        electrons = np.exp(logarithm)
        part = ionisation_rate / float(ion_balance(electrons, neutral, rates)[1])
        return float(np.log(part + nitrogen / electrons))

    electrons = float(np.exp(brentq(excess, np.log(1e-2), np.log(1e18), xtol=1e-14)))
    ions, rate = ion_balance(electrons, neutral, rates)
    part = ionisation_rate / float(rate)
    return {**{name: part * float(value) for name, value in ions.items()}, "N+": nitrogen, "e-": electrons}


def molecular_box(
    duration: float,
    start: Mapping[str, float],
    rates: Mapping[str, Array],
    ionisation_rate: float = 0.0,
    fixed_neutrals: bool = False,
    points: int = 101,
) -> xr.Dataset:
    """Ions and neutrals of a box in time; electrons as many as ions.

    Parameters
    ----------
    duration : float
        s.
    start : mapping
        Densities at the start by name (`BOX_SPECIES`), m-3; those left out are 0.
    rates : mapping
        `box_rates`, scalars.
    ionisation_rate : float
        Total ionisation, m-3 s-1, shared as in `siderion.background.composition.production_shares`.
    fixed_neutrals : bool
        Hold the neutrals, as a large reservoir would. Else elements and charge are conserved.
    points : int
        Number of output times, evenly spaced.

    Returns
    -------
    xarray.Dataset
        ``density`` (species, box_time), m-3, and ``electron_number_density`` (box_time).

    Raises
    ------
    SettingsError
        A name is unknown or a number is out of range.
    NumericalError
        The solver gave up.
    """
    unknown = set(start) - set(BOX_SPECIES)
    if unknown or not duration > 0.0 or min(start.values(), default=0.0) < 0.0 or ionisation_rate < 0.0:
        raise SettingsError(
            f"box: unknown species {sorted(unknown)}, or a negative density or duration; use {', '.join(BOX_SPECIES)}"
        )
    initial = np.array([float(start.get(name, 0.0)) for name in BOX_SPECIES])
    scale = initial.sum()
    system = _BoxSystem(rates, ionisation_rate / scale, scale, fixed_neutrals)
    times = np.linspace(0.0, duration, points)
    solution = solve_ivp(
        system.slope, (0.0, duration), initial / scale, "Radau", times, jac=system.jacobian, rtol=1e-8, atol=1e-20
    )
    if not solution.success:
        raise NumericalError(f"box of molecular ions stopped at {solution.t[-1]:g} s: {solution.message}; check the densities")
    values = solution.y * scale
    coords = {"species": list(BOX_SPECIES), "box_time": ("box_time", times, {"units": "s", "long_name": "time in the box"})}
    box = xr.Dataset(coords=coords)
    box["density"] = (("species", "box_time"), values, {"units": "m-3", "long_name": "number density"})
    box["electron_number_density"] = (
        "box_time",
        values[:5].sum(axis=0),
        {"units": "m-3", "long_name": "number density of electrons"},
    )
    return box


def element_content(box: xr.Dataset) -> Array:
    """Nitrogen and oxygen atoms of a box in time, (2, box_time), m-3."""
    counts = np.array([_ATOMS[name.rstrip("+")] for name in BOX_SPECIES], dtype=np.float64)
    return counts.T @ box["density"].sel(species=list(BOX_SPECIES)).values


class _BoxSystem:
    """Right side and Jacobian of the box: reactants, products and rates of every reaction, densities in units of ``scale``."""

    def __init__(self, rates: Mapping[str, Array], ionisation: float, scale: float, fixed: bool) -> None:
        index = {name: k for k, name in enumerate(BOX_SPECIES)}
        self.pairs, columns, self.rates = [], [], []
        for key in REACTIONS:
            reaction = get_reaction(key)
            change = np.zeros(len(BOX_SPECIES))
            for sign, names in ((-1.0, reaction.reactants), (1.0, reaction.products)):
                for name in names:
                    if name != "e-":
                        change[index[name]] += sign
            ion, other = reaction.reactants
            self.pairs.append((index[ion], index.get(other, -1)))
            columns.append(change)
            self.rates.append(float(rates[key]) * scale)
        table = load_table("background", "composition")
        for row in table.itertuples():
            change = np.zeros(len(BOX_SPECIES))
            change[index[row.neutral]] -= 1.0
            for name in (row.product, *_FRAGMENT.get((row.neutral, row.product), ())):
                change[index[name]] += 1.0
            columns.append(change)
        self.weights = table["weight"].to_numpy(dtype=np.float64)
        self.parents = np.array([index[name] for name in table["neutral"]])
        self.changes = np.array(columns).T
        if fixed:
            self.changes[5:] = 0.0
        self.ionisation = ionisation

    def slope(self, time: float, n: Array) -> Array:
        electrons = n[:5].sum()
        speeds = [k * n[a] * (electrons if b < 0 else n[b]) for k, (a, b) in zip(self.rates, self.pairs, strict=True)]
        return self.changes @ np.array([*speeds, *self._ionisation(n)])

    def jacobian(self, time: float, n: Array) -> Array:
        electrons = n[:5].sum()
        rows = np.zeros((self.changes.shape[1], len(n)))
        for r, (k, (a, b)) in enumerate(zip(self.rates, self.pairs, strict=True)):
            rows[r, a] += k * (electrons if b < 0 else n[b])
            if b < 0:
                rows[r, :5] += k * n[a]
            else:
                rows[r, b] += k * n[a]
        # The ionisation is slow: its Jacobian is left out, Newton's method corrects for it.
        return self.changes @ rows

    def _ionisation(self, n: Array) -> Array:
        weighted = self.weights * np.maximum(n[self.parents], 0.0)
        return self.ionisation * weighted / max(weighted.sum(), 1e-300)
