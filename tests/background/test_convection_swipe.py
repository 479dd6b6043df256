from __future__ import annotations

import time
from importlib import resources

import numpy as np
import pytest
import xarray as xr
from scipy.special import lpmv

from siderion.background.convection import swipe
from siderion.background.convection.grid import outer_colatitude
from siderion.background.convection.swipe import (
    COEFFICIENT_FILE,
    complete_coefficients,
    external_terms,
    schmidt_quotients,
)
from siderion.core.errors import DataError
from siderion.io.swipe import read_swipe_coefficients

LATITUDE = np.linspace(47.0, 90.0, 87)[:, np.newaxis]
LOCAL_TIME = np.arange(0.0, 24.0, 0.25)
RADIUS_110_KM = 6481.2e3
JUNE_2023 = (-2.8, -3.0, 412.0, 24.0, 164.0)
WEAK = (2.0, -2.0, 330.0, 20.0, 128.0)


@pytest.mark.parametrize(("conditions", "kilovolt"), [(JUNE_2023, 76.2), (WEAK, 48.4)])
def test_cross_polar_potential_of_reference_conditions(conditions: tuple[float, ...], kilovolt: float) -> None:
    potential = swipe(*conditions, "north").potential(LATITUDE, LOCAL_TIME)
    assert np.ptp(potential) / 1000.0 == pytest.approx(kilovolt, abs=0.06)


@pytest.mark.parametrize("conditions", [JUNE_2023, WEAK])
def test_two_cells_and_field_strength(conditions: tuple[float, ...]) -> None:
    model = swipe(*conditions, "north")
    potential = model.potential(LATITUDE, LOCAL_TIME)
    dusk = LOCAL_TIME[np.unravel_index(potential.argmin(), potential.shape)[1]]
    dawn = LOCAL_TIME[np.unravel_index(potential.argmax(), potential.shape)[1]]
    assert 17.0 <= dusk <= 18.0
    assert 3.0 <= dawn <= 8.0
    along, _ = model.gradient(LATITUDE, LOCAL_TIME)
    assert 33e-3 <= np.abs(along).max() / RADIUS_110_KM <= 44e-3


def test_by_moves_the_pattern_the_opposite_way_in_the_south() -> None:
    def at_pole(by: float, hemisphere: str) -> float:
        latitude = 90.0 if hemisphere == "north" else -90.0
        return float(swipe(by, -3.0, 400.0, 0.0, 120.0, hemisphere).potential(latitude, 0.0))

    # By > 0: the evening cell (negative) spreads over the northern pole, the morning cell over the southern.
    assert at_pole(5.0, "north") < -2e3 < 2e3 < at_pole(-5.0, "north")
    assert at_pole(5.0, "south") > 2e3 > -2e3 > at_pole(-5.0, "south")


def test_south_and_north_mirror_each_other_roughly() -> None:
    north = swipe(3.0, -3.0, 400.0, 15.0, 130.0, "north").potential(LATITUDE, LOCAL_TIME)
    mirrored = swipe(-3.0, -3.0, 400.0, -15.0, 130.0, "south").potential(-LATITUDE, LOCAL_TIME)
    same_signs = swipe(3.0, -3.0, 400.0, 15.0, 130.0, "south").potential(-LATITUDE, LOCAL_TIME)
    weight = np.cos(np.deg2rad(LATITUDE))
    error, unmirrored = (np.sqrt(np.mean(weight * (other - north) ** 2)) for other in (mirrored, same_signs))
    assert 0.0 < error < 0.3 * np.sqrt(np.mean(weight * north**2))
    assert error < unmirrored


def test_raw_potential_vanishes_at_47_degrees_in_both_hemispheres() -> None:
    for hemisphere in ("north", "south"):
        model = swipe(*JUNE_2023, hemisphere)
        raw = model._untapered_potential(np.array([[outer_colatitude()]]), np.deg2rad(15.0 * LOCAL_TIME))
        assert np.abs(raw).max() < 1e-6


def test_schmidt_functions_against_scipy() -> None:
    colatitude = np.deg2rad(np.array([3.0, 20.0, 43.0, 90.0, 137.0]))
    for m in range(4):
        quotients = schmidt_quotients(65, m, np.cos(colatitude))
        for n in (max(m, 1), m + 1, m + 7, 65):
            ratio = np.prod(np.arange(n - m + 1.0, n + m + 1.0))
            norm = (-1.0) ** m * np.sqrt((2.0 if m else 1.0) / ratio)
            expected = norm * lpmv(m, n, np.cos(colatitude))
            np.testing.assert_allclose(quotients[n] * np.sin(colatitude) ** m, expected, atol=1e-12)


def test_against_direct_summation_in_both_hemispheres() -> None:
    table = read_swipe_coefficients(resources.files("siderion") / "background" / "data" / COEFFICIENT_FILE)
    full = complete_coefficients(table)
    weights = external_terms(*JUNE_2023)
    mixed = np.tensordot([weights[str(name)] for name in table["term"].values], full, axes=1)
    for latitude, local_time in ((72.3, 16.1), (-65.0, 4.4), (-88.0, 13.0)):
        cosine, sine = np.sin(np.deg2rad(latitude)), np.cos(np.deg2rad(latitude))
        phi = np.deg2rad(15.0 * local_time)
        total = 0.0
        for m in range(4):
            legendre = schmidt_quotients(65, m, np.array(cosine)) * sine**m
            total += legendre @ mixed[0, :, m] * np.cos(m * phi) + legendre @ mixed[1, :, m] * np.sin(m * phi)
        model = swipe(*JUNE_2023, "north" if latitude > 0 else "south")
        assert float(model.potential(latitude, local_time)) == pytest.approx(6371.2 * total, rel=1e-9)


def test_external_terms() -> None:
    terms = external_terms(0.0, -4.0, 400.0, 10.0, 150.0)
    coupling = 400.0 ** (4 / 3) * 4.0 ** (2 / 3) / 1000.0
    assert len(terms) == 19
    assert terms["epsilon"] == pytest.approx(coupling)
    assert terms["tau"] == pytest.approx(0.0, abs=1e-12)
    assert terms["tilt_epsilon_cosca"] == pytest.approx(-10.0 * coupling)
    assert terms["cosca"] == pytest.approx(-1.0)
    assert terms["f107"] == 150.0
    north = external_terms(0.0, 4.0, 400.0, 10.0, 150.0)
    assert north["tau"] == pytest.approx(coupling)
    dawnward, duskward = (external_terms(by, -3.0, 400.0, 0.0, 150.0) for by in (-3.0, 3.0))
    assert dawnward["epsilon"] == duskward["epsilon"]
    assert dawnward["sinca"] == -duskward["sinca"]


def test_zero_field_is_finite() -> None:
    assert np.isfinite(swipe(0.0, 0.0, 400.0, 0.0, 100.0, "north").potential(LATITUDE, LOCAL_TIME)).all()


def test_coefficients_that_hold_the_solved_degrees_are_refused() -> None:
    table = xr.Dataset(
        {"coefficient": (("term", "phase", "row"), np.ones((1, 2, 1)))},
        coords={"degree": ("row", [2]), "order": ("row", [0])},
    )
    with pytest.raises(DataError, match="order 0 of the coefficients holds a degree"):
        complete_coefficients(table)


def test_a_grid_is_fast() -> None:
    latitude, local_time = np.linspace(47.0, 90.0, 86)[:, np.newaxis], np.arange(0.0, 24.0, 0.25)
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        swipe(*JUNE_2023, "north").potential(latitude, local_time)
        durations.append(time.perf_counter() - start)
    assert min(durations) < 0.02
