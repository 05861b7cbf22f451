"""A format is added from outside: one file, one entry point, the contract suite, no edit of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ADAPTER = '''
from __future__ import annotations
import json
from pathlib import Path
from modelwright.capturing.formats import Saved
from modelwright.errors import SerialisationError


class Line:
    """y = slope * x"""

    def __init__(self, slope):
        self.slope = slope

    def predict(self, rows):
        return [self.slope * row["x"] for row in rows]


class JsonFormat:
    name = "json"
    loader = Path(__file__).with_name("toy_json_loader.py")
    distributions = ()
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model):
        return 95 if type(model) is Line else 0

    def save(self, model, artifacts, *, package):
        (artifacts / "model.json").write_text(json.dumps({"slope": model.slope}))
        return Saved()


FORMAT = JsonFormat()
'''
LOADER = """
from __future__ import annotations
import json


class Line:
    def __init__(self, slope):
        self.slope = slope

    def predict(self, rows):
        return [self.slope * row["x"] for row in rows]


def audit(artifacts, options, package):
    return sorted(set(json.loads((artifacts / "model.json").read_text())) - {"slope"})


def load(artifacts, options, package, trusted):
    if set(audit(artifacts, options, package)) - set(trusted):
        raise ValueError("not a line")
    return Line(json.loads((artifacts / "model.json").read_text())["slope"])
"""
CONTRACT = """
import json
from modelwright.capturing.formats import format_named, ranked
from modelwright.testing import FormatContract
from toy_json import Line


class TestJson(FormatContract):
    format = format_named("json")

    def models(self):
        return [(Line(2.5), [{"x": 1.0}, {"x": 2.0}]), (Line(-1), [{"x": 3.0}])]

    def foreign(self):
        return [object(), 1, "x"]

    def write_hostile(self, artifacts, marker):
        (artifacts / "model.json").write_text(json.dumps({"slope": 1, "os.mkdir": str(marker)}))
        return {}


def test_it_is_chosen_for_what_it_claims_best():
    assert [each.name for each in ranked(Line(1))] == ["json", "joblib"]
"""


def test_a_third_party_format_passes_the_contract_without_an_edit_of_ours(tmp_path: Path) -> None:
    site, info = tmp_path / "site", tmp_path / "site" / "toy_json-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "toy_json.py").write_text(ADAPTER)
    (site / "toy_json_loader.py").write_text(LOADER)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-json\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[modelwright.formats]\njson = toy_json:FORMAT\n")
    (info / "RECORD").write_text("toy_json.py,,\ntoy_json_loader.py,,\n")
    (site / "test_toy.py").write_text(CONTRACT)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(site), "test_toy.py"]
    done = subprocess.run(
        command, cwd=site, env={"PYTHONPATH": str(site), "PATH": ""}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    assert b"15 passed" in done.stdout, done.stdout.decode()


def test_registered_names_are_those_of_the_design() -> None:
    from modelwright.plugins import available

    assert {"skops", "joblib", "cloudpickle", "python"} <= set(available("modelwright.formats"))
