from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from synthetic import DAY, magnetic_coordinates, polar_dataset

from siderion.core.errors import CoverageError, DataError
from siderion.report.map_drawing import density_scale, round_up, velocity_scale
from siderion.report.polar_page import polar_run
from siderion.report.polar_sections import CUT_LATITUDES, meridian_cut, velocity
from siderion.report.record_sections import budget_gap, parse_series, settings_digest
from siderion.report.selection import (
    analysed_day,
    at_time,
    largest_density,
    map_times,
    missing_for_polar_report,
    order_poleward,
)
from siderion.transport.diagnostics.levels import at_altitude


@pytest.fixture(scope="module")
def north():
    return polar_dataset()


def column(values, levels=(100.0, 110.0, 130.0)):
    data = np.asarray(values, dtype=float)[:, None, None]
    return xr.DataArray(data, dims=("alt", "lat", "lon"), coords={"alt": list(levels)}, name="n")


def test_interpolation_is_exact_for_exponential_and_linear_columns():
    levels = np.array([100.0, 110.0, 130.0])
    assert at_altitude(column(np.exp(-levels / 7.0)), 123.0, logarithmic=True)[0, 0] == pytest.approx(np.exp(-123.0 / 7.0))
    assert at_altitude(column(3.0 * levels - 1.0), 123.0)[0, 0] == pytest.approx(368.0)
    assert at_altitude(column(levels), 130.0)[0, 0] == 130.0


def test_logarithmic_interpolation_beside_zero_is_linear():
    assert at_altitude(column([0.0, 4.0, 1.0]), 105.0, logarithmic=True)[0, 0] == 2.0
    assert at_altitude(column([0.0, 0.0, 1.0]), 105.0, logarithmic=True)[0, 0] == 0.0


@pytest.mark.parametrize("altitude", [99.9, 130.1])
def test_altitude_outside_the_grid_is_refused(altitude):
    with pytest.raises(CoverageError, match="reaches from 100 to 130 km"):
        at_altitude(column([1.0, 1.0, 1.0]), altitude)


def test_time_far_from_any_output_is_refused(north):
    with pytest.raises(CoverageError, match="no value within 30 min of 2023-06-18T09:00"):
        at_time(north["electric_potential"], DAY + np.timedelta64(9, "h"))


def test_day_comes_from_the_settings_then_the_velocities_then_the_times(north):
    assert analysed_day(north) == DAY
    other = north.assign_attrs(settings=json.dumps({"run": {"date": "2020-02-29"}}))
    assert analysed_day(other) == np.datetime64("2020-02-29")
    assert analysed_day(north.drop_attrs()) == DAY
    assert analysed_day(polar_dataset(velocities=False, hours=np.arange(-12, 24, 3)).drop_attrs()) == DAY


def test_bad_date_is_refused(north):
    with pytest.raises(DataError, match="setting 'date' is 'soon'"):
        analysed_day(north.assign_attrs(settings=json.dumps({"date": "soon"})))


def test_map_times_prefer_06_and_18(north):
    hours = [int(str(time)[11:13]) for time in map_times(north, DAY)]
    assert hours == [6, 18]
    few = polar_dataset(velocities=False, hours=np.array([3, 9, 15]))
    assert [int(str(time)[11:13]) for time in map_times(few, DAY)] == [3, 15]
    # velocities at hours without fields cannot carry a map
    apart = few.assign_coords(velocity_time=[DAY + np.timedelta64(6, "h"), DAY + np.timedelta64(9, "h")])
    assert [int(str(time)[11:13]) for time in map_times(apart, DAY)] == [9]


@pytest.mark.parametrize("southern", [False, True])
def test_largest_density_is_found_where_it_was_planted(southern):
    dataset = order_poleward(polar_dataset(southern=southern, velocities=False))
    latitude = -71.0 if southern else 71.0
    where = {"time": DAY + np.timedelta64(12, "h"), "alt": 123.0, "lat": latitude, "lon": 26.0}
    dataset["number_density"].loc[{"species": "Fe+", **where}] = 9e12
    dataset["number_density"].loc[{"species": "Fe+", **where, "alt": 127.0}] = 9e13
    peak = largest_density(dataset, 0, 115.0, 125.0)
    assert (peak.altitude, peak.latitude, peak.longitude) == (123.0, latitude, 26.0)
    assert peak.value == pytest.approx(9e12)
    assert peak.time == where["time"]
    assert peak.local_time == pytest.approx(float(magnetic_coordinates(71.0, 26.0, 12.0)[1]))


def test_largest_density_leaves_out_the_spin_up():
    dataset = polar_dataset(velocities=False, hours=np.array([-6, 6, 18]))
    dataset["number_density"][0, 0] = 1e13
    assert largest_density(dataset, 0, 115.0, 125.0).value < 1e12


def test_largest_density_needs_a_level(north):
    with pytest.raises(CoverageError, match="lies between 500 and 600 km"):
        largest_density(north, 0, 500.0, 600.0)


def test_equatorward_is_southward_in_the_north_and_northward_in_the_south():
    for southern, sign in ((False, -1.0), (True, 1.0)):
        run = polar_run(polar_dataset(southern=southern, by_term=False))
        time = run.frames[0].time
        expected = sign * velocity(run, "north", time, 200.0)
        np.testing.assert_array_equal(velocity(run, "equatorward", time, 200.0), expected)


def test_cut_of_a_field_of_invariant_latitude_is_that_field():
    dataset = polar_dataset(velocities=False, lat_step=1.0, lon_step=2.0)
    smooth = 1e9 * np.exp(-(((dataset["invariant_latitude"].isel(alt=3) - 75.0) / 20.0) ** 2))
    dataset["number_density"] = (dataset["number_density"] * 0 + smooth).transpose(*dataset["number_density"].dims)
    run = polar_run(dataset)
    cut = meridian_cut(run, 0, run.frames[1])
    exact = 1e9 * np.exp(-(((CUT_LATITUDES - 75.0) / 20.0) ** 2))
    inside = CUT_LATITUDES < 88.0
    assert np.isfinite(cut[0, inside]).all()
    np.testing.assert_allclose(cut[0, inside], exact[inside], rtol=0.01)


def test_scales():
    assert round_up(0.3) == 0.5
    assert round_up(2e9) == 2e9
    assert round_up(2.1e9) == 5e9
    scale = density_scale([np.geomspace(1e2, 1e10, 400)], "n")
    assert scale.highest == 1e10
    assert scale.lowest == pytest.approx(1e6)
    signed = velocity_scale([np.array([-12.0, 3.0])], "v")
    assert (signed.lowest, signed.highest) == (-15.0, 15.0)
    assert density_scale([np.zeros(4)], "n").highest == 1.0
    assert velocity_scale([np.zeros(4)], "v").highest == 1.0


def test_colour_bar_points_to_values_beyond_the_scale():
    scale = velocity_scale([np.array([-10.0, 10.0])], "v")
    assert scale.extend(np.array([-11.0, 0.0])) == "min"
    assert scale.extend(np.array([-11.0, 11.0])) == "both"
    assert scale.extend(np.array([-1.0, 1.0])) == "neither"


def test_budget_gap():
    entries = {"initial": 100.0, "source": 5.0, "through_bottom": -8.0, "final": 97.5, "residual": 0.5}
    assert budget_gap(entries) == 0.0
    assert budget_gap({**entries, "residual": -0.5}) == 0.0
    assert budget_gap({**entries, "through_bottom": 8.0}) == pytest.approx(0.15)
    assert budget_gap({"final": 1.0}) is None


def test_series_with_gaps_and_errors():
    series = parse_series("Bz", {"time": ["2023-06-18T00:00Z", "2023-06-18T01:00Z"], "values": [1.0, None], "units": "nT"})
    assert series.time[1] == np.datetime64("2023-06-18T01:00")
    assert np.isnan(series.values[1])
    assert parse_series("F10.7", 150.0) is None
    with pytest.raises(DataError, match="'Bz' has 1 times and 2 values"):
        parse_series("Bz", {"time": ["2023-06-18"], "values": [1.0, 2.0]})
    with pytest.raises(DataError, match="cannot be read as a series"):
        parse_series("Bz", {"time": ["noon"], "values": [1.0]})


def test_digest_depends_on_values_and_not_on_order():
    first, second, third = (
        xr.Dataset(attrs={"settings": text}) for text in ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', '{"a": 1, "b": 3}')
    )
    assert settings_digest(first) == settings_digest(second) != settings_digest(third)
    assert settings_digest(xr.Dataset()) is None


def test_what_is_missing_is_named(north):
    assert missing_for_polar_report(north) == []
    assert missing_for_polar_report(north.drop_vars("magnetic_local_time")) == ["magnetic_local_time"]
    assert "number_density" in missing_for_polar_report(xr.Dataset())[0]
