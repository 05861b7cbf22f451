"""Names of a statement: which it reads from before, binds, and leaves to its callers."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.project.notebook.names import occurrences
from modelwright.project.notebook.statements import CodeCell, Statement, split


def only(code: str) -> Statement:
    (statement,) = split(CodeCell(1, code), {})
    return statement


@pytest.mark.parametrize(
    ("code", "reads", "binds", "may_bind"),
    [
        ("y = f(x)", {"f", "x"}, {"y"}, set()),
        ("x = x + 1", {"x"}, {"x"}, set()),
        ("x += 1", {"x"}, set(), {"x"}),
        ("a, (b, *c) = d", {"d"}, {"a", "b", "c"}, set()),
        ("y = [f(x) for x in rows if x > low]", {"rows", "low", "f"}, {"y"}, set()),
        ("y = {k: v for k, v in d.items()}", {"d"}, {"y"}, set()),
        ("f = lambda x: x + y", {"y"}, {"f"}, set()),
        ("if big:\n    x = 1\nelse:\n    x = 2", {"big"}, set(), {"x"}),
        ("for part in parts:\n    use(part)", {"parts", "use"}, {"part"}, set()),
        ("for part in parts:\n    total = total + part", {"parts", "total"}, {"part"}, {"total"}),
        ("with open(p) as file:\n    text = file.read()", {"open", "p"}, {"file", "text"}, set()),
        ("try:\n    x = 1\nexcept ValueError as error:\n    print(error)", {"ValueError", "print"}, set(), {"x"}),
        ("import a.b as c, d.e", set(), {"c", "d"}, set()),
        ("if (n := size()) > 1:\n    pass", {"size"}, {"n"}, set()),
    ],
)
def test_statement_reads_and_binds_names(code: str, reads: set[str], binds: set[str], may_bind: set[str]) -> None:
    statement = only(code)

    assert statement.reads == reads
    assert statement.binds == binds
    assert statement.may_bind == may_bind


def test_function_leaves_free_names_to_its_callers() -> None:
    statement = only("def f(x, y=default):\n    z = x + y + outer\n    return [z + inner for z in rows]")

    assert statement.reads == {"default"}
    assert statement.deferred == {"outer", "inner", "rows"}
    assert statement.binds == {"f"}


def test_function_that_declares_a_global_binds_it_when_called() -> None:
    assert only("def f():\n    global n\n    n = 1").deferred_binds == {"n"}


def test_method_does_not_see_names_of_its_class() -> None:
    statement = only("class C:\n    limit = 3\n    def f(self):\n        return limit")

    assert statement.deferred == {"limit"}


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4))
def test_occurrences_stand_where_they_say(names: list[str]) -> None:
    code = f"total = {' + '.join(names)}"

    found = occurrences(ast.parse(code).body[0])

    assert [one.name for one in found] == [*names, "total"]
    assert all(code[one.column :].startswith(one.name) for one in found)
