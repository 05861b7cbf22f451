"""The demo: its story is really run, and a story that goes wrong says where."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from modelwright.cli.app import run
from modelwright.cli.demo_story.chapters import chapters
from modelwright.cli.demo_story.telling import Chapter, Run, tell


def told(folder, *runs: Run) -> tuple[list[str], list[bool]]:
    said: list[str] = []
    story = [Chapter("Title", "Sentence.", runs)]
    results = list(tell(story, folder, lambda text, _: said.append(text)))
    return said, [result.expected for result in results]


def test_story_is_told_with_the_real_output(tmp_path):
    said, expected = told(tmp_path, Run("echo one; echo two >&2"))
    assert said == ["\n1. Title", "Sentence.", "\n$ echo one; echo two >&2", "    one", "    two"]
    assert expected == [True]


@pytest.mark.parametrize(("lines", "shown"), [(2, ["1", "2", "…"]), (-2, ["…", "4", "5"]), (5, list("12345"))])
def test_long_output_is_cut_at_the_chosen_end(tmp_path, lines, shown):
    said, _ = told(tmp_path, Run("seq 5", lines=lines))
    assert [line.strip() for line in said[3:]] == shown


def test_refusal_is_part_of_the_story_and_a_surprise_ends_it(tmp_path):
    said, expected = told(tmp_path, Run("exit 4", ends=(4,)), Run("seq 3; exit 7", lines=1), Run("echo never"))
    assert expected == [True, False]
    assert [line.strip() for line in said[-3:]] == ["1", "2", "3"]


def test_python_of_the_story_is_the_one_that_tells_it(tmp_path):
    said, _ = told(tmp_path, Run('python -c "import sys; print(sys.prefix)"'))
    assert said[-1].strip() == sys.prefix


def test_chapters_have_titles_of_their_own_and_a_sentence():
    story = chapters()
    assert len({chapter.title for chapter in story}) == len(story)
    assert all(chapter.sentence.endswith(".") and chapter.runs for chapter in story)


def test_demo_refuses_a_folder_that_holds_something(tmp_path, capsys):
    (tmp_path / "thesis.tex").touch()
    assert run(["demo", "--keep", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_the_whole_demo_goes_as_told(tmp_path):
    command = [sys.executable, "-m", "modelwright", "demo", "--json", "--keep", str(tmp_path / "story")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500)
    demo = json.loads(done.stdout)
    assert demo["passed"], demo["runs"][-1]["output"]
    assert done.returncode == 0
    refused = {run["command"]: run["output"] for run in demo["runs"] if run["exit_code"] == 4}
    for code in ("MW403", "MW401", "MW1106"):
        assert any(code in text for text in refused.values()), code
    installed = [run["output"].split()[-1] for run in demo["runs"] if "/production/simple/" in run["command"]]
    assert installed == ["progression==1.0.0", "progression==1.1.0", "progression==1.0.0"]
    assert "THE LOG WAS ALTERED" in next(run["output"] for run in demo["runs"] if "audit --verify" in run["command"])
    assert (tmp_path / "story" / "dist").is_dir()
