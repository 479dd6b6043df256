"""``siderion report``: an HTML page from any output of Siderion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import xarray as xr
from cyclopts import Parameter

from siderion.cli.show import progress_report
from siderion.core.errors import SettingsError, explained
from siderion.io.store import open_result
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report
from siderion.report.figures import to_png
from siderion.report.paper_figures import PaperFigure, check_polar_run, make_paper_figures
from siderion.report.paper_page import render_paper_page
from siderion.transport.diagnostics.drifts import run_settings
from siderion.transport.paper import paper_table
from siderion.transport.run import load_drivers

_PRINT_RESOLUTION = 200
"""Dots per inch of the PNG files."""


def report(
    data: Path,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    paper: bool = False,
    figures: Path | None = None,
) -> None:
    """Make a self-contained HTML page.

    Parameters
    ----------
    data
        Output of Siderion: a Zarr folder or a NetCDF file.
    output
        File of the page; report.html (paper.html with --paper) beside the data by default.
    paper
        Show figures 1 to 8 and S1 to S3 of Andoh et al. 2026 from the output of a polar run, and its statements with verdicts.
    figures
        With --paper: folder that gets every figure as a PNG file too.
    """
    if figures is not None and not paper:
        raise SettingsError("--figures writes the figures of the paper; add --paper")
    target = output or data.parent / ("paper.html" if paper else "report.html")
    dataset = open_result(data)
    if paper and isinstance(dataset, xr.DataTree):
        raise SettingsError(f"--paper shows the figures of a polar run; {data} is none")
    if paper:
        assert isinstance(dataset, xr.Dataset)
        made, page = _paper(dataset)
        for one in made if figures is not None else ():
            _write_png(one, Path(figures or "."))
    else:
        page = render_report(dataset)
    with explained(target), atomic_file(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")


def _paper(dataset: xr.Dataset) -> tuple[list[PaperFigure], str]:
    """The figures of the paper, and the page with them and the statements; the drivers are built when the cache lacks them."""
    check_polar_run(dataset)
    with progress_report() as tell:
        drivers = load_drivers(run_settings(dataset), tell)
        made = make_paper_figures(dataset, drivers, tell)
        table = paper_table(dataset, drivers, species=str(dataset.species.values[0]), report=tell)
    return made, render_paper_page(dataset, drivers, table, made)


def _write_png(one: PaperFigure, folder: Path) -> None:
    if one.figure is None:
        print(f"no {one.key}.png: {one.reason}")
        return
    path = folder / f"{one.key}.png"
    with explained(path), atomic_file(path) as temporary:
        temporary.write_bytes(to_png(one.figure, _PRINT_RESOLUTION))
    print(f"wrote {path}")
