"""Words that the pages of sources share: what is missing, what is unverified, values with their ends."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

from . import markup
from .record_sections import citation_section, settings_section, sources_of, sources_section


def need(dataset: xr.Dataset, names: Iterable[str], what: str, command: str) -> None:
    """Check that a data set has what its page shows.

    Parameters
    ----------
    dataset : xarray.Dataset
        Output of a command.
    names : iterable of str
        Variables, coordinates or attributes.
    what, command : str
        What the data set is, and the command that makes it.

    Raises
    ------
    DataError
        Some are missing; all of them are named.
    """
    lacking = [name for name in names if name not in dataset.variables and name not in dataset.attrs]
    if lacking:
        raise DataError(f"{what}: {', '.join(lacking)} missing; a page needs all that `{command}` writes: make the file anew")


def caution(dataset: xr.Dataset) -> str:
    """A note that names the inputs that are not verified (ready HTML); empty where there are none."""
    unsure = [one for one in sources_of(dataset) if one.get("confidence") not in ("verified", "computed")]
    if not unsure:
        return ""
    listed = "; ".join(dict.fromkeys(_named(one) for one in unsure))
    return (f'<p class="caution"><strong>Caution.</strong> Some of the inputs are assumed, remembered or second-hand: {listed} '
            '(see <a href="#sources">Sources</a>).</p>')  # fmt: skip


def _named(source: dict) -> str:
    return markup.text(source.get("what") or source.get("model") or "unnamed")


def unbroken(html: str) -> str:
    """Ready HTML that is not broken over lines."""
    return f'<span style="white-space: nowrap">{html}</span>'


def lead(html: str) -> str:
    """The main result, in the first lines of the page."""
    return f'<p class="lead">{html}</p>'


def measured(one: xr.Dataset, name: str, factor: float = 1.0, digits: int = 2) -> str:
    """A value with its 16 and 84 % ends in brackets (ready HTML).

    Parameters
    ----------
    one : xarray.Dataset
        With ``name``, ``name_lower``, ``name_upper`` of one value each, perhaps ``name_upper_limit``.
    name : str
        The variable.
    factor : float
        Multiplies value and ends.
    digits : int
        Digits that count.
    """
    value, low, high = (float(one[name + end]) * factor for end in ("", "_lower", "_upper"))
    if not np.isfinite(value):
        return "–"
    if f"{name}_upper_limit" in one and bool(one[f"{name}_upper_limit"]):
        return f"&lt; {markup.number(value, digits)}"
    return f"{markup.number(value, digits)} ({markup.number(low, digits)} to {markup.number(high, digits)})"


def record(dataset: xr.Dataset) -> list[markup.Section]:
    """The last sections of every page: sources, settings, citation."""
    return [sources_section(dataset), settings_section(dataset), citation_section(dataset)]


def foot(dataset: xr.Dataset) -> str:
    """Last line of a page."""
    return f"Made by Siderion {markup.text(dataset.attrs.get('siderion_version', ''))}."
