"""Read the tensors of a request as rows of a model: judged by its contract, all problems at once.

Each field is one tensor ``[n_rows, *shape]``; a field of one value may also come as ``[n_rows, 1]``. A model of nothing
but numbers also takes one tensor ``[n_rows, n_fields]`` under any name, as clients of servers for scikit-learn send it.

Called by the doors of the protocol.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from math import isfinite, isinf, isnan
from typing import Any

from modelwright.errors import MessageError
from modelwright.runtime.errors import Problem
from modelwright.runtime.suggestions import column_problems
from modelwright.runtime.validation import LIMIT
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table
from modelwright.serving.intake.judging import check_size, table_of, unfitting
from modelwright.serving.tensors.datatypes import datatype_of, is_number, takes
from modelwright.serving.tensors.elements import FlawedTensor, flawed, read_tensor
from modelwright.serving.tensors.tensor import Elements, SentTensor, Tensor
from modelwright.serving.tensors.text import decode_text


def read_table(contract: Contract, sent: Sequence[SentTensor], *, max_rows: int) -> Table:
    """Return the rows that tensors hold.

    Args:
        contract: What they are judged by.
        sent: The tensors.
        max_rows: Most rows.

    Raises:
        MessageError: There are no tensors, or no rows.
        TooLargeError: There are more rows than ``max_rows``.
        SignatureError: They do not fit; every problem is listed.
    """
    if not sent:
        raise MessageError(
            "The request holds no tensors.", hint=f"Send one per input: {', '.join(contract.fields[:10])}."
        )
    tensors, problems = _tensors(sent)
    whole = _whole(contract, tensors) if len(sent) == 1 else None
    if whole is not None and len(contract.fields) == 1:
        tensors, sent = [whole], [sent[0]._replace(name=whole.name)]
    elif whole is not None:
        return _table_of_whole(contract, whole, max_rows)
    columns: dict[str, Any] = {}
    problems += column_problems([tensor.name for tensor in sent], contract.fields)
    problems += _uneven(tensors)
    for field in contract.inputs:
        tensor = next((one for one in tensors if one.name == field["name"]), None)
        if tensor is not None:
            try:
                columns[field["name"]] = _column(field, tensor)
            except FlawedTensor as error:
                problems += error.problems
    if problems:
        raise unfitting(contract, problems + _judged(contract, columns))
    size = tensors[0].rows
    check_size(size, max_rows)
    block = _interleaved(contract, columns, size) if contract.blocked else None
    return table_of(contract, columns, size, max_rows=max_rows) if block is None else Table(size, block=block)


def _tensors(sent: Sequence[SentTensor]) -> tuple[list[Tensor], list[Problem]]:
    tensors: list[Tensor] = []
    problems: list[Problem] = []
    for one in sent:
        try:
            tensors.append(read_tensor(one))
        except FlawedTensor as error:
            problems += error.problems
    return tensors, problems


def _uneven(tensors: list[Tensor]) -> list[Problem]:
    counts = [tensor.rows for tensor in tensors]
    usual = max(counts, key=counts.count, default=0)
    return [
        Problem(None, tensor.name, f"has {tensor.rows} rows where others have {usual}")
        for tensor in tensors
        if tensor.rows != usual
    ]


def _judged(contract: Contract, columns: dict[str, Any]) -> list[Problem]:
    """Return what is wrong with the values of those columns that could be read."""
    found: list[Problem] = []
    for judge in contract.judges:
        if judge.name in columns:
            found += judge.judge(list(columns[judge.name]), LIMIT)[1]
    return found


def _whole(contract: Contract, tensors: list[Tensor]) -> Tensor | None:
    """Return the tensor that holds all fields of a model of numbers; ``None`` if it is not sent that way.

    Raises:
        SignatureError: It is, but for another number of fields.
    """
    if len(tensors) != 1 or tensors[0].datatype.family not in ("int", "float"):
        return None
    tensor, width = tensors[0], len(contract.fields)
    if width == 1:
        return tensor._replace(name=contract.fields[0]) if is_number(contract.inputs[0]) else None
    if not all(is_number(field) and not field.get("shape") for field in contract.inputs):
        return None
    if tensor.shape[1:] == (width,):
        return tensor
    if tensor.name in contract.fields:
        return None
    problem = f"has the shape {list(tensor.shape)} where [-1, {width}] is needed"
    hint = f"the columns are, in this order: {', '.join(contract.fields[:10])}{', …' * (width > 10)}"
    raise unfitting(contract, [Problem(None, tensor.name, problem, hint)])


def _table_of_whole(contract: Contract, tensor: Tensor, max_rows: int) -> Table:
    check_size(tensor.rows, max_rows)
    if contract.blocked:
        block = _block(contract, tensor.elements)
        if block is not None:
            return Table(tensor.rows, block=block)
    width = len(contract.fields)
    columns = {name: _number_column(tensor.elements[place::width]) for place, name in enumerate(contract.fields)}
    return table_of(contract, columns, tensor.rows, max_rows=max_rows)


def _block(contract: Contract, elements: Elements) -> bytes | None:
    """Return numbers as float64, if they are surely fine: missing or infinite only where they may be."""
    try:
        floats = elements if isinstance(elements, array) and elements.typecode == "d" else array("d", elements)
    except (TypeError, OverflowError):
        return None
    return floats.tobytes() if _fine(contract, floats) else None


def _fine(contract: Contract, block: array[float]) -> bool:
    if isfinite(sum(block)):
        return True
    for place, judge in enumerate(contract.judges):
        column = block[place :: len(contract.fields)]
        if isfinite(sum(column)):
            continue
        if (not judge.nullable and any(map(isnan, column))) or (not judge.infinite and any(map(isinf, column))):
            return False
    return True


def _interleaved(contract: Contract, columns: Mapping[str, Elements], size: int) -> bytes | None:
    """Return columns of numbers as float64, row by row, if they are surely fine."""
    width = len(contract.fields)
    block = array("d", bytes(8 * size * width))
    try:
        for place, name in enumerate(contract.fields):
            block[place::width] = array("d", columns[name])
    except (TypeError, OverflowError):
        return None
    return block.tobytes() if _fine(contract, block) else None


def _column(field: dict[str, Any], tensor: Tensor) -> Any:
    """Return the values of one field.

    Raises:
        FlawedTensor: Its datatype or shape is not the field's.
    """
    if not takes(field, tensor.datatype):
        raise flawed(tensor.name, f"is {tensor.datatype.name} where {datatype_of(field).name} is needed")
    shape = tuple(field.get("shape", ()))
    sizes = tensor.shape[1:]
    if sizes == (1,) and not shape:
        sizes = ()
    if len(sizes) != len(shape) or any(wanted not in (-1, size) for size, wanted in zip(sizes, shape, strict=True)):
        needed = ", ".join(map(str, (-1, *shape)))
        raise flawed(tensor.name, f"has the shape {list(tensor.shape)} where [{needed}] is needed", "-1 is any size")
    elements = tensor.elements
    if tensor.datatype.family == "bytes":
        elements = decode_text(field, tensor)
    return _nested(list(elements), sizes) if sizes else _number_column(elements)


def _number_column(elements: Elements) -> Elements:
    """Return one column in a form that tables know: a list, or an array of ``d`` or ``q``."""
    if not isinstance(elements, array) or elements.typecode in "dq":
        return elements
    if elements.typecode == "Q":
        return elements.tolist()
    return array("d" if elements.typecode == "f" else "q", elements)


def _nested(elements: list[Any], sizes: tuple[int, ...]) -> list[Any]:
    """Return a flat list of elements as one nested list per row.

    Example:
        >>> _nested([1, 2, 3, 4], (2,))
        [[1, 2], [3, 4]]
    """
    for size in reversed(sizes):
        elements = [elements[place : place + size] for place in range(0, len(elements), size)]
    return elements
