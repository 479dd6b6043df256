"""Densities of ions and neutrals for the windows and events: body, Sun and plasma joined with the measured power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.chemistry.photo_rates import charge_exchange_rate, photo_rate
from siderion.core.bodies import ASTRONOMICAL_UNIT, Body
from siderion.core.errors import CoverageError, SettingsError
from siderion.core.measurement import measurement
from siderion.core.species import PARENTS, parent_neutral
from siderion.core.variables import with_attributes
from siderion.frames.planets import heliocentric_distance
from siderion.geospace.regions import MAGNETOSHEATH, MAGNETOSPHERE

from . import density as kernels
from .conventions import Convention
from .criteria import NO_SPECTRUM, Rejection
from .density_settings import DensityUncertainty, Plasma, PlasmaSettings, flow_vector, rate_range
from .pickup_current import pickup_current, production_rate
from .plans import WaveIon, wave_ion
from .polarization import Real
from .uncertainty import FLAGS, Interval, propagate_density

NO_RATE = 3
"""Flag of a neutral density that lacks an ionisation rate."""
NO_WAVE = 4
"""Flag of a density whose window shows no wave of the ion; the value is an upper limit."""
FILLED = 0.7
"""Part of the largest power of an event from which a window counts for its density; the ratios of found to true power that
follow are in docs/validation.md, detection of ion cyclotron waves."""
OTHER_PLASMA = 5
"""Flag of a density inside the bow shock that rests on the plasma of the solar wind."""
_MEANINGS = {**FLAGS, NO_RATE: "no ionisation rate of the neutral", NO_WAVE: "no wave: upper limit from all power in the band",
             OTHER_PLASMA: "inside the bow shock: the solar wind of the preset does not apply"}  # fmt: skip
_NO_LIMIT = NO_SPECTRUM | Rejection.FIELD_UNSTEADY | Rejection.FIXED_LINE | Rejection.FORESHOCK | Rejection.OUTSIDE_REGION
"""Reasons for which the power in the band bounds no wave of the ion."""


@dataclass(frozen=True)
class IonisationRates:
    """Photo-ionisation rates at 1 au of ions, s-1, in the order of their names: quiet and active Sun, NaN without a rate."""

    names: tuple[str, ...]
    quiet: Real
    active: Real


def rates_at_1_au(species: Sequence[str]) -> IonisationRates:
    """Photo-ionisation rates of the parent neutrals; that of the active Sun is the quiet one where the table has no other."""
    pairs = [_photo_rates(name) for name in species]
    return IonisationRates(tuple(species), *(np.array([pair[k] for pair in pairs]) for k in (0, 1)))


def _photo_rates(name: str) -> tuple[float, float]:
    """Rates of the quiet and the active Sun; of a group, those of the ion of its neutral."""
    try:
        neutral = parent_neutral(name)
        ion = f"{neutral}+" if name in PARENTS else name
        quiet = photo_rate(neutral, ion, 1.0)
    except CoverageError:  # negative ions, ions of two charges, and what the table lacks
        return np.nan, np.nan
    try:
        return quiet, photo_rate(neutral, ion, 1.0, 1.0)
    except CoverageError:
        return quiet, quiet


def add_densities(
    windows: xr.Dataset,
    body: Body,
    plasma: Plasma,
    settings: PlasmaSettings,
    convention: Convention,
    uncertainty: DensityUncertainty,
    background: str,
) -> xr.Dataset:
    """Add ion and neutral densities with their uncertainties to windows.

    Detected windows get a value: from the power across the field less the background (``background`` is ``"subtract"``) or
    with it (``"keep"``, as the paper). Other windows with a spectrum get an upper limit: what all power in the band would
    give, at its 84 % end. The densities of a neutral without an ionisation rate are NaN and flagged.

    Parameters
    ----------
    windows : xarray.Dataset
        Final windows, with ``rejection``.
    body : Body
        Radius and distance from the Sun.
    plasma, settings : Plasma, PlasmaSettings
        Plasma around the body.
    convention : Convention
        Factors of equations (1) and (2).
    uncertainty : DensityUncertainty
        Spreads.
    background : str
        ``"subtract"`` or ``"keep"``.
    """
    ions = [wave_ion(str(name)) for name in windows["species"].values]
    detected = windows["detected"].values
    spectrum = (windows["rejection"].values & int(_NO_LIMIT)) == 0
    power = windows["power_perpendicular"].values * 1e-18
    noise = windows["background"].values * 1e-18 if background == "subtract" else 0.0
    used = np.where(detected, power - noise, np.where(spectrum, power, np.nan))
    field = windows["mean_magnetic_field"].transpose("time", "component").values * 1e-9
    strength = windows["magnetic_field_strength"].values * 1e-9
    angle = _pitch_angle(field, flow_vector(settings, str(windows.attrs.get("frame", "")), plasma))
    # the field of the whole window, which the band belongs to; the cell of the grid is a part of it
    across_window = windows["gyrofrequency"].values * 2.0 * np.pi / np.array([ion.charge_to_mass for ion in ions])[None, :]
    rates = rates_at_1_au([ion.name for ion in ions])
    distance = heliocentric_distance(body, windows["time"].values) / ASTRONOMICAL_UNIT
    more = _other_ionisation(ions, plasma, settings)
    rate, low, high = _rates(rates, distance, settings, more)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(rate).all(axis=0))
    found = propagate_density(
        used,
        windows["degrees_of_freedom"].values,
        angle[:, None],
        np.where(across_window > 0.0, across_window, 1e-9),
        np.array([ion.mass for ion in ions])[None, :],
        np.array([abs(ion.lightest.charge) for ion in ions])[None, :],
        *(np.where(known[None, :], part, 1.0) for part in (rate, low, high)),
        plasma=plasma,
        convention=convention,
        uncertainty=uncertainty,
    )
    limit = spectrum & ~detected & (found.flag != 1)
    flag = np.where(_inside_shock(windows, settings)[:, None] & (found.flag == 0), OTHER_PLASMA, found.flag)
    flag = np.where(limit, NO_WAVE, flag)
    result = windows.copy()
    convention_words = str(found.attributes["density_value"])
    every = np.ones_like(known)
    result.update(_as_measurement("ion_density", "pick-up ions", found.ion_density, every, flag, limit, convention_words))
    result.update(
        _as_measurement("neutral_density", "parent neutrals", found.neutral_density, known, flag, limit, convention_words)
    )
    result["pitch_angle"] = ("time", np.degrees(angle))
    result["heliocentric_distance"] = ("time", distance)
    result["ionisation_rate"] = (("time", "species"), np.where(known[None, :], rate, np.nan))
    _add_validity(result, ions, angle, strength, plasma, body)
    result.attrs.update(found.attributes)
    result.attrs["ionisation_rates"] = "; ".join(_rate_words(rates, k, settings, more[k]) for k in range(len(ions)))
    result.attrs["background_power"] = background
    return with_attributes(result)


def _as_measurement(
    name: str, what: str, part: Interval, usable: NDArray[np.bool_], flag: NDArray, limit: NDArray[np.bool_], words: str
) -> xr.Dataset:
    """A density as a measurement: its value, or the limit; nothing for the ions (columns) that are not usable."""
    blank = ~usable[None, :] | limit
    return measurement(
        name,
        np.where(usable[None, :], np.where(limit, part.upper, part.value), np.nan),
        np.where(blank, np.nan, part.lower),
        np.where(blank, np.nan, part.upper),
        dims=("time", "species"),
        units="m-3",
        convention=words,
        flag=np.where(usable[None, :], flag, NO_RATE),
        flag_meanings=_MEANINGS,
        upper_limit=limit,
        long_name=f"number density of the {what}",
    )


def _pitch_angle(field: Real, flow: Real | None) -> Real:
    """Angle between field and injection velocity, radians; NaN where the flow is not known or the field is missing or zero."""
    angle = np.full(len(field), np.nan)
    good = np.isfinite(field).all(axis=1) & (np.abs(field).max(axis=1, initial=0.0) > 0.0)
    if flow is not None and good.any():
        angle[good] = kernels.pitch_angle(field[good], np.broadcast_to(flow, field[good].shape))
    return angle


def _inside_shock(windows: xr.Dataset, settings: PlasmaSettings) -> NDArray[np.bool_]:
    """Windows in the magnetosheath or magnetosphere, unless the user gave the plasma."""
    if "region" not in windows or (settings.density is not None and settings.speed is not None):
        return np.zeros(windows.sizes["time"], dtype=np.bool_)
    return np.isin(windows["region"].values, (MAGNETOSHEATH, MAGNETOSPHERE))


def _rate_words(rates: IonisationRates, k: int, settings: PlasmaSettings, more: float) -> str:
    """Where the rate of an ion comes from."""
    name = rates.names[k]
    if (given := (settings.photo_rate or {}).get(name)) is not None:
        words = f"{name}: {given:.3g} s-1 at the body, given"
    elif np.isfinite(rates.quiet[k]):
        words = f"{name}: {rates.quiet[k]:.3g} (quiet) to {rates.active[k]:.3g} s-1 (active) at 1 au from {parent_neutral(name)}"
    else:
        words = f"{name}: no photo-ionisation rate; give one with --photo-rate"
    return f"{words}, and {more:.3g} s-1 by charge exchange and electrons" if more else words


def _other_ionisation(ions: Sequence[WaveIon], plasma: Plasma, settings: PlasmaSettings) -> Real:
    """Rates of charge exchange and electron impact that were asked for, s-1, one for each ion."""
    rates = np.full(len(ions), settings.electron_impact)
    if settings.charge_exchange:
        for k, ion in enumerate(ions):
            try:
                rates[k] += charge_exchange_rate(parent_neutral(ion.name), plasma.density, plasma.flow_speed)
            except CoverageError as error:
                raise SettingsError(
                    f"plasma.charge_exchange: {error}; leave it out, and give the whole rate with --photo-rate"
                ) from error
    return rates


def _rates(rates: IonisationRates, distance: Real, settings: PlasmaSettings, more: Real) -> tuple[Real, Real, Real]:
    """Rate in use and its ends, shape (time, species): photo-ionisation, tabled or given, and what is added; NaN without any."""
    columns = []
    for k, name in enumerate(rates.names):
        given = (settings.photo_rate or {}).get(name)
        quiet, active = rates.quiet[k] / distance**2, rates.active[k] / distance**2
        if given is not None and not np.isfinite(rates.quiet[k]):
            quiet = active = np.full(len(distance), given)
        if not np.isfinite(quiet).all():
            columns.append((np.full(len(distance), more[k] or np.nan),) * 3)
            continue
        columns.append(tuple(part + more[k] for part in rate_range(quiet, active, activity=settings.activity, given=given)))
    return tuple(np.stack(parts, axis=1) for parts in zip(*columns, strict=True))  # type: ignore[return-value]


def _add_validity(windows: xr.Dataset, ions: Sequence[WaveIon], angle: Real, strength: Real, plasma: Plasma, body: Body) -> None:
    """Alfven speed over injection speed, gyroradius and pick-up current: the conditions of the method, and equation (5)."""
    good = np.isfinite(strength) & (strength > 0.0)
    safe = np.where(good, strength, 1e-9)
    ratio = kernels.speed_ratio(kernels.alfven_speed(safe, plasma.mass_density), plasma.injection_speed)
    windows["alfven_speed_ratio"] = ("time", np.where(good, ratio, np.nan))
    across = np.where(np.isfinite(angle), angle, np.pi / 2.0)
    radius = np.stack(
        [kernels.pickup_gyroradius(plasma.injection_speed, across, safe, ion.mass, abs(ion.lightest.charge)) for ion in ions],
        axis=1,
    )
    windows["pickup_gyroradius"] = (("time", "species"), np.where(good[:, None], radius / 1e3, np.nan))
    size = kernels.gyroradius_ratio(radius, float(body.require("radius")))  # type: ignore[arg-type]
    windows["gyroradius_ratio"] = (("time", "species"), np.where(good[:, None], size, np.nan))
    neutral = windows["neutral_density"].values
    rate = windows["ionisation_rate"].values
    usable = np.isfinite(neutral) & np.isfinite(rate) & good[:, None] & ~windows["neutral_density_upper_limit"].values
    current = np.full(neutral.shape, np.nan)
    for k, ion in enumerate(ions):
        rows = usable[:, k]
        if rows.any():
            across_field = plasma.injection_speed * np.sin(across[rows])
            current[rows, k] = pickup_current(
                production_rate(neutral[rows, k], rate[rows, k]), ion.mass, across_field, safe[rows]
            )
    windows["pickup_current"] = (("time", "species"), current)


def event_densities(events: xr.Dataset, windows: xr.Dataset) -> xr.Dataset:
    """Densities of events: geometric means of value and ends over the windows that the wave fills.

    A window on the flank of a packet of waves holds only a part of it, and its power is that part of the power of the
    packet. Only windows with at least `FILLED` of the largest power of the event count. The ends are not narrowed by the number
    of windows: all but the noise of the power is common to them.
    """
    result = events.copy()
    column = {str(name): k for k, name in enumerate(windows["species"].values)}
    power = (windows["power_perpendicular"] - windows["background"]).values
    chosen = [(filled_windows(power[:, column[name]], first, count), column[name]) for name, first, count in _members(events)]
    for name in ("ion_density", "neutral_density"):
        parts = {}
        for suffix in ("", "_lower", "_upper"):
            values = windows[name + suffix].values
            parts[suffix] = np.array([_geometric_mean(values[place]) for place in chosen])
        flags = windows[f"{name}_flag"].values
        result.update(
            measurement(
                name, parts[""], parts["_lower"], parts["_upper"], dims=("event",), units="m-3",
                convention=f"geometric mean over the windows of the event with at least {FILLED:g} of its largest power; "
                f"{windows[name].attrs['convention']}",
                flag=np.array([flags[place].max() for place in chosen], dtype=np.int16), flag_meanings=_MEANINGS,
                long_name=str(windows[name].attrs["long_name"]),
            )
        )  # fmt: skip
    return result


def _members(events: xr.Dataset) -> list[tuple[str, int, int]]:
    return [
        (str(name), int(first), int(count))
        for name, first, count in zip(
            events["species"].values, events["first_window"].values, events["window_count"].values, strict=True
        )
    ]


def filled_windows(power: NDArray, first: int, count: int) -> NDArray[np.intp]:
    """Numbers of the windows of an event with at least `FILLED` of its largest power; ``power`` has the shape (n_window,)."""
    rows = np.arange(first, first + count)
    return rows[power[rows] >= FILLED * power[rows].max()]


def _geometric_mean(values: NDArray) -> float:
    return float(np.exp(np.mean(np.log(values)))) if (np.isfinite(values) & (values > 0.0)).all() else float("nan")
