"""Bring uv into ``.tools/`` and install the locked development environment into ``.venv/``.

For: ``make``, on a machine that has only python3 (3.8 or later), make and a package index. Standard library only.

uv comes by pip into a virtual environment where both exist; where a Linux distribution left them out, the wheel is
read from the simple index (PEP 503), checked against its sha256 and unpacked. The index is the one pip is configured
for (``PIP_INDEX_URL``, pip's configuration files), otherwise PyPI.

It does not: touch anything outside the project's folder, or need root.
"""

# ruff: noqa: S310, T201 - it prints what it does, and the address is the one that pip is configured for
from __future__ import annotations

import configparser
import hashlib
import html.parser
import io
import os
import platform
import re
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
UV_VERSION = "0.13.8"
PYPI = "https://pypi.org/simple"


def configured_index() -> str:
    """Return the URL of the simple index that pip would use, without a slash at the end.

    Source: pip documentation, "Configuration": environment, then user files, then global files.
    """
    if os.environ.get("PIP_INDEX_URL"):
        return os.environ["PIP_INDEX_URL"].rstrip("/")
    home = Path.home()
    named = os.environ.get("PIP_CONFIG_FILE")
    files = [Path(named)] if named else []
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    files += [config / "pip" / "pip.conf", home / ".pip" / "pip.conf", Path("/etc/pip.conf")]
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(str(file))
        except configparser.Error:
            continue
        for section in ("install", "global"):
            if parser.has_option(section, "index-url"):
                return parser.get(section, "index-url").strip().rstrip("/")
    return PYPI


class Links(html.parser.HTMLParser):
    """Collect the links of a simple index page."""

    def __init__(self) -> None:
        super().__init__()
        self.found = []  # type: list[str]

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Keep the target of every anchor."""
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def wheel_pattern() -> str:
    """Return a regular expression for the file name of uv's wheel for this machine."""
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if sys.platform == "darwin":
        machine = {"aarch64": "arm64"}.get(machine, machine)
        return rf"uv-{re.escape(UV_VERSION)}-py3-none-macosx_\d+_\d+_{machine}\.whl$"
    musl = platform.libc_ver()[0] != "glibc"
    libc = "musllinux_1_1_" if musl else rf"manylinux_2_17_{machine}\.manylinux2014_"
    return rf"uv-{re.escape(UV_VERSION)}-py3-none-{libc}{machine}\.whl$"


def unpack_from_index() -> None:
    """Fetch uv's wheel from the index, check its sha256 and unpack the binary."""
    page = configured_index() + "/uv/"
    with urllib.request.urlopen(page) as reply:
        links = Links()
        links.feed(reply.read().decode("utf-8"))
    pattern = re.compile(wheel_pattern())
    for link in links.found:
        url, _, fragment = urllib.parse.urljoin(page, link).partition("#")
        if pattern.search(urllib.parse.unquote(url)):
            break
    else:
        sys.exit(
            f"bootstrap: {page} has no uv {UV_VERSION} for this machine; "
            "install uv yourself and run make UV=/path/to/uv"
        )
    with urllib.request.urlopen(url) as reply:
        wheel = reply.read()
    if fragment != "sha256=" + hashlib.sha256(wheel).hexdigest():
        sys.exit(f"bootstrap: {url} is not the file that the index announced")
    target = TOOLS / "bin"
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for name in archive.namelist():
            if re.search(r"\.data/scripts/uvx?$", name):
                binary = target / name.rsplit("/", 1)[1]
                binary.write_bytes(archive.read(name))
                binary.chmod(0o755)


def bring_uv() -> Path:
    """Return the path of uv in ``.tools``, installing it there if it is missing."""
    uv = TOOLS / "bin" / "uv"
    if uv.is_file():
        return uv
    print(f"bootstrap: bringing uv {UV_VERSION} into {TOOLS}", flush=True)
    python = TOOLS / "bin" / "python3"
    made = (
        subprocess.call(
            [sys.executable, "-m", "venv", "--clear", str(TOOLS)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        == 0
    )
    pip = [str(python), "-m", "pip", "install", "--quiet", "--only-binary=:all:", "uv==" + UV_VERSION]
    if not (made and subprocess.call(pip) == 0):
        print("bootstrap: no working venv and pip here; reading the index directly", flush=True)
        unpack_from_index()
    return uv


def synchronise(uv: Path) -> None:
    """Install exactly what ``uv.lock`` says; from a mirror, by hash, when pip is configured for one."""
    index, run = configured_index(), subprocess.check_call
    if index == PYPI:
        run([str(uv), "sync", "--frozen", "--quiet", "--compile-bytecode"], cwd=str(ROOT))
        return
    requirements = TOOLS / "requirements.txt"
    run(
        [str(uv), "export", "--frozen", "--no-emit-project", "--quiet", "--output-file", str(requirements)],
        cwd=str(ROOT),
        stdout=subprocess.DEVNULL,
    )
    if not (ROOT / ".venv").is_dir():
        run([str(uv), "venv", "--quiet", "--python", ">=3.11"], cwd=str(ROOT))
    run(
        [
            str(uv),
            "pip",
            "sync",
            "--quiet",
            "--compile-bytecode",
            "--default-index",
            index,
            "--require-hashes",
            str(requirements),
        ],
        cwd=str(ROOT),
    )
    run([str(uv), "pip", "install", "--quiet", "--default-index", index, "--no-deps", "--editable", "."], cwd=str(ROOT))


if __name__ == "__main__":
    chosen = os.environ.get("MODELWRIGHT_UV")
    try:
        synchronise(Path(chosen) if chosen else bring_uv())
    except subprocess.CalledProcessError as error:  # what it said stands above
        sys.exit(f"bootstrap: {' '.join(error.cmd[:3])} ended with {error.returncode}")
