"""The rules of the paper table, and its statements on fields where the answer is known."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from polar_cases import polar_output, with_settings
from small_run import small_settings

from siderion.background.ion_velocity import TERMS
from siderion.core.errors import CoverageError, DataError
from siderion.core.tables import check_table, load_table
from siderion.io.store import write_dataset
from siderion.transport.diagnostics import convection_cells
from siderion.transport.diagnostics.levels import at_altitude
from siderion.transport.paper import STATEMENTS, VERDICTS, Evidence, Number, findings, mechanism, paper_table, verdict_counts
from siderion.transport.paper.statement import above, at_least, at_most, below, between, find, judge, shares
from siderion.transport.run import load_drivers, run
from siderion.transport.statements import statements

MISSING = float("nan")


def test_rules():
    assert at_least(0.7).holds(0.7)
    assert not at_least(0.7).holds(0.69)
    assert at_most(2.0).holds(2.0)
    assert not below(3.0).holds(3.0)
    assert above(1.0).holds(1.001)
    assert not above(1.0).holds(1.0)
    assert not above(1.0).holds(1.0 + 1e-12)  # rounding
    assert not below(1e11).holds(1e11 * (1.0 - 1e-12))
    assert not above(0.0).holds(MISSING)
    assert between(0.5, 1.5).holds(1.5)
    assert not between(0.5, 1.5).holds(0.2)
    assert (above(1.0).text, between(0.5, 1.5).text) == ("above 1", "0.5 to 1.5")
    assert (at_least(0.7).text, at_most(2.0).text, below(3.0).text) == ("at least 0.7", "at most 2", "below 3")


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.8, 0.9), "agrees"),
        ((0.8, 0.1), "partly"),
        ((0.1, 0.2), "disagrees"),
        ((0.8, MISSING), "partly"),
        ((0.1, MISSING), "disagrees"),
        ((MISSING, MISSING), "cannot be compared"),
    ],
)
def test_verdicts(values, verdict):
    context = Number("context", 0.0)
    assert judge([*[Number("", value, "1", at_least(0.7)) for value in values], context]) == verdict
    assert judge([context]) == "cannot be compared"


def test_keys_are_unique_and_statements_complete():
    keys = [statement.key for statement in STATEMENTS]
    assert len(set(keys)) == len(keys)
    for statement in STATEMENTS:
        assert statement.says.endswith(".")
        assert statement.why.endswith(".")
        assert statement.place
    check_table(load_table("transport", "andoh2026"), "transport/andoh2026")


def filled(step=2.0, sign=1.0):
    """An output that obeys the paper: evening cell full, layer on its reversal before midnight, drifts that rule."""
    output = with_settings(polar_output(step, sign).copy(deep=True))
    evidence = Evidence(output)
    alt = output.alt.values
    terms = list(output.term.values)
    for m, t, _ in evidence.moments:
        morning, evening = convection_cells(output.electric_potential.isel(time=t).values)
        shape = np.where(evening, 4.0, np.where(morning, 1.0, 0.1))
        density = 1e9 * shape * np.exp(-(alt[:, None, None] - 120.0) / 50.0)
        ridge = (evidence.reversal_distance(t) < 1.5) & evidence.before_midnight(t)
        density[:3, ridge] = 3e11
        output.number_density[0, t] = density
        sunward = np.cos((evidence.local_time(t) - 12.0) * np.pi / 12.0)
        lift = np.broadcast_to(40.0 * sunward, (len(alt), *sunward.shape))
        output.velocity_up_by_term[terms.index("exb"), 0, m] = lift
        output.velocity_up_by_term[terms.index("gravity"), 0, m] = -1.0
        output.velocity_up[0, m] = lift - 1.0
        for way, part in zip(("east", "north"), evidence.antisunward(t), strict=True):
            flow = np.where(evidence.boundary_distance(t) <= 3.0, 300.0, -100.0) * part
            slope = evidence.gradient(evidence.potential(t))[way == "north"]
            inward = -1e-4 * slope  # down the potential, as the Pedersen drift goes
            output[f"velocity_{way}_by_term"][terms.index("exb"), 0, m] = flow
            output[f"velocity_{way}_by_term"][terms.index("pedersen"), 0, m] = inward
            output[f"velocity_{way}"][0, m] = flow + inward
    return output


@pytest.fixture(scope="module", params=[1.0, -1.0], ids=["north", "south"])
def table(request):
    return paper_table(filled(sign=request.param))


def verdict(table, key):
    return str(table.verdict.sel(statement=key).values)


def finding(output, key, **given):
    statement = next(one for one in STATEMENTS if one.key == key)
    return find(statement, Evidence(output, "Fe+", **given))


@pytest.mark.parametrize(
    "key",
    [
        "two_cells", "density_falls", "more_in_evening", "e_at_reversal", "e_exceeds", "red_line", "exb_governs_300",
        "rises_by_day",         "falls_by_night", "crosses_the_pole", "into_evening_cell", "pedersen_drives_200",
        "flow_2_turns_over", "flow_4_diverges",
        "flow_3", "northward_field", "resembles_electric",
    ],
)  # fmt: skip
def test_statements_that_hold(table, key):
    numbers = str(table.number.sel(statement=key).values)
    no_answer = {"northward_field", "resembles_electric"}  # another day; there is no wind to correlate with
    expected = "cannot be compared" if key in no_answer else "agrees"
    assert verdict(table, key) == expected, numbers


def test_statements_turn_when_the_field_turns():
    output = filled(4.0)
    output["velocity_up"] = -output.velocity_up
    output["velocity_up_by_term"] = -output.velocity_up_by_term
    for way in ("east", "north"):
        output[f"velocity_{way}"] = -output[f"velocity_{way}"]
        output[f"velocity_{way}_by_term"] = -output[f"velocity_{way}_by_term"]
    output["number_density"] = 1e18 / output.number_density
    table = paper_table(output)
    for key in ("density_falls", "more_in_evening", "rises_by_day", "crosses_the_pole", "into_evening_cell", "flow_4_diverges"):
        assert verdict(table, key) == "disagrees", str(table.number.sel(statement=key).values)


def test_the_antisunward_vector_points_from_day_to_night():
    evidence = Evidence(polar_output(2.0))
    east, north = evidence.antisunward(0)
    np.testing.assert_allclose(np.hypot(east, north), 1.0, atol=1e-12)
    noon = evidence.distance([70.0], [0.0]) < 90.0  # anywhere: at noon equatorward of the pole it points poleward
    noon &= (np.abs(evidence.local_time(0) - 12.0) < 0.3) & (evidence.magnetic_latitude < 70.0)
    assert noon.any()
    poleward = evidence.gradient(evidence.magnetic_latitude)
    assert (east * poleward[0] + north * poleward[1])[noon].min() > 0.0


def test_a_small_run_gives_every_verdict(tmp_path):
    settings = small_settings(term_altitudes=[120.0, 200.0, 300.0])
    output = run(settings, tmp_path / "run")
    found = findings(output, load_drivers(settings))
    assert len(found) == len(STATEMENTS)
    assert {finding.verdict for finding in found} <= set(VERDICTS)
    compared = [finding for finding in found if finding.verdict != "cannot be compared"]
    assert len(compared) > 40
    assert all(finding.number_text and finding.rule_text for finding in compared)
    json.dumps(statements(output), allow_nan=False)


def test_numbers_of_known_fields():
    numbers = statements(filled())
    assert numbers["evening_morning_ratio_200_km"] == pytest.approx(4.0, rel=1e-5)
    assert numbers["up_300_with_exb_correlation_06:00"] == pytest.approx(1.0)
    assert numbers["up_120_with_pedersen_correlation_06:00"] is None  # the term is switched off here
    assert numbers["gravity_300_18:00"] == pytest.approx(-1.0)
    assert numbers["largest_wind"] == pytest.approx(30.0 * math.sqrt(2.0))
    assert numbers["premidnight_density"] == pytest.approx(3e11)


def test_without_velocities_by_term():
    output = polar_output(4.0).drop_vars([f"velocity_{way}_by_term" for way in ("east", "north", "up")])
    with pytest.raises(DataError, match="term_altitudes"):
        statements(output)
    table = paper_table(output)
    assert verdict(table, "pedersen_drives_200") == "cannot be compared"
    assert "term_altitudes" in str(table.why.sel(statement="pedersen_drives_200").values)


# ---------------------------------------------------------------------- nothing there


def test_nothing_moves_and_nothing_stands_out():
    found = findings(with_settings(polar_output(4.0)))
    agreed = {one.statement.key for one in found if one.verdict == "agrees"}
    assert agreed == {"two_cells", "reversal_latitude"}  # they are about the potential, which is there


def test_medians_tell_gaps_from_a_few_dense_places():
    output = filled(4.0)
    dense = np.zeros(output.sizes["lon"], bool)
    dense[::20] = True  # a few dense columns everywhere lift the mean far above what lies between them
    aloft = output.alt.values > 180.0
    output.number_density.values[0][:, aloft] = np.where(dense, 1e13, 1e9)
    for key in ("e_below_gaps", "premidnight_depletion"):
        assert finding(output, key).verdict == "disagrees"
    for t in range(2):
        evidence = Evidence(output)
        sector = evidence.before_midnight(t) & (evidence.latitude >= 62.0)
        output.number_density.values[0, t][np.ix_(aloft, np.ones(len(evidence.latitude), bool))] *= np.where(sector, 0.1, 1.0)
    for key in ("e_below_gaps", "premidnight_depletion"):
        assert finding(output, key).verdict == "agrees", finding(output, key).number_text


def test_a_term_that_is_off_gives_no_crash(monkeypatch):
    def no_exb(output, drivers, time, species, altitudes):
        parts = output.velocity_north_by_term.sel(species=species).isel(velocity_time=0).rename(term_alt="alt")
        parts = (parts + 1.0).where(parts.term != "exb", 0.0)
        return xr.Dataset({"velocity_north": parts.sum("term"), "velocity_north_by_term": parts})

    monkeypatch.setattr(mechanism, "ion_drifts", no_exb)
    found = finding(polar_output(4.0), "pedersen_altitudes", drivers=xr.Dataset())
    assert found.verdict == "cannot be compared"
    assert "at no level" in found.why


# ---------------------------------------------------------------------- rules of single statements


def test_velocities_smaller_than_their_drift_are_not_governed_by_it():
    output = filled(4.0)
    assert finding(output, "exb_governs_300").verdict == "agrees"
    output["velocity_up"] = 0.2 * output.velocity_up
    found = finding(output, "exb_governs_300")
    slopes = [number.value for number in found.numbers if "slope" in number.label]
    np.testing.assert_allclose(slopes, 0.2, rtol=1e-4)
    assert found.verdict == "partly"


def test_shares_must_exceed_the_share_by_area():
    assert judge(shares("", 0.6, 0.3)) == "agrees"
    assert judge(shares("", 0.6, 0.5)) == "partly"
    assert judge(shares("", 0.4, 0.4)) == "disagrees"
    assert judge(shares("", MISSING, 0.4)) == "cannot be compared"
    assert judge(shares("", 0.0, 0.0)) == "cannot be compared"  # there is no such region


@pytest.mark.parametrize(("line", "expected"), [("boundary", "agrees"), ("reversal", "disagrees")])
def test_flow_5_is_near_the_boundary_not_the_reversal(line, expected):
    output = filled(2.0)
    evidence = Evidence(output)
    for m, t, _ in evidence.moments:
        distance = evidence.boundary_distance(t) if line == "boundary" else evidence.reversal_distance(t)
        other = evidence.reversal_distance(t) if line == "boundary" else evidence.boundary_distance(t)
        output.velocity_up.values[0, m] = np.where((distance <= 2.5) & (other > 4.0), -20.0, -0.01)
        output.number_density.values[0, t] = 1e9
    found = finding(output, "flow_5")
    assert found.verdict == expected, found.number_text


def test_what_follows_from_the_equations_is_counted_apart():
    follows = {one.key for one in STATEMENTS if one.follows}
    assert follows == {
        "crosses_the_pole", "exb_circulates", "meridional_exb_dominates", "drifts_f_region", "flow_4_grows", "flow_4_diverges",
        "flow_2_turns_over",
    }  # fmt: skip
    words = verdict_counts(["agrees", "agrees", "partly"], [True, False, False])
    assert words == (
        "3 statements. agrees: 2, of which 1 follow from the equations; partly: 1; disagrees: 0; cannot be compared: 0."
    )
    table = paper_table(polar_output(4.0))
    assert {str(key) for key in table.statement.values[table.follows.values]} == follows


# ---------------------------------------------------------------------- times and altitudes


def with_times(output, times):
    """The output with its first time repeated at other times."""
    stamps = np.array(times, dtype="datetime64[ns]")
    renamed = output.isel(time=[0] * len(times), velocity_time=[0] * len(times))
    return renamed.assign_coords(time=stamps, velocity_time=stamps)


def test_spin_up_and_24_ut_do_not_count():
    times = ["2023-06-17T18", "2023-06-18T00", "2023-06-18T06", "2023-06-18T18", "2023-06-19T00", "2023-06-19T18"]
    output = with_times(with_settings(polar_output(4.0)), times)
    evidence = Evidence(output)
    assert evidence.times == [1, 2, 3]
    assert [label for _, _, label in evidence.moments] == ["00 UT", "06 UT", "18 UT"]
    assert evidence.moment_at(18)[:2] == (3, 3)
    drivers = {"kp": {"time": [f"{t}:00:00" for t in times], "values": [9.0, 1.0, 2.0, 1.0, 9.0, 9.0]}}
    found = finding(output.assign_attrs(drivers=json.dumps(drivers)), "kp")
    assert found.numbers[0].value == 2.0


def test_labels_of_moments_are_unique_without_settings():
    output = with_times(polar_output(4.0), ["2023-06-17T18:00", "2023-06-18T06:30", "2023-06-18T18:00", "2023-06-18T20:00"])
    labels = [label for _, _, label in Evidence(output).moments]
    assert labels == ["2023-06-17 18 UT", "2023-06-18 06:30 UT", "2023-06-18 18 UT", "2023-06-18 20 UT"]
    apart = output.assign_coords(time=output.time + np.timedelta64(3, "h"))
    with pytest.raises(DataError, match="half an hour"):
        _ = Evidence(apart).moments


@pytest.mark.parametrize("key", ["drift_by_hour", "both_hours"])
def test_statements_about_06_and_18_ut_need_these_hours(key):
    output = with_times(with_settings(filled(4.0)), ["2023-06-18T05:00", "2023-06-18T18:00"])
    found = finding(output, key)
    assert found.verdict == "cannot be compared"
    assert "no velocities at 06 UT" in found.why
    assert finding(filled(4.0), key).verdict != "cannot be compared"


def test_altitudes_that_were_not_written_are_refused():
    output = filled(4.0)
    levels = list(output.alt.values)
    kept = [levels.index(z) for z in (118.0, 120.0, 122.0, 299.0, 301.0)]
    thin = output.isel(term_alt=kept)
    whole = Evidence(output).velocity("up", 300.0, 0, "exb")
    np.testing.assert_array_equal(Evidence(thin).velocity("up", 300.0, 0, "exb"), whole)
    with pytest.raises(CoverageError, match="velocity_up_by_term was not written around 200 km"):
        Evidence(thin).velocity("up", 200.0, 0, "exb")
    with pytest.raises(CoverageError, match="no level at 500 km"):
        Evidence(output).density(0, 500.0)
    column = xr.DataArray(np.arange(3.0)[:, None, None], dims=("alt", "lat", "lon"), coords={"alt": [100.0, 130.0, 140.0]})
    grid = [100.0, 110.0, 120.0, 130.0, 140.0]
    assert at_altitude(column.rename("n"), 130.0, grid=grid)[0, 0] == 1.0  # a level that was written needs no neighbour
    assert at_altitude(column.rename("n"), 135.0, grid=grid)[0, 0] == 1.5
    with pytest.raises(CoverageError, match="2 levels of the grid between"):
        at_altitude(column.rename("n"), 115.0, grid=grid)


# ---------------------------------------------------------------------- experiments


def asymmetric(ratio):
    """Evening cell with so many times the density of the morning cell."""
    output = polar_output(4.0).copy(deep=True)
    for t in range(2):
        output.number_density.values[0, t][:, convection_cells(output.electric_potential.values[t])[1]] = ratio * 1e9
    return output


@pytest.mark.parametrize(("left", "expected"), [(1.0, "agrees"), (1.9, "agrees"), (3.0, "disagrees"), (0.2, "disagrees")])
def test_without_pedersen_drift_the_asymmetry_is_halved(left, expected):
    variant = with_settings(asymmetric(left), terms=[term for term in TERMS if term != "pedersen"])
    found = finding(with_settings(asymmetric(4.0)), "pedersen_makes_asymmetry", experiments={"no_pedersen": variant})
    assert found.verdict == expected, found.number_text


def test_experiments_must_be_what_they_are_called():
    output = filled(4.0)
    two_terms = {"terms": ["exb", "gravity"]}
    north = {"drivers": {"wind": "solver", "imf_bz": 5.0}}
    no_wind = {"drivers": {"wind": "none", "imf_bz": None}}
    for key, name, right in (
        ("pedersen_makes_asymmetry", "no_pedersen", {"terms": [term for term in TERMS if term != "pedersen"]}),
        ("transport_proposed", "exb_and_gravity", two_terms),
        ("gravity_layers", "exb_and_gravity", two_terms),
        ("electric_field_rules", "no_wind", no_wind),
        ("northward_field", "imf_bz_plus_5", north),
    ):
        good = with_settings(output, **right)
        assert finding(output, key, experiments={name: good}).verdict != "cannot be compared"
        for bad, reason in (
            (with_settings(output), "its settings are"),
            (with_settings(output, **right, date="2023-06-19"), "is of 2023-06-19"),
            (with_settings(polar_output(4.0, -1.0), **right), "hemisphere"),
            (output.assign_attrs(settings=output.attrs["settings"]).drop_attrs(), "hold no settings"),
        ):
            found = finding(output, key, experiments={name: bad})
            assert found.verdict == "cannot be compared"
            assert reason in found.why
    assert finding(output, "gravity_layers", experiments={"exb_and_gravity": good}).verdict == "cannot be compared"


def test_cell_by_cell_needs_the_same_cells():
    changed = {"drivers": {"wind": "none", "imf_bz": None}}
    coarse = with_settings(polar_output(5.0), **changed)
    found = finding(filled(4.0), "electric_field_rules", experiments={"no_wind": coarse})
    assert found.verdict == "cannot be compared"
    assert "another lat" in found.why
    same = with_settings(filled(4.0), **changed)
    assert finding(filled(4.0), "electric_field_rules", experiments={"no_wind": same}).verdict == "agrees"
    # what needs its own numbers only may be on another grid
    other = with_settings(asymmetric(1.0), terms=[term for term in TERMS if term != "pedersen"])
    assert finding(filled(5.0), "pedersen_makes_asymmetry", experiments={"no_pedersen": other}).verdict == "agrees"


# ---------------------------------------------------------------------- ensemble

DAYS = ("2022-06-07", "2023-06-18", "2023-06-24")


def ensemble(maps, **other):
    """Made-up maps (member, alt, latitude, local time) of log density, with the settings of their days."""
    members = {
        day: {"settings": json.loads(small_settings(date=day, **(other if n == 0 else {})).model_dump_json())}
        for n, day in enumerate(DAYS[: len(maps)])
    }
    coords = {
        "member": list(members), "species": ["Fe+"], "alt": [120.0, 200.0, 300.0],
        "invariant_latitude": np.arange(50.5, 90.0), "magnetic_local_time": np.arange(0.25, 24.0, 0.5),
    }  # fmt: skip
    variables = {"mean_number_density": (tuple(coords), 10.0 ** np.asarray(maps)[:, None])}
    return xr.Dataset(variables, coords=coords, attrs={"members": json.dumps(members)})


def random_maps(seed, count=3):
    return np.random.default_rng(seed).normal(8.0, 1.0, (count, 3, 40, 48))


def test_other_days_are_the_same_at_every_altitude():
    output, steps = filled(4.0), np.array([11.0, 8.0, 5.0])[None, :, None, None]
    same = np.repeat(random_maps(1, 1), 3, axis=0)
    assert finding(output, "other_days", ensemble=ensemble(same)).verdict == "agrees"
    elsewhere = same.copy()
    elsewhere[1, :, :10] = 15.0 - elsewhere[1, :, :10]  # equatorward of 60 degrees
    assert finding(output, "other_days", ensemble=ensemble(elsewhere)).verdict == "agrees"
    # no likeness but the fall with altitude
    unlike = steps + 0.3 * random_maps(2)
    assert np.corrcoef(unlike[0].ravel(), unlike[1:].mean(axis=0).ravel())[0, 1] > 0.9
    assert finding(output, "other_days", ensemble=ensemble(unlike)).verdict == "disagrees"
    assert finding(output, "other_days", ensemble=ensemble(0.0 * same)).verdict == "cannot be compared"  # all at the floor


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (ensemble(random_maps(3), spin_up=0.0), "differs in spin_up"),
        (ensemble(random_maps(3), drivers={"wind": "none", "kp": 1.0, "lat_step": 5.0, "lon_step": 15.0, "edge_latitude": 35.0}),
         "differs in drivers"),
        (ensemble(random_maps(3, 1)), "fewer than two"),
    ],
)  # fmt: skip
def test_members_of_other_settings_are_no_other_days(given, reason):
    found = finding(filled(4.0), "other_days", ensemble=given)
    assert found.verdict == "cannot be compared"
    assert reason in found.why


def test_kp_of_all_days():
    drivers = {"kp": {"time": ["2023-06-18T06:00:00"], "values": [1.0]}}
    output = filled(4.0).assign_attrs(drivers=json.dumps(drivers))
    assert finding(output, "kp").verdict == "agrees"
    found = finding(output, "kp", ensemble=ensemble(random_maps(4)))
    assert [number.label for number in found.numbers] == ["largest Kp", "largest of the 3 days"]
    assert 2.0 < found.numbers[1].value < 6.0


def test_table_of_a_folder_without_experiments_is_refused(tmp_path):
    path = Path(__file__).parents[2] / "docs" / "make_paper_table.py"
    spec = importlib.util.spec_from_file_location("make_paper_table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(DataError, match="holds no experiment"):
        module.variants_of(tmp_path)
    for place in (tmp_path / "one", tmp_path / "members" / "two"):
        place.mkdir(parents=True)
        write_dataset(xr.Dataset({"kp": ("time", [1.0])}), place / "polar.zarr")
    assert set(module.variants_of(tmp_path)) == {"one", "two"}
