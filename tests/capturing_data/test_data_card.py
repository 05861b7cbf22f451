"""Charts and card are deterministic, accessible, and safe with hostile names."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.capturing import charts, svg
from modelwright.capturing.answers import read_answer
from modelwright.capturing.card import UNKNOWN, write_card
from modelwright.capturing.evaluation import EvaluationResult
from modelwright.capturing.markdown import code, front_matter, words
from modelwright.capturing.profile import summarise
from modelwright.capturing.signature import infer_inputs
from modelwright.capturing.table import Table
from modelwright.spec.environment import Environment
from modelwright.spec.evaluation import Evaluation, Importance
from modelwright.spec.lineage import DataReference, GitRevision, Lineage
from modelwright.spec.manifest import Manifest, Storage
from modelwright.spec.profile import Profile
from modelwright.spec.scenario import Example
from modelwright.spec.signature import Signature

HOSTILE = 'a|b`c <script>alert(1)</script> ](javascript:x) ![i](http://h/x.png) "q" \\ *b* _u_'
SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]


def package(field: str = "age", **changes: Any) -> tuple[Manifest, Profile]:
    table = Table.of({field: [20, 41, 62], "plan": ["a", "b", "a"]})
    inputs = infer_inputs(table, overrides={"plan": {"categories": ["a", "b"], "on_unknown": "error"}})
    answers = read_answer(np.array([0.5, 1.0, 1.5]), method="predict", n_rows=3, labels=None)
    manifest = Manifest(
        format_version=1,
        name="churn",
        version="1.3.0",
        import_name="churn",
        task="regression",
        created="2026-11-20T00:00:00Z",
        storage=Storage(format="skops", loader="skops_loader", model_type="sklearn.linear_model.Ridge"),
        artifacts=(),
        signature=Signature(inputs=inputs, outputs=tuple(item.output for item in answers), container="pandas"),
        environment=Environment(python="3.11.7", interpreters=("cp311",), dependencies=("scikit-learn==1.9.1",)),
    )
    return msgspec.structs.replace(manifest, **changes), summarise(table, inputs, answers)


def card(field: str = "age", **changes: Any) -> str:
    manifest, profile = package(field, **changes)
    scenario = Example(name="typical-rows", inputs=({},), expected={}, reason="Near the middle.")
    return write_card(manifest, profile, [scenario], ["residuals.svg"])


def test_the_nine_sections_stand_in_their_order() -> None:
    assert re.findall(r"^## (.*)$", card(), flags=re.M) == SECTIONS


def test_what_nobody_said_is_called_unknown() -> None:
    page = card()
    ethics = page.split("## Ethical considerations")[1].split("##")[0]
    assert ethics.strip() == UNKNOWN
    assert f"| Licence | {UNKNOWN} |" in page
    assert "The model was not evaluated" in page


def test_what_was_said_is_on_the_page() -> None:
    page = card(
        summary="Who leaves next month",
        owners=("Ann <ann@example.org>",),
        license="Apache-2.0",
        tags=("telco",),
        hyperparameters={"alpha": 1.0},
        evaluations=(
            Evaluation(metric="rmse", value=1.25, dataset="test", rows=3, better="lower"),
            Evaluation(metric="rmse", value=2.5, dataset="test", slice="plan=a", rows=2, better="lower"),
        ),
        importance=(Importance(field="age", mean=0.5, std=0.1, metric="rmse"),),
        lineage=Lineage(
            data=(DataReference("s3://lake/churn.parquet", version="2026-10", rows=3, summary="Monthly extract"),),
            git=GitRevision(revision="0" * 40, dirty=True),
            parent="churn==1.2.0",
        ),
    )
    for text in (
        "Who leaves next month",
        "Ann &lt;ann@example.org>",
        'license: "apache-2.0"',
        'library_name: "sklearn"',
        'tags: ["modelwright", "telco"]',
        '"type": "rmse", "value": 1.25',
        "| `rmse` | 1.25 | lower | test | 3 |",
        "| `plan=a` | `rmse` | 2.5 | lower | test | 2 |",
        "`s3://lake/churn.parquet`: version 2026-10; 3 rows; training; Monthly extract",
        "with uncommitted changes",
        "`churn==1.2.0`",
        "| `plan` | string | no | `a`, `b` | refused |",
        "![Residuals](charts/residuals.svg)",
        "pip install churn==1.3.0",
        "| `typical-rows` | example | 1 | Near the middle. |",
    ):
        assert text in page


def test_a_format_that_executes_code_says_so_twice() -> None:
    storage = Storage(format="joblib", loader="joblib_loader", model_type="a.B", executes_code=True)
    page = card(storage=storage)
    assert "**executes code**" in page
    assert "Load it only if you trust who published it" in page
    assert "executes code" not in card()


def test_the_same_package_gives_the_same_page() -> None:
    assert card() == card()


def test_hostile_names_stay_text() -> None:
    page = card(field=HOSTILE, summary=HOSTILE, owners=(HOSTILE,), tags=(HOSTILE,), hyperparameters={HOSTILE: HOSTILE})
    front, _, body = page.removeprefix("---\n").partition("\n---\n")
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\`", "", body))
    assert "<script" not in outside
    assert "](javascript" not in outside.replace("\\]", "")
    assert "![i]" not in outside
    tags = next(line for line in front.splitlines() if line.startswith("tags: "))
    assert msgspec.json.decode(tags.removeprefix("tags: ")) == ["modelwright", HOSTILE]
    for line in body.splitlines():
        if line.startswith("|") and "`age`" not in line:
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 4, 5, 6, 7, 8)
    header = "| Name | Type | May be missing | Training data | Outside of it | Unit | Description |"
    row = body.split(header)[1].splitlines()[2]
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"\|", header))


@given(st.one_of(st.text(), st.text(alphabet="|\\`<a *")))
def test_text_never_leaves_its_line_or_its_cell(content: str) -> None:
    for written in (words(content), code(content)):
        assert len(written.splitlines()) <= 1
        assert "|" not in re.sub(r"\\.", "", written)  # as GitHub's table scanner reads it
    assert "<" not in words(content)


@given(st.dictionaries(st.sampled_from(["license", "tags"]), st.text()))
def test_front_matter_cannot_be_broken_out_of(content: dict[str, str]) -> None:
    lines = front_matter(content).split("\n")
    assert (lines[0], lines[-1], len(lines)) == ("---", "---", len(content) + 2)
    for line in lines[1:-1]:
        key, _, value = line.partition(": ")
        assert msgspec.json.decode(value) == content[key]


def evaluation(*, labels: tuple[Any, ...] | None = None, hostile: str = "worst area") -> EvaluationResult:
    rng = np.random.default_rng(0)
    ranked = (Importance(field=hostile, mean=0.5, std=0.1, metric="rmse"),)
    if labels is None:
        truth = rng.normal(size=300)
        return EvaluationResult((), ranked, (), truth, {"prediction": truth + rng.normal(size=300)})
    truth = rng.choice(np.array(labels), 300)
    probability = rng.dirichlet(np.ones(len(labels)), 300)
    prediction = np.array(labels)[probability.argmax(axis=1)]
    return EvaluationResult((), ranked, (), truth, {"prediction": prediction, "probability": probability})


@pytest.mark.parametrize(
    ("labels", "task", "names"),
    [
        (("no", "yes"), "classification", ["confusion", "calibration", "importance"]),
        ((0, 1, 2), "classification", ["confusion", "calibration", "importance"]),
        (tuple(range(21)), "classification", ["calibration", "importance"]),
        (None, "regression", ["residuals", "importance"]),
    ],
)
def test_each_task_has_its_charts_and_each_chart_says_what_it_shows(
    labels: tuple[Any, ...] | None, task: Any, names: list[str]
) -> None:
    drawn = charts.draw(evaluation(labels=labels), task=task, labels=labels)
    assert list(drawn) == [f"{name}.svg" for name in names]
    assert drawn == charts.draw(evaluation(labels=labels), task=task, labels=labels)
    for document in drawn.values():
        root = ElementTree.fromstring(document)
        space = "{http://www.w3.org/2000/svg}"
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == "title desc"
        assert root.findtext(f"{space}title")
        assert len(root.findtext(f"{space}desc") or "") > 20
        assert "prefers-color-scheme:dark" in (root.findtext(f"{space}style") or "")
        assert "currentColor" in document
        assert not list(root.iter(f"{space}script"))


def test_charts_stay_inside_their_frame() -> None:
    drawn = charts.draw(evaluation(labels=("no", "yes")), task="classification", labels=("no", "yes"))
    drawn |= charts.draw(evaluation(), task="regression", labels=None)
    for document in drawn.values():
        root = ElementTree.fromstring(document)
        width, height = float(root.get("width", 0)), float(root.get("height", 0))
        for shape in root.iter():
            for key, limit in (
                ("x", width),
                ("cx", width),
                ("x1", width),
                ("x2", width),
                ("y", height),
                ("cy", height),
            ):
                assert 0 <= float(shape.get(key, 0)) <= limit


def test_the_confusion_matrix_counts_every_row_once() -> None:
    result = evaluation(labels=("no", "yes"))
    document = charts.confusion(result.truth, result.answers["prediction"], ("no", "yes"))
    counts = [int(text) for text in re.findall(r">(\d+)</text>", document)]
    assert sum(counts) == 300


def test_a_perfect_constant_model_can_be_drawn() -> None:
    ones = np.ones(5)
    assert "largest size 1" in charts.residuals(ones, ones)
    flat = [Importance(field="a", mean=0.0, std=0.0, metric="rmse")]
    ElementTree.fromstring(charts.importance(flat))


@pytest.mark.parametrize("hostile", ["</text><script>x</script>", "a\x00b\x1b[0m", "&amp;\ud800", "𝔘 و ü"])
def test_hostile_labels_stay_text_in_a_chart(hostile: str) -> None:
    document = charts.draw(evaluation(hostile=hostile), task="regression", labels=None)["importance.svg"]
    document.encode("utf-8")
    assert "script" not in {shape.tag.rpartition("}")[2] for shape in ElementTree.fromstring(document).iter()}


@given(st.text())
def test_any_text_is_valid_xml(content: str) -> None:
    ElementTree.fromstring(
        svg.document([svg.text(0, 0, content)], width=1, height=1, title=content, description=content)
    )
