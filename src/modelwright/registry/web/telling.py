"""Tell entries of the log in words: what was done, or what was tried and refused."""

from __future__ import annotations

from modelwright.registry.audit import Action, Entry
from modelwright.registry.rollouts import rollout_told, shares_told
from modelwright.registry.rollouts import withdrawn as taken_back

FAILED = ": FAILED: "
"""What stands between the name of a gate that did not pass and what it found, in what the log keeps of a refusal."""
_VERBS: dict[Action, tuple[str, str]] = {
    "publish": ("published", "publish"),
    "promote": ("promoted", "promote"),
    "rollback": ("rolled back", "roll back"),
    "yank": ("yanked", "yank"),
    "unyank": ("took back the yank of", "take back the yank of"),
    "rollout": ("reported a rollout of", "report a rollout of"),
    "delete": ("deleted", "delete"),
    "evidence": ("attached evidence to", "attach evidence to"),
    "approve": ("approved", "approve"),
    "owners": ("changed the owners", "change the owners"),
    "status": ("changed the status", "change the status"),
    "token": ("made a token", "make a token"),
    "revoke": ("revoked a token", "revoke a token"),
    "configure": ("configured the registry", "configure the registry"),
    "login": ("logged in", "log in"),
}
"""What is said of each action when it was done, and after "tried to"."""


def refusal_of(entry: Entry) -> str:
    """Return why something was denied, with the gates that did not pass; empty if it was done.

    Example:
        >>> detail = {"what": "1 of 2 gates does not let it in.", "problems": ["card: passed: x", "scan: FAILED: y"]}
        >>> denied = dict(sequence=1, time="", actor="ann", action="promote", previous="", outcome="denied")
        >>> refusal_of(Entry(detail=detail, **denied))
        '1 of 2 gates does not let it in: scan.'
    """
    if entry.outcome != "denied":
        return ""
    what, problems = str(entry.detail.get("what", "")), entry.detail.get("problems", ())
    listed = [str(one) for one in problems] if isinstance(problems, list | tuple) else []
    failed = [one.partition(FAILED)[0] for one in listed if FAILED in one]
    return f"{what.removesuffix('.')}: {', '.join(failed)}." if failed else what


def did(entry: Entry) -> str:
    """Return what somebody did, as the verb of a sentence that they begin.

    Example:
        >>> promoted = dict(sequence=1, time="", actor="ann", action="promote", previous="")
        >>> did(Entry(outcome="done", **promoted)), did(Entry(outcome="denied", **promoted))
        ('promoted', 'tried to promote')
    """
    past, plain = _VERBS[entry.action]
    kind = str(entry.detail.get("kind", ""))
    if entry.action == "evidence" and kind:
        past, plain = past.replace("evidence", f"{kind} evidence"), plain.replace("evidence", f"{kind} evidence")
    if entry.outcome == "denied":
        return f"tried to {plain}"
    if entry.action == "rollout":
        return rollout_told(entry.detail)
    if entry.action == "promote" and entry.detail.get("broke_glass"):
        return "broke the glass to promote"
    return past


def shares(entry: Entry) -> str:
    """Return which share of the requests a rollout gave a version, and gives it now; empty for everything else."""
    return shares_told(entry.detail) if entry.action == "rollout" else ""


def withdrawn(entry: Entry) -> bool:
    """Say whether an entry tells of a version that a server took back by itself."""
    return entry.action == "rollout" and entry.outcome == "done" and taken_back(entry.detail)
