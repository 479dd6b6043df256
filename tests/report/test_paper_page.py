"""The figures of the paper: all of them, the right way up, with the signs of the paper, and notes for what is missing."""

from __future__ import annotations

import json
import re

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
from siderion.report.paper_figures import make_paper_figures, paper_figures
from siderion.report.paper_page import render_paper_page
from siderion.report.polar_page import polar_run
from siderion.report.polar_sections import VELOCITY_ROWS
from siderion.transport.diagnostics import convection_cells
from siderion.transport.diagnostics.levels import at_altitude
from siderion.transport.paper import evidence as evidence_module

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
    # 144 values from 00 to before 24 h: 36 of Bz are positive, 71 of By beyond 5 nT
    assert "negative for 75 % of the day" in caption
    assert "below 5 nT for 51 %" in caption
    assert "hourly OMNI" in caption
    assert all(len(axes.lines[0].get_xdata()) == 144 for axes in figure.axes)
    assert "By is reconstructed" in caption
    for axes in figure.axes:
        assert {float(line.get_ydata()[0]) for line in axes.lines[1:]} == {-5.0, 0.0, 5.0}
    for held, words, measured in (
        ("imf_by_gsm = 0, imf_bz_gsm = 5", "Held constant by the settings of this run: imf_by_gsm = 0, imf_bz_gsm = 5. ", False),
        ("imf_bz_gsm = 5", "Held constant by the settings of this run: imf_bz_gsm = 5. Else hourly OMNI", True),
    ):
        constant = output.assign_attrs(drivers=json.dumps(series | {"held_constant": held}))
        caption = module.imf_figure(module.PaperInput(polar_run(constant), constant, None))[1]
        assert words in caption
        assert ("hourly OMNI" in caption) == measured
    bare = output.assign_attrs(drivers="{}")
    given = module.PaperInput(polar_run(bare), bare, None)
    with pytest.raises(CoverageError, match="Bz and By"):
        module.imf_figure(given)


def test_correlation_counts_only_the_cells(output):
    given = module.PaperInput(polar_run(output), output, None)
    frames = given.run.frames
    cells = [np.logical_or(*convection_cells(frame.potential)) for frame in frames]
    field = np.random.default_rng(3).standard_normal(cells[0].shape)
    noise = 1e3 * np.random.default_rng(4).standard_normal(field.shape)
    others = [np.where(inside, -2.0 * field + 5.0, noise) for inside in cells]
    assert module._agreement(given, others, [field] * 2) == "−1.00 (slope −2.00) and −1.00 (slope −2.00) at 06:00 UT and 18:00 UT"
    assert "nothing (one field is uniform)" in module._agreement(given, [field] * 2, [np.ones_like(field)] * 2)


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


@pytest.mark.parametrize(("southern", "word"), [(False, "northwest"), (True, "southwest")])
def test_electric_field_signs(southern, word, monkeypatch):
    """A field to the west at half of the longitudes, to the east at the others; poleward everywhere."""
    given = sparse(southern=southern)
    dense = given.copy(deep=True)
    dense["number_density"][:] = 2e11

    def field(drivers, time, lat, lon, alt, hemisphere):
        assert (alt, hemisphere) == (120.0, "south" if southern else "north")
        east = np.where(np.arange(len(lon)) < len(lon) // 2, -2e-3, 2e-3) * np.ones((len(lat), len(lon)))
        parts = {"east": east, "north": np.full(east.shape, -5e-3 if southern else 5e-3)}
        return xr.Dataset({f"electric_field_magnetic_{way}": (("lat", "lon"), part) for way, part in parts.items()})

    monkeypatch.setattr(evidence_module, "electric_field", field)
    figure, caption = module.field_figure(module.PaperInput(polar_run(dense), dense, xr.Dataset()))
    east, north = meshes(figure)[:2]
    half = east.shape[1] // 2
    assert np.all(east[:, :half] < 0.0)
    assert np.all(east[:, half:] > 0.0)
    assert np.all(np.sign(north) == (-1.0 if southern else 1.0))
    # longitudes 0 to 180 E before midnight at 18 UT: no converging field; 180 to 0 W have it
    assert f"the field points to the magnetic {word} in " in caption
    shares = [float(part) for part in re.findall(r"(\d+) %", caption)]
    for frame, share in zip(polar_run(dense).frames, shares, strict=True):
        late = (frame.local_time >= 18.0) & (
            np.abs(dense.invariant_latitude.sel(alt=120.0).values[:: -1 if southern else 1]) >= 60.0
        )
        weight = np.where(late, np.cos(np.deg2rad(frame.latitude))[:, None], 0.0)
        assert share == pytest.approx(100.0 * weight[:, :half].sum() / weight.sum(), abs=0.6)
    assert ("(both blue)" in caption) == southern


def test_days_count_once(output):
    """The spin-up and 24 UT are in none of the means over the day."""
    late = output.isel(time=[0, 0, 1, 2, 3, 0]).assign_coords(
        time=(DAY + np.array([-6, 0, 6, 12, 18, 24]).astype("timedelta64[h]")).astype("datetime64[ns]")
    )
    late["electric_potential"] = late.electric_potential.copy(data=late.electric_potential.values.copy())
    late["electric_potential"].values[[0, 5]] *= -30.0
    late["number_density"] = late.number_density.copy(data=late.number_density.values.copy())
    late["number_density"].values[:, [0, 5]] = 1e12
    whole, day = polar_run(late), polar_run(output)
    np.testing.assert_array_equal(schematic.magnetic_frame(whole).potential, schematic.magnetic_frame(day).potential)
    np.testing.assert_array_equal(schematic.layer_occurrence(whole), schematic.layer_occurrence(day))


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
    names = ("place", "says", "number", "why")
    table = xr.Dataset({name: ("statement", [f"{name} <1>", f"{name} 2"]) for name in names})
    table = table.assign(verdict=("statement", ["agrees", "agrees"]), follows=("statement", [False, True]))
    page = render_paper_page(output, table=table, figures=[])
    assert "says &lt;1&gt;" in page
    assert page.count("agrees (follows from the equations)") == 1
    assert "2 statements. agrees: 2, of which 1 follow from the equations" in page
    for lost in ("why", "follows"):
        with pytest.raises(DataError, match=f"lacks {lost}"):
            render_paper_page(output, table=table.drop_vars(lost), figures=[])


def test_southern_page_says_so():
    assert "The paper is about the north" in parsed(render_paper_page(sparse(southern=True), figures=[])).text
