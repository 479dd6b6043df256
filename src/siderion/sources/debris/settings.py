"""Settings of a re-entry; defaults come from ``sources/tables/debris_reentry.csv``."""

from __future__ import annotations

from functools import cache
from typing import Literal

import pandas as pd
from pydantic import Field

from siderion.core.tables import load_table
from siderion.jobs.settings import Settings


@cache
def _defaults() -> pd.DataFrame:
    return load_table("sources", "debris_reentry").set_index("quantity")


def default_source(quantity: str) -> tuple[str, str]:
    """Confidence and source of the default of a quantity of ``debris_reentry.csv``."""
    row = _defaults().loc[quantity]
    return str(row["confidence"]), str(row["source"])


def default(quantity: str) -> float:
    """Default of a quantity of ``debris_reentry.csv``, in the units that its name gives."""
    return float(_defaults()["value"][quantity])


class ReentrySettings(Settings):
    """How an object comes down: start, break-up, heating, and what becomes of its mass."""

    speed: float = Field(default("speed_km_s"), ge=1.0, le=12.0, description="speed at the start, km/s; the Earth does not turn")
    flight_path_angle: float = Field(
        default("flight_path_angle_deg"), ge=-90.0, le=0.0, description="angle of the path to the horizontal, degrees, down < 0"
    )
    entry_altitude: float = Field(default("entry_altitude_km"), ge=90.0, le=500.0, description="altitude of the start, km")
    area: float | None = Field(None, gt=0.0, description="mean projected area of the whole, m2; from bulk_density without it")
    bulk_density: float = Field(
        default("bulk_density_kg_m3"), gt=0.0, description="mean density of the whole, kg m-3, where no area is given"
    )
    drag_coefficient: float | None = Field(
        None, gt=0.0, le=5.0, description="hold the drag coefficient of all objects at this value; else by Knudsen number"
    )
    break_up: Literal["altitude", "dynamic_pressure", "melting"] = Field("altitude", description="what breaks the object up")
    break_up_altitude: float = Field(default("break_up_altitude_km"), gt=0.0, le=120.0, description="km, for break_up = altitude")
    break_up_pressure: float = Field(
        default("break_up_pressure_pa"),
        gt=0.0,
        description="half of density times speed squared, Pa, for break_up = dynamic_pressure",
    )
    removal: Literal["melting", "vaporisation"] = Field(
        "melting", description="melting: the melt is shed at once and evaporates; vaporisation: only vapour leaves"
    )
    vapour_share: float = Field(
        default("vapour_share"), ge=0.0, le=1.0, description="share of the shed mass that becomes atoms; the rest is droplets"
    )
    layer_floor: float = Field(
        default("layer_floor_km"), ge=0.0, le=120.0, description="km; atoms released below are oxidised and lost to the layer"
    )
    ion_share: float = Field(0.0, ge=0.0, le=1.0, description="share of the released atoms that is ionised soon after release")
    ionisation: str = Field("jones1997", description="ionisation by impact: a model of ionisation_probability.csv, or none")
    bin_width: float = Field(1.0, gt=0.0, le=10.0, description="width of the bins of altitude, km")
    point_width: float = Field(default("point_width_km"), gt=0.0, description="horizontal sigma of the points of an event, km")
    step: float = Field(0.25, gt=0.0, le=5.0, description="largest step in time, s")
    change: float = Field(0.02, gt=0.0, le=0.2, description="largest relative change of speed, temperature or mass in a step")
