"""What an output of the fluid model shows: convection cells, layers, drifts by term, flows, asymmetry, summary."""

from siderion.transport.diagnostics.asymmetry import cell_asymmetry
from siderion.transport.diagnostics.cells import CELL_SHARE, convection_cells, convection_pattern
from siderion.transport.diagnostics.drifts import electric_field, ion_drifts
from siderion.transport.diagnostics.flows import mean_flows, metal_ion_flows
from siderion.transport.diagnostics.layers import sporadic_layers
from siderion.transport.diagnostics.magnetic_grid import to_magnetic_grid
from siderion.transport.diagnostics.summary import (
    evening_morning_ratio,
    largest_density,
    summarize,
    summary_dataset,
    summary_text,
)

__all__ = [
    "CELL_SHARE",
    "cell_asymmetry",
    "convection_cells",
    "convection_pattern",
    "electric_field",
    "evening_morning_ratio",
    "ion_drifts",
    "largest_density",
    "mean_flows",
    "metal_ion_flows",
    "sporadic_layers",
    "summarize",
    "summary_dataset",
    "summary_text",
    "to_magnetic_grid",
]
