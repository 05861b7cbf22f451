"""Say numbers, sizes, times and digests as people read them; the filters of the templates.

For: :mod:`modelwright.registry.web.rendering`. Pure; it does not guess time zones or languages: UTC and English.
"""

from __future__ import annotations

import math
import re
from typing import Any

from markupsafe import Markup, escape

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(:\d{2})(?:\.\d+)?(?:Z|\+00:00)")
"""Source: RFC 3339, 5.6, in UTC."""
LONGEST_VALUE = 200
"""Characters of a value that somebody else chose; the whole of it is in the wheel."""


def moment(text: str) -> Markup:
    """Return a time as an element that machines read, too; what is no time stays text.

    Example:
        >>> moment("2026-11-21T06:49:16Z")
        Markup('<time datetime="2026-11-21T06:49:16Z" title="2026-11-21 06:49:16 UTC">2026-11-21 06:49</time>')
        >>> moment("<b>")
        Markup('&lt;b&gt;')
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return escape(text)
    day, minute, second = found.groups()
    machine = f"{day}T{minute}{second}Z"
    return Markup('<time datetime="{}" title="{} {}{} UTC">{} {}</time>').format(
        machine, day, minute, second, day, minute
    )


def size(count: int) -> str:
    """Write a size in the units of the IEC.

    Example:
        >>> size(12), size(1536), size(3 * 2**30)
        ('12 B', '1.5 KiB', '3.0 GiB')
    """
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if abs(count) >= 1024**power:
            return f"{count / 1024**power:.1f} {unit}"
    return f"{count} B"


def count(number: int, what: str) -> str:
    """Count things.

    Example:
        >>> count(1, "release"), count(1200, "entry")
        ('1 release', '1,200 entries')
    """
    many = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number:,} {what if number == 1 else many}"


def value(content: Any) -> str:
    """Write any JSON value on one line, numbers with five significant digits.

    Example:
        >>> value(0.1234567), value([1, 2.5]), value(None), value({"a": True}), value("x" * 300)[-1]
        ('0.12346', '[1, 2.5]', '–', '{a: true}', '…')
    """
    text = _value(content)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _value(content: Any) -> str:
    if content is None:
        return "–"
    if isinstance(content, bool):
        return str(content).lower()
    if isinstance(content, float):
        return f"{content:.5g}" if abs(content) < 1e5 else f"{content:,.0f}"
    if isinstance(content, list | tuple):
        return f"[{', '.join(_value(one) for one in content[:20])}{', …' if len(content) > 20 else ''}]"
    if isinstance(content, dict):
        listed = [f"{key}: {_value(one)}" for key, one in list(content.items())[:20]]
        return "{" + ", ".join(listed) + (", …" if len(content) > 20 else "") + "}"
    return str(content)


def change(old: float, new: float) -> str:
    """Write by how much a number changed; empty if it shows the same number, or differs by rounding only.

    Example:
        >>> change(0.9, 0.85), change(2.0, 2.5), change(0.9, 0.9 - 1.1e-16)
        ('−0.05', '+0.5', '')
    """
    if old == new or math.isclose(old, new, rel_tol=1e-9, abs_tol=1e-12):
        return ""
    return f"{new - old:+.3g}".replace("-", "−")


def short(digest: str) -> str:
    """Return the beginning of a digest, enough to tell two apart.

    Example:
        >>> short("ab" * 32)
        'abababababab'
    """
    return digest[:12]
