"""From a notebook to the files of a project, by data flow; nothing is executed.

Called by :mod:`modelwright.project.conversion`, which creates the project and proves it. Reading, order, graph, plan
and text each have modules of their own; here they are put one after another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from modelwright.errors import CellError, ConversionError
from modelwright.project.notebook.assembling import config_text, pipeline_text, settings_text
from modelwright.project.notebook.cells import Cell, Notebook, cell_error
from modelwright.project.notebook.commandline import without_command_line
from modelwright.project.notebook.datafiles import DataFiles, find_files
from modelwright.project.notebook.displays import unused_cells
from modelwright.project.notebook.drawing import Drawing
from modelwright.project.notebook.entry import Entered, enter
from modelwright.project.notebook.flow import Flow
from modelwright.project.notebook.knobs import find_knobs
from modelwright.project.notebook.layout import PLACES
from modelwright.project.notebook.magics import Separated, separate
from modelwright.project.notebook.observing import ObservedCell, observed_cells
from modelwright.project.notebook.order import put_in_order
from modelwright.project.notebook.plan import Plan, make_plan
from modelwright.project.notebook.requirements import requirements_of
from modelwright.project.notebook.sources import Imports, shown_text
from modelwright.project.notebook.spelling import Speller
from modelwright.project.notebook.statements import CodeCell
from modelwright.project.notebook.writing import Modules
from modelwright.spec.struct import Frozen


class Reported(Frozen, frozen=True, kw_only=True):
    """Something about a cell that a person should know.

    Attributes:
        cell: Number of the cell, counted from 1 over all cells; 0: the notebook as a whole.
        what: What it is.
    """

    cell: int
    what: str


@dataclass
class Converted:
    """What a notebook became.

    Attributes:
        plan: What was decided.
        modules: Text of each module of the package, by path within it.
        config: Text of ``config.toml``.
        data: Data files.
        requirements: What the notebook needs.
        observed: The notebook with notes, for the proof.
        became: For each cell, where its code is now.
        written: Files that the notebook writes itself before it reads them, text by path.
        reported: What a person should know.
        settings: How many literals became settings.
    """

    plan: Plan
    modules: dict[str, str]
    config: str
    data: DataFiles
    requirements: tuple[str, ...]
    observed: tuple[ObservedCell, ...]
    became: dict[int, list[str]]
    written: dict[str, str]
    reported: list[Reported] = field(default_factory=list)
    settings: int = 0


def convert_notebook(notebook: Notebook, *, model: str = "") -> Converted:
    """Convert a notebook.

    Args:
        notebook: The notebook.
        model: Name of the model in it, if the caller knows it.

    Raises:
        CellError: A cell is no Python 3, or uses a name that nothing defines.
        ConversionError: No model is fitted, or it cannot be told which is meant or what it is trained on.
    """
    separated = {cell.number: separate(cell) for cell in notebook.cells if cell.kind == "code"}
    entered = enter(without_command_line(list(_code_cells(notebook, separated))))
    ordered = put_in_order(entered.cells, lost=_lost(separated))
    titles = _titles(notebook)
    plan = _planned(ordered.flow, entered, model=model, titles=titles)
    folder = Path(notebook.path).parent
    local = _local_modules(plan, folder, separated)
    data = find_files(ordered.flow, folder)
    knobs = find_knobs(plan, data.spelled)
    imports = Imports.of(ordered.flow, frozenset(local))
    modules = Modules(Speller(plan, knobs, data.spelled), imports)
    drawing = Drawing(modules, imports, titles).text()
    texts = {f"{name}.py": text for name, text in modules.texts().items()}
    texts |= {"pipeline.py": pipeline_text(modules), "settings.py": settings_text(knobs)}
    texts |= {"visualization.py": drawing} if drawing else {}
    shown = {name for text in texts.values() for name in imports.shown if "from .shown import" in text and name in text}
    texts |= {"shown.py": shown_text(shown)} if shown else {}
    texts |= {f"{name}.py": _relative(text, frozenset(local)) for name, text in local.items()}
    installs = [line for one in separated.values() for line in one.installs]
    became = _became(plan)
    return Converted(
        plan,
        texts,
        config_text(knobs),
        data,
        requirements_of(ordered.flow, installs=installs, local=frozenset(local)),
        observed_cells(plan, settings=knobs.names),
        became,
        {path: text for one in separated.values() for path, text in one.written.items()},
        [*_reported(plan, separated, data, became), *_whole((*entered.notes, *ordered.notes), plan)],
        sum(map(len, knobs.sections.values())),
    )


def _planned(flow: Flow, entered: Entered, *, model: str, titles: dict[int, str]) -> Plan:
    """Return the plan; where a function hides the model, the refusal names it."""
    try:
        return make_plan(flow, model=model, titles=titles)
    except ConversionError as error:
        if not entered.obstacles:
            raise
        hiding = entered.obstacles[0]
        raise cell_error(
            hiding.cell,
            0,
            f"def {hiding.function}",
            what=f"Cell {hiding.cell} fits the model inside {hiding.function}(), where nothing else sees it.",
            why=f"The body cannot run in place of the call. {hiding.why}",
            hint=f"Return the model and its rows from {hiding.function}(), or write its body into cells.",
        ) from error


def _lost(separated: dict[int, Separated]) -> dict[str, CellError]:
    """Return what to say about each name that only a shell or IPython gives."""
    return {
        one.name: cell_error(
            number,
            one.line,
            one.text,
            what=f"Cell {number} takes {one.name!r} from a shell or from IPython.",
            why="Later cells need it, and a package has neither.",
            hint="Write it in Python, for example with pathlib, glob or subprocess.",
        )
        for number, found in separated.items()
        for one in found.unkept
    }


def _code_cells(notebook: Notebook, separated: dict[int, Separated]) -> Iterator[CodeCell]:
    heading = ""
    for cell in notebook.cells:
        if cell.kind == "markdown":
            heading = _heading(cell) or heading
        else:
            comment = re.match(r"\s*#+\s*(.+)", separated[cell.number].code)
            words = f"{heading} {comment.group(1).lower()}" if comment else heading
            yield CodeCell(cell.number, separated[cell.number].code, words, cell.tags, cell.execution_count)


def _heading(cell: Cell) -> str:
    found = re.findall(r"^\s{0,3}#{1,6}\s+(.+)$", cell.source, re.MULTILINE)
    return found[-1].strip().lower() if found else ""


def _titles(notebook: Notebook) -> dict[int, str]:
    """Return what each code cell may be called: its first comment, else the heading right above it."""
    titles: dict[int, str] = {}
    heading = ""
    for cell in notebook.cells:
        if cell.kind == "markdown":
            heading = _heading(cell)
        else:
            comment = re.match(r"\s*#+\s*(.+)", cell.source)
            titles[cell.number] = comment.group(1) if comment and len(comment.group(1)) < 50 else heading
            heading = ""
    return titles


def _local_modules(plan: Plan, folder: Path, separated: dict[int, Separated]) -> dict[str, str]:
    """Return the text of modules that lie beside the notebook, or that it writes itself, and that it imports."""
    written = {path: text for one in separated.values() for path, text in one.written.items()}
    found: dict[str, str] = {}
    waiting = [line.split()[1] for lines in Imports.of(plan.flow, frozenset()).lines.values() for line in lines]
    while waiting:
        name = waiting.pop().partition(".")[0]
        file = folder / f"{name}.py"
        if name in found or not name or not (file.is_file() or f"{name}.py" in written):
            continue
        text = written.get(f"{name}.py") or file.read_text("utf-8")
        found[name] = text
        waiting += re.findall(r"^\s*(?:from|import)\s+(\w+)", text, re.MULTILINE)
    return found


def _relative(text: str, local: frozenset[str]) -> str:
    """Return the text of a local module that imports its neighbours from the package that they are all in now."""
    for name in sorted(local):
        text = re.sub(rf"^(\s*)from {name}\b", rf"\1from .{name}", text, flags=re.MULTILINE)
        text = re.sub(rf"^(\s*)import {name}\b(?!\.)", rf"\1from . import {name}", text, flags=re.MULTILINE)
    return text


def _became(plan: Plan) -> dict[int, list[str]]:
    became: dict[int, list[str]] = {}

    def add(index: int, where: str) -> None:
        places = became.setdefault(plan.flow.statements[index].cell.number, [])
        places += [where] if where not in places else []

    for block in plan.blocks:
        place = PLACES[block.stage]
        for index in block.statements:
            add(index, f"`{block.function}` in {place.module}.py")
    for display in plan.displays:
        for index in display.statements:
            add(index, "visualization.py")
    for index, statement in enumerate(plan.flow.statements):
        if statement.is_import:
            add(index, "imports")
        elif statement.defines:
            add(
                index,
                f"function `{statement.defines}`" if statement.defines not in plan.nested else "a stage's own function",
            )
        elif index in plan.staging.saves:
            add(index, "serialise.py")
    return became


def _reported(
    plan: Plan, separated: dict[int, Separated], data: DataFiles, became: dict[int, list[str]]
) -> Iterator[Reported]:
    for number, one in separated.items():
        for line in one.shell:
            yield Reported(cell=number, what=f"shell command left out: {line.text.splitlines()[0][:80]}")
        for line in one.magics:
            yield Reported(cell=number, what=f"IPython command left out: {line.text.splitlines()[0][:80]}")
        for line in one.colab:
            yield Reported(cell=number, what=f"only for Colab, left out: {line.text.splitlines()[0][:80]}")
        for lost in one.unkept:
            yield Reported(cell=number, what=f"{lost.name!r} comes from a shell, left out: {lost.text[:80]}")
        for line in one.downloads:
            yield Reported(cell=number, what=f"needs the network: {line.text.splitlines()[0][:80]}")
    for number, address in data.network:
        yield Reported(cell=number, what=f"needs the network: {address}")
    for number, path in data.missing:
        yield Reported(cell=number, what=f"reads {path!r}, which is not there")
    constants = frozenset(plan.constants.values())
    for number in unused_cells(plan.flow, plan.staging, plan.displays, constants):
        if number not in became:
            yield Reported(cell=number, what="not used by the model, its measures or a picture; left out")
    defined = {one.defines: one.cell.number for one in plan.flow.statements if one.defines}
    used = {name for touch in plan.flow.touches for name in touch.reads} | {
        name for function in plan.flow.functions.values() for name in function.reads
    }
    for name, number in defined.items():
        if name not in used:
            yield Reported(cell=number, what=f"{name!r} is never used; left out")


def _whole(notes: tuple[str, ...], plan: Plan) -> Iterator[Reported]:
    for note in (*notes, *plan.target.notes):
        found = re.match(r"cells? (\d+)", note)
        yield Reported(cell=int(found.group(1)) if found else 0, what=note)
    if plan.target.others:
        others = ", ".join(plan.target.others)
        yield Reported(cell=0, what=f"other models in the notebook: {others}; --model NAME chooses one of them")


def check_data(converted: Converted) -> None:
    """Refuse a notebook whose data files are not there.

    Raises:
        CellError: The first missing file, with the cell that reads it; the others are in the reason.
    """
    missing = converted.data.missing
    if missing:
        cell, path = missing[0]
        every = "; ".join(f"cell {number} reads {name!r}" for number, name in missing)
        raise cell_error(
            cell,
            0,
            "",
            what=f"Cell {cell} reads {path!r}, which is not there.",
            why=f"{every}.",
            hint="Put the file where the notebook looks for it, or convert without running anything: --proof skip",
        )
