"""What an output of the fluid model shows: convection cells, layers, drifts by term, flows, asymmetry, summary."""

from siderion.transport.diagnostics.cells import CELL_SHARE, convection_cells
from siderion.transport.diagnostics.summary import (
    evening_morning_ratio,
    largest_density,
    summarize,
    summary_dataset,
    summary_text,
)

__all__ = [
    "CELL_SHARE",
    "convection_cells",
    "evening_morning_ratio",
    "largest_density",
    "summarize",
    "summary_dataset",
    "summary_text",
]
