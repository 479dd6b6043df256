"""Pieces of HTML: every text that comes from data is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from siderion.core.tables import CONFIDENCE

from .style import STYLE_SHEET

_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>;,]*[^\s\"<>;,.)]")


@dataclass(frozen=True)
class Section:
    """One part of a page: anchor, heading, body (HTML)."""

    anchor: str
    heading: str
    body: str


@dataclass(frozen=True)
class Number:
    """A number of a table, right-aligned: HTML text."""

    html: str


def text(value: object) -> str:
    """Escape any value for HTML."""
    return escape(str(value))


def number(value: float, digits: int = 3) -> str:
    """Write a number in HTML: integers and 0.01 to 10 000 plainly, else as a power of ten."""
    if isinstance(value, int):
        return str(value).replace("-", "\N{MINUS SIGN}")
    if value == 0.0 or 1e-2 <= abs(value) < 1e4:
        plain = f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
        return plain.replace("-", "\N{MINUS SIGN}")
    if value != value or abs(value) == float("inf"):
        return str(value)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = str(int(exponent)).replace("-", "\N{MINUS SIGN}")
    return f"{mantissa}".replace("-", "\N{MINUS SIGN}") + f" × 10<sup>{power}</sup>"


def units_html(units: str) -> str:
    """Write CF units such as ``m s-1`` with raised exponents."""
    return re.sub(r"(?<=[A-Za-z])(-?\d+)", lambda found: f"<sup>{found[1]}</sup>", escape(units)).replace(
        "<sup>-", "<sup>\N{MINUS SIGN}"
    )


def with_links(value: object) -> str:
    """Escape a citation and link its DOI."""
    plain = re.sub(r"(?:https?://(?:dx\.)?doi\.org/|\bdoi:\s*)(?=10\.)", "", str(value))
    pieces, last = [], 0
    for found in _DOI.finditer(plain):
        doi = escape(found[0])
        pieces += [escape(plain[last : found.start()]), f'<a href="https://doi.org/{doi}">https://doi.org/{doi}</a>']
        last = found.end()
    return "".join(pieces) + escape(plain[last:])


def paragraph(html: str) -> str:
    """One paragraph of ready HTML."""
    return f"<p>{html}</p>"


def missing(what: str, remedy: str) -> str:
    """The note that stands where a figure cannot be drawn: what is missing and how to get it (plain text)."""
    return f'<p class="missing"><strong>Not shown.</strong> {text(what)} {text(remedy)}</p>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str | Number]], kind: str = "cards") -> str:
    """Build a table of ready HTML cells.

    Parameters
    ----------
    heads : sequence of str
        Column heads, plain text.
    rows : iterable of sequences
        Cells, ready HTML; a `Number` is right-aligned.
    kind : str
        CSS class: ``cards`` stacks the cells of a row on a phone, ``pairs`` never does, ``wide`` scrolls sideways.
    """
    lines = []
    numeric = [False] * len(heads)
    for row in rows:
        cells = []
        for column, (head, cell) in enumerate(zip(heads, row, strict=True)):
            label = f' data-label="{text(head)}"'
            if isinstance(cell, Number):
                numeric[column] = True
                cells.append(f'<td class="number"{label}>{cell.html}</td>' if kind != "cards" else f"<td{label}>{cell.html}</td>")
            else:
                cells.append(f"<td{label}>{cell}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    head_cells = "".join(
        f'<th scope="col"{" class=number" if right and kind != "cards" else ""}>{text(head)}</th>'
        for head, right in zip(heads, numeric, strict=True)
    )
    content = f"<thead><tr>{head_cells}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<div class="scroll"><table class="{kind}">{content}</table></div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of name and value (ready HTML)."""
    return '<dl class="facts">' + "".join(f"<div><dt>{text(k)}</dt><dd>{v}</dd></div>" for k, v in pairs) + "</dl>"


def confidence_mark(value: object) -> str:
    """A visible mark of how well a value is known; anything unknown counts as unverified."""
    if value in CONFIDENCE:
        sign = {"verified": "✓ ", "unverified": "⚠ "}.get(str(value), "")
        return f'<span class="mark {value}">{sign}{value}</span>'
    said = f"given as {text(value)}" if value not in (None, "") else "not given"
    return f'<span class="mark unverified">⚠ unverified</span> ({said})'


def image(uri: str, alternative: str) -> str:
    """One image."""
    return f'<img src="{uri}" alt="{text(alternative)}">'


def figure(images: Sequence[str], caption: str, wide: bool = False) -> str:
    """A figure of one image, or of several side by side that stack on a phone, with its caption (ready HTML).

    A wide image keeps a legible width on a phone and scrolls sideways.
    """
    body = images[0] if len(images) == 1 else f'<div class="pair">{"".join(images)}</div>'
    if wide:
        body = f'<div class="scroll broad">{body}</div>'
    return f"<figure>{body}<figcaption>{caption}</figcaption></figure>"


def page(title: str, head: str, sections: Sequence[Section], foot: str) -> str:
    """Put a page together.

    Parameters
    ----------
    title : str
        Plain text.
    head : str
        HTML below the title.
    sections : sequence of Section
        In order; each gets an entry in the contents.
    foot : str
        HTML at the end.
    """
    contents = "".join(f'<li><a href="#{one.anchor}">{one.heading}</a></li>' for one in sections)
    # the name of the drift must not break at the end of a line
    body = "".join(f'<section id="{one.anchor}"><h2>{one.heading}</h2>{one.body}</section>\n' for one in sections)
    body = body.replace("E × B", "E\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}B")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE_SHEET}</style>\n</head>\n<body>\n"
        f'<header><h1>{text(title)}</h1>{head}<nav aria-label="Contents"><ul>{contents}</ul></nav></header>\n'
        f"<main>\n{body}</main>\n<footer>{foot}</footer>\n</body>\n</html>\n"
    )
