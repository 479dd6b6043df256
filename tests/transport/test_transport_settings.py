"""Settings and plan of a run: presets, errors that name the value and the rule, numbers of the paper's grid."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import SettingsError
from siderion.transport.plan import make_grids, plan_run
from siderion.transport.settings import PRESETS, make_settings

DAY = {"date": "2023-06-18"}


def test_defaults_are_the_standard_preset():
    settings = make_settings(DAY)
    assert settings.grid.resolution == 1.0
    assert settings.time_step == 40.0
    assert settings.species == ("Fe+",)
    assert settings.boundaries.model_dump() == {"bottom": "floor", "top": "open", "edge": "inflow"}
    assert settings.initial.floor == 1e4
    assert settings.hours == 36.0
    assert settings.spin_up == 12.0


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_are_taken_and_can_be_overridden(name):
    settings = make_settings({**DAY, "preset": name})
    assert settings.grid.resolution == PRESETS[name]["resolution"]
    assert settings.time_step == PRESETS[name]["time_step"]
    other = make_settings({**DAY, "preset": name, "grid": {"resolution": 3.0}, "time_step": 17.0})
    assert other.grid.resolution == 3.0
    assert other.grid.fine_step == PRESETS[name]["fine_step"]
    assert other.time_step == 17.0


def test_the_digest_knows_every_value():
    one, two, same = (make_settings({**DAY, "eddy_diffusivity": value}) for value in (0.0, 1.0, 0.0))
    assert one.digest() == same.digest() != two.digest()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"date": None}, "date is None"),
        ({"preset": "huge"}, "preset is 'huge'; use one of quick, standard, paper"),
        ({"colour": 1}, "colour: is not a setting"),
        ({"grid": {"resolutoin": 1.0}}, "grid.resolutoin: is not a setting"),
        ({"grid": {"resolution": 0.0}}, "grid.resolution is 0.0"),
        ({"grid": {"edge_latitude": 30.0}}, "grid.edge_latitude is 30.0.*greater than or equal to 40"),
        ({"grid": {"uniform_top": 84.0}}, "altitudes must grow: bottom 85.0 < uniform_top 84.0"),
        ({"grid": {"uniform_top": 320.0}}, "altitudes must grow"),
        ({"grid": {"coarse_step": 0.5}}, "coarse_step 0.5 km is smaller than fine_step 1.0 km"),
        ({"boundaries": {"top": "closed"}}, "boundaries.top is 'closed'.*'open' or 'fixed'"),
        ({"terms": ["exb", "magic"]}, r"terms \['magic'\] are unknown; use some of exb, pedersen"),
        ({"species": ["Fe+", "Fe+"]}, "names one twice"),
        ({"species": []}, "species is"),
        ({"spin_up": 36.0}, "spin_up 36.0 h is not shorter than hours 36.0 h"),
        ({"output_interval": 0.25}, "multiples of 10 minutes"),
        ({"hours": 35.9}, "multiples of 10 minutes"),
        ({"precision": "float16"}, "precision is 'float16'"),
        ({"hemisphere": "east"}, "hemisphere is 'east'"),
        ({"time_step": 500.0}, "time_step is 500.0"),
        ({"initial": {"floor": 0.0}}, "initial.floor is 0.0"),
    ],
)
def test_wrong_settings_name_the_value_and_the_rule(values, message):
    with pytest.raises(SettingsError, match=message):
        make_settings({**DAY, **values})


def test_a_run_needs_a_date():
    with pytest.raises(SettingsError, match="no date"):
        make_settings({})


def test_ten_minutes_are_allowed_as_a_fraction():
    """k/6 h times 6 is exact in binary for every k that a run can have."""
    for k in (1, 5, 7, 11, 35):
        make_settings({**DAY, "output_interval": k / 6})


def test_settings_do_not_change():
    with pytest.raises(Exception, match="frozen"):
        make_settings(DAY).hours = 12.0


# ---------------------------------------------------------------- plan


def test_the_papers_grid_has_the_papers_size():
    """Andoh et al. 2026: 40 to 87.5 N at 0.5 degrees, 246 levels. A cap of that spacing has about 35 000 columns."""
    plan = plan_run(make_settings({**DAY, "preset": "paper"}))
    cap = 2 * np.pi * (1 - np.sin(np.radians(40.0)))
    assert plan.levels == 246
    assert 30_000 < plan.columns < 40_000
    assert plan.columns == pytest.approx(cap / np.radians(0.5) ** 2, rel=0.2)
    assert plan.cells == plan.columns * plan.levels
    assert plan.steps == 36 * 60 * 2
    assert 1e9 < plan.memory < 16e9
    assert 0.1e9 < plan.disk < 20e9
    assert 600 < plan.seconds < 24 * 3600


def test_cells_keep_to_the_resolution():
    for resolution in (0.5, 1.0, 2.0, 5.0):
        grid, shells = make_grids(make_settings({**DAY, "grid": {"resolution": resolution}}))
        assert 100.0 / grid.cells == pytest.approx(resolution)
        assert grid.cells % 2 == 0  # the pole lies on a corner, so that no cell stands out
        assert shells.face_altitude[-1] == pytest.approx(310.0)


def test_a_plan_grows_with_what_is_asked():
    base = plan_run(make_settings(DAY))
    more = plan_run(make_settings({**DAY, "species": ["Fe+", "Mg+"]}))
    assert more.cells == base.cells
    assert more.memory > base.memory
    assert more.seconds > base.seconds
    assert more.disk > base.disk
    assert plan_run(make_settings({**DAY, "output_spin_up": True})).disk > base.disk
    assert plan_run(make_settings({**DAY, "time_step": 20.0})).steps == 2 * base.steps
    assert plan_run(make_settings({**DAY, "chemistry": {"network": "none"}})).memory < base.memory
    text = base.text()
    assert f"{base.columns} columns x {base.levels} levels" in text
    assert "GB" in text
