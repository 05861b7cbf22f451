"""Look into TorchScript, which is source for PyTorch's own compiler, and load it. For the loader of PyTorch networks.

Source: torch 2.13, ``torch/csrc/jit/serialization``.
"""

from __future__ import annotations

import pickletools
import re
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

_SCRIPT_TYPES = re.compile(
    r"__torch__\.(?!torch\.classes\.(?!quantized\.))[\w.]+|torch\.jit\._pickle\.\w+|torch\._utils\._rebuild_\w+"
    r"|collections\.OrderedDict|torch\.\w+Storage|torch\.(device|Size|per_\w+)"
)
"""What PyTorch's own unpickler, which is not Python's, makes by itself."""
_SCRIPT_REACHES = re.compile(r"\b(save|from_file)\s*\(|\bops\.(?!aten\b|prims?\b|_?quantized\b)(\w+)")
"""Operations that read or write files, and those that another library brings."""


def read_script(path: Path) -> Any:
    """Return a TorchScript module, its tensors on the CPU."""
    return import_module("torch").jit.load(str(path), map_location="cpu").eval()


def audit_script(path: Path) -> list[str]:
    """List types that TorchScript does not know by itself, and operations that reach out of the model."""
    named: set[str] = set()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".pkl"):
                named.update(n for n in _globals(archive.open(name)) if not _SCRIPT_TYPES.fullmatch(n))
            elif "/code/" in name and name.endswith(".py"):
                text = archive.read(name).decode("utf-8", "replace")
                named.update(f"{found[0]}, in {name}" for found in _SCRIPT_REACHES.finditer(text))
    return sorted(named)


def _globals(stream: Any) -> Iterator[str]:
    """Name what a pickle imports; what only newer protocols have is named too, since PyTorch does not write it."""
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name == "GLOBAL":
            yield str(argument).replace(" ", ".")
        elif opcode.name in ("STACK_GLOBAL", "INST", "OBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"):
            yield f"pickle opcode {opcode.name}"
