"""Whole runs: output, budget, resume, terms, both hemispheres, several species, bad input."""

import json
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from small_run import small_settings

from siderion.core.errors import CheckpointError, CoverageError, NumericalError, OutputError, SettingsError
from siderion.io.store import open_dataset
from siderion.jobs.checkpoint import load_checkpoint, save_checkpoint
from siderion.jobs.lock import folder_lock
from siderion.transport import run as run_module
from siderion.transport.diagnostics import summary_text
from siderion.transport.fields import DriverFields
from siderion.transport.model import Model
from siderion.transport.plan import make_grids
from siderion.transport.run import CHECKPOINTS, PARTIAL, STORE, checkpoint_facts, load_drivers, restore, run


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("finished")
    return run(small_settings(), folder, cache=cache).load(), folder


def test_output_has_what_the_design_names(finished):
    output, folder = finished
    assert not (folder / PARTIAL).exists()
    assert not (folder / "checkpoints").exists()
    assert output.number_density.dims == ("species", "time", "alt", "lat", "lon")
    assert [str(t)[:16] for t in output.time.values] == ["2023-06-18T00:00", "2023-06-18T00:30"]
    assert str(output.species.values[0]) == "Fe+"
    assert abs(output.lat.values).max() < 90.0
    for name in ("number_density", "electron_density", "velocity_up", "neutral_wind_east", "electric_potential"):
        assert np.isfinite(output[name].values).all(), name
        assert output[name].attrs["units"]
    assert (output.number_density.values >= 0).all()
    assert output.attrs["complete"] == 1
    assert json.loads(output.attrs["settings"])["date"] == "2023-06-18"
    sources = json.loads(output.attrs["sources"])
    assert any("Andoh" in source["citation"] for source in sources)
    assert {source["confidence"] for source in sources} <= {"verified", "computed", "unverified"}


def test_budget_closes_to_round_off(finished):
    budget = json.loads(finished[0].attrs["mass_budget"])["species"]["Fe+"]
    assert budget["initial"] > 1e25
    assert abs(budget["residual"]) < 1e-6 * budget["initial"]  # float32: 1e-7 per step, mostly cancelling
    assert budget["chemistry"] < 0
    ways = ("through_edge", "through_bottom", "through_top", "held_boundaries", "through_lid", "chemistry")
    gains = sum(budget[way] for way in ways)
    assert gains == pytest.approx(budget["final"] - budget["initial"], abs=1e-6 * budget["initial"])


def test_output_content_equals_native_content(finished):
    output = finished[0]
    budget = json.loads(output.attrs["mass_budget"])["species"]["Fe+"]
    radius = 6371.2e3 + 1e3 * output.alt_bounds.values
    shell = (radius[:, 1] ** 3 - radius[:, 0] ** 3) / 3.0
    last = output.number_density.isel(species=0, time=-1)
    content = float((last * output.solid_angle).sum(["lat", "lon"]).values @ shell)
    assert content == pytest.approx(budget["final"], rel=1e-3)  # rounding to 9 bits


def test_float64_budget_closes_further(tmp_path, cache):
    output = run(small_settings(precision="float64"), tmp_path, cache=cache)
    budget = json.loads(output.attrs["mass_budget"])["species"]["Fe+"]
    assert abs(budget["residual"]) < 1e-13 * budget["initial"]


def test_terms_sum_to_the_total(finished):
    output = finished[0]
    for way in ("east", "north", "up"):
        total = output[f"velocity_{way}"].sel(alt=output.term_alt).values
        parts = output[f"velocity_{way}_by_term"].sum("term").values
        scale = abs(output[f"velocity_{way}_by_term"]).max().item()
        np.testing.assert_allclose(parts, total, atol=6 * scale * 2.0**-11)  # six parts, each rounded to 10 bits


def test_resume_equals_the_uninterrupted_run_bit_for_bit(finished, tmp_path, cache):
    """Kill a run in its second window after the first output, as `kill -9` would, and resume it in another process."""
    script = textwrap.dedent(f"""
        import os, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from small_run import small_settings
        from siderion.transport import run as module
        from siderion.transport.model import Model
        whole = Model.run_window
        def deadly(self, start):
            if self.windows_done == 4:
                os.kill(os.getpid(), 9)
            whole(self, start)
        Model.run_window = deadly
        module.run(small_settings(), {str(tmp_path / "run")!r}, cache={str(cache)!r})
    """)
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -9
    assert (tmp_path / "run" / PARTIAL).exists()
    assert not (tmp_path / "run" / STORE).exists()
    arrays, facts = load_checkpoint(tmp_path / "run" / CHECKPOINTS, {})
    assert 0.0 < facts["cpu_seconds"] < facts["seconds"] + 60.0
    facts["cpu_seconds"] += 1e4
    save_checkpoint(tmp_path / "run" / CHECKPOINTS, facts["windows_done"], arrays, facts)
    resumed = run(small_settings(), tmp_path / "run", resume=True, cache=cache).load()
    for name in finished[0].data_vars:
        np.testing.assert_array_equal(resumed[name].values, finished[0][name].values, err_msg=str(name))
    assert resumed.attrs["mass_budget"] == finished[0].attrs["mass_budget"]
    assert resumed.attrs["steps"] == finished[0].attrs["steps"]
    assert resumed.attrs["cpu_time_s"] > 1e4
    assert [path.name for path in (tmp_path / "run").iterdir()] == [STORE]  # the lock of the killed run is gone too


def test_a_checkpoint_without_processor_time_counts_none(tmp_path):
    settings = small_settings()
    counters = {"windows_done": 3, "steps_done": 9, "largest_courant": 0.2, "most_cells_crossed": 1}
    save_checkpoint(tmp_path, 3, {}, {**checkpoint_facts(settings), **counters, "written": 1, "seconds": 7.0, "budgets": []})
    model = SimpleNamespace(metals=[], supply=SimpleNamespace(digest=checkpoint_facts(settings)["source_files"]))
    assert restore(model, tmp_path, settings) == (1, (7.0, 0.0))
    assert model.windows_done == 3


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_another_process_writes_is_left_alone(tmp_path, cache, monkeypatch, resume):
    monkeypatch.setattr(run_module, "folder_lock", partial(folder_lock, patience=0.0))
    (tmp_path / PARTIAL).mkdir()
    (tmp_path / PARTIAL / "half").touch()
    with folder_lock(tmp_path), pytest.raises(OutputError, match="is writing to this folder"):
        run(small_settings(), tmp_path, resume=resume, cache=cache)
    assert (tmp_path / PARTIAL / "half").exists()


def test_resume_refuses_what_is_not_this_run(tmp_path, cache, monkeypatch):
    with pytest.raises(CheckpointError, match="no run to resume"):
        run(small_settings(), tmp_path / "nothing", resume=True, cache=cache)

    class StoppedError(Exception):
        pass

    def stop(model, start):
        if model.windows_done == 4:
            raise StoppedError
        original(model, start)

    original = run_module.Model.run_window
    monkeypatch.setattr(run_module.Model, "run_window", stop)
    with pytest.raises(StoppedError):
        run(small_settings(), tmp_path / "run", cache=cache)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="resume with the settings"):
        run(small_settings(time_step=60.0), tmp_path / "run", resume=True, cache=cache)
    density = tmp_path / "run" / PARTIAL / "number_density"
    (density / "zarr.json").unlink()
    with pytest.raises(OutputError, match="cannot be resumed"):
        run(small_settings(), tmp_path / "run", resume=True, cache=cache)


def test_existing_output_is_not_overwritten_unasked(finished, cache):
    with pytest.raises(OutputError, match="--overwrite"):
        run(small_settings(), finished[1], cache=cache)
    with pytest.raises(CheckpointError, match="complete already"):
        run(small_settings(), finished[1], resume=True, cache=cache)
    assert open_dataset(finished[1] / STORE).attrs["complete"] == 1


def test_full_disk_is_one_clear_error(tmp_path, cache, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage)
    with pytest.raises(OutputError, match="free some space"):
        run(small_settings(), tmp_path, cache=cache)


def test_dates_outside_the_data(tmp_path, cache):
    with pytest.raises(CoverageError, match="2022"):
        run(small_settings(date="2019-01-01"), tmp_path / "a", cache=cache)
    assert list((tmp_path / "a").iterdir()) == []  # no output, no lock


def test_southern_hemisphere_with_two_metals(tmp_path, cache):
    settings = small_settings(hemisphere="south", species=["Fe+", "Mg+"])
    output = run(settings, tmp_path, cache=cache)
    assert (output.lat.values < 0).all()
    assert list(output.species.values) == ["Fe+", "Mg+"]
    budgets = json.loads(output.attrs["mass_budget"])["species"]
    assert all(abs(b["residual"]) < 1e-6 * b["initial"] for b in budgets.values())
    potential = output.electric_potential.values
    assert potential.max() > 5e3
    assert potential.min() < -5e3


def test_switched_off_terms_are_zero(tmp_path, cache):
    settings = small_settings(terms=["exb"], chemistry={"network": "none"})
    output = run(settings, tmp_path, cache=cache)
    for term in ("pedersen", "gravity", "pressure", "parallel_field", "wind"):
        assert float(abs(output.velocity_up_by_term.sel(term=term)).max()) == 0.0
    assert float(abs(output.velocity_up_by_term.sel(term="exb")).max()) > 1.0
    assert json.loads(output.attrs["mass_budget"])["species"]["Fe+"]["chemistry"] == 0.0


def test_paper_boundaries_hold_the_density(tmp_path, cache):
    boundaries = {"bottom": "fixed", "top": "fixed", "edge": "fixed"}
    output = run(small_settings(boundaries=boundaries), tmp_path, cache=cache)
    top = output.number_density.isel(species=0, alt=-1)
    np.testing.assert_allclose(top.values, 1e4, rtol=2e-3)
    budget = json.loads(output.attrs["mass_budget"])["species"]["Fe+"]
    assert budget["held_boundaries"] != 0.0
    assert abs(budget["residual"]) < 1e-6 * budget["initial"]


def test_meteoric_supply_adds_metal(tmp_path, cache):
    plain = run(small_settings(), tmp_path / "a", cache=cache)
    fed = run(small_settings(chemistry={"meteoric_flux": 1e12}), tmp_path / "b", cache=cache)
    gain = [json.loads(o.attrs["mass_budget"])["species"]["Fe+"]["chemistry"] for o in (plain, fed)]
    assert gain[1] > gain[0]


def test_nan_in_a_driver_stops_the_run_with_place_and_time(tmp_path, cache, monkeypatch):
    original = run_module.load_drivers

    def broken(*args, **kwargs):
        drivers = original(*args, **kwargs)
        values = drivers.neutral_wind_east.values.copy()
        values[:, 10:20, -3:] = 1e9
        return drivers.assign(neutral_wind_east=(drivers.neutral_wind_east.dims, values))

    monkeypatch.setattr(run_module, "load_drivers", broken)
    with pytest.raises(NumericalError, match=r"time step below 1 s.*km.*N.*drivers"):
        run(small_settings(), tmp_path, cache=cache)


def test_impossible_settings():
    with pytest.raises(SettingsError, match="spin_up"):
        small_settings(spin_up=2.0)
    with pytest.raises(SettingsError, match="multiples of 10 minutes"):
        small_settings(hours=1.03)
    with pytest.raises(SettingsError, match="not a setting"):
        small_settings(colour="red")
    with pytest.raises(SettingsError, match="preset"):
        small_settings(preset="huge")
    with pytest.raises(SettingsError, match="unknown"):
        small_settings(terms=["exb", "magic"])


def test_summary_names_place_and_budget(finished):
    output = finished[0]
    summary = json.loads(output.attrs["summary"])["Fe+"]
    budget = json.loads(output.attrs["mass_budget"])["species"]["Fe+"]
    text = summary_text("Fe+", summary, budget)
    assert "MLT" in text
    assert "budget closes" in text


def test_opened_by_plain_xarray(finished):
    plain = xr.open_zarr(finished[1] / STORE, consolidated=False, chunks=None)
    assert plain.time.dtype.kind == "M"


@pytest.fixture(scope="module")
def model(cache):
    settings = small_settings()
    grid, shells = make_grids(settings)
    return Model(settings, DriverFields(load_drivers(settings, cache=cache), shells), grid, shells)


@pytest.mark.parametrize(
    ("advection", "drift", "advected", "drifted"),
    [
        (80.0, -50.0, 30.0, 0.0),  # gravity takes its part
        (30.0, -50.0, 0.0, 0.0),  # gravity wins: ions fall back
        (20.0, 100.0, 20.0, 100.0),  # lifted by the electric field along B
        (-20.0, 100.0, -20.0, 80.0),  # lifted against a sinking flow, which brings the floor density in
        (-150.0, -50.0, -150.0, 0.0),
    ],
)
def test_flow_through_an_open_top(model, advection, drift, advected, drifted):
    metal = model.metals[0]
    metal.velocity_up[:], metal.drift[:], metal.ambipolar[:] = advection, drift, 0.0
    found = model.flow_through_top(metal, np.ones(model.shape))
    assert [float(part.min()) for part in found] == [advected, drifted]
    assert [float(part.max()) for part in found] == [advected, drifted]


def test_a_fast_sinking_flow_at_the_top_empties_no_cell(model):
    """150 m/s for 120 s is more than a top cell of 10 km: without inflow its volume would turn negative."""
    metal = model.metals[0]
    metal.velocity_up[:], metal.drift[:], metal.ambipolar[:] = -150.0, -50.0, 0.0
    metal.top_velocity, _ = model.flow_through_top(metal, np.ones(model.shape))
    volume = np.ones(model.shape, model.dtype)
    model.advect_vertical(metal, volume, 120.0, last=False)
    assert volume[1:, model.grid.active].min() > 0.9
    assert metal.density.min() >= 0.0
