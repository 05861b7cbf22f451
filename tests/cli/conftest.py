"""A package without libraries, so that environments are made in no time; captured, built and changed once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from speaking import modelwright

MODULE = '''"""Ask for a second opinion."""

LIMIT = {limit}


def second_opinion(rows):
    """Say for each row whether somebody else should look at it."""
    return [row["pressure"] > LIMIT for row in rows]
'''
ROWS = "age,pressure\n71,128\n40,150\n33,161\n66,119\n"


@pytest.fixture(scope="session")
def clinic(tmp_path_factory) -> Path:
    """A folder with two versions of a captured model, their wheels, and rows."""
    folder = tmp_path_factory.mktemp("clinic")
    (folder / "rows.csv").write_text(ROWS)
    header, *lines = (line.split(",") for line in ROWS.splitlines())
    (folder / "rows.json").write_text(json.dumps([dict(zip(header, map(int, line), strict=True)) for line in lines]))
    for version, limit in (("1.0.0", 140), ("1.1.0", 155)):
        (folder / "rules.py").write_text(MODULE.format(limit=limit))
        modelwright(
            *("capture", "rules:second_opinion", "--name", "second-opinion", "--version", version),
            *("--sample", "rows.json", "--summary", "Who should be seen twice", "--license", "MIT", "--tag", "triage"),
            cwd=folder,
        )
        modelwright("build", f"models/second-opinion-{version}", cwd=folder)
    return folder
