from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import load, manifest, predict

__all__ = ["load", "manifest", "predict"]


def __getattr__(name: str) -> Any:
    """Hand out the captured model when it is first asked for; before `make train` there is none."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.model"), name)
