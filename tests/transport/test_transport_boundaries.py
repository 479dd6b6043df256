"""What is held: bottom, top, edge, the paper's lid, the neutral metal; and where the change is booked."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from siderion.chemistry.network import build_network
from siderion.core.species import get_species
from siderion.transport.boundaries import LID_LATITUDE, Boundaries, edge_ring, neutral_index
from siderion.transport.budget import AtomBudget, Budget
from siderion.transport.grid import CapGrid, ShellGrid
from siderion.transport.settings import make_settings

GRID = CapGrid("north", 50)
SHELLS = ShellGrid.stretched(85.0, 110.0, 150.0, 5.0, 10.0)


def content(density):
    return float(np.sum((density * GRID.solid_angle)[:, GRID.active] * SHELLS.shell[:, None]))


MODEL = SimpleNamespace(content=lambda metal, state=0: content(metal.reservoirs[state]), dtype=np.float64)


def metal(density=None, network=None):
    shape = (SHELLS.levels, GRID.cells, GRID.cells)
    states = network.states if network else ("Fe+",)
    reservoirs = np.random.default_rng(0).uniform(1.0, 2.0, (len(states), *shape)) * 1e9
    initial = np.linspace(1e9, 2e9, SHELLS.levels)[None]
    return SimpleNamespace(
        ion=get_species("Fe+"),
        network=network,
        reservoirs=reservoirs,
        initial=initial,
        density=reservoirs[0],
        budget=Budget(),
        atoms=AtomBudget(),
    )


def boundaries(**settings):
    return Boundaries(make_settings({"date": "2023-06-18", **settings}), GRID)


def test_by_default_nothing_is_held():
    one = metal()
    before = one.density.copy()
    boundaries().hold(one, MODEL)
    np.testing.assert_array_equal(one.density, before)
    assert one.budget.gains == 0.0


def test_the_papers_boundaries_hold_and_are_booked():
    one = metal()
    before = one.density.copy()
    boundaries(boundaries={"bottom": "fixed", "top": "fixed", "edge": "fixed"}).hold(one, MODEL)
    ring = edge_ring(GRID.active)
    for level in (0, -1):
        np.testing.assert_array_equal(one.density[level], one.initial[0][level])
    np.testing.assert_array_equal(one.density[:, ring], np.broadcast_to(one.initial[0][:, None], (SHELLS.levels, ring.sum())))
    inner = GRID.active & ~ring
    np.testing.assert_array_equal(one.density[1:-1, inner], before[1:-1, inner])
    assert one.budget.held_boundaries == pytest.approx(content(one.density) - content(before), rel=1e-9)
    assert one.budget.held_boundaries != 0.0
    assert one.budget.through_lid == 0.0


@pytest.mark.parametrize(("name", "level"), [("bottom", 0), ("top", -1)])
def test_each_end_is_held_by_itself(name, level):
    one = metal()
    before = one.density.copy()
    boundaries(boundaries={name: "fixed"}).hold(one, MODEL)
    changed = np.any(one.density != before, axis=(1, 2))
    assert changed[level]
    assert changed.sum() == 1


def test_the_lid_is_the_mean_of_the_last_ring():
    one = metal()
    before = one.density.copy()
    held = boundaries(grid={"pole": "paper"})
    held.hold(one, MODEL)
    latitude = np.abs(GRID.latitude)
    lid = latitude > LID_LATITUDE
    assert lid.sum() >= 4
    np.testing.assert_array_equal(held.lid, lid)
    assert latitude[held.ring].max() <= LID_LATITUDE
    assert latitude[held.ring].min() > LID_LATITUDE - 4.0
    assert held.ring.sum() >= 8
    np.testing.assert_allclose(one.density[:, lid], before[:, held.ring].mean(axis=1)[:, None] * np.ones(lid.sum()), rtol=1e-12)
    np.testing.assert_array_equal(one.density[:, ~lid], before[:, ~lid])
    assert one.budget.through_lid == pytest.approx(content(one.density) - content(before), rel=1e-6)
    assert one.budget.held_boundaries == 0.0


def test_the_ring_goes_all_around_at_every_resolution():
    """Otherwise one side would feed the whole lid."""
    for cells in (26, 50, 100, 200):
        grid = CapGrid("south", cells)
        settings = make_settings({"date": "2023-06-18", "hemisphere": "south", "grid": {"pole": "paper"}})
        ring = Boundaries(settings, grid).ring
        angles = np.sort(grid.longitude[ring])
        assert np.diff(angles, append=angles[0] + 360.0).max() <= 90.0 + 1e-9


def test_edge_ring_is_one_cell_wide_and_closed():
    ring = edge_ring(GRID.active)
    inner = GRID.active & ~ring
    assert np.all(GRID.active[ring])
    for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
        assert not np.any(inner & ~np.roll(GRID.active, shift, axis))  # no inner cell touches the outside
    square = np.ones((4, 5), bool)
    assert edge_ring(square).sum() == 14


def test_a_fixed_neutral_comes_back_and_is_booked():
    one = metal(network=build_network("Fe", "full"))
    index = neutral_index(one)
    before = one.reservoirs[index].copy()
    held = boundaries(chemistry={"neutral": "fixed"})
    kept = held.held_neutrals(one)
    one.reservoirs[index] *= 0.5
    held.reset_neutrals(one, kept, MODEL)
    np.testing.assert_array_equal(one.reservoirs[index], before)
    assert one.atoms.held_neutral == pytest.approx(0.5 * content(before), rel=1e-12)


def test_a_neutral_that_is_used_up_is_left_alone():
    one = metal(network=build_network("Fe", "full"))
    held = boundaries()
    assert held.held_neutrals(one) is None
    before = one.reservoirs.copy()
    held.reset_neutrals(one, None, MODEL)
    np.testing.assert_array_equal(one.reservoirs, before)


def test_an_ion_without_chemistry_has_no_neutral():
    assert neutral_index(metal()) is None
    assert boundaries(chemistry={"neutral": "fixed"}).held_neutrals(metal()) is None


def test_budget_adds_up():
    budget = Budget(initial=10.0, final=14.0, through_edge=1.0, through_bottom=2.0, through_top=-3.0, chemistry=-1.0)
    budget.held_boundaries, budget.through_lid = 4.0, 0.5
    assert budget.gains == 3.5
    assert budget.residual == pytest.approx(0.5)
    assert budget.as_dict()["residual"] == budget.residual
