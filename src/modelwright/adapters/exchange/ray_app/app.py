"""A model on Ray Serve: ``serve run app:app`` in this folder.

It needs nothing but Ray and uv where Ray runs: ``pip install "ray[serve]" uv``. What is served, and with which weights,
stands in ``deployment.json``; what runs it lies in ``model_app/``.
"""

# mypy: ignore-errors

from __future__ import annotations

from pathlib import Path

from model_app.building import build

FOLDER = Path(__file__).resolve().parent


def app(args: dict[str, str]):
    """Return the application.

    Args:
        args: ``wheels``: where the nodes find the wheels; by default the folder beside this file, which has to be at
            the same path on every node.
    """
    return build(FOLDER, wheels=args.get("wheels") or str(FOLDER / "wheels"))
