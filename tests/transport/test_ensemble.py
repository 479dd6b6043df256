"""Ensembles: names of members, maps with known answers, join, resume, refusals."""

import importlib
import json
import shutil
import subprocess
import sys
import textwrap
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from small_run import SMALL, small_settings

from siderion.core.errors import CheckpointError, DataError, OutputError, SettingsError, SiderionError
from siderion.core.variables import REGISTRY
from siderion.io.store import open_dataset
from siderion.jobs.checkpoint import save_checkpoint
from siderion.jobs.lock import folder_lock
from siderion.report import render_report
from siderion.report.ensemble_page import is_ensemble, magnetic_frame
from siderion.transport import ensemble as module
from siderion.transport.diagnostics.times import analysed_times
from siderion.transport.ensemble import join_members, make_members, map_step, paper_days, run_ensemble
from siderion.transport.member_maps import FORMAT, reduce_output
from siderion.transport.paper.e_region import polar_layer
from siderion.transport.paper.evidence import Evidence

command = importlib.import_module("siderion.cli.ensemble")
DAYS = ("2023-06-18", "2023-06-19")


# ---------------------------------------------------------------------- members


def test_the_days_of_the_paper_are_those_of_its_day_numbers():
    assert paper_days() == [
        str(np.datetime64(f"{year}-01-01") + day - 1)
        for year, days in ((2022, (154, 158, 160)), (2023, (169, 212)), (2024, (166, 204, 237, 239)))
        for day in days
    ]


@pytest.mark.parametrize(
    ("experiments", "dates", "names"),
    [
        ({"default": {}}, (), paper_days()),
        ({"calm": {"date": DAYS[0]}}, (), [DAYS[0]]),
        ({"calm": {"date": "2020-01-01"}}, DAYS, list(DAYS)),
        ({"a": {"date": DAYS[0]}, "b": {"date": DAYS[1]}}, (), ["a", "b"]),
        ({"b": {}, "a": {}}, DAYS[:1], ["b", "a"]),
        ({"b": {}, "a": {}}, DAYS, [f"{e}_{d}" for e in "ba" for d in DAYS]),
    ],
)
def test_names_and_order_of_the_members(experiments, dates, names):
    members = make_members(experiments, dates)
    assert list(members) == names
    for name, settings in members.items():
        assert len(members) == 1 or "_" not in name or name.endswith(str(settings.date))


@pytest.mark.parametrize(
    ("experiments", "dates", "message"),
    [
        ({}, (), "no experiment"),
        ({"a": {}}, (DAYS[0], DAYS[0]), "given twice"),
        ({"a": {}, "b": {"hemisphere": "south"}}, DAYS, "same hemisphere.*a_2023-06-18 has north.*b_2023-06-18 has south"),
        ({"a": {}, "b": {"species": ("Mg+",)}}, DAYS[:1], "same species"),
        ({"a": {}, "b": {"velocity_at": ("03:00",)}}, DAYS[:1], "velocity_at"),
        ({"../a": {}, "b": {}}, DAYS[:1], "cannot be a folder"),
    ],
)
def test_members_that_make_no_ensemble(experiments, dates, message):
    with pytest.raises(SettingsError, match=message):
        make_members(experiments, dates)


def test_velocities_of_the_spin_up_alone_are_refused_before_the_run():
    late = {**SMALL, "hours": 14.0, "spin_up": 8.0, "output_interval": 1.0, "velocity_at": ["18:00"]}
    assert list(make_members({"a": late})) == ["2023-06-18"]  # at the last time of the run
    with pytest.raises(SettingsError, match=r"no velocities on 2023-06-18: velocity_at is 18:00.*ends 6 h after"):
        make_members({"a": {**late, "output_spin_up": True}})
    whole = {**late, "hours": 32.0}
    assert len(make_members({"a": {**whole, "output_spin_up": True}, "b": whole})) == 2


def test_bins_are_one_degree_or_the_coarsest_cells():
    fine, quick = small_settings(grid={"resolution": 0.5}), small_settings(grid={"resolution": 2.0})
    assert map_step({"a": fine}) == 1.0
    assert map_step({"a": fine, "b": quick}) == 2.0
    assert map_step({"a": small_settings(grid={"resolution": 1.5})}) == pytest.approx(40 / 26)


# ---------------------------------------------------------------------- maps with known answers


def made_up_output(step=2.0):
    """Magnetic coordinates equal to geographic ones at 0 UT, and fields that are known functions of them."""
    lat, lon = np.arange(40 + step / 2, 90, step), np.arange(-180 + step / 2, 180, step)
    alt, hours = np.array([112.0, 116.0, 120.0, 124.0, 128.0, 200.0, 300.0]), np.arange(-2, 26)
    time = np.datetime64("2023-06-18", "ns") + hours * np.timedelta64(1, "h")
    clock = ((lon[None, :] + 180) / 15 + hours[:, None]) % 24
    shape = (1, len(time), len(alt), len(lat), len(lon))
    density = np.ones(shape) * 1e9 * (1 + hours)[None, :, None, None, None].clip(0)
    in_day = hours.clip(0, 23)
    density[:, :, alt == 124.0] = np.where((in_day < 6)[None, :, None, None, None], 3e11, 1e8)
    density[:, :, alt == 128.0] = 1e13  # beyond the layer
    potential = np.broadcast_to(1e4 * np.cos(np.deg2rad(15 * clock))[:, None, :], (len(time), len(lat), len(lon)))
    up = np.broadcast_to(lat[:, None], (1, 2, len(alt), len(lat), len(lon))) * np.array([1.0, -1.0])[:, None, None, None]
    angle = np.deg2rad(step) * (np.sin(np.deg2rad(lat + step / 2)) - np.sin(np.deg2rad(lat - step / 2)))
    settings = small_settings(hours=30.0, spin_up=2.0, velocity_at=("06:00", "18:00"))
    cells = {"settings": settings.model_dump_json(), "settings_digest": settings.digest(), "hemisphere": "north"}
    numbers = {"number_density": 3e11, "lat": 70.0, "lon": 1.0, "time": "2023-06-18T01:00"}
    ratios = {f"evening_morning_ratio_{z}_km": 2.0 for z in (120, 200, 300)}
    return xr.Dataset(
        {
            "number_density": (("species", "time", "alt", "lat", "lon"), density),
            "electric_potential": (("time", "lat", "lon"), potential),
            "magnetic_local_time": (("time", "lat", "lon"), np.broadcast_to(clock[:, None, :], potential.shape)),
            "invariant_latitude": (("alt", "lat", "lon"), np.broadcast_to(lat[:, None], shape[2:])),
            "velocity_up": (("species", "velocity_time", "alt", "lat", "lon"), up),
            "velocity_north": (("species", "velocity_time", "alt", "lat", "lon"), -up),
            "solid_angle": (("lat", "lon"), np.broadcast_to(angle[:, None], potential.shape[1:])),
        },
        coords={
            "species": ["Fe+"], "time": time, "alt": alt, "lat": lat, "lon": lon,
            "velocity_time": np.array(["2023-06-18T06:00", "2023-06-18T18:00"], dtype="datetime64[ns]"),
        },
        attrs={
            **cells, "siderion_version": "0", "wall_time_s": 1.5,
            "mass_budget": json.dumps({"species": {"Fe+": {"initial": 1.0, "final": 0.5}}}),
            "summary": json.dumps({"Fe+": {"largest_density_115_to_125_km": numbers, **ratios}}),
            "sources": json.dumps([{"what": "model"}]),
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def reduced():
    return reduce_output(made_up_output(), 2.0)


def test_maps_of_known_fields(reduced):
    assert reduced.mean_number_density.dims == ("species", "alt", "invariant_latitude", "magnetic_local_time")
    assert reduced.mean_number_density.shape == (1, 3, 20, 48)
    # 200 km: 1e9 (1 + hour) over the 24 hours of the day, not its neighbours
    np.testing.assert_allclose(reduced.mean_number_density.sel(alt=200), 12.5e9)
    np.testing.assert_allclose(reduced.median_number_density.sel(alt=300), 12.5e9)
    # 120 km: six hours of the layer at 124 km, then the field at 116 and 120 km; 128 km is beyond
    later = 1e9 * (1 + np.arange(6, 24))
    np.testing.assert_allclose(reduced.mean_number_density.sel(alt=120), (6 * 3e11 + later.sum()) / 24)
    np.testing.assert_allclose(reduced.median_number_density.sel(alt=120), np.median([*[3e11] * 6, *later]))
    np.testing.assert_allclose(reduced.layer_occurrence, 0.25)
    cap = 2 * np.pi * (1 - np.sin(np.deg2rad(60))) * (6371.2e3 + 120e3) ** 2
    np.testing.assert_allclose(reduced.mean_layer_area, 0.25 * cap)


def test_the_potential_stays_in_magnetic_local_time_while_the_earth_turns(reduced):
    expected = 1e4 * np.cos(np.deg2rad(15 * reduced.magnetic_local_time))
    expected, found = xr.broadcast(expected, reduced.mean_electric_potential)
    np.testing.assert_allclose(
        found, expected.transpose(*found.dims), atol=1e4 * np.deg2rad(2.0)
    )  # bins of 7.5 degrees hold 3 or 4 cells of 2


def test_velocities_by_hour_and_latitude(reduced):
    assert list(reduced.universal_time.values) == [6.0, 18.0]
    for k, sign in enumerate((1.0, -1.0)):
        up = reduced.map_velocity_up.isel(species=0, universal_time=k, alt=1).values
        np.testing.assert_allclose(up, sign * np.broadcast_to(reduced.invariant_latitude.values[:, None], up.shape))
        np.testing.assert_allclose(reduced.map_velocity_north.isel(species=0, universal_time=k, alt=1), -up)


def with_velocity_times(output, *times):
    chosen = output.isel(velocity_time=[0] * len(times)).assign_coords(velocity_time=np.array(times, dtype="datetime64[ns]"))
    chosen["velocity_up"] = chosen.velocity_up * 0 + xr.DataArray(np.arange(1.0, len(times) + 1), dims="velocity_time")
    return chosen


def test_hours_of_the_spin_up_and_the_next_day_are_left_out():
    """Outputs of 22 UT the day before to 01 UT the day after, velocities in all three days."""
    output = with_velocity_times(made_up_output(), "2023-06-17T22:00", "2023-06-18T00:00", "2023-06-18T22:00", "2023-06-19T00:00")
    reduced = reduce_output(output, 2.0)
    assert list(reduced.universal_time.values) == [0.0, 22.0]
    np.testing.assert_allclose(reduced.map_velocity_up.isel(universal_time=0), 2.0)
    np.testing.assert_allclose(reduced.map_velocity_up.isel(universal_time=1), 3.0)
    np.testing.assert_allclose(reduced.mean_number_density.sel(alt=200), 12.5e9)
    at_end = reduce_output(with_velocity_times(made_up_output(), "2023-06-17T22:00", "2023-06-19T00:00"), 2.0)
    np.testing.assert_allclose(at_end.map_velocity_up, 2.0)
    with pytest.raises(DataError, match="no velocities on 2023-06-18"):
        reduce_output(with_velocity_times(made_up_output(), "2023-06-17T22:00"), 2.0)
    with pytest.raises(DataError, match="no time of 2023-06-18"):
        reduce_output(made_up_output().isel(time=slice(0, 2)), 2.0)


def test_the_area_of_layers_is_that_of_the_statements():
    """Poleward of 60 degrees invariant latitude, here 64 degrees geographic; the layer lasts 6 of the 24 hours."""
    output = made_up_output()
    output["invariant_latitude"] = 90.0 - 30.0 / 26.0 * (90.0 - output.invariant_latitude)
    found = reduce_output(output, 2.0).mean_layer_area
    cap = 2 * np.pi * (1 - np.sin(np.deg2rad(64))) * (6371.2e3 + 120e3) ** 2
    np.testing.assert_allclose(found, 0.25 * cap)
    masks = Evidence(output)
    in_day = analysed_times(output)
    area = np.mean([masks.weight[polar_layer(masks, t)].sum() for t in in_day]) * (6371.2e3 + 120e3) ** 2
    np.testing.assert_allclose(found, area)


def test_every_species_has_its_own_maps():
    one = made_up_output()
    two = xr.concat([one, one.assign(number_density=0.5 * one.number_density)], "species", data_vars="minimal")
    two = two.assign_coords(species=["Fe+", "Mg+"])
    for name in ("mass_budget", "summary"):
        held = json.loads(one.attrs[name])
        inner = held.get("species", held)
        inner["Mg+"] = inner["Fe+"]
        two.attrs[name] = json.dumps(held)
    maps = reduce_output(two, 2.0)
    assert list(map(str, maps.species.values)) == ["Fe+", "Mg+"]
    assert maps.mean_number_density.dims == ("species", "alt", "invariant_latitude", "magnetic_local_time")
    np.testing.assert_allclose(maps.mean_number_density.sel(species="Fe+", alt=200), 12.5e9)
    np.testing.assert_allclose(maps.mean_number_density.sel(species="Mg+", alt=200), 6.25e9)
    np.testing.assert_allclose(maps.layer_occurrence.sel(species="Mg+"), 0.25)  # 1.5e11


def test_numbers_and_attributes_are_kept(reduced):
    # found anew: what the run wrote, 2, may be of an older definition
    assert float(reduced.evening_morning_ratio.sel(alt=200, species="Fe+")) == pytest.approx(1.0)
    assert json.loads(reduced.attrs["summary"])["Fe+"]["evening_morning_ratio_200_km"] == pytest.approx(1.0)
    assert float(reduced.budget_final.sel(species="Fe+")) == 0.5
    assert reduced.attrs["wall_time_s"] == 1.5
    for name in reduced.data_vars:
        if name in REGISTRY:
            assert reduced[name].attrs["units"] == REGISTRY[name].units
            assert set(reduced[name].dims) == set(REGISTRY[name].dims)


def test_mean_and_spread_over_members(reduced):
    stronger = reduced.copy(deep=True)
    stronger["mean_number_density"] = 100 * reduced.mean_number_density
    empty = reduced.copy(deep=True)
    empty["mean_number_density"] = 0 * reduced.mean_number_density
    joined = join_members({"b": reduced, "a": stronger})
    assert [str(name) for name in joined.member.values] == ["b", "a"]
    np.testing.assert_allclose(joined.ensemble_mean_number_density, 50.5 * reduced.mean_number_density)
    np.testing.assert_array_equal(joined.ensemble_lowest_number_density, reduced.mean_number_density)
    np.testing.assert_array_equal(joined.ensemble_highest_number_density, stronger.mean_number_density)
    np.testing.assert_allclose(joined.ensemble_density_spread, np.sqrt(2.0))  # of 0 and 2 decades, one less than two
    np.testing.assert_allclose(join_members({"a": reduced, "b": reduced}).ensemble_density_spread, 0.0, atol=1e-12)
    assert np.isfinite(join_members({"a": reduced, "b": empty}).ensemble_density_spread).all()
    assert "ensemble_density_spread" not in join_members({"a": reduced})
    assert json.loads(joined.attrs["sources"]) == [{"what": "model"}]
    assert "wall_time_s" not in joined.attrs
    for name in joined.data_vars:
        if name in REGISTRY:
            assert set(joined[name].dims) - {"member"} == set(REGISTRY[name].dims), name


# ---------------------------------------------------------------------- whole ensembles


NAMES = ("rich", "plain")
EXPERIMENTS = {"rich": {**SMALL, "initial": {"peak_density": 2e10}}, "plain": SMALL}


def small_members(names=NAMES):
    return {name: settings for name, settings in make_members(EXPERIMENTS).items() if name in names}


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("ensemble")
    events = []
    run_ensemble(small_members(), folder, "synchronous", report=events.append, cache=cache).close()
    assert events[-1].detail == f"{NAMES[1]}: finished"
    assert events[-1].done == 1.0
    return folder


def test_output_holds_every_member(finished):
    joined = open_dataset(finished / "ensemble.zarr")
    assert [str(name) for name in joined.member.values] == list(NAMES)
    assert all(np.isfinite(joined[name].values).all() for name in joined.data_vars if joined[name].dtype.kind == "f")
    members = json.loads(joined.attrs["members"])
    assert members["rich"]["settings"]["initial"]["peak_density"] == 2e10
    assert members["plain"]["settings_digest"] == small_settings().digest()
    assert len(json.loads(joined.attrs["sources"])) > 10
    for name in NAMES:
        assert (finished / "members" / name / "polar.zarr").exists()
        assert (finished / "members" / name / "reduced.nc").exists()


def test_killed_and_started_again_is_the_uninterrupted_ensemble_byte_for_byte(finished, tmp_path, cache):
    """Killed as by `kill -9` in the second member, on a local cluster; the processes of the cluster end with it."""
    folder = tmp_path / "ensemble"
    script = textwrap.dedent(f"""
        import os, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_ensemble import small_members
        from siderion.transport.ensemble import run_ensemble
        def deadly(event):
            if event.detail.startswith("{NAMES[1]}: transport") and event.done > 0.8:
                os.kill(os.getpid(), 9)
        run_ensemble(small_members(), {str(folder)!r}, report=deadly, cache={str(cache)!r})
    """)
    killed = subprocess.run([sys.executable, "-c", script], check=False, cwd=tmp_path)
    assert killed.returncode == -9
    assert (folder / "members" / NAMES[0] / "reduced.nc").exists()
    assert not (folder / "ensemble.zarr").exists()
    first = (folder / "members" / NAMES[0] / "polar.zarr" / "zarr.json").stat().st_mtime_ns
    run_ensemble(small_members(), folder, "synchronous", cache=cache).close()
    assert (folder / "members" / NAMES[0] / "polar.zarr" / "zarr.json").stat().st_mtime_ns == first
    assert contents(folder / "ensemble.zarr") == contents(finished / "ensemble.zarr")


def test_a_partial_member_is_resumed_and_a_finished_ensemble_grows(finished, tmp_path, cache, monkeypatch):
    calls = []
    whole = module.run

    def watched(settings, folder, report, resume, cache):
        calls.append((Path(folder).name, resume))
        if len(calls) == 1:

            def stop(event):
                if event.stage == "transport" and event.done > 0.6:
                    raise RuntimeError("stopped here")

            return whole(settings, folder, stop, resume, cache=cache)
        return whole(settings, folder, report, resume, cache=cache)

    monkeypatch.setattr(module, "run", watched)
    with pytest.raises(SiderionError, match=f"1 of 1 members failed.*{NAMES[0]}: RuntimeError: stopped here"):
        run_ensemble(small_members(NAMES[:1]), tmp_path, "synchronous", cache=cache)
    assert not (tmp_path / "ensemble.zarr").exists()
    alone = run_ensemble(small_members(NAMES[:1]), tmp_path, "synchronous", cache=cache)
    assert "ensemble_density_spread" not in alone
    run_ensemble(small_members(), tmp_path, "synchronous", cache=cache).close()
    assert calls == [(NAMES[0], False), (NAMES[0], True), (NAMES[1], False)]
    assert contents(tmp_path / "ensemble.zarr") == contents(finished / "ensemble.zarr")
    run_ensemble(small_members(), tmp_path, "synchronous", cache=cache).close()  # nothing left to run
    assert len(calls) == 3
    with pytest.raises(OutputError, match=f"not asked for now.*{NAMES[1]}"):
        run_ensemble(small_members(NAMES[:1]), tmp_path, "synchronous", cache=cache)
    other = make_members({name: {**EXPERIMENTS[name], "time_step": 100.0} for name in NAMES})
    with pytest.raises(OutputError, match=r"other settings.*--overwrite"):
        run_ensemble(other, tmp_path, "synchronous", cache=cache)
    monkeypatch.setattr(module, "run_members", lambda *_, **__: (_ for _ in ()).throw(SiderionError("enough")))
    with pytest.raises(SiderionError, match="enough"):
        run_ensemble(other, tmp_path, "synchronous", overwrite=True, cache=cache)
    assert not any(path for path in contents(tmp_path) if "polar.zarr" in path or "reduced.nc" in path)


def copied(finished, folder):
    """The finished ensemble at another place, where no run is made."""
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    return folder


def change_attributes(path, **changes):
    """Attributes of a NetCDF file or Zarr folder."""
    if path.is_dir():
        record = json.loads((path / "zarr.json").read_text())
        record["attributes"].update(changes)
        (path / "zarr.json").write_text(json.dumps(record))
        return
    with open_dataset(path) as found:
        held = found.load()
    held.assign_attrs(changes).to_netcdf(path, engine="h5netcdf")


@pytest.fixture
def no_runs(monkeypatch):
    monkeypatch.setattr(module, "run", lambda *_, **__: pytest.fail("a run was made"))


def damage(home):
    (home / "reduced.nc").write_bytes(b"no NetCDF")


def old_format(home):
    change_attributes(home / "reduced.nc", reduction_format=FORMAT - 1)


def old_version(home):
    change_attributes(home / "reduced.nc", siderion_version="0.0.1")


def other_bins(home):
    with open_dataset(home / "polar.zarr") as output:
        reduce_output(output, 8.0).to_netcdf(home / "reduced.nc", engine="h5netcdf")


def fewer_variables(home):
    with open_dataset(home / "reduced.nc") as found:
        held = found.load()
    held.drop_vars("median_number_density").to_netcdf(home / "reduced.nc", engine="h5netcdf")


def stage(folder, name, settings):
    return module._stage_of(name, module._Task(settings, str(folder / "members" / name), map_step({name: settings}), None))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (damage, "neither a NetCDF"), (old_format, "has format"), (other_bins, "bins of latitude"),
        (fewer_variables, "lacks median_number_density"), (old_version, ""),
    ],
)  # fmt: skip
def test_a_reduction_that_does_not_fit(finished, tmp_path, change, why):
    """With the output it is made again; without it, the member is named (an old version alone is no fault there)."""
    folder, settings = copied(finished, tmp_path), small_members()[NAMES[0]]
    home = folder / "members" / NAMES[0]
    assert stage(folder, NAMES[0], settings) == ("reduced", version("siderion"))
    change(home)
    assert stage(folder, NAMES[0], settings) == ("complete", version("siderion"))
    shutil.rmtree(home / "polar.zarr")
    if not why:
        assert stage(folder, NAMES[0], settings) == ("reduced", "0.0.1")
        return
    with pytest.raises((OutputError, DataError), match=rf"member {NAMES[0]}: .*{why}.*only this member anew, remove {home}"):
        stage(folder, NAMES[0], settings)


def test_a_reduction_of_an_old_format_is_made_again(finished, tmp_path, no_runs):
    folder = copied(finished, tmp_path)
    old_format(folder / "members" / NAMES[0])
    run_ensemble(small_members(), folder, "synchronous").close()
    assert open_dataset(folder / "members" / NAMES[0] / "reduced.nc").attrs["reduction_format"] == FORMAT
    assert contents(folder / "ensemble.zarr") == contents(finished / "ensemble.zarr")


def test_an_output_that_cannot_be_reduced_is_named(finished, tmp_path, no_runs):
    folder = copied(finished, tmp_path)
    home = folder / "members" / NAMES[1]
    shutil.rmtree(home / "polar.zarr" / "velocity_up")
    with pytest.raises(OutputError, match=rf"member {NAMES[1]}: .*lacks velocity_up.*run only this member anew, remove {home}"):
        run_ensemble(small_members(), folder, "synchronous")


def test_members_of_two_versions_are_refused_and_those_of_an_old_one_are_joined(finished, tmp_path, no_runs):
    folder = copied(finished, tmp_path)
    change_attributes(folder / "members" / NAMES[0] / "polar.zarr", siderion_version="0.0.1")
    with pytest.raises(OutputError, match=r"several versions.*0\.0\.1"):
        run_ensemble(small_members(), folder, "synchronous")
    change_attributes(folder / "members" / NAMES[1] / "polar.zarr", siderion_version="0.0.1")
    whole = run_ensemble(small_members(), folder, "synchronous")
    assert {entry["siderion_version"] for entry in json.loads(whole.attrs["members"]).values()} == {"0.0.1"}
    shutil.rmtree(folder / "members" / NAMES[1])
    with pytest.raises(OutputError, match=rf"version 0\.0\.1: {NAMES[0]}; version .*: {NAMES[1]}"):
        run_ensemble(small_members(), folder, "synchronous")


def test_a_partial_member_of_other_settings_is_refused_before_any_run(tmp_path, no_runs):
    home = tmp_path / "members" / NAMES[1]
    (home / "polar.partial.zarr").mkdir(parents=True)
    save_checkpoint(home / "checkpoints", 1, {}, {"settings": "0123", "version": "0"})
    with pytest.raises(
        CheckpointError, match=rf"member {NAMES[1]}: .*its settings is '0123'.*only this member anew, remove {home}"
    ):
        run_ensemble(small_members(), tmp_path, "synchronous")
    for path in (home / "checkpoints").iterdir():
        path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match=rf"member {NAMES[1]}: no whole checkpoint.*remove {home}"):
        run_ensemble(small_members(), tmp_path, "synchronous")


def test_a_second_ensemble_on_the_folder_is_refused(finished, tmp_path, no_runs, monkeypatch):
    folder = copied(finished, tmp_path)
    monkeypatch.setattr(module, "folder_lock", partial(folder_lock, patience=0.0))
    before = contents(folder)
    with folder_lock(folder), pytest.raises(OutputError, match="is writing to this folder"):
        run_ensemble(small_members(), folder, "synchronous", overwrite=True)
    with folder_lock(folder / "members" / NAMES[0]), pytest.raises(OutputError, match=rf"{NAMES[0]}.*is writing to this folder"):
        run_ensemble(small_members(), folder, "synchronous", overwrite=True)
    kept = {path: content for path, content in before.items() if "ensemble.zarr" not in path}
    assert {path: content for path, content in contents(folder).items() if "ensemble.zarr" not in path} == kept


def test_a_plan_names_every_member_and_the_whole():
    plan = command.plan_table(small_members(), 1)
    assert all(word in plan for word in (*NAMES, "cells", "memory", "minutes", "2 members, 1 at a time"))


def test_the_command_names_members_after_its_files_and_prints_a_table(finished, tmp_path, monkeypatch, capsys):
    asked = {}

    def known(members, folder, *_, **options):
        asked.update(members=members, **options)
        return open_dataset(folder / "ensemble.zarr")

    monkeypatch.setattr(command, "run_ensemble", known)
    monkeypatch.setattr(command, "render_report", lambda dataset: "<html>")
    files = [tmp_path / f"{name}.toml" for name in NAMES]
    for path in files:
        path.write_text('date = "2023-06-18"\n[initial]\npeak_density = 2e10\n')
    mine = {"spin_up": 6.0, "hours": 30.0, "species": ["Fe+", "Mg+"], "hemisphere": "south"}
    command.ensemble(settings=files, set_=["initial.width=9"], output=finished, overwrite=True, **mine)
    assert list(asked["members"]) == list(NAMES)
    assert asked["members"]["plain"].initial.width == 9.0
    assert asked["members"]["plain"].initial.peak_density == 2e10
    assert asked["overwrite"] is True
    for settings in asked["members"].values():
        assert (settings.spin_up, settings.hemisphere, settings.species) == (6.0, "south", ("Fe+", "Mg+"))
    said = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in said if line.startswith(NAMES)}
    joined = open_dataset(finished / "ensemble.zarr")
    for name in NAMES:
        assert rows[name][0] == "Fe+"
        assert float(rows[name][1]) == pytest.approx(float(joined.largest_number_density.sel(member=name).item()), rel=0.01)
    assert (finished / "ensemble.html").read_text(encoding="utf-8") == "<html>"
    with pytest.raises(SettingsError, match="two settings files"):
        command.ensemble(settings=[files[0], files[0]])


def test_the_page_of_one_member_and_of_two(reduced):
    page = render_report(join_members({"only": reduced}))
    assert "there is no spread" in page
    assert page.count("data:image/png") == 6
    two = join_members({"2023-06-18": reduced, "other <name>": reduced})
    assert is_ensemble(two)
    frame = magnetic_frame(two)
    assert frame.noon == 0.0  # longitude 0 is noon, and noon is at the top
    assert frame.longitude_of(18.0) == 90.0
    page = render_report(two)
    assert page.count("data:image/png") == 10
    assert "other &lt;name&gt;" in page
    assert "<name>" not in page
