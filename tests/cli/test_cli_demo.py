"""The demo: its story is really run, and a story that goes wrong says where."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelwright.cli.app import run
from modelwright.cli.demo_story import serving
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


STAYING = Run("sleep 60 >/dev/null 2>&1 & echo $! >sleep.pid")


def runs(pid: int) -> bool:
    """Say whether a process runs; one that ended and that nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(pid: int) -> bool:
    """Say whether a process has ended, or does so at once."""
    until = time.monotonic() + 5
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not runs(pid)


def test_what_a_command_leaves_running_goes_on_with_the_story_and_ends_with_it(tmp_path):
    _, expected = told(tmp_path, STAYING, Run("kill -0 $(cat sleep.pid)"))
    assert expected == [True, True]
    assert ends(int((tmp_path / "sleep.pid").read_text()))


def test_what_was_left_running_ends_when_the_story_breaks_or_is_left(tmp_path):
    told(tmp_path, STAYING, Run("exit 7"))
    assert ends(int((tmp_path / "sleep.pid").read_text()))
    story = tell([Chapter("Title", "Sentence.", (STAYING, Run("true")))], tmp_path, lambda *_: None)
    next(story)
    pid = int((tmp_path / "sleep.pid").read_text())
    assert runs(pid)
    story.close()
    assert ends(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_demo_that_is_ended_takes_along_what_it_started(tmp_path, number):
    program = (
        "from modelwright.cli import demo; from modelwright.cli.app import run\n"
        "from modelwright.cli.demo_story.telling import Chapter, Run\n"
        f"story = (Chapter('Title', 'Sentence.', (Run({STAYING.command!r}), Run('echo $$ >sh.pid; sleep 60'))),)\n"
        "demo.chapters = lambda: story\n"
        f"raise SystemExit(run(['demo', '--keep', {str(tmp_path / 'story')!r}]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 30
    while not (tmp_path / "story" / "sh.pid").is_file() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    for name in ("sleep", "sh"):
        assert ends(int((tmp_path / "story" / f"{name}.pid").read_text()))


def test_without_the_extra_serving_is_a_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    (lacking,) = serving.serving()
    assert 'pip install "modelwright[serve]"' in lacking.sentence
    assert lacking.runs == ()


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
    assert_served({run["command"]: run["output"] for run in demo["runs"]})


def assert_served(said: dict[str, str]) -> None:
    """Check what the chapters about serving told."""

    def of(words: str) -> str:
        return next(output for command, output in said.items() if words in command)

    assert json.loads(of("--data @patient.json"))["version"] == "1.0.0"
    assert {problem["column"] for problem in json.loads(of("@mistakes.json"))["details"]} == {"glucos", "age", "bp"}
    both = next(output for command, output in said.items() if re.fullmatch(r"python patients.py \d+ 2", command))
    assert "1.0.0 answered" in both
    assert "1.1.0 answered" in both
    assert "\n0 failed; 442 patients, 0 of them answered by more than one version" in both
    assert "rolled back: The canary is worse: errors" in of("--canary")
    assert "does not take rows that fit progression 1.0.0" in of("--canary")
    assert "1.1.0 answered" in of("cat patients.txt")
    assert "\n0 failed" in of("cat patients.txt")
    assert "Ended." in of("kill $(cat serve.pid)")
    assert "canary rolled back, 25 % → 0 %" in of("modelwright history")
