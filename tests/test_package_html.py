"""What a notebook shows of a package: complete, escaped, small, readable in light and dark, and shown by a real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uv
from hypothesis import given
from hypothesis import strategies as st

import modelwright as mw
from modelwright.package import Package
from modelwright.spec.manifest import Manifest
from modelwright.viewing import package_page as page_module
from modelwright.viewing.package_page import next_commands, package_page

GOLDEN = Path(__file__).parent / "data" / "golden" / "format-1"
TAGS = {"div", "style", "strong", "span", "p", "dl", "dt", "dd", "code", "section", "details", "summary"} | {
    *("table", "thead", "tbody", "tr", "th", "td")
}
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>&lt;</div></style>\u202e\x00`|"""


class Page(HTMLParser):
    """Reads a page strictly: every element is closed where it has to be."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


@pytest.fixture(params=["twice", "mixed"])
def package(request: pytest.FixtureRequest) -> Package:
    return mw.read(GOLDEN / f"{request.param}-1.0.0")


def edited(name: str, **changes: Any) -> Manifest:
    """A golden manifest with other fields."""
    document = json.loads((GOLDEN / f"{name}-1.0.0" / name / "model" / "manifest.json").read_text("utf-8"))
    return msgspec.convert(document | changes, Manifest)


def test_the_page_says_what_one_wants_to_know(package: Package) -> None:
    manifest, page = package.manifest, Page(str(package._repr_html_()))
    signature = manifest.signature
    wanted = [manifest.name, manifest.version, manifest.summary, manifest.task, manifest.storage.model_type]
    wanted += [field.name for field in (*signature.inputs, *signature.outputs)]
    wanted += [*manifest.environment.dependencies, *(one.metric for one in manifest.evaluations)]
    wanted += [file.sha256[:16] for file in manifest.artifacts]
    wanted += [f"{len(package.scenarios)} scenarios", "modelwright build", "pip install dist/"]
    assert [text for text in wanted if text not in page.text] == []
    example = package.scenarios[0]
    assert f"{example.name}:" in page.text
    assert set(page.tags) <= TAGS


def test_commands_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manifest = edited("twice")
    assert next_commands(manifest, tmp_path / "my models" / "twice-1.0.0") == (
        "modelwright build 'my models/twice-1.0.0'",
        "modelwright verify dist/twice-1.0.0-*.whl",
        "pip install dist/twice-1.0.0-*.whl",
    )
    assert next_commands(manifest, Path("/x/twice.whl"))[1:] == ("pip install /x/twice.whl", "twice predict rows.csv")
    assert next_commands(manifest, None) == ()


def test_a_wheel_is_shown_as_well(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN / "twice-1.0.0", tmp_path / "twice-1.0.0")
    page = Page(str(mw.read(mw.build(folder, tmp_path))._repr_html_()))
    assert "pip install" in page.text
    assert "modelwright build" not in page.text


def test_hostile_text_stays_text(package: Package) -> None:
    scenarios = [
        msgspec.structs.replace(one, name=HOSTILE, inputs=({HOSTILE: HOSTILE},), reason=HOSTILE)
        for one in package.scenarios[:1]
    ]
    field = {"name": HOSTILE, "datatype": "string", "categories": [HOSTILE], "unit": HOSTILE}
    manifest = edited(
        "twice",
        summary=HOSTILE,
        owners=[HOSTILE],
        tags=[HOSTILE],
        license=HOSTILE,
        signature={"inputs": [field], "outputs": [field | {"labels": [HOSTILE]}], "container": "records"},
        evaluations=[
            {"metric": HOSTILE, "value": 1.0, "dataset": HOSTILE, "rows": 1},
            {"metric": HOSTILE, "value": 1.0, "dataset": HOSTILE, "slice": HOSTILE},
        ],
        lineage={"data": [{"uri": HOSTILE}], "parent": HOSTILE},
        artifacts=[{"path": HOSTILE, "sha256": HOSTILE, "size": 1}],
    )
    html = package_page(manifest, scenarios, path=Path(HOSTILE.replace("\0", "")), where=HOSTILE, sha256="")
    page = Page(html)
    assert set(page.tags) <= TAGS
    assert page.attributes <= {"class", "scope", "title"}
    assert page.tags.count("style") == 1
    assert page.text.count("<script>alert(1)</script>") >= 12
    assert "\u202e" not in html
    assert "\x00" not in html


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_changes_the_structure_of_the_page(summary: str, name: str) -> None:
    def page(summary: str, name: str) -> Page:
        field = {"name": name, "datatype": "float64"}
        signature = {"inputs": [field], "outputs": [field], "container": "records"}
        manifest = edited("twice", summary=summary, signature=signature, tags=[name])
        return Page(package_page(manifest, (), path=None, where=summary))

    assert page(summary or "x", name).tags == page("x", "y").tags


def test_nothing_is_fetched_and_nothing_runs(package: Package) -> None:
    html = str(package._repr_html_())
    assert re.findall(r"url\(|@import|https?:|//|\son\w+=|javascript", html.replace(package.files.where, "")) == []


def test_many_fields_are_folded_and_the_page_stays_small() -> None:
    fields = [{"name": f"{'column' * 20}{number}", "datatype": "float64", "nullable": True} for number in range(2000)]
    metrics = [{"metric": f"m{n}", "value": 0.1, "dataset": "test", "slice": f"s={n}" * 20} for n in range(500)]
    signature = {"inputs": fields, "outputs": fields[:1], "container": "records"}
    html = package_page(edited("mixed", signature=signature, evaluations=metrics), (), path=None, where="here")
    assert len(html.encode()) <= 40_000
    head, _, folded = html.partition("<details>")
    assert head.count('<th scope="row">') == 12
    assert "<summary>1,988 more</summary>" in folded
    assert "and 1,940 more in the card" in folded


def test_few_fields_are_not_folded() -> None:
    fields = [{"name": f"c{number}", "datatype": "float64"} for number in range(12)]
    signature = {"inputs": fields, "outputs": fields[:1], "container": "records"}
    assert "<details>" not in package_page(edited("twice", signature=signature), (), path=None, where="here")


def test_data_sets_stand_side_by_side_and_slices_below() -> None:
    metrics = [
        {"metric": "rmse", "value": 0.5, "dataset": "test", "rows": 40, "better": "lower"},
        {"metric": "rmse", "value": 0.25, "dataset": "training", "rows": 400, "better": "lower"},
        {"metric": "r2", "value": 0.75, "dataset": "test"},
        {"metric": "rmse", "value": 0.125, "dataset": "test", "slice": "x=1"},
    ]
    text = Page(package_page(edited("twice", evaluations=metrics), (), path=None, where="here")).text
    assert "2 metricsmetrictest, 40 rowstraining, 400 rowsrmse ↓0.50.25r2 0.75–1 metric of slices" in text


def luminance(colour: str) -> float:
    """Relative luminance. Source: WCAG 2.2, "relative luminance"."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_has_enough_contrast_in_light_and_dark() -> None:
    """At least 4.5 : 1 where the notebook names no colours. Source: WCAG 2.2, 1.4.3 "Contrast (Minimum)"."""
    css = Path(page_module.__file__).with_name("package.css").read_text("utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    papers = []
    for part in (light, dark):
        named = dict(re.findall(r"--mw-(ink|paper|accent):.*?(#[0-9a-f]{6})\)+;", part))
        papers.append(luminance(named["paper"]))
        for name in ("ink", "accent"):
            bright, deep = sorted((luminance(named[name]), luminance(named["paper"])), reverse=True)
            assert (bright + 0.05) / (deep + 0.05) >= 4.5
    assert papers[0] > 0.8 > 0.2 > papers[1]


def test_a_damaged_package_is_shown_as_text(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN / "twice-1.0.0", tmp_path / "twice-1.0.0"))
    package = mw.read(folder)
    assert repr(package) == f"<Package twice 1.0.0 at {folder}>"
    (folder / "twice" / "model" / "manifest.json").write_text("{")
    package = mw.read(folder)
    assert package._repr_html_() is None
    assert repr(package) == f"<Package twice at {folder}: MW101 The manifest is not JSON.>"


CELLS = (
    "import modelwright as mw\nFACTOR = 3",
    "def triple(rows):\n    return [row['x'] * FACTOR for row in rows]",
    "mw.capture(triple, [{'x': 1.0}, {'x': 2.5}], name='triple', version='1.0.0', summary='Three <b>times</b>')",
)
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120).execute()
nbformat.write(notebook, sys.argv[1])
"""


def test_a_real_notebook_shows_the_package_that_a_cell_captures(tmp_path: Path) -> None:
    """Jupyter is installed beside this environment by uv, from its cache, so that it is no dependency of the tests."""
    beside = tmp_path / "jupyter"
    install = [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(beside)]
    subprocess.run([*install, "nbclient", "ipykernel"], check=True, capture_output=True)
    cells = [
        {"cell_type": "code", "id": f"c{n}", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for n, source in enumerate(CELLS)
    ]
    path = tmp_path / "triple.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    environment = os.environ | {"PYTHONPATH": str(beside), "JUPYTER_PLATFORM_DIRS": "1", "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (output,) = json.loads(path.read_text("utf-8"))["cells"][2]["outputs"]
    shown = output["data"]
    assert set(shown) == {"text/html", "text/plain"}
    assert "Three <b>times</b>" in Page("".join(shown["text/html"])).text
    assert "modelwright build models/triple-1.0.0" in Page("".join(shown["text/html"])).text
    assert "".join(shown["text/plain"]).startswith("<Package triple 1.0.0 at ")
