"""Write what a model answered in the form that the rows came in.

For: the REST door, which makes one :class:`Writer` per contract and keeps it. JSON names model, version, variant and
request beside the values; the other forms hold values only, and the door says the rest in headers.

It checks nothing: what a model may answer was judged where it answered.
"""

from __future__ import annotations

import io
from typing import Any

import msgspec

from modelwright.runtime.encoding import encode
from modelwright.runtime.writing import CsvWriter
from modelwright.serving.answering import outputs
from modelwright.serving.answering.bodies import writer_of
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Answer

JSON = "application/json"
CSV = "text/csv; charset=utf-8"

_encode = msgspec.json.Encoder(enc_hook=encode).encode


class Writer:
    """Writes answers of one contract.

    Args:
        contract: Of the package that answers.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def write(self, answer: Answer, methods: tuple[str, ...], form: str) -> tuple[bytes, str]:
        """Return an answer as bytes, and their content type.

        Args:
            answer: What the model answered.
            methods: Whose outputs are wanted.
            form: How the rows were laid out: ``rows``, ``columns``, ``csv``, ``arrow`` or ``parquet``.

        Raises:
            MissingExtraError: The library that writes this form is not installed.
        """
        if form == "rows":
            return self._json(answer, "predictions", outputs.records(self._contract, answer, methods))
        if form == "columns":
            return self._json(answer, "columns", outputs.columns(self._contract, answer, methods))
        if form == "csv":
            return self._csv(answer, methods)
        writer = writer_of(form)
        columns = outputs.python_columns(self._contract, answer, methods)
        return writer.write(columns, outputs.flat_fields(self._contract, methods)), writer.media_type

    def _json(self, answer: Answer, name: str, values: Any) -> tuple[bytes, str]:
        document = {
            "model": answer.model,
            "version": answer.version,
            "variant": answer.variant,
            "request_id": answer.request_id,
            name: values,
        }
        return _encode(document), JSON

    def _csv(self, answer: Answer, methods: tuple[str, ...]) -> tuple[bytes, str]:
        stream = io.BytesIO()
        fields = outputs.flat_fields(self._contract, methods)
        writer = CsvWriter(stream, {field["name"]: field["datatype"] for field in fields})
        writer.write(outputs.python_columns(self._contract, answer, methods))
        writer.close()
        return stream.getvalue(), CSV
