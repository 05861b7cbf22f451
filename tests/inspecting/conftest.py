"""Toy packages and their wheels, built once."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from sklearn_packages import lock, write_iris
from toy_packages import write_toy

from modelwright.building.build import build


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model package that needs no library; do not change it."""
    return write_toy(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def toy_wheel(toy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of it; do not change it."""
    return build(toy_folder, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def iris_lock(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return lock(f"scikit-learn=={version('scikit-learn')}", folder=tmp_path_factory.mktemp("lock"))


@pytest.fixture(scope="session")
def iris_wheel(iris_lock: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("iris")
    return build(write_iris(root, iris_lock), root)
