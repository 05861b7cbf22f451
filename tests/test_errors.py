"""Every error has a code of its own, a docstring, and its place in the drawn tree."""

from __future__ import annotations

import pickle
import re

import pytest

import modelwright.runtime.errors
from modelwright import errors, exchange_errors, project_errors, registry_errors, serving_errors
from modelwright.errors import ModelwrightError, Problem


def family(kind: type[ModelwrightError]) -> list[type[ModelwrightError]]:
    ours = [child for child in kind.__subclasses__() if child.__module__.startswith("modelwright.")]
    return [kind, *(member for child in ours for member in family(child))]


ERRORS = family(ModelwrightError)


def drawn(docstring: str) -> list[tuple[str, str, str]]:
    """Return name, code and name of the parent of each line of a drawn tree."""
    parents: dict[int, str] = {}
    found = []
    for line in docstring.splitlines():
        match = re.match(r"^([\s│├└─]*)([A-Z]\w+)(?:\s+(MW\d+x*) )?", line)
        if match and (match[3] or match[2] == "ModelwrightError"):
            depth = len(match[1])
            parents = {level: name for level, name in parents.items() if level < depth}
            found.append((match[2], match[3] or "MW000", parents[max(parents)] if parents else "Exception"))
            parents[depth] = match[2]
    return found


def actual(kinds: list[type[ModelwrightError]]) -> set[tuple[str, str, str]]:
    branches = {kind for kind in kinds if kind.code.endswith("00") and kind is not ModelwrightError}
    return {(k.__name__, k.code[:-2] + "xx" if k in branches else k.code, k.__mro__[1].__name__) for k in kinds}


PARTS = [exchange_errors, project_errors, registry_errors, serving_errors]
"""Modules that hold and draw a branch of their own."""


@pytest.mark.parametrize("module", [modelwright.runtime.errors, *PARTS], ids=lambda module: module.__name__)
def test_the_drawn_tree_is_the_real_tree(module):
    here = [kind for kind in ERRORS if getattr(module, kind.__name__, None) is kind]
    assert set(drawn(module.__doc__)) == actual(here)


def test_the_tree_of_the_tool_and_those_that_it_points_to_are_the_real_tree():
    trees = [drawn(module.__doc__) for module in (errors, *PARTS)]
    assert set().union(*trees) == actual(ERRORS)
    own = [kind for kind in ERRORS if kind.__module__ not in {module.__name__ for module in PARTS}]
    branches = [kind for kind in ERRORS if kind.code.endswith("00") and kind not in own]
    assert set(trees[0]) == actual([*own, *branches])


@pytest.mark.parametrize("module", PARTS, ids=lambda module: module.__name__)
def test_the_tree_of_the_tool_says_where_a_branch_is_drawn(module):
    (branch,) = (kind for kind in ERRORS if kind.__module__ == module.__name__ and kind.code.endswith("00"))
    (line,) = (line for line in errors.__doc__.splitlines() if f" {branch.__name__} " in line)
    assert line.endswith(f"({module.__name__})")


def test_the_tool_knows_every_error_of_the_runtime_and_its_own():
    assert {kind.__name__ for kind in ERRORS} <= set(errors.__all__)


def test_codes_are_unique():
    codes = [kind.code for kind in ERRORS]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.code)
def test_error_has_a_docstring_of_its_own_and_survives_pickling(kind):
    assert kind.__dict__.get("__doc__")
    error = kind("what", where="where", why="why", hint="hint", problems=[Problem(1, "a", "is odd", "make it even")])
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.to_dict() == error.to_dict()


def test_message_has_what_where_problems_why_and_fix_in_this_order():
    error = errors.SignatureError(
        "The rows do not fit.", where="rows.csv", why="it matters", hint="mend it", problems=[Problem(3, "age", "null")]
    )
    assert str(error).splitlines() == [
        "MW201: The rows do not fit.",
        "  where: rows.csv",
        "  - row 3, column 'age': null",
        "  why: it matters",
        "  fix: mend it",
    ]


def test_message_shows_a_page_of_problems_and_counts_the_rest():
    error = errors.SignatureError("Many.", problems=[Problem(row, None, "odd") for row in range(25)])
    assert str(error).endswith("… and 5 more")
    assert len(error.to_dict()["details"]) == 25
