"""Drag of the ions on the neutral gas: friction and ion velocity for the wind solver, on its coarse grid.

The electric field is taken at 110 km and scaled with the field lines, (R/r)^1.5: within 2 % of the full mapping at the
grid's 2.5 degrees.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from siderion.background.conditions import MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME, Conditions
from siderion.background.electric_field import FOOTPOINT_RADIUS, ConvectionField
from siderion.background.wind import IonDrift
from siderion.chemistry.collisions import ion_neutral_collision_frequency
from siderion.core.constants import EARTH_RADIUS, ELEMENTARY_CHARGE
from siderion.core.species import get_species
from siderion.frames.dipole import TiltedDipole
from siderion.frames.spherical import local_axes

IONS = ("O+", "O2+", "NO+", "N2+")
PARTNERS = ("N2", "O2", "O")


class IonDrag:
    """Friction of all ions, and their velocity for a given wind, by equation (2) of Andoh et al. 2026.

    The ions are taken together: mean mass, mean collision frequency, weighted by mass density.
    """

    def __init__(self, atmosphere: xr.Dataset, conditions: Conditions, dipole: TiltedDipole, hemisphere: str) -> None:
        self.conditions, self.dipole, self.hemisphere = conditions, dipole, hemisphere
        self.time = atmosphere.time.values
        self.radius = EARTH_RADIUS + 1e3 * atmosphere.alt.values
        self.lat, self.lon = np.meshgrid(atmosphere.lat.values, atmosphere.lon.values, indexing="ij")
        self.friction, self.zeta = self._friction(atmosphere)
        east, north, up = local_axes(self.lat, self.lon)
        field = dipole.field(self.lat, self.lon, FOOTPOINT_RADIUS)
        self.strength = np.linalg.norm(field, axis=-1)
        b = field / self.strength[..., None]
        self.b = np.stack([np.sum(b * axis, axis=-1) for axis in (east, north, up)])
        self.axes = np.stack([east, north, up])

    def _friction(self, atmosphere: xr.Dataset) -> tuple[NDArray, NDArray]:
        """Sum of n m nu, kg m-3 s-1, and the mean ratio nu/Omega times |B|, T; (time, alt, lat, lon)."""
        densities = {name: atmosphere[f"density_{name}"].values for name in PARTNERS}
        warm = atmosphere.ion_temperature.values, atmosphere.neutral_temperature.values
        friction = np.zeros_like(warm[0])
        charge_density = np.zeros_like(warm[0])
        for name in IONS:
            ion = get_species(name)
            content = atmosphere[f"density_{name}"].values * ion.mass
            friction = friction + content * ion_neutral_collision_frequency(name, densities, *warm)
            charge_density = charge_density + content / ion.mass * ELEMENTARY_CHARGE
        return friction, friction / charge_density

    def velocity(self, time: np.datetime64, wind_east: NDArray, wind_north: NDArray) -> IonDrift:
        """Ion velocity at a time as a linear function of the wind; see `siderion.background.wind.IonDrift`."""
        share = (time - self.time[0]) / (self.time[1] - self.time[0])
        i = int(np.clip(share, 0, len(self.time) - 2))
        zeta_field = self.zeta[i] * (1.0 - (share - i)) + self.zeta[i + 1] * (share - i)
        radial = (FOOTPOINT_RADIUS / self.radius)[:, None, None]
        zeta = zeta_field / (self.strength * radial**3)
        drift = self._electric_drift(time) * radial**-1.5  # E falls as r^-1.5, B as r^-3
        cross = np.cross(drift, self.b[:, None], axis=0)
        inverse = 1.0 / (1.0 + zeta**2)
        velocity = inverse * (cross + zeta * drift)
        b_east, b_north, b_up = self.b[:, None]
        same = zeta**2 * inverse
        linear = np.empty((2, 2, *zeta.shape))
        linear[0, 0] = same + inverse * b_east**2
        linear[1, 1] = same + inverse * b_north**2
        # U x b with U horizontal: east part is U_north b_up, north part is -U_east b_up.
        linear[0, 1] = inverse * (b_east * b_north + zeta * b_up)
        linear[1, 0] = inverse * (b_east * b_north - zeta * b_up)
        return IonDrift(velocity[0], velocity[1], linear)

    def _electric_drift(self, time: np.datetime64) -> NDArray[np.float64]:
        """E/|B| at 110 km, east, north and up, (3, 1, lat, lon), m s-1."""
        moment = np.array([time], dtype="datetime64[ns]")
        potential = self.conditions.potential(moment, self.dipole, self.hemisphere)[0]
        sun = float(self.dipole.subsolar_magnetic_longitude(time))
        field = ConvectionField(self.dipole, self.hemisphere, sun, potential, MAGNETIC_LATITUDE, MAGNETIC_LOCAL_TIME)
        electric = field.electric_field(self.lat, self.lon, FOOTPOINT_RADIUS)
        return np.sum(self.axes * electric, axis=-1)[:, None] / self.strength
