"""``modelwright capture``: from a saved model, a file of code or an importable object to a model folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from modelwright.capturing.accelerating import TOLERANCE
from modelwright.capturing.capture import capture as make
from modelwright.cli.elsewhere import capture_elsewhere, wanted_elsewhere
from modelwright.cli.exits import OK, USAGE
from modelwright.cli.output import PLAIN, Output, quoted
from modelwright.cli.sources import open_source, read_parts, read_rows, read_rules

if TYPE_CHECKING:
    from rich.console import Console


def capture(
    source: Annotated[str, Parameter(help="A saved model, a .py file, or module:attribute.")],
    /,
    *,
    name: Annotated[str, Parameter(help="Name of the package, as pip will know it.")],
    version: Annotated[str, Parameter(help="Version, for example 1.0.0.")],
    sample: Annotated[
        Path | None, Parameter(help="Rows, best the training data: .csv, .parquet, .json, .jsonl, .npy.")
    ] = None,
    target: Annotated[str | None, Parameter(help="Column of the rows that is no input.")] = None,
    evaluate: Annotated[Path | None, Parameter(help="Rows to measure quality on; needs --target.")] = None,
    scenario: Annotated[Path | None, Parameter(help="Scenarios and rules of your own, JSON.")] = None,
    to: Annotated[Path, Parameter(help="Folder for the model folder.")] = Path("models"),
    part: Annotated[list[str] | None, Parameter(negative="", help="NAME=FILE: a part that the code is given.")] = None,
    format: Annotated[str | None, Parameter(help="How to store it; by default the safest that can.")] = None,  # noqa: A002
    trust: Annotated[list[str] | None, Parameter(negative="", help="file: open a saved model; or a type.")] = None,
    accelerate: Annotated[
        str | None, Parameter(help="Keep a faster form that answers the same: auto, exact or onnx.")
    ] = None,
    accelerate_within: Annotated[
        float, Parameter(help="What numbers of a form that is not exact may differ by.")
    ] = TOLERANCE,
    only_accelerated: Annotated[
        bool, Parameter(negative="", help="Drop the model itself and its libraries; the form stands in for it.")
    ] = False,
    requirement: Annotated[list[str] | None, Parameter(negative="", help="A requirement that is not seen.")] = None,
    owner: Annotated[list[str] | None, Parameter(negative="", help="Who is responsible.")] = None,
    license: Annotated[str, Parameter(help="SPDX expression.")] = "",  # noqa: A002
    summary: Annotated[str, Parameter(help="One line about the model.")] = "",
    environment: Annotated[
        Literal["auto", "here"],
        Parameter(help="auto: with the versions that the file was written by; here: with those installed here."),
    ] = "auto",
    tag: Annotated[list[str] | None, Parameter(negative="", help="A free word.")] = None,
    output: Output = PLAIN,
) -> int:
    """Turn a trained model into a model folder, with everything it needs.

    A saved model can run code when it is opened. One that names anything that
    was not reviewed is refused, unopened, unless you vouch for it with --trust.
    """
    given = {name: value for name, value in locals().items() if name not in ("source", "output", "environment")}
    if sample is None:
        print("Rows are needed to learn the signature from.\n  fix: --sample train.csv", file=sys.stderr)
        return USAGE
    if evaluate is not None and target is None:
        print("Without a target there is nothing to measure.\n  fix: --target COLUMN", file=sys.stderr)
        return USAGE
    model = open_source(source)
    if environment == "auto" and (guess := wanted_elsewhere(model, trust or ())) is not None:
        return capture_elsewhere(model, given, guess, output)
    rows = read_rows(sample, target)
    package = make(
        model,
        rows.inputs,
        rows.target,
        name=name,
        version=version,
        to=to,
        format=format,
        models=read_parts(part or ()),
        trust=tuple(trust or ()),
        evaluate=None if evaluate is None else tuple(read_rows(evaluate, target)),
        scenarios=() if scenario is None else read_rules(scenario),
        accelerate=accelerate or ("auto" if only_accelerated else None),
        accelerate_within=accelerate_within,
        original="drop" if only_accelerated else "keep",
        requirements=tuple(requirement or ()),
        owners=tuple(owner or ()),
        license=license,
        summary=summary,
        tags=tuple(tag or ()),
        listener=output.listener,
    )
    folder = quoted(to if (to / "pyproject.toml").is_file() else package.path or to)
    output.result(package.manifest, lambda _manifest, console: _show(folder, console))
    output.next(f"modelwright build {folder}", f"modelwright inspect {folder}")
    return OK


def _show(folder: str, console: Console) -> None:
    console.print(folder, markup=False, soft_wrap=True)
