"""Distances of bodies from the Sun."""

import numpy as np
import pytest

from siderion.core.bodies import ASTRONOMICAL_UNIT, get_body
from siderion.core.errors import CoverageError
from siderion.frames.planets import heliocentric_distance


def au(name, *times):
    return heliocentric_distance(get_body(name), np.array(times, dtype="datetime64[ns]")) / ASTRONOMICAL_UNIT


@pytest.mark.parametrize(
    ("name", "perihelion", "aphelion"),
    [("Mercury", 0.3075, 0.4667), ("Venus", 0.7184, 0.7282), ("Earth", 0.9833, 1.0167), ("Mars", 1.3814, 1.6660)],
)
def test_perihelion_and_aphelion(name, perihelion, aphelion):
    """a (1 - e) and a (1 + e) of the mean orbits (Standish & Williams, elements of the planets 1800 to 2050)."""
    days = np.datetime64("2012-01-01") + np.arange(0, 800).astype("timedelta64[D]")
    found = au(name, *days)
    assert found.min() == pytest.approx(perihelion, rel=1e-3)
    assert found.max() == pytest.approx(aphelion, rel=1e-3)


def test_earth_against_astropy():
    astropy_time = pytest.importorskip("astropy.time")
    from astropy.coordinates import get_body_barycentric

    times = ["1997-12-16T12:00:00", "2011-03-18T00:00:00"]
    moments = astropy_time.Time(times)
    for name in ("mercury", "jupiter", "saturn"):
        expected = (get_body_barycentric(name, moments) - get_body_barycentric("sun", moments)).norm().to_value("au")
        np.testing.assert_allclose(au(name.capitalize() if name == "mercury" else {"jupiter": "Io", "saturn": "Titan"}[name],
                                      *times), expected, rtol=2e-3)  # fmt: skip


def test_comets_and_given_distances_are_constant():
    comet = get_body("67P")
    assert au("67P", "2015-08-13")[0] == pytest.approx(np.sqrt(np.prod(comet.distance)) / ASTRONOMICAL_UNIT)
    given = get_body("Mercury").with_values(distance=0.4 * ASTRONOMICAL_UNIT)
    assert heliocentric_distance(given, np.array(["2012-01-01"], dtype="datetime64[ns]"))[0] == 0.4 * ASTRONOMICAL_UNIT


def test_times_without_a_position_are_refused():
    with pytest.raises(CoverageError, match="1800"):
        au("Venus", "1800-01-01")
