"""What moves through the server: a table of rows in, the values of outputs out, and a note of what happened.

For: every part of serving. Transports make a :class:`Table` and send back an :class:`Answer`; batcher and workers move
both as they are; observers are told an :class:`Event`. Frozen data, no input or output.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import msgspec

Column: TypeAlias = "list[Any] | array[float] | array[int]"
"""Values of one field in normal form (:mod:`modelwright.runtime.values`): a list, or an ``array`` of ``d`` or ``q``."""


class Table(NamedTuple):
    """Rows that fit a signature, in the form that its workers take.

    Exactly one of ``block`` and ``columns`` is there, as :attr:`Contract.blocked <.contract.Contract.blocked>` says.

    Attributes:
        size: Number of rows.
        block: All values as float64 in native byte order, row by row: ``[n_rows, n_fields]``.
        columns: Values per field, in the order of the signature.
    """

    size: int
    block: bytes | None = None
    columns: Mapping[str, Column] | None = None


class Values(NamedTuple):
    """The values of one output.

    Attributes:
        data: A list with one JSON-able Python value per row, or the bytes of an array in native byte order, row by row.
        dtype: NumPy's name of the array's datatype (``float64``, ``int64``, ``bool`` …); empty for a list.
        shape: Shape of one row's value, without the row axis.
    """

    data: list[Any] | memoryview
    dtype: str = ""
    shape: tuple[int, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered.

    Attributes:
        request_id: Which request this answers.
        model: Name of the model, as it is served.
        version: Version of the package that answered.
        digest: sha256 of its wheel.
        variant: Name of the variant that answered.
        size: Number of rows.
        outputs: Values per output, in the order of the signature; only those of the methods asked for.
        queue_seconds: Time the request waited for a worker, seconds.
        predict_seconds: Time of its batch in the model, seconds.
        batch_rows: Rows of its batch.
        table: The rows in the form of the package that answered; ``None``: they are those that were asked about.
    """

    request_id: str
    model: str
    version: str
    digest: str
    variant: str
    size: int
    outputs: dict[str, Values]
    queue_seconds: float = 0.0
    predict_seconds: float = 0.0
    batch_rows: int = 0
    table: Table | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one request: told to the observers (access log, metrics, record log, rollout) after the answer.

    Attributes:
        time_s: When the request came, seconds since the epoch.
        request_id: Its id.
        transport: Which door it came through: ``rest``, ``v2``, ``grpc``, ``invocations``, ``tfserving``.
        model: Name of the model; as it was asked for, if there is no such model.
        version: Version that answered or failed; empty if none was chosen.
        digest: sha256 of its wheel.
        variant: Name of the variant.
        shadow: Whether this was a shadow's answer, which no caller saw.
        status: HTTP status of the answer; for gRPC the one that means the same.
        error: Code of the error (``MW201``); empty if there was none.
        rows: Number of rows; 0 if they were not read.
        seconds: From the head of the request to the answer, seconds.
        queue_seconds: Of these, waiting for a worker.
        predict_seconds: Of these, in the worker; shared by all requests of the batch.
        batch_rows: Rows of the batch.
        unit: What the caller said the request is about (a customer, a session): the key of sticky assignment.
        client: Address of the caller.
        traceparent: The header of that name (W3C Trace Context), as it came; empty if there was none.
        tracestate: The same.
        table: The rows, if they were judged.
        outputs: The answer's values, if there is one.
    """

    time_s: float
    request_id: str
    transport: str
    model: str
    version: str = ""
    digest: str = ""
    variant: str = ""
    shadow: bool = False
    status: int = 200
    error: str = ""
    rows: int = 0
    seconds: float = 0.0
    queue_seconds: float = 0.0
    predict_seconds: float = 0.0
    batch_rows: int = 0
    unit: str = ""
    client: str = ""
    traceparent: str = ""
    tracestate: str = ""
    table: Table | None = None
    outputs: dict[str, Values] | None = None
