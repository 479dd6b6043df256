"""``siderion report``: an HTML page from any output of Siderion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from siderion.core.errors import explained
from siderion.io.store import open_dataset
from siderion.jobs.atomic import atomic_file
from siderion.report import render_report


def report(data: Path, *, output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None) -> None:
    """Make a self-contained HTML page.

    Parameters
    ----------
    data
        Output of Siderion: a Zarr folder or a NetCDF file.
    output
        File of the page; report.html beside the data by default.
    """
    target = output or data.parent / "report.html"
    page = render_report(open_dataset(data))
    with explained(target), atomic_file(target) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")
