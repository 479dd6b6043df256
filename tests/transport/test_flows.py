"""Fluxes through the faces of cells and regions, and the five flows of Figure 8."""

import numpy as np
import pytest
import xarray as xr
from small_run import small_settings

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.core.variables import get_variable
from siderion.frames.spherical import local_axes, unit_vector
from siderion.transport.diagnostics.face_fluxes import CellFaces, border_flux, horizontal_fluxes, vertical_flux
from siderion.transport.diagnostics.flows import DRIFTS, mean_flows, metal_ion_flows
from siderion.transport.run import load_drivers, run

BOTTOM, TOP = 200.0, 220.0


def cap(step, south=False):
    """An empty output on an even cap: its faces and its cell centres."""
    lat = np.arange(40.0 + step / 2, 90.0, step)
    lat = -lat[::-1] if south else lat
    lon = np.arange(-180.0 + step / 2, 180.0, step)
    bounds = [[BOTTOM - 10.0, BOTTOM], [BOTTOM, TOP], [TOP, TOP + 20.0]]
    output = xr.Dataset({"alt_bounds": (("alt", "bound"), bounds)}, coords={"lat": lat, "lon": lon})
    return CellFaces.of(output), *np.meshgrid(lat, lon, indexing="ij")


def rotation(axis, lat, lon):
    """Eastward and northward velocity, m s-1, at 210 km of a solid rotation, 1e-4 rad s-1."""
    velocity = 1e-4 * (EARTH_RADIUS + 210e3) * np.cross(axis, unit_vector(lat, lon))
    return [np.sum(velocity * way, axis=-1) for way in local_axes(lat, lon)[:2]]


@pytest.mark.parametrize("south", [False, True])
def test_border_flux_is_the_divergence_inside_to_round_off(south):
    faces, lat, _ = cap(5.0, south)
    rng = np.random.default_rng(3)
    density, east, north = 1e9 * np.exp(rng.normal(size=lat.shape)), *(300.0 * rng.normal(size=(2, *lat.shape)))
    flux_east, flux_north = horizontal_fluxes(faces, 1, density, east, north)
    outflow = flux_east - np.roll(flux_east, 1, axis=1) + flux_north[1:] - flux_north[:-1]
    mask = (rng.random(lat.shape) > 0.5) & (np.abs(lat) > 46.0)
    mask[-1 if not south else 0] = True  # around the pole
    border = border_flux(flux_east, flux_north, mask, ~mask)
    assert border == pytest.approx(outflow[mask].sum(), abs=1e-12 * np.abs(flux_east).sum())
    assert border_flux(flux_east, flux_north, ~mask, mask) == pytest.approx(-border)
    assert abs(border) > 0.01 * np.abs(outflow[mask]).sum() / mask.sum()


def test_rotation_about_the_grid_axis_brings_nothing_out():
    faces, lat, lon = cap(5.0)
    fluxes = horizontal_fluxes(faces, 1, np.full(lat.shape, 1e9), *rotation(unit_vector(90.0, 0.0), lat, lon))
    mask = np.hypot(lat - 70.0, lon / 3.0) < 12.0
    assert abs(border_flux(*fluxes, mask, ~mask)) < 1e-12 * np.abs(fluxes[0][mask]).sum()


def test_rotation_over_the_pole_brings_less_out_the_finer_the_grid():
    left = []
    for step in (4.0, 2.0, 1.0):
        faces, lat, lon = cap(step)
        fluxes = horizontal_fluxes(faces, 1, np.full(lat.shape, 1e9), *rotation(unit_vector(20.0, 35.0), lat, lon))
        mask = (lat > 64.0) & (lon > -40.0) & (lon < 80.0)
        through = np.abs(fluxes[1][1:][mask]).sum()
        left.append(abs(border_flux(*fluxes, mask, ~mask)) / through)
    assert left[2] < left[0] / 8.0  # second order gives 16
    assert left[2] < 1e-4


def test_flow_across_the_pole_has_its_exact_flux():
    """Rotation about longitude 0 on the equator: 2 N omega cos(lat) (r2^3 - r1^3)/3 to longitude -90, poleward of lat.

    The model's velocity belongs to the middle of the level, so r^3 is taken as r_middle times r^2 there.
    """
    errors = []
    for step in (4.0, 2.0, 1.0):
        faces, lat, lon = cap(step)
        fluxes = horizontal_fluxes(faces, 1, np.full(lat.shape, 1e9), *rotation(unit_vector(0.0, 0.0), lat, lon))
        source = (lon > 0.0) & (lat > 60.0)
        found = border_flux(*fluxes, source, lon < 0.0)
        inner, outer = EARTH_RADIUS + 1e3 * BOTTOM, EARTH_RADIUS + 1e3 * TOP
        exact = 2e9 * 1e-4 * np.cos(np.radians(60.0)) * (outer**2 - inner**2) / 2 * (inner + outer) / 2
        errors.append(abs(found / exact - 1.0))
    assert errors[2] < errors[0] / 12.0
    assert errors[2] < 1e-3


def test_vertical_flux_is_exact_for_a_uniform_rise():
    faces, lat, _ = cap(5.0)
    face = faces.nearest(215.0)
    assert faces.altitude[face] == TOP
    through = vertical_flux(faces, face, np.full((2, *lat.shape), 1e9), np.full((2, *lat.shape), 3.0))
    area = 2.0 * np.pi * (1.0 - np.sin(np.radians(40.0))) * (EARTH_RADIUS + 1e3 * TOP) ** 2
    assert through.sum() == pytest.approx(3e9 * area, rel=1e-12)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    settings = small_settings(initial={"peak_density": 1e10, "width": 200.0}, chemistry={"network": "none"})
    return run(settings, tmp_path_factory.mktemp("run"), cache=cache).load(), load_drivers(settings, cache=cache)


@pytest.fixture(scope="module")
def flows(case):
    return metal_ion_flows(*case, "2023-06-18T00:00")


def test_flows_are_registered_and_their_drifts_add_up(flows):
    parts = [name for name in DRIFTS if name != "total"]
    for name, values in flows.data_vars.items():
        assert values.dims == get_variable(str(name)).dims
        assert values.attrs["units"] == get_variable(str(name)).units
        assert np.isfinite(values.values).all()
        if "drift" in values.dims:
            scale = np.abs(values).max().item()
            np.testing.assert_allclose(values.sel(drift=parts).sum("drift"), values.sel(drift="total"), atol=1e-9 * scale)


def test_flows_go_the_way_of_the_convection(flows):
    """A nearly even layer: E x B goes to the night over the pole, Pedersen from positive to negative potential."""
    assert flows.flow_antisunward.sel(drift="exb") > 0
    assert flows.flow_sunward_return.sel(drift="exb") > 0
    assert flows.flow_morning_to_evening.sel(drift="pedersen") > 0
    by_altitude = flows.flow_morning_to_evening_by_altitude
    assert (by_altitude.sel(drift="pedersen") > 0).all()
    assert by_altitude.sel(drift="pedersen").values.argmax() < 3  # lower levels: nu is nearest to the gyrofrequency
    assert flows.flow_upward_day_rising >= flows.flow_upward_day.sel(drift="total")
    for line in ("boundary", "reversal"):
        assert 0.0 <= flows[f"flow_into_e_region_share_near_{line}"] <= 1.0


def test_by_altitude_adds_up(case, flows):
    output = case[0]
    thickness = np.diff(output.alt_bounds.sel(alt=flows.alt).values, axis=-1)[:, 0]
    total = (flows.flow_morning_to_evening_by_altitude * thickness).sum("alt")
    np.testing.assert_allclose(total, flows.flow_morning_to_evening)


def test_mean_is_that_of_the_times(case, flows):
    later = metal_ion_flows(*case, "2023-06-18T00:30")
    mean = mean_flows(*case)
    np.testing.assert_allclose(mean.flow_antisunward, (flows.flow_antisunward + later.flow_antisunward) / 2)
    assert (mean.attrs["times"], mean.attrs["left_out"]) == (2, 0)
    assert mean.flow_upward_day.attrs["altitude"] == flows.flow_upward_day.attrs["altitude"]


def test_convection_without_cells_is_refused(case):
    output, drivers = case
    one_sign = output.assign(electric_potential=np.abs(output.electric_potential))
    with pytest.raises(DataError, match="two cells need both signs"):
        metal_ion_flows(one_sign, drivers, "2023-06-18T00:00")
    with pytest.raises(DataError, match="none of 2 output times"):
        mean_flows(one_sign, drivers)
