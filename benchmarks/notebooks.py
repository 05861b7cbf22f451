"""What becomes of each notebook of the corpus: converted, equal, reported, and how long it took.

Each notebook is converted and proved: it and its project run in clean environments from uv's cache, and every value is
compared. Conversion is measured without the proof, in a process that has the libraries loaded: wall and CPU seconds,
the best of three. Prints a table; the raw output goes to ``benchmarks/results/notebooks.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from modelwright.errors import ModelwrightError
from modelwright.project.conversion import convert, suggested_name
from modelwright.project.notebook.convert import convert_notebook
from modelwright.project.notebook.reading import read_notebook
from modelwright.project.scaffold.answers import Answers

NOTEBOOKS = Path(__file__).parents[1] / "tests" / "data" / "notebooks"
RESULTS = Path(__file__).parent / "results" / "notebooks.json"
LIMIT_S = 60.0
"""Longest that a cell may take, seconds."""


def conversion(path: Path) -> dict[str, Any]:
    """Return what converting alone takes; the best of three."""
    seen = []
    for _ in range(3):
        wall, cpu = time.perf_counter(), time.process_time()
        notebook = read_notebook(path)
        convert_notebook(notebook)
        seen.append((time.perf_counter() - wall, time.process_time() - cpu))
    cells = sum(cell.kind == "code" for cell in notebook.cells)
    return {"cells": cells, "convert_wall_s": min(one[0] for one in seen), "convert_cpu_s": min(one[1] for one in seen)}


def outcome(path: Path) -> dict[str, Any]:
    """Convert and prove a notebook; return what came of it."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            answers = Answers(name=f"{suggested_name(path)}-model", date="2026-11-21")
            made = convert(path, answers=answers, into=Path(folder), timeout_s=LIMIT_S)
        except ModelwrightError as error:
            return {"outcome": f"refused: {error.what}", "code": error.code, "wall_s": time.perf_counter() - start}
    assert made.proof is not None
    measured = [one for one in made.proof.compared if one.key.startswith("measured.")]
    return {
        "outcome": made.proof.verdict,
        "parted": made.proof.parted,
        "measures": len(measured),
        "measures_equal": sum(one.agreement == "equal" for one in measured),
        "values": len(made.proof.compared),
        "values_equal": sum(one.agreement == "equal" for one in made.proof.compared),
        "reported": sorted({one.cell for one in made.reported if one.cell}),
        "wall_s": time.perf_counter() - start,
    }


def row(entry: dict[str, Any]) -> dict[str, Any]:
    """Return everything about one notebook."""
    path = NOTEBOOKS / entry["file"]
    found = {"file": entry["file"], "expected": entry["outcome"], **outcome(path)}
    return found | (conversion(path) if not found["outcome"].startswith("refused") else {})


def table(rows: list[dict[str, Any]]) -> str:
    """Return the Markdown table."""
    lines = ["| notebook | cells | outcome | measures | values | cells reported | convert, s | with proof, s |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for one in rows:
        measures = f"{one['measures_equal']} of {one['measures']} equal" if "measures" in one else ""
        values = f"{one['values_equal']} of {one['values']} equal" if "values" in one else ""
        reported = ", ".join(map(str, one.get("reported", ())))
        seconds = f"{one['convert_wall_s']:.2f}" if "convert_wall_s" in one else ""
        told = f"{one['outcome']} ({one['code']})" if "code" in one else one["outcome"]
        lines.append(
            f"| {one['file']} | {one.get('cells', '')} | {told} | {measures} | {values} | {reported} | {seconds} "
            f"| {one['wall_s']:.0f} |"
        )
    good = [one for one in rows if one["expected"] == "equal"]
    equal = sum(one["outcome"] in ("equal", "close") for one in good)
    lines.append(f"\n{equal} of {len(good)} good notebooks equal; {len(rows) - len(good)} bad ones.")
    return "\n".join(lines)


def main() -> None:
    """Run every notebook, print the table, keep the raw output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="only these")
    asked = parser.parse_args().files
    corpus = tomllib.loads((NOTEBOOKS / "corpus.toml").read_text("utf-8"))["notebook"]
    rows = []
    for entry in corpus:
        if not asked or entry["file"] in asked:
            rows.append(row(entry))
            print(rows[-1]["file"], rows[-1]["outcome"], flush=True)
    if not asked:
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
