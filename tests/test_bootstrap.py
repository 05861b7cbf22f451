"""``make`` on a bare machine: which index, which wheel of uv, and that a wrong one is refused."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TOOLS", tmp_path / "tools")
    for name in ("PIP_INDEX_URL", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return module


def index_with_uv(bootstrap, folder: Path, *, announced: str = "") -> str:
    """Make a simple index that has uv's wheel for every machine; return its URL."""
    page = folder / "simple" / "uv"
    page.mkdir(parents=True)
    links = []
    for suffix in ("manylinux_2_17_{}.manylinux2014_{}", "musllinux_1_1_{}", "macosx_11_0_{}"):
        for machine in ("x86_64", "aarch64", "arm64"):
            wheel = page / f"uv-{bootstrap.UV_VERSION}-py3-none-{suffix.format(machine, machine)}.whl"
            with zipfile.ZipFile(wheel, "w") as archive:
                archive.writestr(f"uv-{bootstrap.UV_VERSION}.data/scripts/uv", "#!/bin/sh\necho uv of the index\n")
                archive.writestr("uv/__init__.py", "")
            digest = announced or hashlib.sha256(wheel.read_bytes()).hexdigest()
            links.append(f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a>')
    (page / "index.html").write_text("\n".join(links))
    return (folder / "simple").as_uri()


def serve_file(bootstrap, monkeypatch):
    """Let a folder stand for the web: the page of a ``file:`` URL is its ``index.html``."""
    original = bootstrap.urllib.request.urlopen
    monkeypatch.setattr(
        bootstrap.urllib.request, "urlopen", lambda url: original(url + "index.html" if url.endswith("/") else url)
    )


def test_without_configuration_the_index_is_pypi(bootstrap, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(bootstrap.configparser.RawConfigParser, "read", lambda *_: [])
    assert bootstrap.configured_index() == "https://pypi.org/simple"


def test_variable_wins_over_file_and_file_over_pypi(bootstrap, monkeypatch, tmp_path):
    (tmp_path / "config" / "pip").mkdir(parents=True)
    (tmp_path / "config" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://file.internal/simple/\n")
    assert bootstrap.configured_index() == "https://file.internal/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.internal/simple/")
    assert bootstrap.configured_index() == "https://variable.internal/simple"


def test_uv_comes_from_the_index_when_there_is_no_pip(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_INDEX_URL", index_with_uv(bootstrap, tmp_path))
    serve_file(bootstrap, monkeypatch)
    bootstrap.unpack_from_index()
    uv = tmp_path / "tools" / "bin" / "uv"
    assert subprocess.run([uv], capture_output=True, text=True).stdout == "uv of the index\n"


def test_uv_with_another_digest_is_refused_and_not_unpacked(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_INDEX_URL", index_with_uv(bootstrap, tmp_path, announced="0" * 64))
    serve_file(bootstrap, monkeypatch)
    with pytest.raises(SystemExit, match="not the file that the index announced"):
        bootstrap.unpack_from_index()
    assert not (tmp_path / "tools").exists()


def test_index_without_uv_says_what_to_do(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_INDEX_URL", index_with_uv(bootstrap, tmp_path))
    monkeypatch.setattr(bootstrap, "UV_VERSION", "99.0")
    serve_file(bootstrap, monkeypatch)
    with pytest.raises(SystemExit, match="make UV="):
        bootstrap.unpack_from_index()


@pytest.mark.parametrize(
    ("system", "machine", "libc", "wheel"),
    [
        ("linux", "x86_64", "glibc", "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("linux", "arm64", "glibc", "manylinux_2_17_aarch64.manylinux2014_aarch64"),
        ("linux", "x86_64", "", "musllinux_1_1_x86_64"),
        ("darwin", "arm64", "", "macosx_11_0_arm64"),
        ("darwin", "x86_64", "", "macosx_10_12_x86_64"),
    ],
)
def test_wheel_fits_the_machine(bootstrap, monkeypatch, system, machine, libc, wheel):
    monkeypatch.setattr(bootstrap.sys, "platform", system)
    monkeypatch.setattr(bootstrap.platform, "machine", lambda: machine)
    monkeypatch.setattr(bootstrap.platform, "libc_ver", lambda: (libc, ""))
    assert re.search(bootstrap.wheel_pattern(), f"uv-{bootstrap.UV_VERSION}-py3-none-{wheel}.whl")


def test_version_of_uv_is_the_locked_one(bootstrap):
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert f'name = "uv"\nversion = "{bootstrap.UV_VERSION}"\n' in lock
