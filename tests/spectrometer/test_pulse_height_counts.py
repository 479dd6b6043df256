"""Counts by bins, region, Moon and Kp: against NumPy on the whole data, pieces and files in any order, observed time."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from siderion.core.errors import DataError, SettingsError, SiderionError
from siderion.frames.moon import moon_position_gse
from siderion.geospace.lunar import lunar_local_time, lunar_sector
from siderion.io.pulse_height.geotail_stics import read_stics_events
from siderion.io.pulse_height.surroundings import read_kp, read_positions, read_region_intervals
from siderion.io.pulse_height.writer import write_stics_events
from siderion.spectrometer.pulse_height.context import KP_CLASSES, REGIONS, Surroundings, context_codes, split_codes
from siderion.spectrometer.pulse_height.events import window_table
from siderion.spectrometer.pulse_height.histogram import Bins, count_events, no_counts
from siderion.spectrometer.pulse_height.mass import energy_per_charge_of_steps
from siderion.spectrometer.pulse_height.result import poisson_ends
from siderion.spectrometer.pulse_height.sample import sample_events
from siderion.spectrometer.pulse_height.years import PulseHeightSettings, count_files

REGION_FILE = """start, end, region
1995-01-01T00:00:00, 1995-01-01T01:00:00, SW/IM
1995-01-01T01:00:00, 1995-01-01T03:30:00, sheath
1995-01-01T03:30:00, 1995-01-01T12:00:00, magnetosphere
1995-01-02T00:00:00, 1995-01-02T02:00:00, lobe
"""
KP_FILE = (
    "date,Kp1,Kp2,Kp3,Kp4,Kp5,Kp6,Kp7,Kp8,ap1,ap2,ap3,ap4,ap5,ap6,ap7,ap8,Ap,F107obs\n"
    "1995-01-01,1,2.333,4,-1,2,3,0,9,4,9,27,-1,7,15,0,400,50,80\n"
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pha")
    (folder / "regions.csv").write_text(REGION_FILE)
    (folder / "kp.csv").write_text(KP_FILE)
    paths = []
    for k, start in enumerate(("1995-01-01T00:00", "1995-01-01T12:05", "1995-01-03T00:00")):
        paths.append(folder / f"{k}.gz")
        write_stics_events(paths[-1], sample_events(8000, seed=k, start=start, rate=0.2))
    return folder, paths


@pytest.fixture(scope="module")
def made(world):
    folder, paths = world
    return count_files(paths, PulseHeightSettings(regions=str(folder / "regions.csv"), kp=str(folder / "kp.csv")))


def whole(paths):
    return xr.concat([read_stics_events(path) for path in paths], "event")


def test_histograms_are_those_of_numpy_on_the_whole_data(made, world):
    events = whole(world[1])
    bins, mass, per_charge = Bins(), events["mass"].values, events["mass_per_charge"].values
    codes = split_codes(context_codes(events["time"].values.astype(np.int64) // 600_000_000_000, _surroundings(world)))
    triple = (mass > 0.0) & (per_charge > 0.0)
    indices = [np.arange(n + 1) - 0.5 for n in (5, 6, 4)]
    columns = np.stack([*codes, mass, per_charge], axis=1)[triple]
    expected, _ = np.histogramdd(columns, [*indices, bins.mass, bins.mass_per_charge])
    np.testing.assert_array_equal(made["counts"].values, expected)
    fine, _ = np.histogramdd(
        np.stack([*codes, triple, per_charge], axis=1), [*indices, [-0.5, 0.5, 1.5], bins.fine_mass_per_charge]
    )
    np.testing.assert_array_equal(made["mass_per_charge_counts"].values, fine)
    totals = json.loads(made.attrs["totals"])
    assert totals["events"] == 24000 == totals["none"] + totals["double"] + totals["triple"]
    assert int(made["counts"].sum()) + totals["scatter_outside"] == totals["triple"]


def test_windows_are_those_of_masks(made, world):
    events = whole(world[1])
    mass, per_charge = events["mass"].values, events["mass_per_charge"].values
    energy = energy_per_charge_of_steps()[events["deflection_step"].values]
    for k, row in enumerate(window_table()):
        kind = {"any": per_charge > 0.0, "triple": mass > 0.0, "double": (mass == 0.0) & (per_charge > 0.0)}[row["coincidence"]]
        mine = kind & (per_charge >= row["mass_per_charge_min"]) & (per_charge < row["mass_per_charge_max"])
        mine &= (mass >= row["mass_min"]) & (mass < row["mass_max"]) & (energy >= row["energy_min_kev"] * 1e3)
        assert int(made["window_counts"].values[k].sum()) == int(mine.sum()), row["window"]


def _surroundings(world):
    return Surroundings(read_region_intervals(world[0] / "regions.csv"), None, read_kp(world[0] / "kp.csv"))


def test_context_of_cells(world):
    middles = np.array(["1995-01-01T00:55", "1995-01-01T01:05", "1995-01-01T03:25", "1995-01-01T11:55", "1995-01-01T12:05",
                        "1995-01-02T00:05", "1994-12-31T23:55"], dtype="datetime64[ns]")  # fmt: skip
    region, sector, kp = split_codes(context_codes(middles.astype(np.int64) // 600_000_000_000, _surroundings(world)))
    words = [REGIONS[k] for k in region]
    assert words == ["solar_wind", "magnetosheath", "magnetosheath", "magnetosphere", "unknown", "lobe", "unknown"]
    assert [KP_CLASSES[k] for k in kp] == ["low", "low", "between", "unknown", "low", "unknown", "unknown"]
    np.testing.assert_array_equal(sector + 1, lunar_sector(lunar_local_time(moon_position_gse(middles))))


def test_new_moon_is_in_sector_3():
    # new Moon 1995-01-01 10:56 UTC, full Moon 1995-01-16 20:26 UTC (almanac)
    times = np.array(["1995-01-01T10:56", "1995-01-16T20:26"], dtype="datetime64[ns]")
    _, sector, _ = split_codes(context_codes(times.astype(np.int64) // 600_000_000_000, Surroundings()))
    np.testing.assert_array_equal(sector + 1, [3, 6])


def test_observed_time_is_the_cells_with_events(made, world):
    cells = np.unique(whole(world[1])["time"].values.astype(np.int64) // 600_000_000_000)
    assert float(made["exposure"].sum()) == pytest.approx(cells.size / 18.0)
    # the first hour of the list is solar wind with Kp 1: one third of three hours
    assert float(made["exposure"].sel(region="solar_wind").sum()) == pytest.approx(1.0 / 3.0)
    assert float(made["exposure"].sel(region="solar_wind", kp_class="low", lunar_sector=3)) == pytest.approx(1.0 / 3.0)
    assert (
        float(made["exposure"].sel(region="lobe").sum()) == 0.0 or (whole(world[1])["time"] >= np.datetime64("1995-01-02")).any()
    )


def test_averages_are_counts_over_observed_time(made):
    counts = made["window_counts"].sum(("lunar_sector", "kp_class"))
    exposure = made["exposure"].sum(("lunar_sector", "kp_class"))
    seen = (counts > 0) & (exposure > 0)
    np.testing.assert_allclose(made["region_average"].where(seen).values, (counts / exposure).where(seen).values)
    nothing = ((counts == 0) & (exposure > 0)).values
    np.testing.assert_array_equal(made["region_average_upper_limit"].values.astype(bool), nothing)
    limit = (made["region_average"] * exposure).values[nothing]
    np.testing.assert_allclose(poisson.cdf(0, limit), 0.05)
    np.testing.assert_array_equal(made["region_average_flag"].values, np.broadcast_to((exposure == 0).values, counts.shape))


def test_poisson_ends_are_exact():
    lower, upper = poisson_ends(np.array([0, 1, 7, 300]))
    np.testing.assert_allclose(poisson.sf(np.array([0, 6, 299]), lower[1:]), 0.16)
    np.testing.assert_allclose(poisson.cdf([0, 1, 7, 300], upper), 0.16)
    assert lower[0] == 0.0


@settings(max_examples=6)
@given(piece=st.integers(5000, 200_000), order=st.permutations([0, 1, 2]))
def test_pieces_and_order_change_nothing(made, world, piece, order):
    folder, paths = world
    same = PulseHeightSettings(regions=str(folder / "regions.csv"), kp=str(folder / "kp.csv"), piece=piece)
    other = count_files([paths[k] for k in order], same)
    xr.testing.assert_equal(other, made)


def test_a_cell_that_two_files_share_counts_once(tmp_path):
    part = next(sample_events(400, seed=1, rate=1.0))
    for name, rows in (("a", slice(0, 200)), ("b", slice(200, 400))):
        write_stics_events(tmp_path / f"{name}.gz", [{key: values[rows] for key, values in part.items()}])
    both = count_files([tmp_path / "a.gz", tmp_path / "b.gz"])
    assert float(both["exposure"].sum()) == pytest.approx(1.0 / 18.0)  # 400 s lie in the first cell of 600 s
    assert json.loads(both.attrs["totals"])["events"] == 400


def test_damaged_file_leaves_nothing_behind(tmp_path, world, made):
    data = world[1][0].read_bytes()
    (tmp_path / "cut.gz").write_bytes(data[: len(data) // 2])
    paths = [world[1][1], tmp_path / "cut.gz"]
    with pytest.raises(SiderionError, match=r"1 of 2 files cannot be read.*cut\.gz: the gzip file is cut short"):
        count_files(paths)
    found = count_files(paths, PulseHeightSettings(piece=5000), failed="collect")
    xr.testing.assert_equal(found, count_files([world[1][1]]))
    assert list(json.loads(found.attrs["not_read"])) == [str(tmp_path / "cut.gz")]


def test_regions_from_positions(tmp_path, world):
    radius = 6371.2
    rows = ["time, x, y, z", f"1995-01-01T00:00:00, {28 * radius}, 0, 0", f"1995-01-01T06:00:00, {28 * radius}, 0, 0",
            f"1995-01-01T07:00:00, {-20 * radius}, 0, 0", f"1995-01-01T09:00:00, {-20 * radius}, 0, 0",
            f"1995-01-02T09:00:00, {-20 * radius}, 0, 0"]  # fmt: skip
    (tmp_path / "places.csv").write_text("\n".join(rows))
    surroundings = Surroundings(positions=read_positions(tmp_path / "places.csv"))
    times = np.array(
        ["1995-01-01T00:05", "1995-01-01T05:55", "1995-01-01T08:05", "1995-01-01T20:05", "1995-01-03T00:05"],
        dtype="datetime64[ns]",
    )
    region, _, _ = split_codes(context_codes(times.astype(np.int64) // 600_000_000_000, surroundings))
    # between 0 and 6 h the rows are 6 h apart: a gap; from 7 to 9 h the place is known; then a day without rows
    assert [REGIONS[k] for k in region] == ["unknown", "unknown", "magnetosphere", "unknown", "unknown"]
    for bad, words in (("time, x, y\n", "columns z are missing"), ("time,x,y,z\n1995-01-01,1,2,q\n", "z is 'q'"),
                       ("time,x,y,z\nnow,1,2,3\n", "must be an ISO time")):  # fmt: skip
        (tmp_path / "bad.csv").write_text(bad)
        with pytest.raises(DataError, match=words):
            read_positions(tmp_path / "bad.csv")


def test_settings_are_checked(tmp_path, world):
    with pytest.raises(SettingsError, match="must divide the three hours"):
        Surroundings(cell=700.0)
    with pytest.raises(SettingsError, match="both given"):
        count_files(world[1], PulseHeightSettings(regions="a", positions="b"))
    with pytest.raises(SettingsError, match="in this order"):
        Surroundings(low_kp=4.0)
    with pytest.raises(SettingsError, match="no files"):
        count_files([])
    with pytest.raises(SettingsError, match="given twice"):
        count_files([world[1][0], world[1][0]])
    with pytest.raises(SettingsError, match="must rise"):
        Bins(mass=np.array([1.0, 1.0]))
    (tmp_path / "r.csv").write_text("start,end,region\n1995-01-01T00:00:00,1995-01-01T01:00:00,moon\n")
    with pytest.raises(DataError, match=r"line 2: region is 'moon'"):
        read_region_intervals(tmp_path / "r.csv")


def test_edges_belong_as_in_numpy():
    bins = Bins(
        mass=np.array([1.0, 2.0, 4.0]), mass_per_charge=np.array([1.0, 2.0, 4.0]), fine_mass_per_charge=np.array([1.0, 2.0])
    )
    counts = no_counts(bins)
    values = np.array([1.0, 2.0, 4.0, 4.0000001, 0.9999999])
    count_events(counts, np.zeros(5, dtype=np.int64) + 10**18, np.full(5, 30), values, values, bins, Surroundings())
    np.testing.assert_array_equal(
        counts.scatter.sum(axis=0), np.histogramdd((values, values), (bins.mass, bins.mass_per_charge))[0]
    )
    assert counts.spectrum.sum() == 2
