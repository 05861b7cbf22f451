"""Learn the typed outputs of a live model, and what it does with categories it has never seen.

For: capture, after :mod:`modelwright.capturing.signature` has described the inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from modelwright.capturing.answers import Labels, read_answer
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError
from modelwright.spec.signature import Field, Output

MAX_PROBES = 100
"""So many categorical fields are tried one by one; with more, a model that refuses unknown levels refuses them all."""
_UNSEEN = "modelwright: unseen level"


def infer_outputs(
    raw: Any,
    *,
    method: str,
    n_rows: int,
    labels: Labels | None = None,
    declared: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Output, ...]:
    """Infer the outputs of one method from what the live model answered.

    Args:
        raw: The answer, of any kind that :func:`~modelwright.capturing.answers.read_answer` understands.
        method: The method that gave it.
        n_rows: Number of rows the model was asked about.
        labels: Class labels of the model.
        declared: Per output, attributes the user knows better.

    Raises:
        ModelMismatchError: The answer has no datatype, another number of rows, or NaN or infinity.

    Example:
        >>> answer = np.array([[0.2, 0.8]])
        >>> output, = infer_outputs(answer, method="predict_proba", n_rows=1, labels=("no", "yes"))
        >>> output.name, output.shape, output.labels
        ('probability', (2,), ('no', 'yes'))
    """
    found = read_answer(raw, method=method, n_rows=n_rows, labels=labels, declared=declared)
    return tuple(item.output for item in found)


def probe_unknown(
    fields: Sequence[Field], table: Table, predict: Callable[[Any], object], *, keep: Sequence[str] = ()
) -> tuple[Field, ...]:
    """Find out what the model does with a level it has never seen, one categorical field at a time.

    All fields are tried together first: a model that answers that accepts each of them, which costs one call. A field
    whose unseen level makes the model raise gets ``on_unknown="error"``, so that callers are told before the model is.

    Args:
        fields: Inputs as inferred.
        table: The sample; its first row without a missing category is changed.
        predict: Asks the live model about rows in the sample's container; raises if the model does.
        keep: Fields whose policy the user declared.
    """
    probed = [
        field
        for field in fields
        if field.categories is not None and field.datatype != "bool" and not field.shape and field.name not in keep
    ]
    if not probed:
        return tuple(fields)
    refused = set() if _answers(predict, table, probed) else _refusing(predict, table, probed)
    return tuple(
        msgspec.structs.replace(field, on_unknown="error") if field.name in refused else field for field in fields
    )


def _refusing(predict: Callable[[Any], object], table: Table, probed: Sequence[Field]) -> set[str]:
    if len(probed) > MAX_PROBES:
        return {field.name for field in probed}
    return {field.name for field in probed if not _answers(predict, table, [field])}


def _answers(predict: Callable[[Any], object], table: Table, fields: Sequence[Field]) -> bool:
    whole = ~np.any([table.column(field.name).missing for field in fields], axis=0)
    row = int(np.argmax(whole))
    changed = table.with_values(row, {field.name: unseen_level(field) for field in fields})
    try:
        predict(changed)
    except ModelMismatchError:
        return False
    return True


def unseen_level(field: Field) -> str | int | float:
    """Return a value of the field's type that is none of its categories.

    Example:
        >>> unseen_level(Field(name="zone", datatype="int64", categories=(1, 2, 7)))
        8
    """
    if field.datatype == "string" or field.categories is None:
        return _UNSEEN
    largest = max((level for level in field.categories if not isinstance(level, str)), default=0)
    return largest + 1
