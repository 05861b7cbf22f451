"""What a client asks, as plans: which model is meant, what is sent, and what the answer means.

For: the two clients, which carry the plans out. A server's models are asked for once and remembered; an answer of a
version that was not there then has them asked for again.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import uuid4

import msgspec

from modelwright.errors import MediaTypeError, MessageError
from modelwright.runtime.encoding import encode
from modelwright.serving.client import sending
from modelwright.serving.client.returning import Returning
from modelwright.serving.client.sending import Body, Frames, Rows
from modelwright.serving.client.served import ServedModel, ServedModels, check_method, chosen
from modelwright.serving.client.wire import JSON, Patience, Plan, Reply, Request, decoded, exchange, stranger
from modelwright.spec.struct import Frozen

LONGEST = 200
"""Characters of a request id or unit; it stands in headers, logs and records."""


USUAL_S = Patience().timeout_s
"""Waiting as long as usual need not be said; anything else is, so that the server does not work for nobody."""


class Answered(NamedTuple):
    """What a server answered, and who did.

    Attributes:
        predictions: The answer, in the kind of container that the rows came in.
        request_id: Id of the request; outcomes name it.
        model: Name of the model.
        version: Version that answered.
        variant: Name of the variant that answered.
    """

    predictions: Any
    request_id: str
    model: str
    version: str
    variant: str


class Options(NamedTuple):
    """How one question differs from the client's defaults.

    Attributes:
        model: Name of the model; empty: the only one.
        version: Version that is to answer; empty: whichever the server chooses.
        unit: What the request is about, for sticky assignment.
        request_id: Id of the request; empty: a new one.
        batch_rows: Most rows of one request; more go in several.
        patience: How long and how often to try.
    """

    model: str = ""
    version: str = ""
    unit: str = ""
    request_id: str = ""
    batch_rows: int = 0
    patience: Patience = Patience()


class _Sent(Frozen, frozen=True, kw_only=True):
    """A JSON answer."""

    version: str = ""
    variant: str = ""
    predictions: list[dict[str, Any]] | None = None
    columns: dict[str, list[Any]] | None = None


class _Part(NamedTuple):
    """The answer to one request."""

    values: Any
    version: str
    variant: str


class Asking:
    """Plans for one server.

    Args:
        where: The server's address.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.known: dict[str, ServedModel] = {}
        self._only = ""
        self._takes_arrow = True
        self._asked_again: set[tuple[str, str]] = set()

    def models(self, patience: Patience) -> Plan[tuple[ServedModel, ...]]:
        """Return the models of the server, without their signatures."""
        reply = yield from self._get("/models", patience)
        return decoded(reply.content, ServedModels, where=self.where).models

    def model(self, name: str, patience: Patience) -> Plan[ServedModel]:
        """Return one model with its signature, as it was when it was asked for first.

        Raises:
            UnknownModelError: There is no such model, or no name and several.
        """
        if not name:
            if not self._only:
                found = yield from self.models(patience)
                self._only = chosen([one.name for one in found], where=self.where)
            name = self._only
        if name not in self.known:
            reply = yield from self._get(f"/models/{quote(name, safe='')}", patience)
            self.known[name] = decoded(reply.content, ServedModel, where=self.where)
        return self.known[name]

    def ask(self, method: str, held: Any, options: Options) -> Plan[Answered]:
        """Return what a method of a model answers for rows.

        Raises:
            AttributeError: The model has no such method.
            ContainerError: The rows are in no container that is understood.
            ModelwrightError: What the server refuses, as it says it.
        """
        rows = sending.recognised(held)
        model = yield from self.model(options.model, options.patience)
        check_method(method, model)
        request_id = options.request_id or uuid4().hex
        _check_header(request_id, "request id")
        _check_header(options.unit, "unit")
        if not rows.size:
            nothing = self._returning(method, model).nothing(rows.kind, rows.index)
            return Answered(nothing, request_id, model.name, options.version or model.version, "")
        parts = yield from self._ask_parts(method, rows, model, options, request_id)
        newest = parts[-1]
        if newest.version not in model.deployed:
            model = yield from self._renewed(model, newest.version, options.patience)
        answer = self._given(self._returning(method, model), [part.values for part in parts], rows)
        return Answered(answer, request_id, model.name, newest.version, newest.variant)

    def _renewed(self, model: ServedModel, version: str, patience: Patience) -> Plan[ServedModel]:
        """Return a model as it is now that another version answered; asked for once per version, if that is told."""
        if version and (model.name, version) not in self._asked_again:
            self._asked_again.add((model.name, version))
            self.known.pop(model.name, None)
        return (yield from self.model(model.name, patience))

    def outcomes(self, told: Sequence[Mapping[str, Any]], patience: Patience) -> Plan[None]:
        """Tell what turned out to be true of rows of earlier requests.

        Raises:
            OutcomeError: One is malformed, so that none was taken, or the server keeps none.
        """
        content = msgspec.json.encode({"outcomes": [encode(dict(one)) for one in told]})
        request = Request("POST", "/outcomes", content, {"content-type": JSON})
        yield from exchange(request, patience=patience, where=self.where)

    def _get(self, path: str, patience: Patience) -> Plan[Reply]:
        return exchange(Request("GET", path), patience=patience, where=self.where)

    def _returning(self, method: str, model: ServedModel) -> Returning:
        return Returning(method, model.signature or {}, f"{model.name} {model.version}")

    def _ask_parts(
        self, method: str, rows: Rows, model: ServedModel, options: Options, request_id: str
    ) -> Plan[list[_Part]]:
        """Ask once, or once per slice; the slices are about one unit, so that one variant answers them all."""
        step = options.batch_rows or rows.size
        starts = range(0, rows.size, step)
        if len(starts) == 1:
            return [(yield from self._ask_one(method, rows, model, options, request_id))]
        options = options._replace(unit=options.unit or request_id)
        parts = []
        for number, start in enumerate(starts):
            slice_id = f"{request_id}-{number}"
            part = rows.part(start, start + step)
            parts.append((yield from self._ask_one(method, part, model, options, slice_id)))
        return parts

    def _ask_one(
        self, method: str, rows: Rows, model: ServedModel, options: Options, request_id: str
    ) -> Generator[Request, Reply, _Part]:
        fields = tuple(field["name"] for field in (model.signature or {}).get("inputs", ()))
        title = f"{model.name} {model.version}"
        frames = sending.arrow() if self._takes_arrow and rows.kind not in ("records", "columns") else None
        body = sending.body(rows, fields, unit=options.unit, title=title, frames=frames)
        request = self._request(method, body, model.name, options, request_id)
        try:
            reply = yield from exchange(request, patience=options.patience, where=self.where)
        except MediaTypeError:
            if body.frames is None:
                raise
            self._takes_arrow = False
            return (yield from self._ask_one(method, rows, model, options, request_id))
        return self._understood(reply, body.frames)

    def _request(self, method: str, body: Body, model: str, options: Options, request_id: str) -> Request:
        version = f"/versions/{quote(options.version, safe='')}" if options.version else ""
        headers = {"content-type": body.media_type, "accept": body.media_type, "x-request-id": request_id}
        if options.unit:
            headers["modelwright-unit"] = options.unit
        if body.frames is not None:
            headers["accept"] += f", {JSON};q=0.5"
        path = f"/models/{quote(model, safe='')}{version}/{method}"
        if options.patience.timeout_s != USUAL_S:
            path += f"?timeout={options.patience.timeout_s:g}"
        return Request("POST", path, body.content, headers)

    def _understood(self, reply: Reply, frames: Frames | None) -> _Part:
        version, variant = (reply.headers.get(f"modelwright-{name}", "") for name in ("version", "variant"))
        if frames is not None and reply.headers.get("content-type", "").startswith(frames.media_type):
            try:
                return _Part(frames.decode(reply.content), version, variant)
            except ValueError as error:
                raise stranger(self.where, f"Its answer is no Arrow stream: {error}") from error
        sent: _Sent = decoded(reply.content, _Sent, where=self.where)
        values = sent.predictions if sent.predictions is not None else sent.columns
        if values is None:
            raise stranger(self.where, "Its answer holds neither predictions nor columns.")
        return _Part(values, sent.version or version, sent.variant or variant)

    def _given(self, returning: Returning, values: list[Any], rows: Rows) -> Any:
        try:
            if rows.kind == "records":
                return returning.records([row for part in values for row in part])
            return returning.table(values, rows.kind, rows.index)
        except (KeyError, TypeError) as error:
            raise stranger(self.where, f"Its answer is not as its signature says: {error!r}") from error


def _check_header(text: str, what: str) -> None:
    if len(text) > LONGEST or not text.isascii() or (text and not text.isprintable()):
        raise MessageError(
            f"The {what} cannot be sent.",
            why=f"It stands in a header: at most {LONGEST} printable ASCII characters.",
            hint="Send a key or a hash of it.",
        )
