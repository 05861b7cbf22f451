"""What pip and uv are configured for on this machine, as far as it decides where packages come from.

For: ``doctor`` only. It reads environment variables and configuration files, which only the command line may.

Source: pip documentation, "Configuration"; uv documentation, "Configuration files"; measured: pip with
``extra-index-url`` and uv with ``unsafe-best-match`` install a stranger's newer release of the same name.
"""

from __future__ import annotations

import configparser
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
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    pip_files = [Path(environment["PIP_CONFIG_FILE"])] if environment.get("PIP_CONFIG_FILE") else []
    pip_files += [config / "pip" / "pip.conf", home / ".pip" / "pip.conf", Path("/etc/pip.conf")]
    uv_files = [Path("uv.toml"), Path("pyproject.toml"), config / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]
    found = [*_from_environment(environment)]
    for file in pip_files:
        found += _from_pip(file)
    for file in uv_files:
        found += _from_uv(file)
    return found


_WATCHED = ("index-url", "default-index", "extra-index-url", "index", "index-strategy", "find-links", "trusted-host")


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
        for name, value in parser.items(section):
            if name in _WATCHED:
                yield Setting(str(file), name, _clean(value))


def _from_uv(file: Path) -> Iterator[Setting]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
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
    if setting.name == "trusted-host":
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
