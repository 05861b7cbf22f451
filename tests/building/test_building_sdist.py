"""The sdist rebuilds the identical wheel, with no network and without modelwright."""

from __future__ import annotations

import hashlib
import sys
import tarfile
from pathlib import Path

import pytest
from building_models import HERE, write_project
from packaging.metadata import Metadata

from modelwright.building.build import build
from modelwright.building.sdist import build_sdist


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a licence and weights that do not fit into one buffer."""
    root = write_project(
        tmp_path_factory.mktemp("project"), 'version = "1.3.0"', weights=bytes(range(256)) * 5000, environment=HERE
    )
    (root / "LICENSE").write_text("free\n")
    (root / "src" / "churn" / "LICENSE-data").write_text("also free\n")
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + 'license-files = ["LICENSE", "src/churn/LICENSE-data"]\n')
    return root


@pytest.fixture(scope="module")
def wheel(project: Path) -> Path:
    return build(project, project / "dist")


@pytest.fixture(scope="module")
def sdist(project: Path) -> Path:
    return build_sdist(project, project / "dist")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unpack(sdist: Path, into: Path) -> Path:
    with tarfile.open(sdist) as opened:
        opened.extractall(into, filter="data")
    (root,) = into.iterdir()
    return root


def test_the_sdist_holds_metadata_licences_package_and_a_backend_that_requires_nothing(sdist: Path) -> None:
    assert sdist.name == "churn-1.3.0.tar.gz"
    with tarfile.open(sdist) as opened:
        names = opened.getnames()
        read = {name: opened.extractfile(f"churn-1.3.0/{name}").read() for name in ("PKG-INFO", "pyproject.toml")}  # type: ignore[union-attr]
    assert len(names) == len(set(names))
    wanted = {"PKG-INFO", "pyproject.toml", "LICENSE", "churn/model/artifacts/weights.bin", "churn/features.py"}
    assert {f"churn-1.3.0/{name}" for name in wanted} <= set(names)
    found = Metadata.from_email(read["PKG-INFO"])
    assert {f"churn-1.3.0/{name}" for name in found.license_files or []} <= set(names)
    assert b"requires = []" in read["pyproject.toml"]


FRONTENDS = {
    "pip": [sys.executable, "-m", "pip", "--isolated", "wheel", "--no-index", "--no-cache-dir", "-w"],
    "build": [sys.executable, "-m", "build", "--wheel", "--installer", "uv", "-o"],
    "uv": ["uv", "build", "--wheel", "--python", sys.executable, "--offline", "-o"],
}


@pytest.mark.parametrize("frontend", list(FRONTENDS))
def test_every_frontend_rebuilds_the_identical_wheel_without_a_network(
    tmp_path: Path, sdist: Path, wheel: Path, run, uv: str, offline: list[str], frontend: str
) -> None:
    program, *arguments = FRONTENDS[frontend]
    source = unpack(sdist, tmp_path / "unpacked") if frontend == "build" else sdist
    run(*offline, uv if program == "uv" else program, *arguments, tmp_path / "dist", source)
    assert sha256(tmp_path / "dist" / wheel.name) == sha256(wheel)


def test_an_interpreter_without_any_library_rebuilds_wheel_and_sdist(
    tmp_path: Path, sdist: Path, wheel: Path, run, interpreters: dict[str, str]
) -> None:
    root = unpack(sdist, tmp_path / "unpacked")
    hooks = (
        "import sys; sys.path.insert(0, '_backend'); from model_backend import rebuild as b; "
        "assert b.get_requires_for_build_wheel() == b.get_requires_for_build_sdist() == []; "
        "print(b.build_wheel(sys.argv[1]), b.build_sdist(sys.argv[1]), b.prepare_metadata_for_build_wheel(sys.argv[1]))"
    )
    for minor, python in interpreters.items():
        into = tmp_path / minor
        into.mkdir()
        printed = run(python, "-I", "-S", "-c", hooks, into, cwd=root).stdout.split()
        assert printed == [wheel.name, sdist.name, "churn-1.3.0.dist-info"]
        assert sha256(into / wheel.name) == sha256(wheel)
        assert sha256(into / sdist.name) == sha256(sdist)
        assert (into / "churn-1.3.0.dist-info" / "METADATA").is_file()


def test_the_epoch_of_the_sdist_is_that_of_the_wheel_it_makes(tmp_path: Path, project: Path, run, offline) -> None:
    sdist = build_sdist(project, tmp_path, epoch=1_800_000_000)
    wheel = build(project, tmp_path / "direct", epoch=1_800_000_000)
    program, *arguments = FRONTENDS["pip"]
    run(*offline, program, *arguments, tmp_path / "dist", sdist, SOURCE_DATE_EPOCH="5")
    assert sha256(tmp_path / "dist" / wheel.name) == sha256(wheel)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: (root / "churn/model/artifacts/weights.json").write_text('{"factor": 9.0}\n'), "MW401"),
        (lambda root: (root / "churn/model/artifacts/weights.json").unlink(), "MW702"),
    ],
    ids=["changed", "missing"],
)
def test_a_damaged_sdist_is_refused_without_a_traceback(tmp_path: Path, sdist: Path, run, damage, message) -> None:
    root = unpack(sdist, tmp_path / "unpacked")
    damage(root)
    program, *arguments = FRONTENDS["pip"]
    done = run(program, *arguments, tmp_path / "dist", root, code=1)
    assert message in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
