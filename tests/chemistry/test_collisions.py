from __future__ import annotations

import numpy as np
import pytest

from siderion.chemistry import collision_coefficient, ion_neutral_collision_frequency
from siderion.chemistry.collisions import resonant_oxygen_coefficient
from siderion.core.errors import CoverageError, NumericalError, SettingsError

# Computed coefficients, 1e-10 cm3 s-1, with N2, O2 and O.
COEFFICIENTS = {
    "Fe+": (2.66, 2.64, 1.45),
    "Mg+": (5.10, 4.99, 2.94),
    "Na+": (5.31, 5.19, 3.07),
    "Si+": (4.58, 4.49, 2.61),
    "Al+": (4.72, 4.63, 2.70),
    "Ca+": (3.48, 3.43, 1.94),
    "K+": (3.55, 3.50, 1.98),
    "Ni+": (2.55, 2.53, 1.39),
}


@pytest.mark.parametrize("ion", COEFFICIENTS)
def test_coefficients_of_metal_ions(ion):
    found = [collision_coefficient(ion, neutral) * 1e16 for neutral in ("N2", "O2", "O")]
    np.testing.assert_allclose(found, COEFFICIENTS[ion], atol=0.0051)


def test_schunk_and_nagy_value_of_no_ion_with_n2():
    assert collision_coefficient("NO+", "N2") == pytest.approx(4.36e-16, abs=0.005e-16)
    assert collision_coefficient("NO+", "N2") == pytest.approx(4.34e-16, rel=0.005, abs=0.0)


def test_sami_constant_is_an_option():
    ratio = collision_coefficient("Fe+", "O", "sami") / collision_coefficient("Fe+", "O")
    assert ratio == pytest.approx(2.69 / 2.588, rel=1e-12)


def test_frequency_is_the_sum_over_the_gases():
    densities = {"N2": np.array([1e17, 2e17]), "O": np.array([[1e16], [0.0]])}
    found = ion_neutral_collision_frequency("Fe+", densities, 500.0, 500.0)
    expected = collision_coefficient("Fe+", "N2") * densities["N2"] + collision_coefficient("Fe+", "O") * densities["O"]
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_array_equal(found, ion_neutral_collision_frequency("Fe+", densities, 900.0, 300.0))


def test_resonant_oxygen():
    # By hand at Tr = 1000 K: 3.67e-11 sqrt(1000) (1 - 0.192)^2 = 7.5767e-10 cm3 s-1, against 4.53e-10 by polarization.
    assert resonant_oxygen_coefficient(1200.0, 800.0) == pytest.approx(7.5767e-16, rel=1e-4, abs=0.0)
    found = ion_neutral_collision_frequency("O+", {"O": 1e15, "N2": 1e14}, 1200.0, 800.0)
    assert found == pytest.approx(0.75767 + collision_coefficient("O+", "N2") * 1e14, rel=1e-4)
    assert resonant_oxygen_coefficient(1000.0, 1000.0) > collision_coefficient("O+", "O")


def test_heavier_ions_collide_less():
    found = [collision_coefficient(ion, "N2") for ion in ("Mg+", "Ca+", "Fe+", "Ni+")]
    assert found == sorted(found, reverse=True)


def test_bad_input_is_named():
    with pytest.raises(SettingsError, match="formula of collisions is 'other'"):
        collision_coefficient("Fe+", "N2", "other")
    with pytest.raises(SettingsError, match="charge number 0"):
        collision_coefficient("Fe", "N2")
    with pytest.raises(CoverageError, match="no polarizability of 'O3'"):
        ion_neutral_collision_frequency("Fe+", {"O3": 1.0}, 200.0, 200.0)
    with pytest.raises(CoverageError, match="no neutral density"):
        ion_neutral_collision_frequency("Fe+", {}, 200.0, 200.0)
    with pytest.raises(NumericalError, match=r"density of N2 is -1.0 m-3 at index \(1,\)"):
        ion_neutral_collision_frequency("Fe+", {"N2": np.array([1.0, -1.0])}, 200.0, 200.0)
    with pytest.raises(NumericalError, match=r"mean of ion and neutral temperature is -1\.0 K"):
        ion_neutral_collision_frequency("O+", {"O": 1.0}, -1.0, -1.0)
