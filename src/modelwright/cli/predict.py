"""``modelwright predict``: answers for a file of rows, from a model in an environment of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.exits import OK
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.references import resolve
from modelwright.inspecting.installers import InstallerName
from modelwright.inspecting.predicting import FileFormat, predict_file


def predict(
    reference: Annotated[str, Parameter(help="A wheel, its URL, a model folder, name==1.3.0, name@stage.")],
    file: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="Rows: .csv, .jsonl or .parquet; - reads standard input.")
    ],
    /,
    *,
    to: Annotated[
        Path | None, Parameter(name="--output", help="File for the answers; standard output without.")
    ] = None,
    format: Annotated[FileFormat | None, Parameter(help="Format of the answers; by default the rows' own.")] = None,  # noqa: A002 - the name of the option everywhere
    method: Annotated[str | None, Parameter(help="Method to call (predict_proba); by default all.")] = None,
    python: Annotated[str | None, Parameter(help="Python to use; by default one it was verified on.")] = None,
    offline: Annotated[bool, flag("Use only what the installer has in its cache.")] = False,
    installer: Annotated[InstallerName, Parameter(help="What makes the environment.")] = "auto",
    trust: Annotated[list[str] | None, Parameter(negative="", help="A type that you vouch for.")] = None,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Predict for a file of rows, in an environment of the model's own.

    The environment is made from the package's lock once, and kept. With --json
    the answers are JSON lines.
    """
    predict_file(
        resolve(reference, at, output),
        sys.stdin.buffer if file == "-" else Path(file),
        sys.stdout.buffer if to is None else to,
        format=format or ("jsonl" if output.json else None),
        method=method,
        python=python,
        offline=offline,
        installer=installer,
        trust=trust or (),
        listener=output.listener,
    )
    if to is not None:
        output.note(f"The answers are in {to}.")
    return OK
