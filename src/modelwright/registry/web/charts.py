"""Draw numbers as bars beside the numbers, in SVG that has no style of its own.

For: tables of metrics. The number is in the table, so that the bar says nothing to a screen reader; its colours come
from the style sheet by class, because the pages allow no inline style.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from markupsafe import Markup

WIDTH, HEIGHT = 160, 10


def bar(value: float | None, most: float) -> Markup:
    """Return a bar.

    Args:
        value: How long it is; below 0, or not finite: there is none.
        most: What fills the whole width.

    Example:
        >>> bar(0.5, 1.0).count('class="fill" width="80.0"')
        1
    """
    share = 0.0
    if value is not None and math.isfinite(value) and most > 0:
        share = min(max(value / most, 0.0), 1.0)
    return Markup(
        '<svg class="bar" viewBox="0 0 {w} {h}" aria-hidden="true" focusable="false">'
        '<rect class="track" width="{w}" height="{h}" rx="2"/>'
        '<rect class="fill" width="{share}" height="{h}" rx="2"/></svg>'
    ).format(w=WIDTH, h=HEIGHT, share=round(share * WIDTH, 1))


def scale(values: Iterable[float | None]) -> float:
    """Return what fills the width: 1 for shares and probabilities, else the largest value.

    Example:
        >>> scale([0.2, 0.9]), scale([3.0, 12.0]), scale([])
        (1.0, 12.0, 1.0)
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    largest = max(known, default=1.0)
    return 1.0 if largest <= 1.0 else largest
