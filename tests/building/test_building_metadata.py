"""Core Metadata and entry points, read back by others' parsers."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from building_models import write_model, write_project
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.metadata import Metadata

from modelwright.building.entry_points import entry_points
from modelwright.building.metadata import core_metadata, one_line
from modelwright.building.project import open_project
from modelwright.errors import ProjectError


def metadata(target: Path) -> Metadata:
    return Metadata.from_email(core_metadata(open_project(target)), validate=True)


def entries(target: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(entry_points(open_project(target)).decode())
    return {section: dict(parser[section]) for section in parser.sections()}


def test_a_folder_without_a_project_is_described_by_its_manifest(tmp_path: Path) -> None:
    found = metadata(
        write_model(
            tmp_path,
            owners=["Ada <ada@example.org>", "The churn team", "us @ home"],
            tags=["churn", "customers, lost"],
            environment={
                "python": "3.11.7",
                "interpreters": ["cp311", "cp312"],
                "dependencies": ["scikit-learn==1.9.1", "pandas[parquet]==3.1.1"],
            },
        )
    )
    assert (found.metadata_version, found.name, str(found.version)) == ("2.4", "churn", "1.3.0")
    assert found.summary == "Who leaves next month"
    assert found.author == "The churn team, us @ home"
    assert found.author_email == "Ada <ada@example.org>"
    assert found.keywords == ["churn", "customers lost"]
    assert found.license_expression == "Apache-2.0"
    assert str(found.requires_python) == "<3.13,>=3.11"
    assert list(map(str, found.requires_dist or [])) == ["pandas[parquet]==3.1.1", "scikit-learn==1.9.1"]
    assert found.description == "---\nlanguage: en\n---\n# Churn\n\nWho leaves, in Ελλάδα.\n"
    assert found.description_content_type == "text/markdown; charset=UTF-8; variant=GFM"


def test_a_project_adds_what_the_manifest_does_not_know(tmp_path: Path) -> None:
    root = write_project(
        tmp_path,
        """dynamic = ["version"]
description = "Churn of customers"
authors = [{ name = "Ödön, A.", email = "o@example.org" }, { name = "Ada" }]
maintainers = [{ email = "m@example.org" }]
keywords = ["a", "b"]
classifiers = ["Private :: Do Not Upload"]
dependencies = ["httpx>=0.28"]
requires-python = ">=3.11.2"
license = "apache-2.0"
license-files = ["LICEN[CS]E*", "legal/*.txt"]
[project.urls]
Source = "https://example.org/churn"
[project.optional-dependencies]
Serve_Extra = ["uvicorn[standard]>=0.30", "tzdata; sys_platform == 'win32' or extra == 'x'", "p @ https://e.example/p.whl"]
""",
    )
    (root / "LICENSE").write_text("free\n")
    (root / "legal").mkdir()
    (root / "legal" / "more.txt").write_text("more\n")
    found = metadata(root)
    assert found.summary == "Churn of customers"
    assert found.author == "Ada"
    assert found.author_email == '"Ödön, A." <o@example.org>'
    assert found.maintainer_email == "m@example.org"
    assert found.keywords == ["a", "b"]
    assert found.classifiers == ["Private :: Do Not Upload"]
    assert found.license_expression == "Apache-2.0"
    assert found.license_files == ["LICENSE", "legal/more.txt"]
    assert found.project_urls == {"Source": "https://example.org/churn"}
    assert found.provides_extra == ["serve-extra"]
    assert str(found.requires_python) == "<3.12,>=3.11,>=3.11.2"
    assert list(map(str, found.requires_dist or [])) == [
        "httpx>=0.28",
        'uvicorn[standard]>=0.30; extra == "serve-extra"',
        'tzdata; (sys_platform == "win32" or extra == "x") and extra == "serve-extra"',
        'p @ https://e.example/p.whl ; extra == "serve-extra"',
    ]


@given(st.text(max_size=700))
@settings(max_examples=60, deadline=None)
def test_any_summary_becomes_one_header_and_injects_nothing(tmp_path_factory, text: str) -> None:
    package = write_model(tmp_path_factory.mktemp("m"), summary=text)
    found = metadata(package)
    assert (found.summary or "") == one_line(text)[:512].rstrip()
    assert found.name == "churn"
    assert found.keywords is None


def test_header_names_are_spelled_as_everybody_spells_them(tmp_path: Path) -> None:
    text = core_metadata(open_project(write_model(tmp_path))).decode()
    assert text.startswith("Metadata-Version: 2.4\nName: churn\nVersion: 1.3.0\nSummary: ")


def test_a_readme_of_the_project_stands_instead_of_the_card(tmp_path: Path) -> None:
    root = write_project(tmp_path, 'dynamic = ["version"]\nreadme = "README.rst"')
    (root / "README.rst").write_text("Churn\n=====\n")
    found = metadata(root)
    assert found.description == "Churn\n=====\n"
    assert found.description_content_type == "text/x-rst; charset=UTF-8"


def test_a_readme_may_be_text_of_a_kind_that_is_said(tmp_path: Path) -> None:
    readme = 'readme = { text = "Churn", content-type = "text/plain" }'
    found = metadata(write_project(tmp_path, f'dynamic = ["version"]\n{readme}'))
    assert (found.description, found.description_content_type) == ("Churn", "text/plain")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('readme = "README.md"', "README.md"),
        ('readme = { file = "LICENSE" }', "LICENSE"),
        ("readme = { }", "project.readme"),
        ("readme = 3", "project.readme"),
        ("description = 3", "project.description"),
        ('keywords = "a"', "project.keywords"),
        ('authors = ["Ada"]', "project.authors"),
        ('authors = [{ name = "Ada", email = "no address\\nat all" }]', "project.authors"),
        ('urls = ["x"]', "project.urls"),
        ('license = { text = "free" }', "project.license"),
        ('license = "free as in beer"', "project.license"),
        ('license = "MIT"', "project.license"),
        ('license-files = "LICENSE"', "project.license-files"),
        ('license-files = ["NOTHING*"]', "project.license-files"),
        ('license-files = ["../*"]', "project.license-files"),
        ('classifiers = ["License :: OSI Approved :: MIT License"]', "project.classifiers"),
        ('dependencies = ["a b"]', "project.dependencies"),
        ('optional-dependencies = { x = ["a b"] }', "project.optional-dependencies.x"),
        ('optional-dependencies = { "no extra!" = [] }', "pyproject.toml"),
        ('requires-python = "<3"', "project.requires-python"),
    ],
)
def test_a_field_that_cannot_be_honoured_is_named(tmp_path: Path, line: str, field: str) -> None:
    root = write_project(tmp_path, f'dynamic = ["version"]\n{line}')
    (root / "LICENSE").write_text("free\n")
    with pytest.raises(ProjectError) as caught:
        core_metadata(open_project(root))
    assert field in caught.value.where


def test_a_licence_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    (tmp_path / "LICENSE").write_bytes(b"\xff\xfe")
    with pytest.raises(ProjectError, match="not UTF-8"):
        core_metadata(open_project(package))


def test_a_model_brings_its_discovery_entry_and_its_command(tmp_path: Path) -> None:
    assert entries(write_model(tmp_path, name="credit-risk", import_name="credit_risk")) == {
        "console_scripts": {"credit-risk": "credit_risk.model.__main__:main"},
        "modelwright.models": {"credit-risk": "credit_risk.model"},
    }


def test_entry_points_of_the_project_stand_beside_and_its_own_command_wins(tmp_path: Path) -> None:
    root = write_project(
        tmp_path,
        """dynamic = ["version"]
[project.scripts]
churn = "churn.cli:main"
churn-train = "churn.train:main"
[project.gui-scripts]
churn-window = "churn.window:main"
[project.entry-points."some.group"]
name = "churn:thing"
""",
    )
    assert entries(root) == {
        "console_scripts": {"churn": "churn.cli:main", "churn-train": "churn.train:main"},
        "gui_scripts": {"churn-window": "churn.window:main"},
        "modelwright.models": {"churn": "churn.model"},
        "some.group": {"name": "churn:thing"},
    }


@pytest.mark.parametrize(
    "table",
    [
        '[project.entry-points.console_scripts]\nx = "a:b"',
        '[project.entry-points."modelwright.models"]\nchurn = "churn.other"',
        '[project.scripts]\nx = "not a reference"',
        '[project.scripts]\n"[x]" = "a:b"',
        '[project.scripts]\n"x\\ny" = "a:b"',
        '[project.entry-points."a b"]\nx = "a:b"',
        '[project]\nscripts = "x"',
    ],
)
def test_an_entry_point_that_cannot_be_written_is_refused(tmp_path: Path, table: str) -> None:
    root = write_project(tmp_path, f'dynamic = ["version"]\n{table.removeprefix("[project]")}')
    with pytest.raises(ProjectError):
        entry_points(open_project(root))
