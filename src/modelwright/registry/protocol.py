"""The JSON API as data: which route asks which verb of :class:`~modelwright.registry.service.Service`, and with what.

For: the application, which serves these routes, and :mod:`modelwright.registry.client`, which asks them. Both take
paths and bodies from here, so that they cannot disagree. Answers are the structs of
:mod:`modelwright.registry.service` as JSON; an error is ``error.to_dict()`` with the status that goes with it.

It does not: send, receive or decide anything.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from modelwright.registry.evidence import EvidenceKind
from modelwright.registry.people import Principal, Scope
from modelwright.registry.projects import Status
from modelwright.registry.rollouts import RolloutEvent
from modelwright.spec.struct import Frozen

ROOT = "/api/v1"
UPLOAD = "/legacy/"
"""Where files are uploaded, as to any Python package index; with ``Accept: application/json`` the answer is a
:class:`~modelwright.registry.service.Publication`."""
PAGE = 1000
"""Most entries of the log in one answer; more are asked for with ``after``."""

Verb = Literal["GET", "POST", "DELETE"]

ROUTES: dict[str, tuple[Verb, str]] = {
    "whoami": ("GET", "/whoami"),
    "projects": ("GET", "/projects"),
    "project": ("GET", "/projects/{name}"),
    "gates": ("GET", "/projects/{name}/gates"),
    "approve": ("POST", "/projects/{name}/approve"),
    "promote": ("POST", "/projects/{name}/promote"),
    "rollback": ("POST", "/projects/{name}/rollback"),
    "yank": ("POST", "/projects/{name}/yank"),
    "unyank": ("POST", "/projects/{name}/unyank"),
    "delete": ("POST", "/projects/{name}/delete"),
    "report_rollout": ("POST", "/projects/{name}/rollout"),
    "set_status": ("POST", "/projects/{name}/status"),
    "set_owners": ("POST", "/projects/{name}/owners"),
    "open_file": ("GET", "/files/{sha256}"),
    "has": ("GET", "/files/{sha256}/known"),
    "evidence": ("GET", "/files/{sha256}/evidence"),
    "attach": ("POST", "/files/{sha256}/evidence"),
    "tokens": ("GET", "/tokens"),
    "add_token": ("POST", "/tokens"),
    "revoke_token": ("DELETE", "/tokens/{token}"),
    "history": ("GET", "/audit"),
    "head": ("GET", "/audit/head"),
    "check_audit": ("GET", "/audit/check"),
}
"""Method and path below :data:`ROOT` of each verb.

Queries: ``projects`` takes ``search``; ``gates`` ``version`` and ``to``; ``has`` ``filename``; ``history`` the fields
of :class:`~modelwright.registry.service.Selection`; ``check_audit`` ``sequence`` and ``hash`` of an exported head.
``open_file`` answers with the bytes themselves and knows ranges.
"""


def path_of(verb: str, **names: str) -> str:
    """Return the path of a verb's route, each name percent-encoded.

    Example:
        >>> path_of("gates", name="churn")
        '/api/v1/projects/churn/gates'
    """
    return ROOT + ROUTES[verb][1].format_map({key: quote(value, safe="") for key, value in names.items()})


class Welcome(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Answer to ``whoami``.

    Attributes:
        principal: Who asked.
        stages: Names of the stages, first to last.
        title: What the registry calls itself.
        proxies_upstream: Whether one ``--index-url`` serves libraries, too.
        version: Version of modelwright that answers.
    """

    principal: Principal
    stages: tuple[str, ...]
    title: str = ""
    proxies_upstream: bool = False
    version: str = ""


class Known(Frozen, frozen=True, kw_only=True):
    """Answer to ``has``."""

    known: bool


class EvidenceRequest(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``attach``."""

    kind: EvidenceKind
    content: Any


class ApprovalRequest(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``approve``."""

    version: str
    stage: str
    reason: str


class PromotionRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Body of ``promote``; the fields are those of :meth:`Service.promote`."""

    version: str
    to: str
    reason: str
    expected: str | None = None
    break_glass: bool = False


class RollbackRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Body of ``rollback``; the fields are those of :meth:`Service.rollback`."""

    stage: str
    reason: str
    expected: str | None = None


class ReleaseRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Body of ``yank``, ``unyank`` and ``delete``."""

    version: str
    reason: str = ""


class RolloutReport(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Body of ``report_rollout``."""

    version: str
    event: RolloutEvent
    stage: str = ""
    reason: str = ""


class StatusRequest(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``set_status``."""

    status: Status
    reason: str


class OwnersRequest(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``set_owners``."""

    owners: tuple[str, ...]


class TokenRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Body of ``add_token``."""

    user: str
    scopes: tuple[Scope, ...]
    projects: tuple[str, ...] = ()
    days: float | None = None
    note: str = ""
