"""Every format whose library is not among our own tests' passes its tests in an environment that has only its extra."""

from __future__ import annotations

from pathlib import Path

import apart
import pytest


@pytest.mark.parametrize("folder", apart.folders(), ids=lambda folder: folder.name)
def test_the_format_holds_in_an_environment_of_its_own(folder: Path, tmp_path: Path) -> None:
    outcomes = apart.run(folder, tmp_path / "report.xml")
    failed = [f"{each.name}\n{each.said}" for each in outcomes if not each.passed]
    assert not failed, "\n\n".join(failed)
