"""Settings of the densities: the plasma around the body, and the spread of every factor.

Nothing is assumed in silence: a value comes from the user or from the preset of the body, and `Plasma.attributes` says
which. A preset that is a range gives its geometric middle, and the range is its spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.special import ndtri

from siderion.core.bodies import ASTRONOMICAL_UNIT, Body
from siderion.core.constants import ATOMIC_MASS, CUBIC_CENTIMETRE
from siderion.core.errors import SettingsError
from siderion.core.expected_ions import flow_direction
from siderion.core.tables import load_table
from siderion.geospace.boundaries import orbital_speed
from siderion.jobs.settings import Settings

from .density import Floats, checked, injection_speed, mass_of_ions, solar_wind_mass_density

Vector = tuple[float, float, float]


class Spread(Settings):
    """Distribution of one factor: none, a range (log-uniform or uniform), or lognormal with a relative deviation."""

    distribution: Literal["none", "log-uniform", "uniform", "lognormal"] = Field(
        description="none: exact; log-uniform or uniform between lower and upper; lognormal about the value in use"
    )
    lower: float | None = Field(None, gt=0.0, description="lower end of a range, in the units of the quantity")
    upper: float | None = Field(None, gt=0.0, description="upper end of a range, in the units of the quantity")
    relative: float | None = Field(None, ge=0.0, description="one sigma of a lognormal upwards is the factor 1 + relative")

    @model_validator(mode="after")
    def _whole(self) -> Spread:
        ranged = self.distribution in ("log-uniform", "uniform")
        if ranged and (self.lower is None or self.upper is None or self.lower > self.upper):
            raise ValueError(f"{self.distribution} needs lower <= upper, given {self.lower} and {self.upper}")
        if self.distribution == "lognormal" and self.relative is None:
            raise ValueError("lognormal needs relative, such as 0.3")
        return self

    def ratios(self, probability: ArrayLike, nominal: float) -> NDArray[np.float64]:
        """Quantiles of the quantity over its value in use, at probabilities between 0 and 1, same shape."""
        u = np.asarray(probability, dtype=float)
        if self.distribution == "none":
            return np.ones_like(u)
        if self.distribution == "lognormal":
            return np.exp(math.log1p(self.relative or 0.0) * ndtri(u))
        lower, upper = float(self.lower or 0.0), float(self.upper or 0.0)
        if self.distribution == "uniform":
            return (lower + (upper - lower) * u) / nominal
        return lower * (upper / lower) ** u / nominal


def table_spread(quantity: str) -> Spread:
    """Spread of a quantity as in ``waves/tables/density_spreads.csv``."""
    table = load_table("waves", "density_spreads").set_index("quantity")
    if quantity not in table.index:
        raise SettingsError(f"no spread of {quantity!r} in density_spreads; quantities: {', '.join(table.index)}")
    row = table.loc[quantity]
    numbers = {key: float(row[key]) for key in ("lower", "upper", "relative") if not math.isnan(float(row[key]))}
    return Spread(distribution=row["distribution"], **numbers)  # type: ignore[arg-type]


class DensityUncertainty(Settings):
    """How the uncertainty of a density is propagated; the spread of the plasma stands in `PlasmaSettings`."""

    transfer_efficiency: Spread = Field(
        default_factory=lambda: table_spread("transfer_efficiency"), description="phi of equation (1)"
    )
    growth_gyrations: Spread = Field(
        default_factory=lambda: table_spread("growth_gyrations"), description="gyrations until the waves are grown, equation (2)"
    )
    power: Literal["chi-square", "none"] = Field(
        "chi-square", description="true over measured power: dof/chi-square(dof), dof being the degrees of freedom in the band"
    )
    photo_rate: Literal["log-uniform", "uniform", "none"] = Field(
        "log-uniform", description="distribution of the ionisation rate between its quiet and its active end"
    )
    pitch_angle_deviation: float = Field(
        0.0, ge=0.0, le=90.0, description="standard deviation of a known pitch angle, degrees; an unknown one is isotropic"
    )
    magnetic_field: Spread = Field(
        default_factory=lambda: Spread(distribution="none"), description="field strength (a relative deviation); cancels in n_n"
    )
    value: Literal["nominal", "median"] = Field(
        "nominal", description="value given: that of the equations with the convention as named, or the median of the samples"
    )
    samples: int = Field(8192, ge=100, le=1_000_000, description="samples of every factor")
    seed: int = Field(0, ge=0, description="seed of the samples")

    @model_validator(mode="after")
    def _relative_field(self) -> DensityUncertainty:
        if self.magnetic_field.distribution not in ("none", "lognormal"):
            raise ValueError("magnetic_field must be none or lognormal: the field differs from window to window")
        return self


class PlasmaSettings(Settings):
    """The plasma that picks the ions up; what is left out comes from the preset of the body."""

    density: float | None = Field(None, gt=0.0, description="plasma ions (protons in the solar wind), cm-3")
    density_uncertainty: float | None = Field(None, ge=0.0, description="relative 1-sigma of the density; 0 is exact")
    speed: float | None = Field(None, gt=0.0, description="speed of the plasma relative to the Sun or the moon, km s-1")
    speed_uncertainty: float | None = Field(None, ge=0.0, description="relative 1-sigma of the speed; 0 is exact")
    alpha_fraction: float = Field(0.0, ge=0.0, le=1.0, description="alpha particles per proton in v_A; 0 leaves them out")
    ion_mass: float | None = Field(None, gt=0.0, description="mean mass of the plasma ions, amu; needed around moons of giants")
    orbital_speed: float | None = Field(
        None, ge=0.0, description="speed of the body across the flow, km s-1; left out: from its distance to the Sun"
    )
    flow_direction: Vector | None = Field(None, description="direction the plasma flows to, in the frame of the field")
    photo_rate: dict[str, float] | None = Field(
        None, description='ionisation rates at the body, s-1, by ion, instead of tables, such as {"Li+" = 1e-3}'
    )
    charge_exchange: bool = Field(
        False, description="add charge exchange with solar wind protons (H and D) to the photo-ionisation"
    )
    electron_impact: float = Field(0.0, ge=0.0, description="rate of ionisation by electrons that is added, s-1 at the body")
    activity: float | None = Field(
        None,
        ge=0.0,
        le=1.0,
        description="solar activity from 0 (quiet) to 1 (active); left out: unknown, the range is its spread",
    )


@dataclass(frozen=True)
class Plasma:
    """Plasma as the kernels need it.

    Attributes
    ----------
    density, flow_speed, body_speed : float
        Plasma ions, m-3; speeds of the flow and of the body across it, m s-1.
    mass_density : float
        kg m-3.
    density_spread, speed_spread : Spread
        Ranges in m-3 and m s-1, or relative.
    composition : str
        What the Alfven speed holds, such as ``"protons without alpha particles"``.
    origin : dict
        Where each value comes from, in words.
    """

    density: float
    flow_speed: float
    body_speed: float
    mass_density: float
    density_spread: Spread
    speed_spread: Spread
    composition: str
    origin: dict[str, str]

    @property
    def injection_speed(self) -> float:
        """Speed of the aberrated flow, m s-1."""
        return float(injection_speed(self.flow_speed, self.body_speed))

    def attributes(self) -> dict[str, str | float]:
        """Values used and their origin, for the attributes of an output."""
        values: dict[str, str | float] = {
            "plasma_density_cm3": self.density * CUBIC_CENTIMETRE,
            "plasma_density_spread": _words(self.density_spread, CUBIC_CENTIMETRE, "cm-3"),
            "flow_speed_km_s": self.flow_speed / 1e3,
            "flow_speed_spread": _words(self.speed_spread, 1e-3, "km s-1"),
            "injection_speed_km_s": self.injection_speed / 1e3,
            "alfven_speed_composition": self.composition,
        }
        return values | {f"{key}_origin": value for key, value in self.origin.items()}


def _words(spread: Spread, factor: float, units: str) -> str:
    if spread.distribution == "none":
        return "exact"
    if spread.distribution == "lognormal":
        return f"lognormal, 1 sigma {100.0 * (spread.relative or 0.0):g} %"
    return f"{spread.distribution}, {float(spread.lower or 0) * factor:g} to {float(spread.upper or 0) * factor:g} {units}"


def resolve_plasma(settings: PlasmaSettings, body: Body) -> Plasma:
    """Values of the plasma from the settings and, where they are silent, from the preset of the body.

    A range of the preset gives its geometric middle, log-uniform over the range. A single number of unknown uncertainty, be
    it of the user or of the preset, gets the widest of the usual variability (``waves/tables/density_spreads.csv``) and
    the range of the preset: an unknown widens.

    Parameters
    ----------
    settings : PlasmaSettings
        What the user gave.
    body : Body
        The body, from `siderion.core.bodies.get_body`.

    Returns
    -------
    Plasma
        SI values, spreads, origin.

    Raises
    ------
    SettingsError
        A value is neither given nor known for the body, or the ion mass is needed.
    """
    density, density_spread, density_origin = _value(
        settings.density, settings.density_uncertainty, body, "plasma_density", 1.0 / CUBIC_CENTIMETRE
    )
    speed, speed_spread, speed_origin = _value(settings.speed, settings.speed_uncertainty, body, "flow_speed", 1e3)
    mass, composition = _mass_density(settings, body, density)
    body_speed, body_origin = _body_speed(settings, body)
    origin = {"plasma_density": density_origin, "flow_speed": speed_origin, "body_speed": body_origin}
    return Plasma(density, speed, body_speed, mass, density_spread, speed_spread, composition, origin)


def in_solar_wind(body: Body) -> bool:
    """Whether the plasma around a body is the solar wind: not so for moons, save that of the Earth."""
    return body.kind != "moon" or body.name == "Moon"


def _value(given: float | None, relative: float | None, body: Body, field: str, factor: float) -> tuple[float, Spread, str]:
    """Value in SI, its spread, and where both come from."""
    if given is None:
        preset = body.require(field)
        lower, upper = preset if isinstance(preset, tuple) else (preset, preset)
        value = math.sqrt(lower * upper)
        middle = "geometric middle of the range" if lower < upper else "value"
        origin = f"{middle} of the preset of {body.name}"
        if relative is None and lower < upper:
            return value, Spread(distribution="log-uniform", lower=lower, upper=upper), f"{origin}; its range is the spread"
    else:
        value, origin = given * factor, "given"
    if relative is not None:
        kind: Literal["none", "lognormal"] = "lognormal" if relative > 0.0 else "none"
        return value, Spread(distribution=kind, relative=relative), f"{origin}; uncertainty given"
    usual = table_spread(field)
    known = getattr(body, field)
    half = math.log(known[1] / known[0]) / 2.0 if known is not None else 0.0
    # standard deviation of the logarithm of a log-uniform range: half width over root 3
    wide = max(usual.relative or 0.0, math.expm1(half / math.sqrt(3.0)))
    return value, Spread(distribution="lognormal", relative=wide), f"{origin}; uncertainty not known, usual variability taken"


def _mass_density(settings: PlasmaSettings, body: Body, density: float) -> tuple[float, str]:
    if settings.ion_mass is not None:
        if settings.alpha_fraction > 0.0:
            raise SettingsError("give ion_mass or alpha_fraction, not both: the mean mass already holds the alpha particles")
        return density * mass_of_ions(settings.ion_mass), f"ions of mean mass {settings.ion_mass:g} amu"
    if not in_solar_wind(body):
        lower, upper = body.require("ion_mass")  # type: ignore[misc]
        mass = math.sqrt(lower * upper)
        return density * mass, f"ions of mean mass {mass / ATOMIC_MASS:.3g} amu (preset of {body.name})"
    alphas = settings.alpha_fraction
    words = f"protons with {100.0 * alphas:g} % alpha particles" if alphas > 0.0 else "protons without alpha particles"
    return float(solar_wind_mass_density(density, alpha_fraction=alphas)), words


def _body_speed(settings: PlasmaSettings, body: Body) -> tuple[float, str]:
    if settings.orbital_speed is not None:
        return settings.orbital_speed * 1e3, "given"
    if not in_solar_wind(body):
        return 0.0, "none: the flow speed is relative to the moon"
    if body.distance is None:
        return 0.0, "not known: no aberration"
    distance = math.sqrt(body.distance[0] * body.distance[1])
    words = f"circular orbit at {distance / ASTRONOMICAL_UNIT:.3g} au"
    return orbital_speed(distance), words


def flow_vector(settings: PlasmaSettings, frame: str, plasma: Plasma) -> Floats | None:
    """Velocity of the plasma past the body in the frame of the field, m s-1, or None where its direction is not known.

    The direction is that of the settings, else that of the frame in ``core/tables/body_frames.csv``, aberrated by the
    orbital motion. None means that pitch angles are unknown and taken as isotropic.

    Raises
    ------
    SettingsError
        The given direction has no length.
    """
    if settings.flow_direction is not None:
        given = np.asarray(settings.flow_direction, dtype=float)
        length = float(np.linalg.norm(given))
        if not (math.isfinite(length) and length > 0.0):
            raise SettingsError(f"flow_direction is {settings.flow_direction}; it must be a vector of finite length above 0")
        return given / length * plasma.injection_speed
    table = load_table("core", "body_frames")
    rows = table[table["frame"].str.lower() == frame.lower()]
    if rows.empty:
        return None
    row = rows.iloc[0]
    flow = flow_direction(str(row["frame"]))
    if row["aberrated"] == "yes":
        return plasma.injection_speed * flow
    if row["orbital_plane"] == "yes":  # y is opposite to the motion of the body, which adds a flow along it
        return plasma.flow_speed * flow + plasma.body_speed * np.array([0.0, 1.0, 0.0])
    return plasma.flow_speed * flow


def rate_range(
    quiet: ArrayLike, active: ArrayLike, *, activity: float | None, given: float | None = None
) -> tuple[Floats, Floats, Floats]:
    """Ionisation rate in use and the ends of its spread, from the rates of the quiet and of the active Sun.

    Parameters
    ----------
    quiet, active : array
        s-1, at the body.
    activity : float or None
        0 (quiet) to 1 (active), linear between; the ends are then the rate itself. None: not known, the rate is the
        geometric middle and the ends are quiet and active.
    given : float, optional
        A rate that replaces that of the tables, s-1; with unknown activity it keeps the relative range of the tables.

    Returns
    -------
    rate, lower, upper : array
        s-1.

    Raises
    ------
    DataError
        A rate is not positive and finite.
    """
    calm, busy = checked("rate of the quiet Sun", quiet), checked("rate of the active Sun", active)
    low, high = np.minimum(calm, busy), np.maximum(calm, busy)
    rate = np.sqrt(low * high) if activity is None else calm + (busy - calm) * activity
    if given is not None:
        rate = np.broadcast_to(checked("given rate", given), rate.shape).copy()
    half = np.sqrt(high / low) if activity is None else np.ones_like(low)
    return rate, rate / half, rate * half
