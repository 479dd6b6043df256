"""Statements that one output cannot be compared with, and why."""

from __future__ import annotations

from siderion.transport.paper.statement import Statement

_SATELLITE = "No satellite data are compared here; `siderion sample` gives the model along an orbit."

STATEMENTS = (
    Statement(
        "satellites_evening",
        "3, paragraph 3",
        "Satellites met metal ions more often in the evening than in the morning.",
        _SATELLITE,
    ),
    Statement("satellites_narrow", "3, paragraph 3", "Satellites saw the F-region ions in narrow flows.", _SATELLITE),
    Statement("satellites_latitudes", "3, paragraph 3", "The latitudes of the structure agree with satellite maps.", _SATELLITE),
    Statement("satellites_altitude", "3, paragraph 3", "Observed densities decrease with altitude in the F region.", _SATELLITE),
    Statement(
        "satellites_differ",
        "3, paragraph 3",
        "Not all observed flows are reproduced, perhaps for different activity.",
        _SATELLITE,
    ),
    Statement(
        "earlier_model",
        "3, paragraph 4",
        "An earlier model of the night, with a fixed field, put the layers at 70-80 degrees too.",
        "Another model, whose output is not available.",
    ),
    Statement(
        "ionosondes_reversal",
        "3, paragraph 5",
        "Ionosondes see layers when the reversal passes over them.",
        "No ionosonde data are compared here; the model's layer and reversal are compared with each other (e_at_reversal).",
    ),
    Statement(
        "radar_width",
        "3, before Figure 7",
        "A radar saw structures about 2 degrees wide in latitude.",
        "No radar data are compared here; the model's width is (e_width).",
    ),
)
