"""``mw.load``: a model in a process of its own looks like the package itself, and harms nothing when it fails."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelwright as mw
from modelwright.errors import (
    ContainerError,
    DeadlineError,
    DeploymentError,
    EnvironmentBuildError,
    NotReadyError,
    OutputError,
    SelftestError,
    SignatureError,
    UnknownPackageError,
    WorkerError,
)
from modelwright.serving.isolated.model import IsolatedModel

GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "format-1"
OK = {"x": 1.5, "what": "ok"}


@pytest.fixture(scope="module")
def model(behaving: Path) -> Iterator[IsolatedModel]:
    """The model that behaves as its rows say."""
    with mw.load(behaving, offline=True) as loaded:
        yield loaded


def is_gone(pid: int, within_s: float = 5.0) -> bool:
    """Say whether a process ends in time; one that nobody waited for counts as ended."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_model_folder_answers_from_a_process_of_its_own() -> None:
    sys.modules.pop("twice", None)  # tests of other parts import it
    with mw.load(GOLDEN / "twice-1.0.0", offline=True) as twice:
        assert twice.predict([{"x": 2.0}]) == [{"doubled": 4.0, "positive": True}]
        assert twice.predict({"x": [2.0, -1.0]}) == {"doubled": [4.0, -2.0], "positive": [True, False]}
        assert twice.pid not in (0, os.getpid())
        assert (twice.manifest.name, twice.version, twice.methods) == ("twice", "1.0.0", ("predict",))
        assert repr(twice) == f"<IsolatedModel twice 1.0.0, in process {twice.pid}>"
        assert "twice" not in sys.modules


def test_a_text_and_a_package_name_it_too(behaving: Path) -> None:
    with mw.load(str(behaving), offline=True) as one, mw.load(mw.read(behaving), offline=True) as two:
        assert one.predict([OK]) == two.predict([OK]) == [{"prediction": 3.0}]
        assert one.digest == two.digest
        assert one.pid != two.pid


def test_what_a_reference_does_not_lead_to_is_said() -> None:
    with pytest.raises(UnknownPackageError):
        mw.load("./nowhere.whl")
    with pytest.raises(DeploymentError) as caught:
        mw.load("churn@production")
    assert "registry=" in caught.value.hint


def test_a_stage_of_a_registry_is_followed_when_it_is_loaded(behaving: Path, tmp_path: Path) -> None:
    registry = mw.Registry(tmp_path / "registry")
    registry.publish(behaving, evidence=[mw.verify(behaving, offline=True).save(tmp_path / "one.json")])
    registry.promote("behaving", "1.0.0", to="production", reason="first")
    for place in (registry, tmp_path / "registry", str(tmp_path / "registry")):
        with mw.load("behaving@production", registry=place, offline=True) as loaded:
            assert loaded.version == "1.0.0"
            assert loaded.predict([OK]) == [{"prediction": 3.0}]


def test_every_problem_of_the_rows_is_told_with_row_and_column(model) -> None:
    with pytest.raises(SignatureError) as caught:
        model.predict([{"x": 1, "what": 5}, {"x": "one", "what": "ok"}, {"x": None, "what": "ok"}])
    assert [(one.row, one.column) for one in caught.value.problems] == [(0, "what"), (1, "x"), (2, "x")]
    with pytest.raises(SignatureError) as caught:
        model.predict({"x": [1.0], "wat": ["ok"]})
    assert "wat" in {one.column for one in caught.value.problems}
    with pytest.raises(ContainerError):
        model.predict("ok")
    assert model.predict([]) == []


def test_text_that_no_text_can_hold_is_refused(model) -> None:
    with pytest.raises(SignatureError) as caught:
        model.predict([{"x": 1.0, "what": "\ud800"}])
    assert caught.value.problems[0].column == "what"


def test_what_the_model_raises_is_one_error_without_a_traceback(model) -> None:
    pid = model.pid
    with pytest.raises(OutputError, match=r"predict of behaving 1\.0\.0 failed") as caught:
        model.predict([OK, {"x": 1.0, "what": "raise"}])
    assert "Traceback" not in str(caught.value)
    with pytest.raises(OutputError):
        model.predict([{"x": 1.0, "what": "nan"}])
    with pytest.raises(OutputError):
        model.predict([OK, {"x": 1.0, "what": "short"}])
    assert model.predict([OK]) == [{"prediction": 3.0}]
    assert model.pid == pid


@pytest.mark.parametrize(("what", "why"), [("die", "it ended with exit code 7"), ("killed", "it was ended by SIGKILL")])
def test_a_process_that_ends_fails_its_call_and_is_replaced(model, what: str, why: str) -> None:
    pid = model.pid
    with pytest.raises(WorkerError) as caught:
        model.predict([{"x": 1.0, "what": what}])
    assert caught.value.why == why
    assert model.predict([OK]) == [{"prediction": 3.0}]
    assert model.pid not in (0, pid)


def test_a_process_that_was_ended_between_calls_is_replaced(model) -> None:
    os.kill(model.pid, signal.SIGKILL)
    assert is_gone(model.pid)
    answers = []
    for _ in range(2):  # at most the first notices
        try:
            answers.append(model.predict([OK]))
        except WorkerError:
            continue
    assert answers[-1] == [{"prediction": 3.0}]


def test_a_call_that_hangs_ends_in_time_and_the_next_one_works(model) -> None:
    pid, begun = model.pid, time.monotonic()
    with pytest.raises(DeadlineError):
        model.predict([{"x": 1.0, "what": "hang"}], timeout_s=0.3)
    assert time.monotonic() - begun < 5
    assert is_gone(pid)
    assert model.predict([OK], timeout_s=30) == [{"prediction": 3.0}]


def test_the_usual_limit_is_that_of_the_model(behaving: Path) -> None:
    with mw.load(behaving, offline=True, timeout_s=0.3) as quick:
        with pytest.raises(DeadlineError):
            quick.predict([{"x": 1.0, "what": "hang"}])
        assert quick.predict([{"x": 0.6, "what": "sleep"}], timeout_s=30) == [{"prediction": 1.2}]


def test_threads_take_turns_and_get_their_own_answers(model) -> None:
    wrong: list[object] = []

    def ask(number: int) -> None:
        for step in range(30):
            x = float(number * 1000 + step)
            if model.predict([{"x": x, "what": "ok"}]) != [{"prediction": 2 * x}]:
                wrong.append(x)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_who_waits_for_another_thread_waits_no_longer_than_it_says(model) -> None:
    pid = model.pid
    slow = threading.Thread(target=model.predict, args=([{"x": 1.0, "what": "sleep"}],))
    slow.start()
    time.sleep(0.2)
    with pytest.raises(DeadlineError, match="not free in time"):
        model.predict([OK], timeout_s=0.1)
    slow.join()
    assert model.predict([OK]) == [{"prediction": 3.0}]
    assert model.pid == pid


def test_a_process_outlives_the_thread_that_started_it(behaving: Path) -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(mw.load(behaving, offline=True)))
    thread.start()
    thread.join()
    (loaded,) = found
    with loaded:
        pid = loaded.pid
        time.sleep(0.2)
        assert loaded.predict([OK]) == [{"prediction": 3.0}]
        assert loaded.pid == pid


def test_closing_ends_the_process_and_may_be_done_twice(behaving: Path) -> None:
    loaded = mw.load(behaving, offline=True)
    pid = loaded.pid
    loaded.close()
    loaded.close()
    assert is_gone(pid)
    assert repr(loaded) == "<IsolatedModel behaving 1.0.0, closed>"
    for rows in ([OK], []):
        with pytest.raises(NotReadyError):
            loaded.predict(rows)


def test_what_nobody_refers_to_any_more_is_ended(behaving: Path) -> None:
    loaded = mw.load(behaving, offline=True)
    pid = loaded.pid
    del loaded
    assert is_gone(pid)


def test_it_is_not_sent_elsewhere(model) -> None:
    for send in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"call mw\.load there"):
            send(model)


def test_a_method_that_it_has_not_is_an_attribute_error_that_helps(model) -> None:
    with pytest.raises(AttributeError, match="Did you mean 'predict'"):
        model.predit([OK])
    assert "predict" in dir(model)
    assert not hasattr(model, "predict_proba")


def test_a_fork_gets_a_process_of_its_own_and_leaves_the_other_alone(model) -> None:
    pid = model.pid
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        answer = model.predict([{"x": 4.0, "what": "ok"}]) if model.pid == 0 else None
        os.write(write, b"8" if answer == [{"prediction": 8.0}] and model.pid != pid else b"0")
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        assert said.read() == b"8"
    os.waitpid(child, 0)
    assert model.predict([OK]) == [{"prediction": 3.0}]
    assert model.pid == pid


def test_threads_of_a_fork_share_one_process_as_those_of_its_parent_do(model) -> None:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        pids: list[int] = []
        forked = model._child.forked
        model._child.forked = lambda: (forked(), time.sleep(0.05))[0]  # so long that all threads are about to begin

        def ask(number: float) -> None:
            if model.predict([{"x": number, "what": "ok"}]) == [{"prediction": 2 * number}]:
                pids.append(model.pid)

        threads = [threading.Thread(target=ask, args=(float(number),)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os.write(write, f"{len(pids)} {len({*pids})}".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        assert said.read() == b"8 1"
    os.waitpid(child, 0)
    assert model.predict([OK]) == [{"prediction": 3.0}]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process that computes with its parent")
@pytest.mark.parametrize("what", ["ok", "hang"])
def test_a_parent_that_is_killed_leaves_no_process_behind(behaving: Path, what: str) -> None:
    script = f"""
        import threading, time, modelwright as mw
        model = mw.load({str(behaving)!r}, offline=True)
        threading.Thread(target=model.predict, args=([{{"x": 1.0, "what": {what!r}}}],), daemon=True).start()
        time.sleep(0.3)
        print(model.pid, flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_gone(pid, within_s=0.1)
        parent.kill()
        parent.wait()
    assert is_gone(pid)


def test_a_program_that_ends_without_closing_ends_cleanly(behaving: Path) -> None:
    script = f"import modelwright as mw; m = mw.load({str(behaving)!r}, offline=True); print(m.predict([{OK}]), m.pid)"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert is_gone(int(done.stdout.split()[-1]))


def test_a_model_that_behaves_differently_here_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN / "twice-1.0.0", tmp_path / "twice"))
    scenarios = folder / "twice" / "model" / "scenarios.jsonl"
    scenarios.write_text(scenarios.read_text().replace('"equals":4.0', '"equals":5.0'))
    with pytest.raises(SelftestError) as caught:
        mw.load(folder, offline=True)
    assert [one.item for one in caught.value.problems] == ["two-gives-four"]


def test_an_environment_that_cannot_be_made_is_refused_before_anything_is_loaded(behaving: Path, tmp_path) -> None:
    with pytest.raises(EnvironmentBuildError):
        mw.load(behaving, python="2.7", offline=True, cache=tmp_path)


def test_steps_are_told(behaving: Path) -> None:
    seen: list[str] = []
    with mw.load(behaving, offline=True, listener=lambda step: seen.append(step.name)):
        assert seen[-2:] == ["environment", "load"]
