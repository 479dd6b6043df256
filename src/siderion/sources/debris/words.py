"""What a re-entry assumes, in words: citations of its settings, and notes for those who read the result."""

from __future__ import annotations

from .settings import ReentrySettings, default, default_source

Row = tuple[str, str, str, str]
"""What, model, confidence, citation."""

_TABLE = "siderion/sources/tables/debris_reentry.csv"
_BREAK_UPS = {"altitude": "break_up_altitude_km", "dynamic_pressure": "break_up_pressure_pa"}


def citations(rows: list[Row]) -> list[dict[str, str]]:
    """Rows as the attribute ``sources`` holds them."""
    return [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in rows]


def setting_rows(settings: ReentrySettings) -> list[Row]:
    """Citations of the settings that decide what a re-entry releases, each with its value and confidence."""
    numbers = (
        ("speed at the start", "speed_km_s", settings.speed, "km/s"),
        ("angle of entry", "flight_path_angle_deg", settings.flight_path_angle, "degrees"),
        ("share of the melt that turns to atoms", "vapour_share", settings.vapour_share, ""),
        ("floor of the layer", "layer_floor_km", settings.layer_floor, "km"),
    )
    return [*(_number(*row) for row in numbers), _size(settings), _drag(settings), _break_up(settings)]


def object_rows(objects: dict[str, tuple[float, float]], assumed: bool) -> list[Row]:
    """Citations of the mean objects of a rate: mass (kg) of each, and its share of the mass that comes down."""
    source = _TABLE if assumed else "stated by the user"
    masses = ", ".join(f"{name} {mass:g} kg" for name, (mass, _) in objects.items())
    shares = ", ".join(f"{name} {share:g}" for name, (_, share) in objects.items())
    return [
        ("masses of the mean objects", masses, "unverified", source),
        ("shares of the objects in the mass", shares, "unverified", source),
    ]


def width_row(settings: ReentrySettings) -> Row:
    """Citation of the width of the points of an event."""
    return _number("width of a trail", "point_width_km", settings.point_width, "km")


def vapour_note(settings: ReentrySettings) -> str:
    """What the share of vapour means for the result; empty where the user chose one below 1."""
    if settings.vapour_share < 1.0 or settings.removal != "melting":
        return ""
    return "all that melts counts as atoms (vapour_share = 1): the released amounts are upper limits"


def low_break_up_note(name: str, altitude: float, settings: ReentrySettings) -> str:
    """Warning for an object that breaks up below the floor of the layer (altitude in km); empty above it."""
    if altitude > settings.layer_floor:
        return ""
    return (
        f"{name} breaks up at {altitude:.1f} km, not above the floor of the layer, {settings.layer_floor:g} km: parts set free "
        "there cannot reach the layer; only the shell and what separates above it do. Set break_up_altitude higher to let more in"
    )


def _number(what: str, quantity: str, value: float, units: str) -> Row:
    words = f"{value:g} {units}".strip()
    if value != default(quantity):
        return what, words, "unverified", "stated by the user"
    return what, words, *default_source(quantity)


def _size(settings: ReentrySettings) -> Row:
    if settings.area is not None:
        return "size of the whole", f"area {settings.area:g} m2", "unverified", "stated by the user"
    return _number("size of the whole", "bulk_density_kg_m3", settings.bulk_density, "kg m-3, a sphere")


def _drag(settings: ReentrySettings) -> Row:
    if settings.drag_coefficient is not None:
        return "drag", f"coefficient {settings.drag_coefficient:g}", "unverified", "stated by the user"
    ends = (default("drag_coefficient_free"), default("drag_coefficient_continuum"))
    return "drag", f"sphere, {ends[0]:g} (free molecules) to {ends[1]:g} (continuum)", "unverified", _TABLE


def _break_up(settings: ReentrySettings) -> Row:
    if settings.break_up == "melting":
        return "break-up", "where the shell begins to melt", "unverified", "assumed"
    value, units = (settings.break_up_altitude, "km") if settings.break_up == "altitude" else (settings.break_up_pressure, "Pa")
    return _number("break-up", _BREAK_UPS[settings.break_up], value, units)
