"""How commands talk: a progress bar on a terminal, plain lines elsewhere, JSON on request."""

from __future__ import annotations

import json
import sys
import time as clock
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from siderion.core.errors import SettingsError, explained
from siderion.core.variables import get_variable
from siderion.jobs.atomic import atomic_file
from siderion.jobs.progress import ProgressEvent, Report, silent


class _Bar:
    """Turns events into one bar per stage."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task: TaskID | None = None
        self.stage, self.started, self.start = "", clock.monotonic(), 0.0

    def __call__(self, event: ProgressEvent) -> None:
        if event.stage != self.stage:
            if self.task is not None:
                self.progress.update(self.task, completed=1.0, detail="")
            self.task = self.progress.add_task(event.stage, total=1.0, detail="")
            self.stage, self.started, self.start = event.stage, clock.monotonic(), event.done
        assert self.task is not None
        self.progress.update(self.task, completed=event.done, detail=f"{event.detail} {self._left(event.done)}".strip())

    def _left(self, done: float) -> str:
        spent, part = clock.monotonic() - self.started, done - self.start
        if part <= 0 or spent < 2:
            return ""
        left = spent / part * (1.0 - done)
        return f"{part / spent * 60:.1%} a minute, {left // 60:.0f}:{left % 60:02.0f} left"


class _Lines:
    """Turns events into a line per stage and per 10 % of it."""

    def __init__(self, console: Console) -> None:
        self.console, self.last = console, ("", -1)

    def __call__(self, event: ProgressEvent) -> None:
        tenth = int(event.done * 10)
        if (event.stage, tenth) != self.last:
            self.last = (event.stage, tenth)
            self.console.print(f"{event.stage}: {event.done:4.0%} {event.detail}".rstrip(), highlight=False)


@contextmanager
def progress_report(quiet: bool = False) -> Iterator[Report]:
    """Give a receiver of progress events that draws on standard error."""
    console = Console(stderr=True)
    if quiet:
        yield silent
    elif console.is_terminal:
        columns = (
            TextColumn("{task.description:>24}"),
            BarColumn(),
            TextColumn("{task.percentage:>4.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        with Progress(*columns, console=console) as progress:
            yield _Bar(progress)
    else:
        yield _Lines(console)


def print_json(command: str, settings: Mapping[str, Any], dataset: xr.Dataset) -> None:
    """Print a data set in the one JSON schema of all commands."""
    variables = {}
    for name, array in {**dataset.coords, **dataset.data_vars}.items():
        units = array.attrs.get("units") or _units(str(name))
        variables[str(name)] = {"units": units, "dims": list(map(str, array.dims)), "values": plain(array.values)}
    whole = {"command": command, "version": version("siderion"), "settings": dict(settings), "variables": variables}
    json.dump(whole, sys.stdout, allow_nan=False)
    print()


def plain(values: Any) -> Any:
    """Values as JSON holds them: times as ISO text, missing numbers as null."""
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return np.datetime_as_string(array, unit="s").tolist()
    if array.dtype.kind == "f":
        return np.where(np.isfinite(array), array.astype(object), np.array(None, dtype=object)).tolist()
    return array.tolist()


def _units(name: str) -> str:
    try:
        return get_variable(name).units
    except LookupError:
        return ""


def parse_overrides(pairs: tuple[str, ...]) -> dict[str, Any]:
    """``("grid.top=300", "drivers.wind=none")`` as nested settings; values are read as TOML where they can be."""
    import tomllib

    result: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {pair}: write it as name=value, such as --set drivers.wind=none")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
        place = result
        *path, last = name.split(".")
        for step in path:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise SettingsError(f"--set {pair}: {step} has a value already; it cannot have parts too")
        place[last] = value
    return result


def names_in(text: str | None) -> list[str]:
    """``"O+, Fe+"`` as names; none for no text."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def numbers_in(texts: Iterable[str | float], option: str) -> list[float]:
    """Numbers that are separated by commas or given one by one.

    Raises
    ------
    SettingsError
        A part is no number; names the option.
    """
    parts = [part for text in texts for part in names_in(str(text))]
    try:
        return [float(part) for part in parts]
    except ValueError:
        raise SettingsError(f"{option} is {' '.join(map(str, texts))}; write numbers, separated by commas") from None


def page_beside(output: Path) -> Path:
    """Name of the page of an output: its own with the ending .html.

    Raises
    ------
    SettingsError
        The output has that ending itself.
    """
    page = output.with_suffix(".html")
    if page == output:
        raise SettingsError(f"output {output}: the name must end in .nc; the page takes .html")
    return page


def write_page(content: str, page: Path) -> None:
    """Write a page, whole or not at all."""
    with explained(page), atomic_file(page) as temporary:
        temporary.write_text(content, encoding="utf-8")
