from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from siderion.core.errors import DataError, UnitsError
from siderion.core.measurement import check_measurement, measurement, measurement_from_samples

FRAME: dict[str, Any] = {"dims": ("alt",), "units": "m-3", "convention": "mean over the beam"}
VALUE = np.array([1.0, 2.0, 3.0])


def example(**changes: Any) -> xr.Dataset:
    return measurement("density", **{"value": VALUE, "lower": VALUE - 0.5, "upper": VALUE + 1.0, **FRAME, **changes})


def test_form() -> None:
    dataset = example(flag=[0, 1, 0], flag_meanings={1: "thin cloud"}, upper_limit=[False, False, True])
    assert set(dataset) == {"density", "density_lower", "density_upper", "density_flag", "density_upper_limit"}
    assert dataset["density_flag"].values.tolist() == [0, 1, 0]
    assert dataset["density_flag"].attrs["flag_meanings"] == "good thin_cloud"
    assert dataset["density_flag"].attrs["flag_values"].tolist() == [0, 1]
    assert dataset["density_upper_limit"].values.tolist() == [False, False, True]
    assert dataset["density"].attrs["convention"] == FRAME["convention"]
    assert [dataset[name].attrs["units"] for name in ("density", "density_lower", "density_upper")] == ["m-3"] * 3


def test_all_good_and_no_limits_unless_said() -> None:
    dataset = example()
    assert not dataset["density_flag"].any()
    assert not dataset["density_upper_limit"].any()


def test_single_number() -> None:
    dataset = measurement("density", 2.0, 1.0, 4.0, dims=(), units="m-3", convention="beam mean")
    assert dataset["density_upper"].item() == 4.0


def test_flagged_points_may_be_missing() -> None:
    value = np.array([1.0, np.nan, 3.0])
    example(value=value, lower=value, upper=value, flag=[0, 1, 0])
    with pytest.raises(DataError, match=r"density is nan at index \{'alt': 1\} : a value that is not finite needs a flag"):
        example(value=value, lower=value, upper=value)


@pytest.mark.parametrize("changes", [{"lower": VALUE + 0.1}, {"upper": VALUE - 0.1}, {"lower": [0.5, np.nan, 2.0]}])
def test_order(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"density is [12] at index .*: lower <= value <= upper must hold"):
        example(**changes)


def test_an_upper_limit_has_no_ends() -> None:
    dataset = example(lower=[0.5, 1.5, np.nan], upper=[2.0, 3.0, np.nan], upper_limit=[False, False, True])
    assert dataset["density"].values.tolist() == VALUE.tolist()
    with pytest.raises(DataError, match="a value that is not finite needs a flag"):
        example(value=[1.0, 2.0, np.inf], upper_limit=[False, False, True])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lower": VALUE[:2]}, r"density_lower has shape \(2,\); needed: \(3,\)"),
        ({"flag": [0, 0]}, r"density_flag has shape \(2,\)"),
        ({"dims": ("alt", "lat")}, "values have 1 dimensions, dims names 2"),
    ],
)
def test_shapes(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        example(**changes)


def test_convention_is_needed() -> None:
    with pytest.raises(DataError, match="the attribute convention is missing"):
        example(convention="")


def test_units_are_needed_and_agree() -> None:
    with pytest.raises(UnitsError, match="give all three the same"):
        example(units="")
    dataset = example()
    dataset["density_upper"].attrs["units"] = "cm-3"
    with pytest.raises(UnitsError, match="'m-3', 'm-3', 'cm-3'"):
        check_measurement(dataset, "density")


def test_parts_are_needed_with_the_same_dimensions() -> None:
    dataset = example()
    with pytest.raises(DataError, match="density_flag missing"):
        check_measurement(dataset.drop_vars("density_flag"), "density")
    dataset["density_lower"] = dataset["density_lower"].isel(alt=0)
    with pytest.raises(DataError, match=r"density_lower has dimensions \(\)"):
        check_measurement(dataset, "density")


def test_quantiles_of_a_normal_distribution() -> None:
    # equally spaced probabilities: the quantiles are known without noise
    draws = norm.ppf((np.arange(20000) + 0.5) / 20000)
    width = np.array([1.0, 2.0, 4.0])
    dataset = measurement_from_samples("density", 10.0 + width * draws[:, None], **FRAME)
    np.testing.assert_allclose(dataset["density"], 10.0, atol=1e-6)
    np.testing.assert_allclose(dataset["density_lower"], 10.0 - norm.ppf(0.84) * width, atol=1e-3)
    np.testing.assert_allclose(dataset["density_upper"], 10.0 + norm.ppf(0.84) * width, atol=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_must_be_finite(value: float) -> None:
    samples = np.ones((5, 3))
    samples[2, 1] = value
    with pytest.raises(DataError, match=rf"sample \(2, 1\) is {value}; remove it"):
        measurement_from_samples("density", samples, **FRAME)


@pytest.mark.parametrize("samples", [np.float64(1.0), np.ones((1, 3))])
def test_samples_are_needed(samples: Any) -> None:
    with pytest.raises(DataError, match="at least 2 along the first axis needed"):
        measurement_from_samples("density", samples, **FRAME)
