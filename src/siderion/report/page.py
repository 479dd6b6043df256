"""The one entry of the report: from a data set to a self-contained page."""

from __future__ import annotations

from importlib import import_module

import matplotlib
import xarray as xr

from .figures import STYLE

_PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "siderion source": (
        ("debris_page", "is_debris_event", "render_debris_event_page"),
        ("debris_page", "is_debris_rate", "render_debris_rate_page"),
        ("meteoroid_page", "is_meteoroids", "render_meteoroid_page"),
    ),
    "siderion ablation": (("ablation_page", "is_ablation", "render_ablation_page"),),
    "siderion ionospheric escape": (("ionosphere_page", "is_ionosphere", "render_ionosphere_page"),),
    "siderion debris parity": (("parity_page", "is_debris_parity", "render_debris_parity_page"),),
    "siderion budget": (("budget_page", "is_budget", "render_budget_page"),),
    "siderion conjunctions": (("conjunctions_page", "is_conjunctions", "render_conjunctions_page"),),
    "siderion layer": (("layer_page", "is_layer", "render_layer_page"),),
    "siderion detection map": (("detection_page", "is_detection_map", "render_detection_page"),),
    "siderion residence time": (("residence_page", "is_residence", "render_residence_page"),),
    "siderion region probability": (("residence_page", "is_region_probability", "render_region_page"),),
    "siderion ion wake": (("residence_page", "is_ion_wake", "render_ion_wake_page"),),
    "siderion pulse height": (("pulse_height_page", "is_pulse_height", "render_pulse_height_page"),),
    "siderion catalogue": (("catalogue_page", "is_catalogue", "render_catalogue_page"),),
    "siderion count": (("count_page", "is_count", "render_count_page"),),
    "siderion design": (("design_page", "is_design", "render_design_page"),),
    "siderion attribution": (("attribution_page", "is_attribution", "render_attribution_page"),),
    "siderion spectrum": (("spectrum_page", "is_spectrum", "render_spectrum_page"),),
    "siderion simulated spectrum": (("simulated_spectrum_page", "is_simulated_spectrum", "render_simulated_spectrum_page"),),
    "siderion pickup": (("pickup_page", "is_pickup", "render_pickup_page"),),
}
"""Pages by the kind that a data set names: module, test, and what renders those that pass it. Each page is loaded when it is
needed, as most of them load the calculation that they show."""


def render_report(dataset: xr.Dataset | xr.DataTree) -> str:
    """Render any Siderion data set as one self-contained HTML page.

    The output of a polar run becomes maps, cuts, budget, drivers and sources, after the figures of Andoh et al. (2026).
    An ensemble of polar runs becomes maps in magnetic coordinates of its mean, spread and layers, and a table of members.
    The result of an analysis of waves (a tree with the groups ``windows``, ``events``, ``examples``) becomes events with their
    series and spectra, and profiles of the densities; that of `siderion exosphere` becomes profiles with fits. Any other data
    set becomes a list of its variables with simple figures. Parts that need a variable the data set lacks say so and tell how
    to get it.

    Parameters
    ----------
    dataset : xarray.Dataset or xarray.DataTree
        A polar run has ``number_density(species, time, alt, lat, lon)`` in m-3 and
        ``magnetic_local_time(time, lat, lon)`` in h; ``electric_potential`` (V), ``invariant_latitude`` (degrees),
        ``velocity_*`` and ``velocity_*_by_term`` (m s-1) are shown when present. Global attributes ``settings``,
        ``mass_budget``, ``summary``, ``sources`` and ``drivers`` are JSON text.

    Returns
    -------
    str
        HTML with inline style and images as data URIs; it needs neither network nor JavaScript.

    Raises
    ------
    DataError
        The data set is neither a polar run nor has a numeric variable, or an attribute has the wrong form.
    """
    with matplotlib.rc_context(rc=STYLE):
        return _render_tree(dataset) if isinstance(dataset, xr.DataTree) else _render_dataset(dataset)


def _render_tree(tree: xr.DataTree) -> str:
    from .exosphere_page import is_exosphere, render_exosphere_page
    from .waves_page import render_waves_page

    return render_exosphere_page(tree) if is_exosphere(tree) else render_waves_page(tree)


def _render_dataset(dataset: xr.Dataset) -> str:
    for module, test, render in _PAGES.get(str(dataset.attrs.get("kind", "")), ()):
        page = import_module(f"siderion.report.{module}")
        if getattr(page, test)(dataset):
            return str(getattr(page, render)(dataset))
    from .ensemble_page import is_ensemble, render_ensemble_page
    from .generic_page import render_generic_page
    from .polar_page import render_polar_page
    from .selection import missing_for_polar_report

    if is_ensemble(dataset):
        return render_ensemble_page(dataset)
    missing = missing_for_polar_report(dataset)
    return render_generic_page(dataset, missing) if missing else render_polar_page(dataset)
