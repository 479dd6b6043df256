from __future__ import annotations

import errno

import pytest

from siderion.core import errors


def test_every_error_is_a_siderion_error() -> None:
    kinds = [kind for name, kind in vars(errors).items() if name.endswith("Error") and isinstance(kind, type)]
    assert len(kinds) == 8
    assert all(issubclass(kind, errors.SiderionError) for kind in kinds)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EACCES, "no permission to write there"),
        (errno.EROFS, "the file system is read-only"),
        (errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_system_errors_are_explained(number: int, advice: str) -> None:
    with pytest.raises(errors.OutputError, match=f"cannot write out.zarr: {advice}") as caught, errors.explained("out.zarr"):
        raise OSError(number, "File name too long" if number == errno.ENAMETOOLONG else "")
    assert isinstance(caught.value.__cause__, OSError)


def test_system_error_without_number() -> None:
    with pytest.raises(errors.OutputError, match="cannot write out: odd"), errors.explained("out"):
        raise OSError("odd")


def test_other_errors_pass_unchanged() -> None:
    given = errors.OutputError("already clear")
    with pytest.raises(errors.OutputError) as caught, errors.explained("out"):
        raise given
    assert caught.value is given
    with pytest.raises(KeyError, match="unrelated"), errors.explained("out"):
        raise KeyError("unrelated")
