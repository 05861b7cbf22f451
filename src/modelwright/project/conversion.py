"""From a notebook to a model project that is proved equal to it: convert, create, run both, compare.

Called by ``modelwright new NAME --from NOTEBOOK``. The parts do not know one another: reading and converting, the
scaffold, the proof; here they are put together, and a project is created when all of its files are known.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomlkit
from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]

from modelwright.errors import ScaffoldError
from modelwright.project.notebook.convert import Converted, Reported, check_data, convert_notebook
from modelwright.project.notebook.proving import TIMEOUT_S, ProofReport, prove
from modelwright.project.notebook.reading import read_notebook
from modelwright.project.notebook.stripping import stripped
from modelwright.project.scaffold.answers import Answers
from modelwright.project.scaffold.create import Created, check_free, create, preview
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

ProofMode = Literal["run", "skip"]


class Conversion(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a notebook became.

    Attributes:
        project: The project that was created.
        notebook: File name of the notebook.
        cells: Cells with code.
        steps: Functions of the pipeline, in order.
        model: Name of the model in the notebook.
        settings: How many literals became settings.
        requirements: What training needs, as in the notebook's environment.
        reported: What a person should know, by cell.
        proof: Whether the project gives what the notebook gives; ``None``: nothing was run.
        seconds: Wall time of the conversion without the proof, seconds.
    """

    project: Created
    notebook: str
    cells: int
    steps: tuple[str, ...]
    model: str
    settings: int
    requirements: tuple[str, ...]
    reported: tuple[Reported, ...] = ()
    proof: ProofReport | None = None
    seconds: float


def convert(
    path: Path | str,
    *,
    answers: Answers,
    into: Path,
    model: str = "",
    proof: ProofMode = "run",
    make: Literal["create", "preview"] = "create",
    python: str | None = None,
    timeout_s: float = TIMEOUT_S,
    cache: Path | None = None,
    listener: Listener = ignore,
) -> Conversion:
    """Make a model project of a notebook.

    Args:
        path: The notebook: ``.ipynb``, percent, jupytext or marimo ``.py``, or a plain script.
        answers: What the template is asked; its size and task are decided here.
        into: Folder that shall hold the project's folder.
        model: Name of the model in the notebook; by default it is found out.
        proof: ``run``: the notebook and the project are run in clean environments and compared; ``skip``: nothing is.
        make: ``preview``: the project is not created, and so not proved.
        python: Interpreter that both are run on; by default this one.
        timeout_s: Longest that a cell may take, seconds.
        cache: Folder of kept environments; by default one in the user's cache folder.
        listener: Told about each finished step.

    Raises:
        NotebookError: It is no notebook that can be read.
        CellError: A cell cannot become code; it is named.
        ConversionError: The notebook gives no model.
        ScaffoldError: The project's place is taken.
        ProofError: The notebook, or the project, does not run to its end. The project stays, to be looked at.
    """
    start = time.perf_counter()
    check_free(into / answers.name)
    with timed("read", listener) as note:
        notebook = read_notebook(path)
        note.detail = f"{len(notebook.cells)} cells"
    with timed("convert", listener) as note:
        converted = convert_notebook(notebook, model=model)
        note.detail = f"{len(converted.plan.blocks)} steps, {converted.settings} settings"
    if proof == "run":
        check_data(converted)
    files = _files(converted, Path(path), answers)
    answers = msgspec.structs.replace(answers, size="converted")
    if make == "preview":
        created = preview(answers, into, extra=files)
    else:
        created = create(
            answers,
            into,
            extra=files,
            finish=lambda folder: _finish(folder, converted, Path(path).name),
            listener=listener,
        )
    seconds = time.perf_counter() - start
    outcome = None
    if proof == "run" and make == "create":
        outcome = prove(
            converted.observed,
            project=Path(created.path),
            package=created.module,
            requirements=converted.requirements,
            inputs=Path(path).resolve().parent,
            written=converted.written,
            python=python,
            timeout_s=timeout_s,
            cache=cache,
            listener=listener,
        )
        _write_proof(Path(created.path), outcome)
    return Conversion(
        project=created,
        notebook=Path(path).name,
        cells=sum(cell.kind == "code" for cell in notebook.cells),
        steps=tuple(block.function for block in converted.plan.blocks),
        model=converted.plan.target.model.name,
        settings=converted.settings,
        requirements=converted.requirements,
        reported=(*(Reported(cell=0, what=note) for note in notebook.notes), *converted.reported),
        proof=outcome,
        seconds=seconds,
    )


def _files(converted: Converted, path: Path, answers: Answers) -> Mapping[str, str | bytes]:
    """Return everything that the project has beyond its template, without the parts that are left out."""
    package = f"src/{answers.module}"
    files: dict[str, str | bytes] = {f"{package}/{name}": text for name, text in converted.modules.items()}
    files["config.toml"] = converted.config
    files["CONVERSION.md"] = report_text(converted, path.name)
    parts: dict[str, tuple[str, str | bytes]] = {
        "notebooks": (f"notebooks/{path.name}", stripped(path)),
        "tests": ("tests/expected.json", "{}\n"),
    }
    files |= {name: content for part, (name, content) in parts.items() if part not in answers.without}
    if "visualization" in answers.without:
        files.pop(f"{package}/visualization.py", None)
    for target, source in converted.data.copied.items():
        files[target] = source.read_bytes()
    return files


def _finish(folder: Path, converted: Converted, notebook: str) -> None:
    """Put into the files of the template what only the notebook knows."""
    path = folder / "pyproject.toml"
    document: Any = tomlkit.parse(path.read_text("utf-8"))
    train = document["project"]["optional-dependencies"]["train"]
    for line in reversed(converted.requirements):
        train.insert(0, line.replace("==", ">="))
    document["tool"]["ruff"]["extend-exclude"].append("notebooks")
    lint = document["tool"]["ruff"]["lint"]
    lint["select"] = ["E9", "F63", "F7", "F82", "I"]
    lint["select"].comment("errors only: the notebook's style is its author's; add more as you clean up")
    path.write_text(tomlkit.dumps(document), "utf-8")
    for module in folder.glob("src/*/serialise.py"):
        module.write_text(module.read_text("utf-8").replace("NOTEBOOK_FILE", notebook), "utf-8")
    _tidy(folder)


def _tidy(folder: Path) -> None:
    """Bring imports and layout into the form that the project's own checks ask for."""
    ruff = [find_ruff_bin(), "--quiet"]
    for command in (["check", "--fix-only", "--select", "I,F401", "--exit-zero"], ["format"]):
        subprocess.run([*ruff[:1], *command, *ruff[1:], "--no-cache", "src", "tests"], cwd=folder, check=False)


def report_text(converted: Converted, name: str) -> str:
    """Return ``CONVERSION.md``: what became of each cell, and what a person should know."""
    lines = [f"# What became of {name}", "", "| cell | where it is now |", "| --- | --- |"]
    numbers = sorted({statement.cell.number for statement in converted.plan.flow.statements})
    for number in numbers:
        lines.append(f"| {number} | {', '.join(converted.became.get(number, ['left out']))} |")
    if converted.reported:
        lines += ["", "## Worth knowing", ""]
        lines += [f"- {f'Cell {one.cell}: ' if one.cell else ''}{one.what}" for one in converted.reported]
    return "\n".join(lines) + "\n"


def _write_proof(project: Path, proof: ProofReport) -> None:
    """Write what the proof showed, and the numbers that the project's own tests hold it to."""
    lines = ["", "## Proof", "", f"The notebook and the project were run in clean environments: **{proof.verdict}**."]
    if proof.parted:
        lines += ["", f"They part here: {proof.parted}"]
    lines += ["", "| value | cell | | |", "| --- | --- | --- | --- |"]
    for one in proof.compared:
        lines.append(f"| `{one.key}` | {one.cell or ''} | {one.agreement} | {one.detail} |")
    with (project / "CONVERSION.md").open("a", encoding="utf-8") as report:
        report.write("\n".join(lines) + "\n")
    expected = dict(_measured(proof))
    path = project / "tests" / "expected.json"
    if path.is_file():
        path.write_text(json.dumps(expected, indent=2, sort_keys=True) + "\n", "utf-8")


def _measured(proof: ProofReport) -> Iterator[tuple[str, float]]:
    """Return the measures that agree and are one number."""
    for one in proof.compared:
        if one.key.startswith("measured.") and one.agreement in ("equal", "close"):
            with contextlib.suppress(ValueError):
                yield one.key.removeprefix("measured."), float(one.detail)


def suggested_name(path: Path) -> str:
    """Return a project name that a notebook's file name suggests.

    Example:
        >>> suggested_name(Path("Titanic - First (final).ipynb"))
        'titanic-first-final'
    """
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")
    if not name:
        raise ScaffoldError("The notebook's file name gives no project name.", where=str(path), hint="Give a name.")
    return name
