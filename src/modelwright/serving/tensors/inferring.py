"""Infer by tensors: find the methods that compute the outputs asked for, ask the data plane, pick the answers.

Called by the doors of the protocol, which read requests and write answers in their own form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from modelwright.errors import MessageError, SignatureError
from modelwright.runtime.errors import Problem
from modelwright.runtime.suggestions import nearest
from modelwright.runtime.validation import LIMIT
from modelwright.serving.asking import Note, ask
from modelwright.serving.contract import Contract
from modelwright.serving.dataplane import DataPlane, Endpoint
from modelwright.serving.inference import Answer
from modelwright.serving.intake.aside import read_aside
from modelwright.serving.tensors.reading import read_table
from modelwright.serving.tensors.tensor import InferRequest, SentTensor, WantedOutput
from modelwright.serving.tensors.writing import OutTensor, tensor_of

MAX_ID = 256
"""Most characters of a request id."""
_REFUSED = ("sequence_id", "sequence_start", "sequence_end", "priority", "shared_memory_region", "classification")
"""Parameters of Triton's extensions that change what is answered, and that this server does not have."""


async def infer(
    plane: DataPlane, endpoint: Endpoint, request: InferRequest, *, note: Note, timeout_s: float | None = None
) -> tuple[Answer, list[OutTensor]]:
    """Return the answer to a request, and its outputs as tensors in the order they were asked for.

    Args:
        plane: Whom to ask.
        endpoint: Where to.
        request: The request.
        note: Has the id of the request.
        timeout_s: How long the caller waits, seconds; the parameter ``timeout`` may shorten it.

    Raises:
        ModelwrightError: The request does not fit the model, or cannot be answered.
    """
    contract = endpoint.contract
    check_parameters(request.parameters)
    fields = _wanted(contract, request.outputs)
    read = partial(read_table, contract, request.tensors, max_rows=endpoint.max_rows)
    table = await read_aside(sum(map(_size_of, request.tensors)), read)
    methods = tuple(method for method in contract.methods if any(one in fields for one in contract.outputs[method]))
    note.unit = str(request.parameters.get("unit") or note.unit)
    timeout_s = shortest(timeout_s, request.parameters.get("timeout"))
    answer = await ask(plane, endpoint, table, methods=methods, note=note, timeout_s=timeout_s)
    return answer, [tensor_of(field, answer.outputs[field["name"]], answer.size) for field in fields]


def _size_of(tensor: SentTensor) -> int:
    """Return about how many bytes a tensor is, as far as that can be said without looking into it."""
    if tensor.raw is not None:
        return tensor.raw.nbytes
    return 8 * len(tensor.data) if isinstance(tensor.data, list) else 0


def check_parameters(parameters: Mapping[str, Any], place: str = "the request") -> None:
    """Refuse parameters that would change the answer and cannot be honoured; others are the caller's own.

    Raises:
        MessageError: There are such.
    """
    found = [name for name in _REFUSED if parameters.get(name)]
    if found:
        raise MessageError(
            f"The parameter {found[0]!r} of {place} cannot be honoured.",
            why="Models here answer each row by itself: no sequences, priorities, shared memory or classification.",
            hint="Leave it out.",
        )


def shortest(timeout_s: float | None, timeout_us: Any) -> float | None:
    """Return the time that the caller waits, seconds.

    Args:
        timeout_s: What its transport says; ``None``: nothing.
        timeout_us: The parameter ``timeout``, microseconds, as Triton has it; ``None`` or 0: nothing.

    Raises:
        MessageError: The parameter is no number from 0.

    Example:
        >>> shortest(5.0, 2_000_000), shortest(None, 0)
        (2.0, None)
    """
    if not timeout_us:
        return timeout_s
    if isinstance(timeout_us, bool | str) or not isinstance(timeout_us, int | float) or timeout_us < 0:
        raise MessageError("The parameter 'timeout' is no number of microseconds.", hint="Send a number from 0.")
    return min(timeout_us / 1e6, timeout_s if timeout_s is not None else float("inf"))


def check_id(request_id: Any) -> str:
    """Return the id of a request.

    Raises:
        MessageError: It is no text, or too long.
    """
    if not isinstance(request_id, str) or len(request_id) > MAX_ID:
        raise MessageError(
            f"The id of the request is no text of at most {MAX_ID} characters.", hint="Send a shorter id."
        )
    return request_id


def _wanted(contract: Contract, outputs: Sequence[WantedOutput]) -> list[dict[str, Any]]:
    """Return the outputs of the signature that are asked for; all, if none are named."""
    known = {output["name"]: output for fields in contract.outputs.values() for output in fields}
    if not outputs:
        return list(known.values())
    names = [one.name for one in outputs[: len(known) + LIMIT]]  # what more there is cannot all be different
    problems = [
        Problem(None, one, "is no output of the model", _meant(one, known)) for one in names if one not in known
    ]
    problems += [Problem(None, name, "is asked for twice") for name, times in Counter(names).items() if times > 1]
    if problems:
        raise SignatureError(
            f"{contract.title} does not have the outputs that are asked for.",
            problems=problems,
            hint=f"Its outputs are: {', '.join(known)}.",
        )
    return [known[name] for name in names]


def _meant(name: str, known: Mapping[str, Any]) -> str:
    meant = nearest(name, known)
    return f"did you mean {meant!r}?" if meant else f"outputs are {', '.join(known)}"
