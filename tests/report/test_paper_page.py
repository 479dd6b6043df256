"""The figures of the paper: all of them, the right way up, with the signs of the paper, and notes for what is missing."""

from __future__ import annotations

import json

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from synthetic import DAY, polar_dataset
from test_report_page import parsed

from siderion.core.errors import CoverageError, DataError
from siderion.report import paper_figures as module
from siderion.report import schematic
from siderion.report.paper_figures import cell_correlation, make_paper_figures, paper_figures
from siderion.report.paper_page import render_paper_page
from siderion.report.polar_page import polar_run
from siderion.report.polar_sections import VELOCITY_ROWS
from siderion.report.selection import at_altitude

WITHOUT_DRIVERS = {f"figure_{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, "s1", "s2")}
HOURS = np.array([0, 6, 12, 18])


def sparse(**options):
    """A coarse run, quick to draw."""
    return polar_dataset(lat_step=4.0, lon_step=8.0, hours=HOURS, **options)


@pytest.fixture(scope="module")
def output():
    return sparse()


@pytest.fixture(scope="module")
def made(output):
    before = dict(matplotlib.rcParams)
    found = {one.key: one for one in make_paper_figures(output)}
    assert dict(matplotlib.rcParams) == before
    return found


def meshes(figure: Figure) -> list[np.ndarray]:
    """Values of the maps of a figure, in the order drawn, colour bars left out."""
    found = [part for axes in figure.axes for part in axes.collections if isinstance(part, QuadMesh)]
    return [np.asarray(part.get_array()) for part in found if part.get_array().ndim == 2 and min(part.get_array().shape) > 1]


def test_every_figure_is_drawn_and_the_others_say_what_they_need(made, output):
    assert set(made) == WITHOUT_DRIVERS | {"figure_s3"}
    assert {key for key, one in made.items() if one.figure is not None} == WITHOUT_DRIVERS
    assert "drivers" in made["figure_s3"].reason
    assert all("In the paper:" in made[key].caption and "Look at:" in made[key].caption for key in WITHOUT_DRIVERS)
    maps = {"figure_2": 6, "figure_3": 2, "figure_4": 4, "figure_5": 4, "figure_6": 4, "figure_7": 6, "figure_8": 2}
    assert {key: len(meshes(made[key].figure)) for key in maps} == maps


def test_page_is_self_contained_and_has_notes(made, output):
    page = render_paper_page(output, figures=list(made.values()))
    checker = parsed(page)
    assert len(checker.images) == len(WITHOUT_DRIVERS)
    assert checker.anchors >= set(made)
    assert checker.text.count("Not shown.") == 1
    assert "Statements of the paper" not in checker.text


def drawn_maps(figure: Figure):
    """The axes of the maps of a figure, with the places of the texts on them."""
    for axes in figure.axes:
        places = {text.get_text(): text.get_position() for text in axes.texts}
        if {"00", "06", "12", "18"} <= set(places) and axes.get_ylim()[0] == -axes.get_ylim()[1]:
            yield axes, places


def assert_noon_is_up(figure: Figure) -> int:
    maps = list(drawn_maps(figure))
    for axes, places in maps:
        top = axes.get_ylim()[1]
        assert places["12"][1] > 0.9 * top
        assert places["00"][1] < -0.9 * top
        assert places["18"][0] < -0.9 * top
        assert places["06"][0] > 0.9 * top
    return len(maps)


def test_noon_is_up_and_dusk_is_left_on_every_map(made):
    assert sum(assert_noon_is_up(made[key].figure) for key in WITHOUT_DRIVERS - {"figure_1"}) == 32


@pytest.mark.parametrize(("southern", "sign", "word"), [(False, -1.0, "southward"), (True, 1.0, "northward")])
def test_meridional_velocity_is_positive_towards_the_equator(southern, sign, word):
    given = sparse(southern=southern)
    run = polar_run(given)
    figure, caption = module.velocity_figure(module.PaperInput(run, given, None), VELOCITY_ROWS[1])
    assert assert_noon_is_up(figure) == 4
    north = run.dataset["velocity_north_by_term"].isel(species=0).rename(term_alt="alt")
    total = run.dataset["velocity_north"].isel(species=0)
    drawn = meshes(figure)
    for k in range(2):
        part = {term: at_altitude(north.sel(term=term).isel(velocity_time=k), 200.0) for term in ("exb", "pedersen")}
        residual = at_altitude(total.isel(velocity_time=k), 200.0) - part["exb"]
        for mesh, expected in ((drawn[k], residual), (drawn[2 + k], part["pedersen"])):
            np.testing.assert_allclose(mesh, sign * expected[-len(mesh) :], rtol=1e-6, atol=1e-9)
    assert f"{word} positive" in caption


def test_vertical_maps_are_upward_and_share_one_scale(made, output):
    up = output["velocity_up_by_term"].isel(species=0).sel(term="exb").rename(term_alt="alt")
    figure = made["figure_4"].figure
    drawn = meshes(figure)
    for k in range(2):
        expected = at_altitude(up.isel(velocity_time=k), 300.0)
        np.testing.assert_allclose(drawn[2 + k], expected[-len(drawn[2 + k]) :], rtol=1e-6, atol=1e-9)
    limits = {part.get_clim() for axes in figure.axes for part in axes.collections if part.norm.vmin is not None}
    limits = {pair for pair in limits if pair[0] < 0.0}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high


def test_imf_shares_are_those_of_the_day(output):
    minutes = [str(DAY - np.timedelta64(12, "h") + np.timedelta64(10 * k, "m")) for k in range(217)]
    hour = (np.arange(217) - 72) / 6.0
    series = {
        "imf_bz_gsm": {"time": minutes, "values": list(np.where((hour >= 0) & (hour < 6), 1.0, -1.0)), "units": "nT"},
        "imf_by_gsm": {"time": minutes, "values": list(np.where(hour > 12.0, 6.0, 2.0)), "units": "nT"},
        "imf_by_origin": "reconstructed",
    }
    changed = output.assign_attrs(drivers=json.dumps(series))
    figure, caption = module.imf_figure(module.PaperInput(polar_run(changed), changed, None))
    # 145 values from 00 to 24 h: 36 of Bz are positive, 72 of By beyond 5 nT
    assert "negative for 75 % of the day" in caption
    assert "below 5 nT for 50 %" in caption
    assert "By is reconstructed" in caption
    for axes in figure.axes:
        assert {float(line.get_ydata()[0]) for line in axes.lines[1:]} == {-5.0, 0.0, 5.0}
    bare = output.assign_attrs(drivers="{}")
    given = module.PaperInput(polar_run(bare), bare, None)
    with pytest.raises(CoverageError, match="Bz and By"):
        module.imf_figure(given)


def test_correlation_counts_only_the_cells(output):
    frame = polar_run(output).frames[0]
    morning, evening = module.convection_cells(frame.potential)
    field = np.random.default_rng(3).standard_normal(frame.potential.shape)
    other = np.where(morning | evening, -2.0 * field + 5.0, 1e3 * np.random.default_rng(4).standard_normal(field.shape))
    correlation, slope = cell_correlation(other, field, frame)
    assert correlation == pytest.approx(-1.0, abs=1e-12)
    assert slope == pytest.approx(-2.0, abs=1e-12)
    assert np.isnan(cell_correlation(field, np.ones_like(field), frame)).all()


def test_missing_variables_become_notes(output):
    bare = sparse(by_term=False)
    found = {one.key: one for one in make_paper_figures(bare)}
    assert {key for key, one in found.items() if one.figure is None} == {f"figure_{n}" for n in (3, 4, 5, 6, 7, 8, "s3")}
    assert "velocity_east_by_term" in found["figure_3"].reason
    found = paper_figures(output.drop_vars(["electric_potential", "invariant_latitude"]))
    assert set(found) == {"figure_1", "figure_2", "figure_3", "figure_s1"}


def test_not_a_polar_run_is_refused():
    with pytest.raises(DataError, match="not the output of a polar run: it lacks number_density"):
        paper_figures(xr.Dataset({"kp": ("time", [1.0, 2.0])}))


def test_electric_field_signs(output, monkeypatch):
    def field(drivers, time, lat, lon, alt, hemisphere):
        assert (alt, hemisphere) == (120.0, "north")
        shape = (len(lat), len(lon))
        north = np.where(np.arange(len(lon)) < len(lon) // 2, -5e-3, 1e-4) * np.ones(shape)
        parts = {"east": np.full(shape, 2e-3), "north": north}
        return xr.Dataset({f"electric_field_magnetic_{way}": (("lat", "lon"), part) for way, part in parts.items()})

    monkeypatch.setattr(module, "electric_field", field)
    figure, caption = module.field_figure(module.PaperInput(polar_run(output), output, xr.Dataset()))
    east, north = meshes(figure)[:2]
    assert np.all(east > 0.0)
    half = north.shape[1] // 2
    assert np.all(north[:, :half] < 0.0)
    assert np.all(north[:, half:] == 0.0)
    # the field is eastward everywhere, so that none of the layers has a northwestward one
    assert "northwest in 0 % and 0 % of the area" in caption


def test_mean_potential_keeps_its_cells_on_the_magnetic_grid(output):
    frame = schematic.magnetic_frame(polar_run(output))
    evening, morning = schematic.two_cells(frame)
    assert evening.extremum < 0.0 < morning.extremum
    # the potential of the synthetic run: extrema at 18 and 06 h, 16 degrees from the pole, binned to one degree
    np.testing.assert_allclose((evening.x, evening.y, morning.x, morning.y), (-16.0, 0.0, 16.0, 0.0), atol=2.0)
    assert evening.extremum == pytest.approx(-25e3, rel=0.05)
    with pytest.raises(CoverageError, match="two cells"):
        schematic.two_cells(schematic.replace(frame, potential=np.abs(frame.potential)))


def test_layer_occurrence_is_a_share_of_time(output):
    dense = output.copy(deep=True)
    dense["number_density"][:] = 1e9
    dense["number_density"].values[:, 0, np.abs(output["alt"].values - 120.0) < 1.0] = 2e11
    dense["number_density"].values[:, 1, output["alt"].values > 126.0] = 2e11  # above the layer: does not count
    np.testing.assert_allclose(schematic.layer_occurrence(polar_run(dense)), 0.25)


def test_flows_are_labelled_and_turn_round(output, monkeypatch):
    amounts = {1: 3.2e22, 2: 1e22, 3: 2e21, 4: -5e20, 5: 4e21}

    def flows(output, drivers, species, every):
        assert species == "Fe+"
        drifts = ["total", "pedersen"]
        found = {name: ("drift", [amounts[n] if d == drift else np.nan for d in drifts])
                 for n, (name, drift) in schematic.FLOWS.items()}  # fmt: skip
        return xr.Dataset(found, coords={"drift": drifts})

    monkeypatch.setattr(schematic, "mean_flows", flows)
    run = polar_run(output)
    figure, _, look = schematic.schematic_figure(run, output, xr.Dataset())
    axes = figure.axes[0]
    arrows = [part for part in axes.patches if isinstance(part, FancyArrowPatch)]
    ends = [part._posA_posB for part in arrows]
    assert ends[0][1][1] > ends[0][0][1]  # 1 upwards
    assert ends[1][1][1] < ends[1][0][1]  # 2 from noon, at the back, to midnight
    assert ends[2][1][1] < ends[2][0][1]  # 3 downwards
    assert ends[3][1][0] > ends[3][0][0]  # 4 turned round: to the morning cell, on the right
    assert any(r"3.2\times10^{22}" in text.get_text() for text in axes.texts)
    assert "4: −5.0" in look


def test_table_of_statements(output):
    names = ("place", "says", "number", "verdict", "why")
    table = xr.Dataset({name: ("statement", [f"{name} <1>", f"{name} 2"]) for name in names})
    page = render_paper_page(output, table=table, figures=[])
    assert "verdict &lt;1&gt;" in page
    with pytest.raises(DataError, match="lacks why"):
        render_paper_page(output, table=table.drop_vars("why"), figures=[])


def test_southern_page_says_so():
    assert "The paper is about the north" in parsed(render_paper_page(sparse(southern=True), figures=[])).text
