"""What pip and uv are configured for on this machine, as far as it decides where packages come from.

For: ``doctor`` only. It reads environment variables and configuration files, which only the command line may.

Source: pip documentation, "Configuration" and "Requirements file format"; uv documentation, "Configuration files";
measured: pip with ``extra-index-url`` and uv with ``unsafe-best-match`` install a stranger's newer release of the same
name.
"""

from __future__ import annotations

import configparser
import os
import sys
import tomllib
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

PYPI = "https://pypi.org/simple"


class Setting(NamedTuple):
    """One setting.

    Attributes:
        where: The variable or file it stands in.
        name: Its name, as in pip's or uv's documentation.
        value: Its value, without passwords.
    """

    where: str
    name: str
    value: str


def without_password(url: str) -> str:
    """Return a URL whose user and password are not shown.

    Example:
        >>> without_password("https://me:secret@models.internal/simple")
        'https://***@models.internal/simple'
    """
    parts = urllib.parse.urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]).geturl()


def settings(environment: Mapping[str, str], home: Path) -> list[Setting]:
    """Return every setting about indexes, the strongest first.

    Args:
        environment: The environment variables.
        home: The user's home folder.
    """
    found = [*_from_environment(environment)]
    for file in _pip_files(environment, home):
        found += _from_pip(file)
    for file in _uv_files(environment, home):
        found += _from_uv(file)
    for file in sorted(Path().glob("requirements*.txt")):
        found += _from_requirements(file)
    return found


_UNCHECKED = ("trusted-host", "insecure-host", "allow-insecure-host")
_WATCHED = ("index-url", "default-index", "extra-index-url", "index", "index-strategy", "find-links", *_UNCHECKED)


def _pip_files(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Return where pip looks: a file that is named, that of the environment, the user's, the machine's."""
    named = environment.get("PIP_CONFIG_FILE")
    if named:
        yield Path(named)
    yield from dict.fromkeys(
        Path(prefix) / "pip.conf" for prefix in (environment.get("VIRTUAL_ENV"), sys.prefix) if prefix
    )
    if not (named and Path(named).exists()):
        yield _user_folder(environment, home) / "pip" / "pip.conf"
        yield home / ".pip" / "pip.conf"
    yield from (folder / "pip" / "pip.conf" for folder in _machine_folders(environment))
    yield Path("/etc/pip.conf")


def _uv_files(environment: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Return where uv looks: the nearest project, the user's file, the machine's."""
    for folder in (Path(), *Path.cwd().parents):
        if (folder / "uv.toml").is_file():
            yield folder / "uv.toml"
            break
        if (folder / "pyproject.toml").is_file():
            yield folder / "pyproject.toml"
            if _table(_table(_document(folder / "pyproject.toml"), "tool"), "uv"):
                break
    yield _user_folder(environment, home) / "uv" / "uv.toml"
    yield from (folder / "uv" / "uv.toml" for folder in _machine_folders(environment))
    yield Path("/etc/uv/uv.toml")


def _user_folder(environment: Mapping[str, str], home: Path) -> Path:
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config")


def _machine_folders(environment: Mapping[str, str]) -> list[Path]:
    return [Path(folder) for folder in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep) if folder]


def _from_environment(environment: Mapping[str, str]) -> Iterator[Setting]:
    for tool in ("UV", "PIP"):
        for name in _WATCHED:
            variable = f"{tool}_{name.upper().replace('-', '_')}"
            if environment.get(variable):
                yield Setting(variable, name, _clean(environment[variable]))


def _from_pip(file: Path) -> Iterator[Setting]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        return
    for section in parser.sections():
        for written, value in parser.items(section):
            name = written.replace("_", "-").removeprefix("--")  # pip takes all of these spellings
            if name in _WATCHED:
                yield Setting(str(file), name, _clean(value))


def _from_uv(file: Path) -> Iterator[Setting]:
    document = _document(file)
    if file.name == "pyproject.toml":
        document = _table(_table(document, "tool"), "uv")
    for name in _WATCHED:
        value = document.get(name, _table(document, "pip").get(name))
        if name == "index" and isinstance(value, list):
            for index in (one for one in value if isinstance(one, dict)):
                kind = "default-index" if index.get("default") else "index"
                if not index.get("explicit"):
                    yield Setting(str(file), kind, _clean(str(index.get("url", ""))))
        elif value:
            yield Setting(str(file), name, _clean(" ".join(value) if isinstance(value, list) else str(value)))


def _from_requirements(file: Path) -> Iterator[Setting]:
    """Return the options of a requirements file that decide where everything comes from."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        option, _, value = line.strip().replace("=", " ", 1).partition(" ")
        if option in ("--extra-index-url", "--trusted-host"):
            yield Setting(str(file), option.removeprefix("--"), _clean(value.partition(" #")[0]))


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _clean(value: str) -> str:
    return " ".join(_named(word) for word in value.split())


def _named(word: str) -> str:
    """Hide the password in ``https://…`` and in ``NAME=https://…``, as uv writes an index that has a name."""
    name, sign, url = word.partition("=")
    return f"{name}={without_password(url)}" if sign and "://" not in name else without_password(word)


def unsafe(found: list[Setting]) -> list[tuple[Setting, str]]:
    """Return the settings that let a stranger's package win over one's own, with the reason.

    Example:
        >>> setting = Setting("PIP_EXTRA_INDEX_URL", "extra-index-url", "https://models.internal/simple")
        >>> unsafe([setting])[0][1]
        'pip takes the highest version from any index, so a stranger can publish a higher one'
    """
    return [(setting, reason) for setting in found if (reason := _danger(setting))]


def _danger(setting: Setting) -> str:
    """Say why a setting is dangerous; empty if it is not."""
    of_uv = setting.where.startswith("UV_") or setting.where.endswith(".toml")
    if setting.name in _UNCHECKED:
        return "certificates of this host are not checked"
    if setting.name == "extra-index-url" and not of_uv:
        return "pip takes the highest version from any index, so a stranger can publish a higher one"
    if setting.name in ("extra-index-url", "index") and of_uv:
        return (
            "uv asks it first for every name and goes on to the next index if it has none, so a stranger can have one"
        )
    if setting.name == "index-strategy" and setting.value.startswith("unsafe"):
        return "uv takes a version from any index, so a stranger can publish a higher one"
    return ""


def index_url(found: list[Setting]) -> str:
    """Return the index that packages come from: the strongest setting, or PyPI."""
    urls = (setting.value for setting in found if setting.name in ("default-index", "index-url"))
    return next(urls, PYPI).rstrip("/")
