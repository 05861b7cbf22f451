"""Tell what an artifact is by what is in it, and which names loading it would construct or call.

Called by scan. Content decides, never the extension. Nothing is imported, constructed or executed: pickles are read
opcode by opcode, skops files as the JSON they are.

Source: PEP 3154 (pickle), PKWARE APPNOTE (ZIP), NEP 1 (npy), skops ``schema.json``, safetensors format.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, cast

from modelwright.capturing.opcodes import read_globals
from modelwright.spec.struct import Frozen

Kind = Literal[
    "skops",
    "torchscript",
    "zip",
    "pickle",
    "npy",
    "safetensors",
    "onnx",
    "savedmodel",
    "hdf5",
    "native",
    "script",
    "json",
    "other",
]
MAX_SCHEMA = 256 * 2**20
"""Largest ``schema.json`` that is read, bytes."""
MAX_MEMBERS = 10_000
"""Members of a ZIP archive that are looked into at most."""
MAX_DEPTH = 3
"""Archives in archives that are looked into at most."""
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"\x93NUMPY", "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x7fELF", "native"),
    (b"MZ", "native"),
    (b"\xcf\xfa\xed\xfe", "native"),
    (b"\xca\xfe\xba\xbe", "native"),
    (b"#!", "script"),
)
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x04\x22\x4d\x18", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")


class Content(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What is in one file.

    Attributes:
        kind: What it is.
        constructs: Types and functions that loading it would construct or call, full names, sorted.
        imports: Names that loading it would import but not call, sorted.
        executes: Whether its format lets a file name any function to be called.
        problem: Why it could not be read to its end.
    """

    kind: Kind
    constructs: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    executes: bool = False
    problem: str = ""


def look_into(stream: BinaryIO, *, depth: int = 0) -> Content:
    r"""Tell what a file is and what loading it would do.

    Args:
        stream: Seekable binary stream at its start.
        depth: How many archives it is in.

    Example:
        >>> look_into(io.BytesIO(b"cos\nsystem\n(S'id'\ntR.")).constructs
        ('os.system',)
        >>> look_into(io.BytesIO(b'{"weights": [1, 2]}')).kind
        'json'
    """
    head = stream.read(64)
    stream.seek(0)
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if kind == "zip":
        return _zip(stream, depth)
    if kind == "npy":
        return _npy(stream)
    if kind is not None:
        return Content(kind=kind)
    if head[:1] == b"\x80" or head.startswith(_COMPRESSED):
        return _pickle(stream)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32:
        return Content(kind="safetensors")
    if head[:1] in (b"{", b"["):
        return _json(stream)
    return _oldest_pickle(stream, head)


def _pickle(stream: BinaryIO) -> Content:
    report = read_globals(stream)
    return Content(
        kind="pickle",
        constructs=report.calls,
        imports=tuple(name for name in report.globals if name not in report.calls),
        executes=True,
        problem=report.problem,
    )


def _oldest_pickle(stream: BinaryIO, head: bytes) -> Content:
    """Read a file as a pickle of protocol 0 or 1, which has no magic number; whoever opens it may well try that."""
    found = _pickle(stream)
    if head and (not found.problem or found.constructs or found.imports):
        return found
    if head[:3] == b"\x08\x01\x12":  # saved_model_schema_version 1, then the first graph
        return Content(kind="savedmodel")
    looks_like_onnx = head[:1] == b"\x08" and b"\x12" in head[:16]
    return Content(kind="onnx" if looks_like_onnx else "other")


def _json(stream: BinaryIO) -> Content:
    try:
        json.load(stream)
    except (ValueError, RecursionError):
        return Content(kind="other")
    return Content(kind="json")


def _npy(stream: BinaryIO) -> Content:
    """Read the header of a NumPy array; one of objects is followed by a pickle."""
    version = stream.read(8)[6:8]
    length = int.from_bytes(stream.read(2 if version[:1] == b"\x01" else 4), "little")
    try:
        header: Any = ast.literal_eval(stream.read(length).decode("latin-1").strip())
        objects = "O" in str(header["descr"])
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError) as error:
        return Content(kind="npy", problem=f"its header cannot be read: {error}")
    if not objects:
        return Content(kind="npy")
    return _merged("npy", [_pickle(cast(BinaryIO, io.BytesIO(stream.read())))])


def _zip(stream: BinaryIO, depth: int) -> Content:
    if depth > MAX_DEPTH:
        return Content(kind="zip", problem="archives in archives in archives")
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            if "schema.json" in names:
                return _skops(archive)
            if len(names) > MAX_MEMBERS:
                return Content(kind="zip", problem=f"it has more than {MAX_MEMBERS} members")
            root = names[0].partition("/")[0] if names else ""
            if {f"{root}/constants.pkl", f"{root}/data.pkl"} <= {*names}:
                return _torchscript(archive, root, depth)
            return _merged("zip", [_member(archive, name, depth) for name in names if not name.endswith("/")])
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        return Content(kind="zip", problem=str(error))


def _member(archive: zipfile.ZipFile, name: str, depth: int) -> Content:
    with archive.open(name) as member:
        if not archive.getinfo(name).file_size:
            return Content(kind="other")
        return look_into(cast(BinaryIO, member), depth=depth + 1)


def _torchscript(archive: zipfile.ZipFile, root: str, depth: int) -> Content:
    """Look into a TorchScript archive: its pickles are read by a reader of torch's own, which imports nothing.

    That reader knows tensors, a few containers, and classes that are compiled from the texts below ``code``; a name it
    does not know makes it fail. Members below ``data`` and ``constants`` are bare numbers. ``torch.load`` hands such an
    archive to it as well.

    Source: PyTorch, ``torch/csrc/jit/serialization/unpickler.cpp`` and ``torch/serialization.py``.
    """
    bare = tuple(f"{root}/{folder}/" for folder in ("data", "constants", "code"))
    told = {f"{root}/{name}" for name in ("version", "byteorder")}
    parts = []
    for name in archive.namelist():
        if name.endswith("/") or name.startswith(bare) or name in told:
            continue
        found = _member(archive, name, depth)
        if name in (f"{root}/constants.pkl", f"{root}/data.pkl"):
            strange = tuple(one for one in (*found.constructs, *found.imports) if not _TORCHSCRIPT.fullmatch(one))
            found = Content(kind="pickle", constructs=strange, executes=bool(strange), problem=found.problem)
        parts.append(found)
    return _merged("torchscript", parts)


_TORCHSCRIPT = re.compile(
    r"__torch__\..+|torch\.\w+Storage|torch\._utils\._rebuild_(tensor_v2|parameter|qtensor)|torch\.(device|Size|\w+_?dtype)"
    r"|torch\.jit\._pickle\.\w+|collections\.OrderedDict|\?\.persistent id"
)
"""What the pickles of a TorchScript archive name when ``torch.jit.save`` wrote them."""


def _skops(archive: zipfile.ZipFile) -> Content:
    """List the types that a skops file names; arrays of objects inside would be pickles, which skops refuses."""
    if archive.getinfo("schema.json").file_size > MAX_SCHEMA:
        return Content(kind="skops", problem=f"its schema is larger than {MAX_SCHEMA} bytes")
    try:
        schema = json.loads(archive.read("schema.json"))
        return Content(kind="skops", constructs=tuple(sorted(set(_nodes(schema)))))
    except (ValueError, RecursionError) as error:
        return Content(kind="skops", problem=f"its schema cannot be read: {error}")


def _nodes(schema: Any) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            module, name = node.get("__module__"), node.get("__class__")
            if isinstance(module, str) and isinstance(name, str):
                yield f"{module}.{name}"
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _merged(kind: Kind, parts: list[Content]) -> Content:
    return Content(
        kind=kind,
        constructs=tuple(sorted({name for part in parts for name in part.constructs})),
        imports=tuple(sorted({name for part in parts for name in part.imports})),
        executes=any(part.executes for part in parts),
        problem="; ".join(part.problem for part in parts if part.problem),
    )
