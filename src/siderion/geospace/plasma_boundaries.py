"""Bow shock and magnetopause of the Earth that follow the solar wind: Shue 1998, Jelinek 2012, Farris and Russell 1994.

All are surfaces of revolution about the aberrated line to the Sun. Lengths in m, pressure in Pa, field in T.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.bodies import get_body
from siderion.core.errors import SettingsError
from siderion.core.tables import load_table
from siderion.geospace.boundaries import Boundary, get_boundary

Array = NDArray[np.float64]
MAGNETOPAUSES = ("shue1998", "jelinek2012")
SHOCKS = ("jelinek2012", "farris1994", "farris1994_shue")
"""Models; farris1994 has the shape of the hyperbola of Slavin and Holzer, farris1994_shue that of the magnetopause."""


@dataclass(frozen=True)
class SolarWind:
    """Solar wind with its uncertainty, SI; each a number or an array that fits the times.

    Attributes
    ----------
    pressure, pressure_spread : array
        Dynamic pressure, Pa, and standard deviation of its logarithm.
    bz, bz_spread : array
        North component of the field in GSM and its standard deviation, T.
    mach, mach_spread : array
        Fast magnetosonic Mach number and its standard deviation.
    speed : float
        Speed, m s-1; it sets the aberration.

    Raises
    ------
    SettingsError
        A value is not finite or out of its range (pressure and speed positive, Mach number above 1, spreads not negative).
    """

    pressure: ArrayLike
    bz: ArrayLike = 0.0
    mach: ArrayLike = 6.0
    pressure_spread: ArrayLike = 0.0
    bz_spread: ArrayLike = 0.0
    mach_spread: ArrayLike = 0.0
    speed: float = 400e3

    def __post_init__(self) -> None:
        """Refuse winds that are none."""
        limits = {
            "pressure": 0.0, "bz": -np.inf, "mach": 1.0, "speed": 0.0,
        }  # fmt: skip
        for name, least in limits.items():
            _check_range(name, getattr(self, name), least, included=False)
        for name in ("pressure_spread", "bz_spread", "mach_spread"):
            _check_range(name, getattr(self, name), 0.0, included=True)


def typical_wind() -> SolarWind:
    """Solar wind of a solar cycle with its spread, from the table ``typical_wind`` (remembered values)."""
    t = load_table("geospace", "typical_wind").set_index("name")["value"].astype(float)
    return SolarWind(
        t["pressure"] * 1e-9, t["bz"] * 1e-9, t["mach"], t["pressure_spread"], t["bz_spread"] * 1e-9, t["mach_spread"],
        float(t["speed"]) * 1e3,
    )  # fmt: skip


def shue_standoff(pressure: ArrayLike, bz: ArrayLike) -> Array:
    """Stand-off distance of the magnetopause, m, of Shue et al. 1998, doi:10.1029/98JA01103."""
    a = _shue_coefficients()
    field, p = np.asarray(bz, dtype=float) * 1e9, np.asarray(pressure, dtype=float) * 1e9
    return np.asarray((a["a1"] + a["a2"] * np.tanh(a["a3"] * (field + a["a4"]))) * p ** (-1.0 / a["a5"]) * _radius())


def shue_flaring(pressure: ArrayLike, bz: ArrayLike) -> Array:
    """Exponent alpha of r = r0 (2/(1 + cos theta))^alpha of Shue et al. 1998, doi:10.1029/98JA01103."""
    a = _shue_coefficients()
    field, p = np.asarray(bz, dtype=float) * 1e9, np.asarray(pressure, dtype=float) * 1e9
    return np.asarray((a["a6"] - a["a7"] * field) * (1.0 + a["a8"] * np.log(p)))


def jelinek_standoff(pressure: ArrayLike, surface: str) -> Array:
    """Stand-off distance, m, of Jelinek et al. 2012, doi:10.1029/2011JA017252: R0 = R P^(-1/e).

    Parameters
    ----------
    pressure : array
        Dynamic pressure, Pa.
    surface : str
        ``"shock"`` or ``"magnetopause"``.
    """
    t = _coefficients()
    return np.asarray(
        t[f"jelinek_{surface}_size"] * (np.asarray(pressure, dtype=float) * 1e9) ** (-1.0 / t[f"jelinek_{surface}_exponent"])
        * _radius()
    )  # fmt: skip


def farris_ratio(mach: ArrayLike) -> Array:
    """Distance of the nose of the bow shock over that of the magnetopause.

    1 + 1.1 ((g - 1) M^2 + 2)/((g + 1)(M^2 - 1)), g = 5/3: Farris and Russell 1994, doi:10.1029/94JA01020. It grows without limit
    as the Mach number falls to 1, and tends to 1.275 for a fast wind.
    """
    t = _coefficients()
    m2, g = np.asarray(mach, dtype=float) ** 2, t["heat_ratio"]
    return np.asarray(1.0 + t["farris_factor"] * ((g - 1.0) * m2 + 2.0) / ((g + 1.0) * (m2 - 1.0)))


def standoff(model: str, surface: str, pressure: ArrayLike, bz: ArrayLike, mach: ArrayLike) -> Array:
    """Stand-off distance, m, of a model.

    Parameters
    ----------
    model : str
        One of `MAGNETOPAUSES` or `SHOCKS`.
    surface : str
        ``"magnetopause"`` or ``"shock"``.
    pressure, bz, mach : array
        Pa, T (GSM), fast Mach number; those that a model does not need are not used.

    Raises
    ------
    SettingsError
        The model does not have that surface.
    """
    _check_model(model, surface)
    if model == "jelinek2012":
        return jelinek_standoff(pressure, surface)
    nose = shue_standoff(pressure, bz)
    return nose if surface == "magnetopause" else nose * farris_ratio(mach)


def required_standoff(model: str, surface: str, position: ArrayLike, pressure: ArrayLike = 2e-9, bz: ArrayLike = 0.0) -> Array:
    """Stand-off distance that the surface must have, its shape kept, to pass through a position; m.

    A position is outside where this is larger than `standoff`. It is r itself on the line to the Sun.

    Parameters
    ----------
    model, surface : str
        As in `standoff`.
    position : array of shape (..., 3)
        m, in aberrated GSE or GSM.
    pressure, bz : array
        They set the flaring of Shue's shape.

    Returns
    -------
    ndarray of shape (...)
        Zero or negative deep in the tail, where no surface of that shape passes.

    Notes
    -----
    Jelinek: (x + sqrt(x^2 + l^2 rho^2))/2. Shue: r ((1 + cos theta)/2)^alpha. Hyperbola of Slavin and Holzer (1981), scaled about
    the centre of the Earth: the larger root of the quadratic in the scale.
    """
    _check_model(model, surface)
    values = np.asarray(position, dtype=np.float64)
    x, rho = values[..., 0], np.hypot(values[..., 1], values[..., 2])
    if model == "jelinek2012":
        stretch = _coefficients()[f"jelinek_{surface}_stretch"]
        away = np.sqrt(x**2 + (stretch * rho) ** 2)
        # written so that no digits cancel in the tail
        across = np.where(x < 0.0, (stretch * rho) ** 2 / np.where(x < 0.0, away - x, 1.0), x + away)
        return np.asarray(0.5 * across)
    if model == "farris1994":
        return _hyperbola_standoff(x, rho)
    distance = np.hypot(x, rho)
    cosine = np.divide(x, distance, out=np.ones_like(distance), where=distance > 0.0)
    return distance * (0.5 * (1.0 + cosine)) ** shue_flaring(pressure, bz)


def boundary_of(model: str, surface: str, pressure: float, bz: float = 0.0, mach: float = 6.0) -> Boundary:
    """Surface of a model in given solar wind, for the functions of `siderion.geospace.boundaries`.

    Parameters
    ----------
    model, surface : str
        As in `standoff`.
    pressure, bz, mach : float
        Pa, T (GSM), fast Mach number.

    Raises
    ------
    SettingsError
        The model does not have that surface, or a number is out of range.

    Notes
    -----
    Jelinek's r = 2 R0/(cos theta + sqrt(cos^2 theta + l^2 sin^2 theta)) is a parabola, x = R0 - l^2 rho^2/(4 R0): a conic of
    eccentricity 1, focus at R0 (1 - 1/l^2), semi-latus rectum 2 R0/l^2.
    """
    SolarWind(pressure, bz, mach)
    nose = float(standoff(model, surface, pressure, bz, mach))
    kind, name = ("inner_boundary", "magnetopause") if surface == "magnetopause" else ("bow_shock", "bow shock")
    if model == "jelinek2012":
        stretch = float(_coefficients()[f"jelinek_{surface}_stretch"])
        return Boundary(
            "Earth", kind, model, name, "conic", focus_x=nose * (1.0 - stretch**-2), eccentricity=1.0,
            semi_latus_rectum=2.0 * nose / stretch**2,
        )  # fmt: skip
    if model == "farris1994":
        base = _hyperbola()
        scale = nose / base.nose_distance
        return replace(base, model=model, focus_x=scale * base.focus_x, semi_latus_rectum=scale * base.semi_latus_rectum)
    return Boundary("Earth", kind, model, name, "shue", standoff=nose, flaring=float(shue_flaring(pressure, bz)))


def scatter(surface: str) -> float:
    """Standard deviation, m, of the stand-off distance about the models, from the table ``plasma_boundaries``."""
    return float(_coefficients()[f"{surface}_scatter"]) * _radius()


def boundary_sources() -> list[dict[str, str]]:
    """Sources of the coefficients and of the scatter, with their confidence, for the attribute ``sources``."""
    table = load_table("geospace", "plasma_boundaries")
    rows = [
        {
            "what": _MEANINGS[str(row["name"])],
            "model": f"{float(row['value']):.4g}" + ("" if str(row["unit"]) == "1" else " radii of the Earth"),
            "confidence": str(row["confidence"]),
            "citation": str(row["source"]),
        }
        for _, row in table.iterrows()
    ]
    shue = load_table("geospace", "shue1998").iloc[0]
    what = "magnetopause of Shue et al. 1998"
    return [*rows, {"what": what, "model": "shue1998", "confidence": str(shue["confidence"]), "citation": str(shue["source"])}]


@cache
def _hyperbola() -> Boundary:
    return get_boundary("Earth", "bow_shock", "slavin1981")


def _hyperbola_standoff(x: Array, rho: Array) -> Array:
    """Nose distance of the scaled hyperbola through a place."""
    base = _hyperbola()
    e, f, length = base.eccentricity, base.focus_x, base.semi_latus_rectum
    whole = length + e * f
    root = np.sqrt((x * length) ** 2 + (whole**2 - f**2) * rho**2)
    return (x * (whole * e - f) + root) / (whole**2 - f**2) * base.nose_distance


def _check_model(model: str, surface: str) -> None:
    known = {"magnetopause": MAGNETOPAUSES, "shock": SHOCKS}
    if surface not in known or model not in known[surface]:
        text = "; ".join(f"{name}: {', '.join(models)}" for name, models in known.items())
        raise SettingsError(f"no model {model!r} of surface {surface!r}; there are {text}")


def _check_range(name: str, values: ArrayLike, least: float, *, included: bool) -> None:
    array = np.asarray(values, dtype=np.float64)
    bad = ~(np.isfinite(array) & ((array >= least) if included else (array > least)))
    if bad.any():
        word = "at least" if included else "above"
        raise SettingsError(f"solar wind: {name} is {array[bad].flat[0]} (SI units); it must be finite and {word} {least:g}")


_MEANINGS = {
    "jelinek_shock_size": "bow shock of Jelinek et al. 2012, stand-off distance at 1 nPa",
    "jelinek_shock_stretch": "bow shock of Jelinek et al. 2012, stretch of the parabola",
    "jelinek_shock_exponent": "bow shock of Jelinek et al. 2012, exponent of the pressure",
    "jelinek_magnetopause_size": "magnetopause of Jelinek et al. 2012, stand-off distance at 1 nPa",
    "jelinek_magnetopause_stretch": "magnetopause of Jelinek et al. 2012, stretch of the parabola",
    "jelinek_magnetopause_exponent": "magnetopause of Jelinek et al. 2012, exponent of the pressure",
    "farris_factor": "bow shock of Farris and Russell 1994, factor of the thickness of the sheath",
    "heat_ratio": "ratio of specific heats in the bow shock of Farris and Russell 1994",
    "magnetopause_scatter": "scatter of real crossings about models of the magnetopause",
    "shock_scatter": "scatter of real crossings about models of the bow shock",
}
"""What the rows of the table ``plasma_boundaries`` are, in words."""


@cache
def _shue_coefficients() -> Mapping[str, float]:
    table = load_table("geospace", "shue1998")
    return MappingProxyType(dict(zip(table["name"], table["value"].astype(float), strict=True)))


@cache
def _coefficients() -> Mapping[str, float]:
    table = load_table("geospace", "plasma_boundaries")
    return MappingProxyType(dict(zip(table["name"], table["value"].astype(float), strict=True)))


def _radius() -> float:
    return get_body("Earth").require_value("radius")  # type: ignore[return-value]
