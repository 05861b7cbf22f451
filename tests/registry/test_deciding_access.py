"""Who may do what, as a whole matrix written down independently of the code."""

from __future__ import annotations

from itertools import product

import pytest

from modelwright.errors import LoginError, NotAllowedError
from modelwright.registry.deciding.access import Deed, allowed
from modelwright.registry.people import NOBODY, Principal, Scope, local_user

DEEDS: tuple[Deed, ...] = (
    "read", "publish", "yank", "withdraw", "approve", "promote", "rollback", "rollout", "evidence", "delete", "owners",
    "status", "token", "audit",
)  # fmt: skip

# deed: who may, of (read, publish, promote, admin), as owner, as a stranger, and of a project that is new.
MATRIX = {
    #            owner   stranger  new project
    "read": ("RPMA", "RPMA", "RPMA"),
    "publish": (" P A", "   A", " P A"),
    "yank": (" P A", "   A", " P A"),
    "withdraw": ("  MA", "  MA", "  MA"),
    "approve": ("  MA", "  MA", "  MA"),
    "promote": ("  MA", "  MA", "  MA"),
    "rollback": ("  MA", "  MA", "  MA"),
    "rollout": ("  MA", "  MA", "  MA"),
    "evidence": (" PMA", "  MA", " PMA"),
    "delete": ("   A", "   A", "   A"),
    "owners": ("   A", "   A", "   A"),
    "status": ("   A", "   A", "   A"),
    "token": ("   A", "   A", "   A"),
    "audit": ("RPMA", "RPMA", "RPMA"),
}
SCOPES: dict[str, Scope] = {"R": "read", "P": "publish", "M": "promote", "A": "admin"}
RELATIONS: dict[str, tuple[str, ...] | None] = {"owner": ("ann", "bob"), "stranger": ("bob",), "new": None}
CASES = [
    (deed, letter, relation, letter in MATRIX[deed][position])
    for deed in DEEDS
    for letter in SCOPES
    for position, relation in enumerate(RELATIONS)
]


def test_the_matrix_knows_every_deed() -> None:
    assert set(MATRIX) == set(DEEDS) == set(Deed.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("deed", "letter", "relation", "may"), CASES)
def test_a_token_may_what_the_matrix_says(deed: Deed, letter: str, relation: str, may: bool) -> None:
    ann = Principal(user="ann", scopes=(SCOPES[letter],), token="mw1")
    refusal = allowed(ann, deed, project="churn", owners=RELATIONS[relation])
    assert (refusal is None) == may
    if not may:
        assert type(refusal) is NotAllowedError
        assert "'ann'" in refusal.what
        assert "" not in (refusal.why, refusal.hint)


@pytest.mark.parametrize(("deed", "letter", "relation"), list(product(DEEDS, SCOPES, RELATIONS)))
def test_a_token_for_another_project_may_nothing(deed: Deed, letter: str, relation: str) -> None:
    ann = Principal(user="ann", scopes=(SCOPES[letter],), projects=("other",))
    refusal = allowed(ann, deed, project="churn", owners=RELATIONS[relation])
    assert type(refusal) is NotAllowedError
    assert "other" in refusal.why


@pytest.mark.parametrize(("deed", "letter", "relation", "may"), CASES)
def test_a_token_for_this_project_may_what_one_for_all_may(deed: Deed, letter: str, relation: str, may: bool) -> None:
    ann = Principal(user="ann", scopes=(SCOPES[letter],), projects=("churn",))
    assert (allowed(ann, deed, project="Churn", owners=RELATIONS[relation]) is None) == may


@pytest.mark.parametrize("deed", DEEDS)
def test_a_token_for_one_project_may_only_read_what_is_about_all(deed: Deed) -> None:
    admin = Principal(user="ann", scopes=("admin",), projects=("churn",))
    assert (allowed(admin, deed) is None) == (deed == "read")


@pytest.mark.parametrize(("deed", "anonymous_read"), list(product(DEEDS, (True, False))))
def test_nobody_may_only_read_and_only_if_the_registry_says_so(deed: Deed, anonymous_read: bool) -> None:
    for relation in RELATIONS.values():
        refusal = allowed(NOBODY, deed, project="churn", owners=relation, anonymous_read=anonymous_read)
        assert (refusal is None) == (deed == "read" and anonymous_read)
        assert refusal is None or type(refusal) is LoginError


@pytest.mark.parametrize("deed", DEEDS)
def test_a_user_without_any_scope_may_nothing(deed: Deed) -> None:
    assert type(allowed(Principal(user="ann"), deed, project="churn", owners=("ann",))) is LoginError


@pytest.mark.parametrize("deed", DEEDS)
def test_scopes_without_a_user_are_worth_nothing(deed: Deed) -> None:
    ghost = Principal(scopes=("admin",))
    assert type(allowed(ghost, deed, project="churn", owners=("",))) is LoginError


@pytest.mark.parametrize("deed", DEEDS)
def test_who_works_on_the_folder_may_everything(deed: Deed) -> None:
    assert allowed(local_user("ann"), deed, project="churn", owners=("bob",)) is None


@pytest.mark.parametrize("deed", ["publish", "yank"])
def test_a_project_whose_owners_all_left_is_nobodys_to_publish(deed: Deed) -> None:
    assert allowed(Principal(user="ann", scopes=("publish",)), deed, project="churn", owners=()) is not None
    assert allowed(Principal(user="ann", scopes=("admin",)), deed, project="churn", owners=()) is None
