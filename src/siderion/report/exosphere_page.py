"""The page of an exosphere: binned profiles with the fitted model, its parameters, columns and brightness."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

from . import markup
from .figures import to_data_uri
from .markup import Number, Section
from .profile_figures import CUBIC_CENTIMETRE, Curve, Dots, draw_brightness, draw_profile
from .record_sections import citation_section, settings_section, sources_of, sources_section
from .selection import species_label
from .wave_figures import COLOURS
from .wave_words import files_words, flag_words, read_record

KIND = "siderion exosphere"
"""Global attribute ``kind`` of the output that this page shows."""
_SMALLEST_SHARE = 1e-3
"""Populations that are nowhere a larger part of the total are not drawn."""
_POOR = 0.01
"""Chance of a larger chi-square below which the page says that the model does not fit."""
_PER_CM2 = 1e-4
"""m2 over cm2."""


def is_exosphere(tree: xr.DataTree) -> bool:
    """Whether a tree is the output of ``siderion exosphere``."""
    return tree.attrs.get("kind") == KIND or any(True for _ in _groups(tree))


def render_exosphere_page(tree: xr.DataTree) -> str:
    """Render fitted exospheres as one self-contained HTML page.

    Parameters
    ----------
    tree : xarray.DataTree
        One group per neutral (``/H``, ``/He``), as `siderion.exosphere.retrieval` makes them, or the groups of one neutral at
        the root. ``fit``, from `siderion.exosphere.fit.fit_profile`, perhaps with ``population_density(population, radius)``
        in m-3, or a preset without ends; ``profile`` (optional), from `siderion.exosphere.fit.bin_profile` (km, m-3);
        ``brightness`` (optional) with ``brightness(line, radius)`` in rayleigh by line (nm) and tangent distance (km),
        perhaps ``_lower``, ``_upper`` and ``thick_brightness``; ``losses`` (optional), s-1. Root attributes: ``body``,
        ``body_radius_km``, ``title``, ``files``, ``not_made``, ``settings``, ``sources`` (JSON), ``siderion_version``.

    Returns
    -------
    str
        HTML without references to the outside; texts of the data are escaped.
    """
    root = tree.to_dataset()
    found = list(_groups(tree))
    sections = [Section("summary", "Summary", _summary(found))] if found else []
    for number, (name, part) in enumerate(found):
        label = markup.text(species_label(name))
        sections.append(Section(f"species-{number + 1}", label, species_body(part, root, name, COLOURS[number % len(COLOURS)])))
    if not found:
        body = markup.missing("The output has no fitted profile.", "A new siderion exosphere run writes it.")
        sections.append(Section("summary", "Summary", body))
    sections += [sources_section(root), settings_section(root), citation_section(root)]
    body = str(root.attrs.get("body", "an unnamed body"))
    title = str(root.attrs.get("title") or f"Exosphere of {body}")
    made = f"Made by Siderion {markup.text(root.attrs.get('siderion_version', ''))}."
    return markup.page(title, _head(root, found), sections, made)


def _groups(tree: xr.DataTree) -> Iterator[tuple[str, xr.DataTree]]:
    """Neutrals and their groups: those of the root, or one child per neutral."""
    children = {"": tree} if {"profile", "fit"} & set(tree.children) else tree.children
    for name, child in children.items():
        if {"profile", "fit"} & set(child.children):
            fit = child["fit"].attrs if "fit" in child.children else {}
            yield str(name or fit.get("species") or child.attrs.get("neutral") or "neutrals"), child


def _head(root: xr.Dataset, found: list[tuple[str, xr.DataTree]]) -> str:
    fitted = dict.fromkeys(str(part["fit"].attrs.get("model", "")) for _, part in found if "fit" in part.children)
    models = [str(root.attrs["model"])] if root.attrs.get("model") else list(fitted)
    pairs = [
        ("body", markup.text(root.attrs.get("body", "not named"))),
        ("convention of the densities", markup.text(root.attrs.get("convention", "–"))),
        ("neutrals", markup.text(", ".join(species_label(name) for name, _ in found) or "none")),
        ("model", markup.text(", ".join(one for one in models if one) or "none")),
        ("files", files_words(read_record(root, "files"))),
        ("Siderion", markup.text(root.attrs.get("siderion_version", "(version not named)"))),
    ]
    unverified = [one for one in sources_of(root) if one.get("confidence") not in ("verified", "computed")]
    caution = ""
    if unverified:
        listed = "; ".join(markup.text(one.get("what") or one.get("model") or "unnamed") for one in unverified)
        caution = (f'<p class="caution"><strong>Caution.</strong> Some of the inputs are unverified: {listed} '
                   '(see <a href="#sources">Sources</a>).</p>')  # fmt: skip
    not_made = "".join(
        f'<p class="caution"><strong>{markup.text(species_label(name))} was not made.</strong> {markup.text(why)}</p>'
        for name, why in (read_record(root, "not_made") or {}).items()
    )
    return markup.facts(pairs) + caution + not_made


# ---------------------------------------------------------------------- numbers


def with_ends(dataset: xr.Dataset, name: str, factor: float = 1.0) -> str:
    """A measurement of one value with its 16 and 84 % ends (ready HTML)."""
    value = float(dataset[name]) * factor
    if np.isfinite(value) and f"{name}_lower" not in dataset:
        return markup.number(value)
    low, high = (float(dataset[name + end]) * factor if np.isfinite(value) else np.nan for end in ("_lower", "_upper"))
    if not np.isfinite(value):
        return "–"
    if f"{name}_upper_limit" in dataset and bool(dataset[f"{name}_upper_limit"]):
        return f"&lt; {markup.number(value)}"
    if low == high:
        return markup.number(value)
    if not (np.isfinite(low) and np.isfinite(high)):
        return f"{markup.number(value)} (ends not known)"
    return f"{markup.number(value)} ({markup.number(low)} to {markup.number(high)})"


def _summary(found: list[tuple[str, xr.DataTree]]) -> str:
    """One row per neutral and population."""
    rows: list[list[str | Number]] = []
    for name, part in found:
        if "fit" in part.children:
            rows += parameter_rows(part["fit"].to_dataset(), name)
    if not rows:
        return markup.missing("No profile was fitted.", "Give the fit more events.")
    heads = ["neutral", "population", "surface density, cm⁻³", "temperature, K", "notes"]
    fitted = any("profile" in part.children for _, part in found)
    said = "Best fit, with the 16 and 84 % ends." if fitted else "Populations that are known for the body; nothing was fitted."
    return markup.table(heads, rows, "wide") + markup.paragraph(said)


def parameter_rows(fit: xr.Dataset, name: str) -> Iterator[list[str | Number]]:
    """Surface density and temperature of each population, with the flags in words."""
    for population in map(str, fit["population"].values):
        one = fit.sel(population=population)
        notes = []
        for key, label in (("surface_density", "density"), ("temperature", "temperature")):
            said = flag_words(one[f"{key}_flag"]) if f"{key}_flag" in one else ""
            if said and not (key == "temperature" and not np.isfinite(float(one[key]))):
                notes.append(f"{label} {said}")
        temperature = with_ends(one, "temperature")
        if temperature == "–":
            notes.append("no temperature: its shape is given")
        yield [
            markup.text(species_label(name)), markup.text(population),
            Number(with_ends(one, "surface_density", CUBIC_CENTIMETRE)), Number(temperature),
            markup.text("; ".join(notes)) or "–",
        ]  # fmt: skip


def fit_words(fit: xr.Dataset) -> str:
    """Chi-square, degrees of freedom, column and origin of the ends (ready HTML)."""
    said = f"Model <strong>{markup.text(fit.attrs.get('model', 'not named'))}</strong>"
    said += f": {_square_words(fit)}" if "chi_square" in fit else "."
    if "column_density" in fit:
        column = with_ends(fit, "column_density", _PER_CM2)
        flag = flag_words(fit["column_density_flag"]) if "column_density_flag" in fit else ""
        end = f" up to {float(fit.attrs['largest_radius_km']):.0f} km from the centre" if "largest_radius_km" in fit.attrs else ""
        said += f" Column density from the surface{end}: {column} cm<sup>−2</sup>{f' ({markup.text(flag)})' if flag else ''}."
    fixed = json.loads(str(fit.attrs.get("fixed", "{}")))
    if fixed:
        said += " Held fixed: " + ", ".join(
            markup.text(key.replace("_", " ")) + f" {_plain(key, float(value))}" for key, value in fixed.items()
        ) + "."  # fmt: skip
    if fit.attrs.get("uncertainty"):
        said += f" Ends: {markup.text(fit.attrs['uncertainty'])}."
    return said


def _square_words(fit: xr.Dataset) -> str:
    square, freedom = float(fit["chi_square"]), int(fit["degrees_of_freedom"])
    said = f"χ² = {markup.number(square)} with {freedom} {'degree' if freedom == 1 else 'degrees'} of freedom"
    if not freedom:
        return f"{said}; the fit has as many parameters as bins, so χ² says nothing."
    if "chi_square_probability" in fit:
        chance = float(fit["chi_square_probability"])
        said += f" (chance of a larger one {markup.number(chance, 2)})"
        if chance < _POOR:
            said += "; <strong>the model does not describe the profile within its errors</strong>"
    return f"{said}."


def systematic_words(fit: xr.Dataset) -> str:
    """What all densities have in common (ready HTML); empty where the fit does not say."""
    if "systematic_factor" not in fit:
        return ""
    low, high = (markup.number(float(one), 2) for one in fit["systematic_factor"].values)
    why = f": {markup.text(fit.attrs['systematic'])}" if fit.attrs.get("systematic") else ""
    return f"The ends are statistical. All densities together are uncertain by the factors {low} to {high} in addition{why}."


def loss_words(losses: xr.Dataset) -> str:
    """Escape and photo-loss (ready HTML)."""
    rates = [
        f"{markup.text(name)} {markup.number(float(value))} s<sup>−1</sup>"
        for name, value in zip(losses["population"].values, losses["jeans_escape_rate"].values, strict=True)
        if np.isfinite(value)
    ]
    said = [f"Jeans escape: {', '.join(rates)}."] if rates else []
    basis = markup.text(losses.attrs.get("photo_loss", ""))
    if "photo_loss_total" in losses:
        frequency = markup.number(float(losses["photo_loss_frequency"]))
        total = markup.number(float(losses["photo_loss_total"]))
        said.append(
            f"Loss to sunlight: {total} s<sup>−1</sup> at {frequency} s<sup>−1</sup> for each{f' ({basis})' if basis else ''}."
        )
    elif basis:
        said.append(f"Loss to sunlight: {basis}.")
    if "distance_au" in losses.attrs:
        said.append(f"At {markup.number(float(losses.attrs['distance_au']))} au, activity {float(losses.attrs['activity']):g} "
                    "(0 quiet, 1 active Sun).")  # fmt: skip
    return " ".join(said)


def _plain(key: str, value: float) -> str:
    if key.startswith("temperature"):
        return f"{markup.number(value)} K"
    return f"{markup.number(value * CUBIC_CENTIMETRE)} cm<sup>−3</sup>"


def correlation_table(fit: xr.Dataset) -> str:
    """Correlations of the fitted parameters; nothing for a single one (ready HTML)."""
    if "correlation" not in fit or fit.sizes["parameter"] < 2:
        return ""
    names = [str(name) for name in fit["parameter"].values]
    values = fit["correlation"].transpose("parameter", "other_parameter").values
    if not np.isfinite(values).any():
        return markup.paragraph("The correlations of the parameters are not known: the fit has no finite covariance matrix.")
    rows: list[list[str | Number]] = []
    for k, name in enumerate(names):
        cells = [Number(f"{one:.2f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(one) else "–") for one in values[k]]
        rows.append([markup.text(name.replace("_", " ")), *cells])
    return "<h3>Correlations of the parameters</h3>" + markup.table(
        ["parameter", *(name.replace("_", " ") for name in names)], rows, "wide"
    )


# ---------------------------------------------------------------------- one neutral


def model_curves(part: xr.DataTree) -> list[Curve]:
    """The total of the fit with its ends, and the populations where there are several."""
    if "fit" not in part.children:
        return []
    fit = part["fit"].to_dataset()
    radius = fit["radius"].values.astype(float)
    ends = [fit[f"model_density{end}"].values if f"model_density{end}" in fit else None for end in ("_lower", "_upper")]
    curves = [Curve("model", radius, fit["model_density"].values, ends[0], ends[1])]
    holder = part["model"].to_dataset() if "model" in part.children else fit
    if "population_density" in holder and holder.sizes["population"] > 1:
        place = holder["radius"].values.astype(float)
        total = np.interp(place, radius, fit["model_density"].values)
        for name in holder["population"].values:
            density = holder["population_density"].sel(population=name).values.astype(float)
            if (density > _SMALLEST_SHARE * total).any():
                curves.append(Curve(str(name), place, density, component=True))
    return curves


def species_body(part: xr.DataTree, root: xr.Dataset, name: str, colour: str) -> str:
    """Figure, parameters, correlations and brightness of one neutral (ready HTML)."""
    profile = part["profile"].to_dataset() if "profile" in part.children else None
    body, radius = str(root.attrs.get("body", "the body")), _surface(root, profile)
    curves, label = model_curves(part), species_label(name)
    dots = None
    if profile is not None and "event_density" in profile:
        dots = Dots(profile["event_radial_distance"].values, profile["event_density"].values)
    drawn = draw_profile(f"{label} at {body}", profile, body, radius, colour=colour, dots=dots, curves=curves)
    images = [markup.image(to_data_uri(drawn), f"Density of {label} against distance from {body}")]
    caption = profile_caption(label, profile, curves)
    light = part["brightness"].to_dataset() if "brightness" in part.children else None
    if light is not None:
        images += _brightness_images(light, label, body, radius)
        end = float(part["fit"]["radius"].max()) / radius if "fit" in part.children else float(light["radius"].max()) / radius
        caption += (
            " Further figures: brightness of resonance lines along lines of sight past the body. They end where the model "
            f"does, at {end:.3g} radii: near there the brightness is too low."
        )
    result = markup.figure(images, caption)
    left = int(profile.attrs.get("events_left_out", 0)) if profile is not None else 0
    if left:
        result += markup.paragraph(f"{left} events without a positive density are left out.")
    if "fit" not in part.children:
        return result + markup.missing("The profile was not fitted.", "A fit needs at least as many bins as parameters.")
    fit = part["fit"].to_dataset()
    rows = [row[1:] for row in parameter_rows(fit, name)]
    result += markup.table(["population", "surface density, cm⁻³", "temperature, K", "notes"], rows, "wide")
    said = [fit_words(fit), systematic_words(fit)]
    said.append(loss_words(part["losses"].to_dataset()) if "losses" in part.children else "")
    said.append(_line_words(light) if light is not None else "")
    return result + "".join(markup.paragraph(one) for one in said if one) + correlation_table(fit)


def profile_caption(label: str, profile: xr.Dataset | None, curves: list[Curve]) -> str:
    """Words below the figure of a profile (ready HTML)."""
    said = f"Density of {markup.text(label)} against distance from the centre, altitude upwards."
    if profile is not None:
        width = profile.attrs.get("bin_width_in_radii")
        said += (
            f" Dots: events. In each bin{f' of {float(width):g} radii' if width else ''} the orange line is the median, the box "
            "the quartiles (from four events on), the bar the smallest and largest; the number of events is at the right."
        )
    if curves:
        said += " Black: model" + (", with its 16–84 % ends in grey." if curves[0].lower is not None else ".")
    if len(curves) > 1:
        said += " Dashed: its populations (those that reach 0.1 % of the total somewhere)."
    return said


def _surface(root: xr.Dataset, profile: xr.Dataset | None) -> float:
    """Radius of the body, km."""
    value = root.attrs.get("body_radius_km") or (profile.attrs.get("surface_radius_km") if profile is not None else None)
    if not value:
        raise DataError('global attribute "body_radius_km" is missing: the distances cannot be drawn; write the output anew')
    return float(value)


def _brightness_images(light: xr.Dataset, label: str, body: str, radius: float) -> list[str]:
    """One figure per line."""
    images = []
    for k, line in enumerate(light["line"].values):
        one = light.isel(line=k)
        tangent = one["radius"].values.astype(float)
        ends = [one[f"brightness{end}"].values if f"brightness{end}" in one else None for end in ("_lower", "_upper")]
        curves = [Curve("optically thin", tangent, one["brightness"].values, ends[0], ends[1])]
        if "thick_brightness" in one and np.isfinite(one["thick_brightness"].values).any():
            curves.append(Curve("with multiple scattering (estimate)", tangent, one["thick_brightness"].values, component=True))
        title = f"{label}, {float(line):g} nm"
        drawn = draw_brightness(title, curves, body, radius)
        images.append(markup.image(to_data_uri(drawn), f"Brightness of {title} at the limb of {body}"))
    return images


def _line_words(light: xr.Dataset) -> str:
    """g-factors and optical depths of the lines (ready HTML)."""
    said = []
    for k, line in enumerate(light["line"].values):
        one = light.isel(line=k)
        parts = [f"brightness at the surface {markup.number(float(one['brightness'][0]))} R"]
        if "g_factor" in one:
            parts.append(f"g-factor {markup.number(float(one['g_factor']))} s<sup>−1</sup>")
        if "optical_depth" in one and np.isfinite(float(one["optical_depth"])):
            parts.append(f"vertical optical depth {markup.number(float(one['optical_depth']), 2)}")
        said.append(f"{float(line):g} nm: {', '.join(parts)}")
    return f"Resonance lines. {'; '.join(said)}."
