"""The page of the ionospheric supply: computed shares, and shares made by hand for the words."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

from siderion.cli.source_ionosphere import ionosphere
from siderion.core.errors import DataError
from siderion.core.measurement import measurement
from siderion.io.store import open_dataset
from siderion.report import render_report
from siderion.report.ionosphere_figures import Shares, draw_escape, draw_escape_points
from siderion.report.ionosphere_page import is_ionosphere
from siderion.report.ionosphere_words import (
    PASSING,
    decisions,
    influences,
    poorly_known,
    reference_point,
    share_words,
    vanishing_altitude,
)


def shares(name, value, error, limit, dims):
    lower, upper = np.maximum(np.array(value) - error, 0.0), np.minimum(np.array(value) + error, 1.0)
    return measurement(name, value, lower, upper, dims=dims, units="1", convention="by hand", upper_limit=limit)


def made(powers=(1e-9, 1e-8, 1e-6), starts=(500.0,)):
    """O+ known everywhere; O2+ an upper limit, a share of few ions, a known share."""
    value = np.array([[0.01, 0.1, 0.9], [5e-4, 2e-4, 0.2]])[:, : len(powers), None] * np.ones(len(starts))
    error = np.array([[1e-3, 5e-3, 5e-3], [0.0, 2e-4, 4e-3]])[:, : len(powers), None] * np.ones(len(starts))
    limit = np.array([[False, False, False], [True, False, False]])[:, : len(powers), None] & np.ones(len(starts), dtype=bool)
    dims = ("species", "wave_power", "start_alt")
    data = shares("escape_fraction", value, error, limit, dims)
    for name, factor in (("unbound_fraction", 1.0), ("main_region_fraction", 1.25), ("recombined_fraction", 0.5)):
        data[name] = (dims, factor * value)
    for name in ("supplied_energy", "energy_at_top", "time_to_top"):
        data[name] = (dims, np.where(limit, np.nan, 3600.0), {"long_name": "mean <energy>"})
    settings = {"preset": "day", "particles": 4000, "main_altitude_km": 2000.0, "top_km": 19114.0, "ambipolar": "none",
                "recombination": "yamauchi", "main_power": 1.2e-6}  # fmt: skip
    data = data.assign_coords(species=["O+", "O2+"], wave_power=list(powers), start_alt=list(starts))
    return data.assign_attrs(kind="siderion ionospheric escape", title="by hand", settings=json.dumps(settings), sources="[]")


def test_words_follow_the_numbers():
    data = made()
    settings = json.loads(data.attrs["settings"])
    assert reference_point(data, settings) == (1e-8, 500.0)
    assert poorly_known(data).values[1, :, 0].tolist() == [False, True, False]
    assert share_words(data.isel(species=0, wave_power=1, start_alt=0)) == "10.0 ± 0.5 %"
    assert share_words(data.isel(species=1, wave_power=0, start_alt=0)) == "&lt; 0.05 %"
    assert share_words(data.isel(species=1, wave_power=1, start_alt=0)) == "about 0.02 % (few ions)"
    factors = influences(data.isel(species=0), 1e-8, 500.0)
    assert factors["power"] == (pytest.approx(90.0), False)
    assert factors["above"] == (pytest.approx(1.25), False)
    assert "start" not in factors
    # 0.2 over a limit of 5e-4
    assert influences(data.isel(species=1), 1e-8, 500.0)["power"] == (pytest.approx(400.0), True)
    said = " ".join(decisions(data, settings))
    assert "O⁺ 90, O₂⁺ &gt; 400" in said
    assert "at least 80 % escape" in said


def test_few_ions_never_make_a_factor():
    data = made()
    low_few = data.isel(species=1, wave_power=[1, 2])
    # at most -ln(0.16)/4000 = 4.58e-4, less than three times 2e-4
    assert influences(low_few, 1e-8, 500.0, 4000.0)["power"] == (pytest.approx(0.2 / 6e-4), True)
    # 0.2 over 1.83/1000 where the sample is smaller
    assert influences(low_few, 1e-8, 500.0, 1000.0)["power"] == (pytest.approx(0.2 / (-np.log(0.16) / 1000.0)), True)
    high_few = data.isel(species=1, wave_power=[0, 1])
    assert np.isnan(influences(high_few, 1e-8, 500.0, 4000.0)["power"][0])


@pytest.mark.parametrize(("powers", "starts"), [((1e-9, 1e-8, 1e-6), (500.0,)), ((1e-8,), (500.0, 800.0)), ((1e-8,), (500.0,))])
def test_page_of_any_grid(powers, starts):
    page = render_report(made(powers, starts))
    assert page.count("data:image/png") == 1
    assert "The output has no shares that pass each altitude." in page
    assert "mean &lt;energy&gt;" in page
    assert "nan" not in re.sub(r"base64,[^\"]+", "", page)


def test_upper_limits_are_arrows():
    data = made().isel(start_alt=0)
    parts = [data[f"escape_fraction{end}"].values for end in ("", "_lower", "_upper", "_upper_limit")]
    figure = draw_escape(
        {"x": Shares(*parts, poorly_known(data).values)}, ["O+", "O2+"], data["wave_power"].values, "power", True
    )
    axes = figure.axes[0]
    arrows = [one for one in axes.texts if one.arrow_patch is not None]
    assert len(arrows) == 1
    assert arrows[0].xyann[1] == pytest.approx(5e-4)
    assert [line.get_gid() for line in axes.get_lines()].count("upper limit") == 1
    hollow = [line for line in axes.get_lines() if to_hex(line.get_markerfacecolor()) == "#ffffff"]
    assert len(hollow) == 1
    assert axes.get_yscale() == "log"


def test_one_share_for_each_ion():
    value = np.array([0.1, 5e-4, 1e-7])
    one = Shares(value, 0.9 * value, 1.1 * value, np.array([False, True, False]), np.array([False, False, True]))
    axes = draw_escape_points(["O+", "Fe+", "NO+"], one).axes[0]
    low = axes.get_xlim()[0]
    places = [float(line.get_xdata()[0]) for line in axes.get_lines() if line.get_marker() in ("o", "s", "^")]
    # the share of a few ions stands at the edge of the axis, which the limit sets
    assert low == pytest.approx(1e-4)
    assert places == [0.1, pytest.approx(1.25 * low)]
    assert len([text for text in axes.texts if text.arrow_patch is not None]) == 1


def test_altitude_where_an_ion_is_gone():
    profile = shares(PASSING, [0.1, 1e-2, 1e-4, 5e-4], 1e-5, [False, False, False, True], ("reach_alt",))
    profile = profile.assign_coords(reach_alt=[600.0, 800.0, 1000.0, 1200.0])
    # 1e-3 lies half way between 1e-2 and 1e-4 in the logarithm
    assert vanishing_altitude(profile) == pytest.approx(900.0)
    assert vanishing_altitude(profile.isel(reach_alt=[0, 1, 3])) == pytest.approx(1200.0)
    assert vanishing_altitude(profile.isel(reach_alt=[0, 1])) == float("inf")


def test_command_writes_file_and_page(tmp_path, capsys):
    output = tmp_path / "supply.nc"
    ionosphere(species="O+,O2+", wave_power=[1e-8, 1e-6], particles=600, preset="night", output=output)
    assert f"and {output.with_suffix('.html')}" in capsys.readouterr().out
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    for anchor in ("escape", "decides", "passing", "numbers", "sources", "settings", "cite"):
        assert f'<section id="{anchor}">' in page
    assert page.count("data:image/png") == 2
    assert "Not shown" not in page
    with open_dataset(output) as data:
        assert data["preset"].values.tolist() == ["day", "night"]
        assert data[PASSING].dims == ("preset", "species", "reach_alt")
        oxygen = data[PASSING].sel(preset="night", species="O+").values
        # an ion that passes an altitude has passed those below
        assert (np.diff(oxygen) <= 1e-7).all()
        top = data.isel(wave_power=0, start_alt=0).sel(species="O+")
        assert oxygen[-1] == pytest.approx(float(top["escape_fraction"]), abs=0.04)
        assert data["preset_main_altitude"].values.tolist() == [2000.0, 4000.0]
    quiet = tmp_path / "quiet.nc"
    ionosphere(species="O+", particles=100, output=quiet, no_report=True)
    assert not quiet.with_suffix(".html").exists()


def test_what_is_not_this_page():
    data = made()
    assert is_ionosphere(data)
    assert not is_ionosphere(xr.Dataset({"escape_fraction": 1.0}))
    with pytest.raises(DataError, match=r"time_to_top missing.*siderion sources ionosphere"):
        render_report(data.drop_vars("time_to_top"))
