"""The page of simulated time-of-flight spectra."""

from __future__ import annotations

import xarray as xr

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .selection import read_json_attribute, species_label
from .source_words import caution, foot, lead, need, record, unbroken
from .spectrum_figures import FittedSpectrum, draw_fit
from .spectrum_words import expected_times, find_setup, species_names

KIND = "siderion simulated spectrum"
"""Global attribute ``kind`` of the output that this page shows."""
_NEEDS = ("counts", "expected_counts", "expected_by_species", "expected_background", "tof_ns", "settings")


def is_simulated_spectrum(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion spectrum simulate``."""
    return dataset.attrs.get("kind") == KIND


def render_simulated_spectrum_page(result: xr.Dataset) -> str:
    """Render a simulated spectrum as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.spectrometer.forward.simulate_spectrum`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(result, _NEEDS, "simulated spectrum", "siderion spectrum simulate")
    names = species_names(result)
    found = dict(zip(names, result["expected_by_species"].transpose("species", "tof").values, strict=True))
    settings = dict(read_json_attribute(result, "settings") or {})
    setup = find_setup(settings.get("instrument"), settings.get("voltage"), settings.get("energy_per_charge"),
                   settings.get("foil_thickness"), settings.get("foil_model", "fit"))  # fmt: skip
    one = FittedSpectrum(
        result["tof_ns"].values, result["counts"].values, result["expected_background"].values, found,
        expected_times(setup, names, 1.0),
    )  # fmt: skip
    drawn = draw_fit(one, "expected")
    caption = (
        "Drawn counts with exact Poisson ends (16 and 84 %), and what was expected, by ion; bins without counts have no mark. "
        "Below: signed roots of the contributions to the Poisson deviance, which scatter by about 1. Triangles: time at which "
        "most of an ion arrives without noise; molecules break in the foil, and the first fragment counts."
    )
    rows: list[list[str | Number]] = [
        [unbroken(markup.text(species_label(name))), Number(markup.number(float(row.sum()), 4))] for name, row in found.items()
    ]
    parts = ", ".join(f"{markup.text(species_label(name))} {markup.number(float(row.sum()), 3)}" for name, row in found.items())
    head = (
        '<p class="caution"><strong>Simulated spectrum: this is no measurement.</strong></p>'
        + lead(
            f"{float(one.counts.sum()):.0f} counts drawn from expected {parts} and "
            f"{markup.number(float(one.background.sum()), 3)} of background."
        )
        + markup.facts([("events that the dead time leaves", f"{100 * float(result.attrs.get('live_share', 1.0)):.3g} %"),
                        ("peaks", markup.text(_shape_words(settings.get("peak_shape"))))])
        + caution(result)
    )  # fmt: skip
    sections = [
        Section("spectrum", "Spectrum", markup.figure([markup.image(to_data_uri(drawn), "Simulated spectrum")], caption)),
        Section("counts", "Expected counts on the time axis", markup.table(["ion", "expected counts"], rows, "pairs")),
        *record(result),
    ]
    return markup.page(str(result.attrs.get("title", "Simulated spectrum")), head, sections, foot(result))


def _shape_words(shape: object) -> str:
    if isinstance(shape, dict):
        return f"{shape.get('kind', '')}, width {100 * float(shape.get('width', 0.0)):.2g} %"
    return "Monte Carlo of the foil" if shape == "montecarlo" else str(shape)
