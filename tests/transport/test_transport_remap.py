"""Remapping to latitude and longitude: constants, content, vectors."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.transport.grid import CapGrid
from siderion.transport.remap import Remap


@pytest.fixture(scope="module", params=["north", "south"])
def case(request):
    grid = CapGrid(request.param, 24)
    return grid, Remap(grid, 5.0)


def test_the_target_covers_the_cap(case):
    grid, remap = case
    assert len(remap.lat) == 10
    assert len(remap.lon) == 72
    assert np.all(np.diff(remap.lat) > 0)
    np.testing.assert_allclose(np.abs(remap.lat).min(), 42.5)
    np.testing.assert_allclose(np.abs(remap.lat).max(), 87.5)
    assert np.sign(remap.lat).sum() == 10 * grid.sign


def test_constants_stay(case):
    grid, remap = case
    result = remap(np.full((3, 2, grid.cells, grid.cells), 5.0))
    assert result.shape == (3, 2, 10, 72)
    np.testing.assert_allclose(result, 5.0, rtol=1e-13)


def test_the_content_is_the_same_on_both_grids(case):
    grid, remap = case
    field = np.exp(np.random.default_rng(0).normal(size=(4, grid.cells, grid.cells)) * 3.0)
    field[:, ~grid.active] = np.nan  # what is not calculated must not matter
    own = (field * grid.solid_angle)[:, grid.active].sum(axis=1)
    np.testing.assert_allclose((remap(field) * remap.solid_angle).sum(axis=(1, 2)), own, rtol=1e-12)


def test_solid_angles_are_those_of_the_cells(case):
    """Inside the cap each target cell is given its whole solid angle, to the accuracy of the samples."""
    _, remap = case
    edges = np.radians(np.abs(remap.lat)[:, None] + np.array([-2.5, 2.5]))
    exact = (np.sin(edges[:, 1]) - np.sin(edges[:, 0])) * np.radians(5.0)
    inner = np.abs(remap.lat) > 50.0
    np.testing.assert_allclose(remap.solid_angle[inner].mean(axis=1), exact[inner], rtol=0.02)
    np.testing.assert_allclose(remap.solid_angle[inner], np.broadcast_to(exact[inner, None], (inner.sum(), 72)), rtol=0.2)


def test_smooth_fields_are_found_where_they_are(case):
    """A wrong orientation or a mirrored south would show at once."""
    grid, remap = case
    lat, lon = np.meshgrid(remap.lat, remap.lon, indexing="ij")
    for function in (
        lambda a, b: np.sin(np.radians(a)),
        lambda a, b: np.cos(np.radians(a)) * np.cos(np.radians(b)),
        lambda a, b: np.cos(np.radians(a)) * np.sin(np.radians(b)),
    ):
        found = remap(function(grid.latitude, grid.longitude))
        assert np.abs(found - function(lat, lon)).max() < np.radians(360.0 / 72)  # within a cell


@pytest.mark.parametrize("axis", [(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.5, 0.5, 0.7)])
def test_solid_body_rotation_keeps_its_direction(case, axis):
    """Velocities across the faces, which are not at right angles, become east and north, across the pole too."""
    grid, remap = case
    flow = np.cross(np.array(axis), grid.centres)
    across = (np.sum(flow * normal, axis=-1) for normal in (grid.normal_x, grid.normal_y))
    east, north = remap.horizontal_vector(*across)
    lat, lon = np.radians(np.meshgrid(remap.lat, remap.lon, indexing="ij"))
    here = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    exact = np.cross(np.array(axis), here)
    axis_east = np.stack([-np.sin(lon), np.cos(lon), 0 * lon], axis=-1)
    axis_north = np.cross(here, axis_east)
    assert np.abs(east - np.sum(exact * axis_east, axis=-1)).max() < 0.06
    assert np.abs(north - np.sum(exact * axis_north, axis=-1)).max() < 0.06


def test_the_vector_is_exact_before_it_is_averaged():
    """On fine target cells inside one native cell the remap is a copy: the components must be those of that cell."""
    grid = CapGrid("north", 8, 60.0)
    remap = Remap(grid, 0.5)
    flow = np.cross(np.array([0.3, -0.4, 0.8]), grid.centres)
    across = (np.sum(flow * normal, axis=-1) for normal in (grid.normal_x, grid.normal_y))
    east, north = remap.horizontal_vector(*across)
    y, x = 4, 3
    r = int(np.abs(remap.lat - grid.latitude[y, x]).argmin())
    c = int(np.abs(remap.lon - grid.longitude[y, x]).argmin())
    speed = np.linalg.norm(flow[y, x])
    assert np.hypot(east[r, c], north[r, c]) == pytest.approx(speed, rel=2e-2)
