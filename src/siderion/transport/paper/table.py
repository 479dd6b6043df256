"""The table of all statements, with the numbers of one run and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from siderion.core.variables import with_attributes
from siderion.jobs.progress import ProgressEvent, Report, silent
from siderion.transport.paper import conditions, e_region, experiments, f_region, mechanism, unanswered, velocities, wind
from siderion.transport.paper.evidence import Evidence
from siderion.transport.paper.statement import Finding, find

STATEMENTS = (
    *conditions.STATEMENTS,
    *f_region.STATEMENTS,
    *e_region.STATEMENTS,
    *velocities.STATEMENTS,
    *wind.STATEMENTS,
    *mechanism.STATEMENTS,
    *experiments.STATEMENTS,
    *unanswered.STATEMENTS,
)
"""All statements, in the order of the paper's figures; those that cannot be compared come last."""


def findings(
    output: xr.Dataset,
    drivers: xr.Dataset | None = None,
    ensemble: xr.Dataset | None = None,
    species: str = "Fe+",
    experiment_outputs: Mapping[str, xr.Dataset] | None = None,
    report: Report = silent,
) -> list[Finding]:
    """What an output says to every statement; arguments as for `paper_table`."""
    evidence = Evidence(output, species, drivers, ensemble, experiment_outputs)
    found = []
    for number, statement in enumerate(STATEMENTS):
        report(ProgressEvent("statements", number / len(STATEMENTS), statement.key))
        found.append(find(statement, evidence))
    return found


def paper_table(
    output: xr.Dataset,
    drivers: xr.Dataset | None = None,
    ensemble: xr.Dataset | None = None,
    species: str = "Fe+",
    experiment_outputs: Mapping[str, xr.Dataset] | None = None,
    report: Report = silent,
) -> xr.Dataset:
    """Every statement of Andoh et al. 2026 with the numbers of one run and a verdict.

    Each number has a fixed rule, taken from the statement itself (dominates: a ratio above 1; governs: a correlation of at
    least 0.7; generally there: at least half). A statement ``agrees`` when all of its judged numbers obey, is
    met ``partly`` when some do, ``disagrees`` when none does, and ``cannot be compared`` when there is nothing to judge.

    Parameters
    ----------
    output : xarray.Dataset
        Output of a polar run, with velocities by term around 120, 200 and 300 km.
    drivers : xarray.Dataset, optional
        The run's drivers (`siderion.transport.run.load_drivers`); without them what needs the electric field is not compared.
    ensemble : xarray.Dataset, optional
        Reduced maps of several days; without it what concerns other days is not compared.
    species : str
        Ion of the output.
    experiment_outputs : mapping of str to xarray.Dataset, optional
        Outputs of the settings files in ``examples/experiments``, by their names; without them what concerns changed terms or
        conditions is not compared.
    report : callable
        Takes a `ProgressEvent` per statement.

    Returns
    -------
    xarray.Dataset
        Along ``statement`` (the keys): ``place``, ``says``, ``number``, ``rule``, ``verdict``, ``why``, all text; ``follows``:
        whether it follows from the equations.

    Raises
    ------
    KeyError
        The output has no such species.
    """
    found = findings(output, drivers, ensemble, species, experiment_outputs, report)
    columns = {
        "place": [f.statement.place for f in found],
        "says": [f.statement.says for f in found],
        "number": [f.number_text for f in found],
        "rule": [f.rule_text for f in found],
        "verdict": [f.verdict for f in found],
        "why": [f.why for f in found],
    }
    variables = {name: ("statement", np.array(values, dtype=object)) for name, values in columns.items()}
    variables["follows"] = ("statement", np.array([f.statement.follows for f in found]))
    keys = np.array([f.statement.key for f in found], dtype=object)
    return with_attributes(xr.Dataset(variables, coords={"statement": keys}))
