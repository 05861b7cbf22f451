"""The command line: parse, call the API, print; and the edge where errors become messages and exit codes.

Called by :mod:`modelwright.__main__` with the arguments. The front page and the version are answered without
importing anything; a command's module is imported when the command is run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import modelwright
from modelwright.cli.commands import COMMANDS, Command, front_page

if TYPE_CHECKING:
    from cyclopts import App

    from modelwright.cli.output import Output


def run(argv: Sequence[str]) -> int:
    """Run one command line.

    Args:
        argv: The arguments, without the program's name.

    Returns:
        The exit code; nothing is raised, and no traceback is shown unless ``--traceback`` was given.

    Example:
        >>> run(["--version"])
        0.1.0
        0
    """
    _never_fail_to_print()
    try:
        if not argv or argv[0] in ("--help", "-h", "help"):
            print(front_page(modelwright.__version__))
            return 0
        if argv[0] == "--version":
            print(modelwright.__version__)
            return 0
        return _dispatch(list(argv))
    except KeyboardInterrupt:
        from modelwright.cli.exits import INTERRUPTED

        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        from modelwright.cli.exits import BROKEN_PIPE

        _forget_stdout()
        return BROKEN_PIPE


def parser(command: Command) -> App:
    """Return the parser of one command; no other command's module is imported."""
    from cyclopts import App

    app = App(
        name="modelwright",
        version=modelwright.__version__,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
    )
    app.command(command.target, name=command.name)
    return app


def _dispatch(argv: list[str]) -> int:
    from cyclopts import CycloptsError

    from modelwright.cli.output import Output

    asked = next((command for command in COMMANDS if command.name == argv[0]), None)
    if asked is None:
        return _report_usage(f"There is no command {argv[0]!r}.", _suggestion(argv[0]))
    output = Output(json="--json" in argv, traceback="--traceback" in argv)
    try:
        call, bound, _ = parser(asked).parse_args(argv, exit_on_error=False, print_error=False)
        output = bound.arguments.get("output", output)
        code = call(*bound.args, **bound.kwargs)
        sys.stdout.flush()
    except CycloptsError as error:
        return _report_usage(str(error), f"modelwright {asked.name} --help")
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:  # the edge: whatever it is, the user gets a message and an exit code
        return _report(error, output)
    return code if isinstance(code, int) else 0


def _suggestion(typed: str) -> str:
    import difflib

    close = difflib.get_close_matches(typed, [command.name for command in COMMANDS], n=1)
    return f"modelwright {close[0]} --help" if close else "modelwright --help"


def _report_usage(what: str, fix: str) -> int:
    from modelwright.cli.exits import USAGE

    print(f"{what}\n  fix: {fix}", file=sys.stderr)
    return USAGE


def _report(error: Exception, output: Output) -> int:
    from modelwright.cli.exits import exit_code
    from modelwright.errors import ModelwrightError

    if output.traceback:
        import traceback

        traceback.print_exception(error)
    elif output.json and isinstance(error, ModelwrightError):
        from modelwright.cli.output import as_json

        print(as_json(error.to_dict()), file=sys.stderr)
    elif isinstance(error, ModelwrightError):
        print(f"{error}\n  more: modelwright explain {error.code}", file=sys.stderr)
    elif isinstance(error, OSError):
        print(f"{error.strerror or error}: {error.filename}" if error.filename else str(error), file=sys.stderr)
    else:
        print(
            f"This is a bug in modelwright: {type(error).__name__}: {error}\n"
            "  fix: run the command again with --traceback and report what it prints, "
            "together with: modelwright doctor --json",
            file=sys.stderr,
        )
    return exit_code(error)


def _never_fail_to_print() -> None:
    """Let a terminal that cannot show ``✓`` show a question mark instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _forget_stdout() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain when it ends.

    Source: Python documentation, "Note on SIGPIPE" in :mod:`signal`.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
