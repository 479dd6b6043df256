"""A made-up polar run: plausible in shape, free of physics, small and repeatable."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

POLE_LATITUDE, POLE_LONGITUDE = 80.7, -72.7
RADIUS = 6371.2
DAY = np.datetime64("2023-06-18")
TERMS = ("exb", "pedersen", "parallel_field", "wind", "gravity", "pressure")


def magnetic_coordinates(lat, lon, hour):
    """Dipole latitude (degrees) and magnetic local time (h) of points at one UT hour; southern latitudes mirrored."""
    phi, pole = np.deg2rad(lat), np.deg2rad(POLE_LATITUDE)
    difference = np.deg2rad(lon - POLE_LONGITUDE)
    sine = np.sin(phi) * np.sin(pole) + np.cos(phi) * np.cos(pole) * np.cos(difference)
    magnetic_longitude = np.rad2deg(
        np.arctan2(
            np.cos(phi) * np.sin(difference),
            np.cos(phi) * np.sin(pole) * np.cos(difference) - np.sin(phi) * np.cos(pole),
        )
    )
    noon = 180.0 - 15.0 * hour - POLE_LONGITUDE
    return np.rad2deg(np.arcsin(np.clip(sine, -1, 1))), (12.0 + (magnetic_longitude - noon) / 15.0) % 24.0


def two_cell_potential(magnetic_latitude, local_time):
    """Two cells in V: 25 kV deep in the evening, 18 kV high in the morning."""
    x = (90.0 - np.abs(magnetic_latitude)) / 16.0
    wave = -np.sin(2 * np.pi * (local_time - 12.0) / 24.0)
    return np.where(wave < 0, 25e3, 18e3) * wave * x**2 * np.exp(1.0 - x**2)


def exb_drift(potential, lat, lon):
    """East and north drift (m s-1) for a vertical field of 50 uT that points down in the north and up in the south."""
    metre = RADIUS * 1e3 * np.pi / 180.0
    around = np.concatenate([potential[:, -1:], potential, potential[:, :1]], axis=1)
    east = -np.gradient(around, lon[1] - lon[0], axis=1)[:, 1:-1] / (metre * np.cos(np.deg2rad(lat))[:, None])
    north = -np.gradient(potential, lat, axis=0) / metre
    up = -5e-5 * np.sign(lat[0])
    return north / up, -east / up


def polar_dataset(
    seed=0,
    southern=False,
    by_term=True,
    velocities=True,
    species=("Fe+",),
    lat_step=2.0,
    lon_step=4.0,
    alt=None,
    hours=None,
):
    """Make an output like that of `siderion run`."""
    noise = np.random.default_rng(seed)
    lat = np.arange(40.0 + lat_step / 2, 90.0, lat_step)
    lat = -lat[::-1] if southern else lat
    lon = np.arange(-180.0 + lon_step / 2, 180.0, lon_step)
    alt = (
        np.array([95, 100, 105, 110, 114, 117, 120, 123, 127, 132, 140, 155, 175, 200, 230, 265, 305, 350, 400, 450.0])
        if alt is None
        else alt
    )
    hours = np.arange(0, 25, 6) if hours is None else hours
    grid_lat, grid_lon = np.meshgrid(lat, lon, indexing="ij")
    mirror_lat = np.abs(grid_lat)
    mlt = np.empty((len(hours), len(lat), len(lon)))
    potential, wave = np.empty_like(mlt), np.empty((len(hours), len(alt), len(lat), len(lon)))
    for k, hour in enumerate(hours):
        mlat, mlt[k] = magnetic_coordinates(mirror_lat, grid_lon, float(hour))
        potential[k] = two_cell_potential(mlat, mlt[k])
        clock = 2 * np.pi * (mlt[k] - 22.0) / 24.0
        layer = np.exp(-(((mlat - 74.0 - 2.0 * np.cos(clock)) / 3.0) ** 2)) * np.exp(2.5 * (np.cos(clock) - 1.0))
        ring = np.exp(-(((mlat - 66.0) / 4.0) ** 2)) * (1.2 - np.cos(2 * np.pi * mlt[k] / 24.0))
        for j, height in enumerate(alt):
            low = 2e11 * layer * np.exp(-(((height - 118.0) / 4.0) ** 2)) + 6e9 * np.exp(-(((height - 108.0) / 12.0) ** 2))
            high = (3e7 + 2.5e9 * ring) * np.exp(-(height - 120.0) / 55.0) * (height > 112.0)
            wave[k, j] = low + high + 1e4
    wave *= 1.0 + 0.05 * noise.random(wave.shape)
    invariant = np.empty((len(alt), len(lat), len(lon)))
    mlat, _ = magnetic_coordinates(mirror_lat, grid_lon, 0.0)
    for j, height in enumerate(alt):
        shell = np.cos(np.deg2rad(mlat)) ** 2 * RADIUS / (RADIUS + height)
        invariant[j] = np.rad2deg(np.arccos(np.sqrt(shell)))
    time = (DAY.astype("datetime64[h]") + hours).astype("datetime64[ns]")
    shrink = np.array([1.0, 0.3, 0.5, 2.0])[: len(species)]
    dataset = xr.Dataset(
        {
            "number_density": (
                ("species", "time", "alt", "lat", "lon"),
                (shrink[:, None, None, None, None] * wave).astype("f4"),
            ),
            "electric_potential": (("time", "lat", "lon"), potential),
            "solid_angle": (("lat", "lon"), np.cos(np.deg2rad(grid_lat)) * np.deg2rad(lat_step) * np.deg2rad(lon_step)),
            "magnetic_local_time": (("time", "lat", "lon"), mlt),
            "invariant_latitude": (("alt", "lat", "lon"), -invariant if southern else invariant),
        },
        coords={"species": list(species), "time": time, "alt": alt, "lat": lat, "lon": lon},
        attrs=_attributes(species),
    )
    if velocities:
        dataset = dataset.merge(_velocities(dataset, by_term, noise), combine_attrs="override")
    return dataset


def _velocities(dataset, by_term, noise):
    wanted = [DAY + np.timedelta64(hour, "h") for hour in (6, 18)]
    times = np.array(wanted, dtype="datetime64[ns]")
    lat, lon, alt = (dataset[name].values for name in ("lat", "lon", "alt"))
    parts = {
        way: np.zeros((len(TERMS), dataset.sizes["species"], 2, len(alt), len(lat), len(lon))) for way in ("east", "north", "up")
    }
    for k, time in enumerate(times):
        potential = dataset["electric_potential"].sel(time=time).values
        east, north = exb_drift(potential, lat, lon)
        for j, height in enumerate(alt):
            free = 1.0 / (1.0 + np.exp(-(height - 125.0) / 8.0))
            mixed = free * (1.0 - free) + 0.02
            terms = {
                "exb": (free * east, free * north, 0.15 * free * north * np.sign(lat[0])),
                "pedersen": (-mixed * north, mixed * east, -0.2 * mixed * east),
                "wind": (np.full_like(east, 20.0 * (1 - free)), 15.0 * np.sin(np.deg2rad(lon))[None, :] + 0 * east,
                         4.0 * np.cos(np.deg2rad(lon + 15.0 * 6))[None, :] + 0 * east),
                "gravity": (0 * east, 0 * east, np.full_like(east, -6.0 * free)),
                "pressure": (0 * east, 0 * east, 0.5 * noise.standard_normal(east.shape)),
            }  # fmt: skip
            for name, components in terms.items():
                for way, component in zip(("east", "north", "up"), components, strict=True):
                    parts[way][TERMS.index(name), :, k, j] = component
    dims = ("species", "velocity_time", "alt", "lat", "lon")
    made = {f"velocity_{way}": (dims, part.sum(axis=0)) for way, part in parts.items()}
    if by_term:
        by_term_dims = ("term", *("term_alt" if name == "alt" else name for name in dims))
        made |= {f"velocity_{way}_by_term": (by_term_dims, part) for way, part in parts.items()}
    coords = {"velocity_time": times}
    return xr.Dataset(made, coords=coords | ({"term": list(TERMS), "term_alt": alt} if by_term else {}))


def _attributes(species):
    noise = np.random.default_rng(7)
    start = DAY - np.timedelta64(12, "h")
    minutes = [str(start + np.timedelta64(10 * k, "m")) for k in range(217)]

    def walk():
        return [round(v, 2) for v in 2.5 * np.sin(np.arange(217) / 17.0) + noise.standard_normal(217)]

    bz: list[float | None] = walk()
    bz[40:46] = [None] * 6
    entry = {
        "initial": 4.0e27, "source": 2.0e25, "chemistry": -5.0e25, "through_bottom": -1.2e26, "through_top": -3.0e23,
        "through_edge": 8.0e24, "final": 4.0e27 + 2e25 - 5e25 - 1.2e26 - 3e23 + 8e24 + 3e14, "residual": 3e14,
    }  # fmt: skip
    sources = [
        {
            "what": "convection",
            "model": "SWIPE",
            "citation": "Hatch et al. (2024), doi:10.1029/2023JA000001",
            "terms": "MIT",
            "confidence": "verified",
        },
        {
            "what": "neutral atmosphere",
            "model": "NRLMSIS 2.1",
            "citation": "Emmert et al. (2022), https://doi.org/10.1029/2022JA030896.",
            "terms": "",
            "confidence": "computed",
        },
        {
            "what": "radiative recombination of Fe⁺",
            "model": "rate table",
            "citation": "remembered",
            "terms": "",
            "confidence": "unverified",
        },
    ]
    kp = [1.0, 1.3, 2.0, 2.3, 1.7, 1.0, 0.7, 1.3, 2.0, 2.7, 2.0, 1.7]
    drivers = {
        "Kp": {"time": [str(start + np.timedelta64(3 * k, "h")) for k in range(12)], "values": kp, "units": "1"},
        "IMF By (GSM)": {"time": minutes, "values": walk(), "units": "nT"},
        "IMF Bz (GSM)": {"time": minutes, "values": bz, "units": "nT"},
        "F10.7": 153.4, "F10.7, 81-day mean": 158.9, "IMF file": "OMNI 5-minute",
    }  # fmt: skip
    settings = {"preset": "standard", "date": "2023-06-18", "hours": 36, "spin_up": 12, "engine": "numba",
                "grid": {"latitude_step": 1.0, "lowest_altitude": 90.0}, "species": list(species)}  # fmt: skip
    return {
        "title": "Polar run: Fe⁺, northern hemisphere, 18 June 2023", "siderion_version": "0.1.0", "engine": "numba",
        "precision": "float64", "wall_time_s": 1312.4, "settings": json.dumps(settings),
        "mass_budget": json.dumps({"species": {name: entry for name in species}}),
        "summary": json.dumps({"Fe+": {"evening_morning_ratio_200_km": 2.7}}), "sources": json.dumps(sources),
        "drivers": json.dumps(drivers),
    }  # fmt: skip
