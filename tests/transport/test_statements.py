"""The rules of the paper table, and its statements on fields where the answer is known."""

import json
import math

import numpy as np
import pytest
from polar_cases import polar_output
from small_run import small_settings

from siderion.core.errors import DataError
from siderion.core.tables import check_table, load_table
from siderion.transport.diagnostics import convection_cells
from siderion.transport.paper import STATEMENTS, VERDICTS, Evidence, Number, findings, paper_table
from siderion.transport.paper.statement import at_least, at_most, below, judge
from siderion.transport.run import load_drivers, run
from siderion.transport.statements import statements

MISSING = float("nan")


def test_rules():
    assert at_least(0.7).holds(0.7)
    assert not at_least(0.7).holds(0.69)
    assert at_most(2.0).holds(2.0)
    assert not below(3.0).holds(3.0)
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


def filled(step=2.0):
    """An output that obeys the paper: evening cell full, layer on its reversal before midnight, drifts that rule."""
    output = polar_output(step).copy(deep=True)
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


@pytest.fixture(scope="module")
def table():
    return paper_table(filled())


def verdict(table, key):
    return str(table.verdict.sel(statement=key).values)


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
    output = filled()
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
