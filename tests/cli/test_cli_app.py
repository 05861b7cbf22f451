"""The edge: what a user sees, where it goes, and with which exit code."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
from cyclopts import App

from modelwright import __version__
from modelwright.cli.app import run
from modelwright.cli.commands import COMMANDS, EXITS, front_page
from modelwright.cli.exits import BUG, TABLE, exit_code
from modelwright.cli.output import Output, as_json, quoted, size
from modelwright.errors import IntegrityError, LockError, ModelwrightError, TrustError, VerificationFailed
from modelwright.steps import timed

MODELWRIGHT = [sys.executable, "-m", "modelwright"]


def spoken(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the real command line in a process of its own."""
    return subprocess.run(
        [*MODELWRIGHT, *arguments], capture_output=True, text=True, env=os.environ | environment, timeout=60
    )


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_front_page_lists_every_command(arguments, capsys):
    assert run(arguments) == 0
    shown = capsys.readouterr()
    assert all(f"  {command.name} " in shown.out for command in COMMANDS)
    assert shown.err == ""


def test_front_page_states_every_exit_code():
    assert all(f"{code} {meaning}" in front_page("1") for code, meaning in EXITS)


def test_version_is_the_version_of_the_library(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help_with_the_shared_options(command, capsys):
    assert run([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--json", "--quiet", "--traceback"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_a_command_begins_with_the_summary_of_the_front_page(command):
    module, _, name = command.target.partition(":")
    target = getattr(import_module(module), name)
    told = target.help if isinstance(target, App) else inspect.getdoc(target)
    assert told.splitlines()[0].startswith(command.summary)


def test_unknown_command_is_wrong_usage_and_suggests_the_nearest(capsys):
    assert run(["explian"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "modelwright explain --help" in shown.err


@pytest.mark.parametrize("arguments", [["explain", "--colour"], ["build"], ["explain", "MW101", "MW102"]])
def test_wrong_arguments_are_wrong_usage_on_stderr(arguments, capsys):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"fix: modelwright {arguments[0]} --help" in shown.err


def test_error_shows_code_fix_and_where_to_read_more_but_no_traceback(capsys, tmp_path):
    assert run(["inspect", str(tmp_path / "nowhere.whl")]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("MW110: ")
    assert "modelwright explain MW110" in shown.err
    assert "Traceback" not in shown.err


def test_error_with_json_is_an_object_on_stderr(capsys, tmp_path):
    assert run(["inspect", str(tmp_path / "nowhere.whl"), "--json"]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert json.loads(shown.err)["code"] == "MW110"


def test_traceback_is_shown_when_it_is_asked_for(capsys, tmp_path):
    assert run(["inspect", str(tmp_path / "nowhere.whl"), "--traceback"]) == 3
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_bug_says_that_it_is_one_and_how_to_report_it(capsys, monkeypatch):
    def broken() -> None:
        raise RuntimeError("the moon is full")

    monkeypatch.setattr("modelwright.cli.explain.explanations", broken)
    assert run(["explain"]) == BUG
    shown = capsys.readouterr().err
    assert "This is a bug in modelwright: RuntimeError: the moon is full" in shown
    assert "modelwright doctor --json" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelwrightError(""), 1),
        (VerificationFailed(""), 1),
        (FileNotFoundError(), 3),
        (TrustError(""), 4),
        (IntegrityError(""), 4),
        (LockError(""), 5),
        (PermissionError(), 5),
        (ZeroDivisionError(), BUG),
    ],
)
def test_exit_code_is_that_of_the_nearest_ancestor(error, code):
    assert exit_code(error) == code


def test_every_documented_exit_code_is_used():
    assert {0, 2, *TABLE.values()} >= {code for code, _ in EXITS}


def test_reader_that_goes_away_ends_the_command_quietly():
    script = f"{sys.executable} -m modelwright explain --json | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode in (0, 141)


def test_full_device_is_unavailable_and_no_bug():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*MODELWRIGHT, "explain", "--json"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_with_130_and_without_a_traceback():
    script = (
        "import sys, time\nimport modelwright.cli.explain as explain\nfrom modelwright.cli.app import run\n"
        "def wait(): print('ready', flush=True); time.sleep(60)\n"
        "explain.explanations = wait\nsys.exit(run(['explain']))"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, messages = child.communicate(timeout=30)
    assert child.returncode == 130
    assert messages.strip() == "Interrupted."


def test_terminal_without_unicode_gets_a_question_mark_instead_of_a_crash():
    done = spoken("doctor", "--timeout", "0.01", PYTHONIOENCODING="ascii", PIP_INDEX_URL="http://127.0.0.1:9/simple")
    assert "? interpreter" in done.stdout
    assert "Traceback" not in done.stderr


def test_output_to_a_pipe_has_no_colour_codes():
    assert "\x1b" not in spoken("explain", "MW201", NO_COLOR="").stdout


def test_steps_notes_and_next_go_to_stderr(capsys):
    output = Output()
    with timed("hash", output.listener) as note:
        note.detail = "2 files"
    output.note("a note")
    output.next("modelwright doctor")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "✓ hash" in shown.err
    assert "2 files" in shown.err
    assert shown.err.endswith("a note\n\nNext:\n  modelwright doctor\n")


@pytest.mark.parametrize("output", [Output(quiet=True), Output(json=True)])
def test_quiet_and_json_say_nothing_beside_the_result(output, capsys):
    with timed("hash", output.listener):
        pass
    output.note("a note")
    output.next("modelwright doctor")
    assert capsys.readouterr() == ("", "")


def test_json_of_a_path_and_of_unknown_values_is_text():
    assert json.loads(as_json({"path": Path("a"), "many": (1, 2)})) == {"path": "a", "many": [1, 2]}


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (2**20, "1.0 MiB"), (5 * 2**40, "5120.0 GiB")]
)
def test_size_is_in_the_largest_unit_that_is_not_below_one(count, text):
    assert size(count) == text


def test_paths_in_suggestions_are_relative_and_safe_to_paste(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert quoted(tmp_path / "a b" / "c.whl") == "'a b/c.whl'"
    assert quoted(Path("/etc/hosts")) == "/etc/hosts"
