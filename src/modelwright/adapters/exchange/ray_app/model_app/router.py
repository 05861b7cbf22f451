"""The door: HTTP to the version that answers, by weight and sticky; it knows no model and no data library.

Deployed by :mod:`.building`. It reads the body and the address, chooses a version, and passes bytes on.
Source: KServe, Open Inference Protocol v2, "Inference REST API"; RFC 9110 for the statuses.
"""

# mypy: ignore-errors

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

from ray import serve
from ray.serve.exceptions import BackPressureError
from starlette.requests import Request
from starlette.responses import JSONResponse

from model_app.answers import Refusal, refused
from model_app.assignment import bucket, choose
from model_app.bodies import read_unit

MODEL = r"/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?"
ROUTES = [
    (re.compile(rf"{MODEL}/(?P<method>[^/]+)"), "POST", "rows"),
    (re.compile(rf"/v2{MODEL}/infer"), "POST", "tensors"),
    (re.compile(rf"/v2{MODEL}/ready"), "GET", "ready"),
    (re.compile(rf"/v2{MODEL}"), "GET", "metadata"),
    (re.compile(r"/v2/health/(?P<health>live|ready)"), "GET", "health"),
    (re.compile(r"/(?:v2/?)?"), "GET", "server"),
]
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
PROBE_S = 5.0


@serve.deployment(name="Router")
class Router:
    """Chooses a version for each request.

    Args:
        deployment: What ``deployment.json`` says.
        digest: sha256 of that file.
        *handles: Handle of each version, in its order.
    """

    def __init__(self, deployment: dict[str, Any], digest: str, *handles) -> None:
        self.deployment, self.digest, self.limits = deployment, digest, deployment["limits"]
        self.variants = {one["name"]: one for one in deployment["variants"]}
        self.handles = dict(zip(self.variants, handles, strict=True))
        self.weights = {name: one["weight"] for name, one in self.variants.items()}

    def reconfigure(self, config: dict[str, Any]) -> None:
        """Carry the digest of the configuration, for those who ask Serve what runs."""

    async def __call__(self, request: Request) -> JSONResponse:
        """Answer one HTTP request."""
        given = request.headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        try:
            answer = await self._answer(request, request_id)
        except Refusal as error:
            answer = refused(error)
        content = answer["content"]
        if "error" in content:
            content["request_id"] = request_id
        headers = {"X-Request-Id": request_id, **answer.get("headers", {})}
        return JSONResponse(content, answer["status"], headers)

    async def _answer(self, request: Request, request_id: str) -> dict[str, Any]:
        found, kind = self._route(request)
        if kind == "server":
            return {"status": 200, "content": self._server()}
        if kind == "health":
            ready = found["health"] == "live" or await self._ready(self.handles)
            return {"status": 200 if ready else 503, "content": {found["health"]: ready}}
        self._check(found)
        if kind == "ready":
            ready = await self._ready([name for name in self.variants if self._means(found, name)])
            return {"status": 200 if ready else 503, "content": {"name": found["model"], "ready": ready}}
        if kind == "metadata":
            name = self._choose(found, request_id)
            content = await self._ask(self.handles[name].describe.remote())
            return {"status": 200, "content": content | {"versions": self._versions()}}
        body = await self._body(request)
        name = self._choose(found, self._unit(request, body) or request_id)
        call = {"method": found.get("method", ""), "body": body, "request_id": request_id}
        return self._told(name, request_id, await self._ask(self.handles[name].answer.remote(call)))

    def _unit(self, request: Request, body: bytes) -> str:
        """Return what the request is about; bodies are looked into only where that decides something."""
        return request.headers.get("modelwright-unit", "") or (read_unit(body) if len(self.handles) > 1 else "")

    def _told(self, name: str, request_id: str, answer: dict[str, Any]) -> dict[str, Any]:
        """Name model, version and request in every answer."""
        model, version, content = self.deployment["model"], self.variants[name]["version"], answer["content"]
        names = {"Modelwright-Model": model, "Modelwright-Version": version, "Modelwright-Variant": name}
        if not {"error", "model_name"} & set(content):
            said = {"model": model, "version": version, "variant": name, "request_id": request_id}
            content = said | content
        return answer | {"content": content, "headers": names | answer.get("headers", {})}

    def _route(self, request: Request) -> tuple[dict[str, str], str]:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", "")) or "/"
        for pattern, method, kind in ROUTES:
            found = pattern.fullmatch(path)
            if found and request.method == method:
                return found.groupdict(), kind
            if found:
                raise Refusal("MW1203", f"This address takes {method} only.", status=405, Allow=method)
        hint = f"POST /models/{self.deployment['model']}/predict"
        raise Refusal("MW1202", "There is nothing at this address.", hint=hint, status=404)

    def _check(self, found: dict[str, str]) -> None:
        if not any(self._means(found, name) for name in self.variants):
            asked = " ".join(filter(None, (found["model"], found["version"])))[:200]
            have = f"{self.deployment['model']} {', '.join(self._versions())}"
            raise Refusal("MW1202", f"There is no model {asked} here.", hint=f"There is {have}.", status=404)

    def _means(self, found: dict[str, str], name: str) -> bool:
        version = self.variants[name]["version"]
        return found["model"] == self.deployment["model"] and found["version"] in (None, version)

    def _choose(self, found: dict[str, str], unit: str) -> str:
        if found["version"]:
            return next(name for name in self.variants if self._means(found, name))
        return choose(self.weights, bucket(self.deployment["salt"], self.deployment["experiment"], unit))

    async def _body(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json" or request.headers.get("content-encoding", "identity") != "identity":
            raise Refusal("MW1204", "The body is not plain JSON.", hint="Content-Type: application/json", status=415)
        body, most = bytearray(), self.limits["max_body_bytes"]
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise Refusal("MW1205", f"The body is larger than {most} bytes.", status=413)
        return bytes(body)

    async def _ask(self, response) -> dict[str, Any]:
        try:
            return await asyncio.wait_for(_awaited(response), self.limits["deadline_s"])
        except TimeoutError:
            response.cancel()
            raise Refusal("MW1207", "The answer did not come in time.", status=504) from None
        except BackPressureError:
            raise Refusal("MW1206", "More is waiting than can be answered.", status=503, Retry_After="1") from None
        except Exception:  # whatever happened to the replica, its caller gets a sentence; Ray's log has the cause
            raise Refusal("MW1208", "The process of the model ended meanwhile.", status=502) from None

    async def _ready(self, names) -> bool:
        calls = [asyncio.wait_for(_awaited(self.handles[name].describe.remote()), PROBE_S) for name in names]
        return not any(isinstance(one, Exception) for one in await asyncio.gather(*calls, return_exceptions=True))

    def _facts(self, name: str) -> dict[str, Any]:
        one = self.variants[name]
        return {"version": one["version"], "variant": name, "digest": one["sha256"]}

    def _versions(self) -> list[str]:
        return [one["version"] for one in self.variants.values()]

    def _server(self) -> dict[str, Any]:
        variants = [self._facts(name) | {"weight": self.weights[name]} for name in self.variants]
        facts = {"model": self.deployment["model"], "config_sha256": self.digest, "variants": variants}
        return {"name": "modelwright", "version": self.deployment["tool"], "extensions": [], **facts}


async def _awaited(response) -> Any:
    return await response
