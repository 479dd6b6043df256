"""The page that shows an output as Andoh et al. (2026) show theirs: figures 1 to 8 and S1 to S3."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from siderion.core.errors import DataError
from siderion.transport.paper import verdict_counts

from . import markup
from .figures import to_data_uri
from .markup import Section
from .paper_figures import PaperFigure, make_paper_figures
from .polar_page import cautions, header_facts, polar_run, written_day
from .polar_sections import POTENTIAL_NOTE, PolarRun, reading_note
from .record_sections import citation_section, sources_section

PAPER = (
    "Andoh, S., Shinagawa, H., Jin, H., Tao, C., Hosokawa, K., et al. (2026), Three-dimensional metal ion flow in the ionosphere "
    "simulated by a new ionospheric model, J. Space Weather Space Clim. 16, 3, https://doi.org/10.1051/swsc/2025056"
)
_WIDEST = 8.0
"""Figures wider than this, inches, keep their width on a phone."""
_TABLE_COLUMNS = ("place", "says", "number", "verdict", "why")
_FOLLOWS = "follows from the equations"


def render_paper_page(
    output: xr.Dataset,
    drivers: xr.Dataset | None = None,
    table: xr.Dataset | None = None,
    figures: Sequence[PaperFigure] | None = None,
) -> str:
    """Render the figures of Andoh et al. (2026) from an output as one self-contained HTML page.

    Parameters
    ----------
    output : xarray.Dataset
        Output of a polar run (see `siderion.report.render_report`), northern or southern.
    drivers : xarray.Dataset, optional
        Drivers of the run (`siderion.transport.run.load_drivers`); without them figure S3 and the numbers of figure 8
        are replaced by a note.
    table : xarray.Dataset, optional
        Statements of the paper against the output (`siderion.transport.paper.paper_table`): ``place``, ``says``, ``number``,
        ``verdict``, ``why`` and ``follows`` along ``statement``; shown at the end.
    figures : sequence of PaperFigure, optional
        What `make_paper_figures` gave for the same output, to draw nothing twice.

    Returns
    -------
    str
        HTML with inline style and images as data URIs.

    Raises
    ------
    DataError
        The output is not that of a polar run, or the table lacks a column.
    """
    made = make_paper_figures(output, drivers) if figures is None else figures
    run = polar_run(output)
    sections = [Section("about", "About this page", _about(run)), *(_section(one) for one in made)]
    if table is not None:
        sections.append(Section("statements", "Statements of the paper", _table(table)))
    sections += [sources_section(run.dataset), citation_section(run.dataset)]
    title = f"The figures of Andoh et al. (2026), {written_day(run.day)}"
    version = markup.text(output.attrs.get("siderion_version", "(version not named)"))
    return markup.page(title, header_facts(run), sections, f"Made by Siderion {version}.")


def _about(run: PolarRun) -> str:
    pieces = [
        markup.paragraph(
            "Each figure shows the quantities, altitudes, times and signs of the figure of the same number in "
            f"{markup.with_links(PAPER)}. The numbers are those of this run; what the paper shows is paraphrased. "
            "On a narrow screen the figures scroll sideways."
        )
    ]
    if run.southern:
        pieces.append(
            '<p class="caution"><strong>Southern hemisphere.</strong> The paper is about the north. Here meridional velocities '
            "are positive to the north, towards the equator as in the paper. The maps are seen through the Earth, so that dusk "
            "is on the left.</p>"
        )
    if run.frames[0].potential is None:
        pieces.append(markup.missing(POTENTIAL_NOTE, ""))
    pieces.append(reading_note(run))
    pieces += [f'<p class="caution"><strong>Caution.</strong> {said}</p>' for said in cautions(run.dataset)]
    return "".join(pieces)


def _section(one: PaperFigure) -> Section:
    if one.figure is None:
        return Section(one.key, one.heading, markup.missing(one.reason, ""))
    image = markup.image(to_data_uri(one.figure), one.heading)
    return Section(one.key, one.heading, markup.figure([image], one.caption, wide=one.figure.get_figwidth() > _WIDEST))


def _table(table: xr.Dataset) -> str:
    needed = (*_TABLE_COLUMNS, "follows")
    lacking = [name for name in needed if name not in table]
    if lacking:
        raise DataError(f"the table of statements lacks {', '.join(lacking)}; it needs {', '.join(needed)}")
    verdicts = [str(one) for one in table["verdict"].values]
    follows = [bool(one) for one in table["follows"].values]
    shown = table.assign(
        verdict=("statement", [f"{one} ({_FOLLOWS})" if sure else one for one, sure in zip(verdicts, follows, strict=True)])
    )
    rows = [[markup.text(cell) for cell in row] for row in zip(*(shown[n].values for n in _TABLE_COLUMNS), strict=True)]
    return markup.paragraph(markup.text(verdict_counts(verdicts, follows))) + markup.table(
        ["place", "the paper says", "this run", "verdict", "definition or reason"], rows
    )
