"""The compiled kernels that work within a column or a cell: diffusion, chemistry, velocity, sums and checks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import reference
from kernel_cases import ENGINE, PRECISIONS, SCALE, close, horizontal_case, rough, smooth

from siderion.background.conditions import MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME
from siderion.background.convection import swipe
from siderion.background.electric_field import ConvectionField
from siderion.background.ion_velocity import TERMS
from siderion.chemistry.network import build_network
from siderion.core.errors import SettingsError
from siderion.core.species import get_species
from siderion.frames.dipole import TiltedDipole
from siderion.transport.columns import column_geometry, column_weights, phase_places
from siderion.transport.engines import KERNELS, get_engine
from siderion.transport.engines.numba_velocity import DRIVER_ROWS
from siderion.transport.grid import CapGrid, ShellGrid

TIME = np.datetime64("2023-06-18T18:00", "ns")


@pytest.fixture(scope="module")
def grid():
    return CapGrid("north", 18, 45.0)


@pytest.fixture(scope="module")
def shells():
    return ShellGrid.stretched(90.0, 100.0, 150.0, 1.0, 6.0)


# ---------------------------------------------------------------- vertical diffusion


def diffusion_case(grid, shells, dtype=np.float64, time_step=40.0):
    levels = shells.levels
    density = np.exp(2.0 * smooth(grid, levels, 40)) * 1e9
    case = SimpleNamespace(
        density=density,
        electrons=density + np.exp(smooth(grid, levels, 41)) * 1e9,
        diffusivity=np.exp(2.0 * smooth(grid, levels, 42)) * 1e4,
        drift=smooth(grid, levels, 43, 50.0),
        ambipolar=np.exp(2.0 * smooth(grid, levels, 44)) * 1e4,
        top_drift=np.zeros(grid.latitude.shape),
        row_range=grid.row_range,
        shell=shells.shell / SCALE,
        area=shells.area / SCALE,
        distance=shells.centre_distance,
        solid_angle=grid.solid_angle,
        time_step=time_step,
        outflow=np.zeros(grid.cells),
    )
    for name, value in vars(case).items():
        if name not in ("row_range", "outflow"):
            setattr(case, name, np.ascontiguousarray(value, dtype=dtype) if np.ndim(value) else dtype(value))
    return case


def run_diffusion(case):
    density = case.density.copy()
    ENGINE.diffuse_vertical(density, *list(vars(case).values())[1:])
    return density


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_diffusion_equals_a_dense_solve(grid, shells, dtype, tolerance):
    case = diffusion_case(grid, shells, dtype)
    density, expected = run_diffusion(case), reference.diffuse_vertical(*vars(case).values())
    close(density[:, grid.active], expected[:, grid.active], tolerance)
    assert np.array_equal(density[:, ~grid.active], case.density[:, ~grid.active])


def test_diffusion_equals_the_exponential_fit_where_cells_are_small(grid, shells):
    """Below a cell Peclet number of 1 the engine's continued fraction is the hyperbolic cotangent to 1e-6."""
    case = diffusion_case(grid, shells)
    case.drift *= 0.02
    case.ambipolar *= 0.1
    exact = reference.diffuse_vertical(*vars(case).values(), fitting=reference.exponential_fitting)
    close(run_diffusion(case)[:, grid.active], exact[:, grid.active], 1e-6)


def test_the_fitting_is_close_to_the_exponential_one():
    """Within 5 %, to 1e-5 below 2, and never below half the Peclet number, where a density could turn negative."""
    peclet = np.linspace(-200.0, 200.0, 4001)
    ratio = reference.continued_fraction(peclet) / reference.exponential_fitting(peclet)
    np.testing.assert_allclose(ratio, 1.0, atol=0.05)
    np.testing.assert_allclose(ratio[np.abs(peclet) <= 2.0], 1.0, atol=2e-5)
    assert np.all(reference.continued_fraction(peclet) >= np.abs(peclet) / 2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sedimentation_without_diffusion_is_upwind(grid, shells, dtype):
    case = diffusion_case(grid, shells, dtype)
    case.diffusivity[:] = case.ambipolar[:] = 0.0
    expected = reference.diffuse_vertical(*vars(case).values())
    close(run_diffusion(case)[:, grid.active], expected[:, grid.active], 1e-12 if dtype is np.float64 else 1e-5)
    assert run_diffusion(case).min() >= 0.0


def test_diffusion_keeps_mass_and_sign(grid, shells):
    case = diffusion_case(grid, shells, time_step=600.0)
    case.density = rough(grid, shells, 3) * 1e4 + 1e-3
    case.electrons = case.density + 1e9
    density = run_diffusion(case)
    assert density[:, grid.active].min() >= 0.0
    weights = (grid.solid_angle, shells.shell, grid.row_range)
    before, after = (ENGINE.total_content(n, *weights) for n in (case.density, density))
    assert after == pytest.approx(before, rel=1e-13)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_outflow_through_the_top_is_implicit_and_booked(grid, shells, dtype, tolerance):
    """At 2 km/s a top cell of 6 km is left three times in 10 minutes and more: no negative density, and nothing is lost."""
    case = diffusion_case(grid, shells, dtype, time_step=600.0)
    case.top_drift[:] = 2000.0 + smooth(grid, 2, 45, 500.0)[0]
    density, expected = run_diffusion(case), reference.diffuse_vertical(*vars(case).values())
    close(density[:, grid.active], expected[:, grid.active], tolerance)
    assert density.min() >= 0.0
    weights = (case.solid_angle, case.shell.astype(float), grid.row_range)
    before, after = (ENGINE.total_content(n, *weights) for n in (case.density, density))
    assert case.outflow.sum() == pytest.approx(before - after, rel=1e-11 if dtype is np.float64 else 1e-4)
    assert case.outflow.sum() > 0.1 * before


def test_hydrostatic_profile_stays(grid):
    """Gravity against the density gradient, isothermal: exp(-z/H) does not move, whatever the step."""
    shells = ShellGrid(tuple(np.arange(150.0, 191.0)))
    case = diffusion_case(grid, shells, time_step=1000.0)
    scale_height, case.ambipolar[:] = 10e3, 0.0
    case.diffusivity[:] = 1e5
    case.drift[:] = -case.diffusivity / scale_height
    case.density[:] = 1e9 * np.exp(-1e3 * (shells.altitude - 150.0) / scale_height)[:, None, None]
    np.testing.assert_allclose(run_diffusion(case)[:, grid.active], case.density[:, grid.active], rtol=1e-9)


def test_ambipolar_equilibrium_stays(grid):
    """Facts case 5: N ~ Ne^(-Te/Ti) exp(-m g z/(k Ti)), with the metal a trace. Second order in the cell height."""
    worst = []
    for step in (1.0, 0.5):
        shells = ShellGrid(tuple(np.arange(150.0, 180.0 + step / 2, step)))
        case = diffusion_case(grid, shells, time_step=1000.0)
        z = 1e3 * (shells.altitude - 150.0)[:, None, None]
        electrons = 1e11 * np.exp(z / 20e3 - (z / 30e3) ** 2)
        ratio, scale_height = 1.5, 8e3
        case.electrons[:] = electrons
        case.density[:] = 1e3 * (electrons / 1e11) ** (-ratio) * np.exp(-z / scale_height)
        case.diffusivity[:], case.ambipolar[:] = 1e5, ratio * 1e5
        case.drift[:] = -1e5 / scale_height
        inner = run_diffusion(case)[:, grid.active] / case.density[:, grid.active]
        worst.append(np.abs(inner - 1.0).max())
    assert worst[0] < 3e-3
    assert worst[1] < 0.3 * worst[0]


# ---------------------------------------------------------------- chemistry


def chemistry_case(grid, shells, dtype=np.float64):
    """The Fe network with rates over eight decades; the upper levels go without the last states."""
    network = build_network("Fe", "full")
    states, reactions = len(network.states), len(network.edges)
    shape = (shells.levels, grid.cells, grid.cells)
    rng = np.random.default_rng(7)
    electrons = np.exp(smooth(grid, shells.levels, 50)) * 1e10
    rates = 10.0 ** rng.uniform(-6.0, 2.0, (reactions, *shape))
    with_electrons = np.asarray(network.scales_with_electrons)
    rates[with_electrons] /= 1e10
    states_at = np.where(np.arange(shells.levels) < shells.levels // 2, states, 2)
    return SimpleNamespace(
        reservoirs=(10.0 ** rng.uniform(0.0, 10.0, (states, *shape))).astype(dtype),
        rates=rates.astype(dtype),
        electrons=electrons.astype(dtype),
        with_electrons=with_electrons,
        source_state=np.asarray(network.edges_from),
        target_state=np.asarray(network.edges_to),
        states_at=states_at,
        row_range=grid.row_range,
        time_step=dtype(120.0),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_chemistry_equals_the_plain_form(grid, shells, dtype, tolerance):
    case = chemistry_case(grid, shells, dtype)
    result = case.reservoirs.copy()
    ENGINE.react(result, *list(vars(case).values())[1:])
    expected = reference.react(*vars(case).values())
    np.testing.assert_allclose(result[..., grid.active], expected[..., grid.active], rtol=tolerance)
    assert np.array_equal(result[..., ~grid.active], case.reservoirs[..., ~grid.active])
    upper = case.states_at == 2
    assert upper.any()
    assert np.array_equal(result[2:, upper], case.reservoirs[2:, upper])
    assert result.min() >= 0.0
    before, after = (n.astype(float).sum(axis=0)[:, grid.active] for n in (case.reservoirs, result))
    np.testing.assert_allclose(after, before, rtol=tolerance)


# ---------------------------------------------------------------- velocity


def convection_of(hemisphere):
    dipole = TiltedDipole.at(TIME)
    model = swipe(2.0, -5.0, 450.0, 20.0, 160.0, hemisphere)
    latitude = MAGNETIC_LATITUDE if hemisphere == "north" else -MAGNETIC_LATITUDE
    potential = model.potential(latitude[:, None], MAGNETIC_LOCAL_TIME[None, :])
    sun = float(dipole.subsolar_magnetic_longitude(TIME))
    return ConvectionField(dipole, hemisphere, sun, potential, MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME)


def velocity_case(hemisphere, shells, dtype=np.float64, edge_latitude=40.0):
    grid = CapGrid(hemisphere, 16, edge_latitude)
    lat = grid.sign * np.arange(28.75, 90.0, 2.5)
    lon = -176.25 + 7.5 * np.arange(48)
    weights = column_weights(lat, lon, grid.latitude, grid.longitude)
    rng = np.random.default_rng(11)
    shape = (DRIVER_ROWS, shells.levels, len(lat) * len(lon))
    middle = np.array([100.0, 0.0, 0.0, -10.0, 1e4, 1e4, 1.0])[:, None, None]
    spread = np.array([0.0, 100.0, 100.0, 3.0, 3e3, 3e3, 1.0])[:, None, None]
    drivers = middle + spread * rng.uniform(-1.0, 1.0, shape)
    drivers[0] *= np.exp(rng.uniform(-0.5, 0.5, shape[1:]) - 10.0 * np.linspace(-0.3, 1.0, shells.levels)[:, None])
    density, electrons = (np.exp(2.0 * smooth(grid, shells.levels, seed)) * 1e9 for seed in (60, 61))
    cast = [np.ascontiguousarray(a, dtype=dtype) for a in (drivers, weights.weight, density, electrons)]
    return SimpleNamespace(
        grid=grid, shells=shells, convection=convection_of(hemisphere), ion=get_species("Fe+"), corner=weights.corner,
        **dict(zip(("drivers", "weight", "density", "electrons"), cast, strict=True)),
    )  # fmt: skip


def run_velocity(case, terms, dtype):
    shape = case.density.shape
    names = ("velocity_x", "velocity_y", "velocity_up", "diffusivity", "drift", "ambipolar", "slow_up")
    result = {name: np.zeros(shape, dtype) for name in names}
    index, weight, cosine, sine = phase_places(case.grid, case.convection)
    columns = reference.kernel_columns(case.shells, case.convection, case.ion)
    ENGINE.fill_velocity(
        case.drivers, case.corner, case.weight, column_geometry(case.grid, case.convection).astype(dtype), index,
        weight.astype(dtype), cosine.astype(dtype), sine.astype(dtype), case.convection.table.astype(dtype),
        dtype(case.convection.sine_step), case.density, case.electrons, case.grid.row_range,
        *(values.astype(dtype) for values in columns), case.shells.centre_distance.astype(dtype),
        np.array([name in terms for name in ("exb", "pedersen", "wind")], dtype=dtype), *result.values(),
    )  # fmt: skip
    result["velocity_y"] = result["velocity_y"].transpose(0, 2, 1)
    return result


@pytest.mark.parametrize("hemisphere", ["north", "south"])
@pytest.mark.parametrize("terms", [("exb",), ("pedersen",), ("wind",), (), TERMS])
def test_velocity_equals_vectors(shells, hemisphere, terms):
    """Every term by itself, both hemispheres, from zeta >> 1 to zeta << 1; the cap reaches beyond the convection."""
    case = velocity_case(hemisphere, shells)
    result = run_velocity(case, terms, np.float64)
    rows = reference.interpolate_columns(case.drivers, case.corner, case.weight)
    expected = reference.fill_velocity(
        case.grid, case.shells, case.convection, case.ion, rows, case.density, case.electrons, terms
    )
    active = case.grid.active
    for name, values in expected.items():
        close(result[name][:, active], values[:, active], 1e-12)


def test_velocity_in_single_precision(shells):
    """To 1e-5 of the largest: an angle of 1e-7 rad is the same share of a gradient."""
    case, exact = (velocity_case("north", shells, dtype) for dtype in (np.float32, np.float64))
    single, double = run_velocity(case, TERMS, np.float32), run_velocity(exact, TERMS, np.float64)
    for name, values in double.items():
        close(single[name][:, case.grid.active], values[:, case.grid.active], 1e-5)


def test_cells_that_gravity_has_emptied_have_a_finite_velocity(shells):
    """Without a pressure gradient the top empties to exactly 0 in single precision; ln N has no gradient there."""
    case = velocity_case("north", shells, np.float32)
    case.drivers[4] = 0.0  # no pressure: the diffusivity vanishes
    filled = run_velocity(case, TERMS, np.float32)
    case.density[-3:] = 0.0
    emptied = run_velocity(case, TERMS, np.float32)
    for name, values in emptied.items():
        np.testing.assert_array_equal(values[:, case.grid.active], filled[name][:, case.grid.active])


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_columns_are_interpolated_as_in_numpy(grid, shells, dtype, tolerance):
    case = velocity_case("north", shells, dtype)
    result = np.full((DRIVER_ROWS, *case.density.shape), -1.0, dtype)
    ENGINE.interpolate_columns(case.drivers, case.corner, case.weight, case.grid.row_range, result)
    expected = reference.interpolate_columns(case.drivers, case.corner, case.weight)
    for row, plain in zip(result, expected, strict=True):
        close(row[:, case.grid.active], plain[:, case.grid.active], tolerance)
    assert np.all(result[..., ~case.grid.active] == -1.0)


# ---------------------------------------------------------------- sums, rates, checks


def test_sums_and_rates_equal_numpy(grid, shells):
    case = horizontal_case(grid, shells)
    content = ENGINE.total_content(case.density, grid.solid_angle, shells.shell, grid.row_range)
    expected = reference.total_content(case.density, grid.solid_angle, shells.shell, grid.active)
    assert content == pytest.approx(expected, rel=1e-13)
    up = smooth(grid, shells.levels, 70, 50.0)
    inverse_radius = shells.side / shells.shell
    arguments = (case.velocity_x, case.velocity_y, up, grid.solid_angle, grid.edge_x, grid.edge_y)
    rates, places = ENGINE.largest_rates(*arguments, grid.row_range, inverse_radius, shells.centre_distance)
    plain = reference.largest_rates(*arguments, grid.active, inverse_radius, shells.centre_distance)
    np.testing.assert_allclose(rates, plain, rtol=1e-12)
    stretching = np.diff(up, axis=0)[4] / shells.centre_distance[5]
    assert stretching.ravel()[places[5, 1]] == pytest.approx(rates[5, 1], rel=1e-12)
    assert grid.active.ravel()[places[1:]].all()  # the lowest level has no stretching


def test_a_velocity_that_is_not_a_number_is_not_lost_in_the_maximum(grid, shells):
    case = horizontal_case(grid, shells)
    y, x = np.argwhere(grid.active)[40]
    for name in ("velocity_x", "velocity_y", "up"):
        fields = {"velocity_x": case.velocity_x.copy(), "velocity_y": case.velocity_y.copy(), "up": case.velocity_x.copy()}
        fields[name][3, *((x, y) if name == "velocity_y" else (y, x))] = np.nan
        rates, _ = ENGINE.largest_rates(
            *fields.values(), grid.solid_angle, grid.edge_x, grid.edge_y, grid.row_range, shells.side / shells.shell,
            shells.centre_distance,
        )  # fmt: skip
        assert np.isnan(rates).any(), name


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_the_first_invalid_cell_is_found(grid, shells, bad):
    density = np.ones((shells.levels, grid.cells, grid.cells))
    assert ENGINE.first_invalid(density, grid.row_range) == (-1, -1, -1)
    density[:, ~grid.active] = bad
    assert ENGINE.first_invalid(density, grid.row_range) == (-1, -1, -1)
    inside = np.argwhere(grid.active)
    for level, place in ((5, 30), (5, 17), (3, 50)):
        density[level, *inside[place]] = bad
        found = ENGINE.first_invalid(density, grid.row_range)
        assert found == reference.first_invalid(density, grid.active)
    assert found == (3, *inside[50])


def test_the_engine_has_every_kernel():
    assert all(callable(getattr(ENGINE, name)) for name in KERNELS)


def test_unknown_engine():
    with pytest.raises(SettingsError, match=r"engine is 'fortran'.*numba"):
        get_engine("fortran")
