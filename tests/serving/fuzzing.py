"""Ask a server whatever its OpenAPI document allows, and what it does not, by schemathesis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"


def fuzz(document: dict[str, Any], url: str, *options: str, folder: Path, hooks: str) -> str:
    """Ask by a document, of whose bodies only JSON is left; it must find nothing. Return what is said of it.

    Args:
        document: The OpenAPI document.
        url: The server.
        options: Further options.
        folder: Where to run it.
        hooks: Module beside this one that it is told by.
    """
    for item in document["paths"].values():  # text and bytes have no schema that says which of them are rows
        content = item.get("post", {}).get("requestBody", {}).get("content", {})
        for kind in [kind for kind in content if kind != "application/json"]:
            del content[kind]
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    done = subprocess.run(
        [
            *(str(SCHEMATHESIS), "run", "openapi.json", "--url", url, "--no-color", "--seed", "1"),
            *("--phases", "examples,coverage,fuzzing", *options),
        ],
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": hooks, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
