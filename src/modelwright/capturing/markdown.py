"""Write Markdown from text that nobody has checked: names of columns, labels, URIs, whatever a user called a thing.

Called by :mod:`modelwright.capturing.card` only. Everything that could become markup (HTML, links, tables, emphasis) is
written so that it stays text, in CommonMark as in GitHub's dialect.

Source: CommonMark 0.31, 2.4 "Backslash escapes" and 6.1 "Code spans"; GitHub Flavored Markdown, 4.10 "Tables"; YAML
1.2.2, 5.7 "Escaped Characters" (JSON strings are YAML strings).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

MAX_TEXT = 200
"""Longest piece of foreign text on the page, characters."""
_PUNCTUATION = re.compile(r"([\\`*_\[\]|~]|^[#+>-]|(?<=^\d)[.)](?=\s|$))")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def words(content: str) -> str:
    r"""Return text that stays text, on one line.

    Example:
        >>> words("a|b <script>")
        'a\\|b &lt;script>'
    """
    return _PUNCTUATION.sub(r"\\\1", _line(content).replace("&", "&amp;").replace("<", "&lt;"))


def code(content: str) -> str:
    r"""Return text as a code span; with a pipe in it as escaped words, because a span cannot hold one in a table.

    Example:
        >>> code("a`b"), code("a|b")
        ('`` a`b ``', 'a\\|b')
    """
    text = _line(content) or " "
    if "|" in text:
        return words(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"{fence}{text}{fence}"


def _line(content: str) -> str:
    text = _BLANK.sub(" ", content.encode("utf-8", "replace").decode("utf-8")).strip()
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def link_target(uri: str) -> str:
    """Return a URI as a link if it is a plain web address, else as code.

    Example:
        >>> link_target("https://example.org/a.csv"), link_target("javascript:alert(1)")
        ('<https://example.org/a.csv>', '`javascript:alert(1)`')
    """
    return f"<{uri}>" if re.fullmatch(r"https?://[A-Za-z0-9._~/%:?=&+,-]+", uri) else code(uri)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are already Markdown.

    Example:
        >>> print(table(("a", "b"), [("1", "2")]))
        | a | b |
        | --- | --- |
        | 1 | 2 |
    """
    lines = [tuple(header), ("---",) * len(header), *map(tuple, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def front_matter(content: Mapping[str, Any]) -> str:
    """Return YAML front matter; every value is written as JSON, which YAML reads and no text can break out of.

    Example:
        >>> print(front_matter({"license": "mit", "tags": ["a: b"]}))
        ---
        license: "mit"
        tags: ["a: b"]
        ---
    """
    lines = [f"{key}: {_json(value)}" for key, value in content.items()]
    return "\n".join(("---", *lines, "---"))


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
