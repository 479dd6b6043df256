"""Bytes of a text file, gzip or plain, in pieces of bounded size; a file that is cut short is told at its end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from siderion.core.errors import DataError

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 18
"""Compressed bytes read at once."""
_HEAD = 1 << 12
"""Bytes in which the comments at the head of a file are looked for."""


def text_pieces(path: str | Path, size: int) -> Iterator[tuple[bytes, float]]:
    """Pieces of at most ``size`` bytes of the uncompressed text, with the fraction of the file that has been read.

    Parameters
    ----------
    path : path
        Text, or text compressed by gzip (told by its first bytes, not by its name), of several members too.
    size : int
        Largest size of a piece, bytes.

    Raises
    ------
    DataError
        The file cannot be read, is empty, is cut short, or its check sum is wrong.
    """
    place = Path(path)
    try:
        with place.open("rb") as stream:
            length = max(place.stat().st_size, 1)
            head = stream.read(2)
            if not head:
                raise DataError(f"{place}: the file is empty; fetch it again")
            stream.seek(0)
            if head == _GZIP:
                yield from _unpacked(stream, place, size, length)
                return
            while piece := stream.read(size):
                yield piece, stream.tell() / length
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror}); check the path") from None


def first_comments(path: str | Path) -> list[str]:
    """Lines that begin with ``#`` at the head of a text file, gzip or plain, without that sign; none where it cannot be read."""
    try:
        head, _ = next(text_pieces(path, _HEAD), (b"", 0.0))
    except DataError:
        return []
    found = []
    for line in head.decode("latin-1").splitlines():
        if not line.startswith("#"):
            break
        found.append(line.removeprefix("#").strip())
    return found


def _unpacked(stream, place: Path, size: int, length: int) -> Iterator[tuple[bytes, float]]:  # type: ignore[no-untyped-def]
    unpacker = zlib.decompressobj(wbits=31)
    waiting = b""
    try:
        while True:
            if not waiting:
                waiting = stream.read(_PIECE)
            if not waiting and not unpacker.unconsumed_tail:
                break
            piece = unpacker.decompress(waiting, size)
            waiting = unpacker.unconsumed_tail
            if unpacker.eof:  # the next member, or the end; zeros may pad the file
                waiting = (unpacker.unused_data or stream.read(_PIECE)).lstrip(b"\0")
                if piece:
                    yield piece, stream.tell() / length
                if not waiting:
                    return
                unpacker = zlib.decompressobj(wbits=31)
                continue
            if piece:
                yield piece, stream.tell() / length
    except zlib.error as error:
        raise DataError(
            f"{place}: the compressed data are damaged near byte {stream.tell()} ({error}); fetch the file again"
        ) from None
    raise DataError(f"{place}: the gzip file is cut short after {length} bytes; fetch the file again")
