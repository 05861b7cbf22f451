"""``modelwright demo``: the whole story on real data, in a folder of its own."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.demo_story.chapters import chapters
from modelwright.cli.demo_story.telling import Told, tell
from modelwright.cli.exits import FAILED, OK, USAGE
from modelwright.cli.output import PLAIN, Output, console, quoted
from modelwright.errors import MissingExtraError
from modelwright.spec.struct import Frozen

if TYPE_CHECKING:
    from rich.console import Console

NEEDED = {
    "sklearn": "scikit-learn",
    "skops": "skops",
    "pandas": "pandas",
    "joblib": "joblib",
    "sqlalchemy": "sqlalchemy",
}
STYLES = {"title": "bold", "sentence": "italic", "command": "cyan", "output": "dim"}


class Demo(Frozen, frozen=True, kw_only=True):
    """The demo as it went.

    Attributes:
        folder: Where it happened.
        passed: Whether everything went as the story says.
        seconds: How long it took, seconds.
        runs: Every command with what it printed.
    """

    folder: str
    passed: bool
    seconds: float
    runs: tuple[Told, ...]


def demo(
    *,
    keep: Annotated[
        Path | None, Parameter(help="Folder to tell it in, which is kept; it must be empty or new.")
    ] = None,
    output: Output = PLAIN,
) -> int:
    """Tell the whole story on real data, in a temporary folder.

    Train, capture, build, verify, install with plain pip, predict, retrain,
    diff; publish to a registry, promote, install what is in production, roll
    back; serve it, compare two versions, have a bad one withdrawn; and be
    refused: by a gate, on a wrong Python and after one flipped byte. It takes
    two minutes or three. Ctrl-C ends it and whatever it started.
    """
    _check_extras()
    if keep is not None and keep.is_dir() and any(keep.iterdir()):
        print(f"{keep} is not empty.\n  fix: modelwright demo --keep {quoted(keep / 'story')}", file=sys.stderr)
        return USAGE
    with ExitStack() as stack:
        stack.enter_context(_ending_in_order())
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modelwright-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        for script in (files("modelwright.cli.demo_story") / "scripts").iterdir():
            if script.is_file():  # installers leave byte code beside them
                (folder / script.name).write_bytes(script.read_bytes())
        start = time.perf_counter()
        runs = tuple(tell(chapters(), folder, _teller(output, folder)))
        seconds = round(time.perf_counter() - start, 1)
    done = Demo(folder=str(folder), passed=all(run.expected for run in runs), seconds=seconds, runs=runs)
    output.result(done, _show)
    if done.passed:
        output.next("modelwright capture --help", "modelwright demo --keep story" if keep is None else f"ls {keep}")
    return OK if done.passed else FAILED


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does: with everything that it started."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_extras() -> None:
    missing = [name for module, name in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise MissingExtraError(
            f"The demo trains and releases models with {', '.join(missing)}, which is not installed.",
            hint='pip install "modelwright[sklearn,pickle,registry]" pandas',
        )


def _teller(output: Output, folder: Path) -> Callable[[str, str], None]:
    if output.json or output.quiet:
        return _silent
    screen = console(sys.stdout)
    screen.print(f"The story happens in {folder}.", markup=False, soft_wrap=True)

    def say(text: str, kind: str) -> None:
        screen.print(text, style=STYLES[kind], markup=False, soft_wrap=True)

    return say


def _silent(_text: str, _kind: str) -> None:
    """Tell nobody."""


def _show(done: Demo, screen: Console) -> None:
    screen.print()
    if done.passed:
        screen.print(f"All {len(done.runs)} commands went as told, in {done.seconds:.0f} s.", style="bold")
        return
    last = done.runs[-1]
    screen.print(f"The story broke at: {last.command}", style="bold red", markup=False, soft_wrap=True)
    screen.print(f"It ended with {last.exit_code}, which was not expected.")
