"""Answer one chunk of a file of rows, naming a bad row by its line.

Called by the command line.
"""

from __future__ import annotations

from typing import Any

from .errors import OutputError, Problem, SignatureError
from .files import Chunk
from .model import Model
from .returning import flat_names

Columns = dict[str, list[Any]]


def output_columns(manifest: dict[str, Any], methods: tuple[str, ...]) -> dict[str, str]:
    """Return the columns that the answers of some methods have, with their datatypes."""
    columns: dict[str, str] = {}
    for method in methods:
        outputs = [output for output in manifest["signature"]["outputs"] if output.get("method", "predict") == method]
        for output in outputs or [{"name": method, "datatype": "json"}]:
            names = flat_names(output)
            opaque = names == [output["name"]] and output.get("shape")
            columns |= dict.fromkeys(names, "json" if opaque else output["datatype"])
    return columns


def score(model: Model, methods: tuple[str, ...], chunk: Chunk) -> Columns:
    """Return the answers of some methods to a chunk, one list per column.

    Raises:
        SignatureError: Rows do not fit; each is named by its line in the file.
        OutputError: The model failed, or answered what its signature does not allow.
    """
    try:
        return model.answer_columns(chunk.rows, methods)
    except (SignatureError, OutputError) as error:
        problems = [_placed(problem, chunk) for problem in error.problems]
        raise type(error)(error.what, where=error.where, why=error.why, hint=error.hint, problems=problems) from error


def _placed(problem: Problem, chunk: Chunk) -> Problem:
    """Return a problem with its row counted from the beginning of the file, and its line."""
    if problem.row is None:
        return problem
    line = f"line {chunk.lines[problem.row]}: " if chunk.lines else ""
    return problem._replace(row=chunk.first + problem.row, problem=line + problem.problem)
