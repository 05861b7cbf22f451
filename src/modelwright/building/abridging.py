"""Shorten a model card to what everybody may be asked to move who only wants to know what a release requires.

Called by :mod:`.metadata`. Installers fetch METADATA, description included, before they decide anything (PEP 658), and
pip does not let it be compressed; a card of a model with many columns would be most of what resolving moves. The whole
card lies in the wheel, where ``inspect`` and a registry's pages read it.
"""

from __future__ import annotations

import re

LIMIT = 4 * 2**10
"""Size of a description, bytes: with the index page and headers of HTTP, resolving stays below 10 KB."""
ROWS = 8
"""Rows of a long table that are shown."""
_FRONT_MATTER = re.compile(r"---\n.*?\n---\n", re.DOTALL)
_FENCES = ("```", "~~~")


def abridged(card: str, *, where: str, limit: int = LIMIT) -> str:
    r"""Return a card as it is if it is short, otherwise its beginning, with a few rows of its long tables.

    Args:
        card: Markdown.
        where: Where in the wheel the whole card is.
        limit: Most that is returned, bytes of UTF-8.

    Example:
        >>> table = "| n |\n| --- |\n" + "".join(f"| {n} |\n" for n in range(2000))
        >>> print(abridged(f"# Churn\n\n{table}", where="churn/model/card.md"))
        # Churn
        <BLANKLINE>
        | n |
        | --- |
        | 0 |
        | 1 |
        | 2 |
        | 3 |
        | 4 |
        | 5 |
        | 6 |
        | 7 |
        <BLANKLINE>
        *1,992 more rows.*
        <BLANKLINE>
        *This is a part of the model card. The whole of it lies in the wheel: `churn/model/card.md`.*
        <BLANKLINE>
    """
    if _size(card) <= limit:
        return card
    end = f"*This is a part of the model card. The whole of it lies in the wheel: `{where}`.*\n"
    kept: list[str] = []
    left = limit - _size(end)
    for block in _blocks(_FRONT_MATTER.sub("", card, count=1) if card.startswith("---\n") else card):
        text = f"{_shortened(block)}\n\n"
        left -= _size(text)
        if left < 0:
            break
        kept.append(text)
    while kept and kept[-1].startswith("#"):
        kept.pop()  # a heading with nothing below it
    return "".join([*kept, end])


def _size(text: str) -> int:
    return len(text.encode())


def _blocks(card: str) -> list[str]:
    """Divide Markdown where a blank line is, but not inside of fenced code."""
    blocks: list[list[str]] = [[]]
    fence = ""
    for line in card.splitlines():
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence else fence
        elif mark in _FENCES:
            fence = mark
        if line.strip() or fence:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return ["\n".join(lines) for lines in blocks if lines]


def _shortened(block: str) -> str:
    """Return a block; of a long table, its first rows and how many there are more."""
    lines = block.splitlines()
    more = len(lines) - 2 - ROWS
    if more < 2 or not all(line.startswith("|") for line in lines):
        return block
    return "\n".join([*lines[: 2 + ROWS], "", f"*{more:,} more rows.*"])
