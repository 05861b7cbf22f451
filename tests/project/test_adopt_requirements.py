"""Lines of a pip freeze are read as pip reads them, and judged by evidence."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from legacy_projects import written

from modelwright.project.adopting.adopt import adopt
from modelwright.project.adopting.imports import project_imports
from modelwright.project.adopting.layout import Layout
from modelwright.project.adopting.poetry import specifier
from modelwright.project.adopting.pruning import judge
from modelwright.project.adopting.report import SavedModel
from modelwright.project.adopting.requirement_lines import RequirementLine, read_requirements
from modelwright.project.adopting.tree import open_tree

FROZEN = """
    # everything
    numpy==2.1.0 \\
        --hash=sha256:aaaa \\
        --hash=sha256:bbbb
    pandas @ file:///home/conda/feedstock_root/pandas_1
    torch==2.5.0+cpu  # from the other index
    -e git+https://example.com/team/features.git@abc#egg=team_features
    -e .
    git+https://example.com/team/loader.git
    https://example.com/wheels/some_thing-1.0-py3-none-any.whl
    ./vendored/tool
    --extra-index-url https://example.com/simple
    -r more.txt
    requests[socks]>=2; python_version > "3"
    this is not a requirement
"""


def lines_of(folder: Path, text: str, **others: str) -> list[RequirementLine]:
    written(folder, {"requirements.txt": text, **{name.replace("_", "."): body for name, body in others.items()}})
    return read_requirements(open_tree(folder), "requirements.txt")


def test_every_kind_of_line_is_read_with_its_place(tmp_path):
    lines = lines_of(tmp_path, FROZEN, more_txt="scipy==1.14.0\n")
    assert [(each.number, each.kind, each.name) for each in lines] == [
        (2, "release", "numpy"),
        (5, "conda", "pandas"),
        (6, "release", "torch"),
        (7, "editable", "team-features"),
        (8, "editable", ""),
        (9, "url", "loader"),
        (10, "url", "some-thing"),
        (11, "folder", "tool"),
        (1, "release", "scipy"),
        (14, "release", "requests"),
        (15, "unreadable", ""),
    ]
    by_name = {each.name: each for each in lines}
    assert by_name["numpy"].text == "numpy==2.1.0"
    assert by_name["torch"].pin == "torch==2.5.0"
    assert by_name["torch"].comment == "from the other index"
    assert by_name["pandas"].pin == "pandas"
    assert by_name["scipy"].file == "more.txt"
    assert lines[-1].problem


def test_files_that_include_each_other_end(tmp_path):
    lines = lines_of(tmp_path, "-r more.txt\n-r none.txt\n", more_txt="-r requirements.txt\n")
    assert {each.kind for each in lines} == {"unreadable"}
    assert {each.problem for each in lines} == {"there is no such file", "files include each other without end"}


@given(st.text(max_size=80))
def test_any_text_is_read(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    (folder / "requirements.txt").write_text(text, "utf-8", newline="")
    for line in read_requirements(open_tree(folder), "requirements.txt"):
        assert line.number >= 0
        assert bool(line.problem) == (line.kind == "unreadable")


def judged(folder: Path, text: str, files: dict[str, str], *models: SavedModel) -> dict[str, tuple[str, str]]:
    lines = lines_of(written(folder, files), text)
    importers = project_imports(open_tree(folder), Layout("src/churn", ()))
    found = judge(lines, importers=importers, models=models, own="churn")
    return {each.name or each.text: (each.verdict, each.why) for each in found}


def test_lines_are_judged_by_evidence(tmp_path):
    here = {name: f"{name}=={version(name)}" for name in ("scikit-learn", "scipy", "joblib", "pandas", "matplotlib")}
    found = judged(
        tmp_path,
        "\n".join(
            [
                *here.values(),
                "pyyaml==6.0.1",
                "black==24.1.0",
                "churn==1.0",
                "-e .",
                "unheard-of==1.0",
                "conda-thing @ file:///croot/x",
            ]
        ),
        {
            "src/churn/__init__.py": "import pandas\nimport json\nfrom churn import rates\n",
            "src/churn/rates.py": "try:\n    import yaml\nexcept ImportError:\n    yaml = None\n",
            "notebooks/a.ipynb": '{"cells": [{"cell_type": "code", "source": ["!ls\\n", "import matplotlib"]}]}',
        },
        SavedModel(path="src/churn/model.pkl", kind="pickle", size=1, types=("sklearn.pipeline.Pipeline",)),
    )
    assert found["pandas"] == ("needed", "pandas is imported by src/churn/__init__.py")
    assert found["scikit-learn"] == ("needed", "src/churn/model.pkl names sklearn")
    assert found["pyyaml"] == ("needed", "yaml is imported by src/churn/rates.py")
    assert found["scipy"] == ("comes-with", "comes with scikit-learn")
    assert found["joblib"] == ("comes-with", "comes with scikit-learn")
    assert found["matplotlib"] == ("elsewhere", "imported by notebooks/ only")
    assert found["black"] == ("tooling", "tooling: style")
    assert found["churn"][0] == found["-e ."][0] == "unused"
    assert found["unheard-of"] == ("unused", "nothing imports it")
    assert "the machine it was frozen on" in found["conda-thing"][1]


def test_what_may_explain_an_import_is_unknown_and_not_unused(tmp_path):
    found = judged(tmp_path, "unheard-of==1.0\n", {"src/churn/__init__.py": "import strange_module\n"})
    assert found["unheard-of"] == (
        "unknown",
        "its modules are not known here, and it may bring strange_module",
    )


def test_what_is_not_installed_is_asked_from_the_index(tmp_path):
    found = judged(
        tmp_path,
        "requests==2.32.3\nurllib3==2.2.3\nidna==3.10\n",
        {"src/churn/__init__.py": "import requests\n"},
    )
    assert found["urllib3"] == ("comes-with", "comes with requests")
    assert found["idna"] == ("comes-with", "comes with requests")


def test_without_an_index_the_rest_is_still_judged(tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    found = judged(tmp_path, "lightgbm==3.0.0\nunheard-of==1.0\n", {"src/churn/__init__.py": "import lightgbm\n"})
    assert found["lightgbm"][0] == "needed"
    assert found["unheard-of"] == ("unused", "nothing imports it")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("^1.2.3", ">=1.2.3,<2.0.0"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~1", ">=1,<2"),
        ("1.*", "==1.*"),
        (">=1 <2", ">=1,<2"),
    ],
)
def test_poetrys_constraints_are_translated(said, means):
    assert specifier(said) == means


def test_a_model_saved_by_another_version_is_said(tmp_path):
    import pickle

    from sklearn.linear_model import LinearRegression

    written(
        tmp_path,
        {
            "setup.py": "from setuptools import setup\nsetup(name='churn', version='1', packages=['churn'])\n",
            "churn/__init__.py": "",
            "requirements.txt": "scikit-learn==0.22\n",
        },
    )
    (tmp_path / "churn/model.bin").write_bytes(pickle.dumps(LinearRegression()))
    report = adopt(tmp_path, running="nothing")
    [said] = [each.what for each in report.findings if each.file == "churn/model.bin"]
    assert (
        said
        == f"It was saved by scikit-learn {version('scikit-learn')}; requirements.txt, line 1, says scikit-learn==0.22."
    )
