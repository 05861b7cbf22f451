"""Tell ONNX files by their content, and refuse those that would have other files read.

Called by the onnx format when capture is given a path. The protobuf is walked by hand (the loader's own walk): nothing
is constructed, and neither ``onnx`` nor ``onnxruntime`` is imported.
"""

from __future__ import annotations

import itertools
import mmap
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from modelwright.adapters.loaders.onnx_loader import DamagedError, external, parts, varint
from modelwright.capturing.formats import FileReport
from modelwright.errors import LoaderError, UnsafeFileError

_MODEL = {(1, 0), (2, 2), (3, 2), (4, 2), (5, 0), (6, 2), (7, 2), (8, 2), (14, 2), (20, 2), (25, 2), (26, 2)}
"""Fields of a ``ModelProto`` with their wire types. Source: ``onnx.proto`` of ONNX 1.23."""
_GRAPH = {(1, 2), (2, 2), (5, 2), (10, 2), (11, 2), (12, 2), (13, 2), (14, 2), (15, 2), (16, 2)}
"""Fields of a ``GraphProto``."""
_ORT = b"ORTM"
"""Identifier of onnxruntime's own format, behind the first four bytes. Source: ``ort.fbs``, ``file_identifier``."""
_SHOWN = 10


class _Head(NamedTuple):
    """What the outermost message says."""

    ir_version: int
    producer: str
    opset: dict[str, int]
    inputs: list[str]
    cut_off: bool


def report_on(path: Path) -> FileReport | None:
    """Say what a file is; ``None`` if it is no ONNX model.

    Raises:
        UnsafeFileError: Its tensors would be read from somewhere else than files beside it.
        LoaderError: It is cut off, or a file of its weights is.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return None
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[4:8] == _ORT:
            raise LoaderError(
                "This is a model in onnxruntime's own format, made for one version of it.",
                where=str(path),
                hint="Give the .onnx file that it was made from.",
            )
        try:
            head = _head(data)
            if head is None:
                return None
            if head.cut_off:
                raise DamagedError("it is cut off")
            files = _check_external(path, data)
        except DamagedError as error:
            raise LoaderError("The ONNX model is damaged.", where=str(path), why=f"{error}") from error
    opset = ", ".join(f"{domain} {version}" for domain, version in sorted(head.opset.items()))
    note = f"operators {opset}; inputs {', '.join(head.inputs[:_SHOWN])}"
    note += f"; made by {head.producer}" if head.producer else ""
    note += f"; weights in {', '.join(files)}" if files else ""
    return FileReport(kind="ONNX model", requires=("numpy", "onnx", "onnxruntime"), note=note)


def _head(data: Any) -> _Head | None:
    """Return what the outermost message says; ``None`` if it is no ``ModelProto``."""
    version, producer, opset, graph, cut_off = 0, ["", ""], dict[str, int](), None, False
    at, end = 0, len(data)
    while at < end:
        try:
            tag, at = varint(data, at, end)
            if (tag >> 3, tag & 7) not in _MODEL:
                return None
            number, (value, after) = tag >> 3, varint(data, at, end)
        except DamagedError:
            cut_off = True
            break
        low, at = after, after + (value if tag & 7 == 2 else 0)
        cut_off = at > end
        if number == 1:
            version = value
        elif number in (2, 3):
            text = data[low:at].decode("utf-8", "replace")
            if not text.isprintable():
                return None
            producer[number - 2] = text
        elif number == 7:
            graph = low, min(at, end)
        elif number == 8 and not cut_off:
            opset |= _opset(data, low, at)
    inputs = _inputs(data, *graph, cut_off=cut_off) if graph and version else None
    if inputs is None:
        return None
    return _Head(version, " ".join(filter(None, producer)), opset, inputs, cut_off or not opset)


def _opset(data: Any, start: int, end: int) -> dict[str, int]:
    domain, version = "ai.onnx", 0
    for number, kind, low, high in parts(data, start, end):
        if number == 1 and kind == 2:
            domain = data[low:high].decode("utf-8", "replace") or domain
        elif number == 2 and kind == 0:
            version = varint(data, low, high)[0]
    return {domain: version}


def _inputs(data: Any, start: int, end: int, *, cut_off: bool) -> list[str] | None:
    """Return the names of the inputs; ``None`` if this is no graph."""
    names, constants, seen = list[str](), set[str](), 0
    try:
        for number, kind, low, high in parts(data, start, end):
            if (number, kind) not in _GRAPH:
                return None
            seen += 1
            if number in (5, 11):
                where = 8 if number == 5 else 1
                name = next((data[a:b] for n, k, a, b in parts(data, low, high) if n == where and k == 2), b"")
                (constants.add if number == 5 else names.append)(name.decode("utf-8", "replace"))
    except DamagedError:
        if not cut_off:
            return None
        seen = max(seen, end - start > 1 and data[start] in (0x0A, 0x12))  # the first node, or the name
    return [name for name in names if name not in constants] if seen else None


def _check_external(path: Path, data: Any) -> list[str]:
    """Return the names of the files that hold weights.

    Raises:
        UnsafeFileError: One leads elsewhere, or tensors overlap.
        LoaderError: One is missing or cut off.
    """
    ranges: dict[str, set[tuple[int, int]]] = {}
    for name, where in external(data):
        location = where.get("location", "")
        if why := _trick(path.parent, location):
            raise _unsafe(path, name, location, why)
        offset, length = where.get("offset", "0"), where.get("length", "")
        if not all(text.isascii() and text.isdigit() for text in (offset, length or "0")):
            raise _unsafe(path, name, location, f"offset {offset!r} and length {length!r} are no numbers")
        file = path.parent / location
        if not file.is_file():
            raise LoaderError(
                f"The weights {location!r} are not beside the model.", where=str(path), hint="Keep both files together."
            )
        size = file.stat().st_size
        stop = int(offset) + int(length) if length else size
        ranges.setdefault(location, set()).add((int(offset), stop))
    for location, taken in ranges.items():
        _check_ranges(path, location, sorted(taken))
    return sorted(ranges)


def _trick(folder: Path, location: str) -> str:
    """Say how a location leads elsewhere than to a file in the model's folder; empty if it does not."""
    here, there = PurePosixPath(location), PureWindowsPath(location)
    if not location or not location.isprintable() or "*" in location:
        return "is no name of a file"
    if "://" in location or there.drive or ":" in location:
        return "is the address of something else"
    if here.is_absolute() or there.root or "\\" in location:
        return "is an absolute path"
    if ".." in here.parts:
        return "leads out of the model's folder"
    steps = [folder.joinpath(*here.parts[: count + 1]) for count in range(len(here.parts))]
    return "is a link to somewhere else" if any(step.is_symlink() for step in steps) else ""


def _check_ranges(path: Path, location: str, taken: list[tuple[int, int]]) -> None:
    for (_, stop), (start, _) in itertools.pairwise(taken):
        if start < stop:
            raise _unsafe(path, "", location, f"tensors overlap at byte {start}")
    size = (path.parent / location).stat().st_size
    if taken[-1][1] > size:
        raise LoaderError(
            f"The weights {location!r} are cut off.",
            where=str(path),
            why=f"They have {size} bytes, and a tensor ends at byte {taken[-1][1]}.",
            hint="Copy the file again.",
        )


def _unsafe(path: Path, name: str, location: str, why: str) -> UnsafeFileError:
    who = f"The tensor {name!r}" if name else "A tensor"
    return UnsafeFileError(
        "Opening this model could read files that are not its own; nothing was opened.",
        where=str(path),
        why=f"{who} lies in {location!r}: it {why}." if not why.startswith(("tensors", "offset")) else f"{why}.",
        hint="Weights lie in files of their own name beside the model: onnx.save(…, save_as_external_data=True).",
    )
