"""Wheels and registries for the tests of the registry."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from object_stores import bucket, s3_endpoint
from postgres import postgres_server, postgresql
from registry_wheels import library_wheel, model_wheel
from served import server
from web_house import furnished, house, own_house

if TYPE_CHECKING:
    from modelwright.registry.operating.local import LocalService

__all__ = ["bucket", "furnished", "house", "own_house", "postgres_server", "postgresql", "s3_endpoint", "server"]
"""Fixtures that live beside this file."""
Wheels = Callable[..., Path]


@pytest.fixture(scope="session")
def churn(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Build wheels of the model ``churn``, each once; see :func:`registry_wheels.model_wheel`. Do not change them."""
    folder = tmp_path_factory.mktemp("wheels")
    built: dict[str, Path] = {}

    def wheel(version: str = "1.0.0", **changes: Any) -> Path:
        key = repr((version, sorted(changes.items())))
        if key not in built:
            (own := folder / str(len(built))).mkdir()
            built[key] = model_wheel(own, version, **changes)
        return built[key]

    return wheel


@pytest.fixture(scope="session")
def teamtools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of an ordinary library; do not change it."""
    return library_wheel(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with nothing in it, made once; do not change it."""
    from modelwright.registry.operating.opening import open_local

    folder = tmp_path_factory.mktemp("empty") / "registry"
    open_local(folder, user="ann").close()
    return folder


@pytest.fixture
def registry_folder(empty_registry: Path, tmp_path: Path) -> Path:
    """The folder of a registry of one's own."""
    return Path(shutil.copytree(empty_registry, tmp_path / "registry"))


@pytest.fixture
def service(registry_folder: Path) -> Iterator[LocalService]:
    """An open registry of one's own, asked by its local user ``ann``."""
    from modelwright.registry.operating.opening import open_local

    opened = open_local(registry_folder, user="ann")
    yield opened
    opened.close()
