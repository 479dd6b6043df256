"""Named priors of the strengths of the sources, in the open."""

from __future__ import annotations

from dataclasses import dataclass

from siderion.core.errors import CoverageError
from siderion.core.tables import load_table


@dataclass(frozen=True)
class Prior:
    """What is taken for the strengths before the counts are seen.

    Attributes
    ----------
    name : str
        ``budget``, ``equal`` or ``wide``.
    centre : str
        ``budget``: supplies of the budget in the context; ``equal``: as many counts of the target from every source.
    width : float
        Factor on the spreads of strengths, composition and context, in the logarithm.
    meaning : str
        In words.
    """

    name: str
    centre: str
    width: float
    meaning: str


def prior_names() -> tuple[str, ...]:
    """Names of the priors."""
    return tuple(load_table("inference", "attribution_priors")["name"])


def get_prior(name: str) -> Prior:
    """A prior of ``inference/tables/attribution_priors.csv``.

    Raises
    ------
    CoverageError
        There is none of that name.
    """
    table = load_table("inference", "attribution_priors").set_index("name")
    if name not in table.index:
        raise CoverageError(f"prior {name!r} is unknown; known: {', '.join(table.index)}")
    row = table.loc[name]
    return Prior(name, str(row["centre"]), float(row["width"]), str(row["meaning"]))
