"""``modelwright new``: make a model project, from nothing or from a notebook, or bring one up to a newer template."""

from __future__ import annotations

import datetime
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Group, Parameter, validators

from modelwright.cli import configuration
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, flag, quoted
from modelwright.errors import NameVersionError
from modelwright.plugins import need
from modelwright.project.scaffold.answers import Answers, Part, Size, Task, check_answers
from modelwright.project.scaffold.repository import find_git, first_commit
from modelwright.project.scaffold.taken import Answer, ask, refuse_taken

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.project.conversion import Conversion
    from modelwright.project.scaffold.create import Created
    from modelwright.project.scaffold.update import Updated

LAYOUT = Parameter(group=Group("Layout", validator=validators.mutually_exclusive))


ProofMode = Literal["run", "skip"]


def new(
    name: Annotated[str, Parameter(help="Name of the model: what is installed, and with '_' for '-' imported.")] = "",
    /,
    *,
    minimal: Annotated[bool, flag("Six files."), LAYOUT] = False,
    full: Annotated[bool, flag("The field's usual layout, with a folder for each concern."), LAYOUT] = False,
    task: Annotated[Task, Parameter(help="What kind of model the example is.")] = "classification",
    from_: Annotated[
        Path | None, Parameter(name="--from", help="A notebook (.ipynb), percent script (.py) or marimo file.")
    ] = None,
    model: Annotated[str, Parameter(help="Name of the model in the notebook; by default it is found out.")] = "",
    proof: Annotated[ProofMode, Parameter(help="Run notebook and project in clean environments, and compare.")] = "run",
    cell_timeout: Annotated[float, Parameter(help="Longest that a cell may take in the proof, seconds.")] = 600.0,
    setuptools: Annotated[bool, flag("Build with setuptools: setup.py, MANIFEST.in, requirements.txt.")] = False,
    without: Annotated[
        tuple[Part, ...],
        Parameter(
            negative="",
            help="Leave this part out, with its tests and settings; may be repeated. Always there: pyproject.toml, "
            "Makefile, and the code that loads, models and captures.",
        ),
    ] = (),
    description: Annotated[str, Parameter(help="One line about the model.")] = "",
    author: Annotated[str, Parameter(help="Who makes it.")] = "",
    into: Annotated[Path, Parameter(help="Folder that shall hold the project's folder.")] = Path(),
    git: Annotated[bool, flag("Make a git repository of it, with a first commit.")] = False,
    name_taken_ok: Annotated[bool, flag("Take the name although the index has a package of it.")] = False,
    update: Annotated[bool, flag("Bring the project in this folder up to the newest template.")] = False,
    dry_run: Annotated[bool, flag("Write nothing; say what would be written.")] = False,
    output: Output = PLAIN,
) -> int:
    """Make a model project: from nothing, or from a notebook, proved equal to it.

    Straight after it the tests of the project pass, `make train` trains on real data, and `make verify` proves the
    wheel. With --update, files of an older project are merged with what the newest template gives.
    """
    need("project", "jinja2", "yaml", *(("libcst", "nbformat", "ruff") if from_ else ()))
    if update:
        return _update(into / name, dry_run=dry_run, output=output)
    size: Size = "converted" if from_ else "minimal" if minimal else "full" if full else "default"
    answers = check_answers(
        Answers(
            name=name or _suggested(from_),
            size=size,
            task=task,
            description=description,
            author=author,
            setuptools=setuptools,
            without=without,
            date=datetime.date.today().isoformat(),
        )
    )
    if git:
        find_git()
    with ThreadPoolExecutor(1) as pool:
        index_url = configuration.index_url(configuration.settings(os.environ, Path.home()))
        asked = pool.submit(ask, index_url, answers.name)
        from modelwright.project.scaffold.create import check_free, create, preview  # loads what renders meanwhile

        check_free(into / answers.name)
        note = "" if name_taken_ok else _name_note(asked.result(), answers.name, index_url)
    if from_:
        convert = partial(_convert, from_, answers, into, model=model, cell_timeout=cell_timeout, output=output)
        return convert(proof="skip", make="preview") if dry_run else convert(proof=proof, make="create")
    make = preview if dry_run else partial(create, listener=output.listener)
    created = msgspec.structs.replace(make(answers, into), notes=(note,) if note else ())
    if git and not dry_run:
        output.note(f"committed as {first_commit(Path(created.path))}")
    output.result(created, _show)
    if not dry_run:
        output.next(f"cd {quoted(created.path)}", *_targets(answers))
    return OK


def _suggested(notebook: Path | None) -> str:
    if notebook is None:
        raise NameVersionError("The project has no name.", hint="modelwright new churn")
    from modelwright.project.conversion import suggested_name

    return suggested_name(notebook)


def _name_note(answer: Answer, name: str, index_url: str) -> str:
    """Refuse a taken name; say so if nobody could be asked.

    Raises:
        ScaffoldError: The index has a package of that name.
    """
    if answer == "taken":
        raise refuse_taken(name, index_url)
    return "" if answer == "free" else f"{index_url} did not say whether the name {name!r} is taken."


def _targets(answers: Answers) -> tuple[str, ...]:
    return (*(() if "tests" in answers.without else ("make test",)), "make train", "make verify")


def _convert(
    notebook: Path,
    answers: Answers,
    into: Path,
    *,
    model: str,
    proof: ProofMode,
    make: Literal["create", "preview"],
    cell_timeout: float,
    output: Output,
) -> int:
    from modelwright.project.conversion import convert

    made = convert(
        notebook,
        answers=answers,
        into=into,
        model=model,
        proof=proof,
        make=make,
        timeout_s=cell_timeout,
        listener=output.listener,
    )
    output.result(made, _show_conversion)
    if make == "create":
        output.next(f"cd {quoted(made.project.path)}", "less CONVERSION.md", *_targets(answers))
    return OK if made.proof is None or made.proof.holds else FAILED


def _show_conversion(made: Conversion, console: Console) -> None:
    def say(line: str, style: str = "") -> None:
        console.print(line, style=style, soft_wrap=True, markup=False)

    say(made.project.path)
    say(f"{made.cells} cells became {', '.join(made.steps)}; {made.settings} settings in config.toml")
    for one in made.reported:
        say(f"  {f'cell {one.cell}: ' if one.cell else ''}{one.what}", "dim")
    if made.proof is None:
        say("not proved: nothing was run")
        return
    verdicts = {
        "equal": "The project gives the same as the notebook, to the last bit.",
        "close": "The project gives the same as the notebook, within rounding.",
        "different": f"The project and the notebook part: {made.proof.parted}",
    }
    say(verdicts[made.proof.verdict], "green" if made.proof.holds else "red")
    for value in made.proof.compared:
        if value.key.startswith(("measured.", "prediction")):
            say(f"  {value.key.removeprefix('measured.'):<28} {value.agreement:<8} {value.detail}".rstrip())


def _update(project: Path, *, dry_run: bool, output: Output) -> int:
    from modelwright.project.scaffold.update import apply, plan_update

    project = project.absolute()
    plan = plan_update(project, git=shutil.which("git"), listener=output.listener)
    if not dry_run:
        apply(project, plan)
    output.result(plan.updated, _show_update)
    if plan.updated.conflicts and not dry_run:
        output.next("git diff", "make test")
    return FAILED if plan.updated.conflicts else OK


def _show(created: Created, console: Console) -> None:
    console.print(created.path, soft_wrap=True, markup=False)
    for name in created.files:
        console.print(f"  {name}", style="dim", soft_wrap=True, markup=False)
    for note in created.notes:
        console.print(f"note: {note}", soft_wrap=True, markup=False)


def _show_update(updated: Updated, console: Console) -> None:
    if updated.old == updated.new:
        console.print(f"The project has the newest template already: version {updated.new}.")
    for change in updated.changes:
        console.print(f"{change.happened:<9} {change.path}", soft_wrap=True, markup=False)
