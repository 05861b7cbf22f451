"""``modelwright build``: from a model folder or a model project to a wheel."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from modelwright.building.build import build as build_wheel
from modelwright.building.build import weights_beside
from modelwright.building.sdist import build_sdist
from modelwright.building.weights import parse_size
from modelwright.cli.output import PLAIN, Output, flag, quoted, size
from modelwright.errors import RequestError
from modelwright.inspecting.read import read
from modelwright.package import Package, open_wheel
from modelwright.spec.struct import Frozen
from modelwright.spec.weights import weights_requirement

if TYPE_CHECKING:
    from rich.console import Console


class Built(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A file that was built.

    Attributes:
        path: Where it is.
        sha256: Its digest, which everything later is bound to.
        size: Its size, bytes.
        weights: The wheel with its weights, if those are a wheel of their own and were not shipped before.
        requires_weights: What has to be installed beside it (``churn-weights==1.2.0``); empty: nothing.
    """

    path: str
    sha256: str
    size: int
    weights: Built | None = None
    requires_weights: str = ""


def build(
    folder: Annotated[Path, Parameter(help="A model folder, as capture writes it, or a project that holds one.")],
    /,
    *,
    into: Annotated[Path, Parameter(help="Folder for the result.")] = Path("dist"),
    split_weights: Annotated[
        str | None, Parameter(help="Size from which on the weights become a wheel of their own: '64 MiB'; 0: always.")
    ] = None,
    previous: Annotated[
        str | None,
        Parameter(help="The release before, a folder of wheels or a registry: weights that are there stay there."),
    ] = None,
    sdist: Annotated[bool, flag("Build the source archive, which rebuilds the identical wheel offline.")] = False,
    output: Output = PLAIN,
) -> int:
    """Turn a model folder into a wheel that pip and uv install.

    The model is not imported. The same folder gives the same bytes.
    """
    if sdist:
        output.result(_built(build_sdist(folder, into, epoch=_epoch(), listener=output.listener)), _show)
        return 0
    path = build_wheel(
        folder,
        into,
        epoch=_epoch(),
        weights=_threshold(split_weights),
        previous=_previous(previous),
        listener=output.listener,
    )
    built = _built(path)
    output.result(built, _show)
    if built.requires_weights and weights_beside(path) is None:
        output.next(f"put the wheel of {built.requires_weights} beside {quoted(path)}, or publish both to a registry")
        return 0
    find = f"--find-links {quoted(into)} " if built.requires_weights else ""
    output.next(f"modelwright verify {quoted(path)}", f"pip install {find}{quoted(path)}")
    return 0


def _built(path: Path) -> Built:
    weights, requirement = None, ""
    if path.suffix == ".whl":
        manifest, beside = open_wheel(path).manifest, weights_beside(path)
        requirement = weights_requirement(manifest)
        weights = _built_file(beside) if beside and manifest.weights == manifest.version else None
    return msgspec.structs.replace(_built_file(path), weights=weights, requires_weights=requirement)


def _built_file(path: Path) -> Built:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Built(path=str(path), sha256=digest, size=path.stat().st_size)


def _threshold(text: str | None) -> int | None:
    try:
        return None if text is None else parse_size(text)
    except ValueError as error:
        raise RequestError(f"{text!r} is no size.", where="--split-weights", hint=str(error)) from error


def _previous(text: str | None) -> Package | Path | None:
    """Return where earlier weights are; what is no file or folder here is read as any other reference."""
    if text is None or Path(text).exists():
        return text if text is None else Path(text)
    return read(text)


def _epoch() -> int | None:
    """Return the timestamp of the entries, seconds since 1970; libraries do not read the environment, we do.

    Source: reproducible-builds.org, "SOURCE_DATE_EPOCH".
    """
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(value) if value.isdecimal() else None


def _show(built: Built, console: Console) -> None:
    console.print(built.path, soft_wrap=True, markup=False)
    console.print(f"{size(built.size)}, sha256 {built.sha256}", style="dim", soft_wrap=True)
    if built.weights:
        _show(built.weights, console)
    elif built.requires_weights:
        console.print(f"its weights were shipped before: {built.requires_weights}", style="dim", soft_wrap=True)
