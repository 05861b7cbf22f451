"""Weights in a wheel of their own, as the command line tells of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from speaking import modelwright

sys.path.append(str(Path(__file__).parent.parent / "inspecting"))

from toy_packages import write_toy

HERE = {"python": "3.11.7", "interpreters": ["cp311"], "portable": True, "dependencies": []}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 1.0.0 built in parts, and the sources of 1.1.0, whose weights are the same."""
    folder = tmp_path_factory.mktemp("shop")
    write_toy(folder / "old", version="1.0.0", environment=HERE)
    write_toy(folder / "new", version="1.1.0", environment=HERE, code="LEVELS = ()\n")
    modelwright("build", "old", "--split-weights", "0", cwd=folder)
    return folder


def test_build_shows_both_wheels_and_how_to_install_them(shop: Path, tmp_path: Path) -> None:
    told = modelwright("build", "old", "--into", tmp_path, "--split-weights", "1 B", cwd=shop)
    lines = told.stdout.splitlines()
    assert [line for line in lines if line.endswith(".whl")] == [
        str(tmp_path / "toy_line-1.0.0-py3-none-any.whl"),
        str(tmp_path / "toy_line_weights-1.0.0-py3-none-any.whl"),
    ]
    assert f"pip install --find-links {tmp_path} " in told.stderr


def test_build_says_which_weights_were_shipped_before(shop: Path, tmp_path: Path) -> None:
    arguments = ("build", "new", "--into", tmp_path, "--split-weights", "0", "--previous", "dist")
    told = modelwright(*arguments, cwd=shop)
    assert "its weights were shipped before: toy-line-weights==1.0.0" in told.stdout
    assert "put the wheel of toy-line-weights==1.0.0 beside" in told.stderr
    found = json.loads(modelwright(*arguments, "--json", cwd=shop).stdout)
    assert found["requires_weights"] == "toy-line-weights==1.0.0"
    assert "weights" not in found
    assert [path.name for path in tmp_path.iterdir()] == ["toy_line-1.1.0-py3-none-any.whl"]


def test_inspect_says_where_the_artifacts_are(shop: Path) -> None:
    told = modelwright("inspect", "dist/toy_line-1.0.0-py3-none-any.whl", cwd=shop)
    assert "in toy-line-weights==1.0.0" in told.stdout


def test_a_size_that_is_none_is_a_usage_error(shop: Path) -> None:
    told = modelwright("build", "old", "--split-weights", "much", cwd=shop, code=2)
    assert "64 MiB" in told.stderr


def test_predict_finds_the_weights_beside_the_wheel(shop: Path) -> None:
    (shop / "rows.jsonl").write_text('{"x": 3}\n')
    told = modelwright("predict", "dist/toy_line-1.0.0-py3-none-any.whl", "rows.jsonl", cwd=shop)
    assert json.loads(told.stdout) == {"y": 7.0}
