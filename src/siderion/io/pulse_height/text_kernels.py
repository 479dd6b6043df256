"""Kernels that turn lines of numbers into arrays and back; every number is exactly the one that Python's `float` gives."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

_options: dict[str, Any] = {"cache": True, "nogil": True, "boundscheck": False}

GOOD, TOO_FEW, TOO_MANY, NO_NUMBER, OUT_OF_RANGE = 0, 1, 2, 3, 4
"""What `parse_lines` found: all rows good, or the fault of the first bad one."""
_POWERS = 10.0 ** np.arange(16)
_MOST_DIGITS = 15


@numba.njit(**_options)
def skip_line(text, place, stop):
    """Place after the end of the line."""
    while place < stop and text[place] != 10:
        place += 1
    return place + 1


@numba.njit(**_options)
def _number(text, place, stop):
    """Value of the plain number at a place, the place after it, and whether there is one."""
    negative = text[place] == 45
    if negative or text[place] == 43:
        place += 1
    number, digits, decimals, point = 0, 0, 0, False
    while place < stop:
        byte = text[place]
        if 48 <= byte <= 57:
            number = number * 10 + (byte - 48)
            digits += 1
            if point:
                decimals += 1
        elif byte == 46 and not point:
            point = True
        else:
            break
        place += 1
        if digits > _MOST_DIGITS:
            return 0.0, place, False
    ended = place >= stop or text[place] in (32, 9, 13, 10, 44, 59)
    if digits == 0 or not ended:
        return 0.0, place, False
    value = number / _POWERS[decimals]
    return (-value if negative else value), place, True


@numba.njit(**_options)
def parse_lines(text, stop, begin, minimum, maximum, values, rows, header, lenient):
    """Read lines of numbers separated by blanks, tabs, commas or semicolons, up to the last line end before ``stop``.

    Returns fault, place of the first byte that was not read, number of rows, number of lines, column of the fault, number of
    lines left out (only where ``lenient``), and whether a header may still come. ``begin`` is the first byte; ``rows`` gets
    the line (from 0) of every row.
    """
    columns = values.shape[1]
    place, row, line, left_out = begin, 0, 0, 0
    while place < stop and row < values.shape[0]:
        start = place
        column, fault = 0, GOOD
        while place < stop and (text[place] == 32 or text[place] == 9):
            place += 1
        first = text[place] if place < stop else 10
        if first == 35:  # a comment
            place = skip_line(text, place, stop)
            line += 1
            continue
        if header and ((65 <= first <= 90) or (97 <= first <= 122) or first == 34):  # names of columns
            place = skip_line(text, place, stop)
            line += 1
            continue
        while True:
            while place < stop and (text[place] == 32 or text[place] == 9 or text[place] == 13):
                place += 1
            if place >= stop or text[place] == 10:
                break
            if column == columns:
                fault = TOO_MANY
                break
            value, place, good = _number(text, place, stop)
            if not good:
                fault = NO_NUMBER
                break
            if not minimum[column] <= value <= maximum[column]:
                fault = OUT_OF_RANGE
                break
            values[row, column] = value
            column += 1
            while place < stop and (text[place] == 32 or text[place] == 9):
                place += 1
            if place < stop and (text[place] == 44 or text[place] == 59):
                place += 1
        if fault == GOOD and column == 0:  # an empty line
            place += 1
            line += 1
            continue
        if fault == GOOD and column < columns:
            fault = TOO_FEW
        if fault != GOOD:
            if not lenient:
                return fault, start, row, line, column, left_out, header
            left_out += 1
            place = skip_line(text, place, stop)
            line += 1
            continue
        header = False
        rows[row] = line
        row += 1
        line += 1
        place += 1
    return GOOD, min(place, stop), row, line, 0, left_out, header


@numba.njit(**_options)
def times_of_rows(values, year, day, hour, minute, second):
    """Nanoseconds since 1970 (UTC) of rows; the arguments are the places of the columns."""
    times = np.empty(values.shape[0], np.int64)
    for row in range(values.shape[0]):
        before = np.int64(values[row, year]) - 1
        days = before * 365 + before // 4 - before // 100 + before // 400 - 719162 + np.int64(values[row, day]) - 1
        minutes = (days * 24 + np.int64(values[row, hour])) * 60 + np.int64(values[row, minute])
        times[row] = minutes * 60_000_000_000 + np.int64(np.rint(values[row, second] * 1e9))
    return times


@numba.njit(**_options)
def format_lines(scaled, widths, decimals, text):
    """Write rows of scaled whole numbers (value times 10^decimals) into ``text`` (row, byte); a blank before each field.

    Returns the first row and column that do not fit their width, or -1, -1.
    """
    for row in range(scaled.shape[0]):
        place = 0
        for column in range(scaled.shape[1]):
            text[row, place] = 32
            last = place + widths[column]
            number = scaled[row, column]
            spot = last
            written = 0
            while written < decimals[column] + (2 if decimals[column] > 0 else 1) or number > 0:
                if spot == place:
                    return row, column
                if decimals[column] > 0 and written == decimals[column]:
                    text[row, spot] = 46
                else:
                    text[row, spot] = 48 + number % 10
                    number //= 10
                spot -= 1
                written += 1
            while spot > place:
                text[row, spot] = 32
                spot -= 1
            place = last + 1
        text[row, place] = 10
    return -1, -1
