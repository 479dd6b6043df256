"""The page of one body that enters the atmosphere: its flight, its ablation, what it releases by element."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

from . import markup
from .entry_figures import ELEMENT_COLOURS, Mark, Track, draw_flight, draw_release, released_reach
from .figures import to_data_uri
from .markup import Number, Section
from .record_sections import flatten
from .selection import Array, read_json_attribute
from .source_words import caution, foot, lead, need, record

KIND = "siderion ablation"
"""Global attribute ``kind`` of the output that this page shows."""
_NEEDED = ("time", "altitude", "speed", "mass", "mass_loss_rate", "released_mass", "impact_ionised_mass", "released_outside",
           "residue_mass", "alt", "alt_bounds", "element", "initial_mass", "final_mass", "final_speed", "end_altitude", "end",
           "half_mass_altitude", "half_mass_speed", "half_mass_air_column")  # fmt: skip
_MOST_ELEMENTS = 9
_END_WORDS = {
    "ablated": "it is gone",
    "slowed": "it is too slow to ablate further; the rest is residue",
    "ground": "it reaches the bottom of the atmosphere",
    "left": "it leaves the atmosphere again",
}


def is_ablation(dataset: xr.Dataset) -> bool:
    """Whether a data set is the flight of one body, as ``siderion ablate`` writes it."""
    return dataset.attrs.get("kind") == KIND and "body" not in dataset.dims


def render_ablation_page(dataset: xr.Dataset) -> str:
    """Render the entry of one body as a self-contained HTML page.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `siderion.sources.entry.flight.fly_one`: the path on ``time`` (altitude km, speed m s-1, mass kg, temperature K),
        ``released_mass(element, alt)`` in kg per bin, and the numbers at half mass and at the end. Attributes ``mass_kg``,
        ``speed_km_s``, ``zenith_angle_degrees``, ``density_kg_m3``, ``material``, ``settings``, ``sources``, if any, are shown.

    Returns
    -------
    str
        HTML without references to the outside; texts of the data are escaped.

    Raises
    ------
    DataError
        A variable is missing, or the path is empty.
    """
    need(dataset, _NEEDED, "flight of a body", "siderion ablate")
    if not dataset.sizes["time"]:
        raise DataError("flight of a body: the path has no point; make the file anew with siderion ablate")
    sections = [
        Section("flight", "Flight", _flight_body(dataset)),
        Section("release", "Release by element", _release_body(dataset)),
        *record(dataset),
    ]
    attributes = dataset.attrs
    title = "Entry of one body"
    if "mass_kg" in attributes and "speed_km_s" in attributes:
        title += f": {float(attributes['mass_kg']):g} kg at {float(attributes['speed_km_s']):g} km/s"
    return markup.page(title, _head(dataset), sections, foot(dataset))


def peak_altitude(dataset: xr.Dataset) -> float:
    """Altitude, km, where the loss of mass per length of the path is largest; NaN where no mass is lost."""
    loss = dataset["mass_loss_rate"].values / dataset["speed"].values
    return float(dataset["altitude"][int(np.nanargmax(loss))]) if np.nanmax(loss, initial=0.0) > 0.0 else float("nan")


def _head(dataset: xr.Dataset) -> str:
    initial, final = float(dataset["initial_mass"]), float(dataset["final_mass"])
    half, peak = float(dataset["half_mass_altitude"]), peak_altitude(dataset)
    said = f"The body loses {_percent(1.0 - final / initial)} of its mass"
    said += f", fastest at <strong>{peak:.1f} km</strong>" if np.isfinite(peak) else ""
    if np.isfinite(half):
        said += (f"; half of it is left at <strong>{half:.2f} km</strong>, {float(dataset['half_mass_speed']) / 1e3:.3f} km/s, "
                 f"below {markup.number(float(dataset['half_mass_air_column']), 4)} kg m<sup>−2</sup> of air")  # fmt: skip
    total, ions = _totals(dataset)
    if total > 0.0:
        said += f". Collisions ionise {_percent(ions / total)} of what it releases at once"
    given = dataset.attrs
    pairs = [
        ("mass at entry", f"{markup.number(initial)} kg"),
        ("speed at entry", f"{float(given['speed_km_s']):g} km/s" if "speed_km_s" in given else "not named"),
        ("angle from the vertical", f"{float(given['zenith_angle_degrees']):g}°" if "zenith_angle_degrees" in given else "–"),
        ("density", f"{float(given['density_kg_m3']):g} kg m<sup>−3</sup>" if "density_kg_m3" in given else "not named"),
        ("material", markup.text(given.get("material", "not named"))),
        ("model", markup.text(flatten(read_json_attribute(dataset, "settings") or {}).get("model", "not named"))),
        ("atmosphere", markup.text(given.get("atmosphere", "not named"))),
    ]
    return lead(said + ".") + markup.facts(pairs) + caution(dataset)


def _totals(dataset: xr.Dataset) -> tuple[float, float]:
    """Mass released and mass ionised, kg."""
    released = float(dataset["released_mass"].sum() + dataset["released_outside"].sum())
    return released, float(dataset["impact_ionised_mass"].sum())


def _percent(share: float) -> str:
    return f"{markup.number(100.0 * share)} %"


# ---------------------------------------------------------------------- flight


def flight_reach(dataset: xr.Dataset) -> tuple[float, float]:
    """Altitudes, km, that the figure shows: from the end of the flight to some way above where the body slows or ablates."""
    altitude = dataset["altitude"].values.astype(float)
    loss = dataset["mass_loss_rate"].values / dataset["speed"].values
    active = dataset["mass"].values < 0.99 * _initial(dataset)
    active |= dataset["speed"].values < 0.995 * dataset["speed"].values[0]
    active |= (loss > 1e-3 * np.nanmax(loss, initial=0.0)) & (loss > 0.0)
    top, bottom = float(altitude[active].max() if active.any() else altitude.max()), float(np.nanmin(altitude))
    room = max(0.25 * (top - bottom), 2.0)
    return max(0.0, bottom - 0.2 * room), min(top + room, float(altitude.max()) + 1.0)


def _marks(dataset: xr.Dataset) -> list[Mark]:
    marks = [Mark("largest loss of mass", peak_altitude(dataset), ":")]
    marks.append(Mark("half of the mass left", float(dataset["half_mass_altitude"]), "--"))
    if "break_altitude" in dataset:
        marks.append(Mark("first break", float(dataset["break_altitude"]), "-."))
    return [mark for mark in marks if np.isfinite(mark.altitude)]


def _flight_body(dataset: xr.Dataset) -> str:
    speed = dataset["speed"].values / 1e3
    tracks = [Track("speed, km s$^{-1}$", speed), Track("mass left, %", 100.0 * dataset["mass"].values / _initial(dataset))]
    if "temperature" in dataset:
        tracks.append(Track("temperature, K", dataset["temperature"].values))
    loss = dataset["mass_loss_rate"].values / dataset["speed"].values * 1e6
    if np.nanmax(loss, initial=0.0) > 0.0:
        tracks.append(Track("mass lost along the path, g km$^{-1}$", loss, logarithmic=True))
    drawn = draw_flight(dataset["altitude"].values, tracks, _marks(dataset), flight_reach(dataset))
    caption = (
        "Speed, mass and loss of mass per length of the path against altitude; the body comes in at the top. Horizontal lines: "
        "altitudes named above the panels. The axis ends somewhat above where the body begins to slow or to lose mass; the path "
        f"begins at {float(dataset['altitude'][0]):.0f} km."
    )
    if "temperature" in dataset:
        caption = caption.replace("mass and loss", "mass, temperature and loss")
    picture = markup.figure([markup.image(to_data_uri(drawn), "Flight of the body against altitude")], caption, wide=True)
    return picture + markup.table(["what", "altitude, km", "speed, km/s", "mass left, %", "note"], _event_rows(dataset), "wide")


def _initial(dataset: xr.Dataset) -> float:
    return float(dataset["initial_mass"])


def _event_rows(dataset: xr.Dataset) -> list[list[str | Number]]:
    """Entry, peak, half mass, break and end."""
    altitude, speed, mass = (dataset[name].values.astype(float) for name in ("altitude", "speed", "mass"))
    rows: list[list[str | Number]] = []

    def at(words: str, place: float, note: str) -> None:
        k = int(np.argmin(np.abs(altitude - place)))
        rows.append([words, Number(f"{place:.2f}"), Number(f"{speed[k] / 1e3:.3f}"),
                     Number(markup.number(100.0 * mass[k] / _initial(dataset))), note])  # fmt: skip

    at("entry", float(altitude[0]), "–")
    peak, half = peak_altitude(dataset), float(dataset["half_mass_altitude"])
    temperature = (
        f"highest temperature {float(dataset['highest_temperature']):.0f} K" if "highest_temperature" in dataset else "–"
    )
    if np.isfinite(peak):
        at("largest loss of mass", peak, temperature)
    if np.isfinite(half):
        column = f"{markup.number(float(dataset['half_mass_air_column']), 4)} kg m<sup>−2</sup> of air above"
        rows.append(["half of the mass left", Number(f"{half:.2f}"), Number(f"{float(dataset['half_mass_speed']) / 1e3:.3f}"),
                     Number("50"), column])  # fmt: skip
    if "break_altitude" in dataset and np.isfinite(float(dataset["break_altitude"])):
        parts = f"{float(dataset['final_fragment_count']):.4g} parts at last" if "final_fragment_count" in dataset else "–"
        at("first break", float(dataset["break_altitude"]), parts)
    ending = dict(zip(np.atleast_1d(dataset["end"].attrs.get("flag_values", [])).tolist(),
                      str(dataset["end"].attrs.get("flag_meanings", "")).split(), strict=False))  # fmt: skip
    note = _END_WORDS.get(ending.get(int(dataset["end"]), ""), "–")
    rows.append(["end", Number(f"{float(dataset['end_altitude']):.2f}"), Number(f"{float(dataset['final_speed']) / 1e3:.3f}"),
                 Number(markup.number(100.0 * float(dataset["final_mass"]) / _initial(dataset))), note])  # fmt: skip
    return rows


# ---------------------------------------------------------------------- release


def shown_elements(dataset: xr.Dataset) -> list[str]:
    """Elements of the figure: all if there are few, else the metals of the layers, filled up with those released most."""
    total = dataset["released_mass"].sum("alt")
    falling = [str(name) for name in total["element"].values[np.argsort(-total.values)] if float(total.sel(element=name)) > 0.0]
    named = [name for name in falling if name != "other"]
    if len(named) <= _MOST_ELEMENTS:
        return named or falling
    metals = [name for name in named if name in ELEMENT_COLOURS]
    kept = set((metals + [name for name in named if name not in metals])[:_MOST_ELEMENTS])
    return [name for name in named if name in kept]


def _release_body(dataset: xr.Dataset) -> str:
    names = shown_elements(dataset)
    if not names:
        said = markup.missing("The body releases nothing within the bins.", "Take a faster or larger one.")
        return said + _element_table(dataset)
    bounds = dataset["alt_bounds"].transpose("alt", ...).values.astype(float)
    edges = np.append(bounds[:, 0], bounds[-1, 1])
    width = np.diff(edges)

    def grams(name: str) -> Array:
        return np.asarray(1e3 * dataset[name].transpose("element", "alt").sel(element=names).values / width, dtype=float)

    panels = {"all that is released": grams("released_mass")}
    ions = grams("impact_ionised_mass")
    if ions.max() > 0.0:
        panels["of it, ions made at once by collisions"] = ions
    drawn = draw_release(edges, panels, names, "mass released, g km$^{-1}$",
                         reach=released_reach(edges, *panels.values()))  # fmt: skip
    left_out = [str(one) for one in dataset["element"].values if str(one) not in names]
    caption = f"Mass released per km of altitude, in bins of {width.min():g}"
    caption += f" to {width.max():g} km" if width.max() > 1.001 * width.min() else " km"
    caption += ". The two panels have different scales."
    caption += f" Not drawn, but in the table: {markup.text(', '.join(left_out))}." if left_out else ""
    picture = markup.figure([markup.image(to_data_uri(drawn), "Release by element against altitude")], caption, wide=True)
    return picture + _element_table(dataset)


def _element_table(dataset: xr.Dataset) -> str:
    released = dataset["released_mass"].sum("alt") + dataset["released_outside"]
    rows: list[list[str | Number]] = []
    for k in np.argsort(-released.values, kind="stable"):
        one = dataset.isel(element=int(k))
        amount, rest, ions = float(released[int(k)]), float(one["residue_mass"]), float(one["impact_ionised_mass"].sum())
        profile = one["released_mass"].values
        peak = f"{float(dataset['alt'][int(np.argmax(profile))]):.1f}" if profile.max() > 0.0 else "–"
        rows.append([
            markup.text(one["element"].item()), Number(f"{markup.number(amount)}"),
            Number(markup.number(100.0 * amount / (amount + rest)) if amount + rest > 0.0 else "–"), Number(peak),
            Number(markup.number(100.0 * ions / amount) if amount > 0.0 else "–"),
        ])  # fmt: skip
    heads = ["element", "released, kg", "of the element, %", "most at, km", "ionised at once, %"]
    return markup.table(heads, rows, "wide") + markup.paragraph(
        "“other” is what the composition does not list, oxygen above all. “Most at” is the middle of the bin with the largest "
        "release."
    )
