"""Inputs are inferred from the whole sample, and the sample is held to what is declared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from modelwright.capturing.levels import known_levels
from modelwright.capturing.signature import check_columns, infer_inputs, sample_notes
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError, SampleError
from modelwright.spec.signature import Field


def one(sample: object, **overrides: object) -> Field:
    (field,) = infer_inputs(Table.of(sample), overrides=overrides)  # type: ignore[arg-type]
    return field


def test_the_last_row_counts_as_much_as_the_first() -> None:
    field = one({"x": [1.0] * 999 + [None]})
    assert field.nullable
    assert one({"x": [1.0] * 999 + [float("inf")]}).infinite
    assert one({"x": [1.0] * 999 + [-5.0]}).training_range == (-5.0, 1.0)


def test_ranges_leave_infinities_and_nulls_out_and_keep_integers_whole() -> None:
    assert one({"x": [1.5, float("inf"), None, -2.5]}).training_range == (-2.5, 1.5)
    low, high = one({"n": [3, 1]}).training_range or (None, None)
    assert (low, high) == (1, 3)
    assert type(low) is int
    assert one({"x": [float("inf"), float("inf")]}).training_range is None


def test_ranges_of_times_are_text() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2026-01-02", "2025-01-01"]).tz_localize("UTC")})
    assert one(frame).training_range == ("2025-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    assert one(frame).timezone == "UTC"


def test_native_dtypes_are_recorded() -> None:
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": ["x", "y"], "c": pd.Categorical(["u", "v"])})
    assert [field.native for field in infer_inputs(Table.of(frame))] == ["Int64", "str", "category"]
    assert one(pl.DataFrame({"a": [1]})).native == "Int64"


def test_tensors_have_a_shape_and_a_range() -> None:
    field = one(np.arange(8, dtype=np.uint8).reshape(2, 2, 2))
    assert (field.name, field.datatype, field.shape, field.training_range) == ("inputs", "uint8", (2, 2), (0, 7))


def test_text_with_few_levels_is_categorical_and_identifiers_are_not() -> None:
    levels = [f"level {n:02}" for n in range(50)]
    assert one({"plan": levels * 5}).categories == tuple(levels)
    assert one({"plan": levels * 4 + ["x"] * 49}).categories is None
    assert one({"plan": [*levels, "one more"] * 10}).categories is None
    assert one({"id": [f"C-{n}" for n in range(40)]}).categories is None
    assert one({"plan": ["only"]}).categories is None


def test_a_column_without_values_is_nullable_and_said_aloud() -> None:
    table = Table.of(pd.DataFrame({"x": [1.0, 2.0], "empty": [np.nan, np.nan], "none": [None, None]}))
    fields = infer_inputs(table)
    assert [(field.datatype, field.nullable) for field in fields] == [
        ("float64", False),
        ("float64", True),
        ("json", True),
    ]
    assert any("'empty', 'none'" in note for note in sample_notes(table, fields))


@pytest.mark.parametrize(
    "sample", [pd.DataFrame({"a": [np.nan] * 3, "b": [None] * 3}), [{"a": None}], np.full((2, 2), np.nan)]
)
def test_a_sample_of_nothing_but_nulls_is_refused(sample: object) -> None:
    with pytest.raises(SampleError, match="Every value of the sample is missing") as refused:
        infer_inputs(Table.of(sample))
    assert refused.value.hint


def test_one_row_is_taken_with_a_note() -> None:
    table = Table.of([{"a": 1, "b": "x"}])
    fields = infer_inputs(table)
    assert [field.nullable for field in fields] == [False, False]
    assert "one row" in sample_notes(table, fields)[0]


def test_a_constant_column_is_noted() -> None:
    table = Table.of({"a": [1, 1], "b": [1, 2]})
    assert sample_notes(table, infer_inputs(table)) == ("One and the same value in every row of 'a'.",)


def test_overrides_are_taken_over() -> None:
    said = {"unit": "years", "description": "Age", "nullable": True, "training_range": (0, 120)}
    field = one({"age": [20, 30]}, age={**said, "on_out_of_range": "error", "datatype": "float64"})
    assert (field.unit, field.nullable, field.training_range) == ("years", True, (0, 120))
    assert (field.on_out_of_range, field.datatype) == ("error", "float64")
    assert one({"age": [20, 30]}, age=Field(name="age", datatype="int64", unit="years")).unit == "years"


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ({"nullable": False}, "missing"),
        ({"training_range": (0, 30)}, "outside the declared range"),
        ({"infinite": False}, "infinite"),
    ],
)
def test_a_sample_that_contradicts_a_declaration_is_refused_with_the_row(
    override: dict[str, object], problem: str
) -> None:
    sample = {"x": [1.0, 31.0, None, float("inf")]}
    rows = {"nullable": 2, "training_range": 1, "infinite": 3}
    with pytest.raises(SampleError, match="contradicts") as refused:
        infer_inputs(Table.of(sample), overrides={"x": {"nullable": True, "infinite": True} | override})
    assert [(found.row, found.column) for found in refused.value.problems] == [(rows[next(iter(override))], "x")]
    assert problem in str(refused.value)


def test_a_level_outside_the_declared_ones_is_refused() -> None:
    with pytest.raises(SampleError) as refused:
        one({"plan": ["basic", "gold"]}, plan={"categories": ["basic", "pro"]})
    assert "'gold' is none of the declared categories" in str(refused.value)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"agee": {"unit": "years"}}, "Did you mean 'age'?"),
        ({"age": {"unitt": "years"}}, "Did you mean 'unit'?"),
        ({"age": {"nullable": "perhaps"}}, "not valid"),
        ({"age": {"datatype": "string"}}, "declared string"),
        ({"age": {"datatype": "int8"}}, "declared int8"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(overrides: dict[str, dict[str, object]], words: str) -> None:
    with pytest.raises(SampleError) as refused:
        infer_inputs(Table.of({"age": [20, 1000]}), overrides=overrides)
    assert words in str(refused.value)


def mixed_model() -> tuple[Pipeline, pd.DataFrame]:
    frame = pd.DataFrame({"age": [20.0, np.nan, 40.0] * 4, "plan": ["a", "b", None] * 4, "zone": [1, 2, 3] * 4})
    text = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    columns = ColumnTransformer(
        [("n", SimpleImputer(), ["age"]), ("t", text, ["plan"]), ("z", OrdinalEncoder(), make_column_selector("zone"))]
    )
    model = make_pipeline(columns, StandardScaler(with_mean=False), LogisticRegression())
    return model.fit(frame, [0, 1] * 6), frame


def test_levels_are_found_in_the_encoders_of_a_fitted_pipeline() -> None:
    model, frame = mixed_model()
    known = known_levels(model, tuple(frame.columns))
    assert known == {"plan": ("a", "b"), "zone": (1, 2, 3)}

    fields = {field.name: field for field in infer_inputs(Table.of(frame), known=known)}
    assert fields["zone"].categories == (1, 2, 3)
    assert fields["plan"].categories == ("a", "b")
    assert fields["age"].categories is None


def test_levels_of_an_encoder_that_does_not_know_the_sample_are_not_used() -> None:
    assert infer_inputs(Table.of({"zone": [1, 9]}), known={"zone": (1, 2)})[0].categories is None


def test_models_without_encoders_know_no_levels() -> None:
    assert known_levels(object(), ("a",)) == {}
    assert known_levels(LogisticRegression().fit([[0], [1]], [0, 1]), ("a",)) == {}


def test_renamed_missing_and_unexpected_columns_are_all_named() -> None:
    model, frame = mixed_model()
    check_columns(Table.of(frame), model)
    with pytest.raises(ModelMismatchError) as refused:
        check_columns(Table.of(frame.rename(columns={"plan": "plans"}).assign(target=1)), model)
    assert {problem.column for problem in refused.value.problems} == {"plan", "plans", "target"}
    assert "did you mean 'plan'?" in str(refused.value)
    with pytest.raises(ModelMismatchError, match="another order"):
        check_columns(Table.of(frame[["plan", "age", "zone"]]), model)


def test_an_array_of_another_width_is_refused() -> None:
    model = LogisticRegression().fit(np.eye(2), [0, 1])
    check_columns(Table.of(np.eye(2)), model)
    with pytest.raises(ModelMismatchError, match="3 columns, and the model was trained with 2"):
        check_columns(Table.of(np.eye(3)), model)
