"""Weights in a wheel of their own: which bytes go where, what is shipped once, what installers make of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer.sources import WheelFile
from packaging.metadata import Metadata

sys.path.append(str(Path(__file__).parent.parent / "inspecting"))

from building_models import write_model, write_project
from toy_packages import write_toy

from modelwright.backend import build_wheel
from modelwright.building.build import build, weights_beside
from modelwright.building.sdist import build_sdist
from modelwright.building.weights import parse_size, read_weights
from modelwright.errors import (
    IntegrityError,
    PackageError,
    ProjectError,
    RecordError,
    UnknownPackageError,
    WheelError,
)
from modelwright.inspecting.environments import kept
from modelwright.inspecting.installers import choose
from modelwright.inspecting.obtain import obtain
from modelwright.inspecting.read import read
from modelwright.inspecting.scan import scan
from modelwright.inspecting.selftest import run_selftest
from modelwright.inspecting.verify import verify
from modelwright.inspecting.weights import check_weights
from modelwright.inspecting.wheel import check_wheel
from modelwright.package import open_wheel

BIG = {"big.bin": bytes(range(256)) * 4096}
HERE = {"python": "3.11.7", "interpreters": ["cp311"], "portable": True, "dependencies": []}
WEIGHTS = "toy_line_weights-1.2.0-py3-none-any.whl"


def toy(root: Path, version: str, **changes: Any) -> Path:
    return write_toy(root, version=version, environment=HERE, artifacts=BIG, **changes)


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 1.2.0, its weights, and 1.3.0, whose code differs and whose weights do not. Do not change it."""
    root = tmp_path_factory.mktemp("releases")
    dist = root / "dist"
    build(toy(root / "old", "1.2.0"), dist, weights=2**20)
    build(toy(root / "new", "1.3.0", code="LEVELS = ('c',)\n"), dist, weights=2**20, previous=dist)
    return dist


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def altered(wheel: Path, into: Path, name: str, content: bytes) -> Path:
    """Copy a wheel with one file replaced."""
    into.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(into / wheel.name, "w") as sink:
        for entry in source.infolist():
            sink.writestr(entry, content if entry.filename == name else source.read(entry))
    return into / wheel.name


def test_the_second_release_ships_no_weights_and_requires_those_of_the_first(releases: Path) -> None:
    assert sorted(path.name for path in releases.iterdir()) == [
        "toy_line-1.2.0-py3-none-any.whl",
        "toy_line-1.3.0-py3-none-any.whl",
        WEIGHTS,
    ]
    for version in ("1.2.0", "1.3.0"):
        wheel = releases / f"toy_line-{version}-py3-none-any.whl"
        assert open_wheel(wheel).manifest.weights == "1.2.0"
        assert not [name for name in names(wheel) if "/artifacts/" in name]
        assert wheel.stat().st_size < 300_000 < 2**20 < (releases / WEIGHTS).stat().st_size
        with zipfile.ZipFile(wheel) as archive:
            metadata = Metadata.from_email(archive.read(f"toy_line-{version}.dist-info/METADATA"))
        assert [str(each) for each in metadata.requires_dist or ()] == ["toy-line-weights==1.2.0"]


def test_changed_weights_are_shipped_again(releases: Path, tmp_path: Path) -> None:
    wheel = build(toy(tmp_path / "src", "1.4.0", slope=3.0), tmp_path / "dist", weights=2**20, previous=releases)
    assert weights_beside(wheel) == tmp_path / "dist" / "toy_line_weights-1.4.0-py3-none-any.whl"


@pytest.mark.parametrize("previous", ["toy_line-1.3.0-py3-none-any.whl", WEIGHTS, "registry"])
def test_earlier_weights_are_found_wherever_they_are(releases: Path, tmp_path: Path, previous: str) -> None:
    place = releases / previous
    if previous == "registry":
        place = tmp_path / "registry"
        (stored := place / "files" / "ab" / ("ab" * 32)).mkdir(parents=True)
        (stored / WEIGHTS).write_bytes((releases / WEIGHTS).read_bytes())
    wheel = build(toy(tmp_path / "src", "1.5.0"), tmp_path / "dist", weights=0, previous=place)
    assert open_wheel(wheel).manifest.weights == "1.2.0"
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [wheel.name]


def test_a_release_before_of_another_model_is_refused(releases: Path, tmp_path: Path) -> None:
    other = toy(tmp_path / "src", "1.0.0", name="other", import_name="other")
    with pytest.raises(UnknownPackageError, match="one of 'toy-line', not of 'other'"):
        build(other, tmp_path / "dist", weights=0, previous=releases / "toy_line-1.2.0-py3-none-any.whl")
    with pytest.raises(UnknownPackageError, match="no such file"):
        build(other, tmp_path / "dist", weights=0, previous=tmp_path / "nowhere")
    assert not (tmp_path / "dist").exists()


def test_below_the_threshold_the_wheel_is_the_one_that_it_always_was(tmp_path: Path) -> None:
    root = toy(tmp_path / "src", "1.2.0")
    whole, same = build(root, tmp_path / "a"), build(root, tmp_path / "b", weights=2**30)
    assert whole.read_bytes() == same.read_bytes()
    assert not open_wheel(whole).manifest.weights
    assert weights_beside(whole) is None


def test_a_model_without_artifacts_has_no_weights_to_part(tmp_path: Path) -> None:
    package = write_model(tmp_path / "src", artifacts=[])
    (package / "model" / "artifacts" / "weights.json").unlink()
    wheel = build(package, tmp_path / "dist", weights=0)
    assert [path.name for path in (tmp_path / "dist").iterdir()] == [wheel.name]


def test_both_wheels_have_the_same_bytes_again(releases: Path, tmp_path: Path) -> None:
    again = build(toy(tmp_path / "elsewhere", "1.2.0"), tmp_path / "dist", weights=1)
    for path in (again, tmp_path / "dist" / WEIGHTS):
        assert path.read_bytes() == (releases / path.name).read_bytes()


def test_the_weights_wheel_is_complete_and_has_nothing_to_run(releases: Path) -> None:
    with WheelFile.open(releases / WEIGHTS) as opened:
        opened.validate_record()
    weights = check_weights(releases / WEIGHTS)
    assert (weights.name, weights.version, weights.model) == ("toy-line-weights", "1.2.0", "toy-line")
    assert weights.artifacts == open_wheel(releases / "toy_line-1.3.0-py3-none-any.whl").manifest.artifacts
    with zipfile.ZipFile(releases / WEIGHTS) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        bom = json.loads(archive.read("toy_line_weights-1.2.0.dist-info/sboms/toy-line-weights.cdx.json"))
    subject = bom["metadata"]["component"]
    assert (subject["name"], subject["version"], subject["type"]) == ("toy-line-weights", "1.2.0", "data")
    digests = {part["name"]: part["hashes"][0]["content"] for part in subject["components"]}
    assert digests["artifacts/big.bin"] == hashlib.sha256(BIG["big.bin"]).hexdigest()


def test_the_bill_of_materials_of_the_model_names_its_weights(releases: Path) -> None:
    with zipfile.ZipFile(releases / "toy_line-1.3.0-py3-none-any.whl") as archive:
        bom = json.loads(archive.read("toy_line-1.3.0.dist-info/sboms/toy-line.cdx.json"))
    weights = "pkg:pypi/toy-line-weights@1.2.0"
    assert weights in {part["bom-ref"] for part in bom["components"]}
    needs = {one["ref"]: one.get("dependsOn", []) for one in bom["dependencies"]}
    assert needs["pkg:pypi/toy-line@1.3.0"] == [weights]


@pytest.mark.parametrize("command", [["twine", "check", "--strict"], ["check-wheel-contents", "--ignore", "W009"]])
def test_other_validators_have_nothing_to_say(releases: Path, run: Any, command: list[str]) -> None:
    run(Path(sys.executable).parent / command[0], *command[1:], releases / WEIGHTS)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installers_bring_the_weights_and_an_upgrade_keeps_them(
    releases: Path, tmp_path: Path, run: Any, uv: str, installer: str
) -> None:
    home = tmp_path / "env"
    run(uv, "venv", "--python", sys.executable, *(["--seed"] if installer == "pip" else []), home)
    python = home / "bin" / "python"
    pip = [python, "-m", "pip"] if installer == "pip" else [uv, "pip"]
    where = [] if installer == "pip" else ["--python", python]
    artifact = home / "lib" / "python3.11" / "site-packages" / "toy_line_weights" / "artifacts" / "big.bin"
    seen = set()
    for version in ("1.2.0", "1.3.0"):
        run(*pip, "install", *where, "--no-index", "--find-links", releases, f"toy-line=={version}")
        answer = run(python, "-c", "import toy_line; print(toy_line.predict([{'x': 3.0}]))")
        assert answer.stdout.strip() == "[{'y': 7.0}]"
        run(python, "-m", "toy_line.model", "selftest")
        seen.add((artifact.stat().st_ino, artifact.stat().st_mtime_ns))
    assert len(seen) == 1
    artifact.unlink()
    artifact.write_bytes(b"\0" * len(BIG["big.bin"]))
    refused = run(python, "-c", "import toy_line; toy_line.load()", code=1)
    assert "MW401" in refused.stderr
    assert "pip install --force-reinstall --no-cache-dir toy-line-weights==1.2.0" in refused.stderr
    run(*pip, "uninstall", *where, *(["-y"] if installer == "pip" else []), "toy-line-weights")
    refused = run(python, "-c", "import toy_line; toy_line.load()", code=1)
    assert "pip install toy-line-weights==1.2.0" in refused.stderr


def test_verify_proves_the_model_with_its_weights(releases: Path) -> None:
    report = verify(releases / "toy_line-1.3.0-py3-none-any.whl")
    assert report.passed, report.problems
    assert report.distributions == {}
    assert len(report.scenarios) == 2


def test_a_kept_environment_is_made_with_the_weights(releases: Path, tmp_path: Path) -> None:
    wheel = releases / "toy_line-1.3.0-py3-none-any.whl"
    with kept(wheel, installer=choose("auto", offline=True), cache=tmp_path) as (environment, package):
        assert environment.installed() == {"toy-line": "1.3.0", "toy-line-weights": "1.2.0"}
        assert run_selftest(environment, package).failed == 0


def test_verify_refuses_when_the_weights_are_not_beside(releases: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "toy_line-1.3.0-py3-none-any.whl"
    wheel.write_bytes((releases / wheel.name).read_bytes())
    assert check_wheel(wheel).version == "1.3.0"
    with pytest.raises(IntegrityError, match=r"weights of toy-line 1\.3\.0 are not here") as caught:
        verify(wheel)
    assert "pip download --no-deps toy-line-weights==1.2.0" in caught.value.hint


@pytest.fixture
def address(releases: Path) -> Iterator[str]:
    """Where the folder of releases is served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(releases))) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_weights_beside_a_wheel_on_a_web_server_come_along(releases: Path, address: str, tmp_path: Path) -> None:
    package = read(f"{address}/toy_line-1.3.0-py3-none-any.whl")
    wheel = obtain(package, tmp_path)
    assert (tmp_path / WEIGHTS).read_bytes() == (releases / WEIGHTS).read_bytes()
    assert weights_beside(wheel) == tmp_path / WEIGHTS


def test_weights_that_the_web_server_lacks_are_named(releases: Path, address: str, tmp_path: Path) -> None:
    build(toy(tmp_path / "src", "1.9.0", slope=7.0), tmp_path / "dist", weights=0)
    lonely = releases / "toy_line-1.9.0-py3-none-any.whl"
    shutil.copy(tmp_path / "dist" / lonely.name, lonely)
    try:
        with pytest.raises(IntegrityError, match="are not here"):
            obtain(read(f"{address}/{lonely.name}"), tmp_path)
    finally:
        lonely.unlink()


def test_tampered_weights_are_refused(releases: Path, tmp_path: Path) -> None:
    path = altered(
        releases / WEIGHTS, tmp_path, "toy_line_weights/artifacts/line.json", b'{"slope": 9.0, "offset": 1.0}'
    )
    with pytest.raises(IntegrityError, match="weights that were captured"):
        check_weights(path)
    wheel = tmp_path / "toy_line-1.3.0-py3-none-any.whl"
    wheel.write_bytes((releases / wheel.name).read_bytes())
    with pytest.raises(IntegrityError):
        verify(wheel)


def test_weights_of_another_model_under_the_right_name_are_refused(releases: Path, tmp_path: Path) -> None:
    build(toy(tmp_path / "src", "1.2.0", slope=5.0), tmp_path / "dist", weights=0)
    wheel = tmp_path / "dist" / "toy_line-1.3.0-py3-none-any.whl"
    wheel.write_bytes((releases / wheel.name).read_bytes())
    with pytest.raises(IntegrityError, match=r"does not hold the artifacts that toy-line 1\.3\.0"):
        verify(wheel)


HOSTILE = {
    "code in the module": ("toy_line_weights/__init__.py", b'"""x"""\nimport os\n', WheelError),
    "code behind the docstring": ("toy_line_weights/__init__.py", b'"""x"""; import os; """y"""', WheelError),
    "another version": ("toy_line_weights/weights.json", b'{"format_version":1}', WheelError),
    "a requirement": (
        "toy_line_weights-1.2.0.dist-info/METADATA",
        b"Metadata-Version: 2.4\nName: toy-line-weights\nVersion: 1.2.0\nRequires-Dist: evil\n",
        WheelError,
    ),
    "another licence": (
        "toy_line_weights-1.2.0.dist-info/METADATA",
        b"Metadata-Version: 2.4\nName: toy-line-weights\nVersion: 1.2.0\n",
        RecordError,
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_weights_wheel_that_is_more_or_less_than_weights_is_refused(
    releases: Path, tmp_path: Path, case: str
) -> None:
    name, content, error = HOSTILE[case]
    with pytest.raises(error):
        check_weights(altered(releases / WEIGHTS, tmp_path, name, content))


def test_a_model_is_no_weights_wheel(releases: Path) -> None:
    with pytest.raises(WheelError, match="holds no weights"):
        read_weights(releases / "toy_line-1.2.0-py3-none-any.whl")


def test_scan_looks_into_the_weights_beside_and_says_so_when_they_are_not(releases: Path, tmp_path: Path) -> None:
    wheel = releases / "toy_line-1.3.0-py3-none-any.whl"
    assert [one.path for one in scan(wheel).artifacts] == [
        "toy_line_weights/artifacts/big.bin",
        "toy_line_weights/artifacts/line.json",
    ]
    alone = tmp_path / wheel.name
    alone.write_bytes(wheel.read_bytes())
    found = scan(alone)
    assert not found.artifacts
    assert any("toy-line-weights==1.2.0, which is not here" in one.what for one in found.findings)


def test_an_unpacked_package_is_built_whole_again(releases: Path, tmp_path: Path) -> None:
    for name in ("toy_line-1.2.0-py3-none-any.whl", WEIGHTS):
        with zipfile.ZipFile(releases / name) as archive:
            archive.extractall(tmp_path / "site")
    whole = build(tmp_path / "site" / "toy_line", tmp_path / "whole")
    assert check_wheel(whole).version == "1.2.0"
    assert not open_wheel(whole).manifest.weights
    parted = build(tmp_path / "site" / "toy_line", tmp_path / "parted", weights=1)
    assert parted.read_bytes() == (releases / parted.name).read_bytes()


def test_a_model_whose_runtime_is_too_old_is_not_parted(tmp_path: Path) -> None:
    root = toy(tmp_path / "src", "1.2.0")
    (root / "toy_line" / "model" / "_runtime" / "weights.py").unlink()
    with pytest.raises(PackageError, match="does not know weights in a wheel of their own"):
        build(root, tmp_path / "dist", weights=0)
    assert build(root, tmp_path / "dist").exists()


def test_a_project_says_it_once_and_its_sdist_and_frontends_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = 'dynamic = ["version", "dependencies"]'
    root = write_project(tmp_path / "p", project, tool='weights = "1 MiB"', weights=bytes(2**20))
    wheel = build(root, tmp_path / "dist")
    assert weights_beside(wheel) == tmp_path / "dist" / "churn_weights-1.3.0-py3-none-any.whl"
    sdist = build_sdist(root, tmp_path / "dist")
    assert sdist.stat().st_size > 2**20
    monkeypatch.chdir(root)
    (tmp_path / "frontend").mkdir()
    name = build_wheel(str(tmp_path / "frontend"))
    assert [path.name for path in (tmp_path / "frontend").iterdir()] == [name]
    assert not open_wheel(tmp_path / "frontend" / name).manifest.weights


def test_a_project_that_says_nonsense_is_told_how_to_say_it(tmp_path: Path) -> None:
    root = write_project(tmp_path / "a", 'dynamic = ["version", "dependencies"]', tool='weights = "much"')
    with pytest.raises(ProjectError, match="'much' is no size") as caught:
        build(root, tmp_path / "dist")
    assert "64 MiB" in caught.value.hint
    static = write_project(tmp_path / "b", 'dynamic = ["version"]', tool="weights = 0")
    with pytest.raises(ProjectError, match="does not say that the build adds dependencies"):
        build(static, tmp_path / "dist")


@given(st.integers(0, 10**9), st.sampled_from(["", " "]), st.sampled_from(["B", "kB", "MB", "KiB", "MiB", "GiB"]))
def test_sizes_are_read_as_they_are_written(number: int, space: str, unit: str) -> None:
    scale = {"B": 1, "kB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit]
    assert parse_size(f"{number}{space}{unit}") == number * scale


@pytest.mark.parametrize("text", ["", "much", "-1", "1.5 MiB", "1 XB", "iB", "1 TiB2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Write a number of bytes"):
        parse_size(text)
