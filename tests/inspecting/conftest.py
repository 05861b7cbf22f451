"""Toy packages and their wheels, built once."""

from __future__ import annotations

from pathlib import Path

import pytest
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
