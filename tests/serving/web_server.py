"""A small server for the pages and documents: real HTTP, real judging, canned answers."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import msgspec
from web_models import DIGEST, churn_contract, everything_contract, free_contract

from modelwright.errors import ModelwrightError
from modelwright.runtime.containers import take_apart
from modelwright.runtime.encoding import decode_rows
from modelwright.runtime.validation import judge_table
from modelwright.serving.contract import Contract
from modelwright.serving.web.assets import CACHE_CONTROL, CONTENT_SECURITY_POLICY, static
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


def answer_to(contract: Contract, method: str, body: Any) -> dict[str, Any]:
    """Judge as the server does, and answer what the example says, once per row."""
    rows = body if isinstance(body, list) else body.get("rows")
    columns = rows is None
    if columns:
        rows = [dict(zip(body["columns"], row, strict=True)) for row in zip(*body["columns"].values(), strict=True)]
    decoded = decode_rows(rows, contract.inputs)
    judge_table(contract.judges, take_apart(decoded, "records", contract.fields), model=contract.title)
    example = example_of(contract, method)
    one = example.answers[0] if example is not None else {output["name"]: 1 for output in contract.outputs[method]}
    head = {"model": contract.name, "version": contract.version, "variant": "main", "request_id": "7f3a9c01"}
    if columns:
        return head | {"columns": flat_answers(contract.outputs[method], [one] * len(rows))}
    return head | {"predictions": [one] * len(rows)}


class Handler(BaseHTTPRequestHandler):
    """Serves pages, assets, documents and predictions."""

    protocol_version = "HTTP/1.1"

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
            case _:
                page = problem_page(view, Refusal(error="There is no such page.", code="MW1202"))
                self.reply(404, "text/html; charset=utf-8", page)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        parts = [unquote(part) for part in self.path.split("?")[0].strip("/").split("/")]
        match parts:
            case ["models", name, "try"]:
                self.reply(*self.tried(name, body))
            case ["models", name, method] | ["models", name, "versions", _, method]:
                self.reply(*predicted(CONTRACTS[name], method, body))

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

    def reply(self, status: int, media_type: str, body: bytes, zipped: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.send_header("Cache-Control", CACHE_CONTROL if zipped else "no-store")
        zipped = zipped or gzip.compress(body)
        self.send_header("Content-Length", str(len(zipped)))
        self.end_headers()
        self.wfile.write(zipped)

    def log_message(self, *_: Any) -> None:
        pass


def predicted(contract: Contract, method: str, body: bytes) -> Reply:
    try:
        return 200, "application/json", msgspec.json.encode(answer_to(contract, method, msgspec.json.decode(body)))
    except ModelwrightError as error:
        details = [problem._asdict() for problem in error.problems]
        told = {"error": error.what, "code": error.code, "details": details, "request_id": "7f3a9c01"}
        return 400, "application/json", msgspec.json.encode(told)


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
