"""Two versions of a package that needs no library, built once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "inspecting"))

from toy_packages import write_toy

from modelwright.building.build import build


@pytest.fixture(scope="session")
def toy_wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheels of toy-line 1.0.0 and 1.1.0; do not change them."""
    root = tmp_path_factory.mktemp("toys")
    old = write_toy(root / "old")
    new = write_toy(root / "new", slope=3.0, version="1.1.0")
    return build(old, root / "dist"), build(new, root / "dist")
