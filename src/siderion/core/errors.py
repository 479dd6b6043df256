"""The errors Siderion raises on purpose.

Every message says what is wrong, where (index, time, altitude), the value, the rule it breaks and what to do next.
The command line turns any of them into one line on standard error and exit status 2.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SiderionError(Exception):
    """Base of every error raised on purpose by Siderion."""


class SettingsError(SiderionError, ValueError):
    """A setting is impossible or contradicts another one."""


class DataError(SiderionError, ValueError):
    """A file or data set has the wrong form: missing variables, wrong dimensions, holes, fill values."""


class CoverageError(SiderionError, LookupError):
    """The data do not reach the time, place or species that was asked for."""


class UnitsError(SiderionError, ValueError):
    """A quantity carries no units, or units that cannot be converted to those needed."""


class NumericalError(SiderionError, ArithmeticError):
    """A calculation left the valid range: not finite, negative, or a Courant number beyond its limit."""


class OutputError(SiderionError, OSError):
    """An output could not be written, or an existing one is not what it should be."""


class CheckpointError(SiderionError):
    """A run cannot be resumed: no checkpoint, a damaged one, or one that belongs to other settings."""


@contextmanager
def explained(path: str | Path) -> Iterator[None]:
    """Turn an `OSError` inside into one `OutputError` that says what to do."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full; free some space and resume",
            errno.EACCES: "no permission to write there; choose another folder with -o",
            errno.EROFS: "the file system is read-only; choose another folder with -o",
        }
        reason = reasons.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(f"cannot write {path}: {reason}") from error
