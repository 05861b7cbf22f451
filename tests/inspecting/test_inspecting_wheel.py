"""Check wheels to the last byte; every way of altering one is found."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwright.errors import IntegrityError, ModelwrightError, RecordError, UnknownPackageError, WheelError
from modelwright.inspecting.wheel import check_wheel

Files = dict[str, bytes]
RECORD = "toy_line-1.0.0.dist-info/RECORD"
ARTIFACT = "toy_line/model/artifacts/line.json"


def files_of(wheel: Path) -> Files:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(files: Files, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def record_again(files: Files) -> None:
    """Write a RECORD that agrees, as someone would who alters a wheel with care."""
    lines = []
    for name, content in files.items():
        if name != RECORD:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}\n")
    files[RECORD] = ("".join(lines) + f"{RECORD},,\n").encode()


def test_a_wheel_as_it_was_built_agrees(toy_wheel: Path) -> None:
    report = check_wheel(toy_wheel)
    assert (report.name, report.version, report.file) == ("toy-line", "1.0.0", toy_wheel.name)
    assert report.sha256 == hashlib.sha256(toy_wheel.read_bytes()).hexdigest()
    assert report.files == len(files_of(toy_wheel))


def alter(name: str, old: bytes, new: bytes) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new)

    return change


def add(name: str, content: bytes = b"") -> Callable[[Files], None]:
    return lambda files: files.update({name: content})


def remove(name: str) -> Callable[[Files], None]:
    return lambda files: files.pop(name) and None


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (alter(ARTIFACT, b"2.0", b"3.0"), IntegrityError, "line.json.*sha256"),
        (alter(ARTIFACT, b"2.0", b"3.00"), IntegrityError, "line.json.*bytes"),
        (remove(ARTIFACT), IntegrityError, "captured, but is missing"),
        (alter("toy_line/features.py", b"'a'", b"'c'"), IntegrityError, "features.py.*sha256"),
        (alter("toy_line/model/card.md", b"line", b"lime"), RecordError, "card.md.*sha256"),
        (remove("toy_line/model/card.md"), RecordError, "card.md.*not in the wheel"),
        (add("toy_line/extra.py"), RecordError, "extra.py.*not listed"),
        (alter(RECORD, b"sha256=", b"md5="), RecordError, "line 1 is not"),
        (remove(RECORD), RecordError, "RECORD.*missing"),
    ],
)
def test_a_wheel_that_was_altered_is_refused(
    toy_wheel: Path, tmp_path: Path, change: Callable[[Files], None], error: type[ModelwrightError], said: str
) -> None:
    files = files_of(toy_wheel)
    change(files)
    with pytest.raises(error, match=said):
        check_wheel(write(files, tmp_path / toy_wheel.name))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (add("evil.pth", b"import os"), "would run code at every start"),
        (add("numpy/__init__.py"), "lies outside the package"),
        (add("toy_line-1.0.0.data/scripts/x"), "lies outside the package"),
        (add("other-1.0.dist-info/METADATA"), "no toy-line-1.0.0.dist-info folder of its own"),
        (alter("toy_line-1.0.0.dist-info/METADATA", b"Name: toy-line", b"Name: toy-lime"), "says name 'toy-lime'"),
        (alter("toy_line-1.0.0.dist-info/METADATA", b"Version: 1.0.0", b"Version: 1.0.1"), "says version '1.0.1'"),
        (alter("toy_line-1.0.0.dist-info/METADATA", b"Version: 1.0.0", b"Version: one"), "METADATA"),
        (alter("toy_line-1.0.0.dist-info/WHEEL", b"none-any", b"abi3-any"), "says the tags"),
        (alter("toy_line-1.0.0.dist-info/WHEEL", b"Wheel-Version: 1", b"Wheel-Version: 2"), "Wheel-Version"),
        (alter("toy_line-1.0.0.dist-info/WHEEL", b"true", b"false"), "Root-Is-Purelib"),
        (alter("toy_line/model/manifest.json", b'"1.0.0"', b'"1.0.1"'), "manifest.json.*version '1.0.1'"),
        (alter("toy_line/model/manifest.json", b'"cp3', b'"cp2'), "manifest.json.*interpreters"),
        (alter("toy_line/model/manifest.json", b'"toy_line"', b'"toy_lime"'), "import package 'toy_lime'"),
        (
            alter("toy_line/model/manifest.json", b'"dependencies": []', b'"dependencies": ["numpy==2.4.6"]'),
            "does not require 'numpy==2.4.6'",
        ),
    ],
)
def test_a_wheel_that_contradicts_itself_is_refused_even_if_its_record_agrees(
    toy_wheel: Path, tmp_path: Path, change: Callable[[Files], None], said: str
) -> None:
    files = files_of(toy_wheel)
    change(files)
    record_again(files)
    with pytest.raises(WheelError, match=said):
        check_wheel(write(files, tmp_path / toy_wheel.name))


def test_every_problem_is_listed(toy_wheel: Path, tmp_path: Path) -> None:
    files = files_of(toy_wheel)
    alter(ARTIFACT, b"2.0", b"3.0")(files)
    add("toy_line/extra.py")(files)
    with pytest.raises(IntegrityError) as caught:
        check_wheel(write(files, tmp_path / toy_wheel.name))
    assert {problem.item for problem in caught.value.problems} == {ARTIFACT, "toy_line/extra.py"}


def test_signatures_of_record_need_no_entry(toy_wheel: Path, tmp_path: Path) -> None:
    files = files_of(toy_wheel) | {f"{RECORD}.jws": b"{}"}
    assert check_wheel(write(files, tmp_path / toy_wheel.name)).name == "toy-line"


@pytest.mark.parametrize(
    "name", ["toy_line.whl", "toy_line-1.0.0-cp310-none-any.whl", "toy_lime-1.0.0-py3-none-any.whl"]
)
def test_a_file_name_that_says_something_else_is_refused(toy_wheel: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(WheelError):
        check_wheel(write(files_of(toy_wheel), tmp_path / name))


def test_no_such_wheel_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownPackageError):
        check_wheel(tmp_path / "gone-1.0-py3-none-any.whl")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_single_bit_of_the_content_can_flip_unseen(toy_wheel: Path, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(toy_wheel.read_bytes())
    with zipfile.ZipFile(toy_wheel) as archive:
        entry = data.draw(st.sampled_from([one for one in archive.infolist() if one.file_size]))
    start = entry.header_offset + 30 + len(entry.filename.encode())
    position = data.draw(st.integers(start, start + entry.file_size - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    damaged = tmp_path / toy_wheel.name
    damaged.write_bytes(content)
    with pytest.raises(ModelwrightError):
        check_wheel(damaged)
