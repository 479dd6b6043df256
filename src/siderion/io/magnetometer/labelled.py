"""What PDS3 and PDS4 tables and ``.sts`` files share: from named columns with a label to samples."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siderion.core.errors import DataError
from siderion.core.tables import load_table

from .columns import ColumnsOption, Roles, find_roles, plain
from .series import Samples
from .tables import Column
from .times import times_from_columns, times_from_seconds, times_from_text

FRAMES = (
    "MSO", "VSO", "GSE", "GSM", "MBF", "J2000", "RTN", "KRTP", "KSM", "KSO", "EPhiO", "GPhiO", "IPhiO", "CPhiO", "SYS3", "IRC",
    "JSE", "JSM", "JSO", "Sun-State", "DSL", "MAVEN_MSO", "IAU_MARS", "IAU_MERCURY", "IAU_VENUS", "IAU_GANYMEDE", "IAU_EUROPA",
)  # fmt: skip
"""Names of frames that are looked for, word by word, in titles and descriptions."""


@dataclass(frozen=True)
class TableInfo:
    """What a label says of a table beside its columns."""

    file: str
    source_format: str
    title: str = ""
    frame: str = ""
    target: str = ""


def labelled_samples(
    columns: Sequence[Column], read: Callable[[list[Column]], dict[str, NDArray]], option: ColumnsOption, info: TableInfo
) -> Samples:
    """Read the columns of time, field and position of a labelled table.

    Parameters
    ----------
    columns : sequence of Column
        All columns of the label.
    read : callable
        Reads the columns it is given.
    option : mapping, or None
        Option ``columns`` of the user.
    info : TableInfo
        File, title, frame and target of the label.

    Returns
    -------
    Samples
        The samples.

    Raises
    ------
    DataError
        No columns fit, or the table cannot be read.
    """
    roles = find_roles([column.name for column in columns], info.source_format, option, info.file)
    by_name = {column.name: column for column in columns}
    time = {part: by_name[name] for part, name in roles.time.items()}
    time = {part: _as_text(column, part) for part, column in time.items()}
    vector = [by_name[name] for name in roles.field]
    place = [by_name[name] for name in roles.position or ()]
    values = read([*time.values(), *vector, *place])
    frame = info.frame or roles.frame or frame_in([column.description for column in vector]) or frame_in([info.title])
    samples = Samples(
        file=info.file,
        source_format=info.source_format,
        time=_times(time, values, info.file),
        magnetic_field=_stack(values, vector),
        field_unit=_one_unit(vector, info.file),
        field_fill=_constants(vector),
        frame=frame,
        body=known_body(info.target) or roles.body,
        title=info.title,
        product=roles.product,
        status=roles.status,
        notes=_component_note(roles),
    )
    if place:
        samples.position = _stack(values, place)
        samples.position_unit = _one_unit(place, info.file)
        samples.position_fill = _constants(place)
        samples.position_frame = roles.frame or frame_in([column.description for column in place]) or frame
    return samples


def _as_text(column: Column, part: str) -> Column:
    """The column of a time in text is read as text unless the label says it is a number (seconds)."""
    if part != "text" or column.text or plain(column.unit) in ("S", "SEC", "SECOND", "SECONDS"):
        return column
    return Column(**{**column.__dict__, "text": True})


def _times(columns: dict[str, Column], values: dict[str, NDArray], where: str) -> NDArray[np.datetime64]:
    if "text" not in columns:
        return times_from_columns({part: values[column.name] for part, column in columns.items()}, where)
    column = columns["text"]
    if column.text:
        return times_from_text(values[column.name], where, column.calendar)
    match = re.search(r"since (\d{4}-\d\d-\d\d)", column.description)
    if not match:
        raise DataError(
            f"{where}: the times of column {column.name} are seconds, but since when is not said; choose a column with `columns`"
        )
    return times_from_seconds(values[column.name], match[1])


def _stack(values: dict[str, NDArray], columns: Sequence[Column]) -> NDArray[np.float64]:
    """Components side by side; NaN where one lies outside the range that the label allows."""
    stacked = np.stack([values[column.name] for column in columns], axis=1)
    for index, column in enumerate(columns):
        # Bounds that a label leaves unset are infinite: infinite samples must stay for the count of these.
        component = stacked[:, index]
        outside = np.isfinite(component) & ((component < column.valid_minimum) | (component > column.valid_maximum))
        stacked[outside, index] = 1e31
    return stacked


def _one_unit(columns: Sequence[Column], where: str) -> str:
    units = {column.unit for column in columns}
    if len(units) > 1:
        raise DataError(f"{where}: columns {', '.join(c.name for c in columns)} have different units: {', '.join(sorted(units))}")
    return units.pop()


def _constants(columns: Sequence[Column]) -> tuple[float, ...]:
    return tuple(sorted({constant for column in columns for constant in column.missing}))


def _component_note(roles: Roles) -> list[str]:
    if roles.components == ("X", "Y", "Z"):
        return []
    return [f"the components x, y, z hold {', '.join(part.lower() for part in roles.components)} of {roles.frame or 'the file'}"]


def frame_in(texts: Sequence[str]) -> str:
    """The one name of a frame that stands in the texts; empty if there is none, or more than one."""
    text = " ".join(texts)
    found = {name for name in FRAMES if re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9])", text, re.IGNORECASE)}
    return found.pop() if len(found) == 1 else ""


def known_body(target: str) -> str:
    """Name of the body that a label calls its target; empty unless it is exactly one known body."""
    names = [part.strip(" \"'(){}").lower() for part in target.split(",")]
    bodies = [name for name in load_table("core", "bodies")["name"] if name.lower() in names]
    return bodies[0] if len(bodies) == 1 and len([name for name in names if name]) == 1 else ""
