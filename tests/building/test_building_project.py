"""Finding what is to be built, and refusing what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from building_models import write_model, write_project

from modelwright.building.build import build
from modelwright.building.project import open_project
from modelwright.errors import (
    BuildError,
    FormatVersionError,
    ManifestError,
    NameVersionError,
    ProjectError,
    UnknownPackageError,
)
from modelwright.package import open_folder, open_wheel


@pytest.mark.parametrize("below", ["", "src", "src/churn", "src/churn/model"])
def test_every_folder_on_the_way_to_the_model_means_the_same_project(tmp_path: Path, below: str) -> None:
    project = open_project(write_project(tmp_path, 'version = "1.3.0"') / below)
    assert project.root == tmp_path
    assert project.source == tmp_path / "src"
    assert project.table["version"] == "1.3.0"


def test_a_package_and_its_folder_mean_the_same(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    assert open_project(open_folder(package)).source == open_project(str(package)).source == tmp_path


def test_the_pyproject_of_somebody_else_above_a_model_folder_is_left_alone(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[build-system]\nbuild-backend = "hatchling.build"\n[project]\nname="x"\n')
    assert open_project(package).table == {}
    with pytest.raises(ProjectError, match=r"built by 'hatchling\.build'"):
        open_project(tmp_path)


def test_the_package_is_where_the_project_says(tmp_path: Path) -> None:
    write_model(tmp_path / "other")
    root = write_project(tmp_path, 'dynamic = ["version"]', tool='package = "lib/churn"', source="lib")
    assert open_project(root).source == tmp_path / "lib"


@pytest.mark.parametrize("said", ["lib/nothing", "../elsewhere", "."])
def test_a_package_that_is_not_there_is_named(tmp_path: Path, said: str) -> None:
    write_model(tmp_path / "elsewhere")
    root = write_project(tmp_path / "p", tool=f'package = "{said}"')
    with pytest.raises(ProjectError, match="There is no model in") as caught:
        open_project(root)
    assert "tool.modelwright.package" in caught.value.where


def test_of_several_models_the_one_with_the_projects_name_is_built(tmp_path: Path) -> None:
    write_model(tmp_path / "src", name="other", import_name="other")
    root = write_project(tmp_path, 'dynamic = ["version"]')
    assert open_project(root).manifest.name == "churn"


def test_a_project_without_a_model_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[build-system]\nbuild-backend = "modelwright.backend"\n')
    with pytest.raises(UnknownPackageError, match="no model folder") as caught:
        open_project(tmp_path)
    assert "[tool.modelwright]" in caught.value.hint


def test_broken_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    root = write_project(tmp_path, "version = 1.3.0")
    with pytest.raises(ProjectError, match="cannot be read") as caught:
        open_project(root)
    assert "line 7" in caught.value.why


@pytest.mark.parametrize("name", ["project", "tool", "build-system"])
def test_a_table_that_is_something_else_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"{name} = 3\n")
    with pytest.raises(ProjectError, match=rf"\[{name}\] is not a table"):
        open_project(tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('version = "1.4.0"', r"version is '1.4.0', the captured model's is '1.3.0'"),
        ("", "no version"),
        ('version = "1.3.0"\ndynamic = ["version"]', "calls it dynamic"),
        ('dynamic = ["version", "name"]', "no static name"),
    ],
)
def test_name_and_version_agree_with_the_manifest_or_are_dynamic(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message) as caught:
        open_project(write_project(tmp_path, table or 'description = "x"'))
    assert caught.value.hint


def test_another_name_than_the_captured_one_names_both(tmp_path: Path) -> None:
    root = write_project(tmp_path, 'dynamic = ["version"]')
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"churn"', '"chrun"'))
    with pytest.raises(ProjectError, match=r"'chrun'.*'churn'"):
        open_project(root)


def test_dependencies_of_a_model_have_to_be_dynamic_because_uv_would_overlook_them(tmp_path: Path) -> None:
    pinned = {"python": "3.11.7", "interpreters": ["cp311"], "dependencies": ["iniconfig==2.3.0"]}
    for number, table in enumerate(('version = "1.3.0"', 'version = "1.3.0"\ndependencies = ["iniconfig"]')):
        with pytest.raises(ProjectError, match="the build adds dependencies"):
            open_project(write_project(tmp_path / str(number), table, environment=pinned))
    both = 'version = "1.3.0"\ndependencies = ["httpx"]\ndynamic = ["dependencies"]'
    assert open_project(write_project(tmp_path / "both", both, environment=pinned)).table["dependencies"] == ["httpx"]


def test_equal_versions_in_another_spelling_agree(tmp_path: Path) -> None:
    assert open_project(write_project(tmp_path, 'version = "1.3.0-RC1"', version="1.3.0rc1")).table


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"version": "1.3.0+cu12"}, NameVersionError),
        ({"version": "1.3-alpha.beta"}, NameVersionError),
        ({"version": "v1.3"}, NameVersionError),
        ({"name": "Churn"}, NameVersionError),
        ({"name": "json"}, NameVersionError),
        ({"name": "ch urn"}, NameVersionError),
        ({"created": "yesterday"}, ManifestError),
        ({"created": "2026-01-01T00:00:00"}, ManifestError),
        ({"format_version": 99}, FormatVersionError),
    ],
)
def test_a_manifest_that_no_index_would_take_is_refused(tmp_path: Path, changes: dict, error: type) -> None:
    with pytest.raises(error):
        build(write_model(tmp_path, **changes), tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_a_renamed_folder_is_refused(tmp_path: Path) -> None:
    package = write_model(tmp_path)
    with pytest.raises(ProjectError, match="imported as 'churn'"):
        open_project(package.rename(tmp_path / "renamed"))


def test_a_wheel_cannot_be_built_again(tmp_path: Path) -> None:
    wheel = build(write_model(tmp_path), tmp_path / "dist")
    with pytest.raises(BuildError, match="Only a folder"):
        build(open_wheel(wheel), tmp_path / "again")
