"""Small real wheels for a registry: models that need no library, helper libraries, sdists. Built in milliseconds."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "inspecting"))

from toy_packages import write_toy

from modelwright.building.archive import Entry, write_wheel
from modelwright.building.build import build

CARD = """---
language: en
---
# Churn

Who will leave.

## Intended use

To call customers before they go.
"""


def model_wheel(
    folder: Path,
    version: str = "1.0.0",
    *,
    name: str = "churn",
    slope: float = 2.0,
    accuracy: float = 0.9,
    card: str = CARD,
    charts: Mapping[str, bytes] = MappingProxyType({}),
    **changes: Any,
) -> Path:
    """Build the wheel of a model that answers ``slope * x + 1``; it installs on any Python and needs no library.

    Args:
        folder: Where the wheel shall be.
        version: Its version.
        name: Name of the project.
        slope: Two models with the same slope answer alike.
        accuracy: What its evaluation on ``test`` says.
        card: Its card.
        charts: Charts of its model folder, by file name.
        **changes: Fields of the manifest.
    """
    sources = folder / f"source-{name}-{version}-{slope}"
    document = {
        "name": name,
        "version": version,
        "import_name": name.replace("-", "_"),
        "summary": f"Who will leave, slope {slope}",
        "owners": ["Ann <ann@example.org>"],
        "license": "Apache-2.0",
        "evaluations": [
            {"metric": "accuracy", "value": accuracy, "dataset": "test", "rows": 100, "better": "higher"},
            {"metric": "accuracy", "value": accuracy - 0.05, "dataset": "test", "slice": "new customers", "rows": 20},
        ],
        "environment": {"python": "3.11.7", "interpreters": ["cp311"], "portable": True, "dependencies": []},
    } | changes
    write_toy(sources, slope=slope, **document)
    model = sources / str(document["import_name"]) / "model"
    (model / "card.md").write_text(card, encoding="utf-8")
    for file, content in charts.items():
        (model / "charts").mkdir(exist_ok=True)
        (model / "charts" / file).write_bytes(content)
    return build(sources, folder)


def library_wheel(
    folder: Path, version: str = "1.0", *, name: str = "teamtools", requires: str = "", module: str = ""
) -> Path:
    """Build an ordinary wheel with one module, which is called like the project if nothing else is said."""
    file = name.replace("-", "_")
    module = module or file
    info = f"{file}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: Helpers\n"
    metadata += f"Requires-Dist: {requires}\n" if requires else ""
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    entries = [
        Entry(f"{module}/__init__.py", f'VERSION = "{version}"\n'.encode()),
        Entry(f"{info}/METADATA", metadata.encode()),
        Entry(f"{info}/WHEEL", wheel.encode()),
    ]
    path = folder / f"{file}-{version}-py3-none-any.whl"
    write_wheel(path, entries, dist_info=info, epoch=1_700_000_000)
    return path
