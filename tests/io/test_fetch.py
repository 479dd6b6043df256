"""HAPI with a client made here: the answer, the cache, and what is said without a connection."""

import numpy as np
import pytest

from siderion.core.errors import CoverageError, DataError
from siderion.io.fetch import fetch_hapi

META = {
    "HAPI": "2.0",
    "parameters": [
        {"name": "Time", "type": "isotime", "units": "UTC", "length": 24, "fill": None},
        {"name": "OB_B", "type": "double", "units": "nT", "fill": "-1.0E31", "size": [3], "description": "field in MSO"},
        {"name": "POSN", "type": "double", "units": "km", "fill": "-1.0E31", "size": [3], "description": "position in MSO"},
    ],
}
DATA = np.array(
    [(b"2016-03-16T00:00:00.000Z", [1, 2, 3], [10, 20, 30]), (b"2016-03-16T00:00:01.000Z", [-1e31, 5, 6], [11, 21, 31])],
    dtype=[("Time", "S24"), ("OB_B", "f8", 3), ("POSN", "f8", 3)],
)
REQUEST = ("https://example.org/hapi", "MVN_MAG_L2-SUNSTATE-1SEC", "OB_B,POSN", "2016-03-16T00:00:00Z", "2016-03-16T00:00:02Z")


def answer(server, dataset, parameters, start, stop):
    assert (server, dataset, parameters, start, stop) == REQUEST
    return DATA, META


def broken(*request):
    raise Exception("Name or service not known")  # hapiclient raises this class


def test_the_answer_is_a_series_and_is_cached(tmp_path):
    fetched = fetch_hapi(*REQUEST, cache=tmp_path, client=answer, body="Mars")
    np.testing.assert_array_equal(fetched.magnetic_field, [[1, 2, 3], [np.nan, 5, 6]])
    np.testing.assert_array_equal(fetched.position, [[10, 20, 30], [11, 21, 31]])
    assert (fetched.frame, fetched.body, fetched.source_format) == ("MSO", "Mars", "hapi")
    assert fetched.time.values[1] == np.datetime64("2016-03-16T00:00:01")
    again = fetch_hapi(*REQUEST, cache=tmp_path, client=broken, body="Mars")
    assert again.identical(fetched)
    assert len(list(tmp_path.iterdir())) == 1


def test_without_a_connection_and_a_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("SIDERION_CACHE", str(tmp_path))
    with pytest.raises(CoverageError, match=r"Name or service not known.*not in the cache"):
        fetch_hapi(*REQUEST, client=broken)
    assert not list(tmp_path.iterdir())


def test_a_damaged_copy_is_named(tmp_path):
    fetch_hapi(*REQUEST, cache=tmp_path, client=answer)
    next(tmp_path.iterdir()).write_bytes(b"nothing")
    with pytest.raises(DataError, match="delete it"):
        fetch_hapi(*REQUEST, cache=tmp_path, client=answer)


def test_three_scalars_make_a_vector_and_two_do_not(tmp_path):
    meta = {"parameters": [META["parameters"][0], *[{"name": f"B{c}", "units": "nT", "fill": None} for c in "xyz"]]}
    data = np.array([(b"2016-03-16T00:00:00Z", 1.0, 2.0, 3.0)], dtype=[("Time", "S24"), ("Bx", "f8"), ("By", "f8"), ("Bz", "f8")])
    one = fetch_hapi("s", "d", ["Bx", "By", "Bz"], "a", "b", cache=tmp_path, client=lambda *_: (data, meta))
    np.testing.assert_array_equal(one.magnetic_field, [[1, 2, 3]])
    two = {"parameters": meta["parameters"][:3]}
    with pytest.raises(DataError, match="three components"):
        fetch_hapi("s", "d", ["Bx", "By"], "a", "b", cache=tmp_path, client=lambda *_: (data, two))
