"""What a template is asked: the choices that were made when a project was created, kept in its pyproject.toml.

Called by create, render and update. It validates and reads; it renders nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import msgspec

from modelwright.building.project import read_toml
from modelwright.errors import ScaffoldError
from modelwright.spec.naming import check_name, import_name
from modelwright.spec.struct import Frozen

Size = Literal["minimal", "default", "full", "converted"]
Task = Literal["classification", "regression", "ranking", "function"]
Part = Literal[
    "changelog",
    "ci",
    "config",
    "features",
    "gitignore",
    "importance",
    "logs",
    "notebooks",
    "pre-commit",
    "preprocess",
    "readme",
    "scripts",
    "split",
    "tests",
    "visualization",
]
PARTS: tuple[Part, ...] = get_args(Part)
"""What can be left out of a project; which files each stands for is said in the template's ``copier.yml``.

Always there, because nothing else could do its work: pyproject.toml, the Makefile, and the code that loads, models and
captures.
"""
OF_FULL: tuple[Part, ...] = (
    *("config", "features", "importance", "logs", "notebooks"),
    *("preprocess", "scripts", "split", "visualization"),
)
"""Parts that only the full layout has, or has apart from the rest."""


class Answers(Frozen, frozen=True, kw_only=True):
    """What a project was made from.

    Attributes:
        name: Distribution name, PEP 503 normalised.
        size: How much is laid out.
        task: What kind of model the example is.
        description: One line for people and for the wheel's Summary.
        author: Who made it, free text; empty: not said.
        python: Oldest Python that the project supports, ``3.11``.
        setuptools: Whether setuptools builds it instead of modelwright.
        without: Parts that are left out, sorted.
        modelwright: Versions of modelwright that it is built with, PEP 440 specifiers.
        date: Day it was made, ISO 8601.
    """

    name: str
    size: Size = "default"
    task: Task = "classification"
    description: str = ""
    author: str = ""
    python: str = "3.11"
    setuptools: bool = False
    without: tuple[Part, ...] = ()
    modelwright: str = ">=0.1.0"
    date: str

    @property
    def module(self) -> str:
        """What is imported: ``credit_risk`` for ``credit-risk``."""
        return import_name(self.name)

    def data(self) -> dict[str, object]:
        """Return what the template engine is given."""
        return msgspec.structs.asdict(self) | {"module": self.module, "without": list(self.without)}


def check_answers(answers: Answers) -> Answers:
    """Return the normal form of answers, or refuse what would make a project that nobody can build.

    Raises:
        NameVersionError: The name is one that an index would refuse, a keyword, or hides a standard module.
        ScaffoldError: There is no such part, size or task.

    Example:
        >>> check_answers(Answers(name="Credit.Risk", date="2026-11-21", without=("ci",))).name
        'credit-risk'
    """
    name = check_name(answers.name)
    _check_choice("size", answers.size, get_args(Size))
    _check_choice("task", answers.task, get_args(Task))
    for part in answers.without:
        _check_choice("part", part, PARTS)
        _check_size(part, answers.size)
    return msgspec.structs.replace(
        answers,
        name=name,
        description=_one_line(answers.description) or f"A {answers.task} model",
        author=_one_line(answers.author),
        without=tuple(sorted(set(answers.without))),
    )


def _check_choice(kind: str, said: str, choices: Sequence[str]) -> None:
    if said not in choices:
        close = difflib.get_close_matches(said, choices, n=1)
        raise ScaffoldError(
            f"There is no {kind} {said!r}.",
            why=f"Available: {', '.join(choices)}.",
            hint=f"Did you mean {close[0]!r}?" if close else "",
        )


def _check_size(part: Part, size: Size) -> None:
    if part in OF_FULL and size in ("minimal", "default"):
        raise ScaffoldError(
            f"A {size} project has no part {part!r} that could be left out.",
            why=f"Its parts: {', '.join(each for each in PARTS if each not in OF_FULL)}.",
            hint=f"The full layout has it: --full --without {part}",
        )


def _one_line(text: str) -> str:
    """Bring a text on one line without control characters, as TOML and a wheel's headers need it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def read_answers(project: Path) -> tuple[int, Answers]:
    """Return the version of the template that a project was made from, and the answers that were given.

    Raises:
        ScaffoldError: The folder was not made by ``modelwright new``, or what it says about that is malformed.
        ProjectError: pyproject.toml is not TOML.
    """
    path = project / "pyproject.toml"
    table = read_toml(path).get("tool", {}).get("modelwright", {}).get("template") if path.is_file() else None
    if table is None:
        raise ScaffoldError(
            "This project was not made by modelwright new.",
            where=str(project),
            why="pyproject.toml has no table [tool.modelwright.template], so there is nothing to compare with.",
            hint="Go into the folder of the project. A project of another origin: modelwright adopt .",
        )
    try:
        version = msgspec.convert(table.get("version"), int)
        return version, check_answers(msgspec.convert(table, Answers))
    except (msgspec.ValidationError, AttributeError) as error:
        raise ScaffoldError(
            "The answers that the project was made from cannot be read.",
            where=f"{path}: tool.modelwright.template",
            why=str(error),
            hint="Restore the table from the history of the project.",
        ) from error
