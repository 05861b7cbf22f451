"""``modelwright doctor``: say whether everything is here that packaging a model needs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from packaging.requirements import Requirement

from modelwright.cli import configuration
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output
from modelwright.runtime.digests import cache_folder
from modelwright.spec.struct import Frozen

if TYPE_CHECKING:
    from rich.console import Console

Status = Literal["ok", "absent", "warning", "broken"]

MARKS: dict[Status, tuple[str, str]] = {
    "ok": ("✓", "green"),
    "absent": ("·", "dim"),
    "warning": ("!", "yellow"),
    "broken": ("✗", "red"),
}


class Check(Frozen, frozen=True, kw_only=True):
    """One thing that was looked at.

    Attributes:
        name: What it is, one word.
        status: ``absent`` is optional and not there; ``warning`` works but is dangerous; ``broken`` stops the work.
        detail: What was found.
        hint: What to do about it.
    """

    name: str
    status: Status
    detail: str
    hint: str = ""


class Health(Frozen, frozen=True, kw_only=True):
    """What the doctor found.

    Attributes:
        healthy: Whether nothing is broken.
        checks: Everything that was looked at.
    """

    healthy: bool
    checks: tuple[Check, ...]


def doctor(
    *,
    timeout: Annotated[float, Parameter(help="How long to wait for the index, seconds.")] = 5.0,
    output: Output = PLAIN,
) -> int:
    """Check this machine: interpreter, uv, index, configuration, extras, cache."""
    checks = tuple(examine(timeout))
    health = Health(healthy=all(check.status != "broken" for check in checks), checks=checks)
    output.result(health, _show)
    return OK if health.healthy else FAILED


def examine(timeout: float) -> Iterator[Check]:
    """Look at one thing after the other.

    Args:
        timeout: How long to wait for the index, seconds.
    """
    found = configuration.settings(os.environ, Path.home())
    yield Check(
        name="interpreter",
        status="ok",
        detail=f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}",
    )
    yield _uv()
    yield from _interpreters()
    yield _index(configuration.index_url(found), timeout)
    yield from _settings(found)
    yield from _extras()
    yield _cache()
    yield _git()


def _uv() -> Check:
    import uv

    try:
        path = uv.find_uv_bin()
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError, OSError) as error:
        hint = "pip install --force-reinstall uv"
        return Check(name="uv", status="broken", detail=f"cannot be run: {error}", hint=hint)
    return Check(name="uv", status="ok", detail=f"{version} at {path}")


def _interpreters() -> Iterator[Check]:
    """List the other interpreters that ``verify --python`` can use."""
    import uv

    try:
        command = [uv.find_uv_bin(), "python", "list", "--only-installed", "--output-format", "json"]
        listed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return
    import msgspec

    versions = {one["version"] for one in msgspec.json.decode(listed) if one.get("implementation") == "cpython"}
    usable = sorted({".".join(version.split(".")[:2]) for version in versions}, key=lambda text: text.split(".")[1:])
    yield Check(name="pythons", status="ok", detail=f"verify --python can use {', '.join(usable) or 'none'}")


def _index(url: str, timeout: float) -> Check:
    hint = "Set PIP_INDEX_URL or UV_DEFAULT_INDEX to an index that answers; verify and predict have --offline."
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path))
        there = path.is_dir()
        detail = f"{url} is {'there' if there else 'not there'}"
        return Check(name="index", status="ok" if there else "broken", detail=detail, hint="" if there else hint)
    try:
        request = urllib.request.Request(f"{url}/pip/", method="HEAD")  # noqa: S310 - http and https only, see above
        with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310
            return Check(name="index", status="ok", detail=f"{url} answers")
    except urllib.error.HTTPError as error:
        if error.code < 500 and error.code not in (401, 403, 407):
            return Check(name="index", status="ok", detail=f"{url} answers")
        return Check(name="index", status="broken", detail=f"{url} answers {error.code}", hint=hint)
    except (OSError, ValueError) as error:
        return Check(name="index", status="broken", detail=f"{url} does not answer: {error}", hint=hint)


def _settings(found: list[configuration.Setting]) -> Iterator[Check]:
    for setting, reason in configuration.unsafe(found):
        yield Check(
            name="configuration",
            status="warning",
            detail=f"{setting.where} sets {setting.name} = {setting.value}: {reason}",
            hint="Use one index that proxies the other, or an explicit uv index with tool.uv.sources.",
        )


def _extras() -> Iterator[Check]:
    metadata = importlib.metadata.metadata("modelwright")
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist") or ()]
    for extra in metadata.get_all("Provides-Extra") or ():
        needed = [one for one in requirements if one.marker and one.marker.evaluate({"extra": extra})]
        missing = [one.name for one in needed if not _installed(one)]
        yield Check(
            name=f"[{extra}]",
            status="absent" if missing else "ok",
            detail=f"not installed: {', '.join(missing)}" if missing else ", ".join(one.name for one in needed),
            hint=f'pip install "modelwright[{extra}]"' if missing else "",
        )


def _installed(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False


def _cache() -> Check:
    folder = cache_folder()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(nearest, os.W_OK):
        return Check(name="cache", status="ok", detail=str(folder))
    hint = "Set XDG_CACHE_HOME to a folder you may write to."
    return Check(name="cache", status="warning", detail=f"{nearest} cannot be written to", hint=hint)


def _git() -> Check:
    path = shutil.which("git")
    if path:
        return Check(name="git", status="ok", detail=path)
    detail = "not found: captured packages will not name the revision of their code"
    return Check(name="git", status="absent", detail=detail, hint="Install git.")


def _show(health: Health, console: Console) -> None:
    from rich.text import Text

    for check in health.checks:
        mark, style = MARKS[check.status]
        console.print(Text.assemble((f"{mark} ", style), f"{check.name:<14}", check.detail), soft_wrap=True)
        if check.hint:
            console.print(Text(f"{'':<16}fix: {check.hint}"), soft_wrap=True)
    broken = sum(check.status == "broken" for check in health.checks)
    console.print("Nothing is broken." if health.healthy else f"{broken} broken.", style="bold")
