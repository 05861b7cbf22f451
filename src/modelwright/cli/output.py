"""How a command talks: data on stdout, messages on stderr, in the form that was asked for.

For: every command takes an :class:`Output` as its last parameter, which gives it ``--json``, ``--quiet`` and
``--traceback``. It does not decide what is said.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from cyclopts import Parameter

from modelwright.steps import Listener, Step, ignore

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 160
"""Columns of a table that is not shown on a terminal: wide enough to be searched, narrow enough to be read."""


def flag(meaning: str) -> Parameter:
    """Describe an option that is either given or not; its ``--no-…`` would say nothing."""
    return Parameter(negative="", show_default=False, help=meaning)


def console(stream: TextIO) -> Console:
    """Return a terminal that knows its width and whether colours are wanted (``NO_COLOR``, pipes)."""
    from rich.console import Console

    class Piped(Console):
        """Leaves a reader who went away to the edge of the program, which knows the exit code for it."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Piped(file=stream, highlight=False, width=None if stream.isatty() else PIPE_WIDTH)


@Parameter(name="*", group="Output")
@dataclass(frozen=True, kw_only=True)
class Output:
    """The options that every command has.

    Attributes:
        json: Print the result as JSON, for programs.
        quiet: Print no messages, only the result.
        traceback: Show where in the code an error came from, for reporting a bug.
    """

    json: Annotated[bool, flag("Print the result as JSON, for programs.")] = False
    quiet: Annotated[bool, flag("Print no messages, only the result.")] = False
    traceback: Annotated[bool, flag("Show where in the code an error came from.")] = False

    def result(self, value: Any, show: Callable[[Any, Console], None]) -> None:
        """Print the result of a command on stdout.

        Args:
            value: The object that the API returned.
            show: Prints it for people; not called with ``--json``.
        """
        if self.json:
            print(as_json(value))
        else:
            show(value, console(sys.stdout))

    @property
    def listener(self) -> Listener:
        """What shows finished steps on stderr, with ✓ and the time they took."""
        return ignore if self.quiet or self.json else _show_step

    def note(self, text: str) -> None:
        """Say something on stderr."""
        if not (self.quiet or self.json):
            print(text, file=sys.stderr, flush=True)

    def next(self, *lines: str) -> None:
        """Suggest what to do next, ready to be pasted."""
        if not (self.quiet or self.json):
            print("\nNext:", *(f"  {line}" for line in lines), sep="\n", file=sys.stderr, flush=True)


PLAIN = Output()
"""Nothing special was asked for."""


def as_json(value: Any) -> str:
    """Return the JSON of a report, indented, defaults left out as in every file of the format.

    Example:
        >>> print(as_json({"path": Path("dist")}))
        {
          "path": "dist"
        }
    """
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode()


def _show_step(step: Step) -> None:
    from rich.text import Text

    line = Text.assemble(("✓ ", "green"), f"{step.name:<14} ", step.detail, (f"  {step.seconds:.2f} s", "dim"))
    console(sys.stderr).print(line, soft_wrap=True)


def size(count: int) -> str:
    """Return a number of bytes for people, in the units of the IEC.

    Example:
        >>> size(1536), size(12)
        ('1.5 KiB', '12 B')
    """
    value, units = float(count), iter(("B", "KiB", "MiB", "GiB"))
    unit = next(units)
    for larger in units:
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def quoted(path: Path | str) -> str:
    """Return a path as a shell needs it, relative to the current folder if it lies below it."""
    import shlex

    path = Path(path)
    with contextlib.suppress(ValueError):
        path = path.resolve().relative_to(Path.cwd())
    return shlex.quote(str(path))
