"""Counts and context from text, TOML, CSV and fitted spectra."""

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.core.measurement import measurement
from siderion.io.attribution_input import counts_of_spectrum, parse_counts, read_attribution_input


def test_counts_on_the_command_line():
    found = parse_counts("N2+=30, Fe+=<3,m/q 39-46=41")
    assert found.channels == ("N2+", "Fe+", "m/q 39-46")
    assert found.counts == (30.0, 3.0, 41.0)
    assert found.is_limit == (False, True, False)
    for wrong in ("N2+", "N2+=many", "N2+=-1", "", "Fe+=<0"):
        with pytest.raises(DataError):
            parse_counts(wrong)


def test_toml_with_a_control(tmp_path):
    path = tmp_path / "event.toml"
    path.write_text(
        '[context]\nregion = "solar wind"\nkp = 3.0\n[counts]\n"Fe+" = [12, 9, 16]\n"K+" = "<3"\n'
        '[[control]]\ncounts = {"Fe+" = 0}\ncontext = {moon_sector = 6}\n'
    )
    first, control = read_attribution_input(path)
    assert (first.counts[0], first.lower[0], first.upper[0]) == (12.0, 9.0, 16.0)
    assert control.is_control
    assert control.context == {"region": "solar wind", "kp": 3.0, "moon_sector": 6}
    path.write_text('[counts]\n"Fe+" = 1\n[context]\nmoon = 3\n')
    with pytest.raises(DataError, match="unknown context moon"):
        read_attribution_input(path)
    path.write_text("[numbers]\n")
    with pytest.raises(DataError, match="needs"):
        read_attribution_input(path)
    path.write_text("= 3")
    with pytest.raises(DataError, match="no TOML"):
        read_attribution_input(path)


def test_csv(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("# half a day\nchannel, counts, lower, upper, upper_limit\nFe+, 12, 9, 16, false\nK+, 3, , , true\n")
    (found,) = read_attribution_input(path)
    assert found.lower[0] == 9.0
    assert found.is_limit == (False, True)
    path.write_text("species, number\nFe+, 3\n")
    with pytest.raises(DataError, match="channel and counts"):
        read_attribution_input(path)
    with pytest.raises(DataError, match="no such file"):
        read_attribution_input(tmp_path / "none.csv")


def test_a_fitted_spectrum():
    data = measurement(
        "species_counts", [[100.0, 3.0], [50.0, np.nan]], [[90.0, 0.0], [43.0, np.nan]], [[110.0, 4.0], [57.0, np.nan]],
        dims=("spectrum", "species"), units="1", convention="profile likelihood", upper_limit=[[False, True], [False, False]],
        flag=[[0, 0], [0, 1]],
    ).assign_coords(species=["O+", "O2+"])  # fmt: skip
    found = counts_of_spectrum(data)
    assert found.channels == ("O+", "O2+")
    assert found.is_limit == (False, True)
    assert counts_of_spectrum(data, 1).channels == ("O+",)
    with pytest.raises(DataError, match="spectrum 2 of 2"):
        counts_of_spectrum(data, 2)
    with pytest.raises(DataError, match="no species_counts"):
        counts_of_spectrum(data.drop_vars("species_counts"))
