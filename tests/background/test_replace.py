"""Drivers from a user's own file: taken when right, refused with the reason when not."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from siderion.background.convection import swipe
from siderion.background.replace import replace_drivers
from siderion.core.errors import CoverageError, DataError, UnitsError
from siderion.frames.dipole import TiltedDipole

START = np.datetime64("2023-06-18T12:00", "ns")
DIPOLE = TiltedDipole.at(START)
MLAT, MLT = np.arange(50.0, 90.1, 2.0), np.arange(0.0, 24.0, 0.5)


def clock(minutes, count, start=START):
    return start + np.arange(count) * np.timedelta64(minutes, "m")


def drivers(hemisphere="north"):
    lat = np.arange(42.5, 90.0, 5.0)
    coords = {
        "time": clock(60, 3), "wind_time": clock(30, 5), "convection_time": clock(20, 7),
        "alt": np.array([80.0, 100.0, 150.0, 200.0]), "lat": lat if hemisphere == "north" else -lat[::-1],
        "lon": -172.5 + 15.0 * np.arange(24), "magnetic_latitude": MLAT, "magnetic_local_time": MLT,
    }  # fmt: skip
    grid = ("alt", "lat", "lon")
    shapes = {
        "density_O": ("time", *grid), "electron_density": ("time", *grid), "neutral_wind_east": ("wind_time", *grid),
        "electric_potential": ("convection_time", "magnetic_latitude", "magnetic_local_time"),
    }  # fmt: skip
    data = {name: (dims, np.ones([len(coords[d]) for d in dims], np.float32)) for name, dims in shapes.items()}
    return xr.Dataset(data, coords=coords, attrs={"hemisphere": hemisphere})


def own(name="density_O", units="m-3", **axes):
    """A field that is exponential in altitude and linear in time and latitude, on the user's own grid from 0 to 360 E."""
    coords = {
        "time": clock(90, 4, START - np.timedelta64(60, "m")),
        "alt": np.arange(70.0, 221.0, 10.0),
        "lat": np.arange(-90.0, 91.0, 10.0),
        "lon": np.arange(0.0, 360.0, 10.0),
        **axes,
    }
    t, z, a, b = np.meshgrid(
        (coords["time"] - START) / np.timedelta64(1, "h"), coords["alt"], coords["lat"], coords["lon"], indexing="ij"
    )
    if name == "neutral_wind_east":
        values = 10.0 * t + 0.5 * z - a + 20.0 * np.cos(np.radians(b))
    else:
        values = np.exp(20.0 - (z - 80.0) / 9.0 + 0.1 * t + 0.01 * a) * (1.0 + 0.0 * b)
    return xr.Dataset({name: (("time", "alt", "lat", "lon"), values, {"units": units})}, coords=coords)


def saved(dataset, tmp_path, name="own.nc"):
    path = tmp_path / name
    dataset.to_netcdf(path, engine="h5netcdf")
    return str(path)


def mesh(dataset, *axes):
    return np.meshgrid(*(dataset[axis].values for axis in axes), indexing="ij")


@pytest.mark.parametrize("hemisphere", ["north", "south"])
def test_a_positive_field_is_put_in(tmp_path, hemisphere):
    """Densities are interpolated in their logarithm, so an exponential is exact; nothing else changes."""
    base = drivers(hemisphere)
    result = replace_drivers(base, [saved(own(), tmp_path)], DIPOLE)
    z, a, _ = mesh(base, "alt", "lat", "lon")
    for i in range(3):
        expected = np.exp(20.0 - (z - 80.0) / 9.0 + 0.1 * i + 0.01 * a)
        np.testing.assert_allclose(result.density_O.values[i], expected, rtol=1e-5)
    assert result.density_O.dims == base.density_O.dims
    assert result.density_O.dtype == np.float32
    for name in ("electron_density", "neutral_wind_east", "electric_potential"):
        np.testing.assert_array_equal(result[name], base[name])
    np.testing.assert_array_equal(base.density_O, 1.0)  # the input is left as it was


def test_winds_are_linear_and_have_their_own_clock(tmp_path):
    base = drivers()
    path = saved(own("neutral_wind_east", "m s-1"), tmp_path)
    result = replace_drivers(base, [path], DIPOLE).neutral_wind_east
    assert result.dims == ("wind_time", "alt", "lat", "lon")
    z, a, b = mesh(base, "alt", "lat", "lon")
    corner = np.cos(np.radians(np.arange(-180.0, 181.0, 10.0)))
    around = np.interp(b, np.arange(-180.0, 181.0, 10.0), corner)
    for i in range(5):
        np.testing.assert_allclose(result.values[i], 5.0 * i + 0.5 * z - a + 20.0 * around, atol=1e-4)


def test_longitudes_either_way_and_in_any_order_mean_the_same(tmp_path):
    base = drivers()
    ways = [np.arange(0.0, 360.0, 10.0), np.arange(-180.0, 180.0, 10.0), np.arange(0.0, 361.0, 10.0)]
    fields = [own("neutral_wind_east", "m s-1", lon=lon) for lon in ways]
    fields.append(fields[0].isel(lat=slice(None, None, -1), lon=slice(None, None, -1)).transpose("lon", "lat", "alt", "time"))
    results = [
        replace_drivers(base, [saved(field, tmp_path, f"{i}.nc")], DIPOLE).neutral_wind_east.values
        for i, field in enumerate(fields)
    ]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=1e-4)
    assert np.isfinite(results[0]).all()  # the gap at the date line and the last row before the pole too


def test_several_files_and_variables(tmp_path):
    both = xr.merge([own(), own("electron_density")])
    both["something_else"] = ("lat", np.zeros(both.sizes["lat"]))
    paths = [saved(both, tmp_path, "a.nc"), saved(own("neutral_wind_east", "m s-1"), tmp_path, "b.nc")]
    result = replace_drivers(drivers(), paths, DIPOLE)
    for name in ("density_O", "electron_density", "neutral_wind_east"):
        assert not np.any(result[name].values == 1.0), name
    assert "something_else" not in result


def test_zero_densities_stay_small(tmp_path):
    """A model without an ion at night gives 0: no NaN, no infinity."""
    field = own()
    field.density_O[:] = 0.0
    result = replace_drivers(drivers(), [saved(field, tmp_path)], DIPOLE).density_O.values
    assert np.isfinite(result).all()
    assert result.max() < 1e-20


# ---------------------------------------------------------------- refused


def test_a_missing_file():
    with pytest.raises(DataError, match=r"nowhere\.nc does not exist"):
        replace_drivers(drivers(), ["nowhere.nc"], DIPOLE)


def test_a_file_without_drivers(tmp_path):
    with pytest.raises(DataError, match="holds no driver; its variables are density_Unobtainium; rename"):
        replace_drivers(drivers(), [saved(own("density_Unobtainium"), tmp_path)], DIPOLE)


@pytest.mark.parametrize("units", ["cm-3", "", None])
def test_wrong_or_missing_units(tmp_path, units):
    field = own()
    field.density_O.attrs = {} if units is None else {"units": units}
    with pytest.raises(UnitsError, match=rf"density_O has units {units!r}; needed: 'm-3'"):
        replace_drivers(drivers(), [saved(field, tmp_path)], DIPOLE)


def test_wrong_dimensions(tmp_path):
    field = own().rename(alt="lev")
    with pytest.raises(DataError, match=r"density_O has dimensions .*lev.*; needed: .*'alt'"):
        replace_drivers(drivers(), [saved(field, tmp_path)], DIPOLE)


def test_an_axis_without_coordinate_or_with_one_value(tmp_path):
    with pytest.raises(DataError, match="needs a coordinate alt with at least 2 values"):
        replace_drivers(drivers(), [saved(own().drop_vars("alt"), tmp_path, "a.nc")], DIPOLE)
    with pytest.raises(DataError, match="needs a coordinate time with at least 2 values"):
        replace_drivers(drivers(), [saved(own().isel(time=[0]), tmp_path, "b.nc")], DIPOLE)


@pytest.mark.parametrize(("bad", "words"), [(np.nan, "is nan"), (np.inf, "is inf"), (-5.0, "is -5.0")])
def test_holes_and_negative_densities_are_named_with_their_place(tmp_path, bad, words):
    field = own()
    field.density_O[1, 2, 3, 4] = bad
    with pytest.raises(DataError, match=rf"density_O {words} at time .*, alt 90\.0, lat -60\.0, lon 40\.0 \(1 such values\)"):
        replace_drivers(drivers(), [saved(field, tmp_path)], DIPOLE)


def test_a_wind_may_be_negative_but_not_missing(tmp_path):
    field = own("neutral_wind_east", "m s-1")
    assert float(field.neutral_wind_east.min()) < 0.0
    replace_drivers(drivers(), [saved(field, tmp_path, "a.nc")], DIPOLE)
    field.neutral_wind_east[0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"must be finite; fill the holes"):
        replace_drivers(drivers(), [saved(field, tmp_path, "b.nc")], DIPOLE)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"time": clock(60, 2)}, "covers time .* to 2023-06-18T13:00.*; needed: 2023-06-18T12:00.* to 2023-06-18T14:00"),
        ({"time": clock(60, 4, START + np.timedelta64(10, "m"))}, "covers time 2023-06-18T12:10"),
        ({"alt": np.arange(90.0, 221.0, 10.0)}, r"covers alt 90\.0 to 220\.0; needed: 80\.0 to 200\.0"),
        ({"alt": np.arange(70.0, 191.0, 10.0)}, r"covers alt 70\.0 to 190\.0"),
        ({"lat": np.arange(50.0, 90.1, 5.0)}, r"covers lat 50\.0 to 90\.0; needed: 42\.5 to 87\.5"),
        ({"lon": np.arange(0.0, 300.0, 10.0)}, "a gap of 70 degrees between longitudes"),
        ({"lon": np.array([0.0, 180.0])}, "a gap of 180 degrees between longitudes"),
    ],
)
def test_short_coverage(tmp_path, axes, message):
    with pytest.raises(CoverageError, match=message):
        replace_drivers(drivers(), [saved(own(**axes), tmp_path)], DIPOLE)


def test_a_little_short_in_altitude_is_filled_with_the_end(tmp_path):
    """5 km: models begin at 85 km or so; the value of the lowest level goes down to 80 km."""
    result = replace_drivers(drivers(), [saved(own(alt=np.arange(84.0, 221.0, 4.0)), tmp_path)], DIPOLE).density_O
    lowest = np.exp(20.0 - 4.0 / 9.0 + 0.01 * result.lat.values)
    np.testing.assert_allclose(result.values[0, 0, :, 0], lowest, rtol=1e-5)


# ---------------------------------------------------------------- the electric potential


def geographic_potential(hemisphere, times, lat, step=2.0):
    """SWIPE on geographic places: what a user would give."""
    sign = 1.0 if hemisphere == "north" else -1.0
    model = swipe(2.0, -5.0, 450.0, 20.0, 160.0, hemisphere)
    lon = np.arange(-180.0, 180.0, step)
    here = np.meshgrid(lat, lon, indexing="ij")
    values = []
    for time in times:
        magnetic = DIPOLE.magnetic_latitude(*here)
        inside = sign * magnetic > 0.0
        local_time = DIPOLE.magnetic_local_time(time, *here)
        values.append(np.where(inside, model.potential(np.where(inside, magnetic, sign * 10.0), local_time), 0.0))
    data = {"electric_potential": (("time", "lat", "lon"), np.array(values), {"units": "V"})}
    return xr.Dataset(data, coords={"time": times, "lat": lat, "lon": lon}), model


@pytest.mark.parametrize("hemisphere", ["north", "south"])
def test_a_geographic_potential_becomes_magnetic(tmp_path, hemisphere):
    """Sampled every degree and 20 minutes and interpolated: within 0.6 % of the model in its own coordinates."""
    sign = 1.0 if hemisphere == "north" else -1.0
    base = drivers(hemisphere)
    given, model = geographic_potential(hemisphere, clock(20, 7), np.arange(-90.0, 90.1, 1.0), step=1.0)
    result = replace_drivers(base, [saved(given, tmp_path)], DIPOLE).electric_potential
    assert result.dims == base.electric_potential.dims
    expected = model.potential(sign * MLAT[:, None], MLT[None, :])
    largest = np.abs(expected).max()
    assert largest > 1e4
    for values in result.values:
        assert np.abs(values - expected).max() < 0.006 * largest
        assert np.ptp(values[-1]) == 0.0  # one value at the pole


@pytest.mark.parametrize(
    ("hemisphere", "lat"),
    [
        ("north", np.arange(60.0, 90.1, 2.0)),  # ends too far north
        ("north", np.arange(20.0, 70.1, 2.0)),  # stops short of the pole
        ("north", np.arange(-90.0, -29.9, 2.0)),  # the other hemisphere
        ("south", np.arange(20.0, 90.1, 2.0)),
    ],
)
def test_a_potential_that_misses_part_of_the_grid_is_refused(tmp_path, hemisphere, lat):
    given, _ = geographic_potential(hemisphere, clock(20, 7), lat)
    with pytest.raises(CoverageError, match=rf"electric_potential covers latitudes {lat[0]} to {lat[-1]}; needed: "):
        replace_drivers(drivers(hemisphere), [saved(given, tmp_path)], DIPOLE)


def test_a_potential_short_in_time_is_refused(tmp_path):
    given, _ = geographic_potential("north", clock(20, 5), np.arange(-90.0, 90.1, 5.0), step=10.0)
    with pytest.raises(CoverageError, match="electric_potential covers time"):
        replace_drivers(drivers(), [saved(given, tmp_path)], DIPOLE)
