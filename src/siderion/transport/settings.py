"""Settings of a transport run."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from siderion.background.ion_velocity import TERMS
from siderion.background.settings import DriverSettings
from siderion.chemistry.network import Network, build_network
from siderion.core.errors import SettingsError
from siderion.core.species import get_species
from siderion.jobs.settings import Settings, merged

DENSITY_FLOOR = 1e4
"""Smallest density of the model by default, m-3; logarithms of densities are not taken below it."""
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

PRESETS: dict[str, dict[str, float]] = {
    "quick": {"resolution": 2.0, "fine_step": 1.0, "coarse_step": 4.0, "time_step": 60.0},
    "standard": {"resolution": 1.0, "fine_step": 1.0, "coarse_step": 4.0, "time_step": 40.0},
    "paper": {"resolution": 0.5, "fine_step": 0.5, "coarse_step": 2.0, "time_step": 30.0},
}
"""Grids by name. ``quick`` is a smoke test; ``paper`` is the resolution of Andoh et al. 2026, section 2."""


class GridSettings(Settings):
    """The native grid."""

    resolution: float = Field(1.0, gt=0.1, le=5.0, description="horizontal cell, degrees")
    fine_step: float = Field(1.0, gt=0.05, le=10.0, description="cell height up to uniform_top, km")
    coarse_step: float = Field(4.0, gt=0.05, le=20.0, description="cell height at the top, km")
    bottom: float = Field(85.0, ge=80.0, le=110.0, description="lowest altitude, km")
    uniform_top: float = Field(140.0, gt=80.0, description="altitude up to which cells are fine, km")
    top: float = Field(310.0, gt=120.0, le=600.0, description="highest altitude, km")
    edge_latitude: float = Field(40.0, ge=40.0, lt=80.0, description="absolute latitude of the low-latitude edge")
    pole: Literal["closed", "paper"] = Field(
        "closed",
        description="closed over the pole, or the lid of Andoh et al. 2026: beyond 87.5 degrees the mean of the last ring",
    )

    @model_validator(mode="after")
    def _ordered(self) -> GridSettings:
        if not self.bottom < self.uniform_top < self.top:
            raise ValueError(f"altitudes must grow: bottom {self.bottom} < uniform_top {self.uniform_top} < top {self.top}")
        if self.coarse_step < self.fine_step:
            raise ValueError(f"coarse_step {self.coarse_step} km is smaller than fine_step {self.fine_step} km")
        return self


class BoundarySettings(Settings):
    """What happens at the boundaries; every flux is booked in the mass budget."""

    bottom: Literal["floor", "fixed"] = Field(
        "floor", description="inflow from below carries the floor density, or the lowest cells keep their density (paper)"
    )
    top: Literal["open", "fixed"] = Field(
        "open",
        description="ions leave where their drift is upwards and the floor density enters, or the top cells keep their "
        "density (paper)",
    )
    edge: Literal["inflow", "profile", "fixed"] = Field(
        "inflow",
        description="inflow carries the density of the edge cell, or the initial profile; or the edge cells keep their "
        "density (paper)",
    )


class InitialSettings(Settings):
    """Initial profile of the metal ion, and of the neutral metal: Gaussians, with a tail above for the neutral."""

    peak_density: float = Field(1e10, ge=0.0, description="ion peak, m-3")
    peak_altitude: float = Field(100.0, description="km")
    width: float = Field(10.0, gt=0.0, description="km; density exp(-((z - peak)/width)^2)")
    floor: float = Field(DENSITY_FLOOR, gt=0.0, description="smallest initial density, and that of inflow from below, m-3")
    neutral_peak_density: float = Field(2e9, ge=0.0, description="neutral metal peak (polar summer), m-3")
    neutral_peak_altitude: float = Field(92.0, description="km")
    neutral_width: float = Field(4.0, gt=0.0, description="km")
    neutral_tail_density: float = Field(2e8, ge=0.0, description="thermospheric neutral metal at 120 km, m-3")
    neutral_tail_scale: float = Field(13.0, gt=0.0, description="scale height of that tail, km")


class ChemistrySettings(Settings):
    """Chemistry of the metals."""

    network: Literal["full", "simple", "none"] = Field("full", description="reactions, see docs/chemistry.md")
    alternatives: dict[str, str] = Field(default_factory=dict, description="variants of rates by key")
    neutral: Literal["depletable", "fixed"] = Field(
        "depletable", description="whether ionisation uses up the neutral metal, or it is held at its initial density"
    )
    meteoric_flux: float = Field(0.0, ge=0.0, description="supply of neutral metal, atoms m-2 s-1 (1e9 is 1e5 cm-2 s-1)")
    meteoric_altitude: float = Field(90.0, description="centre of the supply, km")
    meteoric_width: float = Field(8.0, gt=0.0, description="width of the supply, km")
    sunlight: Literal["horizon", "geometric_shadow"] = Field("horizon", description="rule that ends photo-ionisation")
    step: float = Field(120.0, gt=0.0, le=600.0, description="largest chemical time step, s")


class SupplySettings(Settings):
    """What sources add to the run, besides the Gaussian supply of the chemistry settings."""

    files: tuple[str, ...] = Field((), description="source data sets, from siderion sources")
    atoms: Literal["chemistry", "ions"] = Field(
        "chemistry",
        description="released atoms join the neutral metal and are ionised by its reactions, or count as ions at once",
    )


class RunSettings(Settings):
    """One run of the fluid model."""

    date: datetime.date = Field(description="day that is analysed, UTC")
    hours: float = Field(36.0, gt=0.0, le=240.0, description="length of the run, spin-up included")
    spin_up: float = Field(12.0, ge=0.0, description="hours before the day that the run starts")
    hemisphere: Literal["north", "south"] = "north"
    preset: str = Field("standard", description="name of the grid, for the record")
    species: tuple[str, ...] = Field(("Fe+",), min_length=1, description="metal ions")
    engine: str = Field("auto", description="engine of the kernels")
    precision: Literal["float32", "float64"] = "float32"
    time_step: float = Field(40.0, gt=0.0, le=120.0, description="largest time step, s")
    terms: tuple[str, ...] = Field(TERMS, description="active terms of equation (2)")
    collision_formula: Literal["schunk_nagy", "sami"] = "schunk_nagy"
    eddy_diffusivity: float = Field(0.0, ge=0.0, le=1000.0, description="below 105 km, m2 s-1")
    velocity_at: tuple[str, ...] = Field(("06:00", "18:00"), description="UTC times of day with velocities in the output")
    term_altitudes: tuple[float, ...] | Literal["all"] = Field(
        (120.0, 200.0, 300.0), description="altitudes, km, at which the velocity is written by term; 'all' for every level"
    )
    output_interval: float = Field(1.0, gt=0.0, description="hours between outputs")
    output_spin_up: bool = Field(False, description="write the spin-up too")
    grid: GridSettings = GridSettings()
    boundaries: BoundarySettings = BoundarySettings()
    initial: InitialSettings = InitialSettings()
    chemistry: ChemistrySettings = ChemistrySettings()
    supply: SupplySettings = SupplySettings()
    drivers: DriverSettings = DriverSettings()

    @model_validator(mode="after")
    def _consistent(self) -> RunSettings:
        metals = tuple(f"{name.rstrip('+').lower()}_" for name in self.species)
        idle = [key for key in self.chemistry.alternatives if not key.startswith(metals)]
        if idle:
            raise ValueError(f"alternatives {idle} belong to none of the species {self.species}")
        unknown = set(self.terms) - set(TERMS)
        if unknown:
            raise ValueError(f"terms {sorted(unknown)} are unknown; use some of {', '.join(TERMS)}")
        if len(set(self.species)) != len(self.species):
            raise ValueError(f"species {self.species} names one twice")
        if any(not _CLOCK.fullmatch(time) for time in self.velocity_at):
            raise ValueError(f"velocity_at {self.velocity_at} must be times of day such as 06:00")
        if self.term_altitudes != "all" and any(not self.grid.bottom <= z <= self.grid.top for z in self.term_altitudes):
            raise ValueError(f"term_altitudes {self.term_altitudes} km must lie between bottom and top of the grid")
        if self.spin_up >= self.hours:
            raise ValueError(f"spin_up {self.spin_up} h is not shorter than hours {self.hours} h")
        if (self.output_interval * 6.0) % 1.0 or (self.hours * 6.0) % 1.0 or (self.spin_up * 6.0) % 1.0:
            raise ValueError("hours, spin_up and output_interval must be multiples of 10 minutes, the cadence of the drivers")
        return self


def run_period(settings: RunSettings) -> tuple[np.datetime64, np.datetime64]:
    """Start and end of a run, UTC, spin-up included."""
    start = datetime.datetime.combine(settings.date, datetime.time()) - datetime.timedelta(hours=settings.spin_up)
    end = start + datetime.timedelta(hours=settings.hours)
    return np.datetime64(start, "ns"), np.datetime64(end, "ns")


def metal_network(settings: RunSettings, ion: str) -> Network | None:
    """The network of one metal ion with the chosen variants of its rates; None without chemistry.

    Raises
    ------
    CoverageError, SettingsError
        The metal, a rate or a variant is unknown.
    """
    if settings.chemistry.network == "none":
        return None
    metal = get_species(ion).neutral_name
    chosen = {key: value for key, value in settings.chemistry.alternatives.items() if key.startswith(f"{metal.lower()}_")}
    return build_network(metal, settings.chemistry.network, chosen)


def make_settings(values: Mapping[str, Any]) -> RunSettings:
    """Settings of a run from a preset and what is given, which wins.

    Parameters
    ----------
    values : mapping
        Names of `RunSettings`, nested for its parts; ``date`` is needed. ``preset`` names the grid, ``"standard"`` by default.

    Raises
    ------
    SettingsError
        No date, an unknown preset or name, or a value that breaks its rule.
    """
    name = values.get("preset", "standard")
    if name not in PRESETS:
        raise SettingsError(f"preset is {name!r}; use one of {', '.join(PRESETS)}")
    if "date" not in values:
        raise SettingsError("no date: give a day of the solar wind data, such as 2023-06-18 (siderion days lists some)")
    grid = {key: value for key, value in PRESETS[name].items() if key != "time_step"}
    return RunSettings.make(merged({"grid": grid, "time_step": PRESETS[name]["time_step"]}, values))
