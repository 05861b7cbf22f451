"""The notebook as provenance: what a person wrote, without what a kernel added.

Called by convert, which keeps it beside the project; the manifest has the digest of it. Outputs go because they hold
data; execution counts, because each run changes them. Same notebook, same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelwright.errors import NotebookError
from modelwright.project.notebook.ipynb import decode

_KEPT_CELL = ("cell_type", "id", "source", "input", "language", "level", "attachments")
_KEPT_ABOUT = ("kernelspec", "language_info", "jupytext", "name", "language")


def stripped(path: str | Path) -> bytes:
    """Return the bytes of a notebook without outputs, execution counts and the state of widgets.

    Args:
        path: The file. One that is no ``.ipynb`` has none of these and is returned as it is.

    Raises:
        NotebookError: It cannot be read, or is no notebook.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        if path.suffix.lower() != ".ipynb":
            return content
        notebook = decode(content.decode("utf-8-sig"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"{path} cannot be read.", where=str(path), why=str(error)) from error
    metadata = notebook.get("metadata")
    notebook["metadata"] = _only(metadata, _KEPT_ABOUT) if isinstance(metadata, dict) else {}
    if isinstance(cells := notebook.get("cells"), list):
        notebook["cells"] = [_cell(cell) for cell in cells]
    for sheet in notebook.get("worksheets", []):
        sheet["cells"] = [_cell(cell) for cell in sheet.get("cells", [])]
    return (json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _cell(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    kept = _only(cell, _KEPT_CELL)
    metadata = cell.get("metadata")
    kept["metadata"] = _only(metadata, ("tags", "name")) if isinstance(metadata, dict) else {}
    if cell.get("cell_type") == "code":
        kept["outputs"] = []
        kept["prompt_number" if "input" in cell else "execution_count"] = None
    return kept


def _only(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}
