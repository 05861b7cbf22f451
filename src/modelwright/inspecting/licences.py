"""Say what licence a distribution names, from its metadata.

Called by verify's environments: the licences of what a model needs are read from what was really installed. Pure.

Source: Core metadata (PEP 639 ``License-Expression``; before that the free text ``License`` and trove classifiers).
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 100
"""Characters of a licence's name; some distributions put the whole text there."""
_TROVE = "License :: "


def licence_name(expression: str | None, text: str | None, classifiers: Sequence[str]) -> str:
    r"""Return the licence that a distribution names, the most exact of what it says; empty: nothing short enough.

    Args:
        expression: ``License-Expression``, SPDX.
        text: ``License``, free text.
        classifiers: Every ``Classifier``.

    Example:
        >>> licence_name("BSD-3-Clause AND MIT", None, ()), licence_name(None, "MIT", ())
        ('BSD-3-Clause AND MIT', 'MIT')
        >>> licence_name(None, "Permission is\ngranted", ["License :: OSI Approved :: MIT License"])
        'MIT License'
    """
    troves = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith(_TROVE) and one.count(" :: ") > 1]
    for said in (expression, text, " and ".join(dict.fromkeys(troves))):
        name = (said or "").strip()
        if name and name != "UNKNOWN" and "\n" not in name and len(name) <= LONGEST:
            return name
    return ""
