"""A small server for the pages and documents: real HTTP, real judging, canned answers."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
from web_models import DIGEST, churn_contract, everything_contract, free_contract

from modelwright.errors import MediaTypeError, MessageError, ModelwrightError, UnknownModelError
from modelwright.runtime.containers import take_apart
from modelwright.runtime.encoding import decode_rows
from modelwright.runtime.validation import judge_table
from modelwright.serving.contract import Contract
from modelwright.serving.web.assets import CACHE_CONTROL, CONTENT_SECURITY_POLICY, static
from modelwright.serving.web.components import REQUEST_ID_PATTERN, UNIT_PATTERN
from modelwright.serving.web.examples import example_of, flat_answers
from modelwright.serving.web.openapi import Served, openapi, server_openapi
from modelwright.serving.web.pages import docs_page, front_page, model_page, parse_form, problem_page
from modelwright.serving.web.views import ModelView, Refusal, ServerView, VariantView

CONTRACTS = {"churn": churn_contract(), "every-thing": everything_contract(), "free": free_contract()}
VARIANTS = (
    VariantView(name="main", version="1.3.0", digest=DIGEST, weight=90),
    VariantView(name="next", version="1.4.0", digest=DIGEST[::-1], weight=10, state="preparing"),
    VariantView(name="mirror", version="2.0.0a1", role="shadow", state="refused", reason="A scenario does not hold."),
)
MODELS = tuple(ModelView(name=name, contract=one, variants=VARIANTS) for name, one in CONTRACTS.items())
WAITING = ModelView(name="waiting", ready=False, variants=(VariantView(name="main", version="0.1", state="preparing"),))
DOCUMENT = server_openapi([Served(name=name, contract=one) for name, one in CONTRACTS.items()])
Reply = tuple[int, str, bytes]


def shown(base_url: str = "http://127.0.0.1:8000") -> ServerView:
    """A server with models of every kind, one of which is not ready."""
    return ServerView(title="Models of the house", models=(*MODELS, WAITING), ready=False, base_url=base_url)


def answer_to(contract: Contract, method: str, rows: list[dict[str, Any]], *, columns: bool = False) -> dict[str, Any]:
    """Judge as the server does, and answer what the example says, once per row."""
    decoded = decode_rows(rows, contract.inputs)
    judge_table(contract.judges, take_apart(decoded, "records", contract.fields), model=contract.title)
    example = example_of(contract, method)
    one = example.answers[0] if example is not None else {output["name"]: 1 for output in contract.outputs[method]}
    head = {"model": contract.name, "version": contract.version, "variant": "main", "request_id": "7f3a9c01"}
    if columns:
        return head | {"columns": flat_answers(contract.outputs[method], [one] * len(rows))}
    return head | {"predictions": [one] * len(rows)}


def opened(body: Any) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows of a body, and whether they came as columns."""
    if isinstance(body, dict) and body.keys() <= {"rows", "columns", "unit"} and isinstance(body.get("unit", ""), str):
        columns = body.get("columns")
        if isinstance(columns, dict) and "rows" not in body and all(isinstance(one, list) for one in columns.values()):
            lists = list(columns.values())
            if len({len(one) for one in lists}) == 1 and lists[0]:
                return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)], True
        elif "columns" not in body:
            return opened(body.get("rows"))
    if isinstance(body, list) and body and all(isinstance(row, dict) for row in body):
        return body, False
    raise MessageError("The body holds no rows.")


def check_head(query: dict[str, list[str]], headers: Message) -> None:
    """Refuse what is not as the document says."""
    for name, pattern in (("X-Request-Id", REQUEST_ID_PATTERN), ("Modelwright-Unit", UNIT_PATTERN)):
        if name in headers and not re.fullmatch(pattern, headers[name]):
            raise MessageError(f"{name} is none.")
    for text in query.get("timeout", ()):
        if not re.fullmatch(r"[0-9.]+(e[+-]?[0-9]+)?", text) or not 0 < float(text) < 86_400:
            raise MessageError("The timeout is none.")


class Handler(BaseHTTPRequestHandler):
    """Serves pages, assets, documents and predictions."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        view = shown(f"http://{self.headers['Host']}")
        parts = [unquote(part) for part in self.path.split("?")[0].strip("/").split("/") if part]
        match parts:
            case []:
                self.reply(200, "text/html; charset=utf-8", front_page(view))
            case ["static", name] if (asset := static(name)) is not None:
                self.reply(200, asset.media_type, asset.body, asset.zipped)
            case ["docs", *name]:
                self.reply(200, "text/html; charset=utf-8", docs_page(view, model="".join(name)))
            case ["openapi.json"]:
                self.reply(200, "application/json", msgspec.json.encode(DOCUMENT))
            case ["models", name, "openapi.json"] if name in CONTRACTS:
                self.reply(200, "application/json", msgspec.json.encode(openapi(CONTRACTS[name], name=name)))
            case ["models", name] if (model := _found(view, name)) is not None:
                self.reply(200, "text/html; charset=utf-8", model_page(view, model))
            case ["models", _, *_, method] if method.startswith("predict"):
                self.refuse_method()
            case _:
                page = problem_page(view, Refusal(error="There is no such page.", code="MW1202"))
                self.reply(404, "text/html; charset=utf-8", page)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        parts = [unquote(part) for part in self.path.split("?")[0].strip("/").split("/")]
        match parts:
            case ["models", name, "try"]:
                self.reply(*self.tried(name, body))
            case ["models", name, "versions", version, _] if version != CONTRACTS[name].version:
                self.reply(404, "application/json", told(UnknownModelError("There is no such version.")))
            case ["models", name, method] | ["models", name, "versions", _, method]:
                self.reply(*self.predicted(CONTRACTS[name], method, body))
            case _:
                self.reply(404, "application/json", told(UnknownModelError("There is no such model.")))

    def predicted(self, contract: Contract, method: str, body: bytes) -> Reply:
        """Answer JSON; what only intake can read is not understood here."""
        if self.headers.get_content_type() != "application/json":
            return 415, "application/json", told(MediaTypeError("Only JSON is understood."))
        try:
            check_head(parse_qs(urlsplit(self.path).query, keep_blank_values=True), self.headers)
            rows, columns = opened(msgspec.json.decode(body))
            answer = answer_to(contract, method, rows, columns=columns)
        except (ModelwrightError, msgspec.DecodeError, UnicodeError) as error:
            return 400, "application/json", told(error)
        return 200, "application/json", msgspec.json.encode(answer)

    def refuse_method(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.reply(405, "application/json", told(MessageError("This is not done here.")), Allow="POST")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.refuse_method
        raise AttributeError(name)

    def tried(self, name: str, body: bytes) -> Reply:
        view = shown(f"http://{self.headers['Host']}")
        model = _found(view, name)
        assert model is not None
        assert model.contract is not None
        sent = parse_form(model.contract, body)
        if sent.problems:
            return 400, "text/html; charset=utf-8", model_page(view, model, sent=sent)
        answer = answer_to(model.contract, sent.method, list(sent.rows))
        return 200, "text/html; charset=utf-8", model_page(view, model, sent=sent, answer=answer)

    def reply(self, status: int, media_type: str, body: bytes, zipped: bytes = b"", **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("X-Request-Id", "7f3a9c01")
        self.send_header("Cache-Control", CACHE_CONTROL if zipped else "no-store")
        for name, value in more.items():
            self.send_header(name, value)
        zipped = zipped or gzip.compress(body)
        self.send_header("Content-Length", str(len(zipped)))
        self.end_headers()
        self.wfile.write(zipped)

    def log_message(self, *_: Any) -> None:
        pass


def told(error: Exception) -> bytes:
    """Return the body of a refusal."""
    problems = error.problems if isinstance(error, ModelwrightError) else ()
    details = [problem._asdict() for problem in problems]
    code = error.code if isinstance(error, ModelwrightError) else MessageError.code
    return msgspec.json.encode({"error": str(error), "code": code, "details": details, "request_id": "7f3a9c01"})


def _found(view: ServerView, name: str) -> ModelView | None:
    return next((model for model in view.models if model.name == name), None)


@contextmanager
def serving() -> Iterator[str]:
    """Serve on a free port; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with serving() as address:
        print(address, flush=True)
        threading.Event().wait()
