"""A fresh process loads the staged package, answers its rows, and sees nothing of the place it was captured in."""

from __future__ import annotations

from pathlib import Path

import pytest
from code_staging import stage_module

from modelwright.capturing.trace import start
from modelwright.errors import TraceError

SOURCE = """
import colorsys


def predict(rows):
    import wave
    print("noise on standard output")
    return [2.0 * row["a"] if row["a"] < 9 else 9.0 for row in rows]
"""


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def test_a_trace_answers_and_names_who_imported_what(local: Path, tmp_path: Path) -> None:
    stage_module(tmp_path / "stage", local, "zz_plain", SOURCE)
    trace = start(tmp_path / "stage", "churn", [{"a": 1.0}, {"a": 10.0}]).result()
    assert trace.answers == {"prediction": [2.0, 9.0]}
    assert trace.modules["colorsys"].importer == "churn.zz_plain"
    assert trace.modules["wave"].importer == "churn.zz_plain"
    assert trace.modules["churn.zz_plain"].file == str(tmp_path / "stage/churn/zz_plain.py")
    assert trace.load_seconds > 0
    assert trace.cpu_seconds > 0


def test_a_module_that_a_library_made_itself_has_no_file_of_the_users(local: Path, tmp_path: Path) -> None:
    source = (
        "import sys, types\nmade = types.ModuleType('zz_made')\nmade.__file__ = '_made.py'\n"
        "sys.modules['zz_made'] = made\n\n\ndef predict(rows):\n    return [1.0 for _ in rows]\n"
    )
    stage_module(tmp_path / "stage", local, "zz_maker", source)
    trace = start(tmp_path / "stage", "churn", [{"a": 1.0}]).result()
    assert trace.modules["zz_made"].file == ""


def test_nothing_is_written_into_the_stage(local: Path, tmp_path: Path) -> None:
    stage_module(tmp_path / "stage", local, "zz_clean", SOURCE)
    before = sorted(tmp_path.joinpath("stage").rglob("*"))
    start(tmp_path / "stage", "churn", [{"a": 1.0}]).result()
    assert sorted(tmp_path.joinpath("stage").rglob("*")) == before


def test_a_local_file_that_was_not_collected_is_not_there(local: Path, tmp_path: Path) -> None:
    (local / "zz_hidden.py").write_text("VALUE = 1.0\n")
    source = (
        "import importlib\n\n\ndef predict(rows):\n"
        "    return [importlib.import_module('zz_hidden').VALUE for _ in rows]\n"
    )
    stage_module(tmp_path / "stage", local, "zz_dynamic", source)
    with pytest.raises(TraceError) as caught:
        start(tmp_path / "stage", "churn", [{"a": 1.0}]).result()
    assert "zz_hidden" in caught.value.why
    assert "modules=" in caught.value.hint


def test_a_blocked_module_is_as_if_it_were_not_installed(local: Path, tmp_path: Path) -> None:
    source = (
        "import importlib.util\ntry:\n    import numpy\nexcept ModuleNotFoundError:\n    numpy = None\n\n\n"
        "def predict(rows):\n    found = importlib.util.find_spec('numpy')\n"
        "    return [float(numpy is not None) + float(found is not None) for _ in rows]\n"
    )
    stage_module(tmp_path / "stage", local, "zz_optional", source)
    runs = [start(tmp_path / "stage", "churn", [{"a": 1.0}], blocked=blocked) for blocked in ((), ("numpy",))]
    assert [run.result().answers["prediction"] for run in runs] == [[2.0], [0.0]]


def test_a_model_that_fails_or_dies_there_is_a_typed_error(local: Path, tmp_path: Path) -> None:
    stage_module(tmp_path / "dies", local, "zz_dies", "import os\n\n\ndef predict(rows):\n    os.abort()\n")
    with pytest.raises(TraceError, match="does not run in a fresh process"):
        start(tmp_path / "dies", "churn", [{"a": 1.0}]).result()
    stage_module(tmp_path / "fails", local, "zz_fails", "def predict(rows):\n    raise KeyError('colour')\n")
    with pytest.raises(TraceError) as caught:
        start(tmp_path / "fails", "churn", [{"a": 1.0}]).result()
    assert "colour" in str(caught.value)


def test_a_model_that_does_not_come_to_an_end_is_given_up(local: Path, tmp_path: Path) -> None:
    stage_module(tmp_path / "stage", local, "zz_slow", "import time\n\n\ndef predict(rows):\n    time.sleep(600)\n")
    with pytest.raises(TraceError, match="within 1 s"):
        start(tmp_path / "stage", "churn", [{"a": 1.0}]).result(timeout_s=1)
