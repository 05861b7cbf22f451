"""The commands that make, look at, prove and use packages, on a real one."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import msgspec
import pytest
from speaking import modelwright

import modelwright as mw
from modelwright.inspecting.diff import DiffReport
from modelwright.inspecting.verify import VerifyReport
from modelwright.spec.manifest import parse_manifest

OLD = "models/second-opinion-1.0.0"
NEW = "models/second-opinion-1.1.0"


def wheel(clinic: Path, version: str = "1.0.0") -> Path:
    return next((clinic / "dist").glob(f"second_opinion-{version}-*.whl"))


def test_capture_puts_the_folder_where_it_says(clinic):
    package = mw.read(clinic / OLD)
    manifest = package.manifest
    assert (manifest.name, manifest.version, manifest.license) == ("second-opinion", "1.0.0", "MIT")
    assert (manifest.summary, manifest.tags) == ("Who should be seen twice", ("triage",))
    assert [field.name for field in manifest.signature.inputs] == ["age", "pressure"]


def test_capture_prints_the_folder_and_shows_the_steps(clinic, tmp_path):
    shutil.copy(clinic / "rules.py", tmp_path)
    done = modelwright(
        *("capture", "rules:second_opinion", "--name", "x-ray", "--version", "2", "--to", "out"),
        *("--sample", str(clinic / "rows.json")),
        cwd=tmp_path,
    )
    assert done.stdout.strip() == "out/x-ray-2"
    assert "✓ signature" in done.stderr
    assert "Next:\n  modelwright build out/x-ray-2" in done.stderr


def test_capture_of_a_file_of_code_takes_its_predict(tmp_path):
    (tmp_path / "double.py").write_text("def predict(rows):\n    return [row['x'] * 2 for row in rows]\n")
    (tmp_path / "rows.json").write_text('[{"x": 1}, {"x": 2}, {"x": 3}]')
    arguments = ("capture", "double.py", "--name", "double", "--version", "1.0", "--sample", "rows.json", "--json")
    manifest = json.loads(modelwright(*arguments, cwd=tmp_path).stdout)
    assert manifest["name"] == "double"
    assert manifest["storage"]["format"] == "python"


@pytest.mark.parametrize(
    ("source", "message"),
    [("nowhere.joblib", "nowhere.joblib"), ("rules:nobody", "nobody"), ("no.such.module:model", "no.such.module")],
)
def test_capture_of_what_is_not_there_is_not_found(clinic, source, message):
    arguments = ("capture", source, "--name", "x-ray", "--version", "1", "--sample", "rows.json")
    assert message in modelwright(*arguments, cwd=clinic, code=3).stderr


def test_capture_without_a_sample_says_that_one_is_needed(clinic):
    arguments = ("capture", "rules:second_opinion", "--name", "x-ray", "--version", "1")
    assert "--sample" in modelwright(*arguments, cwd=clinic, code=2).stderr


def test_capture_with_an_unknown_target_names_the_columns(clinic):
    arguments = ("capture", "rules:second_opinion", "--name", "x-ray", "--version", "1", "--sample", "rows.json")
    done = modelwright(*arguments, "--target", "presure", cwd=clinic, code=1)
    assert "MW602" in done.stderr
    assert "did you mean 'pressure'" in done.stderr


def test_build_prints_the_wheel_and_its_digest(clinic, tmp_path):
    built = json.loads(modelwright("build", OLD, "--into", str(tmp_path), "--json", cwd=clinic).stdout)
    content = Path(built["path"]).read_bytes()
    assert (built["size"], built["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert content == wheel(clinic).read_bytes()


def test_build_makes_source_archives(clinic, tmp_path):
    done = modelwright("build", OLD, "--sdist", "--into", str(tmp_path), "--quiet", cwd=clinic)
    assert done.stdout.splitlines()[0].endswith("second_opinion-1.0.0.tar.gz")


def test_build_dates_the_entries_as_the_environment_says(clinic, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    modelwright("build", OLD, "--into", str(tmp_path), cwd=clinic)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(2001, 9, 9)}


def test_build_of_nothing_is_not_found(tmp_path):
    assert "MW110" in modelwright("build", ".", cwd=tmp_path, code=3).stderr


def test_inspect_shows_what_matters(clinic):
    shown = modelwright("inspect", str(wheel(clinic)), cwd=clinic).stdout
    for text in ("second-opinion 1.0.0", "Who should be seen twice", "only Python", "pressure", "int64", "119 … 161"):
        assert text in shown


def test_inspect_as_json_is_the_manifest(clinic):
    done = modelwright("inspect", OLD, "--json", cwd=clinic)
    assert parse_manifest(done.stdout.encode()) == mw.read(clinic / OLD).manifest


def test_inspect_shows_the_card(clinic):
    assert modelwright("inspect", OLD, "--card", cwd=clinic).stdout.strip() == mw.read(clinic / OLD).card.strip()


def test_verify_writes_a_report_that_is_bound_to_the_wheel(clinic, tmp_path):
    report = tmp_path / "report.json"
    done = modelwright("verify", str(wheel(clinic)), "--report", str(report), "--json", cwd=clinic)
    shown, saved = (msgspec.json.decode(text, type=VerifyReport) for text in (done.stdout, report.read_bytes()))
    assert shown == saved
    assert saved.passed
    assert saved.sha256 == hashlib.sha256(wheel(clinic).read_bytes()).hexdigest()


def test_verify_for_people_shows_steps_verdict_and_what_next(clinic):
    done = modelwright("verify", str(wheel(clinic)), cwd=clinic)
    assert "second-opinion 1.0.0 verified on Python" in done.stdout
    assert "✓ scenarios" in done.stderr
    assert "pip install dist/second_opinion-1.0.0" in done.stderr


def test_verify_of_a_package_that_behaves_otherwise_exits_1_and_names_the_scenario(clinic, tmp_path):
    shutil.copytree(clinic / OLD, tmp_path / "changed")
    folder = next((tmp_path / "changed").glob("*/model"))
    lines = (folder / "scenarios.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    first["expected"]["prediction"] = [not answer for answer in first["expected"]["prediction"]]
    (folder / "scenarios.jsonl").write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")
    done = modelwright("verify", str(tmp_path / "changed"), cwd=clinic, code=1)
    assert f"✗ {first['name']}" in done.stdout
    assert "NOT verified" in done.stdout


def test_verify_of_an_altered_wheel_is_refused(clinic, tmp_path):
    altered = tmp_path / wheel(clinic).name
    content = bytearray(wheel(clinic).read_bytes())
    content[content.index(b"LIMIT = 140") + 8] ^= 1
    altered.write_bytes(content)
    done = modelwright("verify", str(altered), cwd=clinic, code=4)
    assert done.stdout == ""


def test_diff_of_a_retrained_model_is_minor_and_honoured(clinic):
    shown = modelwright("diff", OLD, NEW, cwd=clinic).stdout
    assert "second-opinion 1.0.0 → second-opinion 1.1.0" in shown
    assert "MINOR: " in shown
    assert "answered differently" in shown


def test_diff_in_the_other_direction_is_not_honoured_and_exits_1(clinic):
    done = modelwright("diff", NEW, OLD, "--skip-behaviour", cwd=clinic, code=1)
    assert "promises less" in done.stdout


def test_diff_as_json_is_the_report(clinic):
    done = modelwright("diff", OLD, OLD, "--json", cwd=clinic)
    report = msgspec.json.decode(done.stdout, type=DiffReport)
    assert (report.verdict.level, report.changes) == ("PATCH", ())


def test_predict_answers_a_file_on_standard_output(clinic):
    done = modelwright("predict", OLD, "rows.csv", "--quiet", cwd=clinic)
    assert done.stdout.splitlines() == ["prediction", "false", "true", "true", "false"]
    assert done.stderr == ""


def test_predict_reads_standard_input_and_gives_json_lines(clinic):
    rows = '{"age": 1, "pressure": 150}\n{"age": 2, "pressure": 100}\n'
    done = modelwright("predict", str(wheel(clinic)), "-", "--json", cwd=clinic, stdin=rows)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"prediction": True}, {"prediction": False}]


def test_predict_writes_a_file_and_says_where(clinic, tmp_path):
    done = modelwright("predict", OLD, "rows.csv", "--output", str(tmp_path / "answers.csv"), cwd=clinic)
    assert done.stdout == ""
    assert f"The answers are in {tmp_path / 'answers.csv'}." in done.stderr
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == len(
        (clinic / "rows.csv").read_text().splitlines()
    )


def test_predict_of_rows_that_do_not_fit_names_row_and_column(clinic, tmp_path):
    (tmp_path / "wrong.csv").write_text((clinic / "rows.csv").read_text().replace("150", "high"))
    done = modelwright("predict", OLD, str(tmp_path / "wrong.csv"), cwd=clinic, code=1)
    assert "MW201" in done.stderr
    assert "'pressure'" in done.stderr


def test_scan_of_a_saved_model_names_the_calls_and_runs_none(clinic, tmp_path):
    canary = tmp_path / "canary"
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR.")
    done = modelwright("scan", str(tmp_path / "evil.pkl"), cwd=clinic, code=1)
    assert "system" in done.stdout
    assert not canary.exists()


def test_hostile_file_is_refused_by_capture_and_not_opened(clinic, tmp_path):
    canary = tmp_path / "canary"
    (tmp_path / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR.")
    arguments = ("capture", str(tmp_path / "evil.pkl"), "--name", "evil", "--version", "1", "--sample", "rows.json")
    assert "MW403" in modelwright(*arguments, cwd=clinic, code=4).stderr
    assert not canary.exists()


def test_scan_of_a_package_says_that_it_is_harmless(clinic):
    assert modelwright("scan", OLD, cwd=clinic).stdout
