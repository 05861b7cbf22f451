"""Compare packages for real: both models answer, each in its own environment."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sklearn_packages import write_iris
from toy_packages import scenario, signature, write_toy

from modelwright.building.build import build
from modelwright.errors import IntegrityError, ModelwrightError
from modelwright.inspecting.behaviour import close
from modelwright.inspecting.diff import BehaviourMode, DiffReport, diff


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


def test_nothing_differs_from_itself(toy_wheel: Path, toy_folder: Path, cache: Path) -> None:
    for behaviour in ("skip", "run"):
        report = diff(toy_wheel, toy_folder, behaviour=behaviour, cache=cache)  # type: ignore[arg-type]
        assert str(report.verdict) == "PATCH: nothing changed"
        assert report.verdict.honoured
        assert report.changes == ()


@pytest.mark.parametrize("behaviour", ["skip", "run"])
def test_a_report_is_bound_to_the_wheels_it_is_about(
    toy_wheel: Path, toy_folder: Path, cache: Path, tmp_path: Path, behaviour: BehaviourMode
) -> None:
    report = diff(toy_wheel, toy_folder, behaviour=behaviour, cache=cache)
    assert report.old.sha256 == hashlib.sha256(toy_wheel.read_bytes()).hexdigest()
    assert report.new.sha256 == ""
    assert msgspec.json.decode(report.save(tmp_path / "diff.json").read_bytes(), type=DiffReport) == report


def test_rows_that_changed_their_answer_are_shown(toy_wheel: Path, tmp_path: Path, cache: Path) -> None:
    new = write_toy(tmp_path, slope=3.0, version="1.1.0")
    report = diff(toy_wheel, new, behaviour="run", cache=cache)
    assert report.behaviour is not None
    (row,) = report.behaviour.shown
    assert (row.inputs, row.output, row.old, row.new) == ({"x": 10.0}, "y", 21.0, 31.0)
    assert str(report.verdict) == "MINOR: 1 of 2 scenario rows get another answer (y 1)"
    assert report.verdict.honoured


def test_the_same_answers_from_another_file_are_a_patch(toy_wheel: Path, tmp_path: Path, cache: Path) -> None:
    new = write_toy(tmp_path, artifacts={"note.txt": b"saved again"}, version="1.0.1")
    assert diff(toy_wheel, new).verdict.level == "MINOR"
    report = diff(toy_wheel, new, behaviour="run", cache=cache)
    assert report.verdict.level == "PATCH"
    assert report.verdict.honoured
    assert [(one.path, one.how) for one in report.files] == [("model/artifacts/note.txt", "added")]


def test_a_new_field_is_major_and_its_rows_are_refused(toy_wheel: Path, tmp_path: Path, cache: Path) -> None:
    fields = [{"name": "x", "datatype": "float64"}, {"name": "tenure", "datatype": "int64", "nullable": True}]
    inputs = {"x": 10.0, "tenure": 3}
    ten = {"kind": "example", "name": "ten", "inputs": [inputs], "expected": {"y": [21.0]}}
    new = write_toy(tmp_path, signature=signature(inputs=fields), scenarios=[ten], version="1.1.0")
    report = diff(toy_wheel, new, behaviour="run", cache=cache)
    assert "field 'tenure' is now required" in str(report.verdict)
    assert report.verdict.level == "MAJOR"
    assert not report.verdict.honoured
    assert report.verdict.expected == "2.0.0"
    assert report.behaviour is not None
    assert report.behaviour.refused == 2
    assert len(report.behaviour.unanswered) == 1


def test_documents_are_compared(tmp_path: Path) -> None:
    def made(name: str, c: float, auc: float, rmse: float, **changes: Any) -> Path:
        evaluations = [
            {"metric": "roc_auc", "value": auc, "dataset": "test", "better": "higher"},
            {"metric": "rmse", "value": rmse, "dataset": "test", "better": "lower"},
            {"metric": "rmse", "value": rmse, "dataset": "test", "slice": "x=1"},
        ]
        data = [{"uri": "s3://lake/rows.parquet", "version": name}]
        return write_toy(
            tmp_path / name,
            hyperparameters={"C": c, "tol": 1},
            evaluations=evaluations,
            lineage={"data": data},
            **changes,
        )

    old = made("a", 1.0, 0.8, 2.0)
    new = made("b", 2.0, 0.9, 3.0, version="1.0.1", code="LEVELS = ('b',)\n")
    report = diff(old, new)
    assert [(one.metric, one.slice, one.better) for one in report.metrics] == [
        ("roc_auc", "", True),
        ("rmse", "", False),
        ("rmse", "x=1", None),
    ]
    assert {name: (one.old, one.new) for name, one in report.hyperparameters.items()} == {"C": (1.0, 2.0)}
    assert {name: (one.old, one.new) for name, one in report.data.items()} == {
        "training s3://lake/rows.parquet": ("a", "b")
    }
    assert [(one.path, one.how) for one in report.files] == [("features.py", "changed")]
    assert {change.about for change in report.changes} == {"code", "hyperparameters", "data", "metrics"}
    assert report.verdict.level == "MINOR"
    assert not report.verdict.honoured


def test_a_retrained_classifier_is_compared_in_its_own_libraries(
    iris_lock: tuple[str, str],
    tmp_path: Path,
    cache: Path,
) -> None:
    old = build(write_iris(tmp_path / "old", iris_lock), tmp_path)
    new = write_iris(tmp_path / "new", iris_lock, regularisation=0.01, version="1.1.0")
    report = diff(old, new, behaviour="run", cache=cache)
    assert report.verdict.level == "MINOR"
    assert report.verdict.honoured
    assert report.behaviour is not None
    assert {row.output for row in report.behaviour.shown} >= {"probability"}


class Hostile:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.canary,))


def test_a_hostile_pickle_is_compared_read_and_built_without_being_opened(tmp_path: Path, toy_wheel: Path) -> None:
    canary = tmp_path / "canary"
    hostile = pickle.dumps(Hostile(canary))
    root = write_toy(tmp_path / "hostile", artifacts={"model.pkl": hostile}, version="1.1.0")
    wheel = build(root, tmp_path)
    diff(toy_wheel, wheel)
    diff(root, toy_wheel)
    assert not canary.exists()
    pickle.loads(hostile)
    assert canary.exists(), "the pickle would have run its command"


def test_a_damaged_package_is_not_run(toy_wheel: Path, tmp_path: Path, cache: Path) -> None:
    damaged = tmp_path / toy_wheel.name
    damaged.write_bytes(toy_wheel.read_bytes().replace(b'"slope": 2.0', b'"slope": 3.0'))
    with pytest.raises(IntegrityError):
        diff(toy_wheel, damaged, behaviour="run", cache=cache)


def test_a_model_that_does_not_run_is_an_error(toy_wheel: Path, tmp_path: Path, cache: Path) -> None:
    new = write_toy(tmp_path, loader="import not_there\n", scenarios=[scenario("zero", 0.0, 1.0)])
    with pytest.raises(ModelwrightError):
        diff(toy_wheel, new, behaviour="run", cache=cache)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (1.0, 1.0 + 1e-12, True),
        (1.0, 1.1, False),
        (0.0, 1e-12, True),
        ("NaN", "NaN", True),
        (None, None, True),
        (None, 0.0, False),
        (True, 1, True),
        ([[1.0], [2.0]], [[1.0], [2.0]], True),
        ([1.0], [1.0, 2.0], False),
        ({"a": 1.0}, {"a": 1.0}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        ("Infinity", 1e308, False),
    ],
)
def test_answers_are_the_same_within_the_tolerance(old: Any, new: Any, same: bool) -> None:
    assert close(old, new, rtol=1e-9, atol=1e-9) is same
