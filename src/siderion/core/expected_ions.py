"""Pick-up ions to expect at a body, and the direction in which the plasma flows in a frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .errors import CoverageError
from .tables import load_table

_AXES = {"+x": (1.0, 0.0, 0.0), "-x": (-1.0, 0.0, 0.0)}


def expected_ions(body: str) -> pd.DataFrame:
    """Pick-up ions whose cyclotron waves were seen, looked for or are expected at a body.

    Parameters
    ----------
    body : str
        Name as in ``core/tables/bodies.csv``; upper and lower case do not matter.

    Returns
    -------
    pandas.DataFrame
        One row per ion: ``body``, ``species``, ``observed`` (``"yes"``, ``"no"`` where waves were looked for and not
        seen, ``"expected"``), ``range_lower_radii`` and ``range_upper_radii`` (distance from the centre in radii of the
        body, NaN where unknown), ``flow_axis`` (``"-x"``, ``"+x"`` or empty), ``remark``, ``source``, ``confidence``.

    Raises
    ------
    CoverageError
        The table has no ions for the body.

    Notes
    -----
    Source: Lammer et al. (2025), doi:10.3389/fspas.2024.1499346, section 3, and the sources named in the table.
    """
    table = load_table("core", "expected_ions")
    rows = table[table["body"].str.lower() == body.lower()].reset_index(drop=True)
    if rows.empty:
        known = ", ".join(table["body"].unique())
        raise CoverageError(f"no expected ions for body {body!r}; known bodies: {known}; name the ions with the option --species")
    return rows.assign(flow_axis=rows["flow_axis"].fillna(""), remark=rows["remark"].fillna(""))


def expected_species(body: str) -> tuple[str, ...]:
    """Names of the ions of `expected_ions`, in the order of the table.

    Raises
    ------
    CoverageError
        As `expected_ions`.
    """
    return tuple(expected_ions(body)["species"])


def flow_direction(frame: str) -> np.ndarray:
    """Direction in which the undisturbed plasma flows past the body.

    Parameters
    ----------
    frame : str
        Name of the frame as in ``core/tables/body_frames.csv``, such as ``"MSO"`` or ``"EPhiO"``; case does not matter.

    Returns
    -------
    numpy.ndarray of shape (3,)
        Unit vector in that frame. In Sun-oriented frames that are not aberrated the motion of the body is left out.

    Raises
    ------
    CoverageError
        The flow has no fixed direction in the frame, or the frame is unknown.
    """
    table = load_table("core", "body_frames")
    rows = table[table["frame"].str.lower() == frame.lower()]
    if rows.empty:
        known = ", ".join(table["frame"])
        raise CoverageError(
            f"the direction of the flow in frame {frame!r} is not known; frames where it is: {known}; "
            "give it with the option --flow-direction"
        )
    return np.array(_AXES[rows["flow_axis"].iloc[0]])
