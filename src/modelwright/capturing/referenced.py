"""Find every function and class that a live model refers to by name, and where each one lives.

A serialised model holds data and *names*: ``churn.features.ratio`` is looked up again where it is loaded. Called by
code collection (what must be shipped) and by dependencies (what must be installed). It writes nothing, and it never
fails on a part that cannot be saved: the format says that better.
"""

from __future__ import annotations

import copyreg
import inspect
import pickle
import sys
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

from modelwright.capturing.homes import Home, home_of_module, module_files


class Reference(NamedTuple):
    """One function, class or module that a model refers to by name.

    Attributes:
        value: The object itself.
        module: Name of the module it is looked up in.
        name: Qualified name within the module (``Scaler.inner``); empty for a module.
        home: Where the module belongs.
        file: The module's file; ``None`` without one.
    """

    value: Any
    module: str
    name: str
    home: Home
    file: Path | None


def referenced_objects(*models: object) -> tuple[Reference, ...]:
    """List what models refer to, in the order of its first use.

    Example:
        >>> import collections
        >>> [f"{r.module}.{r.name} is {r.home}" for r in referenced_objects(collections.Counter("a"))]
        ['collections.Counter is standard']
    """
    finder = _Finder()
    for model in models:
        if isinstance(model, ModuleType):
            finder.found.setdefault(id(model), _reference(model, model.__name__, ""))
        else:
            finder.dump(model)
    return tuple(finder.found.values())


class _Finder(pickle.Pickler):
    """Pickles to nowhere and takes down each name; buffers are not copied (PEP 574)."""

    def __init__(self) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=_drop)
        self.found: dict[int, Reference] = {}

    def reducer_override(self, obj: Any) -> Any:
        if obj is _nothing:
            return NotImplemented
        if isinstance(obj, type | FunctionType | BuiltinFunctionType) and not _is_bound(obj):
            self._take(obj, _module_of(obj, obj.__qualname__), obj.__qualname__)
            return _nothing, ()
        try:
            reduced = _reduce(obj)
        except Exception:  # an object may refuse in any way it likes; saving it will name it
            self._take(type(obj), type(obj).__module__, type(obj).__qualname__)
            return _nothing, ()
        if isinstance(reduced, str):
            self._take(obj, _module_of(obj, reduced), reduced)
            return _nothing, ()
        return reduced

    def _take(self, obj: Any, module: str, name: str) -> None:
        self.found.setdefault(id(obj), _reference(obj, module, name))


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


def _nothing() -> None:
    """Stand in the stream for everything that has been taken down."""


def _drop(buffer: pickle.PickleBuffer) -> None:
    """Leave a buffer out of the stream."""


def _reduce(obj: Any) -> Any:
    reduce: Any = copyreg.dispatch_table.get(type(obj))
    return reduce(obj) if reduce else obj.__reduce_ex__(5)


def _module_of(obj: Any, name: str) -> str:
    """Find the module that has the object under this name; C objects often do not know theirs."""
    known = getattr(obj, "__module__", None)
    if known:
        return str(known)
    for module_name, module in sys.modules.copy().items():
        if module_name != "__main__" and getattr(module, name, None) is obj:
            return module_name
    return "__main__"


def _is_bound(obj: Any) -> bool:
    owner = getattr(obj, "__self__", None)
    return owner is not None and not inspect.ismodule(owner) and not isinstance(obj, type)


def _reference(obj: Any, module: str, name: str) -> Reference:
    files = module_files(module)
    return Reference(obj, module, name, home_of_module(module), files[0] if files else None)
