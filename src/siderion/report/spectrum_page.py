"""The page of fitted time-of-flight spectra: one or many of them, and energy against time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.spectrometer.instruments import Setup

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .selection import read_json_attribute, species_label
from .source_words import caution, foot, lead, need, record, unbroken
from .spectrum_energy import energy_time_section
from .spectrum_figures import (
    Course,
    FittedSpectrum,
    draw_candidates_of_peak,
    draw_courses,
    draw_fit,
    draw_goodness,
    draw_map,
)
from .spectrum_words import counted, expected_times, setup_of, species_names

KIND = "siderion spectrum"
"""Global attribute ``kind`` of the output that this page shows."""
_NEEDS = (
    *(f"species_counts{end}" for end in ("", "_lower", "_upper", "_flag", "_upper_limit", "_best")), "significance",
    "count_ratio", "goodness_of_fit", "counts", "model_background", "background_per_bin", "peak_width", "peak_tail",
    "time_scale", "tof_ns", "species", "spectrum", "instrument", "confidence", "settings",
)  # fmt: skip
_FIGURES = 4
"""With more spectra the page shows their sum and the worst fit instead of each."""
_ROWS = 60


def is_spectrum(dataset: xr.Dataset) -> bool:
    """Whether a data set is the output of ``siderion spectrum``."""
    return dataset.attrs.get("kind") == KIND


def render_spectrum_page(result: xr.Dataset) -> str:
    """Render fits of time-of-flight spectra as a self-contained HTML page.

    Parameters
    ----------
    result : xarray.Dataset
        From `siderion.spectrometer.fit.fit_spectra` or `siderion.spectrometer.fit.joint.fit_energy_time`.

    Returns
    -------
    str
        HTML without references to the outside.

    Raises
    ------
    DataError
        A variable is missing.
    """
    need(result, _NEEDS, "fitted spectra", "siderion spectrum")
    many = result.sizes["spectrum"] > _FIGURES
    sections = [Section("fit", "Spectrum and fit", _fits(result)), Section("counts", "Counts by species", _table(result))]
    if many:
        sections.insert(0, Section("course", "Counts from spectrum to spectrum", _courses(result)))
    if "joint_counts" in result:
        sections.insert(1, Section("energy", "Energy against time of flight", energy_time_section(result)))
    if "posterior_probability" in result:
        sections.append(Section("candidates", "Which ion makes the peak", _candidates(result)))
    sections += [Section("goodness", "Goodness of fit and shape", _goodness(result)), *record(result)]
    return markup.page(str(result.attrs.get("title", "Time-of-flight spectra")), _head(result), sections, foot(result))


def _head(result: xr.Dataset) -> str:
    number = result.sizes["spectrum"]
    said = [f"<li>{_summary(result, name)}</li>" for name in species_names(result)]
    intro = f"Counted events by species, from {f'{number} spectra' if number > 1 else 'one spectrum'}"
    ends = "" if number > 1 else f" (16 to 84 %; &lt;: upper limit, {_limit(result)})"
    pairs = [
        ("instrument", markup.text(result.attrs["instrument"])),
        ("post-acceleration", f"{float(result.attrs.get('voltage_v', np.nan)) / 1e3:g} kV"),
        ("energy per charge", f"{float(result.attrs.get('energy_per_charge_ev', np.nan)) / 1e3:.4g} keV/e"),
        ("foil", f"{float(result.attrs.get('foil_thickness_ug_cm2', np.nan)):g} µg cm<sup>−2</sup>"),
        ("goodness of fit, p", _chances(result)),
    ]
    return (
        lead(f"{intro}{ends}:")
        + f'<ul class="lead">{"".join(said)}</ul>'
        + markup.facts(pairs)
        + _notes(result)
        + caution(result)
    )


def _limit(result: xr.Dataset) -> str:
    return f"{100 * float(result.attrs['confidence']):g} %"


def _summary(result: xr.Dataset, name: str) -> str:
    label = f"<strong>{markup.text(species_label(name))}</strong>"
    one = result.sel(species=name)
    if result.sizes["spectrum"] == 1:
        one = one.isel(spectrum=0)
        there = int(one["species_counts_flag"]) != 1
        return f"{label}: {counted(one)}" + (f", {float(one['significance']):.1f} standard deviations" if there else "")
    seen_in = int((~one["species_counts_upper_limit"].astype(bool)).sum())
    total = float(one["species_counts_best"].fillna(0.0).sum())
    return (f"{label}: seen in {seen_in} of {one.sizes['spectrum']} spectra; sum of the best values {markup.number(total, 3)}, "
            f"median {markup.number(float(one['species_counts_best'].median()), 3)}")  # fmt: skip


def _chances(result: xr.Dataset) -> str:
    values = result["goodness_of_fit"].values
    if values.size == 1:
        return markup.number(float(values[0]), 2)
    return f"{int((values < 0.01).sum())} of {values.size} below 0.01"


def _notes(result: xr.Dataset) -> str:
    notes = list(read_json_attribute(result, "notes") or [])
    level = float((read_json_attribute(result, "settings") or {}).get("misfit_level", 0.01))
    poor = result["goodness_of_fit"].values < level
    if poor.all():
        notes.append("the fit is poor: intervals are widened, and a peak may be missing from the list of species")
    elif poor.sum() > max(1.0, 3.0 * level * poor.size):
        notes.append(f"{int(poor.sum())} of {poor.size} fits are poor: their intervals are widened")
    listed = "; ".join(markup.text(one) for one in notes)
    return f'<p class="caution"><strong>Note.</strong> {listed}.</p>' if notes else ""


def _spectrum(result: xr.Dataset, setup: Setup | None, scale: float) -> FittedSpectrum:
    """One spectrum (no dimension spectrum left) with its model where the file has it."""
    names, species = species_names(result), {}
    if "model_by_species" in result:
        rows = result["model_by_species"].transpose("species", "tof").values
        species = dict(zip(names, rows, strict=True))
    return FittedSpectrum(
        result["tof_ns"].values, result["counts"].values, result["model_background"].values, species,
        expected_times(setup, names, scale),
    )  # fmt: skip


def _fits(result: xr.Dataset) -> str:
    setup, number = setup_of(result), result.sizes["spectrum"]
    if number <= _FIGURES:
        return "".join(
            _one_fit(result.isel(spectrum=k), setup, f"Spectrum {result['spectrum'].values[k]}.") for k in range(number)
        )
    if "model_by_species" not in result:
        return markup.missing(
            f"The model by species is not kept for {number} spectra.", "Fit fewer of them at once to see it, or the sum of all."
        )
    parts = result[["counts", "model_background", "model_by_species"]].sum("spectrum")
    total = _spectrum(parts.assign_coords(result["tof_ns"].coords), setup, float(result["time_scale"].median()))
    worst = int(result["goodness_of_fit"].values.argmin())
    return _figure(total, f"Sum of {number} spectra and of their fits.") + _one_fit(
        result.isel(spectrum=worst), setup, f"The worst fit of all: spectrum {result['spectrum'].values[worst]}."
    )


def _one_fit(one: xr.Dataset, setup: Setup | None, words: str) -> str:
    chance = f" Goodness of fit p = {markup.number(float(one['goodness_of_fit']), 2)}."
    return _figure(_spectrum(one, setup, float(one["time_scale"])), markup.text(words) + chance)


def _figure(one: FittedSpectrum, words: str) -> str:
    caption = (
        f"{words} Above: counts with exact Poisson ends (16 and 84 %; bins without counts have no mark), the fitted parts, and "
        "their sum (black). Below: signed roots of the contributions to the Poisson deviance; dashed: 2 standard deviations. "
        "Triangles: time at which most of an ion is expected, with the fitted time scale; the tail shifts the mean "
        "behind it."
    )
    return markup.figure([markup.image(to_data_uri(draw_fit(one)), "Time-of-flight spectrum with fit and residuals")], caption)


def _place(result: xr.Dataset) -> NDArray:
    """Times of the spectra where their names are times, else their numbers."""
    labels = [str(one) for one in result["spectrum"].values]
    if all(len(label) >= 10 and label[4:5] == "-" for label in labels):
        try:
            times = np.array([label.removesuffix("Z") for label in labels], dtype="datetime64[ns]")
        except ValueError:
            return np.arange(len(labels))
        if (np.diff(times) > np.timedelta64(0, "ns")).all():
            return times
    return np.arange(len(labels))


def _courses(result: xr.Dataset) -> str:
    place, courses = _place(result), {}
    for name in species_names(result):
        one = result.sel(species=name)
        values, low, high = (one[f"species_counts{end}"].values for end in ("", "_lower", "_upper"))
        courses[name] = Course(values, low, high, one["species_counts_upper_limit"].values.astype(bool))
    words = f"not seen: upper limit ({_limit(result)})"
    drawn = draw_courses(place, courses, words)
    setup = setup_of(result)
    expected = expected_times(setup, species_names(result), float(result["time_scale"].median()))
    maps = draw_map(place, result["tof_ns"].values, result["counts"].values, expected)
    return markup.figure(
        [markup.image(to_data_uri(drawn), "Counts of each species by spectrum")],
        "Counts of each species in each spectrum, with 16 and 84 % ends of the profile likelihood. Open triangles: not seen; the "
        f"value is an upper limit ({_limit(result)}).",
    ) + markup.figure(
        [markup.image(to_data_uri(maps), "Map of all spectra")],
        "All spectra as measured; white: no count. Dashed: times at which most of an ion is expected.",
    )


def _table(result: xr.Dataset) -> str:
    names, number = species_names(result), result.sizes["spectrum"]
    rows: list[list[str | Number]] = []
    for k in range(min(number, _ROWS)):
        for name in names:
            one = result.isel(spectrum=k).sel(species=name)
            seen = f"{float(one['significance']):.1f}" if np.isfinite(float(one["significance"])) else "–"
            rows.append([markup.text(one["spectrum"].item()), unbroken(markup.text(species_label(name))), Number(counted(one)),
                         Number(_limit_of(one)), Number(seen), Number(_ratio(one)), _flag(one)])  # fmt: skip
    heads = ["spectrum", "ion", "counts (16 to 84 %)", f"limit, {_limit(result)}", "significance",
             f"over {species_label(names[0])}", "remark"]  # fmt: skip
    body = markup.table(heads, rows, "wide")
    if number > _FIGURES:
        rest = f" of {number}" if number > _ROWS else ""
        body = f"<details><summary>The first {min(number, _ROWS)}{rest} spectra</summary>{body}</details>"
    words = markup.paragraph(
        "Significance: root of the likelihood ratio against no such ion, in standard deviations. Where it is low, the counts are "
        "an upper limit. Counts are events on the whole time axis, not corrected for efficiency. Ratio: of the best values."
    )
    return words + body + _correlations(result)


def _limit_of(one: xr.Dataset) -> str:
    value = float(one["species_counts_limit"]) if "species_counts_limit" in one else np.nan
    return markup.number(value, 3) if np.isfinite(value) else "–"


def _ratio(one: xr.Dataset) -> str:
    value = float(one["count_ratio"])
    return markup.number(value, 2) if np.isfinite(value) else "–"


def _flag(one: xr.Dataset) -> str:
    flag, attrs = int(one["species_counts_flag"]), one["species_counts_flag"].attrs
    known = dict(
        zip(np.atleast_1d(attrs.get("flag_values", [])).tolist(), str(attrs.get("flag_meanings", "")).split(), strict=False)
    )
    return markup.text(known.get(flag, "").replace("_", " ")) if flag else ""


def _correlations(result: xr.Dataset) -> str:
    names = species_names(result)
    if "correlation" not in result or len(names) < 2:
        return ""
    middle = result["correlation"].median("spectrum").values
    rows: list[list[str | Number]] = [
        [unbroken(markup.text(species_label(name))), *(Number(f"{v:.2f}".replace("-", "\N{MINUS SIGN}")) for v in row)]
        for name, row in zip(names, middle, strict=True)
    ]
    words = "Correlation of the errors (median of all spectra): near −1 means that only the sum of two ions is known."
    return markup.paragraph(words) + markup.table(["ion", *map(species_label, names)], rows, "wide")


def _candidates(result: xr.Dataset) -> str:
    names = [str(name) for name in result["candidate"].values]
    before, after = result["prior_probability"].values, result["posterior_probability"].values
    rows: list[list[str | Number]] = [
        [unbroken(markup.text(species_label(name))), Number(f"{before[k]:.2g}"), Number(f"{after[k]:.3g}"),
         Number(f"{float(result['ln_likelihood_ratio'][k]):.2f}".replace("-", "\N{MINUS SIGN}")),
         Number(markup.number(float(result["candidate_counts"][k]), 3))]
        for k, name in enumerate(names)
    ]  # fmt: skip
    drawn = draw_candidates_of_peak(names, before, after)
    words = markup.paragraph(
        f"Verdict: <strong>{markup.text(result.attrs.get('verdict', ''))}</strong>. One of the candidates is taken to be there, "
        "with the ions of the list above; mixtures of them are not among the answers."
    )
    return (
        words
        + markup.figure([markup.image(to_data_uri(drawn), "Probability of the candidates")], "Probability of each candidate.")
        + markup.table(["ion", "before", "after", "ln likelihood below the best", "counts, alone"], rows, "pairs")
    )


def _goodness(result: xr.Dataset) -> str:
    number = result.sizes["spectrum"]
    median = {name: float(result[name].median()) for name in ("peak_width", "peak_tail", "time_scale", "background_per_bin")}
    pairs = [
        ("goodness of fit, p", _chances(result)),
        ("width of the peaks (1 σ)", f"{100 * median['peak_width']:.2g} % of the time"),
        ("mean delay by the tail", f"{100 * median['peak_tail']:.2g} % of the time"),
        ("factor on all times, of the sharp part of the peaks", f"{median['time_scale']:.4f}"),
        ("background", f"{markup.number(median['background_per_bin'], 2)} counts in a bin"),
    ]
    words = "p: chance of a larger Poisson deviance if the model is right. " + (
        "Shape: medians of all spectra." if number > 1 else ""
    )
    body = markup.facts(pairs) + markup.paragraph(words) + _scale_note(result, median["time_scale"], median["peak_tail"])
    if number <= _FIGURES:
        return body
    drawn = draw_goodness(result["goodness_of_fit"].values)
    caption = "Goodness of fit of all spectra; it is spread about evenly (dashed) where the model is right and counts are many."
    return body + markup.figure([markup.image(to_data_uri(drawn), "Goodness of fit of all spectra")], caption)


def _scale_note(result: xr.Dataset, scale: float, tail: float) -> str:
    """A note where the fitted mean times lie far off what was allowed for."""
    spread = float((read_json_attribute(result, "settings") or {}).get("time_scale_prior", 0.0) or 0.0)
    # the fit gives the factor of the sharp part of the peak; the tail shifts the mean behind it
    mean = scale * (1.0 + tail)
    if spread <= 0.0 or abs(mean - 1.0) <= 3.0 * spread:
        return ""
    return (
        f'<p class="caution"><strong>Times of flight.</strong> The mean times are {mean:.4f} times the computed ones, '
        f"{abs(mean - 1.0) / spread:.1f} standard deviations of the prior ({spread:g}) off: voltage, energy, foil or the "
        "calibration of the times may be wrong.</p>"
    )
