"""Assign a unit to a variant: the same answer in every process, language and year.

Called by :mod:`.plan` for every request that has a choice. It knows no model and keeps nothing: who is where follows
from salt, experiment and unit alone. ``docs/reference/assignment.md`` has test vectors and the same in JavaScript.

The bucket of a unit is an integer of 52 bits, so that every language that has IEEE 754 doubles holds it exactly: the
first 13 hexadecimal digits of ``sha256(salt|experiment|unit)``; the next 13 say whether a shadow is asked as well. The
variants other than the control lie from 0 upwards in their order, and the control takes what they leave. So the last
one grows from a fixed end: whoever is on it at 10 % is on it at 25 %, and nobody moves but from the control to it.

Source: FIPS 180-4 (SHA-256); RFC 3629 (UTF-8); the WHATWG Encoding Standard for lone surrogates.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from itertools import accumulate, pairwise

from modelwright.errors import DeploymentError

BUCKETS = 2**52
"""Number of buckets; ``bucket / BUCKETS`` is exact in a double and lies in [0, 1)."""

SEPARATOR = "|"
"""Stands between salt, experiment and unit. Only a unit may contain it, so that no two triples hash the same text."""


def bucket(salt: str, experiment: str, unit: str) -> int:
    """Return the bucket of a unit: the first 52 bits of the digest, most significant first.

    Args:
        salt: Makes the assignments of one experiment independent of those of others.
        experiment: Name of the experiment.
        unit: What is assigned, as it is: no case is folded, no form of Unicode normalised, no space stripped.

    Returns:
        An integer in [0, ``BUCKETS``).

    Raises:
        DeploymentError: The salt or the experiment contains ``|``.

    Example:
        >>> bucket("s1", "churn", "customer-42")
        4099845350236029
        >>> f"{bucket('s1', 'churn', 'customer-42') / BUCKETS:.4f}"
        '0.9103'
    """
    return draw(prefix(salt, experiment), unit)[0]


def draw(prefix: bytes, unit: str) -> tuple[int, int]:
    """Return the bucket of a unit, and a second one that is independent of it: whether its requests are mirrored.

    Args:
        prefix: What :func:`prefix` returned.
        unit: What is assigned.
    """
    return divmod(int.from_bytes(sha256(prefix + encoded(unit)).digest()[:13], "big"), BUCKETS)


def prefix(salt: str, experiment: str) -> bytes:
    """Return what is hashed before the unit: ``salt|experiment|`` in UTF-8.

    Raises:
        DeploymentError: One of them contains ``|``; then ``a|b`` with ``c`` would be ``a`` with ``b|c``.

    Example:
        >>> prefix("s1", "churn")
        b's1|churn|'
    """
    for what, text in (("salt", salt), ("experiment", experiment)):
        if SEPARATOR in text:
            raise DeploymentError(
                f"The {what} {text!r} contains {SEPARATOR!r}.",
                why="It separates salt, experiment and unit in the text that is hashed.",
                hint=f"Choose another {what}, for example {text.replace(SEPARATOR, '-')!r}.",
            )
    return encoded(f"{salt}{SEPARATOR}{experiment}{SEPARATOR}")


def encoded(text: str) -> bytes:
    r"""Return text in UTF-8; half of a surrogate pair counts as U+FFFD, as in every web browser.

    Example:
        >>> encoded("é"), encoded("\ud800")
        (b'\xc3\xa9', b'\xef\xbf\xbd')
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def bounds(weights: Mapping[str, float]) -> tuple[tuple[float, str], ...]:
    """Return where the interval of each variant ends, in buckets: the control, which is first, comes last.

    A variant of weight ``w[i]`` ends at ``(w[1] + … + w[i]) / (w[1] + … + w[n] + w[0])``, summed from left to right
    in doubles, times ``BUCKETS``, which is exact. A variant without weight has no interval.

    Args:
        weights: Weight per variant, relative to the others, control first; finite, none negative, not all 0.

    Example:
        >>> [(end / BUCKETS, name) for end, name in bounds({"control": 3, "a": 1, "b": 0})]
        [(0.25, 'a'), (1.0, 'control')]
    """
    control, *others = weights
    names = (*others, control)
    ends = list(accumulate((weights[name] for name in names), initial=0.0))
    total = ends[-1]
    return tuple(
        (BUCKETS * (end / total), name) for name, (start, end) in zip(names, pairwise(ends), strict=True) if end > start
    )


def choose(weights: Mapping[str, float], bucket: int) -> str:
    """Return the variant whose interval a bucket lies in.

    Args:
        weights: As in :func:`bounds`.
        bucket: What :func:`bucket` returned.

    Example:
        >>> choose({"control": 90, "canary": 10}, 0), choose({"control": 90, "canary": 10}, BUCKETS - 1)
        ('canary', 'control')
    """
    return next(name for end, name in bounds(weights) if bucket < end)
