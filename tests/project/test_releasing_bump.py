"""Bump real projects: what is written, what is refused, and that the result builds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from releasing_projects import (
    TODAY,
    add_field,
    contents,
    edit_code,
    edit_manifest,
    raised,
    write_project,
)

import modelwright as mw
from modelwright.errors import (
    IntegrityError,
    ModelwrightError,
    NameVersionError,
    ReleaseError,
    StorageError,
    UnknownPackageError,
)
from modelwright.project.releasing.bump import Bumped, bump


@pytest.fixture(scope="session")
def _released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("released") / "project")


@pytest.fixture
def project(_released: Path, tmp_path: Path) -> Path:
    """A project whose version 1.0.0 is released, to change."""
    return Path(shutil.copytree(_released, tmp_path / "project"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


def manifest(project: Path) -> Any:
    return mw.read(project).manifest


def test_other_answers_are_a_minor_step_found_by_running_both_models(project: Path, cache: Path) -> None:
    edit_code(project, "2.0 * ", "3.0 * ")
    bumped = bump(project, today=TODAY, cache=cache)
    assert (bumped.old, bumped.new, bumped.against) == ("1.0.0", "1.1.0", "twice==1.0.0")
    assert bumped.behaviour == "compared"
    assert "- 4 of 5 scenario rows get another answer\n- code changed in `twice_model.py`" in bumped.changelog
    assert '\nversion = "1.1.0"  # said here\n' in (project / "pyproject.toml").read_text()
    assert (manifest(project).version, manifest(project).lineage.parent) == ("1.1.0", "twice==1.0.0")
    assert mw.build(project, project / "dist").name == "twice-1.1.0-py3-none-any.whl"


def test_the_same_answers_are_a_patch(project: Path, cache: Path) -> None:
    edit_code(project, "2.0 * row", "row", name="twice_model.py")
    edit_code(project, '["x"], "positive"', '["x"] * 2.0, "positive"')
    bumped = bump(project, today=TODAY, cache=cache)
    assert (bumped.new, bumped.verdict and bumped.verdict.level) == ("1.0.1", "PATCH")
    assert "another answer" not in bumped.changelog


def test_a_project_and_a_manifest_that_disagree_are_compared_and_made_to_agree(project: Path, cache: Path) -> None:
    edit_code(project, "2.0 * ", "3.0 * ")
    edit_manifest(project, lambda document: document.update(version="5.0.0"))
    bumped = bump(project, today=TODAY, cache=cache)
    assert (bumped.old, bumped.new, bumped.behaviour) == ("1.0.0", "1.1.0", "compared")
    assert mw.build(project, project / "dist").name == "twice-1.1.0-py3-none-any.whl"


def test_a_release_that_cannot_be_run_any_more_is_compared_by_its_documents_and_that_is_said(project: Path) -> None:
    edit_code(project, "2.0 * ", "3.0 * ")
    bumped = bump(project, today=TODAY, python="3.3", dry_run=True)
    assert bumped.behaviour.startswith("not compared: ")
    assert bumped.new == "1.1.0"


def test_a_new_field_is_a_major_step_in_the_words_of_people(project: Path) -> None:
    add_field(project)
    bumped = raised(project)
    assert bumped.new == "2.0.0"
    assert "### Added\n\n- **Breaking:** field `tenure` added: every row must have it" in bumped.changelog


def test_a_changelog_is_filled_from_everything_that_diff_finds(tmp_path: Path) -> None:
    def first(document: dict[str, Any]) -> None:
        document["evaluations"] = [{"metric": "roc_auc", "value": 0.9134, "dataset": "test", "better": "higher"}]
        document["hyperparameters"] = {"C": 1.0}
        document["environment"]["dependencies"] = ["scikit-learn==1.6.1", "joblib==1.4"]
        document["lineage"] = {"data": [{"uri": "s3://lake/x.parquet", "version": "7"}]}

    def second(document: dict[str, Any]) -> None:
        document["evaluations"] = [
            {"metric": "roc_auc", "value": 0.9312, "dataset": "test", "better": "higher"},
            {"metric": "brier", "value": 0.1, "dataset": "test"},
            {"metric": "roc_auc", "value": 0.99, "dataset": "training"},
        ]
        document["hyperparameters"] = {"C": 2.0, "<b>": "x`y"}
        document["environment"]["dependencies"] = ["scikit-learn==1.7.0", "skops==0.16"]
        document["environment"]["interpreters"] = ["cp311", "cp312"]
        document["lineage"]["data"][0]["version"] = "8"
        document["storage"]["methods"] = ["predict", "predict_proba"]

    project = write_project(tmp_path, release=False)
    edit_manifest(project, first)
    mw.build(project, project / "dist")
    edit_manifest(project, second)
    text = raised(project).changelog
    added, changed = text.partition("### Added")[2].split("### Changed")
    assert added.strip().splitlines() == [
        "- the model now answers predict_proba",
        "- it is now verified on cp312",
        "- `brier` 0.1 on test, measured for the first time",
        "- hyperparameter `<b>`: `` x`y ``",
        "- skops 0.16 is required",
    ]
    assert changed.partition("### Removed")[0].strip().splitlines() == [
        "- `roc_auc` 0.913 → 0.931 on test",
        "- hyperparameter `C`: 1.0 → 2.0",
        "- trained or measured on `training s3://lake/x.parquet`: `7` → `8`",
        "- scikit-learn 1.6.1 → 1.7.0",
    ]
    assert changed.partition("### Removed")[2].strip() == "- joblib is no longer required"


def test_what_people_wrote_stays_and_comes_first(project: Path) -> None:
    add_field(project)
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Mine.\n", encoding="utf-8")
    assert "### Added\n\n- Mine.\n- **Breaking:** field" in raised(project).changelog


def test_nothing_changed_nothing_is_written(project: Path) -> None:
    before = contents(project)
    bumped = raised(project)
    assert (bumped.new, bumped.files, bumped.changelog) == ("1.0.0", (), "")
    assert contents(project) == before


def test_bumping_twice_changes_nothing_more(project: Path) -> None:
    add_field(project)
    raised(project)
    before = contents(project)
    assert raised(project).files == ()
    assert contents(project) == before


def test_a_step_for_its_own_sake_says_that_the_model_is_the_same(project: Path) -> None:
    bumped = raised(project, "patch")
    assert bumped.new == "1.0.1"
    assert "nothing in the model itself: it is the one of 1.0.0" in bumped.changelog


def test_a_first_release_keeps_its_version(tmp_path: Path) -> None:
    project = write_project(tmp_path, release=False)
    bumped = raised(project)
    assert (bumped.new, bumped.verdict, bumped.files) == ("1.0.0", None, ("CHANGELOG.md",))
    assert "First release." in bumped.changelog
    assert manifest(project).lineage.parent == ""


def test_a_dry_run_finds_out_everything_and_writes_nothing(project: Path) -> None:
    add_field(project)
    before = contents(project)
    planned = raised(project, dry_run=True)
    assert contents(project) == before
    done = raised(project)
    assert msgspec.structs.replace(planned, dry_run=False) == done
    assert set(done.files) == {
        *("pyproject.toml", "CHANGELOG.md"),
        *("src/twice/model/manifest.json", "src/twice/model/card.md"),
    }


def test_nothing_that_a_digest_covers_changes_and_the_card_says_the_version(project: Path) -> None:
    add_field(project)
    edit_manifest(project, lambda document: document.update(of_tomorrow={"kept": 1e-7}))
    before = contents(project)
    raised(project)
    after = contents(project)
    assert {name for name in after if before.get(name) != after[name]} == {
        *("pyproject.toml", "CHANGELOG.md", "src/twice/model/manifest.json", "src/twice/model/card.md")
    }
    card = after["src/twice/model/card.md"].decode()
    assert "\n# twice 2.0.0\n" in card
    assert "\n| Parent release | `twice==1.0.0` |\n" in card
    assert "\npip install twice==2.0.0\n" in card
    assert "1.0.0" not in card.replace("twice==1.0.0", "")
    documents = [json.loads(one["src/twice/model/manifest.json"]) for one in (before, after)]
    assert documents[1] == documents[0] | {"version": "2.0.0", "lineage": {"parent": "twice==1.0.0"}}


def test_a_version_in_the_code_is_written_with_its_new_digest(project: Path) -> None:
    shutil.rmtree(project / "dist")
    edit_code(project, "from __future__", '__version__ = "1.0.0"\nfrom __future__', name="__init__.py")
    module = project / "src" / "twice" / "__init__.py"
    text = module.read_text().replace('__version__ = "1.0.0"\n', "", 1) + '\n__version__ = "1.0.0"\n'
    edit_code(project, module.read_text(), text, name="__init__.py")
    raised(project, "1.4.0")
    assert module.read_text().endswith('\n__version__ = "1.4.0"\n')
    wheel = mw.build(project, project / "dist")
    code = f"import sys; sys.path.insert(0, {str(wheel)!r}); import twice; print(twice.__version__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "1.4.0\n"


def test_a_manifest_alone_may_hold_the_version(project: Path) -> None:
    pyproject = project / "pyproject.toml"
    dynamic = pyproject.read_text().replace('version = "1.0.0"  # said here\n', "").replace('["dep', '["version", "dep')
    pyproject.write_text(dynamic)
    add_field(project)
    assert raised(project / "src").new == "2.0.0"
    assert pyproject.read_text() == dynamic
    assert manifest(project).version == "2.0.0"


@pytest.mark.parametrize(
    ("current", "against", "breaking", "new"),
    [
        ("1.1.0rc1", "1.0.0", False, "1.1.0"),
        ("1.1.0rc1", "1.0.0", True, "2.0.0"),
        ("0.4.0", "0.4.0", True, "0.5.0"),
        ("1.2.0.dev1", "1.0.0", False, "1.2.0"),
        ("1!1.0.0", "1!1.0.0", True, "1!2.0.0"),
        ("1.0.0.post1", "1.0.0.post1", False, "1.1.0"),
    ],
)
def test_auto_with_every_kind_of_version(tmp_path: Path, current: str, against: str, breaking: bool, new: str) -> None:
    project = write_project(tmp_path, release=False)
    pyproject = project / "pyproject.toml"

    def say(version: str) -> None:
        pyproject.write_text(pyproject.read_text().replace(manifest(project).version, version))
        edit_manifest(project, lambda document: document.update(version=version))

    say(against)
    mw.build(project, project / "dist")
    say(current)
    (add_field if breaking else lambda root: edit_code(root, "2.0 * ", "3.0 * "))(project)
    bumped = raised(project)
    assert (bumped.new, bumped.against) == (new, f"twice=={against}")


def test_the_newest_final_release_is_compared_with_not_a_pre_release(project: Path) -> None:
    raised(project, "1.1.0rc1")
    mw.build(project, project / "dist")
    add_field(project)
    bumped = raised(project, "2.0.0rc1")
    assert bumped.against == "twice==1.0.0"


@pytest.mark.parametrize("part", ["patch", "minor", "1.9.0", "1.0.0.post1", "1.9.0rc1"])
def test_a_version_that_lies_about_a_breaking_change_is_refused_with_the_changes(project: Path, part: str) -> None:
    add_field(project)
    before = contents(project)
    with pytest.raises(
        ReleaseError, match=r"promises less than changed since 1\.0\.0: that asks for 2\.0\.0"
    ) as caught:
        raised(project, part)
    assert [str(problem) for problem in caught.value.problems] == ["MAJOR: field 'tenure' is now required"]
    assert "--reason" in caught.value.hint
    assert contents(project) == before


@pytest.mark.parametrize("part", ["major", "2.0.0rc1", "3.1"])
def test_a_version_that_is_high_enough_goes_through(project: Path, part: str) -> None:
    add_field(project)
    assert raised(project, part).verdict.honoured


def test_a_reason_lets_it_through_and_stands_in_the_changelog(project: Path) -> None:
    add_field(project)
    bumped = raised(project, "patch", reason="nobody uses it yet")
    assert bumped.new == "1.0.1"
    told = "This is 1.0.1 although the changes ask for 2.0.0: nobody uses it yet"
    assert bumped.changelog.splitlines()[2] == told
    assert told in (project / "CHANGELOG.md").read_text()


def test_a_version_that_goes_down_is_refused_even_with_a_reason(project: Path) -> None:
    with pytest.raises(ReleaseError, match=r"is lower than 1\.0\.0"):
        raised(project, "0.9.0", reason="because")


def test_a_released_version_with_other_content_is_refused_even_with_a_reason(project: Path) -> None:
    edit_code(project, "2.0 * ", "3.0 * ")
    with pytest.raises(ReleaseError, match=r"1\.0\.0 is released already") as caught:
        raised(project, "1.0.0", reason="because")
    assert caught.value.where.endswith("twice-1.0.0-py3-none-any.whl")


def test_against_names_another_release(project: Path, tmp_path: Path) -> None:
    elsewhere = write_project(tmp_path / "elsewhere", release=False)
    add_field(project)
    edit_manifest(elsewhere, lambda document: document.update(version="0.9.0"))
    assert raised(project, "2.0.0", against=elsewhere / "src", dry_run=True).against == "twice==0.9.0"
    edit_manifest(elsewhere, lambda document: document.update(name="thrice"))
    with pytest.raises(ReleaseError, match=r"thrice 0\.9\.0 is not a release of twice"):
        raised(project, against=elsewhere / "src")


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda root: (root / "src/twice/twice_model.py").write_text("x"), IntegrityError, "not the file that was"),
        (lambda root: (root / "src/twice/twice_model.py").unlink(), IntegrityError, "not the file that was captured"),
        (lambda root: shutil.rmtree(root / "src/twice/model"), UnknownPackageError, "no model folder"),
        (lambda root: (root / "CHANGELOG.rst").write_text("x"), ReleaseError, r"CHANGELOG\.rst"),
        (lambda root: (root / "CHANGELOG.md").write_bytes(b"\xff\xfe"), ReleaseError, "not UTF-8"),
        (lambda root: (root / "CHANGELOG.md").mkdir(), StorageError, "cannot be written"),
        (lambda root: (root / "setup.py").write_text("setup(version='3')"), ReleaseError, "several versions"),
    ],
)
def test_a_project_that_cannot_be_released_is_refused_and_stays_as_it_was(
    project: Path, spoil: Any, error: type[ModelwrightError], message: str
) -> None:
    add_field(project)
    spoil(project)
    before = contents(project)
    with pytest.raises(error, match=message):
        raised(project)
    assert contents(project) == before


def test_a_step_that_is_none_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(NameVersionError, match="no version step"):
        raised(tmp_path / "nowhere", "minro")


def command(project: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "modelwright", "bump", *arguments]
    done = subprocess.run(line, cwd=project, capture_output=True, text=True, env={"SOURCE_DATE_EPOCH": "1795219200"})
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_the_command_line_prints_the_section_and_what_comes_next(project: Path) -> None:
    add_field(project)
    refused = command(project, "patch", "--skip-behaviour", code=4)
    assert "MW1007: 1.0.1 promises less" in refused.stderr
    report = msgspec.json.decode(command(project, "--skip-behaviour", "--dry-run", "--json").stdout, type=Bumped)
    assert (report.new, report.dry_run) == ("2.0.0", True)
    done = command(project, "auto", ".", "--skip-behaviour")
    assert "twice 1.0.0 → 2.0.0" in done.stdout
    assert "## [2.0.0] - 2026-11-21" in done.stdout
    assert "Next:\n  modelwright build ." in done.stderr
    assert command(project, "minro", code=2).stderr.startswith("MW601")
