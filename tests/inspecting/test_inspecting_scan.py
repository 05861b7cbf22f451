"""Say what loading would do, without doing it: hostile files, one by one."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from toy_packages import write_toy

from modelwright.inspecting.content import look_into
from modelwright.inspecting.scan import scan
from modelwright.inspecting.suspicion import judge_name, suspicious_calls


class Runs:
    """Its pickle runs a command when it is opened."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (self.command,))


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=2).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["model.pkl", "weights.json", "README"])
def test_a_pickle_that_runs_a_command_is_danger_whatever_it_is_called(tmp_path: Path, protocol: int, name: str) -> None:
    canary = tmp_path / "canary"
    content = pickle.dumps([Runs(f"touch {canary}")], protocol=protocol)
    for report in (
        scan(write_toy(tmp_path / f"{name}-{protocol}", artifacts={name: content})),
        scan(_file(tmp_path / name, content)),
    ):
        assert report.worst == "danger"
        assert report.executes_code
        assert any("system" in finding.what and finding.severity == "danger" for finding in report.findings)
    assert not canary.exists()


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_hidden_pickle_contradicts_a_manifest_that_promises_none(tmp_path: Path) -> None:
    report = scan(write_toy(tmp_path, artifacts={"weights.bin": pickle.dumps(Runs("true"))}))
    assert any("runs no code, but an artifact" in finding.what for finding in report.findings)


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_a_joblib_file_names_its_types_through_any_compression(tmp_path: Path, compress: Any) -> None:
    joblib.dump(forest(), tmp_path / "model.bin", compress=compress)
    report = scan(tmp_path / "model.bin")
    assert report.executes_code
    assert "sklearn.ensemble._forest.RandomForestClassifier" in report.artifacts[0].constructs
    assert report.worst == "info"


def test_a_skops_file_names_its_types_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(skops.io.dumps(forest()))
    report = scan(tmp_path / "model.zip")
    assert report.artifacts[0].kind == "skops"
    assert not report.executes_code
    assert "sklearn.ensemble._forest.RandomForestClassifier" in report.artifacts[0].constructs
    assert report.worst == "info"


def test_a_forged_skops_file_that_names_a_dangerous_function_is_danger(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", json.dumps({"content": [{"__module__": "os", "__class__": "system"}]}))
    assert scan(tmp_path / "model.skops").worst == "danger"


def test_a_pickle_inside_a_zip_or_an_array_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Runs("true")))
    array = io.BytesIO()
    np.save(array, np.array([Runs("true")], dtype=object), allow_pickle=True)
    for path in (tmp_path / "model.pt", _file(tmp_path / "array.npy", array.getvalue())):
        report = scan(path)
        assert report.worst == "danger", path
        assert report.executes_code


@pytest.mark.parametrize(
    ("content", "kind", "worst"),
    [
        (b"\x7fELF\x02\x01\x01", "native", "danger"),
        (b"MZ\x90\x00", "native", "danger"),
        (b"#!/bin/sh\nrm -rf /\n", "script", "danger"),
        (b"\x89HDF\r\n\x1a\n", "hdf5", "warning"),
        (b'{"a": 1}', "json", "info"),
        ((16).to_bytes(8, "little") + b'{"w":{"dtype":1}}', "safetensors", "info"),
        (b"just text", "other", "info"),
        (b"", "other", "info"),
        (b"PK\x03\x04 and no more", "zip", "warning"),
        (b"\x93NUMPY\x01\x00\x04\x00oops", "npy", "warning"),
    ],
)
def test_content_decides_what_a_file_is(tmp_path: Path, content: bytes, kind: str, worst: str) -> None:
    report = scan(_file(tmp_path / "model.safetensors", content))
    assert report.artifacts[0].kind == kind
    assert report.worst == worst


def test_a_truncated_pickle_tells_what_it_would_have_done(tmp_path: Path) -> None:
    content = pickle.dumps([Runs("true"), "x" * 100])
    report = scan(_file(tmp_path / "model.pkl", content[:-20]))
    assert report.worst == "danger"
    assert any("cannot be read to its end" in finding.what for finding in report.findings)


def test_archives_in_archives_come_to_an_end(tmp_path: Path) -> None:
    content = pickle.dumps(Runs("true"))
    for _ in range(6):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("inner", content)
        content = outer.getvalue()
    report = scan(_file(tmp_path / "model.zip", content))
    assert report.worst == "warning"
    assert "archives in archives" in report.findings[0].what


@given(st.binary(max_size=200))
def test_no_bytes_make_the_scan_fail(content: bytes) -> None:
    look_into(io.BytesIO(content))


@given(st.binary(max_size=100), st.integers(0, 400))
def test_no_damaged_pickle_makes_the_scan_fail(noise: bytes, position: int) -> None:
    whole = pickle.dumps({"a": [1.5, Runs("true")], "b": ("text",) * 3})
    look_into(io.BytesIO(whole[:position] + noise + whole[position:]))


def test_code_is_read_and_the_runtime_recognised(tmp_path: Path) -> None:
    code = "import subprocess as s\nfrom os import system\n\ndef f(x):\n    s.run(['id'])\n    return eval(x)\n"
    root = write_toy(tmp_path, code=code)
    report = scan(root)
    by_path = {one.path: one for one in report.code}
    assert by_path["toy_line/features.py"].calls == ("line 5: subprocess.run", "line 6: eval")
    assert by_path["toy_line/model/_runtime/loading.py"].own
    assert not by_path["toy_line/model/_runtime/toy_loader.py"].own
    assert report.worst == "warning"


def test_an_altered_runtime_is_not_taken_for_ours(tmp_path: Path) -> None:
    root = write_toy(tmp_path)
    with (root / "toy_line" / "model" / "_runtime" / "loading.py").open("a") as stream:
        stream.write("\nimport os\nos.system('id')\n")
    report = scan(root)
    assert any("calls os.system" in finding.what for finding in report.findings)


def test_code_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    root = write_toy(tmp_path, code="def broken(:\n")
    (root / "toy_line" / "fast.so").write_bytes(b"\x7fELF")
    told = [finding.what for finding in scan(root).findings]
    assert any("cannot be read as Python" in what for what in told)
    assert any("compiled code" in what for what in told)


def test_a_wheel_and_its_folder_scan_the_same(toy_wheel: Path, toy_folder: Path) -> None:
    one, other = scan(toy_wheel), scan(toy_folder)
    assert (one.artifacts, one.code, one.findings) == (other.artifacts, other.code, other.findings)
    assert one.name == "toy-line"
    assert one.worst == "info"


def test_nothing_of_the_package_is_imported(toy_folder: Path, tmp_path: Path) -> None:
    root = shutil.copytree(toy_folder, tmp_path / "copy")
    for path in root.rglob("*.py"):
        path.write_text("raise RuntimeError('imported')\n")
    scan(root)


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("os.system", "danger"),
        ("posix.system", "danger"),
        ("builtins.eval", "danger"),
        ("builtins.getattr", "danger"),
        ("builtins.dict", None),
        ("collections.OrderedDict", None),
        ("pathlib.Path.touch", "danger"),
        ("importlib.import_module", "danger"),
        ("numpy.load", "danger"),
        ("pandas.read_pickle", "danger"),
        ("?.?", "danger"),
        ("lightgbm.basic.Booster", "warning"),
        ("toy.features.f", None),
        ("toys.features.f", "warning"),
    ],
)
def test_names_are_judged_by_what_they_can_do(name: str, severity: str | None) -> None:
    assert judge_name(name, package="toy", reviewed=frozenset()) == severity


@pytest.mark.parametrize(
    ("source", "called"),
    [
        ("import os\nos.system('id')", "os.system"),
        ("from os import system as s\ns('id')", "os.system"),
        ("import os\nos.execvp('id', [])", "os.execvp"),
        ("__import__('os')", "__import__"),
        ("import urllib.request\nurllib.request.urlopen('x')", "urllib.request.urlopen"),
        ("import socket\nsocket.socket()", "socket.socket"),
        ("import pickle\npickle.loads(b'')", "pickle.loads"),
        ("model.eval()", None),
        ("self.compile()", None),
        ("import os.path\nos.path.join('a')", None),
        ("import httpcore\nhttpcore.get()", None),
    ],
)
def test_calls_are_followed_through_imports(source: str, called: str | None) -> None:
    assert [name for _, name, _ in suspicious_calls(source)] == ([called] if called else [])


def torchscript(pickled: bytes, **extra: bytes) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("net/data.pkl", pickled)
        archive.writestr("net/constants.pkl", b"\x80\x02).")
        archive.writestr("net/code/__torch__.py", b"class Net(Module):\n  __parameters__ = []\n")
        archive.writestr("net/data/0", b"\x80\x05" + bytes(62))
        for name, content in extra.items():
            archive.writestr(f"net/extra/{name}", content)
    made.seek(0)
    return made


TENSOR = (
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
    b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000tQ)tR."
)


def test_a_torchscript_archive_is_known_and_its_own_names_run_nothing() -> None:
    found = look_into(torchscript(b"\x80\x02c__torch__\nNet\n)\x81}b."))
    assert (found.kind, found.constructs, found.executes, found.problem) == ("torchscript", (), False, "")
    found = look_into(torchscript(TENSOR))
    assert (found.constructs, found.executes) == ((), False)


def test_a_program_among_the_pickles_of_a_torchscript_archive_is_told() -> None:
    found = look_into(torchscript(b"cos\nsystem\n(S'id'\ntR."))
    assert found.executes
    assert found.constructs == ("os.system",)
    found = look_into(torchscript(TENSOR, note=pickle.dumps(Runs("true"))))
    assert found.executes
    assert found.constructs == ("posix.system",)


def test_a_saved_model_is_not_taken_for_onnx() -> None:
    assert look_into(io.BytesIO(b"\x08\x01\x12\x04\x0a\x02ab")).kind == "savedmodel"
    assert look_into(io.BytesIO(b"\x08\x0a\x12\x04skl2")).kind == "onnx"
