"""Cells, reversal, boundary, asymmetry and summary numbers, on fields where they are known."""

import numpy as np
import pytest
from polar_cases import EVENING, MORNING, PEAK_COLATITUDE, TIMES, polar_output

from siderion.core.errors import DataError
from siderion.transport.diagnostics import (
    cell_asymmetry,
    convection_cells,
    convection_pattern,
    evening_morning_ratio,
    largest_density,
)
from siderion.transport.diagnostics.cells import separate_cells

LAT, LON = np.arange(40.5, 90.0, 1.0), np.arange(-179.5, 180.0, 1.0)


@pytest.fixture(scope="module")
def output():
    return polar_output()


def distance(lat, lon):
    """Degrees from a place, on the output grid."""
    a, b = np.radians(LAT)[:, None], np.radians(lat)
    cosine = np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(np.radians(LON - lon))[None, :]
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def test_cells_cross_the_seam_and_stay_apart():
    potential = 30e3 * np.exp(-((distance(75.0, 0.0) / 8.0) ** 2)) - 40e3 * np.exp(-((distance(75.0, 180.0) / 8.0) ** 2))
    morning, evening = convection_cells(potential)
    np.testing.assert_array_equal(evening, potential < 0.3 * potential.min())
    np.testing.assert_array_equal(morning, potential > 0.3 * potential.max())
    assert morning[distance(75.0, 0.0) < 8.0].all()  # the Gaussian falls to 30 % at 8.8 degrees
    assert not morning[distance(75.0, 0.0) > 9.0].any()
    assert separate_cells(potential) == {"evening": 1, "morning": 1}
    third = potential + 30e3 * np.exp(-((distance(60.0, 90.0) / 4.0) ** 2))
    assert separate_cells(third) == {"evening": 1, "morning": 2}


def reversal_error(step, sign=1.0):
    pattern = convection_pattern(polar_output(step, sign), 0)
    return np.nanmax(np.abs(pattern.reversal_magnetic_latitude.values - (90.0 - PEAK_COLATITUDE)))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_pattern_of_two_known_cells(sign):
    pattern = convection_pattern(polar_output(1.0, sign), TIMES[1])
    np.testing.assert_allclose(pattern.extremum_potential, [EVENING, MORNING], rtol=2e-4)
    np.testing.assert_allclose(pattern.extremum_magnetic_latitude, 90.0 - PEAK_COLATITUDE, atol=0.02)
    np.testing.assert_allclose(pattern.extremum_magnetic_local_time, [18.0, 6.0], atol=0.05)
    assert pattern.cross_polar_potential == pytest.approx(MORNING - EVENING, rel=2e-4)
    assert pattern.cross_polar_potential.attrs["units"] == "V"
    # the wave exceeds 30 % of its extremum from 13.16 to 22.84 h in the evening, 1.16 to 10.84 h in the morning
    for cell, first, last in (("evening", 13.25, 22.75), ("morning", 1.25, 10.75)):
        found = np.isfinite(pattern.reversal_lat.sel(cell=cell).values)
        clock = pattern.magnetic_local_time.values[found]
        assert (clock.min(), clock.max()) == (first, last)
    assert np.all(np.sign(pattern.boundary_lat.values) == sign)
    # the boundary is the noon-midnight meridian
    boundary = pattern.boundary_sunward.values
    assert boundary.min() < -15.0
    assert boundary.max() > 15.0
    magnetic = polar_output(1.0, sign).isel(time=1)
    for lat, lon in zip(pattern.boundary_lat.values, pattern.boundary_lon.values, strict=True):
        clock = float(magnetic.magnetic_local_time.sel(lat=lat, lon=lon, method="nearest"))
        if abs(90.0 - abs(lat)) > 8.0 and magnetic.invariant_latitude.isel(alt=0).sel(lat=lat, lon=lon, method="nearest") < 80.0:
            assert min(clock % 12.0, 12.0 - clock % 12.0) < 0.4  # the nearest cell is up to 0.7 degrees away


def test_reversal_converges():
    coarse, medium, fine = (reversal_error(step) for step in (4.0, 2.0, 1.0))
    assert medium < coarse / 4.0
    assert fine < medium / 8.0  # bicubic: at least third order once the cells are resolved
    assert fine < 0.005


def test_pattern_needs_both_signs(output):
    with pytest.raises(DataError, match="two cells need both signs"):
        convection_pattern(output.assign(electric_potential=abs(output.electric_potential)), 0)
    with pytest.raises(DataError, match="no output at"):
        convection_pattern(output, "2023-06-18T07:00")


@pytest.fixture(scope="module")
def four_to_one(output):
    """Four times more in the evening cell, in the level of 250 km eight times."""
    changed = output.copy(deep=True)
    for t in range(2):
        evening = convection_cells(output.electric_potential.isel(time=t).values)[1]
        changed.number_density[0, t].values[:, evening] = 4e9
        changed.number_density[0, t, list(output.alt.values).index(250.0)].values[evening] = 8e9
    changed.number_density[0, 1, 1, 33, 10] = 5e11
    return changed


def test_asymmetry_of_known_densities(four_to_one):
    asymmetry = cell_asymmetry(four_to_one.drop_isel(alt=1))
    np.testing.assert_allclose(asymmetry.density_ratio.sel(alt=[150.0, 250.0]), [[4.0, 8.0]] * 2, rtol=1e-5)
    areas = asymmetry.cell_area.sel(cell="evening") / asymmetry.cell_area.sel(cell="morning")
    np.testing.assert_allclose(asymmetry.content_ratio, asymmetry.density_ratio * areas, rtol=1e-12)
    np.testing.assert_allclose(asymmetry.density_ratio_mean.sel(alt=[150.0, 250.0]), [4.0, 8.0], rtol=1e-5)
    level = four_to_one.sel(alt=250.0).isel(time=0)
    morning = convection_cells(level.electric_potential.values)[0]
    bottom, top = (6371.2e3 + 1e3 * level.alt_bounds.values).tolist()
    shell = 1e9 * (top**3 - bottom**3) / 3.0 * level.solid_angle.values[morning].sum()
    assert float(asymmetry.cell_content.sel(cell="morning", alt=250.0)[0]) == pytest.approx(shell, rel=1e-6)


def test_asymmetry_refuses_an_empty_cell(output):
    with pytest.raises(DataError, match="holds 0 Fe"):
        cell_asymmetry(output.assign(number_density=output.number_density * 0.0))


def test_ratio_of_the_cells(four_to_one):
    assert evening_morning_ratio(four_to_one, "Fe+", 200.0, 0) == pytest.approx(4.0)


def test_largest_density_names_its_place(four_to_one):
    peak = largest_density(four_to_one, "Fe+")
    assert peak["number_density"] == pytest.approx(5e11)
    assert (peak["time"], peak["alt"], peak["lat"], peak["lon"]) == ("2023-06-18T18:00", 120.0, 73.5, -169.5)
