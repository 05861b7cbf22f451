"""What one logged prediction is: the columns of the record log, and what becomes of each value in it.

For: serving (writes records), monitoring (reads them). A record is one row of one request; the columns that every
model has come first, then ``input_NAME`` per field and ``output_NAME`` per output, typed as the signature types them.
Every file carries its own :class:`RecordSchema` as JSON, so whoever reads it needs neither the package nor us.

Readers ignore what they do not know; a change that they would misread raises :data:`RECORD_VERSION`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Literal

from modelwright.runtime.encoding import encode
from modelwright.spec.signature import Datatype, Field, Output, Scalar, Signature
from modelwright.spec.struct import Frozen

RECORD_VERSION = 1
"""Version of this description; it stands in every record."""
NOTE = "modelwright.record"
"""Key of the file's metadata under which its :class:`RecordSchema` stands as JSON."""
HASH_CHARACTERS = 32
"""A hash is cut to so many hexadecimal characters, 128 bits: two of a billion values are alike by chance of 1e-21."""

Treatment = Literal["keep", "hash", "drop"]
"""What becomes of the values of a column."""
Role = Literal["record", "input", "output"]
"""Whether a column is of every record, of the model's inputs, or of its answers."""
Settings = Mapping[str, Treatment]
"""Treatment by name of a field or output; ``*`` stands for all others."""


class RecordColumn(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One column of the record log.

    Attributes:
        column: Its name in the file.
        role: What it is about.
        name: Name of the field or output; for those of every record, the column's.
        datatype: Type of one element; a hash is ``string``.
        shape: Shape of one value; every axis is a list.
        treatment: ``drop``: the column is not in the file, and is named here only.
        timezone: IANA zone or offset of a ``datetime``.
        unit: Unit of measurement.
        labels: Class labels along the last axis of an output.
        description: What it means, for those of every record.
    """

    column: str
    role: Role
    name: str
    datatype: Datatype
    shape: tuple[int, ...] = ()
    treatment: Treatment = "keep"
    timezone: str | None = None
    unit: str = ""
    labels: tuple[Scalar, ...] | None = None
    description: str = ""


class RecordSchema(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """The columns of one series of files: those of one model and one wheel.

    Attributes:
        record_version: Version of this description.
        model: Name of the model, as it is served.
        version: Version of the package.
        digest: sha256 of its wheel; empty for a folder that is no wheel.
        columns: The columns, in the order of the file, and after them those that are dropped.
    """

    record_version: int
    model: str
    version: str
    digest: str
    columns: tuple[RecordColumn, ...]

    @property
    def kept(self) -> tuple[RecordColumn, ...]:
        """The columns that are in the file."""
        return tuple(column for column in self.columns if column.treatment != "drop")


def _every(name: str, datatype: Datatype, description: str, *, timezone: str | None = None) -> RecordColumn:
    return RecordColumn(
        column=name, role="record", name=name, datatype=datatype, timezone=timezone, description=description
    )


EVERY_RECORD: tuple[RecordColumn, ...] = (
    _every("record_version", "int16", "Version of this description."),
    _every("time", "datetime", "When the request came.", timezone="UTC"),
    _every("request_id", "string", "Id of the request; outcomes name it."),
    _every("row", "int32", "Number of the row within its request, from 0; null: the rows could not be read."),
    _every("model", "string", "Name of the model, as it is served."),
    _every("version", "string", "Version of the package."),
    _every("digest", "string", "sha256 of its wheel."),
    _every("variant", "string", "Name of the variant that answered."),
    _every("shadow", "bool", "Whether it was a shadow's answer, which no caller saw."),
    _every("transport", "string", "Which door the request came through."),
    _every("unit", "string", "What the request is about (a customer, a session); null if the caller did not say."),
    _every("status", "int16", "HTTP status of the answer, or the one that means the same."),
    _every("error", "string", "Code of the error; null if there was none."),
    _every("seconds", "float64", "From the head of the request to its answer, seconds."),
    _every("queue_seconds", "float64", "Of these, waiting for a worker."),
    _every("predict_seconds", "float64", "Of these, in the worker; shared by all requests of a batch."),
)
"""The columns that every model has."""


def schema_of(
    signature: Signature, settings: Settings, *, model: str, version: str, digest: str = "", methods: tuple[str, ...]
) -> RecordSchema:
    """Return the columns of a model's records.

    Args:
        signature: Its signature.
        settings: What becomes of which values.
        model: Name of the model, as it is served.
        version: Version of its package.
        digest: sha256 of its wheel.
        methods: Methods whose answers are recorded; one without outputs in the signature answers ``json``.
    """
    every = [one if one.name != "unit" else _treated(one, treatment(settings, "unit")) for one in EVERY_RECORD]
    inputs = [_column(field, "input", settings) for field in signature.inputs]
    declared = {output.method for output in signature.outputs}
    undeclared = [Output(name=one, datatype="json", method=one) for one in methods if one not in declared]
    answered = [output for output in signature.outputs if output.method in methods]
    outputs = [_column(output, "output", settings) for output in (*answered, *undeclared)]
    columns = sorted((*every, *inputs, *outputs), key=lambda column: column.treatment == "drop")
    return RecordSchema(
        record_version=RECORD_VERSION, model=model, version=version, digest=digest, columns=tuple(columns)
    )


def _column(field: Field, role: Role, settings: Settings) -> RecordColumn:
    """Return the column of a field; nothing that may be a value of it (levels, ranges) goes along."""
    full = RecordColumn(
        column=f"{role}_{field.name}",
        role=role,
        name=field.name,
        datatype=field.datatype,
        shape=field.shape,
        timezone=field.timezone,
        unit=field.unit,
        labels=field.labels if isinstance(field, Output) else None,
    )
    return _treated(full, treatment(settings, field.name))


def _treated(column: RecordColumn, how: Treatment) -> RecordColumn:
    if how == "keep":
        return column
    return RecordColumn(
        column=column.column,
        role=column.role,
        name=column.name,
        datatype="string" if how == "hash" else column.datatype,
        treatment=how,
        description=column.description,
    )


def treatment(settings: Settings, name: str) -> Treatment:
    """Return what becomes of the values of a field, an output or the unit.

    Example:
        >>> treatment({"age": "keep", "*": "drop"}, "name"), treatment({}, "name")
        ('drop', 'keep')
    """
    return settings.get(name, settings.get("*", "keep"))


def hashed(value: Any, salt: bytes) -> str | None:
    """Return what stands for a value in a column of treatment ``hash``: equal values give equal text.

    The value as JSON can hold it (:mod:`modelwright.runtime.encoding`), text as it is and anything else as compact
    JSON, is hashed in UTF-8 with HMAC-SHA256 under the salt; the first 32 hexadecimal characters are kept. Missing
    stays missing. Who knows the salt can find out values of which there are few by trying them all.

    Source: RFC 2104 (HMAC); FIPS 180-4 (SHA-256).

    Example:
        >>> hashed("customer-17", b"pepper"), hashed(None, b"pepper")
        ('425a5eddf351b6f17556069372174d76', None)
    """
    if value is None or value != value:
        return None
    plain = encode(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    digest = hmac.digest(salt, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return digest.hex()[:HASH_CHARACTERS]


def is_sampled(request_id: str, share: float) -> bool:
    """Say whether the records of a request are written; the same in every process, for live and shadow alike.

    The first 8 bytes of the id's SHA-256, as a fraction of 2**64, must be below the share.

    Example:
        >>> [is_sampled("r-1", share) for share in (0.0, 0.5, 1.0)]
        [False, False, True]
    """
    digest = hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2.0**64
