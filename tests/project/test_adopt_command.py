"""The command line of adopting: diff and report on stdout, exit codes, JSON, and a project that builds unmodified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from legacy_projects import copy_of, written

from modelwright.project.adopting.adopt import adopt


def command(*arguments: str, cwd: Path, code: int) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "modelwright", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(cwd)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done


def test_a_diff_that_patch_understands_and_then_the_findings(tmp_path):
    project = copy_of("flat", tmp_path)
    done = command("adopt", "flat", "--no-build", cwd=tmp_path, code=1)
    diff, _, report = done.stdout.partition("\n\nprices 3.1: ")
    assert "✗ config/limits.yaml: It is outside of the package" in report
    steps = ["cd flat", "modelwright adopt . --write", "python TRAIN.py", "modelwright adopt .", "modelwright build ."]
    assert [line.strip() for line in done.stderr.partition("Next:\n")[2].splitlines()] == steps
    applied = subprocess.run(
        ["git", "apply", "-p1", "-"], cwd=project, input=f"{diff}\n", text=True, capture_output=True, check=False
    )
    assert applied.returncode == 0, applied.stderr
    by_hand = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").unlink()
    command("adopt", "--write", "--no-build", "--quiet", cwd=project, code=1)
    assert (project / "pyproject.toml").read_text() == by_hand


def test_json_is_the_object_that_the_api_returns(tmp_path):
    project = copy_of("declarative", tmp_path)
    done = command("adopt", "--no-build", "--json", cwd=project, code=0)
    said = json.loads(done.stdout)
    report = adopt(project, running="nothing")
    assert (said["name"], said["package"], said["changes"][0]["text"]) == (
        report.name,
        report.package,
        report.changes[0].text,
    )
    assert "wheel" not in said
    assert done.stderr == ""


def test_refusals_are_messages_with_an_exit_code(tmp_path):
    done = command("adopt", "nowhere", cwd=tmp_path, code=1)
    assert done.stderr.startswith("MW1006: There is no project folder.")
    assert "--run-setup" in command("adopt", "--help", cwd=tmp_path, code=0).stdout


def test_a_project_of_another_backend_with_a_captured_model_builds_unmodified(tmp_path):
    written(
        tmp_path,
        {
            "setup.py": "from setuptools import setup\nsetup(name='acme-tax', version='1.0', packages=['tax'])\n",
            "pyproject.toml": """
                # we keep setuptools
                [build-system]
                requires = ["setuptools"]
                build-backend = "setuptools.build_meta"

                [project]
                name = "acme-tax"
                version = "1.0"
                dynamic = ["dependencies"]

                [tool.modelwright]
                package = "tax"
            """,
            "tax/__init__.py": "",
            "tax/rule.py": 'def tax(rows):\n    return [row["net"] * 0.2 for row in rows]\n',
            "rows.json": '[{"net": 1.0}, {"net": 3.5}]\n',
        },
    )
    before = adopt(tmp_path, running="nothing")
    assert "There is no model in 'tax'" in before.unmodified
    assert before.changes == ()
    about = ("--name", "acme-tax", "--version", "1.0", "--sample", "rows.json", "--to", ".", "--quiet")
    command("capture", "tax.rule:tax", *about, cwd=tmp_path, code=0)
    after = adopt(tmp_path, running="nothing")
    assert (after.unmodified, after.captured) == ("", True)
    command("build", ".", "--quiet", cwd=tmp_path, code=0)
    [wheel] = (tmp_path / "dist").glob("acme_tax-1.0-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "elsewhere")
    ask = "import sys; sys.path.insert(0, sys.argv[1]); import tax.model; print(tax.model.predict([{'net': 5.0}]))"
    elsewhere = [sys.executable, "-I", "-c", ask, str(tmp_path / "elsewhere")]
    done = subprocess.run(elsewhere, capture_output=True, text=True, check=False)
    assert "1.0" in done.stdout, done.stderr
