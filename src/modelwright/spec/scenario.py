"""Scenarios: named input rows with expected output, or a behavioural rule, one JSON object per line.

For: capture (chooses them), runtime selftest and verify (run them), diff (compares behaviour through them).
Floats that JSON cannot hold are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"`` in float fields, dates
and times are ISO 8601 text, bytes are base64: the mapping of protocol buffers' JSON.

Source: Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList" (minimum
functionality, invariance, directional expectation); protobuf JSON mapping for the encoding of values.
"""

from __future__ import annotations

from typing import Any, Literal

from modelwright.spec.struct import Frozen

Row = dict[str, Any]


class Tolerance(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """How far an answer may lie from the expected one: ``|a - e| <= atol + rtol * |e|``."""

    rtol: float = 0.0
    atol: float = 0.0


class _Scenario(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What every kind of scenario has.

    Attributes:
        name: Unique within the package; lower-case words joined by hyphens.
        inputs: Rows, keys in the order of the signature.
        reason: Why these rows: a sentence for people (``nearest to the decision boundary``).
        origin: ``auto`` if capture chose it, ``user`` if a person wrote it.
    """

    name: str
    inputs: tuple[Row, ...]
    reason: str = ""
    origin: Literal["auto", "user"] = "auto"


class Example(_Scenario, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="example"):
    """Rows and the answers the model gave when it was captured.

    Attributes:
        expected: Per output name, one value per row.
        tolerance: Per output name; an output that is not named here uses the tolerance of the signature.
    """

    expected: dict[str, tuple[Any, ...]]
    tolerance: dict[str, Tolerance] = {}


class Minimum(_Scenario, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="minimum"):
    """Minimum functionality: an obvious case that any acceptable model gets right.

    Attributes:
        output: Name of the output that is judged.
        label: For an output with class labels: the class whose value is judged.
        equals: The answer must be this value.
        at_least: The answer must not be below this.
        at_most: The answer must not be above this.
    """

    output: str
    label: Any = None
    equals: Any = None
    at_least: float | None = None
    at_most: float | None = None


class Invariance(_Scenario, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="invariance"):
    """Changing these fields changes nothing.

    Attributes:
        change: Per field, the value every row is given instead of its own.
        tolerance: Per output name; an output that is not named here uses the tolerance of the signature.
    """

    change: Row
    tolerance: dict[str, Tolerance] = {}


class Direction(_Scenario, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="direction"):
    """Moving a number moves the answer in a known direction, or not at all.

    Attributes:
        field: The numeric field that is moved.
        add: What is added to it, in the field's unit; may be negative.
        output: Name of the output that is judged.
        label: For an output with class labels: the class whose value is judged.
        never: ``lower``: the answer must not become lower; ``higher``: it must not become higher.
    """

    field: str
    add: float
    output: str
    label: Any = None
    never: Literal["lower", "higher"]


Scenario = Example | Minimum | Invariance | Direction
