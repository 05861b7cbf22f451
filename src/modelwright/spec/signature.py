"""Typed inputs and outputs of a model.

For: capture (infers it), the runtime (judges rows by it, reading the same JSON), diff (compares two), serving
(publishes it). The datatypes are those of the Open Inference Protocol v2, in the spelling of NumPy, plus text,
time and ``json`` for what Python functions take.

Source: KServe Open Inference Protocol v2, "Tensor Data Types"; Arrow columnar format, "Data types".
"""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen

Datatype = Literal[
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "string",
    "bytes",
    "date",
    "datetime",
    "duration",
    "json",
]
"""How one value is typed. ``json`` is any JSON value: what an untyped Python function takes or gives."""

Container = Literal["pandas", "polars", "pyarrow", "numpy", "records", "columns"]
"""What holds the rows: a frame of a library, a NumPy array, a list of dicts, or one dict of columns."""

Policy = Literal["allow", "error"]

Scalar = bool | int | float | str


class Field(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One input column or tensor.

    Attributes:
        name: Column name exactly as the model was trained with it; unique within the inputs.
        datatype: Type of one element.
        shape: Shape of one row's value without the row axis; ``()`` is a scalar, ``-1`` a variable length.
        nullable: Whether a missing value (``None``, NaN, NaT, null) may stand here.
        infinite: Whether ±infinity may stand here; true only if the training data contained it.
        categories: The levels seen in training, in the order of the column's own type where it has one, else sorted;
            ``None``: not categorical.
        ordered: Whether the levels have an order of their own.
        on_unknown: What to do with a level outside ``categories``: let the model see it, or refuse the row.
        training_range: Smallest and largest value seen in training (ISO 8601 text for dates and times).
        on_out_of_range: What to do with a value outside ``training_range``.
        native: The column's dtype in the container it was captured from (``category``, ``Int64``,
            ``datetime64[ns]``), so that rows of another kind are converted to what the model was trained on.
        timezone: IANA zone or offset of a ``datetime``; ``None`` is naive local time.
        unit: Unit of measurement, free text (``EUR``, ``months``).
        description: One sentence for people.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...] = ()
    nullable: bool = False
    infinite: bool = False
    categories: tuple[Scalar, ...] | None = None
    ordered: bool = False
    on_unknown: Policy = "allow"
    training_range: tuple[float | int | str, float | int | str] | None = None
    on_out_of_range: Policy = "allow"
    native: str = ""
    timezone: str | None = None
    unit: str = ""
    description: str = ""


class Output(Field, frozen=True, kw_only=True, omit_defaults=True):
    """One output column or tensor, and the method that computes it.

    Attributes:
        method: Method of the model whose answer this is (``predict``, ``predict_proba``).
        labels: Class labels along the last axis of ``shape``, in the model's order; ``None``: not a class axis.
        rtol: Relative tolerance when an answer is compared with an expected one; 0 is bit-equal.
        atol: Absolute tolerance, in the output's unit.
    """

    method: str = "predict"
    labels: tuple[Scalar, ...] | None = None
    rtol: float = 0.0
    atol: float = 0.0


class Signature(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Typed inputs and outputs of a model.

    Attributes:
        inputs: Fields in the order the model was trained with.
        outputs: Outputs, those of ``predict`` first.
        container: What the model's own methods receive; rows of any other kind are converted to it.
        array_dtype: For ``container == "numpy"``: dtype of the array the model receives (``float64``).
    """

    inputs: tuple[Field, ...]
    outputs: tuple[Output, ...]
    container: Container
    array_dtype: str = ""
