"""The numbers that are read off an output, on fields where they are known."""

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import DataError
from siderion.transport.diagnostics import convection_cells, evening_morning_ratio, largest_density
from siderion.transport.statements import statements

LAT, LON, ALT = np.arange(40.5, 90.0, 1.0), np.arange(-179.5, 180.0, 1.0), np.array([118.0, 120.0, 150.0, 200.0, 250.0, 300.0])
TERMS = ("exb", "pedersen", "parallel_field", "wind", "gravity", "pressure")


def distance(lat, lon):
    """Degrees from a place, on the output grid."""
    a, b = np.radians(LAT)[:, None], np.radians(lat)
    cosine = np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(np.radians(LON - lon))[None, :]
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


@pytest.fixture(scope="module")
def output():
    """Two round cells; the evening one lies on the seam of longitude and holds four times more. Up at 300 km is E x B less 10."""
    times = np.array(["2023-06-18T06:00", "2023-06-18T18:00"], dtype="datetime64[ns]")
    potential = 30e3 * np.exp(-((distance(75.0, 0.0) / 8.0) ** 2)) - 40e3 * np.exp(-((distance(75.0, 180.0) / 8.0) ** 2))
    morning, evening = convection_cells(potential)
    density = np.where(evening, 4e8, np.where(morning, 1e8, 1e6))
    field = np.broadcast_to(density, (1, 2, len(ALT), *density.shape)).copy()
    field[0, 1, 1, 33, 10] = 5e11
    shape = (1, 2, len(ALT), len(LAT), len(LON))
    wave = np.broadcast_to(np.sin(np.radians(LON)) * 50.0, shape)
    parts = {term: np.zeros(shape) for term in TERMS} | {"exb": wave, "gravity": np.full(shape, -10.0)}
    up = sum(parts.values())
    dims = ("species", "velocity_time", "alt", "lat", "lon")
    by_term = (("term", "species", "velocity_time", "term_alt", "lat", "lon"), np.stack([parts[term] for term in TERMS]))
    flat = np.broadcast_to
    data = {
        "number_density": (("species", "time", "alt", "lat", "lon"), field),
        "electric_potential": (("time", "lat", "lon"), flat(potential, (2, *potential.shape))),
        "magnetic_local_time": (("time", "lat", "lon"), flat((LON / 15.0) % 24.0, (2, *potential.shape))),
        "invariant_latitude": (("alt", "lat", "lon"), flat(LAT[:, None], (len(ALT), *potential.shape))),
        "solid_angle": (("lat", "lon"), flat(np.cos(np.radians(LAT))[:, None], potential.shape)),
        **{f"neutral_wind_{way}": (("time", "alt", "lat", "lon"), np.full((2, *shape[2:]), 30.0)) for way in ("east", "north")},
        **{f"velocity_{way}": (dims, up) for way in ("east", "north", "up")},
        **{f"velocity_{way}_by_term": by_term for way in ("east", "north", "up")},
    }
    coords = {"species": ["Fe+"], "time": times, "velocity_time": times, "alt": ALT, "term_alt": ALT, "lat": LAT, "lon": LON}
    return xr.Dataset(data, coords={**coords, "term": list(TERMS)})


def test_cells_cross_the_seam_and_stay_apart(output):
    morning, evening = convection_cells(output.electric_potential.values[0])
    assert not (morning & evening).any()
    assert evening[:, 0].any()
    assert evening[:, -1].any()
    potential = output.electric_potential.values[0]
    np.testing.assert_array_equal(evening, potential < 0.3 * potential.min())
    np.testing.assert_array_equal(morning, potential > 0.3 * potential.max())
    assert morning[distance(75.0, 0.0) < 8.0].all()  # the Gaussian falls to 30 % at 8.8 degrees
    assert not morning[distance(75.0, 0.0) > 9.0].any()


def test_ratio_of_the_cells(output):
    assert evening_morning_ratio(output, "Fe+", 200.0, 0) == pytest.approx(4.0)


def test_largest_density_names_its_place(output):
    peak = largest_density(output, "Fe+")
    assert peak["number_density"] == 5e11
    assert (peak["time"], peak["alt"], peak["lat"], peak["lon"]) == ("2023-06-18T18:00", 120.0, 73.5, -169.5)


def test_statements_of_known_fields(output):
    found = statements(output)
    assert found["evening_morning_ratio_200_km"] == pytest.approx(4.0)
    assert found["up_300_with_exb_correlation_06:00"] == pytest.approx(1.0)
    assert found["up_120_with_pedersen_correlation_06:00"] is None  # the term is switched off here
    assert found["gravity_300_18:00"] == pytest.approx(-10.0)
    assert found["largest_wind"] == pytest.approx(30.0 * np.sqrt(2.0))
    assert found["rim_over_inside_200_km"] == pytest.approx(1.0)
    assert found["mean_density_in_cells"]["300 km"] == pytest.approx(2.5e8, rel=0.05)


def test_statements_need_velocities_by_term(output):
    with pytest.raises(DataError, match="term_altitudes"):
        statements(output.drop_vars("velocity_up_by_term"))
