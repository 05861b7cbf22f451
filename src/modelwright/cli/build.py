"""``modelwright build``: from a model folder or a model project to a wheel."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.building.build import build as build_wheel
from modelwright.building.sdist import build_sdist
from modelwright.cli.output import PLAIN, Output, flag, quoted, size
from modelwright.spec.struct import Frozen

if TYPE_CHECKING:
    from rich.console import Console


class Built(Frozen, frozen=True, kw_only=True):
    """A file that was built.

    Attributes:
        path: Where it is.
        sha256: Its digest, which everything later is bound to.
        size: Its size, bytes.
    """

    path: str
    sha256: str
    size: int


def build(
    folder: Annotated[Path, Parameter(help="A model folder, as capture writes it, or a project that holds one.")],
    /,
    *,
    into: Annotated[Path, Parameter(help="Folder for the result.")] = Path("dist"),
    sdist: Annotated[bool, flag("Build the source archive, which rebuilds the identical wheel offline.")] = False,
    output: Output = PLAIN,
) -> int:
    """Turn a model folder into a wheel that pip and uv install.

    The model is not imported. The same folder gives the same bytes.
    """
    builder = build_sdist if sdist else build_wheel
    path = builder(folder, into, epoch=_epoch(), listener=output.listener)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    output.result(Built(path=str(path), sha256=digest, size=path.stat().st_size), _show)
    if not sdist:
        output.next(f"modelwright verify {quoted(path)}", f"pip install {quoted(path)}")
    return 0


def _epoch() -> int | None:
    """Return the timestamp of the entries, seconds since 1970; libraries do not read the environment, we do.

    Source: reproducible-builds.org, "SOURCE_DATE_EPOCH".
    """
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(value) if value.isdecimal() else None


def _show(built: Built, console: Console) -> None:
    console.print(built.path, soft_wrap=True, markup=False)
    console.print(f"{size(built.size)}, sha256 {built.sha256}", style="dim", soft_wrap=True)
