"""What goes into a wheel, what stays out, and what is refused."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from building_models import write_model

from modelwright.building.build import build
from modelwright.building.sdist import build_sdist
from modelwright.errors import IntegrityError, PackageError

BUILDERS = pytest.mark.parametrize("make", [build, build_sdist], ids=["wheel", "sdist"])


def test_the_package_goes_in_verbatim_without_what_nobody_meant_to_ship(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    wanted = {path.relative_to(tmp_path).as_posix() for path in package.rglob("*") if path.is_file()}
    (package / "model" / "data").mkdir()
    (package / "model" / "data" / "ζ table.csv").write_text("1\n")
    wanted.add("churn/model/data/ζ table.csv")
    for leftover in (
        "a.py~",
        "#a.py#",
        ".a.py.swp",
        ".DS_Store",
        "a.pyc",
        "a.orig",
        "a.rej",
        "__pycache__/a.pyc",
        ".git/x",
    ):
        (package / leftover).parent.mkdir(exist_ok=True)
        (package / leftover).write_text("leftover")
    (tmp_path / "stray.py").write_text("beside the package")
    with zipfile.ZipFile(build(package, tmp_path / "dist")) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert packed == wanted
        assert all(wheel.read(name) == (tmp_path / name).read_bytes() for name in packed)


@BUILDERS
def test_a_flipped_bit_in_an_artifact_is_refused_and_nothing_is_written(tmp_path: Path, make) -> None:
    package = write_model(tmp_path / "m")
    artifact = package / "model" / "artifacts" / "weights.json"
    artifact.write_bytes(artifact.read_bytes().replace(b"3", b"4"))
    with pytest.raises(IntegrityError, match=r"weights\.json.*digest"):
        make(package, tmp_path / "dist")
    assert list((tmp_path / "dist").iterdir()) == []


@BUILDERS
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda package: (package / "model/artifacts/weights.json").write_text("{}"), "bytes, not"),
        (lambda package: (package / "model/artifacts/weights.json").unlink(), "is missing"),
        (lambda package: (package / "model/artifacts/extra.bin").write_text("x"), "not in the manifest"),
        (lambda package: (package / "features.py").unlink(), "is missing"),
        (lambda package: (package / "features.py").write_text("LEVELS = ('a', 'c')\n"), "digest"),
    ],
    ids=["resized", "missing", "unlisted", "code missing", "code changed"],
)
def test_files_that_are_not_those_of_the_manifest_are_refused(tmp_path: Path, make, change, message: str) -> None:
    package = write_model(tmp_path / "m")
    change(package)
    with pytest.raises(IntegrityError, match=message):
        make(package, tmp_path / "dist")


@BUILDERS
def test_a_pth_file_is_refused(tmp_path: Path, make) -> None:
    package = write_model(tmp_path)
    (package / "start.pth").write_text("import os\n")
    with pytest.raises(PackageError, match=r"start\.pth"):
        make(package, tmp_path / "dist")


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc", "../outside.txt", "model"])
def test_a_symbolic_link_that_leads_elsewhere_is_refused(tmp_path: Path, target: str) -> None:
    package = write_model(tmp_path / "m")
    (tmp_path / "outside.txt").write_text("x")
    (tmp_path / "m" / "outside.txt").symlink_to(tmp_path / "outside.txt")
    (package / "link").symlink_to(target)
    with pytest.raises(PackageError, match="symbolic link"):
        build(package, tmp_path / "dist")


def test_a_symbolic_link_within_the_package_ships_its_content(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    (package / "again.py").symlink_to("features.py")
    with zipfile.ZipFile(build(package, tmp_path / "dist")) as wheel:
        assert wheel.read("churn/again.py") == wheel.read("churn/features.py")


@pytest.mark.parametrize("name", ["new\nline.py", "back\\slash.py", "bell\a.py"])
def test_a_name_that_not_every_system_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    package = write_model(tmp_path)
    (package / name).write_text("")
    with pytest.raises(PackageError, match="not every system"):
        build(package, tmp_path / "dist")


def test_a_pipe_in_the_package_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    os.mkfifo(package / "pipe")
    with pytest.raises(PackageError, match="no file"):
        build(package, tmp_path / "dist")


@pytest.mark.parametrize("name", ["card.md", "pylock.toml"])
def test_a_missing_document_is_named(tmp_path: Path, name: str) -> None:
    package = write_model(tmp_path)
    (package / "model" / name).unlink()
    with pytest.raises(PackageError, match=name):
        build(package, tmp_path / "dist")
