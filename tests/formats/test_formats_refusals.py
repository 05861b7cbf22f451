"""What cannot be stored is refused by name, and what has another meaning than it seems is not trusted."""

from __future__ import annotations

import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from modelwright.adapters.formats.padding import zero_padding
from modelwright.adapters.loaders import skops_loader
from modelwright.capturing.formats import format_named, ranked
from modelwright.capturing.unpicklable import culprit
from modelwright.errors import SerialisationError


def pipeline(**attributes: Any) -> Pipeline:
    model = Pipeline([("scale", FunctionTransformer()), ("clf", LogisticRegression())])
    for name, value in attributes.items():
        setattr(model.steps[1][1], name, value)
    return model


@pytest.mark.parametrize("name", ["skops", "joblib"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (threading.Lock(), "_thread.lock"),
        ((number for number in range(3)), "generator"),
        (open(__file__), "_io.TextIOWrapper"),  # noqa: SIM115
    ],
)
def test_the_part_that_cannot_be_saved_is_named(name: str, value: Any, kind: str, tmp_path: Path) -> None:
    with pytest.raises(SerialisationError) as caught:
        format_named(name).save(pipeline(callback_=value), tmp_path, package="churn")
    assert caught.value.what == f"model.steps[1][1].callback_ is a {kind} and cannot be saved."
    assert caught.value.hint
    if hasattr(value, "close"):
        value.close()


def test_a_model_that_pickle_takes_has_no_culprit() -> None:
    assert culprit(pipeline()) is None


def test_formats_without_code_execution_come_first() -> None:
    assert [form.name for form in ranked(pipeline())] == ["skops", "joblib"]
    assert [form.name for form in ranked(test_a_model_that_pickle_takes_has_no_culprit)] == ["python"]


def test_an_object_that_no_format_knows_is_refused() -> None:
    with pytest.raises(SerialisationError, match="No format knows"):
        ranked(object())


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "numpy.load",
        "numpy.vectorize",
        "operator.methodcaller",
        "churnmate.features.f",
        "sklearn.metrics._dist_metrics.PyFuncDistance64",
        "sklearn.utils._testing.TempMemmap",
    ],
)
def test_names_outside_the_reviewed_list_are_named_by_the_audit(name: str, tmp_path: Path) -> None:
    module, _, attribute = name.rpartition(".")
    node = {"__module__": module, "__class__": attribute, "__loader__": "FunctionNode"}
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr(
            "schema.json",
            json.dumps({"__loader__": "ListNode", "__module__": "builtins", "__class__": "list", "content": [node]}),
        )
    assert skops_loader.audit(tmp_path, {}, "churn") == [name]


def test_the_packages_own_code_is_not_named(tmp_path: Path) -> None:
    node = {"__module__": "churn.features", "__class__": "ratio", "__loader__": "FunctionNode"}
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps(node))
    assert skops_loader.audit(tmp_path, {}, "churn") == []


def test_a_method_and_a_bit_generator_are_names_like_any_other(tmp_path: Path) -> None:
    text = {"__module__": "builtins", "__class__": "str", "__loader__": "JsonNode", "content": '"seed"'}
    state = {"content": {"bit_generator": text}}
    generator = {
        "__module__": "numpy.random._generator",
        "__class__": "Generator",
        "__loader__": "RandomGeneratorNode",
        "content": {"bit_generator": state},
    }
    method = {
        "__module__": "sklearn.pipeline",
        "__class__": "Pipeline",
        "__loader__": "MethodNode",
        "content": {"func": "set_params", "obj": generator},
    }
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps(method))
    assert skops_loader.audit(tmp_path, {}, "churn") == ["numpy.random.seed", "sklearn.pipeline.Pipeline.set_params"]


def test_padding_is_cleared_and_values_and_order_stay() -> None:
    record = np.dtype({"names": ["a", "b"], "formats": ["u1", "<f8"], "offsets": [0, 8], "itemsize": 24})
    dirty = np.frombuffer(bytes(range(96)), record).reshape(2, 2, order="F")
    clean = zero_padding(dirty)
    assert clean["a"].tolist() == dirty["a"].tolist()
    assert clean["b"].tolist() == dirty["b"].tolist()
    assert clean.flags.f_contiguous == dirty.flags.f_contiguous
    assert clean.tobytes("A")[1:8] == bytes(7)


def test_models_that_share_one_object_share_it_again(tmp_path: Path) -> None:
    scorer = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    model = Pipeline([("a", FunctionTransformer()), ("b", scorer)])
    model.extra_ = [scorer, scorer]
    format_named("skops").save(model, tmp_path, package="churn")
    loaded: Any = skops_loader.load(tmp_path, {}, "churn", [])
    assert loaded.extra_[0] is loaded.extra_[1] is loaded.steps[1][1]
