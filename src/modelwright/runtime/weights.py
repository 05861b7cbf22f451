"""Find the folder that holds the artifacts: in the package itself, or in the distribution with its weights.

Called by loading, before anything is checked or loaded. Only the folder is looked for: that the files in it are those
that were captured is :mod:`.integrity`'s business, wherever they lie. Nothing of the other distribution is imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .errors import IntegrityError


def artifacts_folder(folder: Path, manifest: dict[str, Any]) -> Path:
    """Return the folder with the artifacts of a model.

    Args:
        folder: The model folder (``…/churn/model``).
        manifest: Its manifest.

    Raises:
        IntegrityError: The weights are in a distribution that is not installed, or in another version.
    """
    wanted = manifest.get("weights", "")
    if not wanted:
        return folder / "artifacts"
    found = ""
    for place in _places(folder, f"{manifest['name']}-weights".replace("-", "_")):
        found = _version(place / "weights.json")
        if found == wanted:
            return place / "artifacts"
    requirement = weights_requirement(manifest)
    raise IntegrityError(
        f"The weights of {manifest['name']} {manifest['version']} are not installed."
        if not found
        else f"{manifest['name']} {manifest['version']} needs its weights in version {wanted}; {found} is installed.",
        where=str(folder),
        why=f"They are shipped once for all releases that share them, as {requirement}.",
        hint=f"pip install {requirement}",
    )


def weights_requirement(manifest: dict[str, Any]) -> str:
    """Return the requirement that brings the artifacts, ``churn-weights==1.2.0``.

    Example:
        >>> weights_requirement({"name": "churn", "version": "1.3.0", "weights": "1.2.0"})
        'churn-weights==1.2.0'
        >>> weights_requirement({"name": "churn", "version": "1.3.0"})
        'churn==1.3.0'
    """
    if manifest.get("weights"):
        return f"{manifest['name']}-weights=={manifest['weights']}"
    return f"{manifest['name']}=={manifest['version']}"


def _places(folder: Path, module: str) -> Iterator[Path]:
    """Yield where the weights may be: beside the package they belong to first, then wherever Python finds them."""
    yield folder.absolute().parent.parent / module
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return
    yield from map(Path, (spec.submodule_search_locations if spec else None) or ())


def _version(document: Path) -> str:
    try:
        return str(json.loads(document.read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
