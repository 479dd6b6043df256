from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import CoverageError, DataError, UnitsError
from siderion.core.variables import _ENTRIES, REGISTRY, check_variable, get_variable, with_attributes

DIMS = ("time", "alt", "lat", "lon")


def densities(**attributes: str) -> xr.DataArray:
    return xr.DataArray(np.full((2, 3, 4, 5), 1e9), dims=DIMS, attrs={"units": "m-3", **attributes})


def test_names_are_unique() -> None:
    assert len(REGISTRY) == len(_ENTRIES)


def test_every_entry_is_complete() -> None:
    for entry in REGISTRY.values():
        of_one_moment = entry.name.startswith(("cross_polar_", "flow_", "evening_night_area_share_"))
        single = entry.name in ("rate_ratio", "resolution_needed", "leader_entropy")  # one number of a whole data set
        assert entry.dims or of_one_moment or single, entry.name
        assert entry.units, entry.name
        assert entry.long_name, entry.name


def test_attributes_hold_a_standard_name_where_there_is_one() -> None:
    assert get_variable("alt").attributes == {
        "units": "km",
        "long_name": "altitude above the sphere of 6371.2 km",
        "standard_name": "altitude",
    }
    assert "standard_name" not in get_variable("density_N2").attributes


def test_with_attributes_leaves_unknown_names_alone() -> None:
    dataset = xr.Dataset({"density_O": densities(), "mine": ("alt", np.zeros(3))}, coords={"alt": [90.0, 95.0, 100.0]})
    dataset["density_O"].attrs.clear()
    result = with_attributes(dataset)
    assert result["density_O"].attrs["units"] == "m-3"
    assert result["alt"].attrs["units"] == "km"
    assert result["mine"].attrs == {}


def test_unknown_variable() -> None:
    with pytest.raises(CoverageError, match=r"variable 'density' is not in the registry; known: .*density_N2"):
        get_variable("density")


def test_good_variable_passes_in_any_order_of_dimensions() -> None:
    check_variable(densities(), "density_O", "file.nc")
    check_variable(densities().transpose("lon", "alt", "time", "lat"), "density_O", "file.nc")


def test_wrong_dimensions() -> None:
    with pytest.raises(DataError, match=r"file.nc: density_O has dimensions \('alt', 'lat', 'lon'\); needed"):
        check_variable(densities().isel(time=0), "density_O", "file.nc")


@pytest.mark.parametrize("units", ["cm-3", ""])
def test_wrong_units(units: str) -> None:
    with pytest.raises(UnitsError, match=f"density_O has units '{units}'; needed: 'm-3'"):
        check_variable(densities(units=units), "density_O", "file.nc")


def test_missing_units() -> None:
    bare = densities()
    del bare.attrs["units"]
    with pytest.raises(UnitsError, match="has units None"):
        check_variable(bare, "density_O", "file.nc")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0])
def test_bad_values_are_placed(value: float) -> None:
    array = densities()
    array[1, 2, 3, 4] = value
    place = r"\{'time': 1, 'alt': 2, 'lat': 3, 'lon': 4\} \(1 such values\); it must be finite and at least 0"
    with pytest.raises(DataError, match=f"density_O is {value} at {place}"):
        check_variable(array, "density_O", "file.nc")


def test_bad_values_are_placed_in_another_order_of_dimensions() -> None:
    array = densities()
    array[1, 2, 3, 4] = np.nan
    with pytest.raises(DataError, match=r"\{'lon': 4, 'alt': 2, 'time': 1, 'lat': 3\}"):
        check_variable(array.transpose("lon", "alt", "time", "lat"), "density_O", "file.nc")


def test_signed_quantities_may_be_negative_but_not_missing() -> None:
    wind = xr.DataArray(np.full((2, 3, 4, 5), -30.0), dims=("wind_time", *DIMS[1:]), attrs={"units": "m s-1"})
    check_variable(wind, "neutral_wind_east", "file.nc")
    wind[0, 0, 0, 0] = np.nan
    with pytest.raises(DataError, match="it must be finite; fill the holes"):
        check_variable(wind, "neutral_wind_east", "file.nc")
