"""Get the wheel of any package onto this machine.

Called by verify, diff and predict, which install it. A wheel here is used as it is, one behind a URL is fetched
whole, and anything else is built. Weights that are a wheel of their own lie beside it.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

from modelwright.building.build import build
from modelwright.inspecting.weights import download_weights
from modelwright.package import Package, WheelFiles
from modelwright.steps import Listener, ignore, timed

_CHUNK = 4 * 2**20


def obtain(package: Package, folder: Path, *, listener: Listener = ignore) -> Path:
    """Return the path of a package's wheel.

    Args:
        package: The package.
        folder: Where to put the wheel if there is none on disk yet.
        listener: Told about a build or a download.

    Raises:
        BuildError: It cannot be built.
        IntegrityError: A file is not the file that was captured.
        WheelError: The file changed on the server while it was read.
    """
    if package.path is not None and package.path.is_file():
        return package.path
    if isinstance(package.files, WheelFiles):
        return _download(package, package.files, folder, listener)
    with timed("build", listener) as note:
        wheel = build(package, folder)
        note.detail = wheel.name
    return wheel


def _download(package: Package, files: WheelFiles, folder: Path, listener: Listener) -> Path:
    source = files.archive.fp
    assert source is not None, "the archive is open"
    target = folder / PurePosixPath(package.files.where).name
    with timed("download", listener) as note, target.open("wb") as sink:
        source.seek(0)
        shutil.copyfileobj(source, sink, _CHUNK)
        note.detail = f"{sink.tell():,} bytes"
        if package.manifest.weights:
            download_weights(package, folder)
    return target
