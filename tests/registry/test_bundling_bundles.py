"""Bundles: a release with everything it needs, on a machine without a network, and back into a registry."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_server import answering, served, stranger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_wheels import library_wheel, write_toy
from uv import find_uv_bin

import modelwright as mw
from modelwright.building.build import build
from modelwright.errors import BundleError, RequestError, TakenError, UnavailableError, UnknownReleaseError
from modelwright.inspecting.obtain import obtain
from modelwright.inspecting.scan import scan
from modelwright.registry.bundling.closure import Wanted, closure
from modelwright.registry.bundling.gathering import gather
from modelwright.registry.bundling.importing import import_bundle
from modelwright.registry.bundling.reading import read_bundle
from modelwright.registry.bundling.target import target
from modelwright.registry.bundling.writing import write_bundle
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local

PORTABLE = {"python": "3.11.7", "interpreters": ["cp311"], "portable": True, "dependencies": ["teamtools==1.0"]}


def locked(name: str, version: str, *wheels: tuple[str, str, str]) -> str:
    """One distribution of a pylock.toml, with wheels as file name, sha256 and URL (empty: a path)."""
    files = ", ".join(
        f'{{ name = "{file}", {f"url = {url!r}" if url else f"path = {file!r}"}, hashes = {{ sha256 = "{digest}" }} }}'
        for file, digest, url in wheels
    )
    return f'\n[[packages]]\nname = "{name}"\nversion = "{version}"\nwheels = [{files}]\n'


def lock(*packages: str) -> str:
    return 'lock-version = "1.0"\ncreated-by = "test"\n' + "".join(packages)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory, teamtools: Path) -> Path:
    """Wheels of churn 1.0.0, whose weights are a wheel of their own, and of the library that it needs."""
    root = tmp_path_factory.mktemp("dist")
    (dist := root / "dist").mkdir()
    shutil.copy(teamtools, dist)
    text = lock(locked("teamtools", "1.0", (teamtools.name, digest(teamtools), "")))
    facts: dict[str, Any] = {"name": "churn", "version": "1.0.0", "import_name": "churn", "environment": PORTABLE}
    write_toy(root / "src", lock=(text, f"teamtools==1.0 --hash=sha256:{digest(teamtools)}\n"), **facts)
    build(root / "src", dist, weights=0)
    return dist


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, dist: Path) -> Iterator[LocalService]:
    """A registry with all of them, and churn in dev."""
    service = open_local(tmp_path_factory.mktemp("full") / "registry", user="ann")
    for wheel in sorted(dist.glob("*.whl"), reverse=True):
        service.upload(wheel)
    service.promote("churn", "1.0.0", to="dev", reason="")
    yield service
    service.close()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, full: LocalService) -> Path:
    """The bundle of churn 1.0.0. Do not change it."""
    return Path(write_bundle(full, "churn==1.0.0", tmp_path_factory.mktemp("bundle")).path)


def rewritten(bundle: Path, into: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Write a bundle again with other files."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(into / "changed.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return into / "changed.zip"


def redocumented(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    """Return what changes bundle.json."""

    def apply(files: dict[str, bytes]) -> None:
        document = json.loads(files["churn-1.0.0/bundle.json"])
        change(document)
        files["churn-1.0.0/bundle.json"] = json.dumps(document).encode()

    return apply


# Writing.


def test_a_bundle_holds_model_weights_libraries_and_what_the_registry_knows(full: LocalService, bundle: Path) -> None:
    with read_bundle(bundle) as opened:
        said = opened.bundle
    assert [(file.role, file.project, file.version, file.source) for file in said.files] == [
        ("model", "churn", "1.0.0", "registry"),
        ("weights", "churn-weights", "1.0.0", "registry"),
        ("library", "teamtools", "1.0", "registry"),
    ]
    assert (said.name, said.version, said.python) == ("churn", "1.0.0", "3.11")
    assert [entry.action for entry in said.history] == ["publish", "promote"]
    assert [one.kind for one in said.evidence] == ["scan"]
    assert said.created == full.project("churn").releases[0].created
    with zipfile.ZipFile(bundle) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        assert "churn-1.0.0/wheels/churn-1.0.0-py3-none-any.whl.metadata" in archive.namelist()


def test_the_same_release_gives_the_same_bytes(full: LocalService, bundle: Path, tmp_path: Path) -> None:
    again = write_bundle(full, "churn@dev", tmp_path / "again.zip")
    assert again.sha256 == digest(bundle) == digest(tmp_path / "again.zip")


def test_what_does_not_end_in_zip_is_a_folder_for_the_archive(full: LocalService, tmp_path: Path) -> None:
    written = write_bundle(full, "churn", tmp_path / "for-1.0", platform="manylinux_2_28_x86_64")
    assert Path(written.path) == tmp_path / "for-1.0" / "churn-1.0.0-manylinux_2_28_x86_64.zip"
    assert digest(Path(written.path)) == written.sha256


@pytest.fixture(scope="module")
def alone() -> list[str]:
    """What to write before a shell's script so that it has no network but its own loopback."""
    return ["unshare", "-rn", "bash", "-euc"]


OFFLINE = {"PIP_CONFIG_FILE": "/dev/null", "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    "commands",
    [
        '"$UV" venv -q -p "$PYTHON" env; VIRTUAL_ENV=$PWD/env "$UV" pip sync -q --offline pylock.toml',
        '"$PYTHON" -m venv env; env/bin/pip install -q --no-index -f wheels --require-hashes -r requirements.txt',
        '"$UV" venv -q -p "$PYTHON" env; VIRTUAL_ENV=$PWD/env "$UV" pip install -q -i "file://$PWD/simple/" churn',
    ],
    ids=["uv, pylock.toml", "pip, requirements.txt", "uv, simple index"],
)
def test_it_installs_without_a_network_and_refuses_what_was_changed(
    bundle: Path, tmp_path: Path, alone: list[str], commands: str
) -> None:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "churn-1.0.0"
    environment = OFFLINE | {"HOME": str(tmp_path), "UV": find_uv_bin(), "PYTHON": sys.executable}

    def install() -> subprocess.CompletedProcess[str]:
        script = f"rm -rf env; ip link set lo up; {commands}; env/bin/python -m churn.model selftest"
        return subprocess.run(
            [*alone, script], cwd=folder, env=environment | {"UV_CACHE_DIR": str(tmp_path / "uv")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = install()
    assert done.returncode == 0, done.stderr
    assert "2 passed, 0 failed" in done.stdout
    shutil.rmtree(tmp_path / "uv", ignore_errors=True)
    weights = folder / "wheels" / "churn_weights-1.0.0-py3-none-any.whl"
    altered = rewritten(weights, tmp_path, _steeper)
    shutil.move(altered, weights)
    refused = install()
    assert refused.returncode != 0
    assert "hash" in refused.stderr.lower()


def _steeper(files: dict[str, bytes]) -> None:
    name = "churn_weights/artifacts/line.json"
    files[name] = files[name].replace(b"2.0", b"3.0")


def test_a_library_that_the_registry_lacks_comes_from_where_the_lock_says(
    tmp_path: Path, service: LocalService, teamtools: Path
) -> None:
    with stranger(answering(200, teamtools.read_bytes())) as address:
        _publish(service, tmp_path, locked("teamtools", "1.0", (teamtools.name, digest(teamtools), f"{address}/t.whl")))
        written = write_bundle(service, "churn", tmp_path / "out.zip")
    (library,) = [file for file in written.bundle.files if file.role == "library"]
    assert (library.sha256, library.source) == (digest(teamtools), f"{address}/t.whl")


def test_a_library_that_is_another_file_than_was_locked_is_refused(
    tmp_path: Path, service: LocalService, teamtools: Path
) -> None:
    with stranger(answering(200, b"something else")) as address:
        _publish(service, tmp_path, locked("teamtools", "1.0", (teamtools.name, digest(teamtools), f"{address}/t.whl")))
        with pytest.raises(BundleError, match="another file than was locked"):
            write_bundle(service, "churn", tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/t.whl", "file:///etc/passwd", ""])
def test_a_library_that_is_nowhere_is_named(tmp_path: Path, service: LocalService, url: str) -> None:
    _publish(service, tmp_path, locked("teamtools", "1.0", ("teamtools-1.0-py3-none-any.whl", "a" * 64, url)))
    with pytest.raises((BundleError, UnavailableError)) as caught:
        write_bundle(service, "churn", tmp_path / "out.zip")
    assert "teamtools" in str(caught.value) or "127.0.0.1:9" in caught.value.where


@pytest.mark.parametrize("name", ["../../evil.whl", "/tmp/evil-1-py3-none-any.whl", "x y-1-py3-none-any.whl", "a.whl"])
def test_a_file_name_in_a_lock_never_becomes_a_path(tmp_path: Path, service: LocalService, name: str) -> None:
    (folder := tmp_path / "a" / "b").mkdir(parents=True)
    with (
        stranger(answering(200, b"x")) as address,
        pytest.raises(BundleError, match="is not the name of a wheel"),
    ):
        gather(service, Wanted("teamtools", "1.0", name, hashlib.sha256(b"x").hexdigest(), f"{address}/t.whl"), folder)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and "registry" not in path.parts]


def test_a_lock_that_is_not_complete_is_refused(tmp_path: Path, service: LocalService) -> None:
    other = library_wheel(tmp_path, name="other")
    _publish(service, tmp_path, locked("other", "1.0", (other.name, digest(other), "")))
    service.upload(other)
    with pytest.raises(BundleError, match="does not hold everything") as caught:
        write_bundle(service, "churn", tmp_path / "out.zip")
    assert caught.value.why == "churn requires teamtools==1.0, which is not installed"


def _publish(service: LocalService, folder: Path, packages: str) -> None:
    facts: dict[str, Any] = {"name": "churn", "version": "1.0.0", "import_name": "churn", "environment": PORTABLE}
    write_toy(folder / "src", lock=(lock(packages), ""), **facts)
    service.upload(build(folder / "src", folder / "dist"))


def test_weights_that_the_registry_lacks_are_named(service: LocalService, dist: Path, tmp_path: Path) -> None:
    service.upload(dist / "churn-1.0.0-py3-none-any.whl")
    with pytest.raises(BundleError, match=r"no churn-weights 1\.0\.0") as caught:
        write_bundle(service, "churn", tmp_path)
    assert caught.value.hint == "Publish it: modelwright publish churn_weights-1.0.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("reference", "error"),
    [("chrun", UnknownReleaseError), ("churn==9", UnknownReleaseError), ("churn@staging", UnknownReleaseError),
     ("teamtools", BundleError), ("../churn", RequestError)],
)  # fmt: skip
def test_what_cannot_be_bundled_is_refused(
    full: LocalService, tmp_path: Path, reference: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        write_bundle(full, reference, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("python", "platform", "message"),
    [("3.10", "", "no wheel for Python 3.10"), ("2.7", "", "no version of Python"), ("3.11", "amiga", "no platform")],
)
def test_a_python_or_platform_that_does_not_fit_is_refused(
    full: LocalService, tmp_path: Path, python: str, platform: str, message: str
) -> None:
    with pytest.raises((BundleError, RequestError)) as caught:
        write_bundle(full, "churn", tmp_path, python=python, platform=platform)
    assert message in str(caught.value)


WHEELS = [
    ("numpy-2.4-cp311-cp311-manylinux_2_28_x86_64.whl", "manylinux_2_28_x86_64"),
    ("numpy-2.4-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.whl", "manylinux_2_28_aarch64"),
    ("numpy-2.4-cp311-cp311-musllinux_1_2_x86_64.whl", "musllinux_1_2_x86_64"),
    ("numpy-2.4-cp311-cp311-macosx_11_0_arm64.whl", "macosx_14_0_arm64"),
    ("numpy-2.4-cp311-cp311-win_amd64.whl", "win_amd64"),
]


@pytest.mark.parametrize(("wheel", "platform"), WHEELS)
def test_each_platform_gets_its_own_wheel(wheel: str, platform: str) -> None:
    text = lock(locked("numpy", "2.4", *((file, f"{n}" * 64, "") for n, (file, _) in enumerate(WHEELS))))
    (found,) = closure(text, target("3.11", platform=platform), where="")
    assert found.filename == wheel


def test_conditions_are_those_of_the_target_and_not_of_this_machine() -> None:
    conditional = locked("colorama", "1", ("colorama-1-py3-none-any.whl", "a" * 64, "")).replace(
        'version = "1"\n', "version = \"1\"\nmarker = \"sys_platform == 'win32' and python_version >= '3.12'\"\n"
    )
    found = {
        (python, platform): len(closure(lock(conditional), target(python, platform=platform), where=""))
        for python in ("3.11", "3.12")
        for platform in ("win_amd64", "manylinux_2_28_x86_64")
    }
    assert [key for key, count in found.items() if count] == [("3.12", "win_amd64")]


def test_a_library_without_a_wheel_is_refused() -> None:
    source = '\n[[packages]]\nname = "old"\nversion = "1"\n'
    source += 'sdist = { url = "https://x/old-1.tar.gz", hashes = { sha256 = "a" } }\n'
    with pytest.raises(BundleError, match=r"old 1 has no wheel for Python 3\.11 on win_amd64"):
        closure(lock(source), target("3.11", platform="win_amd64"), where="")


# Importing.


def outcomes(found: Any) -> dict[str, str]:
    return {file.role: file.outcome for file in found.files}


def test_importing_twice_is_harmless(bundle: Path, service: LocalService) -> None:
    first = import_bundle(bundle, service)
    assert outcomes(first) == {"model": "published", "weights": "published", "library": "skipped"}
    before = service.head()
    assert outcomes(import_bundle(bundle, service)) == {"model": "there", "weights": "there", "library": "skipped"}
    assert service.head() == before
    assert [one.name for one in service.projects()] == ["churn", "churn-weights"]
    assert service.project("churn-weights").kind == "weights"


def test_libraries_come_along_when_that_is_asked_for(bundle: Path, service: LocalService, tmp_path: Path) -> None:
    found = import_bundle(bundle, service, libraries="publish")
    assert set(outcomes(found).values()) == {"published"}
    again = write_bundle(service, "churn", tmp_path)
    assert {file.sha256 for file in again.bundle.files} == {file.sha256 for file in found.files}


def test_a_registry_that_has_another_file_of_the_name_keeps_it(
    bundle: Path, service: LocalService, churn: Callable[..., Path]
) -> None:
    service.upload(churn("1.0.0"))
    with pytest.raises(TakenError):
        import_bundle(bundle, service)
    assert service.project("churn").releases[0].files[0].sha256 == digest(churn("1.0.0"))


def test_a_server_is_asked_as_a_folder_is(bundle: Path, dist: Path, tmp_path: Path) -> None:
    token = mw.Registry(tmp_path / "registry").add_token("bob", scopes=["publish", "admin"])
    with served(tmp_path / "registry") as address:
        service = mw.Registry(address, token=token.secret).service
        found = import_bundle(bundle, service, libraries="publish")
        written = write_bundle(service, "churn==1.0.0", tmp_path)
    assert set(outcomes(found).values()) == {"published"}
    assert [file.sha256 for file in written.bundle.files] == [file.sha256 for file in found.files]


def _swap_model(files: dict[str, bytes]) -> None:
    name = "churn-1.0.0/wheels/churn_weights-1.0.0-py3-none-any.whl"
    files[name] = files[name].replace(b'"slope": 2.0', b'"slope": 3.0')


def _add(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: b"x"})


def _drop(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.pop(f"churn-1.0.0/{name}") and None


def _first(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    return redocumented(lambda document: document["files"][0].update(changes))


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a wheel with other bytes": (_swap_model, "does not hold the files"),
    "a file that is not listed": (_add("churn-1.0.0/wheels/extra-1-py3-none-any.whl"), "does not hold the files"),
    "a file outside the folder": (_add("elsewhere/x"), "does not hold the files"),
    "a name that climbs": (_add("churn-1.0.0/../../evil"), "is no bundle"),
    "an absolute name": (_add("/etc/evil"), "is no bundle"),
    "a name with a backslash": (_add("churn-1.0.0\\evil"), "is no bundle"),
    "a missing wheel": (_drop("wheels/teamtools-1.0-py3-none-any.whl"), "does not hold the files"),
    "no document": (_drop("bundle.json"), "no bundle.json"),
    "two documents": (_add("other-1.0.0/bundle.json"), "no bundle.json"),
    "a listed name that climbs": (_first(filename="../../evil.whl"), "not the name of a wheel"),
    "a wheel under another name": (_first(project="other"), "is listed as other"),
    "another digest": (_first(sha256="0" * 64), "does not hold the files"),
    "another size": (_first(size=1), "does not hold the files"),
    "no model": (_first(role="library"), "holds no churn"),
    "an unknown role": (_first(role="installer"), "malformed"),
    "other metadata": (_first(metadata_sha256="0" * 64), "does not hold the files"),
    "another release": (redocumented(lambda document: document.update(version="2.0.0")), "one of churn-2.0.0"),
    "a newer format": (redocumented(lambda document: document.update(format_version=2)), "reads up to 1"),
    "a document that is a list": (lambda files: files.update({"churn-1.0.0/bundle.json": b"[]"}), "malformed"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_bundle_that_was_altered_is_refused_before_anything_is_stored(
    bundle: Path, tmp_path: Path, service: LocalService, case: str
) -> None:
    change, message = HOSTILE[case]
    before = service.head()
    with pytest.raises(BundleError) as caught:
        import_bundle(rewritten(bundle, tmp_path, change), service, libraries="publish")
    assert message in str(caught.value)
    assert service.head() == before
    assert not service.projects()


def test_a_link_in_a_bundle_is_refused(bundle: Path, tmp_path: Path, service: LocalService) -> None:
    shutil.copy(bundle, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "a") as archive:
        link = zipfile.ZipInfo("churn-1.0.0/simple/link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BundleError, match="is no bundle"):
        import_bundle(tmp_path / "b.zip", service)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_refused(tmp_path: Path, service: LocalService, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(BundleError, match="no bundle"):
        import_bundle(tmp_path / "b.zip", service)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_is_refused_or_touches_nothing_that_is_imported(bundle: Path, data: st.DataObject) -> None:
    content = bytearray(bundle.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = bundle.with_name("flipped.zip")
    changed.write_bytes(content)
    with read_bundle(bundle) as original:
        expected = original.bundle
    try:
        with read_bundle(changed) as opened:
            assert opened.bundle == expected
            for file in opened.bundle.files:
                with opened.open(file) as stream:
                    assert hashlib.sha256(stream.read()).hexdigest() == file.sha256
    except BundleError:
        pass


# Weights that are a wheel of their own, in a registry.


def test_a_model_read_from_a_registry_brings_its_weights(dist: Path, tmp_path: Path) -> None:
    registry = mw.Registry(tmp_path / "registry")
    registry.publish(dist)
    package = registry.read("churn==1.0.0")
    assert [one.path for one in scan(package).artifacts] == ["churn_weights/artifacts/line.json"]
    (folder := tmp_path / "obtained").mkdir()
    obtain(package, folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "churn-1.0.0-py3-none-any.whl",
        "churn_weights-1.0.0-py3-none-any.whl",
    ]


def test_the_next_release_asks_the_registry_which_weights_it_has(dist: Path, tmp_path: Path) -> None:
    registry = mw.Registry(tmp_path / "registry")
    registry.publish(dist)
    facts: dict[str, Any] = {"name": "churn", "version": "1.1.0", "import_name": "churn", "environment": PORTABLE}
    write_toy(tmp_path / "src", code="LEVELS = ()\n", **facts)
    for previous in (registry.folder, registry.read("churn")):
        wheel = build(tmp_path / "src", tmp_path / "next", weights=0, previous=previous)
        assert [path.name for path in (tmp_path / "next").iterdir()] == [wheel.name]
    registry.publish(wheel)
    assert registry.project("churn-weights").releases[-1].version == "1.0.0"


def test_a_stage_serves_the_weights_that_its_releases_share(dist: Path, tmp_path: Path) -> None:
    registry = mw.Registry(tmp_path / "registry")
    registry.publish(dist)
    facts: dict[str, Any] = {"name": "churn", "version": "1.1.0", "import_name": "churn", "environment": PORTABLE}
    write_toy(tmp_path / "src", code="LEVELS = ()\n", **facts)
    registry.publish(build(tmp_path / "src", tmp_path / "next", weights=0, previous=registry.folder))
    environment = OFFLINE | {"HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "uv")}
    index = f"{(tmp_path / 'registry').as_uri()}/production/simple/"
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([find_uv_bin(), "venv", "-q", "-p", sys.executable, tmp_path / "env"], env=environment, check=True)
    for version in ("1.0.0", "1.1.0"):
        registry.promote("churn", version, to="production", reason="", break_glass=False)
        command = [find_uv_bin(), "pip", "install", "-q", "-U", "--python", python, "-i", index, "churn"]
        subprocess.run(command, env=environment, check=True)
        code = "import churn, churn.model; print(churn.manifest()['version'], churn.predict([{'x': 1.0}]))"
        done = subprocess.run([python, "-c", code], env=environment, check=True, capture_output=True, text=True)
        assert done.stdout == f"{version} [{{'y': 3.0}}]\n"
    stored = [path.name for path in (tmp_path / "registry" / "files").rglob("churn_weights-*.whl")]
    assert stored == ["churn_weights-1.0.0-py3-none-any.whl"]
