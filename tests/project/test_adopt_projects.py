"""Whole legacy projects: what adopting proposes says the same as what setuptools, poetry and hatchling build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from legacy_projects import PROJECTS, copy_of, finding
from packaging.requirements import Requirement

import modelwright as mw
from modelwright.building.project import BACKEND
from modelwright.project.adopting.adopt import adopt, write
from modelwright.project.adopting.comparing import fields_of_wheel
from modelwright.project.adopting.old_wheel import Wheel, build_old, read_wheel
from modelwright.project.adopting.pyproject import comments
from modelwright.project.adopting.report import Adoption
from modelwright.project.adopting.tree import open_tree

RULE = '''"""A rule that stands for a model."""


def score(rows):
    return [row["x"] * 2.0 for row in rows]
'''

Adopted = Callable[[str], Adoption]


@pytest.fixture(scope="session")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Adopted:
    """Adopt a copy of a legacy project, once, without changing it."""
    folder = tmp_path_factory.mktemp("legacy")
    return cache(lambda name: adopt(copy_of(name, folder)))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("name", PROJECTS)
def test_nothing_is_changed_by_looking(adopted, name):
    report = adopted(name)
    shipped = {path for path in contents(Path(report.root)) if path not in (".gitignore", "gitignore")}
    assert shipped == {
        path for path in contents(Path(__file__).parents[1] / "data" / "legacy" / name) if path != "gitignore"
    }
    assert not report.written


@pytest.mark.parametrize("name", PROJECTS)
def test_the_proposal_says_what_the_old_wheel_says(adopted, name):
    wheel = adopted(name).wheel
    assert wheel.problem == ""
    unexplained = {each.field for each in wheel.differences if not each.why}
    assert unexplained == set()
    assert {"Name", "Version"} <= set(wheel.equal)


@pytest.mark.parametrize("name", PROJECTS)
def test_the_proposal_is_a_model_project(adopted, name):
    report = adopted(name)
    change = next(each for each in report.changes if each.path == "pyproject.toml")
    document = tomllib.loads(change.text)
    assert document["build-system"] == {"requires": ["modelwright"], "build-backend": BACKEND}
    assert document["tool"]["modelwright"]["package"] == report.package
    assert "dependencies" in document["project"]["dynamic"]
    assert document["project"]["version"] == report.version


@pytest.mark.parametrize("name", ["poetry", "hatch"])
def test_no_comment_and_no_other_table_is_lost(adopted, name):
    report = adopted(name)
    [change] = [each for each in report.changes if each.path == "pyproject.toml"]
    old = (Path(report.root) / "pyproject.toml").read_text()
    assert sorted(comments(old)) == sorted(comments(change.text))
    before, after = tomllib.loads(old)["tool"], tomllib.loads(change.text)["tool"]
    assert {**before, "modelwright": {"package": report.package}} == after


def built_with_a_model(project: Path, report: Adoption) -> Wheel:
    """Capture a function of the package into the adopted project, and build it."""
    (project / report.package / "rule.py").write_text(RULE)
    (project / "rows.json").write_text(json.dumps([{"x": 1.0}, {"x": 2.5}]))
    source, _, module = report.package.rpartition("/")
    command = [sys.executable, "-m", "modelwright", "capture", f"{module}.rule:score", "--sample", "rows.json"]
    command += ["--name", report.name, "--version", report.version, "--to", "."]
    environment = {**os.environ, "PYTHONPATH": str(project / source)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_wheel(mw.build(project, project / "out"))


def promises(requirements: frozenset[str], new: frozenset[str]) -> bool:
    """Tell whether each old requirement stands among the new ones, or is kept by an exact pin of the model."""
    pins = {each.name: str(each.specifier).removeprefix("==") for each in map(Requirement, new)}
    return all(
        text in new or Requirement(text).specifier.contains(pins[Requirement(text).name]) for text in requirements
    )


@pytest.mark.parametrize("name", ["declarative", "flat"])
def test_the_new_wheel_has_the_fields_of_the_old_one(tmp_path, adopted, name):
    report = adopted(name)
    project = copy_of(name, tmp_path)
    write(adopt(project, running="nothing"))
    old = build_old(open_tree(Path(report.root)))
    wheel = built_with_a_model(project, report)
    before = fields_of_wheel(old.metadata, old.entry_points)
    after = fields_of_wheel(wheel.metadata, wheel.entry_points)
    for field in before.keys() - {"Requires-Python", "Requires-Dist", "Classifier", "Entry-Point"}:
        assert after[field] == before[field], field
    assert promises(before["Requires-Dist"], after["Requires-Dist"])
    assert before.get("Classifier") == after.get("Classifier")
    module = report.package.rpartition("/")[2]
    own = {f"console_scripts: {report.name} = {module}.model.__main__:main"}
    own |= {f"modelwright.models: {report.name} = {module}.model"}
    assert before["Entry-Point"] <= after["Entry-Point"] <= before["Entry-Point"] | own
    missing = {each.file for each in report.findings if each.severity == "missing" and each.solved}
    assert missing <= set(wheel.files)


def test_scripts_become_console_scripts_or_are_named_with_the_reason(adopted):
    report = adopted("idioms")
    told = {each.path: each.reference or each.reason for each in report.commands}
    assert told == {
        "scripts/train.py": "churn.scripts.train:main",
        "scripts/score.py": "it has no main(); put what it does into a function main() in the package",
        "scripts/deploy.sh": "it is no Python; an entry point names a function",
    }
    new = {each.path: each.text for each in report.changes}
    assert new["src/churn/scripts/train.py"] == (Path(report.root) / "scripts/train.py").read_text()
    assert tomllib.loads(new["pyproject.toml"])["project"]["scripts"]["train.py"] == "churn.scripts.train:main"


def test_a_freeze_is_pruned_and_the_rest_is_explained(adopted):
    report = adopted("idioms")
    judged = {each.name: (each.verdict, each.why) for each in report.requirements}
    assert judged["pandas"][0] == "needed"
    assert "src/churn/features.py" in judged["pandas"][1]
    assert judged["scikit-learn"] == ("needed", "sklearn is imported by scripts/train.py")  # it moves into the package
    assert judged["numpy"][0] == "comes-with"
    assert judged["matplotlib"] == ("elsewhere", "imported by notebooks/ only")
    assert judged["pytest"] == ("elsewhere", "imported by tests/ only")
    assert judged["ipykernel"] == ("tooling", "tooling: jupyter")
    assert judged["requests"] == ("unused", "nothing imports it; its comment says: for the old API")
    document = tomllib.loads(next(each.text for each in report.changes if each.path == "pyproject.toml"))
    assert sorted(document["project"]["dependencies"]) == ["pandas==2.2.3", "scikit-learn==1.5.2"]
    assert document["dependency-groups"] == {
        "notebook": ["ipykernel==6.29.5", "matplotlib==3.9.2"],
        "test": ["pytest==8.3.3"],
    }


def test_files_that_the_wheel_lacks_are_found_with_the_line_that_fixes_them(adopted):
    broken, declarative = adopted("broken"), adopted("declarative")
    labels = finding(broken, "src/wine/assets/labels.txt", "missing")
    assert "src/wine/__init__.py, line 4, reads it" in labels.why
    assert "include_package_data" in labels.why
    assert labels.fix == "setup.py: include_package_data=True"
    assert finding(broken, "src/wine/steps/first.py", "missing").fix == "touch src/wine/steps/__init__.py"
    assert finding(broken, "src/wine/assets/scaler.bin", "missing").what == "The project does not have it."
    assert finding(declarative, "credit/tables/weights.csv").fix == "MANIFEST.in: include credit/tables/*.csv"
    assert not broken.sound


def test_lines_that_do_nothing_are_found(adopted):
    idle = [each.what for each in adopted("broken").findings if each.severity == "warning"]
    assert [what.partition(":")[0] for what in idle] == [
        "Line 2, 'include CHANGES.rst'",
        "Line 3, 'graft src/wine/weights'",
        "Line 4, 'recurse-include src *.json'",
        "package_data",
    ]


def test_files_outside_the_package_and_strangers_in_the_wheel_are_found(adopted):
    report = adopted("flat")
    limits = finding(report, "config/limits.yaml", "missing")
    assert "prices/__init__.py, line 7, reads it" in limits.why
    assert "git mv config/limits.yaml prices/limits.yaml" in limits.fix
    assert finding(report, "rates.py", "missing").fix == "Move it into prices/."
    assert "exclude" in finding(report, "tests", "warning").fix


def test_a_file_that_git_ignores_is_missing_from_hatchlings_wheel(adopted):
    layer = finding(adopted("hatch"), "src/digits/weights/layer.npy", "missing")
    assert "git ignores it" in layer.why
    assert layer.solved


def test_what_the_changes_solve_counts_once_they_are_written(tmp_path, adopted):
    looked = adopted("hatch")
    project = copy_of("hatch", tmp_path)
    assert not looked.sound
    assert write(adopt(project)).sound
    again = adopt(project)
    assert (again.changes, again.sound) == ((), True)
