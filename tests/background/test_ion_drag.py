"""Ion drag: the linear form for the wind solver equals equation (2) in plain vectors."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from siderion.background.conditions import MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME
from siderion.background.convection import swipe
from siderion.background.electric_field import FOOTPOINT_RADIUS, ConvectionField
from siderion.background.ion_drag import IONS, PARTNERS, IonDrag
from siderion.background.ion_velocity import ion_velocity_terms
from siderion.chemistry.collisions import ion_neutral_collision_frequency
from siderion.core.constants import EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.species import get_species
from siderion.frames.dipole import TiltedDipole
from siderion.frames.spherical import local_axes

TIME = np.datetime64("2023-06-18T12:00", "ns") + np.arange(3) * np.timedelta64(1, "h")
LAT, LON = np.arange(47.5, 90.0, 5.0), -165.0 + 30.0 * np.arange(12)
ALT = np.array([90.0, 110.0, 130.0, 200.0, 400.0])


def atmosphere(only=None, sign=1.0):
    """Neutrals with a scale height of 25 km; equal ions, or one only. All grow by 50 % an hour."""
    shape = (len(TIME), len(ALT), len(LAT), len(LON))
    fall = np.exp(-(ALT - 90.0) / 25.0)[None, :, None, None]
    growth = (1.0 + 0.5 * np.arange(3))[:, None, None, None]
    data = {f"density_{name}": (i + 1) * 1e19 * fall * growth for i, name in enumerate(PARTNERS)}
    for i, name in enumerate(IONS):
        data[f"density_{name}"] = np.full(shape, (i + 1) * 1e10 if only in (None, name) else 0.0)
    data |= {"ion_temperature": np.full(shape, 900.0), "neutral_temperature": np.full(shape, 800.0)}
    dims = ("time", "alt", "lat", "lon")
    fields = {name: (dims, np.broadcast_to(v, shape).copy()) for name, v in data.items()}
    return xr.Dataset(fields, coords={"time": TIME, "alt": ALT, "lat": np.sort(sign * LAT), "lon": LON})


def potential(time, hemisphere):
    sign = 1.0 if hemisphere == "north" else -1.0
    model = swipe(3.0, -5.0 - float((time - TIME[0]) / np.timedelta64(1, "h")), 450.0, 20.0, 160.0, hemisphere)
    return model.potential(sign * MAGNETIC_LATITUDE[:, None], MAGNETIC_LOCAL_TIME[None, :])


def drag_of(air, hemisphere):
    conditions = SimpleNamespace(potential=lambda moments, dipole, side: np.array([potential(t, side) for t in moments]))
    return IonDrag(air, conditions, TiltedDipole.at(TIME[0]), hemisphere)


@pytest.mark.parametrize("hemisphere", ["north", "south"])
def test_the_linear_form_is_equation_2(hemisphere):
    """One ion, between two hours, with a horizontal wind; E and B scaled along the field lines as the module says."""
    air = atmosphere("NO+", 1.0 if hemisphere == "north" else -1.0)
    drag = drag_of(air, hemisphere)
    moment = TIME[1] + np.timedelta64(24, "m")
    rng = np.random.default_rng(2)
    shape = (len(ALT), len(LAT), len(LON))
    wind_east, wind_north = rng.uniform(-300.0, 300.0, (2, *shape))
    found = drag.velocity(moment, wind_east, wind_north)
    assert found.linear is not None
    total = np.stack([found.east, found.north]) + np.einsum("ij...,j...->i...", found.linear, np.stack([wind_east, wind_north]))

    lat, lon = np.meshgrid(air.lat.values, LON, indexing="ij")
    east, north, _ = (axis[None] for axis in local_axes(lat, lon))
    radial = (FOOTPOINT_RADIUS / (EARTH_RADIUS + 1e3 * ALT))[:, None, None, None]
    dipole = TiltedDipole.at(TIME[0])
    field = dipole.field(lat, lon, FOOTPOINT_RADIUS)[None] * radial**3
    sun = float(dipole.subsolar_magnetic_longitude(moment))
    convection = ConvectionField(dipole, hemisphere, sun, potential(moment, hemisphere), MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME)
    electric = convection.electric_field(lat, lon, FOOTPOINT_RADIUS)[None] * radial**1.5
    ion = get_species("NO+")
    nu = [
        ion_neutral_collision_frequency("NO+", {n: air[f"density_{n}"].values[i] for n in PARTNERS}, 900.0, 800.0) for i in (1, 2)
    ]
    nu = nu[0] * 0.6 + nu[1] * 0.4
    zero = np.zeros((*shape, 3))
    wind = wind_east[..., None] * east + wind_north[..., None] * north
    field, electric = np.broadcast_arrays(field, zero)[0], np.broadcast_arrays(electric, zero)[0]
    expected = sum(ion_velocity_terms(ELEMENTARY_CHARGE, ion.mass, nu, field, electric, wind, zero, zero).values())
    zeta = nu * ion.mass / ELEMENTARY_CHARGE / np.linalg.norm(field, axis=-1)
    assert zeta.max() > 10.0
    assert zeta.min() < 0.01
    speed = np.abs(expected).max()
    np.testing.assert_allclose(total[0], np.sum(expected * east, axis=-1), atol=1e-11 * speed)
    np.testing.assert_allclose(total[1], np.sum(expected * north, axis=-1), atol=1e-11 * speed)


def test_friction_is_the_sum_over_the_ions():
    whole = drag_of(atmosphere(), "north").friction
    parts = [drag_of(atmosphere(name), "north").friction for name in IONS]
    np.testing.assert_allclose(whole, sum(parts), rtol=1e-12)
    assert whole.min() > 0.0


def test_the_mean_ratio_lies_between_those_of_the_ions():
    whole = drag_of(atmosphere(), "north").zeta
    parts = np.stack([drag_of(atmosphere(name), "north").zeta for name in IONS])
    assert np.all(whole >= parts.min(axis=0))
    assert np.all(whole <= parts.max(axis=0))


def test_low_down_the_ions_go_with_the_wind():
    drag = drag_of(atmosphere(), "north")
    linear = drag.velocity(TIME[1], np.zeros(1), np.zeros(1)).linear
    np.testing.assert_allclose(linear[:, :, 0] - np.eye(2)[..., None, None], 0.0, atol=0.02)
    assert np.abs(linear[0, 0, -1]).max() < 0.5
