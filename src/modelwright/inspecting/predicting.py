"""Predict the rows of a file with any package, in an environment of its own.

Called by ``modelwright predict``. The environment is kept, so that the second call starts at once. Rows stream
through the package's own command; this process never sees them, and never imports the model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Literal

from modelwright.inspecting.environments import kept
from modelwright.inspecting.installers import InstallerName, choose
from modelwright.inspecting.obtain import obtain
from modelwright.inspecting.processes import model_variables, run
from modelwright.inspecting.read import Reference, read
from modelwright.inspecting.selftest import module_command, refusal, vouching
from modelwright.steps import Listener, ignore, timed

FileFormat = Literal["csv", "jsonl", "parquet"]
TIMEOUT_S = 7 * 86_400.0
"""Longest time a prediction may take: a file may be as large as it likes."""


def predict_file(
    reference: Reference,
    file: Path | IO[bytes],
    output: Path | IO[bytes],
    *,
    format: FileFormat | None = None,  # noqa: A002 - the name of the option everywhere
    method: str | None = None,
    python: str | None = None,
    offline: bool = False,
    installer: InstallerName = "auto",
    trust: Iterable[str] = (),
    cache: Path | None = None,
    listener: Listener = ignore,
) -> None:
    """Predict the rows of a file.

    Args:
        reference: The package.
        file: File of rows (CSV, JSON lines, Parquet), or an open binary file with a descriptor (standard input).
        output: Where the answers go: a path, which is written atomically, or an open binary file with a descriptor.
        format: Format of the answers; by default that of the output's name, else of the file's.
        method: Method of the model to call; by default all.
        python: Version or path of the Python to use; by default one that the package was verified on.
        offline: Whether only the installer's cache may be used.
        installer: ``uv``, ``pip``, or ``auto``: uv where it runs, else pip.
        trust: Types in the artifact that the caller vouches for.
        cache: Folder of kept environments; by default one in the user's cache folder.
        listener: Told about each step.

    Raises:
        UnknownPackageError: The reference leads to no package.
        PackageError: The package cannot be used.
        EnvironmentBuildError: Its environment cannot be made.
        DataError: The rows do not fit, or the file cannot be read.
        ModelwrightError: Whatever else the package refuses with, as its own class.
    """
    package = read(reference)
    chosen = choose(installer, offline=offline)
    arguments = ["predict", str(file.absolute()) if isinstance(file, Path) else "-"]
    arguments += ["--output", str(output.absolute())] if isinstance(output, Path) else []
    arguments += ["--format", format] if format else []
    arguments += ["--method", method] if method else []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modelwright-predict-")))
        wheel = obtain(package, folder, listener=listener)
        with timed("environment", listener) as note:
            environment, proved = stack.enter_context(kept(wheel, python=python, installer=chosen, cache=cache))
            note.detail = f"{len(environment.wanted)} distributions, Python {environment.interpreter.version}"
        with timed("predict", listener):
            finished = run(
                module_command(environment, proved, [*arguments, *vouching(trust)]),
                variables=model_variables(proved.manifest.environment.variables),
                timeout_s=TIMEOUT_S,
                source=None if isinstance(file, Path) else file,
                output=None if isinstance(output, Path) else output,
            )
    if finished.code != 0:
        raise refusal(finished)
