"""Labels in the Object Description Language: PDS3 labels, format files, and the headers of ``.sts`` files.

A label is a list of statements ``KEY = VALUE`` in nested ``OBJECT`` blocks. This reader respects quoted text over many
lines (which may hold ``=`` and ``OBJECT``), comments, sets, and units in angle brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_STATEMENT = re.compile(
    r"""\s*(?:
        (?P<comment>/\*.*?\*/)
      | (?P<end>END_OBJECT|END_GROUP)\b[^\S\n]*(?:=[^\S\n]*[\w"']+)?
      | (?P<stop>END)[^\S\n]*(?:\r?\n|\r|\Z)
      | (?P<key>[\^A-Za-z][\w:\-\#]*)[^\S\n]*=[^\S\n]*(?:\r?\n[^\S\n]*(?=["({'<\w]))?
        (?P<value>"[^"]*"|\([^)]*\)(?:\s*<[^>\n]*>)?|\{[^}]*\}|[^\r\n]*)
      | (?P<other>[^\r\n]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_BLOCKS = ("OBJECT", "GROUP", "BEGIN_OBJECT", "BEGIN_GROUP")


@dataclass
class Block:
    """An ``OBJECT`` of a label: its kind, its statements in order, and the blocks within."""

    kind: str
    statements: list[tuple[str, str]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    end: int = 0
    """Place in the text just after the block."""

    def get(self, key: str, default: str = "") -> str:
        """Value of the first statement with the key, without quotes; ``default`` if there is none."""
        return next((value for name, value in self.statements if name == key.upper()), default)

    def walk(self) -> Iterator[Block]:
        """This block and all within, in the order of the text."""
        yield self
        for block in self.blocks:
            yield from block.walk()


def read_label(text: str, header: bool = False) -> Block:
    """Read a label.

    Parameters
    ----------
    text : str
        Text that begins with a label; what follows the statement ``END`` is not read.
    header : bool
        Whether the label is one object ahead of data, as in ``.sts`` files; it then ends with that object.

    Returns
    -------
    Block
        The statements outside any object, and the objects; ``end`` is where the label ends in the text.
    """
    root = Block("LABEL")
    open_blocks = [root]
    place = 0
    while match := _STATEMENT.match(text, place):
        place = match.end()
        if match["stop"]:
            break
        if match["end"]:
            closed = open_blocks.pop() if len(open_blocks) > 1 else root
            closed.end = place
            if header and len(open_blocks) == 1:
                break
        elif match["key"]:
            key, value = match["key"].upper(), _unquoted(match["value"])
            if key in _BLOCKS:
                block = Block(value.upper())
                open_blocks[-1].blocks.append(block)
                open_blocks.append(block)
            else:
                open_blocks[-1].statements.append((key, value))
    root.end = place
    return root


def _unquoted(value: str) -> str:
    value = re.sub(r"/\*.*?\*/", "", value, flags=re.DOTALL).strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return re.sub(r"\s+", " ", value).strip()


def number(value: str) -> float | None:
    """Number at the beginning of a value, units ignored; None for ``"N/A"``, ``"UNK"`` and the like."""
    match = re.match(r"[(\"'\s]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][-+]?\d+)?)", value)
    return float(re.sub("[dD]", "e", match[1])) if match else None
