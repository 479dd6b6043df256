"""Settings of the entry and ablation of bodies; the defaults come from ``sources/tables/ablation.csv``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from siderion.core.errors import SettingsError
from siderion.core.tables import load_table
from siderion.jobs.settings import Settings

_THERMAL = ("heat_transfer", "sticking", "latent_heat", "specific_heat", "vapour_molar_mass", "emissivity", "surfaces",
            "surroundings", "vapour_pressure", "release", "body_temperature")  # fmt: skip
_BELONGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sigma": ("model", ("classical",)),
    **dict.fromkeys(_THERMAL, ("model", ("thermal",))),
    **dict.fromkeys(("strength", "fragments", "strength_exponent"), ("fragmentation", ("pressure",))),
    "grain_mass": ("fragmentation", ("grain_energy", "grain_altitude")),
    "grain_energy": ("fragmentation", ("grain_energy",)),
    "grain_altitude": ("fragmentation", ("grain_altitude",)),
}
"""Settings that only some choices of another setting read."""


@cache
def _defaults() -> dict[str, float]:
    table = load_table("sources", "ablation")
    return dict(zip(table["setting"], table["value"].astype(float), strict=True))


def default_value(name: str) -> float:
    """Default of a setting, from the table ``sources/tables/ablation.csv``."""
    return _defaults()[name]


class AblationSettings(Settings):
    """How a body is slowed, heated, ablated and broken."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: Literal["thermal", "classical"] = Field("thermal", description="heat balance, or an ablation coefficient")
    drag_coefficient: float = Field(default_value("drag_coefficient"), gt=0.0, le=4.0, description="drag coefficient Gamma")
    shape_area: float = Field(default_value("shape_area"), gt=0.0, description="shape factor A: cross-section over V^(2/3)")
    heat_transfer: float = Field(default_value("heat_transfer"), gt=0.0, le=1.0, description="heat transfer coefficient Lambda")
    sticking: float = Field(default_value("sticking"), gt=0.0, le=1.0, description="condensation coefficient psi")
    latent_heat: float = Field(default_value("latent_heat"), gt=0.0, description="heat of melting and evaporation, J kg-1")
    specific_heat: float = Field(default_value("specific_heat"), gt=0.0, description="specific heat, J kg-1 K-1")
    vapour_molar_mass: float = Field(default_value("vapour_molar_mass"), gt=0.0, description="molar mass of the vapour, g mol-1")
    emissivity: float = Field(default_value("emissivity"), gt=0.0, le=1.0, description="emissivity of the surface")
    surfaces: Literal["sphere", "front"] = Field(
        "sphere",
        description="sphere: 4 A V^(2/3) evaporates and radiates; front: A V^(2/3) evaporates, 4 V^(2/3) radiates",
    )
    surroundings: Literal["sunlight", "air"] = Field(
        "sunlight",
        description="what the body radiates to: its temperature at entry (balance with sunlight and Earth), or the air, whose "
        "1000 K above 200 km would heat bodies that hardly meet it",
    )
    vapour_pressure: Literal["silicate", "feo", "iron"] = Field("silicate", description="law of the vapour pressure of the bulk")
    release: Literal["differential", "uniform"] = Field(
        "differential", description="each element with its own vapour pressure (thermal model), or all in proportion"
    )
    sigma: float = Field(default_value("sigma"), gt=0.0, description="ablation coefficient of the classical model, s2 km-2")
    body_temperature: float = Field(default_value("body_temperature"), gt=0.0, description="temperature at entry, K")
    gravity: bool = Field(True, description="gravity speeds the body up and bends its path")
    curved: bool = Field(True, description="spherical Earth: the zenith angle changes along the path")
    fragmentation: Literal["none", "pressure", "grain_energy", "grain_altitude"] = Field(
        "none", description="breaks at a dynamic pressure, or into grains after an energy per mass or at an altitude"
    )
    strength: float = Field(default_value("strength"), gt=0.0, description="dynamic pressure rho v^2 that breaks the body, Pa")
    fragments: int = Field(2, ge=2, le=10_000_000, description="equal fragments that a body breaks into")
    strength_exponent: float = Field(
        default_value("strength_exponent"), ge=0.0, le=2.0, description="fragments are stronger by (mass ratio)^this; 0: once"
    )
    grain_mass: float = Field(default_value("grain_mass"), gt=0.0, description="mass of the grains of a dust ball, kg")
    grain_energy: float = Field(default_value("grain_energy"), gt=0.0, description="heat per mass that frees the grains, J kg-1")
    grain_altitude: float = Field(default_value("grain_altitude"), gt=0.0, description="altitude where grains are freed, km")
    sputtering: bool = Field(False, description="atoms knocked out by molecules of air; matters above 120 km for fast bodies")
    ionisation: Literal["jones1997", "thomas2016", "vondrak2008_sodium", "jones1997_elements"] = Field(
        "jones1997", description="probability of ionisation by collisions"
    )
    tolerance: float = Field(1e-4, ge=1e-12, le=1e-2, description="relative error of a step")
    smallest_share: float = Field(1e-6, gt=0.0, le=0.1, description="share of the mass below which a body counts as gone")
    slowest_speed: float = Field(1000.0, gt=0.0, description="speed, m s-1, below which the flight ends and the rest is residue")
    largest_steps: int = Field(200_000, ge=100, description="steps after which a flight fails")

    @model_validator(mode="after")
    def _classical_has_no_temperature(self) -> AblationSettings:
        if self.model == "classical" and self.fragmentation == "grain_energy":
            raise ValueError("fragmentation grain_energy needs the heat balance: use model thermal")
        return self


def settings_given(given: Mapping[str, Any]) -> AblationSettings:
    """Make settings of what a user gave; a value that the chosen model would not read is refused.

    Parameters
    ----------
    given : mapping
        Fields of `AblationSettings`; those left out keep their defaults.

    Returns
    -------
    AblationSettings

    Raises
    ------
    SettingsError
        A name is unknown, a value breaks its rule, or a value belongs to a choice of ``model`` or ``fragmentation`` that was
        not made.
    """
    settings = AblationSettings.make(given)
    for name in given:
        chooser, choices = _BELONGS.get(name, ("", ()))
        if chooser and getattr(settings, chooser) not in choices:
            wanted = " or ".join(f"{chooser} {choice}" for choice in choices)
            raise SettingsError(
                f"{name} belongs to {wanted}; with {chooser} {getattr(settings, chooser)} it has no effect: leave it out, or "
                f"choose {wanted}"
            )
    return settings
