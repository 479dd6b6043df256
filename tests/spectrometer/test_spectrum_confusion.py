"""Odds between species of one mass: molecules break in the foil, atoms do not."""

from __future__ import annotations

import numpy as np
import pytest

from siderion.core.errors import SettingsError
from siderion.spectrometer.fit.confusion import species_odds
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.peaks import PeakShape, peak_matrix

EDGES = np.linspace(50.0, 150.0, 201) * 1e-9
SETUP = make_setup("codif", 16e3, 100.0, 1.0)
CANDIDATES = ("Si+", "N2+", "CO+")


def counts(name: str | None, amount: float = 400.0, seed: int = 5) -> np.ndarray:
    """3000 O+ and one candidate on a small background."""
    rows = peak_matrix(["O+", name or "O+"], EDGES, SETUP, PeakShape("exponential", 0.02, 0.02))
    return np.random.default_rng(seed).poisson(np.array([3000.0, amount if name else 0.0]) @ rows + 0.3)


def test_an_atom_is_told_from_a_molecule() -> None:
    """Si+ flies whole and late, N2+ in fragments; many counts decide."""
    found = species_odds(counts("Si+"), EDGES, CANDIDATES, ["O+"], SETUP)
    assert found.attrs["verdict"] == "Si+"
    assert float(found["posterior_probability"].sum()) == pytest.approx(1.0)
    assert float(found["candidate_counts"][0]) == pytest.approx(400.0, rel=0.2)


def test_nearly_equal_fragments_are_undecidable() -> None:
    """A few N2+ are not told from CO+; a strong prior decides, and is the only thing that does."""
    few = counts("N2+", 30.0)
    equal = species_odds(few, EDGES, ("N2+", "CO+"), ["O+"], SETUP)
    assert equal.attrs["verdict"] == "undecidable"
    assert float(equal["best_odds"]) < 3.0
    told = species_odds(few, EDGES, ("N2+", "CO+"), ["O+"], SETUP, priors={"CO+": 50.0})
    assert told.attrs["verdict"] == "CO+"
    ratio = told["posterior_probability"].values / equal["posterior_probability"].values
    assert ratio[1] / ratio[0] == pytest.approx(50.0, rel=1e-6)


def test_nothing_there_is_said() -> None:
    """Without a peak no candidate is seen."""
    found = species_odds(counts(None), EDGES, CANDIDATES, ["O+"], SETUP)
    assert found.attrs["verdict"] == "none of the candidates is seen"


def test_bad_candidates_are_refused() -> None:
    """One candidate, a prior of a stranger, priors that are all zero."""
    data = counts(None)
    for names, priors in ((("Si+",), {}), (CANDIDATES, {"Fe+": 1.0}), (CANDIDATES, dict.fromkeys(CANDIDATES, 0.0))):
        with pytest.raises(SettingsError):
            species_odds(data, EDGES, names, ["O+"], SETUP, priors=priors)
