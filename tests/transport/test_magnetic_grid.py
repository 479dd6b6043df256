"""Binning on magnetic local time and invariant latitude."""

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.frames.dipole import TiltedDipole
from siderion.transport.diagnostics.magnetic_grid import to_magnetic_grid

DIPOLE = TiltedDipole.at("2023-06-18T06:00")
TIME = np.datetime64("2023-06-18T06:00", "ns")


def cap(step):
    """Magnetic coordinates and solid angles of an even cap of cells north of 40 degrees."""
    lat = np.arange(40.0 + step / 2, 90.0, step)
    lon = np.arange(-180.0 + step / 2, 180.0, step)
    grid = np.meshgrid(lat, lon, indexing="ij")
    half = np.radians(step / 2)
    area = np.broadcast_to(2 * np.sin(half) * np.cos(np.radians(lat))[:, None] * np.radians(step), grid[0].shape)
    return DIPOLE.magnetic_local_time(TIME, *grid), DIPOLE.invariant_latitude(110.0, *grid), area


EDGES = np.arange(56.0, 91.0, 2.0), np.arange(0.0, 24.5, 1.0)


def test_a_constant_stays_and_the_integral_is_kept():
    clock, latitude, area = cap(1.0)
    wide = np.array([0.0, 90.0]), np.array([0.0, 24.0])
    rng = np.random.default_rng(1)
    field = rng.normal(size=area.shape)
    assert to_magnetic_grid(field, clock, latitude, *wide, area).item() == pytest.approx(
        np.average(field, weights=area), rel=1e-12
    )
    result = to_magnetic_grid(np.full(area.shape, 3.0), clock, latitude, *EDGES, area)
    np.testing.assert_allclose(result.values, 3.0, rtol=1e-13)
    assert result.dims == ("invariant_latitude", "magnetic_local_time")


def test_weights_count():
    clock, latitude = np.array([[1.0, 1.5]]), np.array([[70.0, 70.5]])
    result = to_magnetic_grid([[2.0, 10.0]], clock, latitude, [69.0, 71.0], [0.0, 2.0], [[3.0, 1.0]])
    assert result.item() == 4.0


def error(step):
    """Largest error of a smooth field of magnetic coordinates against its value at the middle of the bins."""
    clock, latitude, area = cap(step)

    def smooth(lat, hours):
        return np.cos(np.radians(lat)) * np.cos(np.radians(15.0 * hours))

    edges = np.arange(60.0, 90.5, 5.0 * step), np.arange(0.0, 24.1, step)
    found = to_magnetic_grid(smooth(latitude, clock), clock, latitude, *edges, area)
    rows, columns = found.invariant_latitude.values, found.magnetic_local_time.values
    return np.abs(found.values - smooth(rows[:, None], columns[None])).max()


def test_means_converge_to_the_field_as_bins_shrink_with_the_cells():
    errors = [error(step) for step in (2.0, 1.0, 0.5)]
    assert errors[2] < 0.4 * errors[0]
    assert errors[2] < 0.02


def test_small_bins_take_the_nearest_cell():
    clock, latitude, area = cap(5.0)
    edges = np.arange(60.0, 90.5, 1.0), np.arange(0.0, 24.1, 0.5)
    found = to_magnetic_grid(latitude, clock, latitude, *edges, area)
    assert found.attrs["empty_bins"] > 100
    assert np.abs(found.values - found.invariant_latitude.values[:, None]).max() < 5.0
    assert np.isfinite(found.values).all()


def test_empty_bins_are_refused_or_flagged():
    clock, latitude, area = cap(1.0)
    edges = np.array([20.0, 30.0, 60.0]), np.array([0.0, 12.0, 24.0])
    for rule in ("nearest", "refuse"):
        with pytest.raises(CoverageError, match="2 bins hold no cell"):
            to_magnetic_grid(latitude, clock, latitude, *edges, area, empty=rule)
    found = to_magnetic_grid(latitude, clock, latitude, *edges, area, empty="missing")
    assert found.attrs["empty_bins"] == 2
    assert np.isnan(found.values[0]).all()
    assert np.isfinite(found.values[1]).all()


def test_leading_dimensions_and_units_are_kept():
    clock, latitude, area = cap(2.0)
    field = xr.DataArray(
        np.stack([latitude, 2 * latitude]), dims=("alt", "lat", "lon"), coords={"alt": [120.0, 300.0]}, attrs={"units": "degrees"}
    )
    found = to_magnetic_grid(field, clock, latitude, *EDGES, area)
    assert found.dims == ("alt", "invariant_latitude", "magnetic_local_time")
    assert found.attrs["units"] == "degrees"
    np.testing.assert_allclose(found.sel(alt=300.0), 2 * found.sel(alt=120.0).values)


def test_bad_input_is_refused():
    clock, latitude, area = cap(2.0)
    with pytest.raises(DataError, match="must be finite"):
        to_magnetic_grid(np.full(area.shape, np.nan), clock, latitude, *EDGES, area)
    with pytest.raises(SettingsError, match="latitude_edges"):
        to_magnetic_grid(latitude, clock, latitude, [80.0, 60.0], EDGES[1], area)
    with pytest.raises(DataError, match="shapes differ"):
        to_magnetic_grid(latitude[1:], clock, latitude, *EDGES, area)
    with pytest.raises(DataError, match="local_time is nan"):
        to_magnetic_grid(latitude, np.where(clock > 23.0, np.nan, clock), latitude, *EDGES, area)
    with pytest.raises(SettingsError, match="empty is"):
        to_magnetic_grid(latitude, clock, latitude, *EDGES, area, empty="zero")
