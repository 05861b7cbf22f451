"""How a story is told: chapters of commands that are really run, with what they really print.

Called by :mod:`modelwright.cli.demo`. It knows nothing of models; the story itself is in :mod:`.chapters`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from modelwright.cli.demo_story.running import started
from modelwright.spec.struct import Frozen

TIMEOUT_S = 600.0
INDENT = "    "


class Run(NamedTuple):
    """A command of the story.

    Attributes:
        command: What is typed; it is what is run.
        lines: How many lines of its output are shown, the first ones, or the last ones if negative.
        ends: The exit codes that the story expects.
    """

    command: str
    lines: int = 12
    ends: tuple[int, ...] = (0,)


class Chapter(NamedTuple):
    """A chapter: what it is about in a few words, why in a sentence, and what is run."""

    title: str
    sentence: str
    runs: tuple[Run, ...]


class Told(Frozen, frozen=True, kw_only=True):
    """A command that was run.

    Attributes:
        chapter: Title of the chapter.
        command: What was run.
        exit_code: What it ended with.
        expected: Whether the story expected that.
        output: Everything it printed.
        seconds: How long it took, seconds.
    """

    chapter: str
    command: str
    exit_code: int
    expected: bool
    output: str
    seconds: float


def tell(chapters: Iterable[Chapter], folder: Path, say: Callable[[str, str], None]) -> Iterator[Told]:
    """Run the commands of a story one after the other, until one ends as the story does not expect.

    What a command leaves running goes on while the story does, and ends with it, however that ends.

    Args:
        chapters: The story.
        folder: Where it happens.
        say: Is given each piece of text and its kind: ``title``, ``sentence``, ``command`` or ``output``.
    """
    with ExitStack() as running:
        for number, chapter in enumerate(chapters, 1):
            say(f"\n{number}. {chapter.title}", "title")
            say(chapter.sentence, "sentence")
            for run in chapter.runs:
                say(f"\n$ {run.command}", "command")
                told = _run(run, chapter.title, folder, running)
                for line in _shown(told, run):
                    say(INDENT + line, "output")
                yield told
                if not told.expected:
                    return


def _run(run: Run, chapter: str, folder: Path, running: ExitStack) -> Told:
    start = time.perf_counter()
    process = running.enter_context(started(run.command, folder=folder, environment=_environment()))
    output, _ = process.communicate(timeout=TIMEOUT_S)
    return Told(
        chapter=chapter,
        command=run.command,
        exit_code=process.returncode,
        expected=process.returncode in run.ends,
        output=output,
        seconds=round(time.perf_counter() - start, 2),
    )


def _environment() -> dict[str, str]:
    """Return an environment in which ``python`` and ``modelwright`` are those that tell the story.

    pip leaves compiling to the first import, of which there are few: it saves the reader half of the installation. So
    the first import must be allowed to keep its byte code; the folder is thrown away with it.
    """
    quick = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COMPILE": "1"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    told = os.environ | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "100"} | quick
    told.pop("PYTHONDONTWRITEBYTECODE", None)
    return told


def _shown(told: Told, run: Run) -> list[str]:
    lines = [line.rstrip() for line in told.output.splitlines() if line.strip()]
    if not told.expected or len(lines) <= abs(run.lines):
        return lines
    return [*lines[: run.lines], "…"] if run.lines > 0 else ["…", *lines[run.lines :]]
