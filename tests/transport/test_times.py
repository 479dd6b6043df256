"""The hours of the analysed day, each once."""

import numpy as np
import pytest
import xarray as xr
from polar_cases import polar_output, with_settings

from siderion.transport.diagnostics import analysed_times, cell_asymmetry, largest_density, summarize


def hourly(first, count, date="2023-06-18"):
    times = np.datetime64(first, "ns") + np.arange(count) * np.timedelta64(1, "h")
    output = xr.Dataset(coords={"time": times, "velocity_time": times[::6]})
    return output.assign_attrs(settings=f'{{"date": "{date}"}}') if date else output


@pytest.mark.parametrize(
    ("output", "first", "count"),
    [
        (hourly("2023-06-18T00", 25), 0, 24),
        (hourly("2023-06-17T12", 37), 12, 24),  # spin-up written
        (hourly("2023-06-18T00", 49), 0, 24),  # two days
        (hourly("2023-06-18T00", 3), 0, 3),  # shorter than a day
        (hourly("2023-06-17T12", 6), 0, 6),  # cut before the day
        (hourly("2023-06-18T00", 25, None), 0, 24),
        (hourly("2023-06-18T00", 24, None), 0, 24),
        (hourly("2023-06-18T00", 1, None), 0, 1),
    ],
)
def test_analysed_times(output, first, count):
    np.testing.assert_array_equal(analysed_times(output), np.arange(first, first + count))


def test_times_with_velocities():
    np.testing.assert_array_equal(analysed_times(hourly("2023-06-17T12", 37), "velocity_time"), [2, 3, 4, 5])


def test_spin_up_is_in_no_summary():
    day = polar_output(4.0)
    both = xr.concat([day, day.assign_coords(time=day.time + np.timedelta64(24, "h"))], "time", data_vars="minimal")
    both = with_settings(both, date="2023-06-19")
    rng = np.random.default_rng(0)
    spin_up = 1e12 * (1.0 + rng.random(both.number_density[0, :2].shape))
    both["number_density"] = both.number_density.copy(data=np.concatenate([spin_up, both.number_density[0, 2:]])[None])
    assert largest_density(both, "Fe+")["number_density"] == 1e9
    assert summarize(both, "Fe+")["evening_morning_ratio_200_km"] == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(cell_asymmetry(both).time, both.time[2:])
