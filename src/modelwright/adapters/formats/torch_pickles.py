"""Look into what ``torch.save`` wrote, in any of its three containers, without unpickling.

Called by the torch format. It says what unpickling would import; nothing here opens such a file.

Source: torch, ``torch/serialization.py`` (``_save``, ``_legacy_save``, ``legacy_load``) and
``torch/_weights_only_unpickler.py`` (what loading with ``weights_only=True`` allows).
"""

from __future__ import annotations

import io
import json
import pickletools
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from modelwright.adapters.formats import torch_archive
from modelwright.capturing.opcodes import PickleReport, read_globals
from modelwright.errors import LoaderError

_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The first of the pickles in files of torch before 1.6."""
_LONGEST = 1 << 28
"""Bytes of a legacy file that are read at most: the object is in front, its tensors follow."""
_PLAIN = re.compile(
    r"collections\.OrderedDict|torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|parameter|qtensor|sparse_tensor)"
    r"|torch\.(\w+Storage|Size|device|Tensor)|torch\.storage\.(Untyped|Typed)Storage|torch\.nn\.parameter\.Parameter"
    r"|torch\.(bool|half|float|double|bfloat16|(float|complex|q?u?int)\d[\w]*)|torch\.serialization\._get_layout"
    r"|\?\.persistent id"
)
"""What the pickle of a state dict names: containers, tensors, types, and where the bytes of a tensor are."""


def names_in(path: Path) -> PickleReport | None:
    """Return what the pickle in a file of PyTorch names; ``None`` if the file is no such file.

    Raises:
        LoaderError: It is one, and cut off.
    """
    if not path.is_file():
        return None
    try:
        members = torch_archive.members(path)
        if "data.pkl" in members and not any(name.startswith("code/") for name in members):
            with zipfile.ZipFile(path) as archive:
                name = next(each for each in archive.namelist() if each.partition("/")[2] == "data.pkl")
                return read_globals(io.BytesIO(archive.read(name)))
    except (zipfile.BadZipFile, EOFError) as error:
        raise LoaderError("The archive is cut off.", where=str(path), why=str(error)) from error
    with path.open("rb") as stream:
        head = stream.read(len(_MAGIC))
        stream.seek(0)
        if head == _MAGIC:
            return _legacy(stream)
        if _is_safetensors(stream, path.stat().st_size):
            return PickleReport()
    return _in_tar(path)


def what_runs(report: PickleReport) -> list[str]:
    """Return what is more than tensors in plain containers, with the reason a pickle could not be read."""
    odd = [name for name in report.globals if not _PLAIN.fullmatch(name)]
    return [*odd, *([f"something behind what cannot be read ({report.problem})"] if report.problem else [])]


def _legacy(stream: Any) -> PickleReport:
    """Skip the magic number, the protocol and the description of the machine; read the object."""
    try:
        for _ in range(3):
            for _ in pickletools.genops(stream):
                pass
    except (ValueError, EOFError) as error:
        return PickleReport(problem=str(error))
    return read_globals(io.BytesIO(stream.read(_LONGEST)))


def _in_tar(path: Path) -> PickleReport | None:
    """Read the object in a file of torch before 0.2, a tar."""
    try:
        with tarfile.open(path, "r:") as archive:
            names = archive.getnames()
            member = archive.extractfile("pickle") if {"pickle", "storages", "tensors"} <= set(names) else None
            return read_globals(io.BytesIO(member.read(_LONGEST))) if member else None
    except (tarfile.TarError, KeyError):
        return None


def _is_safetensors(stream: Any, size: int) -> bool:
    """Say whether a file is bare safetensors. Source: safetensors README, "Format"."""
    length = int.from_bytes(stream.read(8), "little")
    if not 2 <= length <= size - 8:
        return False
    try:
        header = json.loads(stream.read(length))
    except ValueError:
        return False
    return isinstance(header, dict) and all(isinstance(entry, dict) for entry in header.values())
