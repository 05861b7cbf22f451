"""Read what a pickle would import and call, without executing any of it.

For: opening saved models and :mod:`modelwright.inspecting.scan`. The opcodes are interpreted over symbols instead of
objects, so that names made on the stack and names fetched from the memo are seen too, and so that the raw arrays that
joblib writes between opcodes can be skipped.

It does not judge: what is safe is decided by who asks. A file that cannot be read to its end is reported as such,
with everything that an unpickler would have done before it failed.

Source: CPython ``Lib/pickletools.py`` (opcodes), PEP 307, PEP 3154, PEP 574; joblib ``numpy_pickle.py`` (arrays).
"""

from __future__ import annotations

import _compat_pickle
import lzma
import pickletools
import warnings
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple, cast

from modelwright.capturing.compression import decompressed
from modelwright.spec.struct import Frozen

UNKNOWN = "?"
"""Stands for a module or name that is computed while the file is loaded."""
MAX_OPCODES = 50_000_000
"""Opcodes that are read at most; a defence against endless files."""
VERSION_KEYS = {"_sklearn_version": "scikit-learn"}
"""State entries in which libraries note their version, and the distribution they speak of."""


class PickleReport(Frozen, frozen=True, kw_only=True):
    """What loading a pickle would do.

    Attributes:
        globals: Full names of everything it would import, sorted (``os.system``).
        calls: Those of them that it would call while loading, sorted.
        protocol: Highest protocol it declares.
        compression: Kind of compression around it; empty without.
        arrays: Number of arrays that joblib stored between the opcodes.
        versions: Versions of libraries that are noted inside, by distribution.
        problem: Why it could not be read to its end; empty if it could.
    """

    globals: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    protocol: int = 0
    compression: str = ""
    arrays: int = 0
    versions: dict[str, str] = {}
    problem: str = ""


def read_globals(stream: BinaryIO) -> PickleReport:
    r"""Read a pickle or joblib file, compressed or not, and list what loading it would import and call.

    Args:
        stream: Seekable binary stream at the start of the file.

    Example:
        >>> import io, pickle, collections
        >>> read_globals(io.BytesIO(pickle.dumps(collections.OrderedDict(a=1)))).calls
        ('collections.OrderedDict',)
        >>> read_globals(io.BytesIO(b"cos\nsystem\n(S'id'\ntR.")).calls
        ('os.system',)
    """
    kind, opened = decompressed(stream)
    machine = _Machine()
    problem = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pickletools warns of escapes in damaged text
            machine.run(opened)
    except (ValueError, IndexError, KeyError, TypeError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        problem = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    except RecursionError:
        problem = "nested too deeply"
    return PickleReport(
        globals=tuple(sorted(machine.globals)),
        calls=tuple(sorted(machine.calls)),
        protocol=machine.protocol,
        compression=kind,
        arrays=machine.arrays,
        versions=dict(sorted(machine.versions.items())),
        problem=problem,
    )


class Symbol(NamedTuple):
    """Something that exists only after loading: an imported name or the result of a call.

    Attributes:
        name: Full name of what was imported, or of what was called to make it.
        arguments: What it was called with; ``None`` for the imported thing itself.
    """

    name: str
    arguments: Any = None


class _Mark:
    """Where a group of stack items begins."""


_MARK = _Mark()
_JOBLIB_WRAPPERS = tuple(f"{m}.numpy_pickle.NumpyArrayWrapper" for m in ("joblib", "sklearn.externals.joblib"))


class _Machine:
    """Interprets opcodes over symbols."""

    def __init__(self) -> None:
        self.globals: set[str] = set()
        self.calls: set[str] = set()
        self.versions: dict[str, str] = {}
        self.protocol = 0
        self.arrays = 0

    def run(self, stream: Any) -> None:
        """Interpret one pickle, up to its STOP.

        Raises:
            ValueError: It is malformed; so are the other errors of a broken stack.
        """
        stack: list[Any] = []
        memo: dict[int, Any] = {}
        # An unpickler starts at protocol 0 again with each nested stream.
        protocol = 0
        for count, (opcode, found, _) in enumerate(pickletools.genops(stream)):
            name, argument = opcode.name, cast("Any", found)
            if count > MAX_OPCODES:
                raise ValueError(f"more than {MAX_OPCODES} opcodes")
            if name == "PROTO":
                protocol = argument
                self.protocol = max(self.protocol, argument)
            elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
                memo[argument] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[argument])
            elif name in ("GLOBAL", "INST"):
                self._global(stack, name, argument, protocol)
            elif name in _HANDLERS:
                _HANDLERS[name](self, stack)
                if name == "BUILD" and _is_wrapper(stack[-1]):
                    self._skip_array(stack, stream)
            elif opcode.stack_after and opcode.stack_after[0] is not pickletools.markobject:
                self._push(stack, name, argument)

    def _push(self, stack: list[Any], name: str, argument: Any) -> None:
        if name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name.startswith(("PERSID", "EXT")):
            stack.append(self._imported(UNKNOWN, f"{name.lower()}-{argument}"))
        else:
            stack.append(_CONSTANTS.get(name, argument))

    def _global(self, stack: list[Any], opcode: str, argument: str, protocol: int) -> None:
        module, _, name = argument.partition(" ")
        if protocol < 3:  # pickle.Unpickler(fix_imports=True) renames what Python 2 called otherwise
            module, name = _compat_pickle.NAME_MAPPING.get(
                (module, name), (_compat_pickle.IMPORT_MAPPING.get(module, module), name)
            )
        found = self._imported(module, name)
        stack.append(self._call(found, _to_mark(stack)) if opcode == "INST" else found)

    def _imported(self, module: Any, name: Any) -> Symbol:
        known = isinstance(module, str) and isinstance(name, str)
        full = f"{module}.{name}" if known else f"{UNKNOWN}.{UNKNOWN}"
        self.globals.add(full)
        return Symbol(full)

    def _call(self, function: Any, arguments: Any) -> Symbol:
        name = function.name if isinstance(function, Symbol) else f"{UNKNOWN}.{UNKNOWN}"
        self.calls.add(name)
        self.globals.add(name)
        return Symbol(name, (arguments, []))

    def stack_global(self, stack: list[Any]) -> None:
        name, module = stack.pop(), stack.pop()
        stack.append(self._imported(module, name))

    def reduce(self, stack: list[Any]) -> None:
        arguments, function = stack.pop(), stack.pop()
        stack.append(self._call(function, arguments))

    def new_object_ex(self, stack: list[Any]) -> None:
        stack.pop()
        self.reduce(stack)

    def object(self, stack: list[Any]) -> None:
        kind, *arguments = _to_mark(stack)
        stack.append(self._call(kind, arguments))

    def persistent(self, stack: list[Any]) -> None:
        stack.pop()
        stack.append(self._imported(UNKNOWN, "persistent id"))

    def build(self, stack: list[Any]) -> None:
        state = stack.pop()
        target = stack[-1]
        if isinstance(target, Symbol) and target.arguments is not None:
            target.arguments[1].append(state)

    def set_items(self, stack: list[Any], pairs: list[Any]) -> None:
        target = stack[-1]
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if isinstance(key, str):
                if key in VERSION_KEYS and isinstance(value, str):
                    self.versions[VERSION_KEYS[key]] = value
                if isinstance(target, dict):
                    target[key] = value

    def _skip_array(self, stack: list[Any], stream: Any) -> None:
        """Skip the bytes that joblib writes after an array's description; an object array is a pickle of its own."""
        state = stack[-1].arguments[1][-1]
        size, has_objects = _dtype_size(state["dtype"])
        self.arrays += 1
        if has_objects:
            self.run(stream)
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            _skip(stream, _skip_one(stream))
        count = 1
        for length in state["shape"]:
            count *= length
        _skip(stream, count * size)


def _is_wrapper(value: Any) -> bool:
    return isinstance(value, Symbol) and value.name in _JOBLIB_WRAPPERS and value.arguments is not None


def _dtype_size(dtype: Any) -> tuple[int, bool]:
    """Return bytes per element and whether elements are Python objects, from the call that would make the dtype."""
    (text, *_), states = dtype.arguments
    flags = states[-1][7] if states and len(states[-1]) > 7 else 0
    kind, digits = text.lstrip("<>|=")[0], text.lstrip("<>|=")[1:]
    if kind == "O" or flags & 1:  # NPY_ITEM_HASOBJECT. Source: numpy/ndarraytypes.h
        return 0, True
    if kind == "V" and states and isinstance(states[-1][5], int) and states[-1][5] > 0:
        return states[-1][5], False
    return int(digits) * (4 if kind == "U" else 1), False


def _skip_one(stream: Any) -> int:
    byte = stream.read(1)
    if not byte:
        raise EOFError("an array is cut off")
    return int(byte[0])


def _skip(stream: Any, size: int) -> None:
    while size > 0:
        read = stream.read(min(size, 1 << 20))
        if not read:
            raise EOFError("an array is cut off")
        size -= len(read)


def _to_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _extend(_machine: _Machine, stack: list[Any]) -> None:
    items = _to_mark(stack)
    if isinstance(stack[-1], list):
        stack[-1].extend(items)


def _append(_machine: _Machine, stack: list[Any]) -> None:
    item = stack.pop()
    if isinstance(stack[-1], list):
        stack[-1].append(item)


def _tuple(size: int) -> Callable[[_Machine, list[Any]], None]:
    def make(_machine: _Machine, stack: list[Any]) -> None:
        items = [stack.pop() for _ in range(size)]
        stack.append(tuple(items[::-1]))

    return make


def _dict(machine: _Machine, stack: list[Any]) -> None:
    pairs = _to_mark(stack)
    stack.append({})
    machine.set_items(stack, pairs)


def _set_items(machine: _Machine, stack: list[Any]) -> None:
    pairs = _to_mark(stack)
    machine.set_items(stack, pairs)


def _set_item(machine: _Machine, stack: list[Any]) -> None:
    value, key = stack.pop(), stack.pop()
    machine.set_items(stack, [key, value])


def _pop(_machine: _Machine, stack: list[Any]) -> None:
    stack.pop()


_HANDLERS: dict[str, Callable[[_Machine, list[Any]], None]] = {
    "STACK_GLOBAL": _Machine.stack_global,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.reduce,
    "NEWOBJ_EX": _Machine.new_object_ex,
    "OBJ": _Machine.object,
    "BINPERSID": _Machine.persistent,
    "BUILD": _Machine.build,
    "MARK": lambda _, stack: stack.append(_MARK),
    "POP": _pop,
    "POP_MARK": lambda _, stack: _to_mark(stack).clear(),
    "DUP": lambda _, stack: stack.append(stack[-1]),
    "APPEND": _append,
    "APPENDS": _extend,
    "ADDITEMS": lambda _, stack: _to_mark(stack).clear(),
    "LIST": lambda _, stack: stack.append(_to_mark(stack)),
    "TUPLE": lambda _, stack: stack.append(tuple(_to_mark(stack))),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "FROZENSET": lambda _, stack: stack.append(frozenset(map(id, _to_mark(stack)))),
    "DICT": _dict,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "STOP": _pop,
    "READONLY_BUFFER": lambda *_: None,
}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set, "EMPTY_TUPLE": tuple}
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
