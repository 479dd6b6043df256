"""Counts of an instrument along the track of a spacecraft through a model, or from a flux that a source gives."""

from __future__ import annotations

import json
from importlib.metadata import version

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from siderion.core.errors import DataError, SettingsError
from siderion.core.species import Species, get_species

from .exposure import energy_edges, integrated_counts, mean_flux, sensitivity
from .instruments import Instrument

COMPONENTS = ("east", "north", "up")


def counts_along_track(
    track: xr.Dataset,
    instrument: Instrument,
    time: float,
    *,
    spacecraft_velocity: ArrayLike,
    temperature: ArrayLike | None = None,
    potential: ArrayLike = 0.0,
    geometric_factor: float | None = None,
    efficiency: float | None = None,
    edges: ArrayLike | None = None,
) -> xr.Dataset:
    """Expected counts at every point of a track through a model, as `siderion sample` writes it.

    The ions are Maxwellian, drift with the velocity of the model (0 where it is not among the sampled variables, which the
    attribute ``assumptions`` says) and are seen from all directions by a field of view of the whole sky.

    Parameters
    ----------
    track : xarray.Dataset
        ``number_density(species, point)``, m-3, and, if there, ``velocity_east``, ``velocity_north``, ``velocity_up``
        (species, point), m s-1, and ``ion_temperature(point)``, K.
    instrument : Instrument
        Its energy range, geometric factor, efficiency and duty cycle are used.
    time : float
        Time of counting at each point, s.
    spacecraft_velocity : array of shape (3,) or (point, 3)
        East, north, up, in the frame of the model (which turns with the Earth), m s-1.
    temperature : array of shape (point,) or a number, optional
        Temperature of the ions, K, in place of the sampled one.
    potential : array of shape (point,) or a number
        Potential of the spacecraft, V.
    geometric_factor, efficiency : float, optional
        In place of those of the instrument, m2 sr and 1.
    edges : array of shape (energy + 1,), optional
        Edges of the energy bins, eV per charge; those of the instrument by default.

    Returns
    -------
    xarray.Dataset
        ``expected_counts_by_energy(species, point, energy_per_charge)`` with the coordinates of the track and
        ``energy_per_charge_bounds``.

    Raises
    ------
    CoverageError
        The geometric factor or the efficiency is neither known nor given, or a species is unknown.
    DataError
        The density is missing, or no temperature is there or given.
    SettingsError
        A number cannot be, or a species is not a positive ion.
    """
    if "number_density" not in track or set(track["number_density"].dims) != {"species", "point"}:
        raise DataError("track: number_density(species, point) is missing; sample an output with `siderion sample`")
    density = track["number_density"].transpose("species", "point")
    bins = energy_edges(instrument) if edges is None else np.asarray(edges, dtype=np.float64)
    seen = sensitivity(instrument, geometric_factor, efficiency)
    if temperature is None and "ion_temperature" not in track:
        raise DataError("track: ion_temperature(point) is missing; sample it, or give a temperature, K")
    heat = track["ion_temperature"].values if temperature is None else np.asarray(temperature, dtype=np.float64)
    there = all(f"velocity_{way}" in track for way in COMPONENTS)
    craft = np.asarray(spacecraft_velocity, dtype=np.float64)
    if craft.shape not in ((3,), (density.sizes["point"], 3)):
        raise SettingsError(
            f"spacecraft velocity has shape {craft.shape}; needed: (3,) or ({density.sizes['point']}, 3): east, north, up"
        )
    counts = []
    points = density.sizes["point"]
    for name in density["species"].values:
        ion = positive_ion(str(name))
        drift = _drift(track, str(name), there) - craft
        flux = mean_flux(
            bins * ion.charge_number, density.sel(species=name).values,
            np.linalg.norm(np.broadcast_to(drift, (points, 3)), axis=1),
            heat, ion.mass, ion.charge, potential,
        )  # fmt: skip
        counts.append(integrated_counts(flux, seen, np.full(points, float(time)), instrument.duty_cycle))
    assumed = ["Maxwellian ions", "field of view of the whole sky"] + (
        [] if there else ["ions at rest in the frame of the model"]
    )
    return _as_dataset(np.array(counts), density, bins, instrument, {"time_s": time, "sensitivity_m2_sr": seen}, assumed)


def positive_ion(name: str) -> Species:
    """The ion of a name.

    Raises
    ------
    SettingsError
        It is not a positive ion.
    """
    found = get_species(name)
    if found.charge_number <= 0:
        raise SettingsError(f"species {name} is not a positive ion; an ion spectrometer does not see it; leave it out")
    return found


def _drift(track: xr.Dataset, name: str, there: bool) -> np.ndarray:
    if not there:
        return np.zeros(3)
    parts = [track[f"velocity_{way}"] for way in COMPONENTS]
    parts = [part.sel(species=name) if "species" in part.dims else part for part in parts]
    return np.stack([part.values for part in parts], axis=-1)


def _as_dataset(
    counts: np.ndarray,
    density: xr.DataArray,
    bins: np.ndarray,
    instrument: Instrument,
    settings: dict[str, float],
    assumed: list[str],
) -> xr.Dataset:
    result = xr.Dataset(
        {
            "expected_counts_by_energy": (
                ("species", "point", "energy_per_charge"),
                counts,
                {"units": "1", "long_name": "expected counts"},
            ),
            "energy_per_charge_bounds": (
                ("energy_per_charge", "bound"),
                np.stack([bins[:-1], bins[1:]], axis=1),
                {"units": "eV", "long_name": "edges of the energy bins, per charge"},
            ),
        },
        coords={**density.coords, "energy_per_charge": np.sqrt(np.maximum(bins[:-1], 1e-3 * bins[1]) * bins[1:])},
    )
    result["energy_per_charge"].attrs = {"units": "eV", "long_name": "energy per charge, middle of the bin"}
    confidence = [row["confidence"] for row in instrument.sources.values()]
    sources = [
        {"what": "instrument", "model": instrument.title, "citation": "siderion/spectrometer/tables/instrument_values.csv",
         "confidence": "unverified" if "unverified" in confidence else "verified"},
        {"what": "flux at a charged spacecraft", "model": "drifting Maxwellian, phase-space density kept",
         "confidence": "computed", "citation": "Whipple 1981, doi:10.1088/0034-4885/44/11/002"},
    ]  # fmt: skip
    result.attrs = {
        "title": f"Expected counts of {instrument.title}", "kind": "siderion expected counts", "assumptions": json.dumps(assumed),
        "settings": json.dumps({"instrument": instrument.name, **settings}), "sources": json.dumps(sources),
        "siderion_version": version("siderion"),
    }  # fmt: skip
    return result
