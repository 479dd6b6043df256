from __future__ import annotations

import numpy as np
import pytest

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError
from siderion.core.expected_ions import expected_ions, expected_species, flow_direction
from siderion.core.species import get_species, species_group
from siderion.core.tables import load_table

BODIES = (
    "Mercury", "Venus", "Earth cusp", "Mars", "Io", "Europa", "Ganymede", "Callisto", "Enceladus", "Dione", "Rhea", "Titan",
    "67P", "1P", "26P",
)  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_every_body_has_ions_that_exist(body: str) -> None:
    ions = expected_ions(body)
    assert get_body(body).name == body
    assert len(ions) == ions["species"].nunique() > 0
    for name in ions["species"]:
        assert get_species(name).charge_number != 0
    assert set(ions["observed"]) <= {"yes", "no", "expected"}
    assert set(ions["flow_axis"]) <= {"+x", "-x", ""}
    known = ions.dropna(subset=["range_lower_radii", "range_upper_radii"])
    assert (known["range_lower_radii"] < known["range_upper_radii"]).all()
    assert not (ions[["range_lower_radii", "range_upper_radii"]] < 1.0).any(axis=None), "inside the body"


def test_no_other_body_is_in_the_table() -> None:
    assert set(load_table("core", "expected_ions")["body"]) == set(BODIES)


def test_ions_of_the_paper() -> None:
    """Read in Lammer et al. 2025, sections 3.1 to 3.7."""
    assert expected_species("mercury") == ("H+", "H2+", "He+", "Li+")
    assert expected_species("Venus") == ("H+", "D+")
    assert expected_species("Mars") == ("H+", "H2+", "D+")
    assert set(expected_species("Europa")) == {"Na+", "Cl+", "Cl-", "K+", "O2+", "SO2+", "H2+", "O+"}
    assert expected_species("Titan") == ("H+", "H2+")
    assert expected_species("26P") == ("H2O+",)
    assert set(expected_ions("67P")["observed"]) == {"no"}
    assert "27P" in expected_ions("26P")["remark"].iloc[0]


@pytest.mark.parametrize("body", ["Enceladus", "Dione", "Rhea", "67P"])
def test_water_group_is_whole(body: str) -> None:
    assert set(expected_species(body)) == {species.name for species in species_group("water group")}


def test_flow_axis_agrees_with_the_frames_of_the_body() -> None:
    frames = load_table("core", "body_frames")
    for body in BODIES:
        own = frames[[body in [name.strip() for name in names.split(";")] for names in frames["bodies"]]]
        axes = set(expected_ions(body)["flow_axis"]) - {""}
        assert not own.empty
        assert axes <= set(own["flow_axis"]), body


def test_a_change_of_the_answer_stays_there() -> None:
    ions = expected_ions("Mars")
    ions["species"] = "Fe+"
    assert expected_species("Mars")[0] == "H+"


@pytest.mark.parametrize(("frame", "x"), [("MSO", -1.0), ("gse", -1.0), ("EPhiO", 1.0), ("GPHIO", 1.0), ("TIIS", 1.0)])
def test_flow_direction(frame: str, x: float) -> None:
    np.testing.assert_array_equal(flow_direction(frame), [x, 0.0, 0.0])


def test_unknown_body_and_frame_name_the_option() -> None:
    with pytest.raises(CoverageError, match=r"no expected ions for body 'Moon'; .* with the option --species"):
        expected_ions("Moon")
    with pytest.raises(CoverageError, match=r"frame 'IAU_GANYMEDE' is not known; .* with the option --flow-direction"):
        flow_direction("IAU_GANYMEDE")
