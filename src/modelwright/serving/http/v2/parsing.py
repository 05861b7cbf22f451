"""Read the body of an inference request: JSON, followed by binary data where the caller says so.

Source: Open Inference Protocol v2, "Inference Request JSON Object"; Triton, binary tensor data extension.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.errors import MediaTypeError, MessageError
from modelwright.runtime.errors import Problem
from modelwright.serving.contract import Contract
from modelwright.serving.http.messages import Request
from modelwright.serving.intake import strict_json
from modelwright.serving.tensors.datatypes import datatype_of
from modelwright.serving.tensors.inferring import check_id, check_parameters
from modelwright.serving.tensors.tensor import InferRequest, SentTensor, WantedOutput

LENGTH = b"inference-header-content-length"
"""Header that says where the JSON ends and binary data begins, bytes."""
_DIGITS = 18
"""Digits of the longest body that anybody could send, and many more."""
_TYPES = (b"", b"application/json", b"application/octet-stream")


def parse_request(request: Request, contract: Contract) -> InferRequest:
    """Return what a request says.

    Args:
        request: The request.
        contract: The model's; read only for a raw binary request, which says nothing but its data.

    Raises:
        MediaTypeError: The body is of another type.
        MessageError: It is malformed; every problem is listed.
        TooLargeError: It is nested too deep.
    """
    kind = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind not in _TYPES:
        raise MediaTypeError(
            f"The body is of the type {kind.decode('latin-1')!r:.80}.",
            hint="Send application/json, or application/octet-stream where binary data follows it.",
        )
    length = _json_length(request)
    if length == 0:
        return _raw_request(request.body, contract)
    view = memoryview(request.body)
    message = strict_json.decode(request.body if length is None else request.body[:length])
    return _Reading(message, None if length is None else view[length:]).request()


def _json_length(request: Request) -> int | None:
    said = request.headers.get(LENGTH)
    if said is None:
        return None
    if not said.isdigit() or len(said) > _DIGITS or int(said) > len(request.body):
        raise MessageError(
            "The header Inference-Header-Content-Length is not the length of the JSON in the body.",
            why=f"It is {said.decode('latin-1')!r:.40}; the body has {len(request.body)} bytes.",
            hint="Give the number of bytes before the binary data.",
        )
    return int(said)


def _raw_request(body: bytes, contract: Contract) -> InferRequest:
    """Return the request of a body that is nothing but the binary data of the only input."""
    datatype = datatype_of(contract.inputs[0])
    if len(contract.inputs) != 1 or contract.inputs[0].get("shape"):
        raise MessageError(
            f"A raw binary request needs a model with one input of one value; {contract.title} has others.",
            hint="Send a JSON header that names the tensors, and its length in Inference-Header-Content-Length.",
        )
    count = 1 if not datatype.size else len(body) // datatype.size
    tensor = SentTensor(contract.fields[0], datatype.name, (count,), raw=memoryview(body))
    return InferRequest("", (tensor,), (), {"binary_data_output": True})


class _Reading:
    """Reads one message; collects what is wrong with it.

    Args:
        message: What the JSON says.
        rest: Binary data that follows it; ``None``: the caller does not say that any does.
    """

    def __init__(self, message: Any, rest: memoryview | None) -> None:
        self._problems: list[Problem] = []
        self._message = self._dict(message, "request")
        self._rest, self._used = rest, 0

    def request(self) -> InferRequest:
        message = self._message
        tensors = tuple(self._tensor(*one) for one in enumerate(self._list(message, "inputs")))
        outputs = tuple(self._output(*one) for one in enumerate(self._list(message, "outputs")))
        parameters = self._parameters(message, "request")
        if "inputs" not in message:
            self._flaw(
                "request", "has no inputs", 'send {"inputs": [{"name": …, "shape": …, "datatype": …, "data": …}]}'
            )
        if self._rest is not None and self._used != self._rest.nbytes and not self._problems:
            found = f"is followed by {self._rest.nbytes} bytes of binary data, but its tensors have {self._used}"
            self._flaw("request", found, "binary_data_size of the inputs must add up to it")
        if self._problems:
            raise MessageError(
                f"The body is no inference request: {len(self._problems)} problem{'s' * (len(self._problems) != 1)}.",
                problems=self._problems,
                hint="Its form is that of the Open Inference Protocol v2.",
            )
        return InferRequest(check_id(message.get("id") or ""), tensors, outputs, parameters)

    def _flaw(self, item: str, problem: str, hint: str = "") -> None:
        self._problems.append(Problem(None, None, f"{item} {problem}", hint))

    def _dict(self, value: Any, item: str) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._flaw(item, "is no object")
        return {}

    def _list(self, message: Mapping[str, Any], key: str) -> list[Any]:
        value = message.get(key)
        if value is None or isinstance(value, list):
            return value or []
        self._flaw(key, "is no list")
        return []

    def _name(self, message: Mapping[str, Any], item: str) -> str:
        name = message.get("name")
        if isinstance(name, str):
            return name
        self._flaw(item, "has no name")
        return item

    def _parameters(self, message: Mapping[str, Any], item: str) -> Mapping[str, Any]:
        parameters = self._dict(message.get("parameters") or {}, f"parameters of {item}")
        odd = [key for key, value in parameters.items() if not isinstance(value, str | int | float)]
        if odd:
            self._flaw(f"parameter {odd[0]!r} of {item}", "is no text, number or truth value")
        check_parameters(parameters, item)
        return parameters

    def _output(self, place: int, value: Any) -> WantedOutput:
        item = f"outputs[{place}]"
        message = self._dict(value, item)
        binary = self._parameters(message, item).get("binary_data")
        return WantedOutput(self._name(message, item), None if binary is None else bool(binary))

    def _tensor(self, place: int, value: Any) -> SentTensor:
        item = f"inputs[{place}]"
        message = self._dict(value, item)
        name, size = self._name(message, item), self._parameters(message, item).get("binary_data_size")
        shape, datatype, data = message.get("shape"), message.get("datatype"), message.get("data")
        if not isinstance(shape, list):
            self._flaw(item, "has no shape", "a shape is a list of whole numbers, rows first")
            shape = []
        if not isinstance(datatype, str):
            self._flaw(item, "has no datatype")
            datatype = ""
        raw = None if size is None else self._raw(item, size, data)
        return SentTensor(name, datatype, tuple(shape), data, raw)

    def _raw(self, item: str, size: Any, data: Any) -> memoryview:
        if data is not None:
            self._flaw(item, "has both data and binary_data_size", "send one of them")
        begin = self._used
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            self._flaw(item, f"has the binary_data_size {size!r:.40}", "it is a whole number of bytes")
        elif self._rest is None:
            self._flaw(item, "has binary_data_size", "say in Inference-Header-Content-Length where the JSON ends")
        elif begin + size > self._rest.nbytes:
            self._flaw(item, f"needs {size} bytes of binary data; {self._rest.nbytes - begin} are left")
        else:
            self._used += size
            return self._rest[begin : begin + size]
        return memoryview(b"")
