"""Reader of the coefficients of the Swarm Hi-C (SWIPE) convection model."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

PREFIXES = {"cos": "tor_c_", "sin": "tor_s_"}


def read_swipe_coefficients(path: str | Path | Traversable) -> xr.Dataset:
    """Read a Swarm Hi-C coefficient file (product SW_OPER_EIO_SHA_2E).

    Parameters
    ----------
    path : path
        The text file; its last comment line names the columns.

    Returns
    -------
    xarray.Dataset
        ``coefficient`` (term, phase, row) in mV m-1 with coordinates ``term`` (name of the external
        parameter), ``phase`` ("cos", "sin"), ``degree`` and ``order`` (row). The sine coefficients of order 0
        are zero.

    Raises
    ------
    DataError
        The file is missing, has another form, or lacks a value.
    """
    file = Path(path) if isinstance(path, str) else path
    if not file.is_file():
        raise DataError(f"no coefficient file {file}; reinstall the package or name an existing file")
    lines = file.read_text(encoding="utf-8").splitlines()
    comments = [line[1:].split() for line in lines if line.startswith("#")]
    columns = comments[-1] if comments else []
    if columns[:2] != ["n", "m"]:
        raise DataError(f"{file}: the last comment line must name the columns, first 'n m'; it has {columns[:2]}")
    values = _read_rows(lines, columns, str(file))
    return _to_dataset(values, columns, str(file))


def _read_rows(lines: list[str], columns: list[str], origin: str) -> np.ndarray:
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("#") or not line.strip():
            continue
        fields = line.split()
        if len(fields) != len(columns):
            raise DataError(f"{origin}: line {number} has {len(fields)} fields; the header names {len(columns)}")
        try:
            rows.append([float(field) for field in fields])
        except ValueError as error:
            raise DataError(f"{origin}: line {number} is not all numbers ({error})") from error
    if not rows:
        raise DataError(f"{origin}: no coefficients after the header")
    return np.array(rows)


def _to_dataset(values: np.ndarray, columns: list[str], origin: str) -> xr.Dataset:
    degree, order = values[:, 0].astype(int), values[:, 1].astype(int)
    terms = [name.removeprefix(PREFIXES["cos"]) for name in columns if name.startswith(PREFIXES["cos"])]
    missing = [name + term for term in terms for name in PREFIXES.values() if name + term not in columns]
    if missing or not terms:
        raise DataError(f"{origin}: columns {missing or 'tor_c_*'} are missing; is this a Swarm Hi-C coefficient file?")
    table = np.array([[values[:, columns.index(prefix + term)] for prefix in PREFIXES.values()] for term in terms])
    table[:, 1, order == 0] = 0.0
    bad = ~np.isfinite(table)
    if bad.any():
        term, phase, row = np.unravel_index(int(bad.argmax()), table.shape)
        raise DataError(
            f"{origin}: coefficient {terms[term]} ({list(PREFIXES)[phase]}) of degree {degree[row]}, order "
            f"{order[row]} is {table[term, phase, row]}; it must be finite"
        )
    return xr.Dataset(
        {"coefficient": (("term", "phase", "row"), table, {"units": "mV m-1"})},
        coords={"term": terms, "phase": list(PREFIXES), "degree": ("row", degree), "order": ("row", order)},
    )
