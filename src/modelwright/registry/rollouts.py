"""What a server reports of a rollout that it conducts: what happened, and the numbers behind it.

For: ``report_rollout`` of :class:`~modelwright.registry.service.Service`, serving, which calls it, and whoever tells an
entry of the log in words. A rollout moves requests from one version to another; what a stage runs stays as it is.

It does not: decide anything about a rollout, or check what is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from modelwright.spec.struct import Frozen

RolloutStep = Literal["begun", "advanced", "paused", "resumed", "held", "finished", "rolled back", "aborted"]
RolloutKind = Literal["canary", "ab", "shadow"]

MAX_MEASURES = 20
"""Most measures in one report."""

_DONE: dict[str, str] = {
    "begun": "began",
    "rolled back": "withdrew",
}
"""Past tenses of the steps that are not their own."""
_KINDS: dict[str, str] = {"canary": "canary", "ab": "A/B test", "shadow": "shadow"}


class RolloutMeasure(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One comparison of the version that is tried with the control, by which a rollout was judged.

    Attributes:
        tried: What the version that is tried did: a share, seconds, a mean.
        control: What the control did.
        effect: How much worse the first is.
        limit: From which effect on it counts.
        evidence: How strong the evidence is that it is no accident.
        needed: How strong it must be.
        worse: Whether the version that is tried is worse by it.
    """

    tried: float
    control: float
    effect: float
    limit: float
    evidence: float
    needed: float
    worse: bool = False


class RolloutEvent(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that happened to a rollout.

    Attributes:
        step: What happened; ``rolled back``: the server withdrew the version by itself.
        kind: What is tried: a growing share, a fixed one, or a shadow whose answers nobody sees.
        before: Share of the requests before, from 0 to 1.
        after: Share of the requests after.
        control: Version that it is compared with.
        sha256: Digest of the wheel that is tried; empty: not known.
        by: Who commanded it, as the server that conducts it knows them; empty: it came by itself.
        time: When it happened, RFC 3339 UTC: a registry that cannot be reached learns of it later.
        measures: The numbers behind it, by name, at most :data:`MAX_MEASURES`.
    """

    step: RolloutStep
    kind: RolloutKind
    before: float
    after: float
    control: str
    sha256: str = ""
    by: str = ""
    time: str
    measures: dict[str, RolloutMeasure] = {}


def rollout_told(detail: Mapping[str, Any]) -> str:
    """Return what was done to a rollout, as the verb of a sentence.

    Args:
        detail: That of an entry of the log.

    Example:
        >>> rollout_told({"step": "rolled back", "kind": "canary"})
        'withdrew the canary of'
    """
    step, kind = str(detail.get("step", "")), str(detail.get("kind", ""))
    return f"{_DONE.get(step, step)} the {_KINDS.get(kind, 'rollout')} of" if step else "reported a rollout of"


def shares_told(detail: Mapping[str, Any]) -> str:
    """Return which share of the requests a version had and has; empty: an entry does not say.

    Example:
        >>> shares_told({"before": 0.1, "after": 0.0}), shares_told({"before": 0.1, "after": 0.1}), shares_told({})
        ('10 % → 0 %', '10 %', '')
    """
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return ""
    now = f"{after * 100:.4g} %"
    return now if before == after else f"{before * 100:.4g} % → {now}"


def measures_told(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """Return each measure in words; what does not look like one is left out.

    Example:
        >>> measure = {"tried": 0.4, "control": 0.0, "effect": 0.4, "limit": 0.005, "evidence": 9000, "needed": 400}
        >>> measures_told({"measures": {"errors": {**measure, "worse": True}}})
        ('errors: 0.4 against 0, 0.4 worse (limit 0.005), evidence 9000 of 400 needed: WORSE',)
    """
    found = detail.get("measures")
    try:
        measures = msgspec.convert(found or {}, dict[str, RolloutMeasure])
    except msgspec.ValidationError:
        return ()
    return tuple(
        f"{name}: {one.tried:.4g} against {one.control:.4g}, {one.effect:.4g} worse (limit {one.limit:.4g}), "
        f"evidence {one.evidence:.4g} of {one.needed:.4g} needed{': WORSE' if one.worse else ''}"
        for name, one in measures.items()
    )


def withdrawn(detail: Mapping[str, Any]) -> bool:
    """Say whether a server took a version back by itself."""
    return detail.get("step") == "rolled back"
