"""Who may do what: one table from deeds to scopes, the rule of ownership, and nothing else. Pure.

Called by the verbs of the registry before they change or show anything. What no row of the table allows is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

from packaging.utils import canonicalize_name

from modelwright.errors import LoginError, NotAllowedError
from modelwright.registry.people import Principal, Scope

Deed = Literal[
    "read",
    "publish",
    "yank",
    "withdraw",
    "approve",
    "promote",
    "rollback",
    "rollout",
    "evidence",
    "delete",
    "owners",
    "status",
    "token",
    "audit",
]
"""What can be done with a registry.

``read``      see projects, files, evidence and what was done with them
``withdraw``  yank what a stage runs, or take that back: installers then find something else in the stage
``rollout``   report what a server does with the requests to a release that is tried; it moves no stage
``evidence``  attach a verification, an evaluation, a signature
``token``     make, list and revoke tokens
``audit``     read and check the log as a whole
"""


class _Right(NamedTuple):
    """One way of being allowed something.

    Attributes:
        scope: Scope that the token must have.
        owner: Whether the user must own the project as well, if it has owners.
    """

    scope: Scope
    owner: bool = False


_RIGHTS: dict[Deed, tuple[_Right, ...]] = {
    "read": (_Right("read"),),
    "publish": (_Right("publish", owner=True),),
    "yank": (_Right("publish", owner=True),),
    "withdraw": (_Right("promote"),),
    # Whoever may promote could break the glass as well: evidence gives them nothing that they do not have.
    "evidence": (_Right("publish", owner=True), _Right("promote")),
    "approve": (_Right("promote"),),
    "promote": (_Right("promote"),),
    "rollback": (_Right("promote"),),
    "rollout": (_Right("promote"),),
    "delete": (_Right("admin"),),
    "owners": (_Right("admin"),),
    "status": (_Right("admin"),),
    "token": (_Right("admin"),),
    "audit": (_Right("read"),),
}


def allowed(
    principal: Principal,
    deed: Deed,
    *,
    project: str = "",
    owners: Collection[str] | None = None,
    anonymous_read: bool = False,
) -> NotAllowedError | LoginError | None:
    """Say whether somebody may do something; deny by default.

    Args:
        principal: Who asks.
        deed: What they want to do.
        project: Name of the project it is about; empty: about the registry as a whole, which a token for certain
            projects may only read.
        owners: Owners of the project; ``None``: there is no such project yet, and whoever publishes it first becomes
            its owner.
        anonymous_read: Whether the registry lets anyone read.

    Returns:
        ``None`` if they may; otherwise the error to raise: ``LoginError`` if nobody said who they are,
        ``NotAllowedError`` if they did.

    Example:
        >>> ann = Principal(user="ann", scopes=("publish",))
        >>> allowed(ann, "publish", project="churn", owners=("ann",)) is None
        True
        >>> allowed(ann, "promote", project="churn", owners=("ann",)).what
        "'ann' may not promote churn."
    """
    if deed == "read" and anonymous_read:
        return None
    if not principal.user or not principal.scopes:
        return LoginError(
            f"It takes a token to {_told(deed, project)}, and none was sent.",
            why="This registry shows and changes nothing for somebody without a valid token.",
            hint="modelwright login URL",
        )
    if not _within(principal, deed, project):
        return _refusal(principal, deed, project, f"The token is for {', '.join(principal.projects)} only.")
    rights = [right for right in _RIGHTS.get(deed, ()) if _has(principal, right.scope)]
    if not rights:
        wanted = " or ".join(f"'{right.scope}'" for right in _RIGHTS.get(deed, ())) or "that nobody has"
        return _refusal(principal, deed, project, f"It takes the scope {wanted}; {_told_scopes(principal)}.")
    if owners is None or any(not right.owner for right in rights):
        return None
    if principal.user in owners or "admin" in principal.scopes:
        return None
    return _refusal(principal, deed, project, f"Its owners are {', '.join(owners) or 'nobody'}.")


def _within(principal: Principal, deed: Deed, project: str) -> bool:
    """Say whether the token is for this project; what concerns all projects needs a token for all of them."""
    if not principal.projects:
        return True
    if not project:
        return deed == "read"
    return canonicalize_name(project) in principal.projects


def _has(principal: Principal, scope: Scope) -> bool:
    """Say whether a token's scopes include one: every scope includes ``read``, ``admin`` includes all."""
    return scope == "read" or scope in principal.scopes or "admin" in principal.scopes


def _refusal(principal: Principal, deed: Deed, project: str, why: str) -> NotAllowedError:
    return NotAllowedError(
        f"{principal.user!r} may not {_told(deed, project)}.",
        where=f"token {principal.token}" if principal.token else "",
        why=why,
        hint="Ask an owner of the project or an administrator of the registry; modelwright login takes another token.",
    )


def _told(deed: Deed, project: str) -> str:
    about = project[:100] or "this registry"
    return {
        "read": f"read {about}",
        "publish": f"publish {about}",
        "yank": f"yank releases of {about}",
        "withdraw": f"yank what a stage runs of {about}",
        "approve": f"approve {about}",
        "promote": f"promote {about}",
        "rollback": f"roll back {about}",
        "rollout": f"report rollouts of {about}",
        "evidence": f"attach evidence to {about}",
        "delete": f"delete releases of {about}",
        "owners": f"say who owns {about}",
        "status": f"set the status of {about}",
        "token": "manage tokens",
        "audit": f"read the whole log of {about}",
    }[deed]


def _told_scopes(principal: Principal) -> str:
    return f"the token has {', '.join(map(repr, principal.scopes))}"
