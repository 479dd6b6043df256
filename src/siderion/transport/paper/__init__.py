"""The paper, Andoh et al. 2026: every testable statement of its sections 3 and 4 against one output."""

from siderion.transport.paper.evidence import Evidence
from siderion.transport.paper.statement import VERDICTS, Finding, Number, Rule, Statement, verdict_counts
from siderion.transport.paper.table import STATEMENTS, findings, paper_table

__all__ = [
    "STATEMENTS",
    "VERDICTS",
    "Evidence",
    "Finding",
    "Number",
    "Rule",
    "Statement",
    "findings",
    "paper_table",
    "verdict_counts",
]
