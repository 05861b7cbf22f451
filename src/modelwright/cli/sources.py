"""What ``modelwright capture`` is given on the command line, turned into what the API takes.

A source is a file (saved model or Python code) or ``module:attribute``; rows are a file, of which one column may be
the target; rules are a JSON file in the words of ``mw.example``, ``mw.minimum``, ``mw.invariance``, ``mw.direction``.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import narwhals as nw
import numpy as np

from modelwright.capturing import rules
from modelwright.capturing.samples import read_sample
from modelwright.errors import SampleError, ScenarioError, SourceError, UnknownPackageError

RULES: dict[str, Callable[..., rules.Rule]] = {
    "example": rules.example,
    "minimum": rules.minimum,
    "invariance": rules.invariance,
    "direction": rules.direction,
}


class Rows(NamedTuple):
    """Rows and, if a column was named, their targets."""

    inputs: Any
    target: Any


def open_source(source: str) -> Any:
    """Return a path to a file, or the object that ``module:attribute`` names.

    Modules are found from the current folder, as ``python -m`` finds them.

    Raises:
        UnknownPackageError: There is no such file, module or attribute.
    """
    module_name, colon, attribute = source.partition(":")
    if not colon or Path(source).exists():
        if not Path(source).exists():
            hint = "Give a saved model, a .py file, or module:attribute."
            raise UnknownPackageError("There is no such file.", where=source, hint=hint)
        return Path(source)
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise UnknownPackageError(f"There is no module {error.name!r}.", where=source) from error
    except AttributeError as error:
        raise UnknownPackageError(f"The module has no {attribute!r}.", where=source, why=str(error)) from error
    return found


def read_parts(parts: Iterable[str]) -> dict[str, Path]:
    """Return the parts of a composed model, each given as ``NAME=FILE``.

    Raises:
        SourceError: One is given otherwise.

    Example:
        >>> read_parts(["risk=risk.ubj"])["risk"].name
        'risk.ubj'
    """
    pairs = [part.partition("=") for part in parts]
    for name, equals, path in pairs:
        if not (name and equals and path):
            raise SourceError(
                f"{name!r} is no part of a model.", hint="Give its name and its file: --part risk=risk.ubj."
            )
    return {name: Path(path) for name, _, path in pairs}


def read_rows(path: Path, target: str | None) -> Rows:
    """Read a file of rows and take the target column out of it.

    Raises:
        DataFileError: The file cannot be read.
        SampleError: It has no such column.
    """
    rows = read_sample(path)
    if target is None:
        return Rows(rows, None)
    if isinstance(rows, dict):
        _check_column(target, list(rows), path)
        return Rows({name: values for name, values in rows.items() if name != target}, rows[target])
    if isinstance(rows, list):
        _check_column(target, list(rows[0]) if rows else [], path)
        inputs = [{name: value for name, value in row.items() if name != target} for row in rows]
        return Rows(inputs, [row.get(target) for row in rows])
    if isinstance(rows, np.ndarray):
        raise SampleError(
            f"An array has no column {target!r} to be the target.",
            where=str(path),
            hint=f"Save inputs and target by name: numpy.savez(file, inputs=X, {target}=y).",
        )
    frame = nw.from_native(rows, eager_only=True)
    _check_column(target, frame.columns, path)
    return Rows(frame.drop(target).to_native(), frame[target].to_native())


def _check_column(target: str, names: list[str], path: Path) -> None:
    if target not in names:
        close = difflib.get_close_matches(target, names, n=1)
        raise SampleError(
            f"There is no column {target!r} to be the target.",
            where=str(path),
            why=f"The columns are {', '.join(map(repr, names[:20]))}.",
            hint=f"did you mean {close[0]!r}?" if close else "",
        )


def read_rules(path: Path) -> list[rules.Rule]:
    """Read rules from a JSON list, or JSON lines, of objects with a ``kind``.

    Raises:
        ScenarioError: The file is not JSON, or an object is no rule.
    """
    content = path.read_bytes()
    try:
        decoded = (
            msgspec.json.decode(content)
            if content.lstrip()[:1] == b"["
            else msgspec.json.Decoder().decode_lines(content)
        )
    except msgspec.DecodeError as error:
        raise ScenarioError("The file of scenarios is not JSON.", where=str(path), why=str(error)) from error
    return [_rule(found, f"{path}, scenario {position}") for position, found in enumerate(decoded)]


def _rule(found: Any, where: str) -> rules.Rule:
    kind = found.get("kind") if isinstance(found, dict) else None
    if kind not in RULES:
        raise ScenarioError(f"{kind!r} is no kind of scenario.", where=where, hint=f"Use {', '.join(RULES)}.")
    words = {name: value for name, value in found.items() if name != "kind"}
    try:
        return RULES[kind](**words)
    except TypeError as error:
        raise ScenarioError(f"This is no {kind}.", where=where, why=str(error), hint=f"help(mw.{kind})") from error
