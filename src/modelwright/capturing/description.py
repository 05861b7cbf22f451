"""What a live model takes and gives: its signature, learned from the whole sample and from its answers to it.

Called by capture. It calls the model; it writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modelwright.capturing.answers import Answer, LiveModel, call, task_of
from modelwright.capturing.levels import known_levels
from modelwright.capturing.outputs import probe_unknown
from modelwright.capturing.signature import Overrides, check_columns, infer_inputs, sample_notes
from modelwright.capturing.table import Table
from modelwright.spec.manifest import Task
from modelwright.spec.signature import Signature


class Description(NamedTuple):
    """What a live model takes and gives.

    Attributes:
        live: The model and how it is asked.
        table: The sample.
        signature: Its typed inputs and outputs.
        answers: What the live model answered to the whole sample, per output.
        task: What kind of model it is.
        notes: What a person should know about how far the sample carries.
    """

    live: LiveModel
    table: Table
    signature: Signature
    answers: tuple[Answer, ...]
    task: Task
    notes: tuple[str, ...]


def describe(live: LiveModel, sample: Any, *, fields: Overrides | None = None) -> Description:
    """Learn the signature of a model from a sample and its answers.

    Args:
        live: The live model.
        sample: The training inputs, in any container that the model takes.
        fields: Per input, what the user knows better than the sample shows.

    Raises:
        SampleError: The sample cannot describe the inputs.
        ModelMismatchError: The model fails on the sample, or answers what no signature allows.
    """
    table = Table.of(sample)
    check_columns(table, live.model)
    inputs = infer_inputs(table, overrides=fields, known=known_levels(live.model, table.names))
    answers = live.ask(table.data, n_rows=table.n_rows)
    declared = [name for name, override in (fields or {}).items() if "on_unknown" in _keys(override)]
    inputs = probe_unknown(inputs, table, lambda rows: call(live.model, live.methods[0], rows), keep=declared)
    signature = Signature(
        inputs=inputs,
        outputs=tuple(item.output for item in answers),
        container=table.container,
        array_dtype=table.array_dtype,
    )
    return Description(
        live=live,
        table=table,
        signature=signature,
        answers=answers,
        task=task_of(live.model, signature.outputs),
        notes=sample_notes(table, inputs),
    )


def _keys(override: Any) -> Sequence[str]:
    return list(override) if isinstance(override, Mapping) else list(override.__struct_fields__)
