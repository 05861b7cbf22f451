"""Which change of a signature asks for which version step: laws and single cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.inspecting.changes import Change, judge, next_version
from modelwright.inspecting.compatibility import accepts, compare_signatures
from modelwright.spec.signature import Field, Output, Signature

NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint64", "float32", "float64")
DATATYPES = (*NUMBERS, "bool", "string", "date", "datetime", "json")


def replace(thing: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(thing, **changes)


@st.composite
def fields(draw: st.DrawFn, kind: type[Field] = Field, name: str | None = None) -> Any:
    low = draw(st.integers(-5, 5))
    return kind(
        name=name or draw(st.text("abcdefgh", min_size=1, max_size=6)),
        datatype=draw(st.sampled_from(DATATYPES)),
        nullable=draw(st.booleans()),
        infinite=draw(st.booleans()),
        categories=draw(st.none() | st.lists(st.sampled_from("klmn"), unique=True, min_size=1).map(tuple)),
        on_unknown=draw(st.sampled_from(["allow", "error"])),
        training_range=draw(st.none() | st.just((low, low + draw(st.integers(0, 9))))),
        on_out_of_range=draw(st.sampled_from(["allow", "error"])),
        unit=draw(st.sampled_from(["", "EUR"])),
    )


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    inputs = draw(st.lists(fields(), min_size=1, max_size=4, unique_by=lambda field: field.name))
    outputs = draw(st.lists(fields(Output), min_size=1, max_size=3, unique_by=lambda field: field.name))
    return Signature(inputs=tuple(inputs), outputs=tuple(outputs), container="pandas")


def level(old: Signature, new: Signature) -> str:
    return judge(compare_signatures(old, new), old="1.0.0", new="1.0.0").level


@given(signatures())
def test_a_signature_is_compatible_with_itself(signature: Signature) -> None:
    assert compare_signatures(signature, signature) == []


def with_input(signature: Signature, **changes: Any) -> Signature:
    return replace(signature, inputs=(replace(signature.inputs[0], **changes), *signature.inputs[1:]))


def with_output(signature: Signature, **changes: Any) -> Signature:
    return replace(signature, outputs=(replace(signature.outputs[0], **changes), *signature.outputs[1:]))


BREAKING: dict[str, Callable[[Signature], tuple[Signature, Signature]]] = {
    "an input that goes": lambda one: (one, replace(one, inputs=one.inputs[1:])),
    "an input that comes": lambda one: (
        one,
        replace(one, inputs=(*one.inputs, Field(name="zzzzzzz", datatype="int8", nullable=True))),
    ),
    "an input that is renamed": lambda one: (one, with_input(one, name=one.inputs[0].name + "zzzz")),
    "inputs in another order": lambda one: (
        replace(one, inputs=(*one.inputs, Field(name="zzz", datatype="int8"))),
        replace(one, inputs=(Field(name="zzz", datatype="int8"), *one.inputs)),
    ),
    "null no longer allowed": lambda one: (with_input(one, nullable=True), with_input(one, nullable=False)),
    "infinity no longer allowed": lambda one: (with_input(one, infinite=True), with_input(one, infinite=False)),
    "text instead of numbers": lambda one: (with_input(one, datatype="float64"), with_input(one, datatype="string")),
    "a narrower integer": lambda one: (with_input(one, datatype="int64"), with_input(one, datatype="int8")),
    "integers instead of floats": lambda one: (
        with_input(one, datatype="float64"),
        with_input(one, datatype="int64"),
    ),
    "another unit": lambda one: (with_input(one, unit="EUR"), with_input(one, unit="USD")),
    "another time zone": lambda one: (with_input(one, timezone=None), with_input(one, timezone="UTC")),
    "a level that is refused now": lambda one: (
        with_input(one, categories=("a", "b"), on_unknown="error"),
        with_input(one, categories=("a",), on_unknown="error"),
    ),
    "unknown levels refused now": lambda one: (
        with_input(one, categories=("a",), on_unknown="allow"),
        with_input(one, categories=("a",), on_unknown="error"),
    ),
    "a narrower range": lambda one: (
        with_input(one, training_range=(0, 9), on_out_of_range="error"),
        with_input(one, training_range=(1, 9), on_out_of_range="error"),
    ),
    "a range that is enforced now": lambda one: (
        with_input(one, training_range=(0, 9), on_out_of_range="allow"),
        with_input(one, training_range=(0, 9), on_out_of_range="error"),
    ),
    "a range of another kind": lambda one: (
        with_input(one, training_range=(0, 9), on_out_of_range="error"),
        with_input(one, training_range=("2026-01-01", "2026-02-01"), on_out_of_range="error"),
    ),
    "a fixed width": lambda one: (with_input(one, shape=(-1,)), with_input(one, shape=(3,))),
    "an output that goes": lambda one: (one, replace(one, outputs=one.outputs[1:])),
    "an output more of the same method": lambda one: (
        one,
        replace(one, outputs=(*one.outputs, Output(name="zzzzzzz", datatype="int8"))),
    ),
    "answers that may be missing": lambda one: (with_output(one, nullable=False), with_output(one, nullable=True)),
    "floats as answers": lambda one: (with_output(one, datatype="int64"), with_output(one, datatype="float64")),
    "class labels in another order": lambda one: (with_output(one, labels=(0, 1)), with_output(one, labels=(1, 0))),
    "one class more": lambda one: (with_output(one, labels=(0, 1)), with_output(one, labels=(0, 1, 2))),
    "an answer nobody knows": lambda one: (
        with_output(one, categories=("a",)),
        with_output(one, categories=("a", "b")),
    ),
    "answers in another unit": lambda one: (with_output(one, unit="EUR"), with_output(one, unit="USD")),
}


@pytest.mark.parametrize("name", BREAKING)
@settings(max_examples=15, deadline=None)
@given(signature=signatures())
def test_every_breaking_change_is_major(name: str, signature: Signature) -> None:
    old, new = BREAKING[name](signature)
    assert level(old, new) == "MAJOR"


WIDENING: dict[str, Callable[[Signature], tuple[Signature, Signature]]] = {
    name: lambda one, breaking=BREAKING[name]: tuple(reversed(breaking(one)))  # type: ignore[misc]
    for name in (
        "null no longer allowed",
        "infinity no longer allowed",
        "a narrower integer",
        "integers instead of floats",
        "a level that is refused now",
        "unknown levels refused now",
        "a narrower range",
        "a range that is enforced now",
        "a fixed width",
        "answers that may be missing",
        "floats as answers",
        "an answer nobody knows",
    )
}
WIDENING["an output of a new method"] = lambda one: (
    one,
    replace(one, outputs=(*one.outputs, Output(name="zzzzzzz", datatype="float64", method="transform"))),
)


@pytest.mark.parametrize("name", WIDENING)
@settings(max_examples=15, deadline=None)
@given(signature=signatures())
def test_every_widening_is_minor(name: str, signature: Signature) -> None:
    old, new = WIDENING[name](signature)
    assert level(old, new) == "MINOR"


@pytest.mark.parametrize(
    "changes",
    [{"description": "Months as a customer"}, {"native": "Int64"}, {"unit": "months"}, {"training_range": (0, 3)}],
)
def test_what_only_informs_is_patch(changes: dict[str, Any]) -> None:
    old = Signature(inputs=(Field(name="tenure", datatype="int64"),), outputs=(), container="pandas")
    assert level(old, with_input(old, **changes)) == "PATCH"
    assert compare_signatures(old, with_input(old, **changes)) != []


@given(st.sampled_from(DATATYPES), st.sampled_from(DATATYPES), st.sampled_from(DATATYPES))
def test_what_a_datatype_accepts_is_an_order(one: str, other: str, third: str) -> None:
    assert accepts(one, one)
    if accepts(one, other) and accepts(other, third):
        assert accepts(one, third)
    if accepts(one, other) and accepts(other, one):
        assert one == other


def test_a_rename_is_told_as_one() -> None:
    old = Signature(inputs=(Field(name="contract", datatype="string"),), outputs=(), container="pandas")
    (change,) = compare_signatures(old, with_input(old, name="contract_type"))
    assert change.what == "field 'contract' seems to be renamed to 'contract_type'"


CHANGE = Change(level="MAJOR", about="signature", what="it breaks")


@pytest.mark.parametrize(
    ("changes", "old", "new", "honoured"),
    [
        ([CHANGE], "1.3.0", "2.0.0", True),
        ([CHANGE], "1.3.0", "2.0.0rc1", True),
        ([CHANGE], "1.3.0", "1.4.0", False),
        ([CHANGE], "0.3.0", "0.4.0", True),
        ([CHANGE], "0.3.0", "0.3.1", False),
        ([replace(CHANGE, level="MINOR")], "1.3.0", "1.4.0", True),
        ([replace(CHANGE, level="MINOR")], "1.3.0", "1.3.1", False),
        ([replace(CHANGE, level="PATCH")], "1.3.0", "1.3.1", True),
        ([replace(CHANGE, level="PATCH")], "1.3.0", "1.3.0", False),
        ([], "1.3.0", "1.3.0", True),
        ([], "1.3.0", "1.2.0", False),
        ([CHANGE], "1!1.0", "1!2.0", True),
    ],
)
def test_the_version_number_is_held_to_the_verdict(changes: list[Change], old: str, new: str, honoured: bool) -> None:
    assert judge(changes, old=old, new=new).honoured is honoured


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.sampled_from(["MAJOR", "MINOR", "PATCH"]))
def test_the_next_version_honours_its_own_step(major: int, minor: int, patch: int, step: Any) -> None:
    old = f"{major}.{minor}.{patch}"
    assert judge([replace(CHANGE, level=step)], old=old, new=next_version(old, step)).honoured
    assert not judge([replace(CHANGE, level=step)], old=old, new=old).honoured


def test_the_verdict_reads_as_the_issue_says() -> None:
    old = Signature(inputs=(), outputs=(), container="pandas")
    new = replace(old, inputs=(Field(name="tenure", datatype="int64"),))
    assert str(judge(compare_signatures(old, new), old="1.2.0", new="1.3.0")) == "MAJOR: field 'tenure' is now required"
