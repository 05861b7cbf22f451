"""The packages of models are theirs alone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from archives import files_of, record_again

from modelwright.errors import UploadError
from modelwright.registry.deciding.territory import check_territory
from modelwright.registry.operating.local import LocalService


@pytest.mark.parametrize(
    ("project", "top_level"),
    [
        ("teamtools", ("teamtools", "churn")),
        ("teamtools", ("Churn",)),
        ("teamtools", ("credit_risk",)),
        ("fraud", ("fraud", "churn")),
        ("churn", ("churn", "churn_weights")),
    ],
)
def test_a_package_of_another_model_is_refused(project: str, top_level: tuple[str, ...]) -> None:
    with pytest.raises(UploadError, match="belongs to the project"):
        check_territory(project, top_level, {"churn", "churn-weights", "credit-risk", "fraud"}, filename="x.whl")


@pytest.mark.parametrize(
    ("project", "top_level", "protected"),
    [
        ("churn", ("churn",), {"churn"}),
        ("churn-weights", ("churn_weights",), {"churn", "churn-weights"}),
        ("teamtools", ("teamtools", "churning"), {"churn"}),
        ("teamtools", ("google",), set()),
        ("teamtools", (), {"churn"}),
    ],
)
def test_ones_own_packages_and_unclaimed_ones_are_taken(
    project: str, top_level: tuple[str, ...], protected: set[str]
) -> None:
    check_territory(project, top_level, protected, filename="x.whl")


def test_a_library_cannot_replace_the_code_of_a_model(
    service: LocalService, churn: Callable[..., Path], teamtools: Path, tmp_path: Path
) -> None:
    service.upload(churn("1.0.0"))
    files = {name.replace("teamtools/", "churn/"): content for name, content in files_of(teamtools).items()}
    intruder = tmp_path / teamtools.name
    with zipfile.ZipFile(intruder, "w") as archive:
        for name, content in record_again(files).items():
            archive.writestr(name, content)
    with pytest.raises(UploadError, match="churn: belongs to the project 'churn'"):
        service.upload(intruder)
    assert service.upload(teamtools).new
