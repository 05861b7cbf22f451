"""Which version answers a request: the same unit always gets the same one, in every process and language.

Called by the router. Pure. It is the rule by which ``modelwright serve`` assigns, so that whoever moves between the two
keeps their version: the first 52 bits of ``sha256(salt|experiment|unit)``; the variants other than the control lie from
0 upwards in their order, and the control takes what they leave.

Source: modelwright's documentation, "Assignment to variants", with test vectors.
"""

# mypy: ignore-errors

from __future__ import annotations

import hashlib
from collections.abc import Mapping

BUCKETS = 2**52


def bucket(salt: str, experiment: str, unit: str) -> int:
    """Return the bucket of a unit, an integer in [0, ``BUCKETS``).

    Args:
        salt: Makes the assignments of one experiment independent of those of others.
        experiment: Name of the experiment.
        unit: What is assigned, as it is: a customer, a session, a request.
    """
    text = f"{salt}|{experiment}|{unit}".encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16)


def choose(weights: Mapping[str, float], place: int) -> str:
    """Return the variant whose interval a bucket lies in.

    Args:
        weights: Weight per variant, not negative, the control first; at least one is not 0.
        place: What :func:`bucket` returned.
    """
    control, *others = weights
    total = sum(weights[name] for name in (*others, control))
    end = 0.0
    for name in others:
        end += weights[name]
        if weights[name] and place < BUCKETS * (end / total):
            return name
    return control if weights[control] else next(name for name in reversed(others) if weights[name])
