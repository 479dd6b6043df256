"""The air that bodies meet: columns, known values, extrapolation, and what is refused."""

import numpy as np
import pytest

from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.sources.entry.atmosphere import (
    Atmosphere,
    exponential_atmosphere,
    mean_atmosphere,
    msis_atmosphere,
    standard_atmosphere,
)


def test_exponential_column_is_density_times_scale_height():
    air = exponential_atmosphere(1.2, 7000.0)
    altitude = np.array([0.0, 50e3, 123e3, 300e3])  # the last is beyond the levels
    np.testing.assert_allclose(air.density_at(altitude), 1.2 * np.exp(-altitude / 7000.0), rtol=1e-12)
    np.testing.assert_allclose(air.column_above(altitude), 7000.0 * air.density_at(altitude), rtol=1e-12)


def test_exponential_defaults_come_from_the_tables():
    air = exponential_atmosphere(1.2, 7000.0)
    assert air.mean_mass[0] / ATOMIC_MASS == pytest.approx(28.9644, rel=1e-6)  # dry air of the standard
    assert exponential_atmosphere(1.2, 7000.0, 180.0, 30.0).temperature[0] == 180.0
    with pytest.raises(SettingsError, match="molar mass"):
        exponential_atmosphere(1.2, 7000.0, 180.0, -1.0)
    with pytest.raises(TypeError):
        exponential_atmosphere()


def test_us_standard_1976_densities_and_weight():
    air = standard_atmosphere()
    # published values: table I of NOAA-S/T 76-1562 at 0, 20, 50, 80, 100, 400 km
    published = [1.2250, 8.8910e-2, 1.0269e-3, 1.8458e-5, 5.604e-7, 2.803e-12]
    np.testing.assert_allclose(air.density_at(np.array([0.0, 20e3, 50e3, 80e3, 100e3, 400e3])), published, rtol=3e-4)
    # the weight of the column is the pressure: 101325 Pa, gravity falling with altitude (mean 9.80 m s-2 within 0.3 %)
    assert float(air.column_above(0.0)) * 9.80 == pytest.approx(101325.0, rel=4e-3)


def test_columns_fall_and_derive_to_density():
    air = msis_atmosphere("2020-06-21T12:00", 45.0, 10.0)
    altitude = np.linspace(50e3, 500e3, 200)
    column = air.column_above(altitude)
    assert (np.diff(column) < 0.0).all()
    step = 10.0
    slope = (air.column_above(altitude - step) - air.column_above(altitude + step)) / (2.0 * step)
    np.testing.assert_allclose(slope, air.density_at(altitude), rtol=1e-5)
    assert air.mean_mass_at(0.0) / ATOMIC_MASS == pytest.approx(28.96, abs=0.05)  # dry air


def test_mean_lies_between_its_seasons():
    mean = mean_atmosphere()
    single = [msis_atmosphere(f"2020-{month}-21", lat, 0.0) for month in ("06", "12") for lat in (-53.13, 0.0, 53.13)]
    found = [float(air.density_at(85e3)) for air in single]
    assert min(found) < float(mean.density_at(85e3)) < max(found)


def test_what_is_refused():
    with pytest.raises(SettingsError, match="date"):
        msis_atmosphere("yesterday", 0.0, 0.0)
    with pytest.raises(SettingsError, match="version"):
        msis_atmosphere("2020-06-21", 0.0, 0.0, version="3")
    with pytest.raises(CoverageError, match="below"):
        standard_atmosphere().column_above(-1e3)
    level = np.array([0.0, 1e3, 2e3])
    with pytest.raises(DataError, match="mass_density"):
        Atmosphere("holes", level, np.array([1.0, np.nan, 0.5]), level + 1.0, level + 1.0)
    with pytest.raises(DataError, match="rise"):
        Atmosphere("falling", level[::-1].copy(), np.ones(3), np.ones(3), np.ones(3))
