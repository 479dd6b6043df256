"""What sources add to a run: every atom and ion arrives, in its place and time, and is booked."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from small_run import SMALL, small_settings

from siderion.chemistry.network import build_network
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CheckpointError, CoverageError, DataError, SettingsError
from siderion.core.species import get_species
from siderion.core.variables import with_attributes
from siderion.frames.spherical import unit_vector
from siderion.io.store import content_digest, write_netcdf
from siderion.jobs.checkpoint import save_checkpoint
from siderion.sources.debris.event import debris_event
from siderion.sources.debris.settings import ReentrySettings
from siderion.sources.entry.atmosphere import standard_atmosphere
from siderion.sources.meteoroids.injection import meteoroid_injection
from siderion.sources.meteoroids.scenarios import get_scenario
from siderion.sources.meteoroids.settings import InjectionSettings
from siderion.sources.meteoroids.speeds import get_speeds
from siderion.transport.budget import AtomBudget, Budget
from siderion.transport.diagnostics import supply_text
from siderion.transport.grid import CapGrid, ShellGrid
from siderion.transport.run import CHECKPOINTS, PARTIAL, checkpoint_facts, run
from siderion.transport.settings import make_settings
from siderion.transport.supply import Supply, horizontal_shares, overlap_mean

GRID = CapGrid("north", 50)
SHELLS = ShellGrid.stretched(85.0, 110.0, 150.0, 5.0, 10.0)
START = np.datetime64("2023-06-18T00:00", "ns")
PERIOD = (START, START + np.timedelta64(1, "h"))
MODEL = SimpleNamespace(dtype=np.float64)


def seconds(number):
    return np.timedelta64(round(number * 1e9), "ns")


def settings(*files, **changes):
    return make_settings({"date": "2023-06-18", "supply": {"files": list(map(str, files))}, **changes})


def metal(ion="Fe+", kind="full"):
    network = build_network(ion.rstrip("+"), kind)
    states = max(1, len(network.states))
    reservoirs = np.zeros((states, SHELLS.levels, GRID.cells, GRID.cells))
    return SimpleNamespace(
        ion=get_species(ion), network=network, reservoirs=reservoirs, density=reservoirs[0], budget=Budget(), atoms=AtomBudget()
    )


def number(density):
    return float(np.sum((density * GRID.solid_angle)[:, GRID.active] * SHELLS.shell[:, None]))


def rate_source(path, species=("Fe",), atoms=2.0, ions=1.0, **attributes):
    """A production of 2 and 1 per m3 and s from 80 to 120 km."""
    edges = np.arange(80.0, 121.0, 4.0)
    shape = (len(species), len(edges) - 1)
    dims = ("species", "alt")
    data = xr.Dataset(
        {
            "neutral_production": (dims, np.full(shape, atoms)),
            "ion_production": (dims, np.full(shape, ions)),
            "alt_bounds": (("alt", "bound"), np.stack([edges[:-1], edges[1:]], axis=1)),
        },
        {"species": list(species), "alt": 0.5 * (edges[1:] + edges[:-1])},
        {"kind": "siderion source", "title": "test", **attributes},
    )
    with_attributes(data)
    write_netcdf(data, path)
    return path


def event_source(path, species=("Fe",), alt=(120.0, 100.0, 70.0), lat=70.0, minutes=(5.0, 15.0, 16.0), atoms=1e20, ions=2e20):
    count = len(alt)
    data = xr.Dataset(
        {
            "released_atoms": (("species", "point"), np.full((len(species), count), atoms)),
            "released_ions": (("species", "point"), np.full((len(species), count), ions)),
            "point_width": ("point", np.full(count, 50.0)),
        },
        {
            "species": list(species),
            "point_time": ("point", START + np.array([seconds(60 * m) for m in minutes], dtype="timedelta64[ns]")),
            "point_alt": ("point", np.array(alt)),
            "point_lat": ("point", np.full(count, lat)),
            "point_lon": ("point", np.linspace(10.0, 14.0, count)),
        },
        {"kind": "siderion source", "title": "an event"},
    )
    with_attributes(data)
    write_netcdf(data, path)
    return path


def test_the_gaussian_supply_adds_up_to_its_flux():
    one = metal()
    given = settings(chemistry={"meteoric_flux": 1e9})
    Supply(given, GRID, SHELLS, PERIOD).add(one, START, 60.0, MODEL)
    index = one.network.states.index("Fe")
    added = one.reservoirs[index]
    np.testing.assert_allclose(np.sum(added * SHELLS.thickness[:, None, None], axis=0), 1e9 * 60.0, rtol=1e-12)
    assert abs(SHELLS.altitude[int(np.argmax(added[:, 0, 0]))] - 90.0) <= 2.5
    assert number(added) == pytest.approx(one.atoms.supply, rel=1e-12)
    assert one.budget.supply == 0.0
    others = [i for i in range(len(one.network.states)) if i != index]
    assert not one.reservoirs[others].any()


def test_a_held_neutral_density_takes_no_gaussian_supply():
    one = metal()
    given = settings(chemistry={"meteoric_flux": 1e9, "neutral": "fixed"})
    Supply(given, GRID, SHELLS, PERIOD).add(one, START, 60.0, MODEL)
    assert not one.reservoirs.any()


def test_overlapping_bins_keep_the_integral():
    rng = np.random.default_rng(1)
    edges, faces = np.sort(rng.uniform(80.0, 200.0, 12)), np.linspace(70.0, 210.0, 23)
    values = rng.uniform(0.0, 1.0, 11)
    bounds = np.stack([edges[:-1], edges[1:]], axis=1)
    mean = overlap_mean(values, bounds, faces)
    assert np.sum(mean * np.diff(faces)) == pytest.approx(np.sum(values * np.diff(edges)), rel=1e-13)
    np.testing.assert_allclose(overlap_mean(np.ones(11), bounds, edges), 1.0, rtol=1e-13)


def test_a_rate_is_the_same_everywhere_and_keeps_its_column(tmp_path):
    one, path = metal(), rate_source(tmp_path / "rate.nc")
    supply = Supply(settings(path), GRID, SHELLS, PERIOD)
    supply.add(one, START, 30.0, MODEL)
    index = one.network.states.index("Fe")
    # the file reaches from 80 to 120 km, the run from 85 km on: 35 km of it
    np.testing.assert_allclose(np.tensordot(SHELLS.thickness, one.reservoirs[index], 1), 2.0 * 30.0 * 35e3, rtol=1e-12)
    np.testing.assert_allclose(np.tensordot(SHELLS.thickness, one.reservoirs[0], 1), 1.0 * 30.0 * 35e3, rtol=1e-12)
    assert number(one.reservoirs[0]) == pytest.approx(one.budget.supply, rel=1e-12)
    columns = supply.record[0]["rate"]["Fe"]
    assert columns["neutral_production_column_in_file"] == pytest.approx(80e3)
    assert columns["neutral_production_column_in_run"] == pytest.approx(70e3)


def test_an_event_arrives_whole_at_its_place_and_time(tmp_path):
    one, path = metal(), event_source(tmp_path / "event.nc")
    supply = Supply(settings(path), GRID, SHELLS, PERIOD)
    index = one.network.states.index("Fe")
    supply.add(one, START, 300.0, MODEL)  # up to the first point, which comes at its end
    assert not one.reservoirs.any()
    supply.add(one, START + seconds(300.0), 300.0, MODEL)
    assert number(one.reservoirs[index]) == pytest.approx(1e20, rel=1e-12)
    assert number(one.reservoirs[0]) == pytest.approx(2e20, rel=1e-12)
    level, y, x = np.unravel_index(np.argmax(one.reservoirs[0]), one.reservoirs[0].shape)
    assert SHELLS.face_altitude[level] <= 120.0 < SHELLS.face_altitude[level + 1]
    away = np.degrees(np.arccos(unit_vector(GRID.latitude[y, x], GRID.longitude[y, x]) @ unit_vector(70.0, 10.0)))
    assert away < 1.5
    supply.add(one, START + seconds(600.0), 600.0, MODEL)
    assert one.budget.supply == pytest.approx(4e20)  # the third point is below the model
    record = supply.record[0]["event"]["Fe"]
    assert (record["released_ions_in_file"], record["released_ions_in_run"]) == pytest.approx((6e20, 4e20))


def test_atoms_may_count_as_ions_at_once(tmp_path):
    one, path = metal("Li+"), event_source(tmp_path / "event.nc", species=("Li",))
    with pytest.raises(SettingsError, match=r"Li, which has no reactions.*supply\.atoms"):
        Supply(settings(path, species=("Li+",)), GRID, SHELLS, PERIOD)
    given = settings(species=("Li+",), supply={"files": [str(path)], "atoms": "ions"})
    Supply(given, GRID, SHELLS, PERIOD).add(one, START, 3600.0, MODEL)
    assert number(one.reservoirs[0]) == pytest.approx(6e20, rel=1e-12)
    assert one.budget.supply == pytest.approx(6e20)


@pytest.mark.parametrize("width", [1.0, 100.0, 1000.0])
def test_a_spot_is_shared_out_and_as_wide_as_it_says(width):
    cells, share = horizontal_shares(GRID, 75.0, -40.0, width, 100.0)
    assert share.sum() == pytest.approx(1.0, rel=1e-12)
    assert GRID.active.ravel()[cells].all()
    distance = np.arccos(np.clip(GRID.centres.reshape(-1, 3)[cells] @ unit_vector(75.0, -40.0), -1.0, 1.0))
    spread = np.sqrt(np.sum(share * distance**2) / 2.0) * 6471.2
    if width > 300.0:  # wider than the cells of 2 degrees: two sigma^2 is the mean square distance in the plane
        assert spread == pytest.approx(width, rel=0.05)
    else:
        assert spread < 200.0


def test_bad_files_are_refused_in_words(tmp_path):
    plain = tmp_path / "plain.nc"
    write_netcdf(xr.Dataset({"a": ("x", [1.0])}), plain)
    with pytest.raises(DataError, match="no source data set"):
        Supply(settings(plain), GRID, SHELLS, PERIOD)
    with pytest.raises(DataError, match=r"neutral_production is nan at \{'species': 0, 'alt': 0\}"):
        Supply(settings(rate_source(tmp_path / "hole.nc", atoms=np.nan)), GRID, SHELLS, PERIOD)
    with pytest.raises(CoverageError, match="holds Mg, the run Fe"):
        Supply(settings(rate_source(tmp_path / "mg.nc", species=("Mg",))), GRID, SHELLS, PERIOD)
    with pytest.raises(CoverageError, match="no point of the event lies in the run"):
        Supply(settings(event_source(tmp_path / "south.nc", lat=-70.0)), GRID, SHELLS, PERIOD)
    with pytest.raises(CoverageError, match="releases no Fe inside the run"):
        Supply(settings(rate_source(tmp_path / "zero.nc", atoms=0.0, ions=0.0)), GRID, SHELLS, PERIOD)
    with pytest.raises(CoverageError, match="holds no point"):
        Supply(settings(event_source(tmp_path / "none.nc", alt=(), minutes=())), GRID, SHELLS, PERIOD)
    with pytest.raises(SettingsError, match="depletable"):
        Supply(settings(event_source(tmp_path / "e.nc"), chemistry={"neutral": "fixed"}), GRID, SHELLS, PERIOD)


def test_real_source_files_enter_with_all_that_lies_in_the_run(tmp_path):
    """What the commands write, a rate over the globe and an event, arrives: the cap takes its share of the sphere."""
    air = standard_atmosphere()
    coarse = InjectionSettings(masses_per_bin=1, speeds=6, angles=2)
    rate, event = tmp_path / "meteoroids.nc", tmp_path / "event.nc"
    made = meteoroid_injection(get_scenario("review"), get_speeds("hrmp"), air, coarse, elements=["Fe"])
    write_netcdf(made, rate)
    fell = debris_event(
        100.0, "satellite", ReentrySettings(), air, time="2023-06-18T00:30", latitude=75.0, longitude=20.0, heading=0.0
    )
    write_netcdf(fell, event)
    one = metal()
    fine = ShellGrid.stretched(80.0, 140.0, 150.0, 1.0, 2.0)
    one.reservoirs = np.zeros((len(one.network.states), fine.levels, GRID.cells, GRID.cells))
    supply = Supply(settings(rate), GRID, fine, PERIOD)
    supply.add(one, START, 60.0, MODEL)
    edges = EARTH_RADIUS + 1e3 * made["alt_bounds"].transpose("alt", "bound").values
    volumes = 4.0 / 3.0 * np.pi * np.diff(edges**3).ravel()
    above = made["alt_bounds"].values.min(axis=1) >= 80.0
    globe = float((made["neutral_production"].sel(species="Fe").values * volumes)[above].sum())
    assert one.atoms.supply == pytest.approx(60.0 * globe * GRID.solid_angle[GRID.active].sum() / (4.0 * np.pi), rel=1e-3)
    record = Supply(settings(event, species=("Al+",)), GRID, fine, PERIOD).record[0]["event"]["Al"]
    assert record["released_atoms_in_run"] == pytest.approx(float(fell["released_atoms"].sel(species="Al").sum()), rel=1e-9)


def test_a_bad_source_is_told_before_the_drivers_are_built(tmp_path):
    given = make_settings({**SMALL, "supply": {"files": [str(tmp_path / "missing.nc")]}})
    seen = []
    with pytest.raises(DataError, match=r"missing\.nc does not exist"):
        run(given, tmp_path / "run", report=seen.append, cache=tmp_path / "cache")
    assert not seen
    assert not (tmp_path / "cache").exists()


def test_the_digest_follows_the_content(tmp_path):
    path = rate_source(tmp_path / "rate.nc")
    before = content_digest([path])
    assert content_digest([path]) == before
    rate_source(path, atoms=3.0)
    assert content_digest([path]) != before


@pytest.fixture(scope="module")
def event_run(tmp_path_factory):
    """An hour with a clean domain, into which one event releases Al as atoms and as ions, half an hour after the start."""
    folder = tmp_path_factory.mktemp("event_run")
    path = event_source(folder / "event.nc", species=("Al",), alt=(110.0, 120.0, 130.0), minutes=(-10.0, 0.0, 10.0))
    empty = {"peak_density": 0.0, "neutral_peak_density": 0.0, "neutral_tail_density": 0.0, "floor": 1e-3}
    given = {"species": ("Al+",), "initial": empty, "supply": {"files": [str(path)]}, "precision": "float64"}
    return run(small_settings(**given), folder / "run", cache=folder / "cache").load()


def test_an_event_is_found_in_the_mass_budget_at_the_end(event_run):
    budget = json.loads(event_run.attrs["mass_budget"])
    ions, atoms = budget["species"]["Al+"], budget["atoms"]["Al"]
    assert ions["supply"] == pytest.approx(6e20)
    assert atoms["supply_of_atoms"] == pytest.approx(3e20)
    assert abs(atoms["residual"]) < 1e-9 * 9e20  # the reactions conserve the metal
    assert atoms["final"] == pytest.approx(9e20, rel=0.01)  # nothing leaves so soon
    assert abs(ions["residual"]) < 1e-9 * 9e20
    assert 0.0 < ions["final"] < atoms["final"]
    last = event_run["number_density"].isel(time=-1, species=0)
    place = last.where(last == last.max(), drop=True)
    assert 65.0 < float(place["lat"][0]) < 75.0


def test_the_event_is_told_in_words_and_cited(event_run):
    assert json.loads(event_run.attrs["supply"])[0]["title"] == "an event"
    share, line = supply_text(event_run)
    assert share == "event.nc: 100 % of its Al falls into the run"
    assert "3.000e+20 released as atoms and 6.000e+20 as ions" in line


def test_a_run_is_not_resumed_with_another_source_file(tmp_path):
    path = rate_source(tmp_path / "rate.nc")
    given = make_settings({**SMALL, "supply": {"files": [str(path)]}})
    folder = tmp_path / "run"
    (folder / PARTIAL).mkdir(parents=True)
    save_checkpoint(folder / CHECKPOINTS, 1, {"metal_0": np.zeros(1)}, {**checkpoint_facts(given), "windows_done": 1})
    rate_source(path, atoms=3.0)
    assert checkpoint_facts(given)["source_files"] == content_digest([path])
    with pytest.raises(CheckpointError, match="source_files"):
        run(given, folder, resume=True, cache=tmp_path / "cache")
