"""Physical constants (SI, CODATA 2022 through SciPy) and the reference sphere of the Earth."""

from __future__ import annotations

from scipy import constants as _codata

ELEMENTARY_CHARGE = _codata.elementary_charge
"""Elementary charge, C."""
BOLTZMANN = _codata.Boltzmann
"""Boltzmann constant, J K-1."""
ATOMIC_MASS = _codata.atomic_mass
"""Unified atomic mass unit, kg."""
ELECTRON_MASS = _codata.electron_mass
"""Electron mass, kg."""

EARTH_RADIUS = 6371.2e3
"""Radius of the reference sphere, m: the geomagnetic reference radius of the IGRF (Alken et al. 2021)."""
EARTH_GM = 3.986004418e14
"""Geocentric gravitational constant, m3 s-2 (IERS Conventions 2010, table 1.1)."""
EARTH_ROTATION_RATE = 7.292115e-5
"""Rotation rate of the Earth, rad s-1 (IERS Conventions 2010, table 1.1)."""

YEAR = _codata.Julian_year
"""Julian year of 365.25 days, s."""
CUBIC_CENTIMETRE = 1e-6
"""One cm3 in m3: multiplies a rate in cm3 s-1, divides a density in cm-3."""
