"""Models of mass spectrometers: geometry, voltages, foil, timing and sensitivity, each number with its own source.

The numbers are in ``spectrometer/tables/instrument_values.csv``, one a row with source and confidence; a number that is not
known is ``nan`` here. A `Setup` is an instrument in one state: voltage, energy per charge that the analyser lets through, foil.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache

import numpy as np

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table

FOIL = "foil time of flight"
LINEAR_FIELD = "linear field time of flight"
GATED = "gated time of flight"
MAGNETIC = "magnetic"
PRINCIPLES = (FOIL, LINEAR_FIELD, GATED, MAGNETIC)
"""How the mass is told: by flight behind a foil, in a linear field behind a foil, behind a gate without a foil, by a magnet."""

FOIL_MODELS = ("fit", "stopping")
"""How the loss in the foil is continued below the energies that were simulated: see `siderion.spectrometer.foil`."""

_TO_SI = {
    "1": 1.0,
    "cm": 1e-2,
    "kV": 1e3,
    "eV": 1.0,
    "keV": 1e3,
    "ns": 1e-9,
    "us": 1e-6,
    "cm2 sr": 1e-4,
    "ug cm-2": 1.0,
    "s-1": 1.0,
    "deg": 1.0,
    "T": 1.0,
}


@dataclass(frozen=True)
class Instrument:
    """A mass spectrometer.

    Attributes
    ----------
    name, title, mission, principle : str
        Short name (``"codif"``), full name, mission and one of `PRINCIPLES`.
    path_length : float
        Flight path, m; in a linear field the depth at which the potential is the voltage.
    post_acceleration : float
        Usual voltage before the foil (linear field: of the field), V.
    minimum_voltage, maximum_voltage : float
        Range of voltages, V.
    foil_thickness : float
        Usual carbon foil, ug cm-2; 0 without foil.
    minimum_energy, maximum_energy : float
        Range of the energy analyser, eV per charge.
    energy_steps, energy_resolution : float
        Number of steps, and full width at half maximum divided by the energy.
    geometric_factor : float
        All directions, without the energy width, m2 sr.
    efficiency, duty_cycle : float
        Probability that an ion behind the analyser is counted, and share of the time in which one energy is looked at.
    mass_resolution : float
        m/dm.
    time_resolution : float
        Standard deviation of the electronics, s.
    path_spread : float
        Relative standard deviation of the flight path by the optics.
    time_range : tuple of float
        Begin and end of the time axis, s.
    time_bins : int
        Bins of the time axis; 0 without one.
    background : float
        Accidental events per second over the whole time axis.
    dead_time : float
        Time after an event in which no other is seen, s.
    has_solid_state_detector : bool
        Whether a detector behind the flight path measures the energy.
    detector_threshold, detector_resolution : float
        Of that detector: lowest energy, and full width at half maximum, eV.
    ion_share : float
        Linear field: share of atoms that leave the foil as positive ions.
    magnetic_field : float
        Magnetic analyser: field, T.
    position_bins : int
        Magnetic analyser: bins along the detector.
    field_of_view_azimuth, field_of_view_polar, angular_resolution : float
        Degrees.
    sources : dict
        Source and confidence of each number.
    """

    name: str
    title: str
    mission: str
    principle: str
    path_length: float = np.nan
    post_acceleration: float = 0.0
    minimum_voltage: float = 0.0
    maximum_voltage: float = 0.0
    foil_thickness: float = 0.0
    minimum_energy: float = np.nan
    maximum_energy: float = np.nan
    energy_steps: int = 0
    energy_resolution: float = np.nan
    geometric_factor: float = np.nan
    efficiency: float = np.nan
    duty_cycle: float = 1.0
    mass_resolution: float = np.nan
    time_resolution: float = 0.0
    path_spread: float = 0.0
    time_range: tuple[float, float] = (np.nan, np.nan)
    time_bins: int = 0
    background: float = 0.0
    dead_time: float = 0.0
    has_solid_state_detector: bool = False
    detector_threshold: float = np.nan
    detector_resolution: float = np.nan
    ion_share: float = np.nan
    magnetic_field: float = np.nan
    position_bins: int = 0
    field_of_view_azimuth: float = np.nan
    field_of_view_polar: float = np.nan
    angular_resolution: float = np.nan
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def has_foil(self) -> bool:
        """Whether ions pass a foil, in which molecules break."""
        return self.principle in (FOIL, LINEAR_FIELD)

    @property
    def has_time_axis(self) -> bool:
        """Whether the instrument measures a time of flight."""
        return self.principle != MAGNETIC


@dataclass(frozen=True)
class Setup:
    """An instrument in one state.

    Attributes
    ----------
    instrument : Instrument
    voltage : float
        Post-acceleration (linear field: voltage of the field), V.
    energy_per_charge : float
        Energy per charge behind the analyser, eV per charge.
    foil_thickness : float
        ug cm-2.
    foil_model : str
        One of `FOIL_MODELS`.
    """

    instrument: Instrument
    voltage: float
    energy_per_charge: float
    foil_thickness: float
    foil_model: str = "fit"

    def time_edges(self) -> np.ndarray:
        """Edges of the bins of the time axis, s, shape (time_bins + 1,)."""
        if not self.instrument.has_time_axis:
            raise SettingsError(f"{self.instrument.title} has no time axis; use siderion.spectrometer.magnetic")
        return np.linspace(*self.instrument.time_range, self.instrument.time_bins + 1)


def list_instruments() -> list[str]:
    """Names of the instruments that `get_instrument` knows."""
    return [str(name) for name in load_table("spectrometer", "instrument_list")["name"]]


@cache
def _instruments() -> dict[str, Instrument]:
    values = load_table("spectrometer", "instrument_values")
    found = {}
    for row in load_table("spectrometer", "instrument_list").itertuples():
        mine = values[values["instrument"] == row.name]
        numbers = {str(r.quantity): float(r.value) * _TO_SI[str(r.units)] for r in mine.itertuples()}
        sources = {str(r.quantity): {"source": str(r.source), "confidence": str(r.confidence)} for r in mine.itertuples()}
        if "time_end" in numbers:
            numbers["time_range"] = (numbers.pop("time_begin"), numbers.pop("time_end"))  # type: ignore[assignment]
        for count in ("energy_steps", "time_bins", "position_bins"):
            if count in numbers:
                numbers[count] = int(numbers[count])
        known = {entry.name for entry in fields(Instrument)}
        if unknown := set(numbers) - known:
            raise CoverageError(f"table instrument_values: {row.name} has unknown quantities {sorted(unknown)}")
        found[str(row.name)] = Instrument(
            name=str(row.name),
            title=str(row.title),
            mission=str(row.mission),
            principle=str(row.principle),
            has_solid_state_detector=row.has_solid_state_detector == "yes",
            sources=sources,
            **numbers,  # type: ignore[arg-type]
        )
    return found


def get_instrument(name: str) -> Instrument:
    """Look up an instrument by its short name, in any case.

    Raises
    ------
    CoverageError
        No instrument has this name.
    """
    found = _instruments().get(name.strip().lower())
    if found is None:
        raise CoverageError(f"instrument {name!r} is unknown; known instruments: {', '.join(list_instruments())}")
    return found


def make_setup(
    instrument: str | Instrument,
    voltage: float | None = None,
    energy_per_charge: float = 0.0,
    foil_thickness: float | None = None,
    foil_model: str = "fit",
) -> Setup:
    """Put an instrument into one state.

    Parameters
    ----------
    instrument : str or Instrument
        Name as in `list_instruments`, or the instrument itself.
    voltage : float, optional
        Post-acceleration (linear field: voltage of the field), V; the usual one without it.
    energy_per_charge : float
        Energy per charge that the analyser lets through, eV per charge; 0 stands for ions at rest before the acceleration.
    foil_thickness : float, optional
        Carbon foil, ug cm-2; the usual one without it.
    foil_model : {"fit", "stopping"}
        See `siderion.spectrometer.foil.retained_fraction`.

    Returns
    -------
    Setup

    Raises
    ------
    CoverageError
        The instrument is unknown.
    SettingsError
        A value is outside of its range, or ions would have no energy to fly with.
    """
    chosen = get_instrument(instrument) if isinstance(instrument, str) else instrument
    volts = chosen.post_acceleration if voltage is None else float(voltage)
    foil = chosen.foil_thickness if foil_thickness is None else float(foil_thickness)
    energy = float(energy_per_charge)
    _require_between("voltage, V", volts, chosen.minimum_voltage, chosen.maximum_voltage, chosen.title)
    _require_between("energy per charge, eV", energy, 0.0, 1.05 * chosen.maximum_energy, chosen.title)
    if foil_model not in FOIL_MODELS:
        raise SettingsError(f"foil_model is {foil_model!r}; use one of {', '.join(FOIL_MODELS)}")
    if chosen.has_foil:
        _require_between("foil thickness, ug cm-2", foil, 0.0, 10.0, chosen.title)
    elif foil != 0.0:
        raise SettingsError(f"{chosen.title} has no foil, but foil_thickness is {foil:g} ug cm-2; leave it out")
    if energy <= 0.0 and (volts <= 0.0 or not chosen.has_foil):
        raise SettingsError(
            f"{chosen.title} does not accelerate ions (voltage {volts:g} V), and energy_per_charge is {energy:g} eV: ions would "
            f"stand still; give an energy per charge between {chosen.minimum_energy:g} and {chosen.maximum_energy:g} eV"
        )
    return Setup(chosen, volts, energy, foil, foil_model)


def _require_between(name: str, value: float, lowest: float, highest: float, title: str) -> None:
    if not lowest <= value <= highest:
        raise SettingsError(f"{title}: {name} is {value:g}; it must lie between {lowest:g} and {highest:g}")
