"""Magnetometer files of many archives, read into one kind of data set.

`read_magnetometer` recognises the format, reads one file or many, and returns a Series: magnetic field in nT and
position in km against a strictly increasing time, with the frame, the units, the files and every repair recorded.
"""

from __future__ import annotations

from .examples import example_names, read_example
from .read import FORMATS, read_magnetometer

__all__ = ["FORMATS", "example_names", "read_example", "read_magnetometer"]
