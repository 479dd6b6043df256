"""A state of the field line and of the ions at the start: presets, changes to them, and the record of what they rest on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
from numpy.typing import ArrayLike

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.tables import load_table

from .field_line import AmbipolarPotential, Electrons, FieldLine, Waves, table_row
from .flight import Surroundings
from .molecular import ASSUMED_METALS


@dataclass(frozen=True)
class Setting:
    """A state of the field line and of the ions at the start.

    Attributes
    ----------
    name : str
        ``"day"``, ``"night"`` or the user's own.
    surroundings : Surroundings
    ion_temperature, upflow_speed : float
        Of the ions at the start, K and m s-1.
    ambipolar_name, plasma_name, waves_name : str
        Rows of the tables of ambipolar potentials, plasma and waves, for the record.
    changes : tuple of str
        What differs from these rows, in words.
    """

    name: str
    surroundings: Surroundings
    ion_temperature: float
    upflow_speed: float
    ambipolar_name: str = ""
    plasma_name: str = ""
    waves_name: str = ""
    changes: tuple[str, ...] = ()

    @classmethod
    def named(
        cls,
        name: str,
        *,
        time: ArrayLike = "2020-03-20",
        invariant_latitude: float = 75.0,
        ambipolar: str = "endurance",
        rates: str = "yamauchi",
        plasma: str = "",
        top: float = 3.0 * EARTH_RADIUS,
        recombination: bool = True,
    ) -> Setting:
        """The presets day, night and night_gap (no waves between 2500 and 4000 km); ``top`` in m of altitude.

        Tables ``wave_power`` and ``ionosphere_plasma``; ``plasma`` names another row of the latter.
        """
        state = plasma or name.removesuffix("_gap")
        waves, ions = Waves.named(name), table_row("ionosphere_plasma", state)
        line = FieldLine.at(time, invariant_latitude)
        electrons = Electrons.named(state) if recombination else None
        around = Surroundings(line, waves, AmbipolarPotential.named(ambipolar), electrons, rates, top=top)
        own = state == name.removesuffix("_gap")
        return cls(
            name if own else f"{name}_changed", around, ions["ion_temperature"], ions["upflow_speed"], ambipolar, state, name,
            () if own else (f"plasma of {state}",),
        )  # fmt: skip

    def with_pre_power(self, power: float) -> Setting:
        """The setting with another wave power below the main region, (V/m)^2 Hz-1 at the reference frequency."""
        around = self.surroundings
        return replace(self, surroundings=replace(around, waves=around.waves.scaled_pre(power)))

    def with_main_altitude(self, altitude: float) -> Setting:
        """The setting with the main region from another altitude, m."""
        return self.changed(main_altitude=altitude)

    def changed(
        self,
        *,
        upflow_speed: float | None = None,
        ion_temperature: float | None = None,
        main_altitude: float | None = None,
        main_power: float | None = None,
        spectral_index: float | None = None,
    ) -> Setting:
        """The setting with other numbers; its name then ends in ``_changed``.

        Parameters
        ----------
        upflow_speed, ion_temperature : float, optional
            Of the ions at the start, m s-1 (negative: they sink) and K.
        main_altitude, main_power : float, optional
            Lower edge (m) and power ((V/m)^2 Hz-1 at the reference frequency) of the main waves.
        spectral_index : float, optional
            a in S ~ f^-a.

        Raises
        ------
        SettingsError
            A number is out of range.
        """
        table = (
            ("upflow speed", upflow_speed, "m/s", -np.inf, "finite"),
            ("ion temperature", ion_temperature, "K", 0.0, "finite and positive"),
            ("altitude of the main waves", main_altitude, "m", 0.0, "finite and positive"),
            ("power of the main waves", main_power, "(V/m)^2/Hz", -1e-300, "finite and not negative"),
            ("spectral index", spectral_index, "", -np.inf, "finite"),
        )
        words = []
        for what, value, unit, above, rule in table:
            if value is not None:
                if not above < value < np.inf:
                    raise SettingsError(f"{what} is {value} {unit}".rstrip() + f"; it must be {rule}")
                words.append(f"{what} {value:g} {unit}".rstrip())
        if not words:
            return self
        waves = {"main_altitude": main_altitude, "main_power": main_power, "spectral_index": spectral_index}
        around = self.surroundings
        around = replace(around, waves=replace(around.waves, **{key: one for key, one in waves.items() if one is not None}))
        return replace(
            self, surroundings=around, changes=(*self.changes, *words), name=self.name.removesuffix("_changed") + "_changed",
            upflow_speed=self.upflow_speed if upflow_speed is None else upflow_speed,
            ion_temperature=self.ion_temperature if ion_temperature is None else ion_temperature,
        )  # fmt: skip


def attributes(setting: Setting, particles: int, seed: int, species: Sequence[str] = ()) -> dict[str, str]:
    """Global attributes of escape fractions of some ions."""
    around = setting.surroundings
    settings = {
        "preset": setting.name, "changes": list(setting.changes), "plasma": setting.plasma_name,
        "particles": particles, "seed": seed,
        "ion_temperature_K": setting.ion_temperature,
        "upflow_speed_m_s": setting.upflow_speed, "ambipolar": setting.ambipolar_name, "ambipolar_drop_V": around.ambipolar.drop,
        "invariant_latitude": around.line.invariant_latitude, "main_power": around.waves.main_power,
        "main_altitude_km": around.waves.main_altitude * 1e-3, "reference_frequency_Hz": around.waves.reference_frequency,
        "pre_top_km": min(around.waves.pre_top, 1e12) * 1e-3, "spectral_index": around.waves.spectral_index,
        "left_hand_share": around.waves.left_hand_share,
        "recombination": around.rates if around.electrons is not None else "none", "bottom_km": around.bottom * 1e-3,
        "top_km": around.top * 1e-3,
    }  # fmt: skip
    return {
        "kind": "siderion ionospheric escape",
        "title": f"Escape fractions of ionospheric ions, {setting.name.replace('_', ' ')}",
        "settings": json.dumps(settings),
        "sources": json.dumps(used_sources(setting, species)),
        "siderion_version": version("siderion"),
    }


def used_sources(setting: Setting, species: Sequence[str] = ()) -> list[dict[str, str]]:
    """Citations of what an escape fraction rests on, with their confidence."""
    found = [{
        "what": "heating across the field", "model": "dW/dt = q^2 eta S/(2 m) at the gyrofrequency", "confidence": "unverified",
        "citation": "Chang et al. 1986, doi:10.1029/GL013i007p00636",
    }]  # fmt: skip
    rows = (
        ("waves", "wave_power", setting.waves_name),
        ("electrons and ions at the start", "ionosphere_plasma", setting.plasma_name),
        ("ambipolar potential", "upflow_ambipolar", setting.ambipolar_name),
    )
    for what, table, name in rows:
        row = load_table("sources", table).set_index("name")
        if name in row.index:
            found.append({"what": what, "model": name, "confidence": str(row.loc[name, "confidence"]),
                          "citation": str(row.loc[name, "source"])})  # fmt: skip
    if setting.surroundings.electrons is not None:
        found.append({"what": "recombination", "model": setting.surroundings.rates, "confidence": "verified",
                      "citation": "siderion/chemistry/tables/reactions.csv"})  # fmt: skip
        assumed = [ion for ion in species if ion in ASSUMED_METALS]
        if assumed:
            found.append({"what": f"recombination of {', '.join(assumed)}", "model": "that of Mg+", "confidence": "unverified",
                          "citation": "assumed, as no rate is at hand; negligible in the hour of a flight"})  # fmt: skip
    if setting.changes:
        found.append({"what": "changed by the user", "model": ", ".join(setting.changes), "confidence": "unverified",
                      "citation": "command or call"})  # fmt: skip
    return found
