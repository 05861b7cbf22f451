"""The few shapes that charts are made of, as deterministic, accessible SVG text.

Called by :mod:`modelwright.capturing.charts` only. No library, no script, no font file: the page's own font, one accent
colour, and both colour schemes.

Source: WAI-ARIA Graphics Module (``role="img"`` with title and description); CSS ``prefers-color-scheme``.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

_STYLE = (
    "svg{color:#1f2328}.b{fill:#fff}.a{fill:#0b5cad}.l{stroke:#0b5cad}"
    "text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:currentColor}.t{font-size:14px;font-weight:600}"
    ".m{opacity:.72}.g{stroke:currentColor;opacity:.22}.w{stroke:currentColor;opacity:.75}"
    ".o{stroke:currentColor;opacity:.45;stroke-dasharray:4 4}.i{fill:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3}.b{fill:#0d1117}.a{fill:#58a6ff}"
    ".l{stroke:#58a6ff}.i{fill:#0d1117}}"
)


def document(shapes: Iterable[str], *, width: float, height: float, title: str, description: str) -> str:
    """Return a whole SVG document.

    Args:
        shapes: What :func:`text`, :func:`box` and the others gave.
        width: In CSS pixels.
        height: In CSS pixels.
        title: Shown on top, and read out by screen readers.
        description: What the chart says, in words.
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" '
        f'width="{number(width)}" height="{number(height)}" role="img" aria-labelledby="title desc">'
    )
    parts = [
        head,
        f'<title id="title">{clean(title)}</title>',
        f'<desc id="desc">{clean(description)}</desc>',
        f"<style>{_STYLE}</style>",
        box(0, 0, width, height, kind="b"),
        text(16, 24, title, kind="t"),
        *shapes,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def text(x: float, y: float, content: str, *, kind: str = "", anchor: str = "start", turn: int = 0) -> str:
    """Return one line of text.

    Args:
        x: Of the anchor, pixels.
        y: Of the base line, pixels.
        content: Any text; it is escaped and shortened.
        kind: Class: ``t`` title, ``m`` muted, ``i`` on an accent area.
        anchor: ``start``, ``middle`` or ``end``.
        turn: Rotation around the anchor, degrees.
    """
    attributes = f' class="{kind}"' if kind else ""
    attributes += f' text-anchor="{anchor}"' if anchor != "start" else ""
    attributes += f' transform="rotate({turn} {number(x)} {number(y)})"' if turn else ""
    return f'<text x="{number(x)}" y="{number(y)}"{attributes}>{clean(content)}</text>'


def box(x: float, y: float, width: float, height: float, *, kind: str = "a", opacity: float = 1.0) -> str:
    """Return a filled rectangle."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {place} class="{kind}" fill-opacity="{number(opacity)}"/>'


def line(x1: float, y1: float, x2: float, y2: float, *, kind: str = "g") -> str:
    """Return a straight line: ``g`` grid, ``w`` whisker, ``o`` orientation (dashed), ``l`` accent."""
    return f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" class="{kind}"/>'


def dot(x: float, y: float, radius: float) -> str:
    """Return a filled circle."""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="a"/>'


def number(value: float) -> str:
    """Write a number with at most two decimals, the same everywhere.

    Example:
        >>> number(3.0), number(0.256), number(-0.001)
        ('3', '0.26', '0')
    """
    rounded = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if rounded == "-0" else rounded


def clean(content: str) -> str:
    r"""Return text that is safe inside XML; what XML 1.0 cannot hold becomes a question mark.

    Example:
        >>> clean("a<b\x00")
        'a&lt;b?'
    """
    return escape("".join(character if _allowed(ord(character)) else "?" for character in content))


def _allowed(code: int) -> bool:
    """Say whether XML 1.0, 2.2 "Characters" allows a code point (line breaks aside)."""
    return 0x20 <= code < 0xD800 or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def shortened(content: str, length: int) -> str:
    """Cut a label to a number of characters.

    Example:
        >>> shortened("mean concave points", 10)
        'mean conc…'
    """
    return content if len(content) <= length else content[: length - 1] + "…"
