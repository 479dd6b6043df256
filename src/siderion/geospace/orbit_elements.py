"""Mean Keplerian elements of an orbit about the Earth, and their secular change by the flattening of the Earth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from siderion.core.constants import EARTH_GM, EARTH_RADIUS
from siderion.core.errors import SettingsError
from siderion.core.tables import load_table


@dataclass(frozen=True)
class Orbit:
    """Mean elements on the true equator and equinox of date.

    Attributes
    ----------
    semi_major_axis : float
        m.
    eccentricity : float
        0 to below 1.
    inclination, raan, argument_of_perigee, mean_anomaly : float
        Degrees at the epoch; raan is the right ascension of the ascending node.
    epoch : numpy.datetime64
        UTC.

    Raises
    ------
    SettingsError
        A number is out of its range, or the perigee lies inside the Earth.
    """

    semi_major_axis: float
    eccentricity: float
    inclination: float
    raan: float
    argument_of_perigee: float
    mean_anomaly: float
    epoch: np.datetime64

    def __post_init__(self) -> None:
        """Refuse orbits that are none."""
        angles = (self.inclination, self.raan, self.argument_of_perigee, self.mean_anomaly)
        if not (0.0 <= self.eccentricity < 1.0 and 0.0 < self.semi_major_axis < np.inf and np.isfinite(angles).all()):
            raise SettingsError(
                f"orbit with semi-major axis {self.semi_major_axis} m, eccentricity {self.eccentricity}, angles {angles}: the "
                "axis must be positive, the eccentricity from 0 to below 1, all of them finite"
            )
        if not 0.0 <= self.inclination <= 180.0:
            raise SettingsError(f"inclination is {self.inclination} degrees; it must lie between 0 and 180")
        if self.perigee < EARTH_RADIUS:
            raise SettingsError(
                f"perigee is {self.perigee / 1e3:.1f} km from the centre, inside the Earth ({EARTH_RADIUS / 1e3:.1f} km); "
                "raise it, and check the unit of the semi-major axis (m)"
            )
        object.__setattr__(self, "epoch", np.asarray(self.epoch, dtype="datetime64[ns]")[()])
        if np.isnat(self.epoch):
            raise SettingsError("the orbit has no epoch; give the UTC time of its elements")

    @property
    def perigee(self) -> float:
        """Smallest distance from the centre of the Earth, m."""
        return self.semi_major_axis * (1.0 - self.eccentricity)

    @property
    def apogee(self) -> float:
        """Largest distance from the centre of the Earth, m."""
        return self.semi_major_axis * (1.0 + self.eccentricity)

    @property
    def mean_motion(self) -> float:
        """Mean motion without the flattening, rad s-1."""
        return float(np.sqrt(EARTH_GM / self.semi_major_axis**3))

    @property
    def period(self) -> float:
        """Time from perigee to perigee, s."""
        return float(2.0 * np.pi / secular_rates(self)[2])


def orbit_from_altitudes(
    perigee_km: float,
    apogee_km: float,
    inclination: float,
    *,
    raan: float = 0.0,
    argument_of_perigee: float = 0.0,
    mean_anomaly: float = 0.0,
    epoch: ArrayLike,
) -> Orbit:
    """Orbit from the altitudes of its ends.

    Parameters
    ----------
    perigee_km, apogee_km : float
        Altitudes above the sphere of 6371.2 km, km.
    inclination, raan, argument_of_perigee, mean_anomaly : float
        Degrees.
    epoch : datetime64 or str
        UTC time of the angles.

    Raises
    ------
    SettingsError
        The apogee is below the perigee, or the orbit is none.
    """
    low, high = EARTH_RADIUS + 1e3 * perigee_km, EARTH_RADIUS + 1e3 * apogee_km
    if not 0.0 <= perigee_km <= apogee_km < np.inf:
        raise SettingsError(f"perigee {perigee_km} km, apogee {apogee_km} km: give 0 <= perigee <= apogee, both finite")
    moment: np.datetime64 = np.asarray(epoch, dtype="datetime64[ns]")[()]  # type: ignore[assignment]
    return Orbit(0.5 * (low + high), (high - low) / (high + low), inclination, raan, argument_of_perigee, mean_anomaly, moment)


def secular_rates(orbit: Orbit) -> tuple[float, float, float]:
    """Rates of node, argument of perigee and mean anomaly, rad s-1, to first order in J2.

    Notes
    -----
    With k = 3/4 J2 (R/p)^2 n: node -2 k cos i, perigee k (5 cos^2 i - 1), anomaly n + k sqrt(1 - e^2) (3 cos^2 i - 1). Kozai
    1959, doi:10.1086/107957. The Sun and the Moon are left out: beyond about 10 RE they move perigee and inclination within
    months.
    """
    table = load_table("geospace", "earth_gravity").set_index("quantity")["value"]
    n, e = orbit.mean_motion, orbit.eccentricity
    parameter = orbit.semi_major_axis * (1.0 - e**2)
    k = 0.75 * float(table["second_zonal_harmonic"]) * (float(table["equatorial_radius"]) / parameter) ** 2 * n
    cosine = np.cos(np.radians(orbit.inclination))
    return (
        float(-2.0 * k * cosine),
        float(k * (5.0 * cosine**2 - 1.0)),
        float(n + k * np.sqrt(1.0 - e**2) * (3.0 * cosine**2 - 1.0)),
    )
