"""What travels over HTTP beside the nouns: the bodies of requests to the JSON API, and where each verb is.

For: the client, which sends them, and the application, which receives them; both import this one table, so that
neither can drift. Answers are the structs of :mod:`modelwright.registry.service`, as JSON; a refusal is
``error.to_dict()`` as JSON, with the status that :mod:`modelwright.registry.app.statuses` gives its class.

====== =============================================== ================================== =========================
method path below ``/api/v1``                          body or query                      answer
====== =============================================== ================================== =========================
GET    /whoami                                                                            Principal
GET    /stages                                                                            list of names
GET    /projects                                       ?search=                           list of ProjectSummary
GET    /projects/NAME                                                                     Project
GET    /files/SHA256                                   Range                              the bytes
GET    /files/SHA256/has/FILENAME                                                         Presence
GET    /files/SHA256/evidence                                                             list of Evidence
POST   /files/SHA256/evidence                          Attachment                         Evidence
GET    /projects/NAME/releases/VERSION/gates           ?to=STAGE                          list of GateResult
POST   /projects/NAME/releases/VERSION/approve         Approval                           list of Evidence
POST   /projects/NAME/releases/VERSION/promote         PromotionRequest                   Promotion
POST   /projects/NAME/rollback                         Approval                           Promotion
POST   /projects/NAME/releases/VERSION/yank            Reason                             Project
POST   /projects/NAME/releases/VERSION/unyank          Reason                             Project
POST   /projects/NAME/releases/VERSION/delete          Reason                             Project
POST   /projects/NAME/status                           StatusChange                       Project
POST   /projects/NAME/owners                           Owners                             Project
GET    /tokens                                                                            list of Token
POST   /tokens                                         TokenRequest                       NewToken
POST   /tokens/ID/revoke                                                                  Token
GET    /audit                                          ?project= &version= … of Selection list of Entry
GET    /audit/head                                                                        Head
GET    /audit/check                                    ?sequence= &hash= of a Head        AuditReport
POST   /oidc/token                                     IdentityToken                      NewToken
====== =============================================== ================================== =========================

A file is uploaded by ``POST /legacy/`` as installers' tools do it; with ``Accept: application/json`` the answer is a
Publication. Attestations are a form field ``attestations``, a JSON list (PEP 740). A list of entries is at most
:data:`MAX_ENTRIES` long; whoever wants more asks again with ``after``.
"""

from __future__ import annotations

from typing import Any

from modelwright.registry.evidence import EvidenceKind
from modelwright.registry.people import Scope
from modelwright.registry.projects import Status
from modelwright.spec.struct import Frozen

API = "/api/v1"
LEGACY = "/legacy/"
MAX_ENTRIES = 1000
"""Most entries of the log in one answer."""
MAX_DOCUMENT = 64 * 2**20
"""Largest body of a request to the JSON API, bytes: evidence with the results of many scenarios is large."""


class Presence(Frozen, frozen=True, kw_only=True):
    """Whether the registry has a file.

    Attributes:
        has: It has exactly this one, under this name.
    """

    has: bool


class Attachment(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Evidence to be attached to a wheel.

    Attributes:
        kind: What it is.
        content: The document.
    """

    kind: EvidenceKind
    content: Any


class Reason(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Why.

    Attributes:
        reason: In words.
    """

    reason: str = ""


class Approval(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A stage and a reason: for an approval, and for a rollback.

    Attributes:
        stage: Name of the stage.
        reason: In words.
    """

    stage: str
    reason: str = ""


class PromotionRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to be promoted where; see :meth:`~modelwright.registry.service.Service.promote`.

    Attributes:
        to: Name of the stage.
        reason: Why.
        expected: Digest of what the stage is thought to run; empty: nothing; ``None``: whatever it runs.
        break_glass: Override gates.
    """

    to: str
    reason: str = ""
    expected: str | None = None
    break_glass: bool = False


class StatusChange(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The status a project shall have.

    Attributes:
        status: PEP 792.
        reason: Why.
    """

    status: Status
    reason: str = ""


class Owners(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who shall own a project.

    Attributes:
        owners: Names of users.
    """

    owners: tuple[str, ...]


class TokenRequest(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The token that is asked for.

    Attributes:
        user: Whose it will be.
        scopes: What for.
        projects: Names it is for; empty: all.
        days: How long it holds, days; ``None``: for ever.
        note: What it is for, in words.
    """

    user: str
    scopes: tuple[Scope, ...]
    projects: tuple[str, ...] = ()
    days: float | None = None
    note: str = ""


class IdentityToken(Frozen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a CI job shows instead of a stored token (OpenID Connect).

    Attributes:
        token: The identity token of its provider, a JWT.
    """

    token: str
