"""A resonance lidar: photon counts of a metal layer, and density with error bars back from counts.

Counts of a bin at range z: N = K n s dz T^2(z)/z^2 + B, with K the system constant (m2), s = return_share sigma/(4 pi) the
backscatter cross section (m2 sr-1), T^2 the two-way loss in the layer itself and B the background. The loss of the bin is that
to its middle, so that forward and backward are exact inverses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import epsilon_0, speed_of_light
from scipy.special import lambertw

from siderion.core.constants import BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE
from siderion.core.errors import CoverageError, DataError, NumericalError, SettingsError
from siderion.core.species import get_species
from siderion.core.tables import load_table
from siderion.frames.sun import solar_zenith_angle

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LidarLine:
    """A resonance line.

    Attributes
    ----------
    name, species : str
        Names as in the table ``lidar_lines``.
    wavelength : float
        In vacuum, m.
    oscillator_strength : float
        Absorption oscillator strength of the lines that the laser meets.
    return_share : float
        Part of the excited atoms that radiates back in the line.
    """

    name: str
    species: str
    wavelength: float
    oscillator_strength: float
    return_share: float


@dataclass(frozen=True)
class Lidar:
    """A lidar at a place.

    Attributes
    ----------
    name, title : str
        Short name and name in words.
    line : LidarLine
        Line of its laser.
    lat, lon : float
        Degrees.
    altitude : float
        Of the station, m.
    system_constant : float
        Photons of one integration times area of the telescope times efficiency and transmission, m2.
    background : float
        Counts of a bin without a layer.
    laser_width : float
        Root mean square width of the laser in frequency, Hz.
    temperature : float
        Of the layer, K, for the Doppler width.
    integration : float
        s.
    bin_width : float
        m.
    smallest_zenith_angle : float
        Smallest solar zenith angle at which it measures, degrees.
    """

    name: str
    title: str
    line: LidarLine
    lat: float
    lon: float
    altitude: float
    system_constant: float
    background: float
    laser_width: float
    temperature: float
    integration: float
    bin_width: float
    smallest_zenith_angle: float

    @property
    def cross_section(self) -> float:
        """Effective absorption cross section, m2."""
        return effective_cross_section(self.line, self.temperature, self.laser_width)

    def is_night(self, time: ArrayLike) -> NDArray[np.bool_]:
        """Whether the Sun is low enough to measure, for times (UTC)."""
        return solar_zenith_angle(time, self.lat, self.lon) >= self.smallest_zenith_angle


def get_line(name: str) -> LidarLine:
    """A resonance line of the table ``lidar_lines``, such as ``"Na D2a"``; f = (eps0 m c lambda^2/(2 pi e^2)) (g_u/g_l) A.

    Raises
    ------
    CoverageError
        The line is not in the table.
    """
    table = load_table("spectrometer", "lidar_lines")
    rows = table[table["name"].str.lower() == name.lower()]
    if rows.empty:
        raise CoverageError(f"resonance line {name!r} is not in the table; known: {', '.join(table['name'])}")
    row = rows.iloc[0]
    wavelength = float(row["wavelength_nm"]) * 1e-9
    factor = epsilon_0 * ELECTRON_MASS * speed_of_light / (2.0 * np.pi * ELEMENTARY_CHARGE**2)
    strength = factor * wavelength**2 * float(row["upper_weight"]) / float(row["lower_weight"]) * float(row["einstein_a_s"])
    return LidarLine(
        str(row["name"]), str(row["species"]), wavelength, strength * float(row["line_share"]), float(row["return_share"])
    )


def line_of_species(species: str) -> LidarLine | None:
    """The first line of a species in the table ``lidar_lines``; None where it has none."""
    table = load_table("spectrometer", "lidar_lines")
    rows = table[table["species"] == species]
    return None if rows.empty else get_line(str(rows.iloc[0]["name"]))


def get_lidar(name: str) -> Lidar:
    """A lidar of the table ``lidars``, such as ``"tromso"``.

    Raises
    ------
    CoverageError
        The lidar is not in the table.
    """
    table = load_table("spectrometer", "lidars")
    rows = table[table["name"].str.lower() == name.lower()]
    if rows.empty:
        raise CoverageError(f"lidar {name!r} is not in the table; known: {', '.join(table['name'])}")
    row = rows.iloc[0]
    return Lidar(
        str(row["name"]), str(row["title"]), get_line(str(row["line"])), float(row["lat"]), float(row["lon"]),
        float(row["alt_km"]) * 1e3, float(row["system_constant_m2"]), float(row["background_per_bin"]),
        float(row["laser_width_mhz"]) * 1e6, float(row["temperature_k"]), float(row["integration_s"]), float(row["bin_m"]),
        float(row["smallest_zenith_angle"]),
    )  # fmt: skip


def effective_cross_section(line: LidarLine, temperature: float, laser_width: float = 0.0) -> float:
    """Cross section of a Doppler-broadened line for a Gaussian laser at its centre, m2.

    sigma = (e^2/(4 eps0 m_e c)) f/(sqrt(2 pi) s), s^2 = k T/(m lambda^2) + s_laser^2.

    Parameters
    ----------
    line : LidarLine
        The line; its hyperfine structure is left out but for the share of the table.
    temperature : float
        K.
    laser_width : float
        Root mean square width of the laser in frequency, Hz.

    Raises
    ------
    SettingsError
        The temperature is not positive or the width negative.
    """
    if not (0.0 < temperature < np.inf and 0.0 <= laser_width < np.inf):
        raise SettingsError(
            f"temperature {temperature} K, width of the laser {laser_width} Hz: must be positive and not negative"
        )
    doppler = np.sqrt(BOLTZMANN * temperature / get_species(line.species).mass) / line.wavelength
    width = float(np.hypot(doppler, laser_width))
    oscillator = ELEMENTARY_CHARGE**2 / (4.0 * epsilon_0 * ELECTRON_MASS * speed_of_light)
    return float(oscillator * line.oscillator_strength / (np.sqrt(2.0 * np.pi) * width))


def rayleigh_backscatter(wavelength: float) -> float:
    """Backscatter cross section of a molecule of air, m2 sr-1, at a wavelength in m."""
    table = load_table("spectrometer", "rayleigh").set_index("quantity")["value"]
    ratio = float(table["reference_wavelength"]) * 1e-9 / wavelength
    return float(table["cross_section"] * ratio ** float(table["exponent"]))


def expected_counts(density: ArrayLike, altitude: ArrayLike, lidar: Lidar) -> Array:
    """Mean photon counts of each bin, background included.

    Parameters
    ----------
    density : array (..., alt)
        Mean density of each bin, m-3.
    altitude : array (alt,)
        Centres of the bins, m, rising evenly; the loss in the layer is that above the first.
    lidar : Lidar
        The lidar; it looks to the zenith.

    Returns
    -------
    array (..., alt)
        Counts.

    Raises
    ------
    DataError
        Shapes do not fit, bins are not even or below the lidar, or a density is negative or missing.
    """
    values, width, distance = _checked(density, altitude, lidar)
    bad = ~(values >= 0.0)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"density is {values[index]:g} m-3 at index {index}; it must be finite and not negative")
    depth = lidar.cross_section * values * width
    two_way = np.exp(-2.0 * (np.cumsum(depth, axis=-1) - 0.5 * depth))
    return _gain(lidar, width) * values * two_way / distance**2 + lidar.background


def simulate_counts(density: ArrayLike, altitude: ArrayLike, lidar: Lidar, seed: int) -> NDArray[np.int64]:
    """Counts drawn from the Poisson distribution of `expected_counts`; the arguments are its own and the seed."""
    return np.random.default_rng(seed).poisson(expected_counts(density, altitude, lidar))


def density_from_counts(counts: ArrayLike, altitude: ArrayLike, lidar: Lidar) -> tuple[Array, Array]:
    """Density and its standard error from counts: the exact inverse of `expected_counts`.

    Bins are taken from below; in each, n exp(-sigma n dz) is solved with the Lambert function. The error is that of the Poisson
    counts of the bin; what errors below do to the loss is left out (at most the depth of the layer times the relative error).

    Parameters
    ----------
    counts : array (..., alt)
        Counts; NaN where not measured, which leaves the density from there upward unknown.
    altitude, lidar
        As in `expected_counts`.

    Returns
    -------
    density, error : array (..., alt)
        m-3; the density may be negative where the counts are below the background.

    Raises
    ------
    NumericalError
        A bin is so thick that no density gives its counts.
    """
    values, width, distance = _checked(counts, altitude, lidar)
    signal = (values - lidar.background) * distance**2 / _gain(lidar, width)
    below = np.zeros(values.shape[:-1])
    density, error = np.full(values.shape, np.nan), np.full(values.shape, np.nan)
    section = lidar.cross_section * width
    for k in range(values.shape[-1]):
        apparent = signal[..., k] * np.exp(2.0 * below)
        argument = -section * apparent
        if (argument < -1.0 / np.e).any():
            raise NumericalError(
                f"counts at altitude {np.asarray(altitude)[k]:g} m are more than any density gives (optical depth of a bin above "
                "1); check the system constant of the lidar, or take smaller bins"
            )
        density[..., k] = -np.real(lambertw(argument)) / section
        slope = np.exp(2.0 * below) / (np.exp(-section * density[..., k]) * (1.0 - section * density[..., k]))
        one = distance[k] ** 2 / _gain(lidar, width)
        error[..., k] = np.sqrt(np.maximum(values[..., k], 1.0)) * one * slope
        below = below + section * density[..., k]
    return density, error


def density_by_rayleigh(
    counts: ArrayLike,
    altitude: ArrayLike,
    reference_counts: ArrayLike,
    reference_altitude: float,
    air_density: float,
    lidar: Lidar,
) -> tuple[Array, Array]:
    """Density from counts without a system constant: normalised to the Rayleigh counts of air, as at 30 to 35 km.

    n(z) = (N(z) - B)/(N_R - B) (z/z_R)^2 n_air sigma_R/s, with the loss in the layer taken out as in `density_from_counts`.

    Parameters
    ----------
    counts : array (..., alt)
        Counts of the layer.
    altitude : array (alt,)
        Centres of its bins, m.
    reference_counts : array (...)
        Counts of the bin of air at ``reference_altitude``, of the same width.
    reference_altitude : float
        m.
    air_density : float
        Number density of air there, m-3.
    lidar : Lidar
        Its system constant is not used.

    Returns
    -------
    density, error : array (..., alt)
        m-3; the error of the reference is part of the error.

    Raises
    ------
    DataError
        The reference counts do not exceed the background.
    """
    reference = np.asarray(reference_counts, dtype=np.float64)
    if not (reference > lidar.background).all() or not 0.0 < air_density < np.inf:
        raise DataError(
            f"Rayleigh counts {reference.min():g}, background {lidar.background:g}, air {air_density:g} m-3: the counts must "
            "exceed the background and the density be positive"
        )
    values, width, _ = _checked(counts, altitude, lidar)
    distance = reference_altitude - lidar.altitude
    molecules = air_density * rayleigh_backscatter(lidar.line.wavelength) * width / distance**2
    density, error = np.empty(values.shape), np.empty(values.shape)
    for index in np.ndindex(*values.shape[:-1]):
        constant = float((reference[index] - lidar.background) / molecules)
        density[index], own = density_from_counts(values[index], altitude, replace(lidar, system_constant=constant))
        relative = np.sqrt(reference[index]) / (reference[index] - lidar.background)
        error[index] = np.hypot(own, np.abs(density[index]) * relative)
    return density, error


def rayleigh_counts(altitude: float, air_density: float, lidar: Lidar) -> float:
    """Mean counts of a bin of air at an altitude (m) with its number density (m-3), background included."""
    distance = altitude - lidar.altitude
    signal = air_density * rayleigh_backscatter(lidar.line.wavelength) * lidar.bin_width / distance**2
    return lidar.system_constant * signal + lidar.background


def _gain(lidar: Lidar, width: float) -> float:
    return lidar.system_constant * lidar.line.return_share * lidar.cross_section / (4.0 * np.pi) * width


def _checked(values: ArrayLike, altitude: ArrayLike, lidar: Lidar) -> tuple[Array, float, Array]:
    """Values, width of the bins and distances from the lidar, m."""
    array, places = np.asarray(values, dtype=np.float64), np.asarray(altitude, dtype=np.float64)
    if places.ndim != 1 or len(places) < 2 or array.ndim == 0 or array.shape[-1] != len(places):
        raise DataError(f"values have shape {array.shape}, altitudes {places.shape}; the last dimension must be the altitudes")
    steps = np.diff(places)
    if not np.allclose(steps, steps[0], rtol=1e-6) or steps[0] <= 0.0 or places[0] <= lidar.altitude:
        raise DataError("altitudes must rise in even steps (m) above the lidar; put the profile on such bins first")
    return array, float(steps[0]), places - lidar.altitude
