"""Write the OpenAPI document of one served model, or of a whole server, from the signatures.

For: the HTTP door, which sends it; Swagger UI, which shows it; tools that generate clients. Exact: what a schema of a
request allows, the server accepts; the two things that JSON Schema cannot say are said in words (columns of equal
length, the range of strict dates). Pure.

Source: OpenAPI 3.1.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelwright.serving.contract import Contract
from modelwright.serving.web.components import Node, shared_components
from modelwright.serving.web.inference_protocol import protocol_paths, protocol_schemas
from modelwright.serving.web.operations import ModelOperations
from modelwright.serving.web.outcomes import outcome_paths, outcome_schemas
from modelwright.spec.struct import Frozen

MAX_ROWS = 100_000
"""Most rows of one request, unless the deployment says otherwise."""


class Served(Frozen, frozen=True, kw_only=True):
    """One model of a server, as its document describes it.

    Attributes:
        name: Name it is served under.
        contract: What it promises.
        versions: Versions that can be asked for by number; empty: that of the contract.
        max_rows: Most rows of one request.
    """

    name: str
    contract: Contract
    versions: tuple[str, ...] = ()
    max_rows: int = MAX_ROWS


def openapi(
    contract: Contract, *, name: str, server_url: str = "", versions: Sequence[str] = (), max_rows: int = MAX_ROWS
) -> Node:
    """Return the document of one served model.

    Args:
        contract: What it promises.
        name: Name it is served under.
        server_url: Where the server is; empty: where the document comes from.
        versions: Versions that can be asked for by number; empty: that of the contract.
        max_rows: Most rows of one request.

    Returns:
        The document as plain data, ready to be written as JSON.
    """
    served = Served(name=name, contract=contract, versions=tuple(versions), max_rows=max_rows)
    return _document([served], title=name, version=contract.version, about=_about(contract), server_url=server_url)


def server_openapi(models: Sequence[Served], *, server_url: str = "", title: str = "Models") -> Node:
    """Return the document of a whole server: its models, outcomes, the Open Inference Protocol, health.

    Args:
        models: What it serves.
        server_url: Where the server is; empty: where the document comes from.
        title: What the server is called.
    """
    document = _document(models, title=title, version="1", about=_SERVER, server_url=server_url)
    versions = sorted({version for one in models for version in one.versions or (one.contract.version,)})
    document["paths"] |= outcome_paths()
    if models:
        document["paths"] |= protocol_paths(tuple(one.name for one in models), tuple(versions))
    document["components"]["schemas"] |= protocol_schemas() | outcome_schemas()
    document["tags"] += [{"name": "Outcomes"}, {"name": "Open Inference Protocol"}]
    return document


_SERVER = "Every model by its own name, typed by its own signature."


def _document(models: Sequence[Served], *, title: str, version: str, about: str, server_url: str) -> Node:
    parts = [
        ModelOperations(one.contract, name=one.name, versions=one.versions, max_rows=one.max_rows) for one in models
    ]
    components = shared_components()
    paths: Node = {}
    for part in parts:
        components["schemas"] |= part.schemas()
        paths |= part.paths()
    where = {"servers": [{"url": server_url}]} if server_url else {}
    return where | {
        "openapi": "3.1.1",
        "info": {"title": title, "version": version, "description": about},
        "tags": [part.tag() for part in parts],
        "paths": paths,
        "components": components,
    }


def _about(contract: Contract) -> str:
    digest = f"sha256 of the package: `{contract.digest}`" if contract.digest else ""
    return "\n\n".join(filter(None, [contract.manifest.summary, digest]))
