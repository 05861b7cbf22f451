"""Read and write exported programs of PyTorch without what is of no use later, the same bytes every time.

Called by the torch-export format. Left out are example rows, the paths and lines of the code that was exported,
conditions that PyTorch would evaluate as Python, and every device but the CPU.
"""

from __future__ import annotations

import copy
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from modelwright.adapters.formats import torch_archive
from modelwright.adapters.loaders.torch_loader.programs import EXAMPLES, program_parts
from modelwright.errors import LoaderError

MODEL = "models/model.json"
"""Member that holds the graph."""
_FORMAT = "archive_format"
_CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")


def write_program(program: Any, target: Path) -> None:
    """Write a ``torch.export.ExportedProgram``; ``torch.export.load`` reads it."""
    import torch

    bare = copy.copy(program)
    bare.example_inputs = None
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        written = Path(folder) / target.name
        torch.export.save(bare, written)
        parts = cleaned(program_parts(written))
        changed = {name: parts[name] for name in (MODEL, EXAMPLES, *_CONFIGS)}
        torch_archive.rewrite(written, target, changed=changed, dropped=(".data/serialization_id",))


def program_in(path: Path) -> dict[str, bytes] | None:
    """Return the cleaned parts of an exported program; ``None`` if the file is none.

    Raises:
        LoaderError: It is one, and damaged.
    """
    if not path.is_file():
        return None
    try:
        names = torch_archive.members(path)
        return cleaned(program_parts(path)) if {_FORMAT, MODEL} <= names else None
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError) as error:
        raise LoaderError("The exported program is damaged.", where=str(path), why=str(error)) from error


def cleaned(parts: dict[str, bytes]) -> dict[str, bytes]:
    """Return the parts of a program without what is of no use.

    Args:
        parts: As :func:`~modelwright.adapters.loaders.torch_loader.programs.program_parts` gives them.
    """
    changed = {EXAMPLES: b""}
    for name in (MODEL, *_CONFIGS):
        document = json.loads(parts[name])
        _clean(document)
        changed[name] = json.dumps(document, separators=(",", ":")).encode()
    return {name: changed.get(name, content) for name, content in parts.items() if not name.startswith("extra/")}


def _clean(value: Any) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "metadata":
                value[key] = {}
            elif key == "guards_code":
                value[key] = []
            elif key in ("device", "as_device") and isinstance(part, dict):
                value[key] = {"type": "cpu", "index": None}
            else:
                _clean(part)
    elif isinstance(value, list):
        for part in value:
            _clean(part)
