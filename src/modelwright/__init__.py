"""Ship machine-learning models as ordinary Python wheels.

The public names are listed in ``__all__`` and imported when they are first used, so that ``import modelwright``
costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelwright.building.build import build
    from modelwright.building.sdist import build_sdist
    from modelwright.capturing.capture import capture
    from modelwright.capturing.rules import direction, example, invariance, minimum
    from modelwright.errors import ModelwrightError, Problem
    from modelwright.exchange.exporting import export
    from modelwright.inspecting.diff import diff
    from modelwright.inspecting.read import read
    from modelwright.inspecting.scan import scan
    from modelwright.inspecting.verify import verify
    from modelwright.package import Package
    from modelwright.registry.registry import Registry
    from modelwright.serving.client.async_client import AsyncClient
    from modelwright.serving.client.client import Client
    from modelwright.serving.isolated.load import load
    from modelwright.serving.serve import serve
    from modelwright.spec.lineage import DataReference
    from modelwright.spec.manifest import Manifest

_HOMES = {
    "AsyncClient": "modelwright.serving.client.async_client",
    "Client": "modelwright.serving.client.client",
    "DataReference": "modelwright.spec.lineage",
    "Manifest": "modelwright.spec.manifest",
    "ModelwrightError": "modelwright.errors",
    "Package": "modelwright.package",
    "Problem": "modelwright.errors",
    "Registry": "modelwright.registry.registry",
    "build": "modelwright.building.build",
    "build_sdist": "modelwright.building.sdist",
    "capture": "modelwright.capturing.capture",
    "diff": "modelwright.inspecting.diff",
    "direction": "modelwright.capturing.rules",
    "example": "modelwright.capturing.rules",
    "export": "modelwright.exchange.exporting",
    "invariance": "modelwright.capturing.rules",
    "load": "modelwright.serving.isolated.load",
    "minimum": "modelwright.capturing.rules",
    "read": "modelwright.inspecting.read",
    "scan": "modelwright.inspecting.scan",
    "serve": "modelwright.serving.serve",
    "verify": "modelwright.inspecting.verify",
}

__version__ = "0.1.0"
__all__ = [
    "AsyncClient",
    "Client",
    "DataReference",
    "Manifest",
    "ModelwrightError",
    "Package",
    "Problem",
    "Registry",
    "__version__",
    "build",
    "build_sdist",
    "capture",
    "diff",
    "direction",
    "example",
    "export",
    "invariance",
    "load",
    "minimum",
    "read",
    "scan",
    "serve",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    try:
        value = getattr(import_module(_HOMES[name]), name)
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
