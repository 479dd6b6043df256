"""Settings of the integral over meteoroids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator

from siderion.core.tables import load_table
from siderion.jobs.settings import Settings

DEFAULT_ELEMENTS = ("Na", "Mg", "Al", "Si", "K", "Ca", "Ti", "Fe", "Ni")


def _density() -> float:
    return float(load_table("sources", "gruen_bodies").set_index("quantity").loc["density", "value"])


class InjectionSettings(Settings):
    """Which bodies stand for the influx, and where their atoms are counted."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    material: str | dict[str, float] = Field("chondritic", description="composition of the bodies: name or mass fractions")
    density: float = Field(default_factory=_density, gt=0.0, le=2.5e4, description="mass density of the bodies, kg m-3")
    smallest_mass: float = Field(1e-15, gt=0.0, description="smallest mass, kg; the influx is that of the range of masses")
    largest_mass: float = Field(0.1, gt=0.0, description="largest mass, kg")
    masses_per_bin: int = Field(3, ge=1, le=60, description="Gauss points in each bin (decade) of mass")
    speeds: int = Field(32, ge=1, le=1000, description="entry speeds, of equal ratio")
    angles: int = Field(5, ge=1, le=100, description="entry angles")
    samples: int = Field(0, ge=0, le=10_000_000, description="bodies of a Monte Carlo integral; 0: quadrature")
    seed: int = Field(0, ge=0, description="seed of the Monte Carlo integral")
    lowest_altitude: float = Field(60.0, ge=0.0, description="lower edge of the altitudes, km")
    highest_altitude: float = Field(140.0, le=1000.0, description="upper edge of the altitudes, km")
    altitude_step: float = Field(1.0, gt=0.0, description="height of the altitude bins, km")
    chunk: int = Field(1024, ge=1, description="bodies that fly at once")

    @model_validator(mode="after")
    def _rises(self) -> InjectionSettings:
        if not self.smallest_mass < self.largest_mass:
            raise ValueError(f"masses {self.smallest_mass:g} to {self.largest_mass:g} kg must rise")
        if not self.lowest_altitude + self.altitude_step <= self.highest_altitude * (1.0 + 1e-12):
            raise ValueError(
                f"altitudes {self.lowest_altitude:g} to {self.highest_altitude:g} km hold no bin of {self.altitude_step:g} km"
            )
        return self

    @property
    def altitude_edges(self) -> NDArray[np.float64]:
        """Edges of the altitude bins, m; the last bin ends at or above the highest altitude."""
        count = int(np.ceil((self.highest_altitude - self.lowest_altitude) / self.altitude_step - 1e-9))
        return np.asarray(1e3 * (self.lowest_altitude + self.altitude_step * np.arange(count + 1)))
