"""Reader of the tables of the Weimer 2005 model, which each user obtains for themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from siderion.core.errors import DataError

FILES = ("W05scEpot.dat", "W05scBndy.dat", "SCHAtable.dat")
AMPLITUDES, TERMS, TERMS_WITH_AL = 28, 15, 18
BOUNDARY_TERMS, BOUNDARY_TERMS_WITH_AL = 6, 7
SIZE_K, SIZE_M, SIZE_RADIUS = 19, 7, 68


def read_weimer2005_tables(folder: str | Path) -> xr.Dataset:
    """Read the three tables of the Weimer 2005 electric potential (W05sc) from a folder.

    The tables are for scientific research only and may not be passed on, so they are not part of this
    package.

    Parameters
    ----------
    folder : path
        Holds W05scEpot.dat, W05scBndy.dat and SCHAtable.dat.

    Returns
    -------
    xarray.Dataset
        ``fit`` (amplitude, term) in kV per unit of the term; ``is_cosine``, ``k`` and ``m`` (amplitude);
        ``electric_exponents`` and ``boundary_exponents`` (exponent); ``boundary`` (boundary_term) in degrees;
        ``degree`` (radius, m_index, k_index), the real degrees of the cap harmonics, and ``radius`` in
        degrees.

    Raises
    ------
    DataError
        A file is missing, too short, not numeric, or has other sizes than the published tables.
    """
    place = Path(folder)
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise DataError(
            f"Weimer 2005 tables {', '.join(missing)} are not in {place}; they are for scientific research "
            "only and are not distributed here: ask the author of the model (doi 10.1029/2004JA010884) "
            "for the W05sc package and name its folder, or use the 'swipe' potential, which needs no files"
        )
    potential = _Numbers(place / FILES[0])
    is_cosine = potential.take(AMPLITUDES)
    potential.expect("sizes (amplitudes, terms, terms with AL)", (AMPLITUDES, TERMS, TERMS_WITH_AL))
    potential.take(AMPLITUDES * TERMS_WITH_AL)
    electric_exponents = potential.take(2)
    k = potential.take(AMPLITUDES)
    potential.take(2)
    m = potential.take(AMPLITUDES)
    fit = potential.take(AMPLITUDES * TERMS).reshape(AMPLITUDES, TERMS)

    bounds = _Numbers(place / FILES[1])
    bounds.expect("sizes (terms, terms with AL)", (BOUNDARY_TERMS, BOUNDARY_TERMS_WITH_AL))
    boundary = bounds.take(BOUNDARY_TERMS)
    bounds.take(BOUNDARY_TERMS_WITH_AL)
    boundary_exponents = bounds.take(2)

    caps = _Numbers(place / FILES[2])
    caps.take(2)
    degree = caps.take(SIZE_RADIUS * SIZE_M * SIZE_K).reshape(SIZE_RADIUS, SIZE_M, SIZE_K)
    radius = caps.take(SIZE_RADIUS)
    if not (np.diff(radius) > 0.0).all():
        index = int(np.argmin(np.diff(radius)))
        raise DataError(f"{caps.path}: radius {radius[index + 1]} follows {radius[index]}; they must increase")
    _check_orders(is_cosine, k, m, potential.path)
    return xr.Dataset(
        {
            "fit": (("amplitude", "term"), fit),
            "is_cosine": ("amplitude", is_cosine == 1),
            "k": ("amplitude", k.astype(int)),
            "m": ("amplitude", m.astype(int)),
            "electric_exponents": ("exponent", electric_exponents),
            "boundary": ("boundary_term", boundary),
            "boundary_exponents": ("exponent", boundary_exponents),
            "degree": (("radius", "m_index", "k_index"), degree),
        },
        coords={"radius": ("radius", radius, {"units": "degrees"})},
    )


def _check_orders(is_cosine: np.ndarray, k: np.ndarray, m: np.ndarray, path: Path) -> None:
    bad = (m < 0) | (m >= SIZE_M) | (k < 0) | (k >= SIZE_K)
    if bad.any():
        index = int(bad.argmax())
        found = f"k {k[index]:g}, m {m[index]:g}"
        raise DataError(f"{path}: amplitude {index} has {found}; needed: 0 <= k < {SIZE_K}, 0 <= m < {SIZE_M}")
    follows = np.concatenate([[False], is_cosine[:-1] == 1]) & np.concatenate([[False], m[1:] == m[:-1]])
    lonely = (is_cosine != 1) & ~(follows & np.concatenate([[False], k[1:] == k[:-1]]))
    if lonely.any():
        index = int(lonely.argmax())
        raise DataError(f"{path}: sine amplitude {index} does not follow the cosine amplitude of the same k and m")


class _Numbers:
    """The numbers of one table in order, after its first line (a name)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        fields = path.read_text(encoding="ascii", errors="replace").split("\n", 1)[-1].split()
        try:
            self._values = np.array([float(field) for field in fields])
        except ValueError as error:
            raise DataError(f"{path}: the lines after the first must be numbers ({error}); get a clean copy") from error
        if not np.isfinite(self._values).all():
            index = int(np.argmin(np.isfinite(self._values)))
            raise DataError(f"{path}: number {index} is {self._values[index]}; it must be finite; get a clean copy")
        self._position = 0

    def take(self, count: int) -> np.ndarray:
        """The next numbers."""
        values = self._values[self._position : self._position + count]
        if len(values) < count:
            raise DataError(
                f"{self.path}: ends after {len(self._values)} numbers; needed: {self._position + count} "
                "or more; get a complete copy"
            )
        self._position += count
        return values

    def expect(self, what: str, needed: tuple[int, ...]) -> None:
        """Check that the next numbers are the sizes of the published table."""
        found = tuple(int(value) for value in self.take(len(needed)))
        if found != needed:
            raise DataError(f"{self.path}: {what} are {found}; needed: {needed}; get the W05sc version of the tables")
