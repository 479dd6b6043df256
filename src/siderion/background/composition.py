"""Composition of the background ions by photochemical balance.

Production, charge exchange and recombination balance for N2+, O+, O2+ and NO+ in turn. With the electron density given,
every balance is linear in the total ionisation rate q, so that the ions are q times known numbers and q follows from
their sum: q = Ne / sum(n_i / q). There is no transport: in the F region, where O+ moves, q stands for all that
supplies O+, and the shares of the molecular ions are still those of local balance. H+ and He+ are left out (below about
500 km). Reactions: the molecular ions of the chemistry table; production shares: the table ``composition``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.chemistry.reactions import rate_coefficient
from siderion.core.errors import DataError, NumericalError
from siderion.core.tables import load_table
from siderion.core.variables import with_attributes

IONS = ("O+", "O2+", "NO+", "N2+")
"""The ions of the background."""
RECOMBINATION = {"O2+": "o2_ion_electron", "NO+": "no_ion_electron", "N2+": "n2_ion_electron"}
"""Key of the recombination of each molecular ion in the chemistry table."""
REACTIONS = (
    *RECOMBINATION.values(),
    "o_ion_n2",
    "o_ion_o2",
    "n2_ion_o",
    "n2_ion_o2",
    "o2_ion_no",
    "n_ion_o2_to_o2_ion",
    "n_ion_o2_to_no_ion",
)
"""Keys of the chemistry table that the balance needs."""

_NEUTRALS = ("N2", "O2", "O", "NO")
_DIMS = ("time", "alt", "lat", "lon")


def production_shares(neutral: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float64]]:
    """Share of the total ionisation that makes each ion (N+ included); the shares sum to 1.

    ``neutral`` maps "O", "O2", "N2" to densities in m-3.
    """
    table = load_table("background", "composition")
    total = sum(row.weight * np.asarray(neutral[row.neutral], float) for row in table.itertuples())
    shares: dict[str, NDArray[np.float64]] = {}
    for row in table.itertuples():
        share = row.weight * np.asarray(neutral[row.neutral], dtype=float) / total
        shares[row.product] = shares.get(row.product, 0.0) + share
    return shares


def ion_balance(
    electron_density: ArrayLike, neutral: Mapping[str, ArrayLike], rates: Mapping[str, NDArray[np.float64]]
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Densities of O+, O2+, NO+, N2+ that sum to the electron density, and the ionisation rate that holds them.

    Parameters
    ----------
    electron_density : array
        m-3, positive.
    neutral : mapping
        Densities of "N2", "O2", "O", "NO", m-3.
    rates : mapping
        Rate coefficients by the keys `REACTIONS`, m3 s-1. All arrays broadcast.

    Returns
    -------
    ions : dict
        Densities by name, m-3.
    ionisation_rate : ndarray
        Total ionisation rate, m-3 s-1; equal to the total recombination rate.
    """
    electrons = np.asarray(electron_density, dtype=float)
    n2, o2, o, no = (np.asarray(neutral[name], dtype=float) for name in _NEUTRALS)
    share = production_shares(neutral)
    to_o2, to_no = rates["n_ion_o2_to_o2_ion"], rates["n_ion_o2_to_no_ion"]
    branch = np.asarray(to_o2) / (np.asarray(to_o2) + np.asarray(to_no))
    # Each ion per unit of ionisation rate (s): source / loss.
    n2_ion = share["N2+"] / (rates["n2_ion_o"] * o + rates["n2_ion_o2"] * o2 + rates["n2_ion_electron"] * electrons)
    o_ion = share["O+"] / (rates["o_ion_n2"] * n2 + rates["o_ion_o2"] * o2)
    o2_source = share["O2+"] + branch * share["N+"] + rates["n2_ion_o2"] * o2 * n2_ion + rates["o_ion_o2"] * o2 * o_ion
    o2_ion = o2_source / (rates["o2_ion_no"] * no + rates["o2_ion_electron"] * electrons)
    no_source = (
        (1.0 - branch) * share["N+"]
        + rates["n2_ion_o"] * o * n2_ion
        + rates["o_ion_n2"] * n2 * o_ion
        + rates["o2_ion_no"] * no * o2_ion
    )
    no_ion = no_source / (rates["no_ion_electron"] * electrons)
    rate = electrons / (n2_ion + o_ion + o2_ion + no_ion)
    return {"O+": rate * o_ion, "O2+": rate * o2_ion, "NO+": rate * no_ion, "N2+": rate * n2_ion}, rate


def molecular_recombination(ions: Mapping[str, ArrayLike], rates: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean recombination coefficient of the molecular ions, m3 s-1, weighted by their densities.

    ``ions`` as `ion_balance` returns them; ``rates`` by the keys in `RECOMBINATION`, m3 s-1.
    """
    loss = sum(np.asarray(rates[key]) * np.asarray(ions[name], float) for name, key in RECOMBINATION.items())
    return np.asarray(loss / sum(np.asarray(ions[name], float) for name in RECOMBINATION))


def background_rates(
    neutral_temperature: ArrayLike, electron_temperature: ArrayLike, ion_temperature: ArrayLike
) -> dict[str, NDArray[np.float64]]:
    """Rate coefficients of the balance by the keys `REACTIONS`, m3 s-1, from temperatures in K."""
    temperatures = (neutral_temperature, electron_temperature, ion_temperature)
    return {key: rate_coefficient(key, *temperatures) for key in REACTIONS}


def background_ions(neutral: xr.Dataset, electron_density: xr.DataArray, temperatures: xr.Dataset) -> xr.Dataset:
    """Densities of the background ions on the grid of the neutral atmosphere.

    Parameters
    ----------
    neutral : xarray.Dataset
        Holds ``density_N2``, ``density_O2``, ``density_O``, ``density_NO`` (m-3) and ``neutral_temperature`` (K).
    electron_density : xarray.DataArray
        (time, alt, lat, lon), m-3.
    temperatures : xarray.Dataset
        ``electron_temperature`` and ``ion_temperature``, K.

    Returns
    -------
    xarray.Dataset
        ``density_O+``, ``density_O2+``, ``density_NO+``, ``density_N2+``, m-3, which sum to the electron density, and
        ``molecular_recombination``, m3 s-1: the mean recombination coefficient of the molecular ions.

    Raises
    ------
    DataError
        The electron density or a neutral density is not positive somewhere.
    NumericalError
        A temperature is not above 0 K, or a result is not finite.
    """
    gas = {name: _positive(neutral[f"density_{name}"], f"density of {name}") for name in _NEUTRALS}
    electrons = _positive(electron_density, "electron density")
    heat = [
        array.transpose(*_DIMS).values
        for array in (
            neutral["neutral_temperature"],
            temperatures["electron_temperature"],
            temperatures["ion_temperature"],
        )
    ]
    fields = {f"density_{name}": np.empty(electrons.shape) for name in IONS}
    fields["molecular_recombination"] = np.empty(electrons.shape)
    for step in range(electrons.shape[0]):  # one time at a time: the rate coefficients would fill the memory
        rates = background_rates(*(values[step] for values in heat))
        ions, _ = ion_balance(electrons[step], {name: values[step] for name, values in gas.items()}, rates)
        for name in IONS:
            fields[f"density_{name}"][step] = ions[name]
        fields["molecular_recombination"][step] = molecular_recombination(ions, rates)
    for name, values in fields.items():
        _check_finite(values, name)
    coords = {name: neutral[name] for name in _DIMS}
    dataset = with_attributes(xr.Dataset({name: (_DIMS, values) for name, values in fields.items()}, coords=coords))
    dataset["molecular_recombination"].attrs.update(
        units="m3 s-1", long_name="mean recombination coefficient of the molecular ions"
    )
    return dataset


def _positive(array: xr.DataArray, name: str) -> NDArray[np.float64]:
    values = array.transpose(*_DIMS).values.astype(np.float64, copy=False)
    if not (values > 0.0).all():
        index = tuple(int(i) for i in np.argwhere(~(values > 0.0))[0])
        raise DataError(f"{name} is {values[index]} m-3 at index {index} {_DIMS}; it must be positive; correct the input")
    return values


def _check_finite(values: NDArray[np.float64], name: str) -> None:
    if not np.isfinite(values).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise NumericalError(f"{name} is {values[index]} at index {index} {_DIMS}; check densities and temperatures there")
