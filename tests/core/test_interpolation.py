"""Sampling along a track: exact for what is linear, around the seam, over the pole, and clear about what is outside."""

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import CoverageError, DataError
from siderion.core.interpolation import sample_along_track
from siderion.frames.spherical import local_axes

DAY = np.datetime64("2023-06-18", "ns")
HOUR = np.timedelta64(1, "h")


@pytest.fixture
def grid():
    """Fields that are linear in every coordinate, and a uniform flow across the pole."""
    time = DAY + np.arange(4) * HOUR
    alt, lat, lon = np.arange(90.0, 131.0, 10.0), np.arange(40.5, 90.0, 1.0), np.arange(-179.5, 180.0, 1.0)
    t, z, y, x = np.meshgrid(np.arange(4.0), alt, lat, lon, indexing="ij")
    east, north, _ = local_axes(lat[:, None], lon[None, :])
    flow = np.array([1.0, 0.0, 0.0])
    four = ("time", "alt", "lat", "lon")
    return xr.Dataset(
        {
            "linear": (four, 2.0 * t + z + 3.0 * y),
            "around": (("lat", "lon"), np.cos(np.radians(x[0, 0]))),
            "number_density": (("species", *four), np.exp(t + z / 50.0)[None]),
            "neutral_wind_east": (("lat", "lon"), east @ flow),
            "neutral_wind_north": (("lat", "lon"), north @ flow),
            "magnetic_local_time": (("lat", "lon"), (12.0 + x[0, 0] / 15.0) % 24.0),
            "velocity_up": (("velocity_time", "lat", "lon"), np.zeros((1, lat.size, lon.size))),
        },
        coords={"time": time, "alt": alt, "lat": lat, "lon": lon, "species": ["Fe+"], "velocity_time": time[:1]},
    )


def test_linear_fields_are_exact(grid):
    rng = np.random.default_rng(1)
    minutes, lat, lon = rng.integers(0, 180, 50), rng.uniform(40.5, 89.5, 50), rng.uniform(-180, 180, 50)
    alt = rng.uniform(90, 130, 50)
    found = sample_along_track(grid, DAY + minutes * np.timedelta64(1, "m"), lat, lon, alt)
    np.testing.assert_allclose(found.linear, 2.0 * minutes / 60.0 + alt + 3.0 * lat, rtol=1e-12)
    np.testing.assert_allclose(found.number_density[0], np.exp(minutes / 60.0 + alt / 50.0), rtol=1e-12)
    np.testing.assert_allclose(found.around, np.cos(np.radians(lon)), atol=4e-5)  # (1 degree)^2 / 8


def test_other_clocks_are_left_out_and_named(grid):
    found = sample_along_track(grid, DAY, 60.0, 0.0)
    assert "velocity_up" in found.attrs["left_out"]
    assert "linear" in found.attrs["left_out"]
    assert "around" in found


def test_local_time_goes_around_the_clock(grid):
    found = sample_along_track(grid, DAY, [60.0, 60.0], [179.9, -179.9])
    np.testing.assert_allclose(found.magnetic_local_time, [12.0 + 179.9 / 15.0, 12.0 - 179.9 / 15.0], atol=1e-5)  # (1 degree)^3


@pytest.mark.parametrize("lat", [89.6, 89.75, 89.9])
def test_uniform_flow_stays_uniform_over_the_pole(grid, lat):
    lon = np.linspace(-180.0, 175.0, 24)
    found = sample_along_track(grid, DAY, lat, lon)
    east, north, _ = local_axes(lat, lon)
    flow = found.neutral_wind_east.values[:, None] * east + found.neutral_wind_north.values[:, None] * north
    np.testing.assert_allclose(flow[:, 0], 1.0, atol=2e-3)
    np.testing.assert_allclose(flow[:, 1], 0.0, atol=2e-3)


def test_zero_next_to_a_point_means_linear(grid):
    grid["number_density"][:, :, 0] = 0.0
    found = sample_along_track(grid, DAY, 60.0, 0.0, [90.0, 95.0])
    upper = float(np.exp(100.0 / 50.0))
    np.testing.assert_allclose(found.number_density[0], [0.0, upper / 2.0], rtol=1e-12)


def test_half_a_cell_beyond_the_ends_of_altitude(grid):
    assert float(sample_along_track(grid, DAY, 60.0, 0.0, 132.0).linear[0]) == pytest.approx(130.0 + 180.0)


@pytest.mark.parametrize(
    ("point", "error", "message"),
    [
        ((DAY - HOUR, 60.0, 0.0, 100.0), CoverageError, r"point 0 .*2023-06-17T23"),
        ((DAY, 30.0, 0.0, 100.0), CoverageError, "latitude 30.0; the data cover 40 to 90"),
        ((DAY, 60.0, 0.0, 200.0), CoverageError, "200.0 km; the data cover 85 to 135"),
        ((np.datetime64("NaT"), 60.0, 0.0, 100.0), DataError, "no time"),
        ((DAY, 60.0, np.nan, 100.0), DataError, "no finite place"),
        ((DAY, [60.0, 61.0], [0.0, 1.0, 2.0], 100.0), DataError, "shapes"),
    ],
)
def test_what_cannot_be_sampled(grid, point, error, message):
    with pytest.raises(error, match=message):
        sample_along_track(grid, *point)


def test_data_without_time(grid):
    with pytest.raises(DataError, match="no dimension time"):
        sample_along_track(grid[["around"]], DAY, 60.0, 0.0)
