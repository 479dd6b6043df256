"""What an output of the fluid model shows: convection cells, layers, drifts by term, flows, asymmetry, summary."""

from siderion.transport.diagnostics.asymmetry import cell_asymmetry
from siderion.transport.diagnostics.cells import CELL_SHARE, convection_cells, convection_pattern
from siderion.transport.diagnostics.drifts import electric_field, ion_drifts
from siderion.transport.diagnostics.flows import mean_flows, metal_ion_flows
from siderion.transport.diagnostics.layers import layer_density, polar_layer_area, polar_layers, sporadic_layers
from siderion.transport.diagnostics.magnetic_grid import to_magnetic_grid
from siderion.transport.diagnostics.summary import (
    daily_asymmetry,
    evening_morning_ratio,
    largest_density,
    summarize,
    summary_dataset,
    summary_text,
    supply_text,
)
from siderion.transport.diagnostics.times import analysed_times

__all__ = [
    "CELL_SHARE",
    "analysed_times",
    "cell_asymmetry",
    "convection_cells",
    "convection_pattern",
    "daily_asymmetry",
    "electric_field",
    "evening_morning_ratio",
    "ion_drifts",
    "largest_density",
    "layer_density",
    "mean_flows",
    "metal_ion_flows",
    "polar_layer_area",
    "polar_layers",
    "sporadic_layers",
    "summarize",
    "summary_dataset",
    "summary_text",
    "supply_text",
    "to_magnetic_grid",
]
