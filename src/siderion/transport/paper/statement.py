"""One statement of the paper: what it says, the numbers that test it, the rules they are held to, the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from siderion.core.errors import CoverageError, DataError

if TYPE_CHECKING:
    from siderion.transport.paper.evidence import Evidence

CONCENTRATED = 1.5
"""Ions, or layers, lie in a region when their share there exceeds the share of the region by area this many times."""
TIE = 1e-9
"""Values closer to a strict bound than this, relative to the bound or to 1, are at it: that is rounding."""

VERDICTS = ("agrees", "partly", "disagrees", "cannot be compared")


@dataclass(frozen=True)
class Rule:
    """A fixed threshold: ``low <= value <= high``, or ``low < value < high``, by more than rounding, when strict."""

    low: float = -math.inf
    high: float = math.inf
    strict: bool = False

    def holds(self, value: float) -> bool:
        """Whether a value obeys the rule."""
        if not self.strict:
            return self.low <= value <= self.high
        return value - self.low > _rounding(self.low) and self.high - value > _rounding(self.high)

    @property
    def text(self) -> str:
        """The rule in words."""
        if math.isinf(self.low):
            return f"{'below' if self.strict else 'at most'} {self.high:g}"
        if math.isinf(self.high):
            return f"{'above' if self.strict else 'at least'} {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


def _rounding(bound: float) -> float:
    return TIE * max(1.0, abs(bound)) if math.isfinite(bound) else 0.0


def at_least(low: float) -> Rule:
    """The rule ``value >= low``."""
    return Rule(low=low)


def at_most(high: float) -> Rule:
    """The rule ``value <= high``."""
    return Rule(high=high)


def above(low: float) -> Rule:
    """The rule ``value > low``."""
    return Rule(low=low, strict=True)


def below(high: float) -> Rule:
    """The rule ``value < high``."""
    return Rule(high=high, strict=True)


def between(low: float, high: float) -> Rule:
    """The rule ``low <= value <= high``."""
    return Rule(low=low, high=high)


@dataclass(frozen=True)
class Number:
    """One number behind a verdict.

    Attributes
    ----------
    label : str
        What it is, and when.
    value : float
        Not a number where the output holds nothing to measure (no layer at that hour); it is shown as "none".
    units : str
        CF units; "1" for a pure number.
    rule : Rule, optional
        What it is held to; without one the number is shown for context only.
    """

    label: str
    value: float
    units: str = "1"
    rule: Rule | None = None

    @property
    def text(self) -> str:
        """Label, value and units."""
        shown = "none" if math.isnan(self.value) else f"{self.value:.3g}"
        units = "" if self.units == "1" or math.isnan(self.value) else f" {self.units}"
        return f"{self.label} {shown}{units}" if self.label else f"{shown}{units}"


def shares(label: str, share: float, by_area: float) -> list[Number]:
    """The share of something that lies in a region: at least half, and `CONCENTRATED` times what the area alone would give.

    Not a number where there is no such region.
    """
    share, excess = (share, share / by_area) if by_area else (float("nan"), float("nan"))
    return [
        Number(label, share, "1", at_least(0.5)),
        Number("by area alone", by_area),
        Number("over the share by area", excess, "1", at_least(CONCENTRATED)),
    ]


@dataclass(frozen=True)
class Statement:
    """A statement of the paper.

    Attributes
    ----------
    key : str
        Short name, unique.
    place : str
        Section and figure.
    says : str
        The statement, paraphrased.
    why : str
        Definition of the numbers; or why there are none.
    measure : callable, optional
        The numbers, from the `Evidence` of a run; without it the statement cannot be compared.
    follows : bool
        Whether it follows from the equations of the drifts or from the definition of a cell, whatever the ions do: agreement then
        shows that the model is consistent, no more.
    """

    key: str
    place: str
    says: str
    why: str
    measure: Callable[[Evidence], Sequence[Number]] | None = None
    follows: bool = False


@dataclass(frozen=True)
class Finding:
    """What one run says to one statement."""

    statement: Statement
    numbers: tuple[Number, ...]
    verdict: str
    why: str

    @property
    def number_text(self) -> str:
        """All numbers, in words."""
        return "; ".join(number.text for number in self.numbers)

    @property
    def rule_text(self) -> str:
        """The rules of the judged numbers, each once."""
        return "; ".join(dict.fromkeys(number.rule.text for number in self.numbers if number.rule is not None))


def verdict_counts(verdicts: Sequence[str], follows: Sequence[bool]) -> str:
    """How many statements got which verdict, and how many of these follow from the equations, in words."""
    said = []
    for verdict in VERDICTS:
        sure = [flag for one, flag in zip(verdicts, follows, strict=True) if one == verdict]
        given = f", of which {sum(sure)} follow from the equations" if any(sure) else ""
        said.append(f"{verdict}: {len(sure)}{given}")
    return f"{len(verdicts)} statements. " + "; ".join(said) + "."


def judge(numbers: Sequence[Number]) -> str:
    """``agrees`` when every judged number obeys its rule, ``partly`` when some do, ``disagrees`` when none does.

    A missing number does not obey; with all of them missing the verdict is ``cannot be compared``.
    """
    judged = [n for n in numbers if n.rule is not None]
    if all(math.isnan(n.value) for n in judged):
        return "cannot be compared"
    held = [n.rule is not None and n.rule.holds(n.value) for n in judged]
    return "agrees" if all(held) else "partly" if any(held) else "disagrees"


def find(statement: Statement, evidence: Evidence) -> Finding:
    """Test one statement; what the output lacks makes it ``cannot be compared``, with the reason."""
    if statement.measure is None:
        return Finding(statement, (), "cannot be compared", statement.why)
    try:
        numbers = tuple(statement.measure(evidence))
    except (DataError, CoverageError) as error:
        return Finding(statement, (), "cannot be compared", f"{statement.why} Not here: {error}")
    verdict = judge(numbers)
    judged = any(number.rule is not None for number in numbers)
    nothing = " Not here: the output holds nothing to measure." if judged and verdict == "cannot be compared" else ""
    return Finding(statement, numbers, verdict, statement.why + nothing)
