"""Rows of any kind on their way to the process of a model: judged, and copied as little as can be.

Called by :mod:`.model`. What the package's own runtime would pass to the model as one array goes as that array, bytes
and memory order the same: sums over rows of another order differ in the last bit. Everything else goes column by
column, numbers as bytes. The runtime in the process judges all of it again.
"""

from __future__ import annotations

import sys
from array import array
from contextlib import suppress
from typing import Any, NamedTuple

from modelwright.runtime.blocks import TensorBlock
from modelwright.runtime.containers import count_rows, kind_of, take_apart
from modelwright.runtime.shortcuts import shortcuts_of
from modelwright.runtime.validation import judge_table
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Column, Table
from modelwright.serving.intake import packing
from modelwright.serving.isolated.columns import chosen, has_numpy, names_of, numbers_of, portable
from modelwright.serving.workers.batch import Framer, Part, parts_of
from modelwright.serving.workers.sharing import SharedMemory


class Block(NamedTuple):
    """A table that is one array.

    Attributes:
        data: Its bytes.
        form: What they are, as :meth:`.loop.Session.answer_array` takes it.
    """

    data: memoryview
    form: dict[str, Any]


class Fitted(NamedTuple):
    """Rows that fit the signature, or that the process is to judge.

    Attributes:
        kind: The kind of container that they came in.
        size: Number of rows.
        index: Their index, for pandas.
        rows: The rows.
    """

    kind: str
    size: int
    index: Any
    rows: Table | Block

    def frame(self, framer: Framer, number: int, method: str, shared: SharedMemory) -> list[Part]:
        """Return the frame that asks about them, in parts; large rows are written to the shared memory."""
        if isinstance(self.rows, Table):
            return framer.parts(number, (method,), self.rows, shared)
        head = {"id": number, "methods": (method,), "size": self.size, "array": self.rows.form}
        return parts_of(head, [self.rows.data], shared)


class Fitter:
    """Brings rows into the form in which they go to a model's process.

    Args:
        contract: What they are judged by.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        container = contract.signature["container"]
        self._arrays = container in ("numpy", "pandas")  # its environment has NumPy
        self._names = contract.fields
        whole = contract.blocked or TensorBlock.usable(contract.signature)
        self._shortcuts = shortcuts_of(contract.signature) if whole else {}
        self._fields = {field["name"]: field for field in contract.inputs}

    def fit(self, held: Any) -> Fitted:
        """Return rows as they go.

        Raises:
            ContainerError: They are in no container that is understood.
            SignatureError: They do not fit the signature; every problem is listed.
        """
        kind = kind_of(held)
        size = count_rows(held, kind)
        index = held.index if kind == "pandas" else None
        rows = self._block(held, kind) if size else None
        return Fitted(kind, size, index, rows or self._table(held, kind, size))

    def _block(self, held: Any, kind: str) -> Block | None:
        if kind == "numpy" and self._arrays and _is_numeric(held):
            return _block_of(held, framed=False)
        shortcut = self._shortcuts.get(kind)
        if shortcut is None or not has_numpy(kind):
            return None
        with suppress(ModuleNotFoundError):  # a frame of pandas is wanted, and there is none here
            taken = shortcut(held)
            if taken is None:
                return None
            framed = hasattr(taken, "columns")
            return _block_of(taken.to_numpy() if framed else taken, framed=framed)
        return None

    def _table(self, held: Any, kind: str, size: int) -> Table:
        numbers = self._numbers(held, kind, size) if size else {}
        rest = tuple(name for name in self._names if name not in numbers)
        columns: dict[str, Column] = dict(numbers)
        if rest or not numbers:
            apart = take_apart(chosen(held, kind, rest) if numbers else held, kind, rest)
            judges = tuple(judge for judge in self._contract.judges if judge.name not in numbers)
            judged = judge_table(judges, apart, model=self._contract.title)
            columns |= portable(judged, self._fields, model=self._contract.title)
        if not size:
            return Table(0, columns=columns)
        return packing.table(self._contract, [columns[name] for name in self._names], size)

    def _numbers(self, held: Any, kind: str, size: int) -> dict[str, array[Any]]:
        """Return the columns of numbers that are surely fine, if all columns are there and nothing else."""
        if kind in ("records", "numpy") or not has_numpy(kind):
            return {}
        names = names_of(held, kind)
        if len(names) != len(self._names) or {*names} != {*self._names}:
            return {}
        found = {}
        for name, field in self._fields.items():
            column = numbers_of(held, kind, name, field, nan_is_null=self._arrays)
            if column is not None and len(column) == size:
                found[name] = column
        return found


def _is_numeric(rows: Any) -> bool:
    return bool(rows.dtype.kind in "fiub" and rows.dtype.itemsize <= 8 and rows.dtype.isnative)


def _block_of(rows: Any, *, framed: bool) -> Block:
    order = "F" if rows.flags.f_contiguous and not rows.flags.c_contiguous else "C"
    rows = sys.modules["numpy"].asarray(rows, order=order)
    data = rows.reshape(-1, order=order).view("uint8").data
    form = {"dtype": rows.dtype.name, "shape": rows.shape, "order": order, "framed": framed}
    return Block(data, form)
