"""In-toto statements: what somebody says about a file that is named by its digest. Data and its reader; no keys.

For: deciding (signatures) and admitting (attestations).

Source: in-toto Attestation Framework v1, "Statement".
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from modelwright.errors import EvidenceError
from modelwright.spec.struct import Frozen

STATEMENT = "https://in-toto.io/Statement/v1"


class Subject(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a statement is about.

    Attributes:
        name: File name.
        digest: Digests by algorithm, hexadecimal.
    """

    name: str
    digest: dict[str, str]


class Statement(Frozen, frozen=True, kw_only=True, rename={"type": "_type", "predicate_type": "predicateType"}):
    """An in-toto statement.

    Attributes:
        type: Always :data:`STATEMENT`.
        subject: What it is about.
        predicate_type: What kind of thing is said.
        predicate: What is said.
    """

    type: str
    subject: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any] | None = None


def parse_statement(payload: bytes) -> Statement:
    """Read an in-toto statement.

    Raises:
        EvidenceError: It is none.
    """
    try:
        statement = msgspec.json.decode(payload, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError("What is signed is no in-toto statement.", why=str(error)) from error
    if statement.type != STATEMENT:
        raise EvidenceError("What is signed is no in-toto statement.", why=f"Its type is {statement.type[:100]!r}.")
    return statement


def decoded(text: str) -> bytes:
    """Return the bytes of base64, in the standard alphabet.

    Raises:
        EvidenceError: It is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise EvidenceError("The envelope holds something that is not base64.", why=str(error)) from error
