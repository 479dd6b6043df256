from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg

from siderion.core.errors import DataError
from siderion.report.exosphere_page import is_exosphere, model_curves, parameter_rows, render_exosphere_page
from siderion.report.profile_figures import Curve, Dots, draw_brightness, draw_profile

RADIUS = 2440.0


def bins():
    """Two bins of five and of one event; densities in m-3 that are whole numbers in cm-3."""
    values = {"minimum": [10, 3], "lower_quartile": [20, 3], "median": [30, 3], "upper_quartile": [40, 3], "maximum": [90, 3]}
    return xr.Dataset(
        {
            **{f"density_{name}": ("radial_bin", 1e6 * np.array(row, dtype=float)) for name, row in values.items()},
            "radial_distance": ("radial_bin", RADIUS * np.array([1.3, 2.2])),
            "radial_distance_bounds": (("radial_bin", "bound"), RADIUS * np.array([[1.0, 1.5], [2.0, 2.5]])),
            "event_count": ("radial_bin", [5, 1]),
            "event_radial_distance": ("event", RADIUS * np.array([1.1, 1.2, 1.3, 1.4, 1.45, 2.2])),
            "event_density": ("event", 1e6 * np.array([10.0, 20, 30, 40, 90, 3])),
        },
        attrs={"bin_width_in_radii": 0.5, "events_left_out": 3},
    )


def fitted(populations=("thermal", "energetic"), ends=True):
    radius = RADIUS * np.linspace(1.0, 3.0, 21)
    count = len(populations)
    share = 1e8 * np.exp(-(radius / RADIUS - 1.0) * 2.0) / np.arange(1, count + 1)[:, None]
    flags = {"flag_values": np.array([0, 3], dtype=np.int16), "flag_meanings": "good at_a_bound"}
    fit = xr.Dataset(
        {
            "surface_density": ("population", 1e8 / np.arange(1, count + 1)),
            "temperature": ("population", 420.0 * np.arange(1, count + 1)),
            "model_density": ("radius", share.sum(axis=0)),
            "population_density": (("population", "radius"), share),
            "column_density": ((), 3.21e14),
        },
        coords={"population": list(populations), "radius": radius},
        attrs={"model": "two <component>"},
    )
    if not ends:
        return fit
    for name in ("surface_density", "temperature", "model_density", "column_density"):
        fit[f"{name}_lower"], fit[f"{name}_upper"] = 0.5 * fit[name], 2.0 * fit[name]
    fit["temperature_flag"] = ("population", np.array([0, 3][:count], dtype=np.int16), flags)
    fit["chi_square"], fit["degrees_of_freedom"], fit["chi_square_probability"] = 9.5, 2, 0.0087
    names = ["surface_density_thermal", "temperature_thermal"]
    fit = fit.assign_coords(parameter=names, other_parameter=names)
    fit["correlation"] = (("parameter", "other_parameter"), np.array([[1.0, -0.87], [-0.87, 1.0]]))
    fit["systematic_factor"] = ("end", [0.7, 2.5])
    fit.attrs["fixed"] = json.dumps({"surface_density_energetic": 1.5e8, "temperature_energetic": 4000.0})
    return fit


def brightness():
    tangent = RADIUS * np.linspace(1.0, 2.9, 20)
    values = 150.0 * np.exp(-(tangent / RADIUS - 1.0))
    return xr.Dataset(
        {"brightness": (("line", "radius"), values[None]), "thick_brightness": (("line", "radius"), 0.8 * values[None]),
         "g_factor": ("line", [1.2e-2])},
        coords={"line": [121.567], "radius": tangent},
    )  # fmt: skip


def losses():
    return xr.Dataset(
        {"jeans_escape_rate": ("population", [1e25, np.nan]), "photo_loss_total": 2e23, "photo_loss_frequency": 5e-7},
        coords={"population": ["thermal", "energetic"]},
        attrs={"distance_au": 0.38, "activity": 0.0, "photo_loss": "all in sunlight"},
    )


def tree(**nodes):
    attrs = {"kind": "siderion exosphere", "body": "Mercury", "body_radius_km": RADIUS, "title": "H & He",
             "not_made": json.dumps({"Na": "no <events>"})}  # fmt: skip
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attrs), **{key.replace("_", "/"): one for key, one in nodes.items()}})


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def test_page_names_all_results():
    whole = tree(H2_profile=bins(), H2_fit=fitted(), H2_brightness=brightness(), H2_losses=losses(), He_fit=fitted(ends=False))
    assert is_exosphere(whole)
    page = render_exosphere_page(whole)
    text = plain(page)
    for said in (
        "H &amp; He", "H₂", "Na was not made. no &lt;events&gt;", "two &lt;component&gt;", "χ² = 9.5 with 2 degrees of freedom",
        "does not describe the profile", "3.21 × 1010 (1.60 × 1010 to 6.42 × 1010) cm−2", "temperature at a bound", "−0.87",
        "surface density energetic 150 cm−3", "temperature energetic 4000 K", "factors 0.7 to 2.5",
        "Jeans escape: thermal 1.00 × 1025 s−1.", "121.567 nm: brightness at the surface 150 R",
        "3 events without a positive density",
    ):  # fmt: skip
        assert said in text, said
    assert page.count("<img") == 3
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_parameters_are_in_cubic_centimetres_with_their_ends():
    rows = list(parameter_rows(fitted(), "He"))
    assert [row[1] for row in rows] == ["thermal", "energetic"]
    assert rows[0][2].html == "100 (50 to 200)"
    assert rows[0][3].html == "420 (210 to 840)"
    assert rows[0][4] == "–"
    assert rows[1][4] == "temperature at a bound"


def test_one_neutral_at_the_root_and_no_fit():
    page = render_exosphere_page(tree(profile=bins()))
    assert "The profile was not fitted." in plain(page)
    assert page.count("<img") == 1


def test_empty_tree_and_missing_radius():
    assert "no fitted profile" in plain(render_exosphere_page(tree()))
    bare = tree(H_fit=fitted())
    del bare.attrs["body_radius_km"]
    with pytest.raises(DataError, match="body_radius_km"):
        render_exosphere_page(bare)


def test_small_populations_are_not_drawn():
    whole = tree(H_fit=fitted())
    assert [curve.label for curve in model_curves(whole["H"])] == ["model", "thermal", "energetic"]
    faint = fitted()
    faint["population_density"][1] *= 1e-9
    assert [curve.label for curve in model_curves(tree(H_fit=faint)["H"])] == ["model", "thermal"]


def test_profile_is_upright_and_its_marks_are_in_place():
    dots = Dots(bins()["event_radial_distance"].values, bins()["event_density"].values)
    axes = draw_profile("He", bins(), "Mercury", RADIUS, dots=dots).axes[0]
    assert axes.get_xscale() == "log"
    assert not axes.yaxis_inverted()
    assert axes.get_ylim() == (1.0, 2.5)
    by_name = {}
    for line in axes.lines:
        by_name.setdefault(line.get_gid(), []).append(line)
    assert [set(np.round(line.get_xdata(), 9)) for line in by_name["median"]] == [{30.0}, {3.0}]
    assert np.allclose(by_name["events"][0].get_ydata(), [1.1, 1.2, 1.3, 1.4, 1.45, 2.2])
    box = axes.patches[0]  # the bin of one event has none
    assert len(axes.patches) == 1
    assert (box.get_x(), box.get_x() + box.get_width()) == pytest.approx((20.0, 40.0))
    assert box.get_y() + 0.5 * box.get_height() == pytest.approx(1.3)
    counts = [(text.get_text(), text.get_position()[1]) for text in axes.texts if text.get_gid() == "count"]
    assert counts == [("5", pytest.approx(1.3)), ("1", pytest.approx(2.2))]


def test_counts_do_not_cover_data_and_altitude_starts_at_the_surface():
    figure = draw_profile("He", bins(), "Mercury", RADIUS)
    FigureCanvasAgg(figure).draw()
    axes = figure.axes[0]
    left = min(text.get_window_extent().x0 for text in axes.texts if text.get_gid() == "count")
    right = max(axes.transData.transform((90.0, 1.3))[0], axes.transData.transform((30.0, 1.3))[0])
    assert right < left
    altitude = axes.child_axes[0]
    assert altitude.get_ylim() == pytest.approx((0.0, 1.5 * RADIUS))
    assert altitude.get_ylabel().endswith("km")


def test_curve_is_drawn_in_radii_and_cubic_centimetres():
    curve = Curve("model", RADIUS * np.array([1.0, 2.0]), np.array([5e7, 2e6]))
    axes = draw_profile("H", None, "Mercury", RADIUS, curves=[curve]).axes[0]
    line = next(one for one in axes.lines if one.get_label() == "model")
    assert np.allclose(line.get_xdata(), [50.0, 2.0])
    assert np.allclose(line.get_ydata(), [1.0, 2.0])
    assert axes.get_ylim() == (1.0, 2.0)


def test_brightness_has_its_units_and_drops_what_a_log_axis_cannot_show():
    curve = Curve("thin", RADIUS * np.array([1.0, 2.0, 3.0]), np.array([100.0, 0.0, 5.0]))
    axes = draw_brightness("H", [curve], "Mercury", RADIUS).axes[0]
    assert "rayleigh" in axes.get_xlabel()
    assert np.allclose(axes.lines[0].get_xdata(), [100.0, 5.0])
