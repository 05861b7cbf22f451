"""The recipe for spaCy holds from the trained pipeline to the proved wheel."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import letters
import pytest
import spacy
from spacy.training import Example

import modelwright as mw
from modelwright.errors import IntegrityError

TEXTS = [
    ("the router is broken again", "complaint"),
    ("nothing works and nobody answers", "complaint"),
    ("this is the third broken phone", "complaint"),
    ("what does the new phone cost", "question"),
    ("when will the router arrive", "question"),
    ("which plan has more data", "question"),
]
ROWS = [{"text": text} for text, _ in TEXTS]


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    kinds = ("complaint", "question")
    examples = [
        Example.from_dict(nlp.make_doc(text), {"cats": {kind: float(kind == said) for kind in kinds}})
        for text, said in TEXTS
    ]
    nlp.initialize(lambda: examples)
    for _ in range(20):
        nlp.update(examples)
    products = [{"label": "PRODUCT", "pattern": name} for name in ("router", "phone")]
    nlp.add_pipe("entity_ruler").add_patterns(products)  # after initialize, which would empty it
    nlp.to_disk(tmp_path / "pipeline")
    return tmp_path / "pipeline"


def captured(pipeline: Path, folder: Path) -> Any:
    return mw.capture(letters.Letters, ROWS, name="sorter", version="1.0", to=folder, models={"pipeline": pipeline})


def test_a_pipeline_is_captured_built_and_verified(pipeline: Path, tmp_path: Path) -> None:
    package = captured(pipeline, tmp_path)
    expected = letters.Letters({"pipeline": pipeline}).predict(ROWS)
    assert {each["kind"] for each in expected} == {"complaint", "question"}
    shutil.rmtree(pipeline)
    assert any(file.path.startswith("pipeline/") for file in package.manifest.artifacts)
    assert [line.partition("==")[0] for line in package.manifest.environment.dependencies] == ["spacy"]
    wheel = mw.build(package, tmp_path / "dist")
    assert mw.verify(wheel).passed
    answers = mw.load(package.path).predict(ROWS)
    assert [each["kind"] for each in answers] == [each["kind"] for each in expected]
    assert [each["products"] for each in answers] == [each["products"] for each in expected]
    assert [each["score"] for each in answers] == pytest.approx([each["score"] for each in expected])


def test_a_pipeline_that_was_changed_is_refused(pipeline: Path, tmp_path: Path) -> None:
    package = captured(pipeline, tmp_path)
    config = next(package.path.rglob("config.cfg"))
    config.write_text(config.read_text().replace('lang = "en"', 'lang = "de"'))
    with pytest.raises(IntegrityError, match=r"config\.cfg"):
        mw.load(package.path).predict(ROWS)


def test_the_page_shows_the_code_that_is_tested() -> None:
    page = (Path(__file__).parents[4] / "docs" / "how-to" / "libraries-without-a-format.md").read_text("utf-8")
    source = Path(letters.__file__).read_text("utf-8")
    assert source[source.index("class Letters") :] in page
