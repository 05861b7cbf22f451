"""The command line of an installed model, as a user runs it."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from model_folders import write_doubler, write_model

from modelwright.runtime import cli
from modelwright.runtime.files import read_chunks

EXPECTED = [
    {"y": 2.0, "probability_no": 0.25, "probability_yes": 0.75},
    {"y": 5.0, "probability_no": 0.25, "probability_yes": 0.75},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_doubler(tmp_path / "site")


def call(capfd: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> tuple[int, str, str]:
    code = cli.main(folder, folder.parent.name, list(arguments))
    out, err = capfd.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def rows_file(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / f"rows.{kind}"
    contents: dict[str, Any] = {
        "csv": b"x\n1\n2.5\n",
        "tsv": b"x\n1\n2.5\n",
        "jsonl": b'{"x": 1}\n\n{"x": 2.5}\n',
        "ndjson": b'{"x": 1}\n{"x": 2.5}\n',
        "json": b'[{"x": 1}, {"x": 2.5}]',
        "csv.gz": gzip.compress(b"\xef\xbb\xbfx\r\n1\r\n2.5\r\n"),
    }
    if kind == "parquet":
        pq.write_table(pa.table({"x": [1.0, 2.5]}), path)
    else:
        path.write_bytes(contents[kind])
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "ndjson", "json", "csv.gz", "parquet"])
def test_every_kind_of_file_gives_the_same_answers(tmp_path: Path, folder: Path, capfd: Any, kind: str) -> None:
    code, out, _ = call(capfd, folder, "predict", str(rows_file(tmp_path, kind)), "--format", "jsonl")
    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == EXPECTED


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_answers_are_written_to_a_file_that_appears_whole(tmp_path: Path, folder: Path, capfd: Any, kind: str) -> None:
    target = tmp_path / f"answers.{kind}"
    code, out, _ = call(capfd, folder, "predict", str(rows_file(tmp_path, "csv")), "--output", str(target))
    assert (code, out) == (0, "")
    readers: dict[str, Any] = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}
    assert readers[kind](target).to_dicts() == EXPECTED
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["site", "rows.csv", target.name])


def test_a_failed_prediction_leaves_the_old_output(tmp_path: Path, folder: Path, capfd: Any) -> None:
    target, rows = tmp_path / "answers.csv", tmp_path / "rows.csv"
    target.write_text("old")
    rows.write_text("x\n1\nabc\n")
    code, _, err = call(capfd, folder, "predict", str(rows), "--output", str(target))
    assert code == 1
    assert "row 1, column 'x': line 3: 'abc' is text; a number is needed" in err
    assert target.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_bad_first_chunk_writes_nothing(tmp_path: Path, folder: Path, capfd: Any) -> None:
    (tmp_path / "rows.csv").write_text("x\n\n\nabc\n")
    code, out, err = call(capfd, folder, "predict", str(tmp_path / "rows.csv"))
    assert (code, out) == (1, "")
    assert "line 4" in err


def test_one_method_may_be_chosen(tmp_path: Path, folder: Path, capfd: Any) -> None:
    _, out, _ = call(capfd, folder, "predict", str(rows_file(tmp_path, "csv")), "--method", "predict_proba")
    assert out == "probability_no,probability_yes\n0.25,0.75\n0.25,0.75\n"


def test_rows_are_counted_from_the_beginning_of_the_file(tmp_path: Path, folder: Path, capfd: Any) -> None:
    (tmp_path / "rows.jsonl").write_text('{"x": 1}\n' * 10_004 + '{"x": "a"}\n')
    code, out, err = call(capfd, folder, "predict", str(tmp_path / "rows.jsonl"))
    assert code == 1
    assert "row 10004, column 'x': line 10005: 'a' is text" in err
    assert len(out.splitlines()) == 10_000


def test_files_are_read_in_chunks(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n" + "1\n" * 25)
    chunks = list(read_chunks(str(tmp_path / "rows.csv"), [{"name": "x", "datatype": "int64"}], size=10))
    assert [(len(chunk.rows["x"]), chunk.first) for chunk in chunks] == [(10, 0), (10, 10), (5, 20)]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet"])
def test_no_rows_give_no_answers(tmp_path: Path, folder: Path, capfd: Any, kind: str) -> None:
    path = tmp_path / f"empty.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({"x": pa.array([], pa.float64())}), path)
    else:
        path.write_text({"csv": "x\n", "jsonl": "", "json": "[]"}[kind])
    code, out, err = call(capfd, folder, "predict", str(path), "--format", "csv")
    assert (code, out, err) == (0, "y,probability_no,probability_yes\n", "")


def test_text_is_parsed_by_the_datatype_of_its_field(tmp_path: Path) -> None:
    fields = [
        {"name": name, "datatype": datatype}
        for name, datatype in {
            "i": "int64",
            "f": "float64",
            "s": "string",
            "b": "bool",
            "j": "json",
            "y": "bytes",
        }.items()
    ]
    (tmp_path / "rows.csv").write_text('i,f,s,b,j,y\n1,1e3,007,TRUE,"[1, 2]",YQ==\n1_0,0x1,,0,{,?\n')
    (chunk,) = read_chunks(str(tmp_path / "rows.csv"), fields)
    assert chunk.rows == {
        "i": [1, "1_0"],
        "f": [1000.0, "0x1"],
        "s": ["007", None],
        "b": [True, False],
        "j": [[1, 2], "{"],
        "y": [b"a", "?"],
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.xls", b"", "kind of"),
        ("rows.csv", b"", "file is empty"),
        ("rows.csv", b"x\n1,2\n", "Line 2 has 2 cells"),
        ("rows.csv", b"x,x\n1,2\n", "more than once"),
        ("rows.csv", b"x\n\xff\n", "cannot be read as csv"),
        ("rows.csv.gz", b"no gzip", "cannot be read as csv"),
        ("rows.jsonl", b'{"x": 1}\n{\n', "Line 2 is not JSON"),
        ("rows.jsonl", b"[1]\n", "Line 1 is no JSON object"),
        ("rows.json", b"{", "not JSON"),
        ("rows.json", b"5", "holds no rows"),
        ("rows.parquet", b"no parquet", "no Parquet file"),
    ],
)
def test_files_that_cannot_be_read_are_refused(
    tmp_path: Path, folder: Path, capfd: Any, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    code, out, err = call(capfd, folder, "predict", str(tmp_path / name))
    assert (code, out) == (1, "")
    assert err.startswith("MW204")
    assert message in err


def test_exit_codes_tell_what_happened(tmp_path: Path, folder: Path, capfd: Any) -> None:
    assert call(capfd, folder, "predict", "absent.csv")[0] == 3
    assert call(capfd, folder, "selftest", "--scenarios", "absent.jsonl")[0] == 3
    assert call(capfd, tmp_path, "info")[0] == 3
    assert call(capfd, folder, "fly")[0] == 2
    assert call(capfd, folder)[0] == 2
    assert call(capfd, folder, "--help")[0] == 0
    pinned = write_doubler(tmp_path / "pinned", dependencies=("absent==1.0",))
    code, _, err = call(capfd, pinned, "selftest")
    assert (code, err[:5]) == (4, "MW302")
    (folder / "artifacts" / "weights.txt").write_text("x")
    code, _, err = call(capfd, folder, "predict", str(rows_file(tmp_path, "csv")))
    assert (code, err[:5]) == (4, "MW401")


def test_trust_is_given_on_the_command_line(tmp_path: Path, capfd: Any) -> None:
    folder = write_doubler(tmp_path / "odd", options={"strangers": ["odd.Type"]})
    rows = str(rows_file(tmp_path, "csv"))
    assert call(capfd, folder, "predict", rows)[0] == 4
    assert call(capfd, folder, "predict", rows, "--trust", "odd.Type")[0] == 0
    assert call(capfd, folder, "selftest", "--trust", "odd.Type")[0] == 0


def test_info_tells_what_the_model_takes_gives_and_needs(folder: Path, capfd: Any) -> None:
    _, out, _ = call(capfd, folder, "info")
    for part in ("churn 1.3.0", "Who leaves.", "classification", "x  float64", "classes no, yes", "sha256 53c234e5"):
        assert part in out
    _, out, _ = call(capfd, folder, "info", "--json")
    assert json.loads(out) == json.loads((folder / "manifest.json").read_text())


def test_selftest_reports_every_scenario_and_the_figures(folder: Path, capfd: Any) -> None:
    code, out, _ = call(capfd, folder, "selftest", "--json", "--answers")
    report = json.loads(out)
    assert code == 0
    assert (report["name"], report["version"], report["passed"], report["failed"]) == ("churn", "1.3.0", 3, 0)
    assert report["predict_seconds"].keys() == {"1", "1000"}
    assert report["load_seconds"] > 0
    assert report["peak_rss_bytes"] > 2**20
    first = report["scenarios"][0]
    assert (first["name"], first["kind"], first["origin"], first["passed"]) == ("twice", "example", "auto", True)
    assert first["answers"] == {"y": [2.0, 5.0], "probability": [[0.25, 0.75]] * 2}
    assert report["scenarios"][2]["origin"] == "user"


def test_selftest_fails_where_a_scenario_does_not_hold(tmp_path: Path, folder: Path, capfd: Any) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(
        '{"kind": "example", "name": "thrice", "inputs": [{"x": 1}, {"x": "a"}], "expected": {"y": [3]}}\n'
    )
    code, out, _ = call(capfd, folder, "selftest", "--scenarios", str(other))
    assert code == 1
    assert "✗ thrice (example)" in out
    assert "0 passed, 1 failed" in out
    code, out, _ = call(capfd, folder, "selftest", "--scenarios", str(other), "--json", "--answers")
    report = json.loads(out)["scenarios"][0]
    assert (code, report["answers"]) == (1, None)
    assert "'a' is text" in report["error"]


def test_malformed_scenarios_are_refused_with_their_line(folder: Path, capfd: Any) -> None:
    (folder / "scenarios.jsonl").write_text('\n{"name": 1}\n')
    code, _, err = call(capfd, folder, "selftest")
    assert code == 3
    assert "line 2" in err


def process(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"{folder.parent.name}.model", *arguments]
    return subprocess.run(command, cwd=folder.parents[1], capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("content", ["x\n1\n2.5\n", '{"x": 1}\n{"x": 2.5}\n', '[{"x": 1}, {"x": 2.5}]'])
def test_standard_input_is_read_as_what_it_begins_like(folder: Path, content: str) -> None:
    done = process(folder, "predict", "-", "--method", "predict", input=content)
    assert (done.stdout, done.stderr) == ("y\n2.0\n5.0\n", "")


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n" + "1\n" * 50_000)
    command = f"{sys.executable} -m churn.model predict {tmp_path / 'rows.csv'} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=folder.parents[1], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_is_told_without_a_traceback(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n" + "1\n" * 5000)
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "churn.model", "predict", str(tmp_path / "rows.csv")]
        done = subprocess.run(
            command, cwd=folder.parents[1], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr[:5]) == (1, "MW204")
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_answers_are_empty_cells_and_nan_is_said(tmp_path: Path, capfd: Any) -> None:
    loader = """
def audit(*a): return []
def load(*a): return lambda rows: [[None, float("nan"), [True, 1]][row["i"]] for row in rows]
"""
    signature = {
        "inputs": [{"name": "i", "datatype": "int64"}],
        "outputs": [{"name": "any", "datatype": "json", "nullable": True}],
        "container": "records",
    }
    folder = write_model(tmp_path / "odd", signature, loader=loader)
    (tmp_path / "rows.csv").write_text("i\n0\n1\n2\n")
    _, out, _ = call(capfd, folder, "predict", str(tmp_path / "rows.csv"))
    assert list(csv.reader(out.splitlines())) == [["any"], [""], ["NaN"], ["[true, 1]"]]


def test_a_program_is_told_every_problem(tmp_path: Path, folder: Path, capfd: Any) -> None:
    (tmp_path / "bad.jsonl").write_text('{"x": "text"}\n' * 30)
    code, _, err = call(capfd, folder, "predict", str(tmp_path / "bad.jsonl"))
    assert code == 1
    assert err.count("is text; a number is needed") == 30
