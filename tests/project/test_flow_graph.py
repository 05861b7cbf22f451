"""The def/use graph: who needs whom, through names, changes in place, shared objects, functions, files and seeds."""

from __future__ import annotations

import pytest

from modelwright.errors import CellError
from modelwright.project.notebook.flow import Flow, trace
from modelwright.project.notebook.order import put_in_order
from modelwright.project.notebook.statements import CodeCell, imported_modules, split


def flow_of(*lines: str) -> Flow:
    cells = [CodeCell(number, line) for number, line in enumerate(lines, 1)]
    modules = imported_modules(cells)
    return trace([statement for cell in cells for statement in split(cell, modules)])


def needed(flow: Flow, index: int) -> set[int]:
    return flow.needed([index]) - {index}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a = 1", "b = 2", "c = a"], {0}),
        (["df = read()", "df['x'] = 1", "y = df"], {0, 1}),
        (["df = read()", "df.drop('x', inplace=True)", "y = df"], {0, 1}),
        (["df = read()", "df.head()", "y = df"], {0}),
        (["df = read()", "df = clean(df)", "y = df"], {0, 1}),
        (["df = old()", "df = new()", "y = df"], {1}),
        (["a = read()", "parts = [a]", "for p in parts:\n    p['x'] = 1", "y = a"], {0, 1, 2}),
        (["m = Model()", "m.fit(x)", "n = m"], {0, 1}),
        (["n = 0", "def f(d):\n    d['x'] = n", "d = {}", "f(d)", "y = d"], {0, 1, 2, 3}),
        (["for i in a:\n    use(i)", "for i in b:\n    z = i", "y = i"], {1}),
    ],
)
def test_last_statement_needs_what_made_what_it_reads(lines: list[str], expected: set[int]) -> None:
    assert needed(flow_of(*lines), len(lines) - 1) == expected


def test_target_of_a_loop_is_a_new_value_each_time() -> None:
    flow = flow_of("for part in a:\n    part['x'] = 1", "for part in b:\n    part['y'] = 1")

    assert [value.made for value in flow.values if value.name == "part"] == [0, 1]
    assert needed(flow, 1) == set()


def test_statement_that_changes_an_object_follows_those_that_read_it() -> None:
    flow = flow_of("df = read()", "n = len(df)", "df['x'] = 1")

    assert 1 in flow.touches[2].after
    assert 1 not in flow.touches[2].needs


def test_random_statements_keep_their_order() -> None:
    flow = flow_of("import numpy as np", "np.random.seed(0)", "a = np.random.rand(3)", "b = np.random.rand(3)")

    assert {1, 2} <= needed(flow, 3)


def test_seeded_draws_are_independent() -> None:
    flow = flow_of("a = frame.sample(5, random_state=1)", "b = frame.sample(5, random_state=1)")

    assert needed(flow, 1) == set()


def test_reading_a_file_needs_what_wrote_it() -> None:
    flow = flow_of("df = make()", "df.to_csv('a.csv')", "again = read_csv('a.csv')")

    assert needed(flow, 2) == {0, 1}


def test_name_that_nothing_defines_is_undefined() -> None:
    assert [(one.name, one.index) for one in flow_of("a = 1", "b = lost + a").undefined] == [("lost", 1)]


def test_name_missing_inside_a_function_is_undefined_where_it_is_called() -> None:
    (found,) = flow_of("def f():\n    return lost", "f()").undefined

    assert (found.name, found.index, found.through) == ("lost", 1, "f")


def test_definition_below_its_use_is_moved_up_and_told() -> None:
    ordered = put_in_order([CodeCell(1, "y = f(1)"), CodeCell(2, "def f(x):\n    return x")])

    assert [one.defines for one in ordered.flow.statements] == ["f", ""]
    assert "defined in cell 2" in ordered.notes[0]


def test_cells_that_only_work_as_they_were_run_are_put_in_that_order() -> None:
    cells = [CodeCell(1, "b = a + 1", execution_count=2), CodeCell(2, "a = 1", execution_count=1)]

    ordered = put_in_order(cells)

    assert [one.cell.number for one in ordered.flow.statements] == [2, 1]


def test_name_of_a_cell_that_is_gone_is_refused_with_cell_and_line() -> None:
    with pytest.raises(CellError, match="Cell 2 uses 'lost'") as refusal:
        put_in_order([CodeCell(1, "a = 1"), CodeCell(2, "b = a\nc = lost")])

    assert "cell 2, line 2" in str(refusal.value)
