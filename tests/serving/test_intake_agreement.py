"""The shortcut and the exact way agree on whatever is sent, and so do all forms, to the last bit."""

from __future__ import annotations

import json
import struct
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from serving_contracts import contract_for, floats

from modelwright.errors import ModelwrightError
from modelwright.runtime.encoding import encode
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table
from modelwright.serving.intake.reader import Reader
from modelwright.serving.intake.strict_json import decode
from modelwright.spec.signature import Field

JSON = "application/json"
NAMES = st.sampled_from(["a", "b", "a:b", "größe", "mean radius", "rows", "unit", ""])
ODD_NAMES = NAMES | st.sampled_from(['"', "x\\y", "new\nline"])
DATATYPES = ["bool", "int8", "int64", "uint8", "uint64", "float32", "float64", "string", "bytes", "date"]
DATATYPES += ["datetime", "duration", "json"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.sampled_from([0, 1, 42, -128, 127, 128, 2**53 + 1, 2**63, 2**64 - 1])
    | st.floats()
    | st.sampled_from(["NaN", "Infinity", "", "aGk=", "basic", "2026-11-20", "12:30", "2026-11-20T12:30:00", "é:"])
    | st.text(max_size=5)
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=2), SCALARS, max_size=2)
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int8": st.integers(-128, 127),
    "uint8": st.integers(0, 255),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "float32": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**300), 10**300),
    "float64": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25),
    "string": st.text(max_size=8) | st.sampled_from(["basic", "12:30"]),
    "bytes": st.binary(max_size=8).map(encode),
    "date": st.dates().map(encode),
    "datetime": st.datetimes().map(encode),
    "duration": st.floats(-1e6, 1e6) | st.integers(-1000, 1000),
    "json": VALUES,
}


@st.composite
def fields(draw: st.DrawFn) -> tuple[Field, ...]:
    made = []
    names = draw(st.sampled_from([NAMES, NAMES, ODD_NAMES]))
    datatypes = draw(st.sampled_from([DATATYPES, ["float32", "float64"]]))
    for name in draw(st.lists(names, min_size=1, max_size=4, unique=True)):
        datatype = draw(st.sampled_from(datatypes))
        number = datatype in ("int8", "int64", "uint8", "uint64", "float32", "float64")
        shape = draw(st.sampled_from([(), (), (2,), (-1,), (1, 2)])) if datatypes is DATATYPES else ()
        settings: dict[str, Any] = {}
        if datatype == "string" and draw(st.booleans()):
            settings |= {"categories": ("basic", "12:30"), "on_unknown": draw(st.sampled_from(["allow", "error"]))}
        if number and draw(st.integers(0, 3)) == 0:
            settings |= {"training_range": (0, 100), "on_out_of_range": draw(st.sampled_from(["allow", "error"]))}
        nullable, infinite = draw(st.booleans()), draw(st.booleans())
        made.append(Field(name=name, datatype=datatype, shape=shape, nullable=nullable, infinite=infinite, **settings))
    return tuple(made)


def fitting(field: Field) -> st.SearchStrategy[Any]:
    values = FITTING[field.datatype]
    for length in reversed(field.shape):
        values = st.lists(values, min_size=max(length, 0), max_size=length if length >= 0 else 3)
    return (values | st.none()) if field.nullable else values


@st.composite
def requests(draw: st.DrawFn) -> tuple[Contract, bytes]:
    """A contract, and a body that fits it or nearly does."""
    inputs = draw(fields())
    size = draw(st.integers(1, 3))
    rows = [{field.name: draw(fitting(field)) for field in inputs} for _ in range(size)]
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        row = draw(st.sampled_from(rows))
        row[draw(st.sampled_from(inputs)).name if draw(st.booleans()) else draw(NAMES)] = draw(VALUES)
    names = draw(st.permutations(list(rows[0])))
    document: Any = [{name: row.get(name) for name in names} for row in rows]
    if draw(st.booleans()):
        columns = {name: [row.get(name) for row in rows] for name in names}
        document = {"columns": columns} if draw(st.booleans()) else {"rows": document}
        if draw(st.booleans()):
            document["unit"] = draw(st.sampled_from(["", "customer:17", "é"]))
    container = draw(st.sampled_from(["records", "pandas", "numpy"]))
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([None, (",", ":")])))
    return contract_for(*inputs, container=container), text.encode()


def outcome(read: Any, text: bytes) -> Any:
    """What comes out, so that NaN equals NaN and 1 is not 1.0."""
    try:
        return repr(read(text))
    except ModelwrightError as error:
        return str(error)


@settings(max_examples=400, deadline=None)
@given(requests())
def test_the_shortcut_and_the_exact_way_agree(request):
    contract, text = request
    reader = Reader(contract)
    assert outcome(lambda one: reader.read(one, JSON), text) == outcome(reader._json_exactly, text)


@settings(max_examples=200, deadline=None)
@given(requests(), st.data())
def test_they_agree_on_keys_that_appear_twice(request, data):
    contract, text = request
    places = [place for place, byte in enumerate(text) if byte == ord("{")]
    if not places:
        return
    place = data.draw(st.sampled_from(places)) + 1
    name = data.draw(st.sampled_from([*contract.fields, "unit", "rows", "k"]))
    member = f"{json.dumps(name)}: {json.dumps(data.draw(SCALARS))}".encode()
    empty = text[place : place + 1] == b"}"
    altered = text[:place] + member + (b"" if empty else b", ") + text[place:]
    reader = Reader(contract)
    assert outcome(lambda one: reader.read(one, JSON), altered) == outcome(reader._json_exactly, altered)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False), st.floats(width=32, allow_nan=False, allow_infinity=False)
        ),
        min_size=1,
        max_size=5,
    )
)
@example([(-0.0, 5e-324)])
@example([(1.7976931348623157e308, 2.2250738585072014e-308)])
def test_all_forms_give_the_same_table_to_the_last_bit(rows):
    reader = Reader(floats("a", "b"))
    columns = {"a": [row[0] for row in rows], "b": [row[1] for row in rows]}
    expected = Table(len(rows), block=b"".join(struct.pack("2d", *row) for row in rows))
    records = [{"a": a, "b": b} for a, b in rows]
    for document in (records, {"rows": records}, {"columns": columns}):
        assert reader.read(json.dumps(document).encode(), JSON).table == expected
    lines = "".join(f"{a!r},{b!r}\n" for a, b in rows)
    assert reader.read(f"a,b\n{lines}".encode(), "text/csv").table == expected


@given(st.integers(-(10**40), 10**40))
def test_integers_become_the_nearest_float_as_in_python(number):
    text = json.dumps([{"a": number}]).encode()
    assert Reader(floats("a")).read(text, JSON).table.block == struct.pack("d", float(number))
    assert decode(text) == [{"a": number}]
