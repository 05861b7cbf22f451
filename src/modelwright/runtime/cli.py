"""The command line of an installed model: ``churn info``, ``churn predict rows.csv``, ``churn selftest``.

Called by the generated ``__main__``. Data go to standard output, messages to standard error; an error is shown by
what it says, never by a traceback.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import CompatibilityError, DataFileError, ManifestError, ModelwrightError, SafetyError

OK, FAILED, USAGE, NOT_FOUND, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES: tuple[tuple[type[ModelwrightError], int], ...] = (
    (SafetyError, REFUSED),
    (CompatibilityError, REFUSED),
    (ManifestError, NOT_FOUND),
    (ModelwrightError, FAILED),
)


def main(folder: Path, package: str, argv: list[str]) -> int:
    """Run one command; return the exit code.

    Args:
        folder: The model folder.
        package: Import name of the package around it.
        argv: The arguments, without the name of the program.

    Returns:
        0 ok, 1 a check failed, 2 usage, 3 not found, 4 refused (safety, compatibility), 130 interrupted.
    """
    try:
        return _run(Path(folder), package, argv)
    except ModelwrightError as error:
        # A person is shown the first problems; a file or program gets them all.
        _tell(error if sys.stderr.isatty() else error.text(shown=len(error.problems)))
        return next(code for kind, code in EXIT_CODES if isinstance(error, kind))
    except BrokenPipeError:  # whoever read our output has seen enough; do not let the interpreter complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # standard output is a full disk
        _tell(DataFileError("The output cannot be written.", why=error.strerror or str(error)))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        _tell("Interrupted.")
        return INTERRUPTED


def _run(folder: Path, package: str, argv: list[str]) -> int:
    from .documents import read_manifest

    manifest = read_manifest(folder)
    try:
        options = _parser(manifest).parse_args(argv)
    except SystemExit as leaving:  # argparse has printed help (0) or what is wrong with the usage (2)
        return leaving.code if isinstance(leaving.code, int) else USAGE
    command: Callable[[Path, str, dict[str, Any], argparse.Namespace], int] = options.command
    code = command(folder, package, manifest, options)
    sys.stdout.flush()
    return code


def _parser(manifest: dict[str, Any]) -> argparse.ArgumentParser:
    title = f"{manifest['name']} {manifest['version']}"
    parser = argparse.ArgumentParser(
        prog=manifest["name"], description=manifest.get("summary") or f"The model {title}."
    )
    parser.add_argument("--version", action="version", version=title)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    info = commands.add_parser("info", help="show what the model takes, gives and needs")
    info.add_argument("--json", action="store_true", help="print the manifest")
    info.set_defaults(command=_info)

    predict = commands.add_parser("predict", help="predict the rows of a file")
    predict.add_argument("file", metavar="FILE", help=".csv, .tsv, .jsonl, .json or .parquet; - is standard input")
    predict.add_argument("--output", "-o", metavar="FILE", help="write here instead of standard output")
    predict.add_argument("--format", choices=("csv", "jsonl", "parquet"), help="default: as the output or input file")
    predict.add_argument("--method", choices=_methods(manifest), help="default: every method the model has")
    _add_trust(predict)
    predict.set_defaults(command=_predict)

    test = commands.add_parser("selftest", help="run the scenarios that travel with the model")
    test.add_argument("--json", action="store_true", help="print the report as JSON")
    test.add_argument("--scenarios", metavar="FILE", type=Path, help="run these scenarios (.jsonl) instead")
    test.add_argument("--answers", action="store_true", help="add the answers of the model to the JSON report")
    _add_trust(test)
    test.set_defaults(command=_selftest)
    return parser


def _show(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _tell(message: object) -> None:
    sys.stderr.write(f"{message}\n")


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust", metavar="TYPE", action="append", default=[], help="a type that you vouch for; may be repeated"
    )


def _methods(manifest: dict[str, Any]) -> tuple[str, ...]:
    return tuple(manifest["storage"].get("methods", ("predict",)))


def _info(_folder: Path, _package: str, manifest: dict[str, Any], options: argparse.Namespace) -> int:
    from .describing import describe

    _show(json.dumps(manifest, indent=2, ensure_ascii=False) if options.json else describe(manifest))
    return OK


def _predict(folder: Path, package: str, manifest: dict[str, Any], options: argparse.Namespace) -> int:
    from .files import kind_of_file, read_chunks
    from .loading import load
    from .scoring import output_columns, score
    from .writing import destination, write_all

    given = options.format or (kind_of_file(options.output) if options.output else "")
    kind = given or ("csv" if options.file == "-" else kind_of_file(options.file))
    if options.file != "-" and not Path(options.file).is_file():
        _tell(DataFileError("There is no such file.", where=options.file))
        return NOT_FOUND
    methods = (options.method,) if options.method else _methods(manifest)
    model = load(folder, package=package, trust=options.trust)
    with destination(options.output) as stream:
        answers = (score(model, methods, chunk) for chunk in read_chunks(options.file, manifest["signature"]["inputs"]))
        write_all(answers, kind, stream, output_columns(manifest, methods))
    return OK


def _selftest(folder: Path, package: str, _manifest: dict[str, Any], options: argparse.Namespace) -> int:
    from .describing import describe_selftest
    from .selftest import selftest

    scenarios: Path | None = options.scenarios
    if scenarios is not None and not scenarios.is_file():
        _tell(DataFileError("There is no such file.", where=str(scenarios)))
        return NOT_FOUND
    report = selftest(folder, package=package, trust=options.trust, scenarios=scenarios, answers=options.answers)
    _show(json.dumps(report, ensure_ascii=False, allow_nan=False) if options.json else describe_selftest(report))
    return FAILED if report["failed"] else OK
