"""The answer of the catalogue in words, for text and pages."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.spectrometer.catalogue_grades import CANNOT, GRADES


def answer_line(data: xr.Dataset) -> str:
    """The answer to a question in one line, best grade first.

    Parameters
    ----------
    data : xarray.Dataset
        From `siderion.spectrometer.catalogue_questions.find_instruments`, with a species asked for.

    Returns
    -------
    str
        Such as ``"separates: nobody near the Earth (elsewhere Cassini CAPS-IMS); group only: Polar TIMAS"``, or ``"nobody"``.
    """
    parts = []
    for level in range(len(GRADES) - 1, CANNOT, -1):
        fits = data["grade_level"].values == level
        near = data["near_earth"].values.astype(bool)
        names = [instrument_label(data, k) for k in map(int, np.flatnonzero(fits & near))]
        others = [instrument_label(data, k) for k in map(int, np.flatnonzero(fits & ~near))]
        if names or others:
            shown = ", ".join(names) or "nobody near the Earth"
            parts.append(f"{GRADES[level]}: {shown}" + (f" (elsewhere {', '.join(others)})" if others else ""))
    return "; ".join(parts) or "nobody"


def instrument_label(data: xr.Dataset, k: int) -> str:
    """Mission and instrument, with the share of the energies where it is not all, and a sign where no report is behind it."""
    fraction = float(data["energy_fraction"][k])
    marks = [f"{fraction:.0%}"] if fraction < 0.9995 else []
    marks += ["m/dm alone"] if data["basis"].values[k] == "m/dm alone" else []
    return f"{data['mission'].values[k]} {data['name'].values[k]}" + (f" [{', '.join(marks)}]" if marks else "")
