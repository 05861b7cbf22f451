"""Describe one served model in OpenAPI: its methods, the bodies they take, the answers they give.

For: :mod:`.openapi`. The names of media types are those that :mod:`modelwright.serving.intake` reads. Pure.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.web.components import Node, answered, ref, refusals
from modelwright.serving.web.examples import Shown, columns_of, example_of, flat_answers
from modelwright.serving.web.schemas import (
    flat_output_schemas,
    input_schema,
    listed,
    output_schema,
    properties_of,
    record,
)

JSON, CSV = "application/json", "text/csv"
BINARY = (
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.arrow.file",
    "application/vnd.apache.parquet",
)
_UNIT: Node = {
    "type": "string",
    "description": "What the request is about (a customer, a session): the same unit always gets the same variant.",
}


class ModelOperations:
    """Describes one served model.

    Args:
        contract: What it promises.
        name: Name it is served under.
        versions: Versions that can be asked for by number.
        max_rows: Most rows of one request.
    """

    def __init__(self, contract: Contract, *, name: str, versions: tuple[str, ...], max_rows: int) -> None:
        self._contract, self._name, self._max_rows = contract, name, max_rows
        self._versions = versions or (contract.version,)
        self._prefix = re.sub(r"[^A-Za-z0-9._-]", "_", name)

    def paths(self) -> Node:
        """Return a path per method, and one per method of a version."""
        root = f"/models/{quote(self._name, safe='')}"
        version = {
            "name": "version",
            "in": "path",
            "required": True,
            "description": "A version that is deployed; nothing is routed elsewhere.",
            "schema": {"type": "string", "enum": list(self._versions)},
        }
        paths: Node = {}
        for method in self._contract.methods:
            paths[f"{root}/{method}"] = {"post": self._operation(method)}
            pinned = self._operation(method, "_version") | {"summary": f"{method}, by one version"}
            paths[f"{root}/versions/{{version}}/{method}"] = {"parameters": [version], "post": pinned}
        return paths

    def tag(self) -> Node:
        """Return what the operations are listed under."""
        summary = self._contract.manifest.summary
        return {"name": self._name, "description": f"{self._contract.title}. {summary}".strip()}

    def schemas(self) -> Node:
        """Return the schemas of its bodies and answers, by component name."""
        inputs, columns = self._contract.inputs, properties_of(self._contract.inputs, input_schema)
        rows = listed(ref("schemas", self._called("Row")), least=1, most=self._max_rows)
        lists = {name: listed(schema, least=1, most=self._max_rows) for name, schema in columns.items()}
        described = "One list per column, all of the same length."
        named: Node = {
            "Row": record(properties_of(inputs, input_schema)),
            "List": rows,
            "Rows": _with_unit(record({"rows": ref("schemas", self._called("List"))})),
            "Columns": _with_unit(record({"columns": record(lists) | {"description": described}})),
        }
        for method in self._contract.methods:
            named |= self._answers(method)
        return {self._called(name): schema for name, schema in named.items()}

    def _answers(self, method: str) -> Node:
        outputs = self._contract.outputs[method]
        flat = {name: listed(one) for output in outputs for name, one in flat_output_schemas(output).items()}
        head: Node = {
            "model": {"type": "string", "const": self._name},
            "version": {"type": "string", "description": "Version of the package that answered."},
            "variant": {"type": "string", "description": "Name of the variant that answered."},
            "request_id": {"type": "string"},
        }
        return {
            f"{method}.Prediction": record(properties_of(outputs, output_schema)),
            f"{method}.Answer": record(
                head | {"predictions": listed(ref("schemas", self._called(f"{method}.Prediction")))}
            ),
            f"{method}.ColumnsAnswer": record(head | {"columns": record(flat)}),
        }

    def _called(self, part: str) -> str:
        return f"{self._prefix}.{part}"

    def _operation(self, method: str, suffix: str = "") -> Node:
        example = example_of(self._contract, method)
        return {
            "operationId": f"{method}_{self._prefix}{suffix}",
            "tags": [self._name],
            "summary": f"{method}, for any number of rows",
            "parameters": [ref("parameters", name) for name in ("RequestId", "Unit", "Timeout")],
            "requestBody": {"required": True, "content": self._bodies(example)},
            "responses": {"200": self._answer(method, example)} | refusals(),
        }

    def _bodies(self, example: Shown | None) -> Node:
        forms = [ref("schemas", self._called(name)) for name in ("Rows", "Columns", "List")]
        body: Node = {"schema": {"oneOf": forms}}
        table: Node = {"schema": {"type": "string", "description": "A line of column names, then a line per row."}}
        if example is not None:
            body["examples"] = _examples(
                rows={"rows": example.rows}, columns={"columns": columns_of(example.rows)}, list=example.rows
            )
            if _flat(self._contract):
                table["example"] = csv_of(example.rows, self._contract.fields)
        return {JSON: body, CSV: table} | {media: _binary() for media in BINARY}

    def _answer(self, method: str, example: Shown | None) -> Node:
        forms = [ref("schemas", self._called(f"{method}.{form}")) for form in ("Answer", "ColumnsAnswer")]
        body: Node = {"schema": {"oneOf": forms}}
        if example is not None and example.answers:
            head = {"model": self._name, "version": self._contract.version, "variant": "main", "request_id": "7f3a9c01"}
            flat = flat_answers(self._contract.outputs[method], example.answers)
            body["examples"] = _examples(rows=head | {"predictions": example.answers}, columns=head | {"columns": flat})
        content = {JSON: body, CSV: {"schema": {"type": "string"}}} | {media: _binary() for media in BINARY}
        return answered("The answer, laid out as the rows were sent.", content)


def _with_unit(schema: Node) -> Node:
    return schema | {"properties": schema["properties"] | {"unit": _UNIT}}


def _examples(**values: Any) -> Node:
    return {name: {"summary": _SUMMARIES[name], "value": value} for name, value in values.items()}


_SUMMARIES = {
    "rows": "Rows of a scenario of the package",
    "columns": "The same as columns",
    "list": "The same as a bare list of rows",
}


def _binary() -> Node:
    return {"schema": {"type": "string", "format": "binary"}}


def _flat(contract: Contract) -> bool:
    """Say whether rows can be written as a line of text: no tensors, no objects."""
    return not any(field.get("shape") or family_of(field["datatype"]) == "json" for field in contract.inputs)


def csv_of(rows: list[dict[str, Any]], fields: tuple[str, ...]) -> str:
    r"""Return rows as CSV; missing is empty.

    Example:
        >>> csv_of([{"x": 1, "ok": True}, {"x": None, "ok": False}], ("x", "ok"))
        'x,ok\n1,true\n,false\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows(_cells(row, fields) for row in rows)
    return text.getvalue()


def _cells(row: dict[str, Any], fields: tuple[str, ...]) -> Iterator[Any]:
    for name in fields:
        value = row[name]
        yield str(value).lower() if isinstance(value, bool) else value
