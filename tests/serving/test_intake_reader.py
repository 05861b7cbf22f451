"""Bytes of a request become a table, or one error that says everything that is wrong."""

from __future__ import annotations

import json
import struct
from datetime import date, datetime, timedelta

import pytest
from serving_contracts import contract_for, floats

from modelwright.errors import MediaTypeError, MessageError, SignatureError, TooLargeError
from modelwright.serving.inference import Table
from modelwright.serving.intake.judging import table_of, table_of_rows
from modelwright.serving.intake.reader import Question, Reader
from modelwright.spec.signature import Field

JSON = "application/json"
FIELDS = (
    Field(name="age", datatype="int8"),
    Field(name="income", datatype="float64", nullable=True),
    Field(name="plan", datatype="string", categories=("basic", "premium"), on_unknown="error"),
    Field(name="since", datatype="date"),
)
ROW = {"age": 42, "income": 1.5, "plan": "basic", "since": "2026-11-20"}
MIXED = Reader(contract_for(*FIELDS))
BLOCK = Reader(floats("a", "b"))


def body(document: object) -> bytes:
    return json.dumps(document).encode()


def problems(document: object, reader: Reader = MIXED) -> list[str]:
    with pytest.raises(SignatureError) as caught:
        reader.read(document if isinstance(document, bytes) else body(document), JSON)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("document", "form", "unit"),
    [
        ({"rows": [ROW]}, "rows", ""),
        ([ROW], "rows", ""),
        ({"columns": {name: [value] for name, value in ROW.items()}}, "columns", ""),
        ({"unit": "customer:17", "rows": [ROW]}, "rows", "customer:17"),
        ({"columns": {name: [value] for name, value in reversed(ROW.items())}, "unit": ""}, "columns", ""),
    ],
)
def test_rows_and_columns_are_read(document, form, unit):
    question = MIXED.read(body(document), JSON)
    columns = {"age": [42], "income": [1.5], "plan": ["basic"], "since": [date(2026, 11, 20)]}
    assert question == Question(Table(1, columns=columns), form, unit)
    assert list(question.table.columns or ()) == list(columns)


def test_a_table_of_floats_is_one_block():
    for document in ([{"b": 2, "a": 1.5}, {"a": 3, "b": 4}], {"columns": {"b": [2, 4], "a": [1.5, 3]}}):
        assert BLOCK.read(body(document), JSON).table == Table(2, block=struct.pack("4d", 1.5, 2, 3, 4))
    contract = floats("a", "b", nullable=True)
    block = Reader(contract).read(b'[{"a": null, "b": "NaN"}]', JSON).table.block
    assert all(value != value for value in struct.unpack("2d", block or b""))


def test_every_problem_is_listed_at_once_with_row_and_column():
    rows = [
        {**ROW, "age": "x"},
        {**ROW, "age": 300, "plan": "premum"},
        {**ROW, "income": None, "since": "20.11.2026"},
        {**ROW, "age": None, "income": True},
    ]
    assert problems(rows) == [
        "row 0, column 'age': 'x' is text; a whole number is needed",
        "row 1, column 'age': 300 does not fit int8, -128 to 127",
        "row 1, column 'plan': 'premum' is a level that the model has never seen (did you mean 'premium'?)",
        "row 2, column 'since': '20.11.2026' is no ISO 8601 text; a date such as 2026-11-20 is needed",
        "row 3, column 'age': is missing; a value is needed",
        "row 3, column 'income': True is a truth value; a number is needed",
    ]


@pytest.mark.parametrize("form", ["rows", "columns"])
def test_renamed_missing_and_extra_columns_are_named(form):
    renamed = {"age": 1, "incom": 1.0, "plan": "basic", "since": "2026-11-20", "extra": 1}
    held = [renamed] if form == "rows" else {name: [value] for name, value in renamed.items()}
    said = " | ".join(problems({form: held}))
    assert "'incom'" in said
    assert "'income'" in said
    assert "'extra'" in said
    assert "'income'" in " | ".join(problems({form: [{}] if form == "rows" else {"age": [1]}}))


def test_a_row_that_lacks_an_entry_and_columns_of_unequal_length_are_named():
    assert "row 1, column 'b': has no entry (write null where a value is missing)" in problems(
        [{"a": 1, "b": 2}, {"a": 1}], BLOCK
    )
    assert problems({"columns": {"a": [1, 2], "b": [1]}}, BLOCK) == [
        "column 'b': has 1 values where other columns have 2"
    ]


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_come_as_text_and_only_where_they_may_be(token):
    with pytest.raises(MessageError, match="which is not JSON"):
        BLOCK.read(f'[{{"a": {token}, "b": 1}}]'.encode(), JSON)
    text = f'[{{"a": "{token}", "b": 1}}]'.encode()
    assert len(problems(text, BLOCK)) == 1
    taken = Reader(floats("a", "b", nullable=True, infinite=True)).read(text, JSON)
    assert repr(struct.unpack("2d", taken.table.block or b"")[0]) == repr(float(token))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400])
def test_a_number_that_overflows_is_no_way_around(number):
    for text in (f'[{{"a": {number}, "b": 1}}]', f'{{"columns": {{"a": [{number}], "b": [1]}}}}'):
        assert len(problems(text.encode(), BLOCK)) == 1


@pytest.mark.parametrize("number", ["128", "-129", str(2**63), str(2**64), "9" * 4300, "1e300", "1.5"])
def test_integers_are_judged_by_their_width(number):
    assert len(problems(body([ROW]).replace(b"42", number.encode()))) == 1


def test_huge_integers_are_refused_in_every_form():
    with pytest.raises(MessageError, match="5000 digits"):
        MIXED.read(body([ROW]).replace(b"42", b"9" * 5000), JSON)
    with pytest.raises(MessageError, match="more than 4300 digits"):
        MIXED.read(b"age,income,plan,since\n" + b"9" * 5000 + b",1,basic,2026-11-20\n", "text/csv")


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1, "a": 2, "b": 3}]',
        '[{"a": 1, "\\u0061": 2, "b": 3}]',
        '{"rows": [{"a": 1, "b": 2}], "rows": [{"a": 1, "b": 2}]}',
        '{"unit": ":", "unit": "", "rows": [{"a": 1, "b": 2}]}',
        '{"columns": {"a": [1], "b": [2], "b": [2]}}',
        '{"columns": {"a": [1], "b": [2]}, "unit": "x:", "unit": "\\u003a:"}',
    ],
)
def test_keys_that_appear_twice_are_refused(text):
    with pytest.raises(MessageError, match="appears 2 times"):
        BLOCK.read(text.encode(), JSON)


@pytest.mark.parametrize("value", ['{"k": 1, "k": 2}', '[{"k": {"a:b": ":", "a:b": 1}}]', '{"k": 1, "\\u006b": ":"}'])
def test_keys_that_appear_twice_inside_a_value_are_refused(value):
    reader = Reader(contract_for(Field(name="x", datatype="json"), Field(name="s:t", datatype="string")))
    text = f'{{"rows": [{{"x": {value}, "s:t": "12:30"}}]}}'
    with pytest.raises(MessageError, match="appears 2 times"):
        reader.read(text.encode(), JSON)
    fine = reader.read(b'{"rows": [{"x": {"k": [1, {"j": ":"}]}, "s:t": "12:30"}]}', JSON)
    assert fine.table.columns == {"x": [{"k": [1, {"j": ":"}]}], "s:t": ["12:30"]}


def test_deep_nesting_is_refused_where_a_value_may_be_anything():
    reader = Reader(contract_for(Field(name="x", datatype="json")))
    for levels, fits in ((29, True), (30, False), (5000, False)):
        text = b'{"rows": [{"x": ' + b"[" * levels + b"]" * levels + b"}]}"
        if fits:
            assert reader.read(text, JSON).table.size == 1
        else:
            with pytest.raises(TooLargeError, match="deeper than 32 levels"):
                reader.read(text, JSON)
    with pytest.raises(TooLargeError, match="deeper than 32 levels"):
        BLOCK.read(b'[{"a": ' + b"[" * 99 + b"]" * 99 + b', "b": 1}]', JSON)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"a": 1, "b": 2}, 'Wrap it: {"rows": [{…}]}.'),
        ({"a": [1], "b": [2]}, 'Wrap them: {"columns": {…}}.'),
        ({"rows": {"a": 1, "b": 2}}, 'Wrap a single row: {"rows": [{…}]}.'),
        ({"row": [{"a": 1, "b": 2}]}, "It holds 'row'".lower()),
        ({"rows": [], "columns": {}}, "one of them is needed"),
        ({"rows": [{"a": 1, "b": 2}], "units": "x"}, "Did you mean 'unit'?"),
        ({"rows": [[1, 2]]}, "Row 0 is a list; an object from column to value is needed."),
        ([[1, 2]], "Row 0 is a list"),
        ({"rows": [{"a": 1, "b": 2}], "unit": 17}, "The unit is a number; text is needed."),
        ({"columns": [1]}, "The columns are a list"),
        ({"columns": {"a": 1, "b": [1]}}, "The column 'a' is a number; a list with a value per row is needed."),
        ({}, "The body holds neither rows nor columns."),
        (3, "The body is a number, which holds no rows."),
        ("rows", "The body is text, which holds no rows."),
        (None, "The body is null, which holds no rows."),
    ],
)
def test_another_shape_is_refused_and_the_hint_says_what_is_understood(document, said):
    with pytest.raises(MessageError) as caught:
        BLOCK.read(body(document), JSON)
    assert said.lower() in f"{caught.value.what} {caught.value.hint}".lower()


@pytest.mark.parametrize("document", [[], {"rows": []}, {"columns": {"a": [], "b": []}}, {"columns": {}}])
def test_no_rows_are_refused(document):
    with pytest.raises(MessageError, match="holds no rows"):
        BLOCK.read(body(document), JSON)


def test_more_rows_than_allowed_are_refused_whatever_the_form():
    reader = Reader(floats("a"))
    many = 100_001
    bodies = {
        JSON: [body([{"a": 1}] * many), body({"columns": {"a": [1] * many}}), body([{"a": "x"}] * many)],
        "text/csv": [b"a\n" + b"1\n" * many],
    }
    for kind, texts in bodies.items():
        for text in texts:
            with pytest.raises(TooLargeError, match="100000"):
                reader.read(text, kind)
    assert reader.read(body({"columns": {"a": [1] * 100_000}}), JSON).table.size == 100_000
    with pytest.raises(TooLargeError, match="at most 1 "):
        Reader(floats("a"), max_rows=1).read(b'[{"a":1},{"a":2}]', JSON)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "json", "application/jsonl"])
def test_another_content_type_is_refused_with_what_is_understood(kind):
    with pytest.raises(MediaTypeError) as caught:
        BLOCK.read(b"[]", kind)
    assert "application/json" in caught.value.hint


def test_parameters_of_the_content_type_are_judged():
    fine = b'[{"a": 1, "b": 2}]'
    for kind in ("application/json;charset=UTF-8", 'Application/JSON ; charset="utf-8"', "application/json; v=1"):
        assert BLOCK.read(fine, kind).table.size == 1
    with pytest.raises(MediaTypeError, match="latin-1"):
        BLOCK.read(fine, "application/json; charset=latin-1")


def test_invalid_utf8_is_refused_in_text_of_every_form():
    for kind, text in ((JSON, b'[{"a": 1, "\xff": 2}]'), ("text/csv", b"a,b\n1,\xff\n")):
        with pytest.raises(MessageError, match="no UTF-8") as caught:
            BLOCK.read(text, kind)
        assert caught.value.where == f"byte {text.index(0xFF)}"


def test_names_that_the_decoder_cannot_look_for_are_read_all_the_same():
    reader = Reader(floats('say "a"', "back\\slash", "new\nline"))
    row = {'say "a"': 1, "back\\slash": 2, "new\nline": 3}
    assert reader.read(body([row]), JSON).table.block == struct.pack("3d", 1, 2, 3)


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        (Field(name="x", datatype="bytes"), "aGk=", b"hi"),
        (Field(name="x", datatype="datetime"), "2026-11-20T13:45:00", datetime(2026, 11, 20, 13, 45)),
        (Field(name="x", datatype="duration"), 1.5, timedelta(seconds=1.5)),
        (Field(name="x", datatype="uint64"), 2**64 - 1, 2**64 - 1),
        (Field(name="x", datatype="int64"), 3.0, 3),
        (Field(name="x", datatype="float32", shape=(2, -1)), [[1], [2.5, 3]], [[1.0], [2.5, 3.0]]),
        (Field(name="x", datatype="bytes", shape=(1,)), ["aGk="], [b"hi"]),
        (Field(name="x", datatype="float64", shape=(2,), nullable=True), ["NaN", None], None),
        (Field(name="x", datatype="json"), {"a": [None, {}]}, {"a": [None, {}]}),
        (Field(name="x", datatype="string", nullable=True), None, None),
        (Field(name="x", datatype="bool"), True, True),
    ],
)
def test_values_come_back_as_python_has_them(field, sent, read):
    reader = Reader(contract_for(field))
    for document in ([{"x": sent}], {"columns": {"x": [sent]}}):
        columns = reader.read(body(document), JSON).table.columns or {}
        assert list(columns) == ["x"]
        if read is not None or sent is None:
            assert columns["x"] == [read]
            assert type(columns["x"][0]) is type(read)


def test_a_tensor_of_another_shape_is_named():
    reader = Reader(contract_for(Field(name="x", datatype="float64", shape=(2,))))
    assert "a tensor of shape [2] is needed" in problems([{"x": [1, 2, 3]}], reader)[0]
    assert "is no list" in problems([{"x": 1}], reader)[0]


def test_csv_is_read_by_the_types_of_the_fields():
    text = b'\xef\xbb\xbfplan,age,income,since\r\nbasic,42,,2026-11-20\r\n"premium",7,1e3,2026-01-01\r\n'
    assert MIXED.read(text, "text/csv; charset=utf-8").table.columns == {
        "age": [42, 7],
        "income": [None, 1000.0],
        "plan": ["basic", "premium"],
        "since": [date(2026, 11, 20), date(2026, 1, 1)],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "The body is empty"),
        (b"a,b\n", "holds no rows"),
        (b"a,b\n1\n", "Line 2 has 1 cells; the first line names 2 columns."),
        (b"a,b,a\n1,2,3\n", "names the column 'a' 2 times"),
        (b'a,b\n1,"2\n', "The body is no CSV"),
        (b"a,b\n1," + b"2" * 200_000 + b"\n", "The body is no CSV"),
    ],
)
def test_damaged_csv_is_refused(text, said):
    with pytest.raises(MessageError) as caught:
        BLOCK.read(text, "text/csv")
    assert said in caught.value.what


@pytest.mark.parametrize("cell", ["x", "", "nan", "inf", "1_000", "1,5", "1 2"])
def test_cells_that_are_no_number_are_named(cell):
    with pytest.raises(SignatureError) as caught:
        BLOCK.read(f'a,b\n1,2\n"{cell}",2\n'.encode(), "text/csv")
    assert [(problem.row, problem.column) for problem in caught.value.problems] == [(1, "a")]


def test_cells_of_tensors_hold_strict_json():
    reader = Reader(contract_for(Field(name="x", datatype="float64", shape=(2,))))
    assert reader.read(b'x\n"[1, 2.5]"\n', "text/csv").table.columns == {"x": [[1.0, 2.5]]}
    with pytest.raises(SignatureError):
        reader.read(b'x\n"[1, NaN]"\n', "text/csv")


def test_other_transports_judge_plain_values_alike():
    contract = contract_for(*FIELDS)
    expected = MIXED.read(body([ROW]), JSON).table
    assert table_of_rows(contract, [dict(ROW)]) == expected
    assert table_of(contract, {name: [value] for name, value in ROW.items()}, 1) == expected
    with pytest.raises(MessageError, match="holds no rows"):
        table_of_rows(contract, [])
    with pytest.raises(TooLargeError, match="at most 1 "):
        table_of(contract, {"age": [1, 2]}, 2, max_rows=1)


def test_far_more_columns_than_the_model_has_are_refused_without_naming_them():
    names = [f"k{number}" for number in range(1003)]
    header = ",".join(names)
    for kind, text in (
        (JSON, body([dict.fromkeys(names, 1)])),
        (JSON, body({"columns": {name: [1] for name in names}})),
        ("text/csv", f"{header}\n{','.join('1' for _ in names)}\n".encode()),
    ):
        with pytest.raises(TooLargeError, match="1003 columns; the model has 2"):
            BLOCK.read(text, kind)
    assert len(problems([dict.fromkeys(names[:1000], 1)], BLOCK)) == 1000
