"""The field line that ions rise along: dipole field, ambipolar potential, electrons, and waves that heat across the field."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.background.plasma import electron_density_pyiri
from siderion.core.constants import EARTH_GM, EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.species import Species, get_species
from siderion.core.tables import load_table
from siderion.frames.dipole import TiltedDipole

Array = NDArray[np.float64]
KILOMETRE = 1e3


@dataclass(frozen=True)
class FieldLine:
    """A line of a centred dipole, from the ionosphere to a radius below its top.

    Attributes
    ----------
    strength : float
        Equatorial field on the reference sphere of 6371.2 km, T.
    invariant_latitude : float
        Latitude at which the line leaves that sphere, degrees; 90 is the vertical line with B ~ r^-3.
    """

    strength: float
    invariant_latitude: float = 90.0

    def __post_init__(self) -> None:
        """Check that the line exists."""
        if not 0.0 < self.strength < np.inf:
            raise SettingsError(f"strength of the dipole is {self.strength} T; it must be positive and finite")
        if not 0.0 < self.invariant_latitude <= 90.0:
            raise SettingsError(f"invariant latitude is {self.invariant_latitude}; it must be above 0 and at most 90 degrees")

    @classmethod
    def at(cls, time: ArrayLike, invariant_latitude: float = 90.0) -> FieldLine:
        """Line of the dipole of the IGRF-13 at a time (UTC)."""
        return cls(TiltedDipole.at(time).strength, invariant_latitude)

    @property
    def inverse_equatorial_radius(self) -> float:
        """One over the geocentric distance at which the line meets the equator, m-1; 0 for the vertical line."""
        return 0.0 if self.invariant_latitude == 90.0 else float(np.cos(np.radians(self.invariant_latitude)) ** 2) / EARTH_RADIUS

    @property
    def moment(self) -> float:
        """Equatorial field times the cube of the radius, T m3."""
        return self.strength * EARTH_RADIUS**3

    def field(self, radius: ArrayLike) -> Array:
        """Field strength, T, at geocentric distances in m: M r^-3 sqrt(4 - 3 r/r_eq)."""
        r = self.check(np.asarray(radius, dtype=np.float64))
        return self.moment * np.sqrt(4.0 - 3.0 * r * self.inverse_equatorial_radius) / r**3

    def check(self, radius: Array) -> Array:
        """Return the radii; raise `CoverageError` where the line does not reach them."""
        if not np.all(radius * self.inverse_equatorial_radius < 1.0):
            raise CoverageError(
                f"the field line of invariant latitude {self.invariant_latitude:g} degrees reaches "
                f"{1e-3 / self.inverse_equatorial_radius:.0f} km from the centre, not {np.max(radius) * 1e-3:.0f} km; "
                f"take a higher latitude or a lower top"
            )
        return radius

    def gyrofrequency(self, species: str, radius: ArrayLike) -> Array:
        """Gyrofrequency of an ion, Hz, at geocentric distances in m."""
        ion = require_ion(species)
        return ion.charge * self.field(radius) / (2.0 * np.pi * ion.mass)


@dataclass(frozen=True)
class AmbipolarPotential:
    """Potential that draws ions upwards: -drop (1 - exp(-(z - bottom)/scale)) / (1 - exp(-(top - bottom)/scale)).

    Attributes
    ----------
    drop : float
        Drop of the potential between ``bottom`` and ``top``, V.
    bottom, top, scale : float
        Altitudes and scale height of the field, m. The exponential goes on beyond both.
    """

    drop: float
    bottom: float
    top: float
    scale: float

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not (0.0 <= self.drop < np.inf and self.bottom < self.top and 0.0 < self.scale < np.inf):
            raise SettingsError(f"{self}: drop must not be negative, top must be above bottom, scale must be positive (V, m)")

    @classmethod
    def named(cls, name: str) -> AmbipolarPotential:
        """Row of the table ``upflow_ambipolar``: none, endurance or polar_wind."""
        row = table_row("upflow_ambipolar", name)
        return cls(row["drop_v"], row["bottom_km"] * KILOMETRE, row["top_km"] * KILOMETRE, row["scale_km"] * KILOMETRE)

    @property
    def field_at_bottom(self) -> float:
        """Upward electric field at the bottom, V m-1."""
        return self.drop / self.scale / -np.expm1(-(self.top - self.bottom) / self.scale)

    def potential(self, altitude: ArrayLike) -> Array:
        """Potential, V, at altitudes in m; 0 at the bottom, negative above."""
        height = np.asarray(altitude, dtype=np.float64) - self.bottom
        return self.field_at_bottom * self.scale * np.expm1(-height / self.scale)


@dataclass(frozen=True)
class Electrons:
    """Electrons along the field line: logarithms linear in the altitude, exponential continuation at both ends.

    Attributes
    ----------
    altitude : array (level,)
        m, rising.
    density, temperature : array (level,)
        m-3 and K, positive.
    """

    altitude: Array
    density: Array
    temperature: Array

    def __post_init__(self) -> None:
        """Check shapes and signs."""
        shapes = {np.shape(self.altitude), np.shape(self.density), np.shape(self.temperature)}
        if len(shapes) > 1 or len(self.altitude) < 2 or not (np.diff(self.altitude) > 0).all():
            raise DataError(
                f"electrons along the field have shapes {shapes}; give two or more rising altitudes, and one value each"
            )
        for name, values in (("density", self.density), ("temperature", self.temperature)):
            if not (np.isfinite(values).all() and (np.asarray(values) > 0).all()):
                raise DataError(f"electron {name} is {np.min(values)} somewhere; it must be positive and finite")

    @classmethod
    def named(cls, name: str) -> Electrons:
        """Row of the table ``ionosphere_plasma``: day or night, up to 30000 km."""
        row = table_row("ionosphere_plasma", name)
        altitude = np.geomspace(100.0, 30000.0, 400) * KILOMETRE
        base = 500.0 * KILOMETRE
        # Below the base the exponential is for ions that start there only; nothing of the F layer is in it.
        near = row["base_density"] * np.exp(-(altitude - base) / (row["scale_km"] * KILOMETRE))
        far = row["far_density"] * ((EARTH_RADIUS + altitude) / (EARTH_RADIUS + base)) ** -row["far_power"]
        return cls(altitude, near + far, np.full(altitude.shape, row["electron_temperature"]))

    @classmethod
    def from_iri(
        cls, time: ArrayLike, latitude: float, longitude: float, f107_81_day_mean: float, temperature: float, far: Electrons
    ) -> Electrons:
        """Electron density of the IRI (PyIRI) from 200 to 1000 km, with the profile ``far``, scaled to it, above.

        ``temperature`` in K holds below 1000 km; latitude and longitude in degrees.
        """
        altitude = np.arange(200.0, 1001.0, 20.0)
        moment = np.atleast_1d(np.asarray(time, dtype="datetime64[ns]"))
        density = electron_density_pyiri(moment, altitude, [latitude], [longitude], f107_81_day_mean).values.ravel()
        beyond = far.altitude > altitude[-1] * KILOMETRE
        scale = density[-1] / far.density_at(altitude[-1] * KILOMETRE)
        return cls(
            np.concatenate([altitude * KILOMETRE, far.altitude[beyond]]),
            np.concatenate([density, scale * far.density[beyond]]),
            np.concatenate([np.full(altitude.shape, temperature), far.temperature[beyond]]),
        )

    def density_at(self, altitude: ArrayLike) -> Array:
        """Density, m-3, at altitudes in m."""
        return _exponential(altitude, self.altitude, self.density)

    def temperature_at(self, altitude: ArrayLike) -> Array:
        """Temperature, K, at altitudes in m; constant beyond both ends."""
        return np.interp(np.asarray(altitude, dtype=np.float64), self.altitude, self.temperature)


@dataclass(frozen=True)
class Waves:
    """Waves that heat ions across the field at their gyrofrequency.

    Attributes
    ----------
    pre_power, main_power : float
        Spectral density of the electric field at the reference frequency below and above ``main_altitude``,
        (V/m)^2 Hz-1.
    main_altitude, ramp : float
        Where the main region begins, and the width of the rise, m.
    bottom : float
        Altitude below which there are no waves, m.
    pre_top : float
        Altitude where the power below the main region ends, m: a gap without waves where it is lower than that region.
    reference_frequency, spectral_index : float
        f0 (Hz) and a in S = power (f/f0)^-a.
    left_hand_share : float
        Part eta of the power that resonates.
    """

    pre_power: float
    main_power: float
    main_altitude: float
    bottom: float = 0.0
    pre_top: float = np.inf
    ramp: float = 100e3
    reference_frequency: float = 5.6
    spectral_index: float = 0.0
    left_hand_share: float = 0.5

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not (0.0 <= self.pre_power < np.inf and 0.0 <= self.main_power < np.inf):
            raise SettingsError(
                f"wave powers are {self.pre_power} (below the main region) and {self.main_power} (V/m)^2/Hz; both must be finite "
                f"and positive, or 0 for no waves"
            )
        if not (np.isfinite(self.main_altitude) and np.isfinite(self.spectral_index)):
            raise SettingsError(f"{self}: altitude of the main region and spectral index must be finite")
        if not (0 < self.reference_frequency < np.inf and 0 < self.ramp < np.inf and 0 <= self.left_hand_share <= 1):
            raise SettingsError(f"{self}: frequency and ramp must be positive and finite, the left-hand share from 0 to 1")

    @classmethod
    def named(cls, name: str) -> Waves:
        """Row of the table ``wave_power``: day, night or night_gap."""
        row = table_row("wave_power", name)
        return cls(
            row["pre_power"], row["main_power"], row["main_altitude_km"] * KILOMETRE,
            pre_top=row["pre_top_km"] * KILOMETRE, reference_frequency=row["reference_frequency_hz"],
            spectral_index=row["spectral_index"],
            left_hand_share=row["left_hand_share"],
        )  # fmt: skip

    @classmethod
    def uniform(cls, power: float, **options: float) -> Waves:
        """The same spectrum everywhere."""
        return cls(power, power, 0.0, **options)

    def scaled_pre(self, pre_power: float) -> Waves:
        """These waves with another power below the main region."""
        return replace(self, pre_power=pre_power)


def heating_rate(species: str, spectral_density: ArrayLike, left_hand_share: float = 0.5) -> Array:
    """Heating across the field at the gyrofrequency, W: dW/dt = q^2 eta S / (2 m).

    Parameters
    ----------
    species : str
        Ion, such as ``"O+"``.
    spectral_density : array
        S of the electric field across B at the gyrofrequency of the ion, (V/m)^2 Hz-1.
    left_hand_share : float
        Part eta of it that turns with the ion.

    References
    ----------
    Chang et al. 1986, Geophys. Res. Lett. 13, 636, doi:10.1029/GL013i007p00636.
    """
    ion = require_ion(species)
    return ion.charge**2 * left_hand_share * np.asarray(spectral_density, dtype=np.float64) / (2.0 * ion.mass)


def conic_asymptote(spectral_index: float) -> float:
    """Ratio of the mean energies across and along B that strong heating by S ~ f^-a ends in, where B ~ r^-3: (6 a + 2)/9.

    With W ~ r^k for both, the mirror force gives k W_par = 3 W_perp, and the heating k = 2 (3 a + 1)/3: the mean over
    particles that cross a radius obeys both, with stochastic heating as well.

    References
    ----------
    Chang et al. 1986, doi:10.1029/GL013i007p00636.
    """
    return (6.0 * spectral_index + 2.0) / 9.0


def kernel_line(species: str, line: FieldLine, ambipolar: AmbipolarPotential) -> tuple[float, ...]:
    """Numbers of the field line for the kernel."""
    ion = require_ion(species)
    return (
        line.moment, line.inverse_equatorial_radius, EARTH_GM, ion.charge / ion.mass * ambipolar.field_at_bottom,
        ambipolar.scale, EARTH_RADIUS + ambipolar.bottom,
    )  # fmt: skip


def kernel_heat(species: str, waves: Waves) -> tuple[float, ...]:
    """Numbers of the waves for the kernel."""
    ion = require_ion(species)
    unit = float(heating_rate(species, 1.0, waves.left_hand_share)) / ion.mass
    return (
        unit, ion.charge / (2.0 * np.pi * ion.mass), waves.reference_frequency, waves.spectral_index, waves.pre_power,
        waves.main_power, EARTH_RADIUS + waves.main_altitude, waves.ramp, EARTH_RADIUS + waves.bottom,
        EARTH_RADIUS + waves.pre_top,
    )  # fmt: skip


def require_ion(species: str) -> Species:
    """Species with a positive charge; raises `SettingsError` for others."""
    ion = get_species(species)
    if ion.charge_number < 1:
        raise SettingsError(f"{species} is no positive ion; write it with its charge, such as O+ or NO+")
    return ion


def table_row(table: str, name: str) -> dict[str, float]:
    """Row of a table of this package by name; numbers only."""
    rows = load_table("sources", table)
    found = rows[rows["name"] == name]
    if found.empty:
        raise SettingsError(f"{table} has no row {name!r}; use one of {', '.join(rows['name'])}")
    return {str(key): float(value) for key, value in found.iloc[0].items() if key not in ("name", "source", "confidence")}


def volts(energy: ArrayLike) -> Array:
    """Energy in J as eV."""
    return np.asarray(energy, dtype=np.float64) / ELEMENTARY_CHARGE


def _exponential(altitude: ArrayLike, levels: Array, values: Array) -> Array:
    """Log-linear interpolation, with the slopes of the ends beyond them."""
    height, logs = np.asarray(altitude, dtype=np.float64), np.log(values)
    inside = np.interp(height, levels, logs)
    below = logs[0] + (height - levels[0]) * (logs[1] - logs[0]) / (levels[1] - levels[0])
    above = logs[-1] + (height - levels[-1]) * (logs[-1] - logs[-2]) / (levels[-1] - levels[-2])
    return np.exp(np.where(height < levels[0], below, np.where(height > levels[-1], above, inside)))
