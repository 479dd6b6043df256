"""Drifts by term, worked out anew from an output: against the model's kernel, its output, and limiting cases."""

import numpy as np
import pytest
from small_run import small_settings

from siderion.background.ion_velocity import TERMS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.frames.dipole import TiltedDipole
from siderion.frames.spherical import unit_vector
from siderion.transport.diagnostics.drifts import IonColumns, electric_field, ion_drifts
from siderion.transport.fields import DriverFields
from siderion.transport.model import Model
from siderion.transport.plan import make_grids
from siderion.transport.run import load_drivers, run

TIME = "2023-06-18T00:00"
WAYS = ("east", "north", "up")
SMOOTH = {"initial": {"peak_density": 1e11, "width": 60.0, "floor": 1e6}, "species": ("Fe+", "Mg+")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def settings_at(resolution, **changes):
    return small_settings(**SMOOTH, grid={"resolution": resolution, "fine_step": 3.0, "coarse_step": 10.0}, **changes)


def blown(drivers):
    """Drivers with a smooth wind, a solid rotation about a tilted axis that grows with altitude: 50 to 300 m/s."""
    lat, lon = np.meshgrid(drivers.lat.values, drivers.lon.values, indexing="ij")
    turn = np.cross(unit_vector(50.0, 20.0), unit_vector(lat, lon))
    lon_rad = np.radians(lon)
    east = np.stack([-np.sin(lon_rad), np.cos(lon_rad), 0 * lon_rad], axis=-1)
    north = np.cross(unit_vector(lat, lon), east)
    speed = drivers.alt.values[:, None, None] - 30.0
    result = drivers.copy()
    for name, axis in (("neutral_wind_east", east), ("neutral_wind_north", north)):
        field = speed * np.sum(turn * axis, axis=-1)
        result[name] = (drivers[name].dims, np.broadcast_to(field, drivers[name].shape))
    return result


@pytest.fixture(scope="module")
def case(tmp_path_factory, cache):
    """Two runs, of 5 and 2.5 degrees, with their drivers."""
    found = {}
    for resolution in (5.0, 2.5):
        settings = settings_at(resolution)
        found[resolution] = run(settings, tmp_path_factory.mktemp("run"), cache=cache).load()
    return found, load_drivers(settings_at(5.0), cache=cache)


@pytest.fixture(scope="module")
def drifts(case):
    outputs, drivers = case
    return {step: ion_drifts(output, drivers, TIME) for step, output in outputs.items()}


def test_every_term_is_that_of_the_model_kernel(cache):
    """At native columns there is no remap, so kernel and plain vectors agree to round-off in float64."""
    settings = settings_at(5.0, precision="float64", eddy_diffusivity=100.0)
    grid, shells = make_grids(settings)
    fields = DriverFields(blown(load_drivers(settings, cache=cache)), shells)
    model = Model(settings, fields, grid, shells)
    rng = np.random.default_rng(5)
    for metal in model.metals:
        metal.density[:] *= np.exp(0.3 * rng.normal(size=model.shape))
        metal.density[-2:] = 0.0  # emptied by gravity
    time = np.datetime64(TIME, "ns")
    model.fill_background(time)
    metal, metals = model.metals[0], sum(m.density for m in model.metals)
    lat = np.where(grid.active, grid.latitude, 40.0)
    columns = IonColumns.at(fields, settings, time, "Fe+", metal.density, metals, lat, grid.longitude)
    slow = np.zeros(model.shape)
    model.fill_velocity(metal, time, model.electrons(), frozenset(TERMS), slow)
    for level in (0, 5, 14, shells.levels - 3, shells.levels - 1):
        total = sum(columns.terms(level).values())
        for values, direction in (
            (metal.velocity_x[level], grid.normal_x),
            (metal.velocity_y[level].T, grid.normal_y),
            (metal.velocity_up[level] + slow[level], grid.centres),
        ):
            expected = np.sum(total * direction, axis=-1)[grid.active]
            np.testing.assert_allclose(values[grid.active], expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def relative_error(output, found, way, term):
    """Root mean square difference to the velocities by term of the output, away from the edge and the pole."""
    part = output.isel(species=0, velocity_time=0).sel(lat=slice(50, 85), term=term)
    stored = part[f"velocity_{way}_by_term"].values
    again = found[f"velocity_{way}_by_term"].sel(term=term, alt=part.term_alt.values, lat=part.lat).values
    return np.sqrt(np.mean((stored - again) ** 2) / np.mean(stored**2))


@pytest.mark.parametrize("term", [term for term in TERMS if term != "wind"])
def test_output_by_term_is_met_as_the_remap_allows(case, drifts, term):
    """The remap of the output is first order: 25 % of the convection at 5 degrees (cells 550 km wide), half of it at 2.5."""
    for way in WAYS:
        errors = [relative_error(case[0][step], drifts[step], way, term) for step in (5.0, 2.5)]
        assert errors[0] < 0.25
        assert errors[1] < 0.6 * errors[0]


def test_terms_sum_to_the_total_and_levels_are_the_nearest(case):
    outputs, drivers = case
    found = ion_drifts(outputs[5.0], drivers, TIME, "Mg+", altitudes=[121.0, 119.9, 300.0])
    alt = outputs[5.0].alt.values
    np.testing.assert_array_equal(found.alt, sorted({alt[np.abs(alt - z).argmin()] for z in (121.0, 119.9, 300.0)}))
    whole = ion_drifts(outputs[5.0], drivers, TIME, "Mg+")
    for way in WAYS:
        total, parts = found[f"velocity_{way}"], found[f"velocity_{way}_by_term"]
        np.testing.assert_allclose(parts.sum("term"), total, rtol=1e-5, atol=1e-3)  # sums in float32
        np.testing.assert_array_equal(whole[f"velocity_{way}"].sel(alt=found.alt), total)
        assert total.attrs["units"] == "m s-1"


def test_limits_high_and_low(cache):
    """High up E x B is E x B/B^2 and Pedersen fades; at 85 km the ions go with the wind."""
    settings = settings_at(5.0)
    _, shells = make_grids(settings)
    fields = DriverFields(blown(load_drivers(settings, cache=cache)), shells)
    lat, lon = np.meshgrid([62.0, 70.0, 78.0], [-100.0, 30.0, 170.0], indexing="ij")
    flat = np.ones((shells.levels, *lat.shape))
    columns = IonColumns.at(fields, settings, np.datetime64(TIME, "ns"), "Fe+", flat, flat, lat, lon)
    top = columns.terms(shells.levels - 1)
    radius = shells.radius[-1]
    field, electric = fields.dipole.field(lat, lon, radius), columns.convection.electric_field(lat, lon, radius)
    exact = np.cross(electric, field) / np.sum(field**2, axis=-1, keepdims=True)
    np.testing.assert_allclose(top["exb"], exact, atol=1e-4 * np.abs(exact).max())
    assert np.abs(top["pedersen"]).max() < 0.01 * np.abs(exact).max()
    low = columns.terms(0)
    np.testing.assert_allclose(low["wind"], columns._wind(0), atol=0.02 * np.linalg.norm(columns._wind(0), axis=-1).max())
    assert np.abs(low["exb"]).max() < 1e-3 * np.abs(exact).max()


def test_terms_that_are_off_are_zero(cache):
    settings = settings_at(5.0, terms=("exb", "gravity"))
    _, shells = make_grids(settings)
    fields = DriverFields(blown(load_drivers(settings, cache=cache)), shells)
    lat, lon = np.meshgrid([62.0, 70.0], [30.0, 170.0], indexing="ij")
    steep = np.exp(-np.arange(shells.levels, dtype=float))[:, None, None] * np.ones(lat.shape)
    columns = IonColumns.at(fields, settings, np.datetime64(TIME, "ns"), "Fe+", steep, steep, lat, lon)
    for term, vector in columns.terms(10).items():
        assert (np.abs(vector).max() > 0) == (term in ("exb", "gravity")), term


def test_empty_cells_give_finite_velocities(case):
    outputs, drivers = case
    output = outputs[5.0].copy(deep=True)
    output.number_density[:, :, 8:] = 0.0
    assert np.isfinite(ion_drifts(output, drivers, TIME).velocity_up.values).all()


def test_electric_field_is_minus_the_gradient_of_the_potential(case):
    """Along a circle of latitude at 110 km, E times the way equals the fall of the potential of the output, sign included."""
    outputs, drivers = case
    output = outputs[2.5]
    lat, lon = float(output.lat.sel(lat=71.25)), output.lon.values
    middle = lon + 1.25
    field = electric_field(drivers, TIME, [lat], middle, 110.0, "north")
    radius = 6371.2e3 + 110e3
    dipole = TiltedDipole.at(drivers.time.values[0])
    magnetic_lat, magnetic_lon = dipole.magnetic(lat, lon)
    to_north = np.radians(np.roll(magnetic_lat, -1) - magnetic_lat)
    to_east = np.radians((np.roll(magnetic_lon, -1) - magnetic_lon + 180.0) % 360.0 - 180.0)
    to_east = to_east * np.cos(np.radians(dipole.magnetic_latitude(lat, middle)))
    east, north = (field[f"electric_field_magnetic_{way}"].values[0] for way in ("east", "north"))
    fall = radius * (east * to_east + north * to_north)
    potential = output.electric_potential.isel(time=0).sel(lat=lat).values
    expected = potential - np.roll(potential, -1)
    # The grid of the potential (2 degrees, 1 h) is interpolated twice: for the field and, more exactly, for the output.
    np.testing.assert_allclose(fall, expected, atol=0.05 * np.abs(expected).max())
    assert field.electric_field_magnetic_east.attrs["units"] == "V m-1"


def test_bad_input_is_refused(case):
    outputs, drivers = case
    output = outputs[5.0]
    with pytest.raises(DataError, match="no output at"):
        ion_drifts(output, drivers, "2023-06-18T00:10")
    with pytest.raises(CoverageError, match="is not in the output"):
        ion_drifts(output, drivers, TIME, "Na+")
    with pytest.raises(CoverageError, match="outside the output"):
        ion_drifts(output, drivers, TIME, altitudes=[400.0])
    with pytest.raises(DataError, match="no valid settings"):
        ion_drifts(output.assign_attrs(settings="{}"), drivers, TIME)
    with pytest.raises(DataError, match="drivers are of the"):
        ion_drifts(output, drivers.assign_attrs(hemisphere="south"), TIME)
    with pytest.raises(DataError, match="was asked for"):
        electric_field(drivers, TIME, [70.0], [0.0], 120.0, "south")
    with pytest.raises(SettingsError, match="use 80 to 1000 km"):
        electric_field(drivers, TIME, [70.0], [0.0], 20.0, "north")
    with pytest.raises(CoverageError, match="drivers cover"):
        electric_field(drivers, "2023-06-20T00:00", [70.0], [0.0], 120.0, "north")
