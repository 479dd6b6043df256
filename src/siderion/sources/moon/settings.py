"""Settings of a pick-up simulation."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from siderion.jobs.settings import Settings

Vector = tuple[float, float, float]


class PickupSettings(Settings):
    """Solar wind, Moon, sources and arrival of picked-up lunar ions; units as at the command line.

    Attributes
    ----------
    species : tuple of str
        Ions, such as ``("Fe+", "Na+")``.
    moon : (float, float, float)
        Position of the Moon in GSE, RE (6371.2 km).
    imf : (float, float, float)
        Magnetic field Bx, By, Bz in GSE, nT.
    plasma : str
        State of the table that sputters and carries.
    speed, density : float or None
        Speed (km s-1) and density of all ions (cm-3) in place of those of the state.
    speed_spread, imf_spread : float
        Standard deviations of the speed (km s-1) and of each component of the field (nT) over the time of the average: each
        test ion has its own constant plasma.
    clock_angles : str
        ``"given"``, or ``"all"``: the field is turned about the flow by a random angle, as in an average over long times.
    aberration : bool
        The plasma comes from the aberrated direction (motion of the Earth about the Sun).
    source : str
        ``"sputter"``, ``"photo"`` or ``"all"``.
    yields : str, float or mapping
        See `siderion.sources.moon.sputtering.sputter_yields`.
    yield_energy : bool
        Yields follow the energy of the ions.
    regolith : str
        ``"highland"`` or ``"mare"``.
    photo_rates : mapping of str to float
        Rates of photo-ionisation by element, s-1, in place of the table.
    at : str or float
        ``"bow-shock"``, ``"magnetopause"`` or the x of a plane, RE.
    radius : float
        Radius of the disc on a plane in which arrivals count, RE.
    tail_limit : float
        x behind which arrivals at the other surfaces do not count, RE; -30 to the nose.
    bz_gsm : float or None
        North component of the field in GSM for the shape of the magnetopause, nT; without it that of ``imf``, as if GSM were
        GSE. The dipole turns them apart by up to 35 degrees.
    particles : int
        Test ions per species and origin.
    seed : int
        Seed.
    energy_bins : int
        Bins of the energy distribution, from 0 to the largest energy of the fastest plasma.
    """

    species: tuple[str, ...] = Field(min_length=1)
    moon: Vector
    imf: Vector
    plasma: str = "solar-wind"
    speed: float | None = Field(default=None, gt=0.0)
    density: float | None = Field(default=None, gt=0.0)
    speed_spread: float = Field(default=0.0, ge=0.0)
    imf_spread: float = Field(default=0.0, ge=0.0)
    clock_angles: Literal["given", "all"] = "given"
    aberration: bool = True
    source: Literal["sputter", "photo", "all"] = "sputter"
    yields: str | float | dict[str, float] = "brotzner2024"
    yield_energy: bool = False
    regolith: str = "highland"
    photo_rates: dict[str, float] = Field(default_factory=dict)
    at: str | float = "bow-shock"
    radius: float = Field(default=15.0, gt=0.0)
    tail_limit: float = Field(default=0.0, allow_inf_nan=False)
    bz_gsm: float | None = Field(default=None, allow_inf_nan=False)
    particles: int = Field(default=20_000, ge=256)
    seed: int = 0
    energy_bins: int = Field(default=40, ge=2)

    @field_validator("moon", "imf")
    @classmethod
    def _finite(cls, value: Vector) -> Vector:
        if not np.isfinite(value).all() or not any(value):
            raise ValueError("three finite numbers are needed that are not all zero")
        return value

    @model_validator(mode="after")
    def _distinct(self) -> PickupSettings:
        if len(set(self.species)) < len(self.species):
            raise ValueError("each species may be named once")
        return self

    @property
    def north_field(self) -> float:
        """North component of the field that shapes the magnetopause, nT."""
        return self.imf[2] if self.bz_gsm is None else self.bz_gsm
