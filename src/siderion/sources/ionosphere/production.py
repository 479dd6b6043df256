"""Production of N+ and O+ by auroral electrons, and what storms do to N2/O."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from siderion.background.composition import production_shares
from siderion.background.neutral import neutral_atmosphere
from siderion.core.errors import SettingsError


def nitrogen_oxygen_ion_production(neutral: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """Ratio of the production rates of N+ and O+: 0.22 [N2] / (0.56 [O] + 0.5 [O2]).

    It stands for equation 2.1 of the review of heavy ions, which is lost in its text. In the F region, where O2 is rare, it
    tends to 0.39 [N2]/[O].

    Parameters
    ----------
    neutral : mapping
        Densities of "O", "O2" and "N2", m-3.

    References
    ----------
    Weights: table ``background/tables/composition.csv`` (Rees 1989, splitting of TIEGCM).
    """
    shares = production_shares(neutral)
    return np.asarray(shares["N+"] / shares["O+"])


def storm_composition(
    time: ArrayLike,
    altitude: ArrayLike,
    latitude: float,
    longitude: float,
    f107: float,
    f107_81_day_mean: float,
    quiet_ap: float = 4.0,
    disturbed_ap: float = 100.0,
    model: str = "nrlmsise00",
) -> xr.Dataset:
    """N2/O by altitude of a quiet and a disturbed thermosphere, from NRLMSIS.

    All seven ap values of the history of the model are set to one value: the disturbance has lasted.

    Parameters
    ----------
    time : datetime64
        UTC.
    altitude : array (alt,)
        km.
    latitude, longitude : float
        Geographic, degrees.
    f107, f107_81_day_mean : float
        1e-22 W m-2 Hz-1.
    quiet_ap, disturbed_ap : float
        Values of ap, 2 nT.
    model : {"nrlmsise00", "nrlmsis21"}
        Neutral model.

    Returns
    -------
    xarray.Dataset
        ``nitrogen_oxygen_ratio`` and ``nitrogen_oxygen_ion_production_ratio`` (activity, alt), ``storm_ratio_increase``
        (alt): disturbed over quiet N2/O, and ``storm_nitrogen_increase``, ``storm_oxygen_increase`` (alt).

    Raises
    ------
    SettingsError
        The disturbed ap does not exceed the quiet one.
    """
    if not disturbed_ap > quiet_ap:
        raise SettingsError(f"disturbed ap {disturbed_ap} must exceed quiet ap {quiet_ap}")
    heights = np.asarray(altitude, dtype=np.float64)
    moment = np.atleast_1d(np.asarray(time, dtype="datetime64[ns]"))
    states = []
    for ap in (quiet_ap, disturbed_ap):
        history = np.full((1, 7), ap)
        gas = neutral_atmosphere(moment, heights, [latitude], [longitude], f107, f107_81_day_mean, history, model)
        states.append({name: gas[f"density_{name}"].values[0, :, 0, 0] for name in ("O", "O2", "N2")})
    quiet, storm = states
    result = xr.Dataset(
        coords={"activity": ["quiet", "disturbed"], "alt": ("alt", heights, {"units": "km", "long_name": "altitude"})},
        attrs={"model": model, "quiet_ap": quiet_ap, "disturbed_ap": disturbed_ap},
    )
    both = (
        ("nitrogen_oxygen_ratio", "N2 over O", [state["N2"] / state["O"] for state in states]),
        ("nitrogen_oxygen_ion_production_ratio", "production of N+ over that of O+",
         [nitrogen_oxygen_ion_production(state) for state in states]),
    )  # fmt: skip
    for name, words, values in both:
        result[name] = (("activity", "alt"), np.array(values), {"units": "1", "long_name": words})
    changes = (
        ("storm_ratio_increase", "N2/O", (storm["N2"] / storm["O"]) / (quiet["N2"] / quiet["O"])),
        ("storm_nitrogen_increase", "N2", storm["N2"] / quiet["N2"]),
        ("storm_oxygen_increase", "O", storm["O"] / quiet["O"]),
    )
    for name, words, values in changes:
        result[name] = (("alt",), values, {"units": "1", "long_name": f"{words}, disturbed over quiet"})
    return result
