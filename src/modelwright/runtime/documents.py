"""Read the documents of a model folder: the manifest and the scenarios.

Called by loading, the command line and the generated package. It does not validate the whole manifest: that was
done when the package was captured and built; here it is checked that this runtime may read it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import FormatVersionError, ManifestError

FORMAT_VERSION = 1
"""The newest format version that this runtime reads (``spec.manifest.FORMAT_VERSION`` of the same release)."""

_NEEDED = ("name", "version", "storage", "artifacts", "signature", "environment")


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """Read ``manifest.json`` of a model folder as plain data.

    Args:
        folder: The model folder (``…/churn/model``).

    Returns:
        The JSON object; fields that have their default are absent.

    Raises:
        ManifestError: The file is missing or is not a manifest.
        FormatVersionError: It was written by a newer modelwright.
    """
    path = Path(folder) / "manifest.json"
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ManifestError(
            "The model folder has no manifest.", where=str(path), hint="Is this a model folder?"
        ) from error
    except OSError as error:
        raise ManifestError("The manifest cannot be read.", where=str(path), why=str(error)) from error
    except ValueError as error:
        raise ManifestError("The manifest is not JSON.", where=str(path), why=str(error), hint=_REINSTALL) from error
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ManifestError("The manifest has no format_version.", where=str(path), hint="Is this a model folder?")
    if version > FORMAT_VERSION:
        raise FormatVersionError(
            f"The manifest has format version {version}; this runtime reads up to {FORMAT_VERSION}.",
            where=str(path),
            hint="Read it with the runtime it carries: python -m NAME.model info",
        )
    missing = [name for name in _NEEDED if name not in document]
    if missing:
        raise ManifestError(f"The manifest lacks {', '.join(missing)}.", where=str(path), hint=_REINSTALL)
    return dict(document)


def read_scenarios(path: Path) -> list[dict[str, Any]]:
    """Read scenarios, one JSON object per line.

    Raises:
        ManifestError: The file is missing, or a line is not a scenario.
    """
    try:
        lines = path.read_text("utf-8").split("\n")  # splitlines() would also cut at U+2028, which JSON text may hold
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError("The scenarios cannot be read.", where=str(path), why=str(error)) from error
    scenarios = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            scenario = json.loads(line)
            _ = scenario["name"], scenario["kind"], scenario["inputs"]
        except (ValueError, TypeError, KeyError) as error:
            where = f"{path}, line {number}"
            raise ManifestError("The line is not a scenario.", where=where, why=repr(error)) from error
        scenarios.append(scenario)
    return scenarios


_REINSTALL = "Install the package again: pip install --force-reinstall NAME==VERSION"
