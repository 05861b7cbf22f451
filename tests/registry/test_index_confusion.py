"""Whose package is installed, measured: the table of docs/how-to/one-index-for-models-and-libraries.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from small_indexes import Wheel, command, installers, serving, write_index
from uv import find_uv_bin

PIP = (sys.executable, "-m", "pip", "install", "--isolated", "--no-cache-dir", "--no-compile", "--no-deps")
UV = (find_uv_bin(), "pip", "install", "--no-config", "--no-deps", "--python", sys.executable)


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory):
    """Ours with churn 1.3.0; a public one where a stranger has churn 1.3.0 and 99.0, and fraud."""
    ours, public = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("public")
    write_index(ours, [Wheel("churn", "1.3.0")])
    strangers = [
        Wheel("churn", "1.3.0", "stranger"),
        Wheel("churn", "99.0", "stranger"),
        Wheel("fraud", "1.0", "stranger"),
    ]
    write_index(public, strangers)
    with serving(ours) as one, serving(public) as other:
        yield {"OURS": f"{one.url}simple/", "PUBLIC": f"{other.url}simple/"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return installers(tmp_path_factory.mktemp("installers"))


MEASURED = [
    (PIP, "--index-url OURS --extra-index-url PUBLIC churn", "stranger"),
    (PIP, "--index-url PUBLIC --extra-index-url OURS churn", "stranger"),
    (PIP, "--index-url OURS churn", "ours"),
    (UV, "--index-url OURS --extra-index-url PUBLIC churn", "stranger"),
    (UV, "--index-url OURS --extra-index-url PUBLIC churn==1.3.0", "stranger"),
    (UV, "--default-index PUBLIC --index OURS --index-strategy unsafe-best-match churn", "stranger"),
    (UV, "--default-index PUBLIC --index OURS churn", "ours"),
    (UV, "--default-index PUBLIC --index OURS fraud", "stranger"),
    (UV, "--default-index OURS churn", "ours"),
]


@pytest.mark.parametrize(("tool", "words", "winner"), MEASURED, ids=[f"{one[0][0][-3:]} {one[1]}" for one in MEASURED])
def test_winner_is_the_one_that_the_documentation_names(tool, words, winner, indexes, environment, tmp_path) -> None:
    placed = [indexes.get(word, word) for word in words.split()]
    code, said = command(environment, *tool, "--target", tmp_path, *placed)
    assert code == 0, said
    (module,) = tmp_path.glob("*.py")
    assert re.findall(r"WHOSE = '(\w+)'", module.read_text()) == [winner]


def test_documentation_shows_every_measured_row() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/one-index-for-models-and-libraries.md").read_text(encoding="utf-8")
    for tool, words, winner in MEASURED:
        name = "pip install" if tool is PIP else "uv pip install"
        assert f"| `{name} {words}` | {winner} |" in page.replace("**", "")
