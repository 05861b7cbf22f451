"""Write HTML from text that nobody has checked: names of columns, labels, summaries, whatever a user called a thing.

Called by :mod:`modelwright.viewing.package_page` only. Text that goes in is always escaped; markup is made by
:func:`tag` alone, and is of another type, so that the two cannot be mixed up unnoticed.

Source: HTML Living Standard, 13.1.2 "Elements" (void and normal elements), 13.3 "Serializing HTML fragments".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import NewType

Html = NewType("Html", str)
"""Markup that may stand in a page."""
MAX_TEXT = 120
"""Longest piece of foreign text on the page, characters; the whole of it is in the files."""
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufffe\uffff]+")


def text(content: object, *, longest: int = MAX_TEXT) -> Html:
    """Return text that stays text, on one line, without characters that hide or turn others.

    Example:
        >>> text("a < b"), text("<script>alert(1)</script>")
        ('a &lt; b', '&lt;script&gt;alert(1)&lt;/script&gt;')
    """
    line = _UNSEEN.sub(" ", str(content).encode("utf-8", "replace").decode("utf-8")).strip()
    return Html(escape(line if len(line) <= longest else line[: longest - 1] + "…"))


def tag(name: str, *content: Html, of: str = "", **attributes: str) -> Html:
    """Return an element.

    Args:
        name: Its name.
        *content: What is in it.
        of: Its class, without the prefix ``mw-`` that every class of ours has.
        **attributes: Its other attributes; their values are foreign text as well.

    Example:
        >>> tag("td", text("a & b"), of="name", title='"')
        '<td class="mw-name" title="&quot;">a &amp; b</td>'
    """
    named = {"class": f"mw-{of}"} if of else {}
    written = "".join(f' {key}="{text(value)}"' for key, value in (named | attributes).items())
    return Html(f"<{name}{written}>{''.join(content)}</{name}>")


def joined(parts: Iterable[Html], separator: str = "") -> Html:
    """Put markup in a row.

    Example:
        >>> joined([text("a"), text("b")], ", ")
        'a, b'
    """
    return Html(escape(separator).join(parts))


def code(content: object) -> Html:
    """Return text as code.

    Example:
        >>> code("x<y")
        '<code>x&lt;y</code>'
    """
    return tag("code", text(content))


def table(header: Iterable[str], rows: Iterable[Iterable[Html]]) -> Html:
    """Return a table; the first cell of a row names it.

    Example:
        >>> table(["name"], [[text("x")]]).partition("<tbody>")[2]
        '<tr><th scope="row">x</th></tr></tbody></table>'
    """
    head = tag("tr", *(tag("th", text(cell), scope="col") for cell in header))
    body = [_row(list(cells)) for cells in rows]
    return tag("table", tag("thead", head), tag("tbody", *body), of="table")


def _row(cells: list[Html]) -> Html:
    return tag("tr", tag("th", cells[0], scope="row"), *(tag("td", cell) for cell in cells[1:]))
