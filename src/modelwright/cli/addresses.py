"""Which registry a command asks, and with which token.

For: every command that asks a registry takes an :class:`At`. It reads environment variables, ``pyproject.toml`` and
what ``modelwright login`` stored, which only the command line may.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from modelwright.cli.credentials import credentials_file, read_logins, token_for
from modelwright.cli.output import Output
from modelwright.cli.progress import upload_watcher
from modelwright.errors import RequestError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.registry.registry import Registry

REGISTRY = "MODELWRIGHT_REGISTRY"
TOKEN = "MODELWRIGHT_TOKEN"  # noqa: S105 - the name of a variable


def find_address(given: str | None, environment: Mapping[str, str], *, home: Path, folder: Path) -> str:
    """Return the address of the registry that is meant.

    Args:
        given: What the command line says.
        environment: The environment variables.
        home: The user's home folder.
        folder: Where to begin to look for ``pyproject.toml``.

    Raises:
        RequestError: Nobody says which registry.
        SettingsError: What says it is malformed.
    """
    found = (
        given
        or environment.get(REGISTRY)
        or _of_project(folder)
        or read_logins(credentials_file(environment, home)).default
    )
    if not found:
        raise RequestError(
            "Which registry? None was named.",
            why=f"Looked at --registry, {REGISTRY}, [tool.modelwright] registry in pyproject.toml, and the last login.",
            hint="--registry FOLDER_OR_URL, or once: modelwright login URL",
        )
    return found


def find_token(address: str, environment: Mapping[str, str], *, home: Path, by_project: bool = False) -> str:
    """Return the token for a registry: from the environment, else what was stored for exactly this address.

    Args:
        address: The registry.
        environment: The environment variables.
        home: The user's home folder.
        by_project: Whether only a ``pyproject.toml`` names the registry. Whoever wrote that file shall not be sent
            what the environment holds for another one.
    """
    if urlsplit(address).scheme not in ("http", "https"):
        return ""
    given = "" if by_project else environment.get(TOKEN, "").strip()
    return given or token_for(credentials_file(environment, home), address)


def _of_project(folder: Path) -> str:
    """Return what the nearest pyproject.toml says; a path there is relative to it."""
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if file.is_file():
            try:
                said = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("modelwright", {})
            except ValueError as error:
                raise SettingsError("pyproject.toml is not TOML.", where=str(file), why=str(error)) from error
            place = said.get("registry", "")
            if not isinstance(place, str):
                raise SettingsError("The registry is named by a text.", where=f"{file}: tool.modelwright.registry")
            return place if "://" in place or not place else str(parent / place)
    return ""


def here(given: str | None) -> tuple[str, str]:
    """Return address and token of the registry that is meant, in this process's environment."""
    address = find_address(given, os.environ, home=Path.home(), folder=Path.cwd())
    by_project = not (given or os.environ.get(REGISTRY)) and bool(_of_project(Path.cwd()))
    return address, find_token(address, os.environ, home=Path.home(), by_project=by_project)


def named(given: str | None) -> bool:
    """Say whether anything names a registry at all."""
    try:
        find_address(given, os.environ, home=Path.home(), folder=Path.cwd())
    except RequestError:
        return False
    return True


def open_registry(given: str | None, output: Output) -> Registry:
    """Open the registry that is meant."""
    from modelwright.registry.registry import Registry

    address, token = here(given)
    return Registry(address, token=token or None, watcher=upload_watcher(output))


@Parameter(name="*", group="Registry")
@dataclass(frozen=True, kw_only=True)
class At:
    """The option that says which registry is meant.

    Attributes:
        registry: Its folder or address.
    """

    registry: Annotated[
        str | None, Parameter(help="Folder or URL; else $MODELWRIGHT_REGISTRY, pyproject.toml, the last login.")
    ] = None

    def open(self, output: Output) -> Registry:
        """Open the registry that is meant."""
        return open_registry(self.registry, output)

    def option(self) -> str:
        """Return what has to be typed so that another command asks the same registry; empty, or with a space before.

        Example:
            >>> At(registry="./registry").option()
            ' --registry ./registry'
        """
        import shlex

        return f" --registry {shlex.quote(self.registry)}" if self.registry else ""


SOMEWHERE = At()
"""No registry was named on the command line."""
