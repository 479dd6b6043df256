"""A number known to a factor: its samples have its quantiles."""

import numpy as np
import pytest

from siderion.core.errors import SettingsError
from siderion.core.spread import Spread


def test_samples_have_the_quantiles_of_the_spread():
    one = Spread(2.0, 1.0, 10.0)
    np.testing.assert_allclose(one.at(np.array([-1.0, 0.0, 1.0])), [1.0, 2.0, 10.0], rtol=1e-14)
    # 15.87, 50 and 84.13 % of a normal number are at -1, 0 and 1
    samples = one.at(np.random.default_rng(0).standard_normal(200_000))
    np.testing.assert_allclose(np.quantile(samples, [0.158655, 0.5, 0.841345]), [1.0, 2.0, 10.0], rtol=0.02)


def test_variance_of_the_logarithm():
    assert Spread(1.0, 1.0 / np.e, np.e).log_variance == pytest.approx(1.0)
    assert Spread(5.0, 5.0, 5.0).log_variance == 0.0


@pytest.mark.parametrize("numbers", [(1.0, 2.0, 3.0), (1.0, 0.0, 2.0), (1.0, 0.5, np.inf), (np.nan, 0.5, 1.0), (-1.0, -2.0, 1.0)])
def test_numbers_out_of_order_are_refused(numbers):
    with pytest.raises(SettingsError, match="finite, positive and in order"):
        Spread(*numbers)
