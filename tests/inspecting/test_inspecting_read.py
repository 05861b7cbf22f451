"""Read packages wherever they are; nothing is executed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import uv

from modelwright.errors import FormatVersionError, ManifestError, UnknownPackageError, WheelError
from modelwright.inspecting.read import read


def test_a_folder_a_wheel_and_a_file_url_give_the_same_manifest(toy_folder: Path, toy_wheel: Path) -> None:
    references = [toy_folder, str(toy_folder), toy_folder / "toy_line" / "model", toy_wheel, toy_wheel.as_uri()]
    assert len({read(reference).manifest.version for reference in references}) == 1
    assert {read(reference).manifest.name for reference in references} == {"toy-line"}


def test_a_package_is_returned_as_it_is(toy_wheel: Path) -> None:
    package = read(toy_wheel)
    assert read(package) is package


@pytest.fixture(scope="module")
def installed(toy_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [uv.find_uv_bin(), "pip", "install", "-q", "--no-index", "-p", sys.executable, "--target", folder]
    subprocess.run([*command, toy_wheel], check=True)
    return folder


@pytest.fixture
def site(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with the toy installed in it."""
    shutil.copytree(installed, tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


def test_an_installed_name_is_read_without_importing_it(site: Path) -> None:
    (site / "toy_line" / "__init__.py").write_text("raise RuntimeError('imported')")
    package = read("toy_line")
    assert package.manifest.name == "toy-line"
    assert read("toy-line==1.0.0").import_name == "toy_line"
    assert "toy_line/model/manifest.json" in package.files.names()
    assert "toy_line" not in sys.modules


def test_files_of_an_installation_are_those_of_its_record(site: Path) -> None:
    (site / "stranger.py").write_text("")
    names = read("toy-line").files.names()
    assert "stranger.py" not in names
    with pytest.raises(KeyError):
        read("toy-line").files.open("stranger.py")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("toy-lime", "Did you mean 'toy-line'"),
        ("toy-line==9.9", "has version 1.0.0"),
        ("toy-line@production", "stages need a registry"),
        ("pytest", "there is no model in it"),
        ("not a name!", "There is no package"),
    ],
)
def test_a_wrong_name_says_what_is_there(site: Path, reference: str, said: str) -> None:
    with pytest.raises(UnknownPackageError, match=said):
        read(reference)


def test_a_path_with_a_typing_error_suggests_the_neighbour(toy_wheel: Path) -> None:
    with pytest.raises(UnknownPackageError, match=f"Did you mean .*{toy_wheel.name}"):
        read(toy_wheel.with_name(toy_wheel.name.replace("toy", "toi")))


def test_a_missing_file_url_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownPackageError):
        read((tmp_path / "gone.whl").as_uri())


@pytest.mark.parametrize("keep", [0, 1, 100, -10, -30])
def test_a_truncated_wheel_is_refused(toy_wheel: Path, tmp_path: Path, keep: int) -> None:
    short = tmp_path / toy_wheel.name
    short.write_bytes(toy_wheel.read_bytes()[:keep])
    with pytest.raises(WheelError):
        read(short)


def test_an_ordinary_library_is_no_model(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "library-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("library/__init__.py", "")
    with pytest.raises(WheelError, match="no model"):
        read(tmp_path / "library-1.0-py3-none-any.whl")


def test_a_newer_format_is_refused_before_anything_else_is_looked_at(toy_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(toy_folder, tmp_path / "copy")
    (copy / "toy_line" / "model" / "manifest.json").write_text(json.dumps({"format_version": 2, "name": 7}))
    with pytest.raises(FormatVersionError, match="upgrade modelwright"):
        _ = read(copy).manifest
    (copy / "toy_line" / "model" / "manifest.json").write_text("{")
    with pytest.raises(ManifestError):
        _ = read(copy).manifest
