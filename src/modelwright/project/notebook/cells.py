"""What is read from a notebook: its cells in the order of the file, and what it says about itself.

Called by everything that reads or converts a notebook. Frozen data and one way to complain about a cell; no input or
output.
"""

from __future__ import annotations

from typing import Literal

from modelwright.errors import CellError
from modelwright.spec.struct import Frozen

Kind = Literal["code", "markdown"]
Form = Literal["ipynb", "percent", "marimo", "script"]


class Cell(Frozen, frozen=True, kw_only=True):
    """One cell.

    Attributes:
        number: Its position in the notebook, counted from 1 over all cells, also those without code.
        kind: ``code``, or ``markdown`` for everything that is never executed.
        source: Its text, lines ending with a newline character only.
        tags: Tags that the author gave it.
        execution_count: When it was last executed, counted by the kernel; ``None``: never, or not recorded.
    """

    number: int
    kind: Kind
    source: str
    tags: tuple[str, ...] = ()
    execution_count: int | None = None


class Notebook(Frozen, frozen=True, kw_only=True):
    """A notebook, whatever file it was kept in.

    Attributes:
        name: The file's name without its ending.
        path: The file.
        sha256: Digest of the file as it is.
        cells: All cells, in the order of the file.
        kernel: Language of the kernel, lower case (``python``).
        python: Version of Python it was last executed with (``3.11.4``); empty: not recorded.
        form: How the file is written.
        notes: What a person should know about how it was read, one sentence each.
    """

    name: str
    path: str
    sha256: str
    cells: tuple[Cell, ...]
    kernel: str = "python"
    python: str = ""
    form: Form = "ipynb"
    notes: tuple[str, ...] = ()


def cell_error(number: int, line: int, text: str, *, what: str, why: str = "", hint: str = "") -> CellError:
    """Return the error about a line of a cell, which names both.

    Args:
        number: Number of the cell.
        line: Line in the cell, counted from 1; 0: the cell as a whole.
        text: The line itself.
        what: What is wrong, as a sentence.
        why: The reason it cannot be used.
        hint: What fixes it.

    Example:
        >>> print(cell_error(7, 2, "print x", what="Cell 7 is written for Python 2."))
        MW1003: Cell 7 is written for Python 2.
          where: cell 7, line 2: print x
    """
    place = f"cell {number}" + (f", line {line}" if line else "")
    return CellError(what, where=f"{place}: {text.strip()}" if text.strip() else place, why=why, hint=hint)
