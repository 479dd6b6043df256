"""Write docs/paper_table.md: every statement of Andoh et al. 2026 against a run, its variants and an ensemble.

python docs/make_paper_table.py runs/2023-06-18/polar.zarr --ensemble runs/ensemble/ensemble.zarr --experiments runs/experiments
"""

from __future__ import annotations

import argparse
from pathlib import Path

import xarray as xr

from siderion import open_dataset
from siderion.core.errors import DataError
from siderion.transport.paper import Finding, findings, verdict_counts
from siderion.transport.run import load_drivers
from siderion.transport.settings import RunSettings

INTRO = """A statement has one or more numbers, each held to a fixed rule taken from the statement itself: "dominates" is a ratio
above 1, "governs" a correlation of at least 0.7, "generally there" at least half, and 1.5 times the share by area. It *agrees*
when every judged number obeys its rule, *partly* when some do, *disagrees* when none does. A number that is missing (no layer
at that hour) does not obey. Numbers without a rule are context. What *follows from the equations* of the drifts, or from the
definition of a cell, is counted apart: agreement there shows that the model is consistent, no more. The paper's numbers are in
`transport/tables/andoh2026.csv`.

Words: the *cells* are where the potential exceeds 30 % of its extremum. The *reversal* of a cell is, on every magnetic
meridian, the extremum of the potential: there the zonal drift turns. The *common boundary* is zero potential between the
cells. *Layer density* is the largest density between 115 and 125 km. *Day* is 06-18 MLT, *night* the rest. The wording is
the table's own."""


def group(finding: Finding) -> str:
    """The heading of a statement: its figure, or its section."""
    return f"Section {finding.statement.place}"


def verdict_text(finding: Finding) -> str:
    """The verdict, and whether it had to be so."""
    return f"**{finding.verdict}**" + (" (follows from the equations)" if finding.statement.follows else "")


def variants_of(folder: Path) -> dict[str, xr.Dataset]:
    """The outputs of the experiments in a folder, by name: NAME/polar.zarr, or members/NAME/polar.zarr of an ensemble.

    Raises
    ------
    DataError
        The folder holds none.
    """
    found = {
        path.parent.name: open_dataset(path) for place in (folder, folder / "members") for path in place.glob("*/polar.zarr")
    }
    if not found:
        raise DataError(f"{folder} holds no experiment: neither NAME/polar.zarr nor members/NAME/polar.zarr")
    return found


def page(output: xr.Dataset, found: list[Finding], settings: RunSettings) -> str:
    """The page in Markdown."""
    counts = verdict_counts([finding.verdict for finding in found], [finding.statement.follows for finding in found])
    lines = [
        "# The paper's statements against the model",
        "",
        f"Andoh et al. 2026, doi:10.1051/swsc/2025056, sections 3 and 4. Output: {settings.date}, {settings.grid.resolution:g} "
        f"degree, settings `{output.attrs['settings_digest']}`, Siderion {output.attrs['siderion_version']}.",
        "Made by `python docs/make_paper_table.py OUTPUT --ensemble ENSEMBLE --experiments FOLDER`. For any run of yours,",
        "`siderion report OUTPUT --paper` shows the statements that one output can answer.",
        "",
        counts,
        "",
        INTRO,
    ]
    for heading in dict.fromkeys(group(finding) for finding in found):
        lines += ["", f"## {heading}", "", "| Statement | Numbers | Rule | Verdict | How |", "|---|---|---|---|---|"]
        for finding in found:
            if group(finding) == heading:
                cells = (finding.statement.says, finding.number_text, finding.rule_text, verdict_text(finding), finding.why)
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Read the outputs, test them, write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=Path)
    parser.add_argument("--ensemble", type=Path)
    parser.add_argument(
        "--experiments", type=Path, help="folder with NAME/polar.zarr, or members/NAME/polar.zarr, of each settings file"
    )
    parser.add_argument("--write", type=Path, default=Path(__file__).parent / "paper_table.md", help="the page to write")
    given = parser.parse_args()
    output = open_dataset(given.output)
    settings = RunSettings.model_validate_json(output.attrs["settings"])
    ensemble = open_dataset(given.ensemble) if given.ensemble else None
    variants = variants_of(given.experiments) if given.experiments else {}
    found = findings(output, load_drivers(settings), ensemble, experiment_outputs=variants)
    given.write.write_text(page(output, found, settings), encoding="utf-8")


if __name__ == "__main__":
    main()
