"""What the command line is given, turned into what the API takes."""

from __future__ import annotations

import json

import pandas
import pytest

from modelwright.capturing.rules import DirectionRule, MinimumRule
from modelwright.cli.sources import open_source, read_rows, read_rules
from modelwright.errors import SampleError, ScenarioError, UnknownPackageError

ROWS = [{"a": 1, "b": 2.5, "y": 0}, {"a": 3, "b": None, "y": 1}]


@pytest.fixture(params=["rows.csv", "rows.parquet", "rows.json", "rows.jsonl", "columns.json"])
def file(request, tmp_path):
    path = tmp_path / request.param
    frame = pandas.DataFrame(ROWS)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, ROWS)))
    else:
        columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
        path.write_text(json.dumps(columns if path.stem == "columns" else ROWS))
    return path


def test_target_is_taken_out_of_the_rows_of_any_file(file):
    inputs, target = read_rows(file, "y")
    names = set(inputs[0]) if isinstance(inputs, list) else set(inputs)
    assert names == {"a", "b"}
    assert list(target) == [0, 1]


def test_without_target_the_rows_are_whole(file):
    inputs, target = read_rows(file, None)
    assert target is None
    assert (set(inputs[0]) if isinstance(inputs, list) else set(inputs)) == {"a", "b", "y"}


def test_unknown_target_is_refused_with_the_nearest_column(file):
    with pytest.raises(SampleError, match=r"'yy'") as refused:
        read_rows(file, "yy")
    assert "'y'" in refused.value.hint


def test_source_can_be_an_attribute_of_an_attribute_of_a_module(tmp_path, monkeypatch):
    (tmp_path / "a_module_of_mine.py").write_text("class Holder:\n    model = 'the model'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])
    assert open_source("a_module_of_mine:Holder.model") == "the model"
    with pytest.raises(UnknownPackageError, match="modell"):
        open_source("a_module_of_mine:Holder.modell")


@pytest.mark.parametrize("source", ["nowhere.pkl", "nowhere/at/all", "no_such_module_here:x"])
def test_source_that_is_not_there_is_refused(source):
    with pytest.raises(UnknownPackageError):
        open_source(source)


@pytest.mark.parametrize("separator", ["lines", "list"])
def test_rules_are_read_in_the_words_of_the_api(tmp_path, separator):
    rules = [
        {"kind": "direction", "field": "a", "add": 1, "never": "higher"},
        {"kind": "minimum", "rows": [{"a": 1}], "at_least": 0.5},
    ]
    text = json.dumps(rules) if separator == "list" else "\n".join(map(json.dumps, rules))
    (tmp_path / "rules.json").write_text(text)
    direction, minimum = read_rules(tmp_path / "rules.json")
    assert isinstance(direction, DirectionRule)
    assert (direction.field, direction.add, direction.never) == ("a", 1, "higher")
    assert isinstance(minimum, MinimumRule)
    assert minimum.at_least == 0.5


@pytest.mark.parametrize(
    "content",
    ["nonsense", "[1]", '[{"kind": "rule"}]', '[{"kind": "direction"}]', '[{"kind": "minimum", "colour": 1}]'],
)
def test_what_is_no_rule_is_refused_with_its_place(tmp_path, content):
    (tmp_path / "rules.json").write_text(content)
    with pytest.raises(ScenarioError) as refused:
        read_rules(tmp_path / "rules.json")
    assert "rules.json" in refused.value.where
