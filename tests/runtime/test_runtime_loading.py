"""Loading: the order is law, and every refusal comes before anything is deserialised."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from model_folders import FUNCTION_LOADER, HERE, write_doubler

from modelwright.runtime import errors as failures
from modelwright.runtime import load, read_manifest
from modelwright.runtime.digests import DigestMemory
from modelwright.runtime.integrity import BIG, check_artifacts

RECORDING = 'from pathlib import Path\nPath(__file__).with_name("touched").write_text("yes")\n' + FUNCTION_LOADER


def touched(folder: Path) -> bool:
    return (folder / "_runtime" / "touched").exists()


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_sound_package_loads_and_predicts(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path, loader=RECORDING)
    assert load(folder, package="churn").predict([{"x": 4}]) == [{"y": 8.0}]
    assert touched(folder)


def test_another_interpreter_is_refused_before_pins_and_digests(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path, loader=RECORDING, interpreters=("cp27", "cp36"), dependencies=("absent==1",))
    (folder / "artifacts" / "weights.txt").write_text("tampered")
    with pytest.raises(failures.InterpreterError, match=r"cpython 2\.7, 3\.6; this is cpython 3\.") as caught:
        load(folder, package="churn")
    assert "uv venv --python 3.6" in caught.value.hint
    assert not touched(folder)


def test_a_portable_package_loads_on_newer_interpreters_only(tmp_path: Path) -> None:
    newer = write_doubler(tmp_path / "newer", interpreters=("cp310",), portable=True)
    assert load(newer, package="churn").predict({"x": [1]}) == {"y": [2.0]}
    older = write_doubler(tmp_path / "older", interpreters=("cp399",), portable=True)
    with pytest.raises(failures.InterpreterError):
        load(older, package="churn")


def test_another_implementation_is_refused(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path, implementation="pypy", interpreters=(HERE,))
    with pytest.raises(failures.InterpreterError, match="pypy"):
        load(folder, package="churn")


def test_all_wrong_pins_are_listed_before_digests(tmp_path: Path) -> None:
    pins = ("absent==1.0", "NumPy==0.1", "pytest>=1", 'gone==1; python_version < "3"')
    folder = write_doubler(tmp_path, loader=RECORDING, dependencies=pins)
    (folder / "artifacts" / "weights.txt").write_text("tampered")
    with pytest.raises(failures.PinError) as caught:
        load(folder, package="churn")
    found = {problem.item: problem.problem for problem in caught.value.problems}
    assert found.keys() == {"absent", "numpy"}
    assert found["absent"] == "is not installed; ==1.0 is needed"
    assert found["numpy"].endswith("is installed; ==0.1 is needed")
    assert caught.value.hint == 'pip install "absent==1.0" "NumPy==0.1"'
    assert not touched(folder)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda file: file.write_bytes(b"3\n"), "sha256"),
        (lambda file: file.write_bytes(b"22\n"), "has 3 bytes; 2 are expected"),
        (lambda file: file.unlink(), "is missing"),
        (lambda file: file.with_name("extra.bin").write_bytes(b""), "is not a file of this package"),
    ],
)
def test_altered_artifacts_are_refused_before_the_loader_is_imported(tmp_path: Path, harm: Any, message: str) -> None:
    folder = write_doubler(tmp_path, loader=RECORDING)
    harm(folder / "artifacts" / "weights.txt")
    with pytest.raises(failures.IntegrityError) as caught:
        load(folder, package="churn")
    assert message in str(caught.value)
    assert not touched(folder)


@pytest.mark.parametrize("path", ["../weights.txt", "/etc/hostname", "a\\b", "a//b"])
def test_artifacts_outside_the_package_are_refused(tmp_path: Path, path: str) -> None:
    folder = write_doubler(tmp_path)
    manifest = read_manifest(folder)
    manifest["artifacts"][0]["path"] = path
    with pytest.raises(failures.IntegrityError, match="leads out of the package"):
        check_artifacts(folder, manifest)


def test_types_that_nobody_vouched_for_are_refused_and_named(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path, options={"strangers": ["os.system", "builtins.eval"]})
    with pytest.raises(failures.TrustError) as caught:
        load(folder, package="churn", trust=["os.system"])
    assert [problem.problem for problem in caught.value.problems] == ["builtins.eval"]
    assert load(folder, package="churn", trust=["os.system", "builtins.eval"]).predict([{"x": 1}]) == [{"y": 2.0}]


def test_trust_in_one_type_may_be_said_as_text(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path, options={"strangers": ["os.system"]})
    assert load(folder, package="churn", trust="os.system").methods == ("predict", "predict_proba")


def test_a_failing_loader_is_one_kind_of_error(tmp_path: Path) -> None:
    loader = "def audit(*a): return []\ndef load(*a): raise KeyError('lost')\n"
    folder = write_doubler(tmp_path, loader=loader)
    with pytest.raises(failures.LoaderError, match="cannot be loaded") as caught:
        load(folder, package="churn")
    assert "KeyError: 'lost'" in caught.value.why
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("name", ["../evil", "missing_loader", "a.b"])
def test_a_loader_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_doubler(tmp_path)
    edit(folder, storage={"loader": name})
    with pytest.raises(failures.ManifestError, match="no loader"):
        load(folder, package="churn")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (None, failures.ManifestError),
        (b"{", failures.ManifestError),
        (b"[]", failures.ManifestError),
        (b'{"format_version": true}', failures.ManifestError),
        (b'{"format_version": 1}', failures.ManifestError),
        (b'{"format_version": 99}', failures.FormatVersionError),
        (b"\xff\xfe", failures.ManifestError),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None, kind: type) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(kind) as caught:
        read_manifest(tmp_path)
    assert type(caught.value) is kind


def test_errors_survive_pickling(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path, dependencies=("absent==1.0",))
    with pytest.raises(failures.PinError) as caught:
        load(folder, package="churn")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)


def test_digests_of_big_files_are_remembered_outside_the_package(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path / "package", artifacts={"weights.bin": bytes(BIG)})
    weights, cache = folder / "artifacts" / "weights.bin", tmp_path / "cache" / "digests.json"
    manifest, before = read_manifest(folder), sorted(folder.rglob("*"))
    settle(weights)
    check_artifacts(folder, manifest, memory=DigestMemory(cache))
    assert DigestMemory(cache).recall(weights) == manifest["artifacts"][0]["sha256"]
    assert sorted(folder.rglob("*")) == before


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path / "package", artifacts={"weights.bin": bytes(BIG)})
    weights, cache = folder / "artifacts" / "weights.bin", tmp_path / "digests.json"
    settle(weights)
    check_artifacts(folder, read_manifest(folder), memory=DigestMemory(cache))
    with weights.open("r+b") as stream:
        stream.write(b"\1")
    with pytest.raises(failures.IntegrityError, match="sha256"):
        check_artifacts(folder, read_manifest(folder), memory=DigestMemory(cache))


def test_a_file_that_may_still_change_is_not_remembered(tmp_path: Path) -> None:
    file, memory = tmp_path / "young", DigestMemory(tmp_path / "digests.json")
    file.write_bytes(b"young")
    memory.remember(file, "digest")
    memory.save()
    assert not (tmp_path / "digests.json").exists()


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_a_damaged_memory_is_forgotten(tmp_path: Path, content: str) -> None:
    (tmp_path / "digests.json").write_text(content)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    assert DigestMemory(tmp_path / "digests.json").recall(file) is None


def test_a_memory_that_cannot_be_written_is_fine(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    file = tmp_path / "old"
    file.write_bytes(b"x")
    settle(file)
    memory = DigestMemory(tmp_path / "blocked" / "digests.json")
    memory.remember(file, "digest")
    memory.save()
    assert DigestMemory(tmp_path / "blocked" / "digests.json").recall(file) is None


def settle(file: Path) -> None:
    """Wait until the file is old enough to be remembered; its ctime cannot be set by hand."""
    import time

    time.sleep(max(0.0, file.stat().st_ctime + 2.05 - time.time()))
