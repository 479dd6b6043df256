"""Parts of a survey come back as they were."""

import numpy as np
import pytest
import xarray as xr

from siderion.core.errors import DataError
from siderion.io.parts import load_tree, save_tree


def tree():
    time = np.array(["2012-01-01", "2012-01-02"], dtype="datetime64[ns]")
    windows = xr.Dataset(
        {
            "power": (("time", "species"), np.array([[1.5, np.nan]], dtype=np.float32).repeat(2, 0), {"units": "nT2"}),
            "flag": ("time", np.array([1, 2], dtype=np.int32), {"flag_masks": np.array([1, 2], dtype=np.int32)}),
            "good": ("time", np.array([True, False])),
        },
        coords={"time": time, "species": ["H+", "water group"]},
        attrs={"count": np.int64(3), "text": "{}", "number": 0.5},
    )
    events = xr.Dataset({"species": ("event", np.array(["H+", "O+"], dtype=object))})
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs={"kind": "x"}), "windows": windows, "events": events})


def test_round_trip(tmp_path):
    before = tree()
    save_tree(before, tmp_path / "a.part")
    after = load_tree(tmp_path / "a.part")
    xr.testing.assert_identical(after["windows"].to_dataset(), before["windows"].to_dataset())
    assert after.attrs == before.attrs
    assert after["windows"].attrs == {"count": 3, "text": "{}", "number": 0.5}
    assert after["windows"]["flag"].attrs["flag_masks"].dtype == np.int32
    assert after["windows"]["power"].dtype == np.float32
    assert list(after["events"]["species"].values) == ["H+", "O+"]


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_damaged_files_are_refused(tmp_path, content):
    path = tmp_path / "a.part"
    save_tree(tree(), path)
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    with pytest.raises(DataError, match="remove it"):
        load_tree(path)
