"""What each path of the Open Inference Protocol answers: health, metadata, inference.

Live means that the process works; ready, that every configured model is loaded, checked and warm, as Triton has it.
Both say so by their status, which is all that probes look at.

Source: Open Inference Protocol v2, "HTTP/REST".
"""

from __future__ import annotations

from functools import partial
from typing import Any

from modelwright.errors import NotReadyError
from modelwright.serving.dataplane import DataPlane
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.route import Names
from modelwright.serving.http.v2.answering import write_answer, write_json
from modelwright.serving.http.v2.parsing import parse_request
from modelwright.serving.intake.aside import read_aside
from modelwright.serving.tensors.inferring import infer
from modelwright.serving.tensors.metadata import EXTENSIONS, SERVER, TensorMetadata, metadata_of, server_version


async def server_live(plane: DataPlane, _request: Request, _names: Names) -> Reply:
    """Say whether the process works."""
    live = plane.live()
    return write_json(200 if live else 503, {"live": live})


async def server_ready(plane: DataPlane, _request: Request, _names: Names) -> Reply:
    """Say whether every configured model can answer.

    The specification's object has the key ``live`` here, its description and other servers ``ready``; both are given.
    """
    ready = plane.ready()
    return write_json(200 if ready else 503, {"live": plane.live(), "ready": ready})


async def server_metadata(_plane: DataPlane, _request: Request, _names: Names) -> Reply:
    """Tell of the server."""
    return write_json(200, {"name": SERVER, "version": server_version(), "extensions": EXTENSIONS})


async def model_ready(plane: DataPlane, request: Request, names: Names) -> Reply:
    """Say whether a model, or one version of it, can answer.

    Raises:
        UnknownModelError: There is no such model or version.
    """
    request.note.model = names.model
    try:
        ready = plane.endpoint(*names).ready
    except NotReadyError:
        ready = False
    return write_json(200 if ready else 503, {"name": names.model, "ready": ready})


async def model_metadata(plane: DataPlane, request: Request, names: Names) -> Reply:
    """Tell of a model.

    Raises:
        UnknownModelError: There is no such model or version.
        NotReadyError: Nothing is known of it yet.
    """
    request.note.model = names.model
    endpoint = plane.endpoint(*names)
    told = metadata_of(endpoint.contract, name=names.model, versions=plane.versions(names.model))
    return write_json(200, told._asdict() | {"inputs": _listed(told.inputs), "outputs": _listed(told.outputs)})


def _listed(tensors: tuple[TensorMetadata, ...]) -> list[dict[str, Any]]:
    """Return tensors as plain data; those without parameters have no such key."""
    return [{key: value for key, value in one._asdict().items() if key != "parameters" or value} for one in tensors]


async def model_infer(plane: DataPlane, request: Request, names: Names) -> Reply:
    """Answer the rows of an inference request.

    Raises:
        ModelwrightError: The request is malformed, does not fit, or cannot be answered.
    """
    note = request.note
    note.transport, note.model, note.unit, note.request_id = "v2", names.model, request.unit, request.request_id
    endpoint = plane.endpoint(*names)
    endpoint.check_room()
    message = await read_aside(len(request.body), partial(parse_request, request, endpoint.contract))
    note.request_id = message.request_id or request.request_id
    answer, tensors = await infer(plane, endpoint, message, note=note)
    return write_answer(message, answer, tensors)
