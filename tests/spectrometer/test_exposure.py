"""Counts from fluxes and moments: closed limits, conservation, an independent sample of velocities."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.constants import Boltzmann, atomic_mass, elementary_charge

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.spectrometer.exposure import (
    counts_from_flux,
    energy_edges,
    integrated_counts,
    mean_flux,
    mean_flux_in_cone,
    sensitivity,
)
from siderion.spectrometer.exposure_track import counts_along_track
from siderion.spectrometer.instruments import get_instrument

MASS, CHARGE = 16 * atomic_mass, elementary_charge
EDGES = np.concatenate([[0.0], np.geomspace(0.01, 1e3, 200)])
CODIF = get_instrument("codif")


def total(**values):
    given = {"density": 1e9, "speed": 8000.0, "temperature": 3000.0, "mass": MASS, "charge": CHARGE} | values
    return mean_flux(EDGES, **given)


def test_flat_spectrum_by_hand():
    """1 cm-2 s-1 sr-1 keV-1 over 1 keV with 0.01 cm2 sr for 100 s at half efficiency: 0.5 counts."""
    found = counts_from_flux([[10.0]], [1000.0, 2000.0], 1e-6, 100.0, efficiency=0.5)
    assert found.shape == (1, 1)
    assert found[0, 0] == pytest.approx(0.5)


def test_split_bins_keep_the_counts():
    whole = counts_from_flux([3.0], [1.0, 9.0], 1e-6, 10.0)
    parts = counts_from_flux([3.0, 3.0, 3.0], [1.0, 2.0, 5.0, 9.0], 1e-6, 10.0)
    assert parts.sum() == pytest.approx(whole.sum())


def test_gas_at_rest_gives_the_one_sided_flux():
    """n <v> / 4 through a surface, four times that over 4 pi."""
    mean_speed = np.sqrt(8 * Boltzmann * 3000.0 / (np.pi * MASS))
    assert 4 * np.pi * total(speed=0.0).sum() == pytest.approx(1e9 * mean_speed, rel=1e-12)


def test_cold_beam_lies_in_one_bin():
    energy = 0.5 * MASS * 8000.0**2 / elementary_charge
    found = total(temperature=0.0)
    assert np.flatnonzero(found).tolist() == [np.searchsorted(EDGES, energy) - 1]
    assert 4 * np.pi * found.sum() == pytest.approx(1e9 * 8000.0, rel=1e-12)
    shifted = total(temperature=0.0, potential=2.0)
    assert np.flatnonzero(shifted).tolist() == [np.searchsorted(EDGES, energy - 2.0) - 1]


@given(st.floats(0.0, 3e4), st.floats(10.0, 1e5), st.floats(-5.0, 5.0))
def test_bins_add_up_whatever_their_number(speed, temperature, potential):
    values = {"density": 1.0, "speed": speed, "temperature": temperature, "mass": MASS, "charge": CHARGE, "potential": potential}
    fine, coarse = mean_flux(EDGES, **values), mean_flux(EDGES[::200], **values)
    assert (fine >= 0.0).all()
    assert fine.sum() == pytest.approx(coarse.sum(), rel=1e-7, abs=1e-9)


def test_energy_is_shifted_by_the_potential():
    """Each ion loses q V: the mean energy of a fast beam falls by it, and j / E is kept."""
    middle = 0.5 * (EDGES[1:] + EDGES[:-1])
    beams = [total(speed=60e3, temperature=500.0, potential=v) for v in (0.0, 30.0)]
    means = [(beam * middle).sum() / beam.sum() for beam in beams]
    assert means[0] - means[1] == pytest.approx(30.0, rel=0.05)
    energy = 0.5 * MASS * 60e3**2 / elementary_charge
    assert beams[1].sum() / beams[0].sum() == pytest.approx((energy - 30.0) / energy, rel=1e-3)


def test_repelled_and_attracted_cold_ions():
    assert total(temperature=0.0, potential=10.0).sum() == 0.0
    attracted = np.flatnonzero(total(speed=0.0, temperature=200.0, potential=-5.0))
    assert EDGES[attracted[0] + 1] > 5.0


def test_cone_of_the_whole_sky_is_the_mean():
    whole = mean_flux_in_cone(EDGES, 1e9, [8000.0, 0, 0], 3000.0, MASS, [0, 0, 1], 180.0)
    np.testing.assert_allclose(whole, total(), rtol=1e-6, atol=1e-9 * whole.max())


@pytest.mark.parametrize("half_angle", [15.0, 40.0, 90.0])
def test_cone_against_drawn_velocities(half_angle):
    generator = np.random.default_rng(2)
    velocity = generator.normal([8000.0, 0.0, 0.0], np.sqrt(Boltzmann * 3000.0 / MASS), (400_000, 3))
    look = np.array([-1.0, 0.3, 0.0])
    speed = np.linalg.norm(velocity, axis=1)
    inside = velocity @ -look / (np.linalg.norm(look) * speed) > np.cos(np.radians(half_angle))
    flux = 1e9 * np.where(inside, speed, 0.0) / (2 * np.pi * (1 - np.cos(np.radians(half_angle))))
    found = mean_flux_in_cone(EDGES, 1e9, [8000.0, 0, 0], 3000.0, MASS, look, half_angle).sum()
    assert found == pytest.approx(flux.mean(), abs=4 * flux.std() / np.sqrt(len(flux)))


def test_looking_away_from_a_beam_sees_nothing():
    seen, away = (mean_flux_in_cone(EDGES, 1e9, [60e3, 0, 0], 500.0, MASS, [x, 0, 0], 20.0).sum() for x in (-1.0, 1.0))
    assert away < 1e-10 * seen


def test_unknown_geometric_factor_is_refused():
    with pytest.raises(CoverageError, match="--geometric-factor"):
        sensitivity(replace(CODIF, geometric_factor=np.nan))
    assert sensitivity(replace(CODIF, geometric_factor=np.nan), 2e-6, 0.5) == pytest.approx(1e-6)
    with pytest.raises(SettingsError, match="at most 1"):
        sensitivity(CODIF, efficiency=1.5)
    with pytest.raises(CoverageError, match="edges"):
        energy_edges(replace(CODIF, energy_steps=0))


def track(**variables):
    density = xr.DataArray(
        [[1e9, 2e9, 4e9], [1e6, 1e6, 1e6]], dims=("species", "point"), coords={"species": ["O+", "Fe+"]}, attrs={"units": "m-3"}
    )
    time = np.array(["2020-01-01", "2020-01-01T00:01", "2020-01-01T00:02"], dtype="datetime64[ns]")
    return xr.Dataset({"number_density": density, **variables}).assign_coords(time=("point", time))


def test_track_of_a_satellite():
    temperature = xr.DataArray([1500.0, 1500.0, 1500.0], dims="point")
    found = counts_along_track(
        track(ion_temperature=temperature), get_instrument("irm"), 10.0, spacecraft_velocity=[7600.0, 0.0, 0.0],
        geometric_factor=1e-8, efficiency=0.5, edges=np.geomspace(0.5, 90.0, 40),
    )  # fmt: skip
    counts = found["expected_counts_by_energy"].sum("energy_per_charge")
    np.testing.assert_allclose(counts.sel(species="O+") / counts.sel(species="O+")[0], [1.0, 2.0, 4.0])
    # by hand: nearly all ions have the ram speed, n v / (4 pi) G e t; thermal motion adds kT / (m v^2) = 1.3 %
    by_hand = 1e9 * 7600.0 / (4 * np.pi) * 1e-8 * 0.5 * 10.0 * get_instrument("irm").duty_cycle
    assert float(counts.sel(species="O+")[0]) == pytest.approx(by_hand * (1 + Boltzmann * 1500.0 / (MASS * 7600.0**2)), rel=1e-3)
    # 56 amu at 7.6 km/s: 16.7 eV
    peak = found["energy_per_charge"][int(found["expected_counts_by_energy"].sel(species="Fe+")[0].values.argmax())]
    assert float(peak) == pytest.approx(0.5 * 55.845 * atomic_mass * 7600.0**2 / elementary_charge, rel=0.1)
    assert "ions at rest" in found.attrs["assumptions"]


def test_ions_that_move_with_the_satellite_lose_the_ram_energy():
    moving = {
        f"velocity_{way}": (("species", "point"), np.full((2, 3), v))
        for way, v in (("east", 7600.0), ("north", 0.0), ("up", 0.0))
    }
    arguments = {"spacecraft_velocity": [7600.0, 0.0, 0.0], "temperature": 1500.0, "geometric_factor": 1e-8, "efficiency": 0.5}
    edges = np.geomspace(1e-4, 90.0, 60)
    at_rest = counts_along_track(track(), CODIF, 10.0, edges=edges, **arguments)
    along = counts_along_track(track(**moving), CODIF, 10.0, edges=edges, **arguments)
    ratio = along["expected_counts_by_energy"].sum() / at_rest["expected_counts_by_energy"].sum()
    assert float(ratio) < 0.3


def test_refusals_of_tracks():
    with pytest.raises(DataError, match="number_density"):
        counts_along_track(xr.Dataset(), CODIF, 1.0, spacecraft_velocity=[0, 0, 0])
    with pytest.raises(DataError, match="ion_temperature"):
        counts_along_track(track(), CODIF, 1.0, spacecraft_velocity=[0, 0, 0])
    with pytest.raises(SettingsError, match="east, north, up"):
        counts_along_track(track(), CODIF, 1.0, spacecraft_velocity=[0, 0], temperature=1.0)
    neutral = track().assign_coords(species=["O", "Fe+"])
    with pytest.raises(SettingsError, match="not a positive ion"):
        counts_along_track(neutral, CODIF, 1.0, spacecraft_velocity=[0, 0, 0], temperature=1.0)


@pytest.mark.parametrize("call", [
    lambda: counts_from_flux([-1.0], [0, 1], 1.0, 1.0), lambda: counts_from_flux([1.0, 2.0], [0, 1], 1.0, 1.0),
    lambda: counts_from_flux([1.0], [1, 1], 1.0, 1.0), lambda: integrated_counts(np.ones(1), 1.0, 1.0, 0.0),
    lambda: integrated_counts(np.ones(1), -1.0, 1.0), lambda: total(density=-1.0), lambda: total(temperature=np.nan),
    lambda: total(temperature=0.0, speed=0.0, potential=-1.0),
    lambda: mean_flux_in_cone(EDGES, 1.0, [1, 0, 0], 0.0, MASS, [1, 0, 0], 10.0),
    lambda: mean_flux_in_cone(EDGES, 1.0, [1, 0, 0], 1.0, MASS, [0, 0, 0], 10.0),
])  # fmt: skip
def test_refusals(call):
    with pytest.raises(SettingsError):
        call()
