"""A small admin door with real rollouts behind it; made for tests of those who steer rollouts."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec

from modelwright.errors import ModelwrightError, RolloutError, UnknownModelError
from modelwright.serving.rollout import rollouts
from modelwright.serving.rollout.plans import RolloutRequest
from modelwright.serving.rollout.rollouts import Rollout
from modelwright.serving.rollout.states import Actions, Record, Transition
from modelwright.serving.rollout.status import status_of
from modelwright.serving.routing.plan import Plan

TOKEN = "s3cret"


class Steering:
    """The application: one rollout per model, moved on by whoever asks.

    Attributes:
        asked: What was asked: ``(method, path, headers, body)``.
        advancing: Whether every look at a rollout advances it, as time would.
        token: Token that is asked for; empty: none.
    """

    def __init__(self, *models: str, token: str = "") -> None:
        self.models = models
        self.rollouts: dict[str, Rollout] = {}
        self.history: dict[str, list[Transition]] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.advancing = False
        self.token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], scope["path"], headers, body))
        try:
            status, content = self._routed(scope["method"], scope["path"].strip("/").split("/"), headers, body)
        except ModelwrightError as error:
            status, content = 409 if isinstance(error, RolloutError) else 404, error.to_dict()
        said = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    def _routed(self, method: str, parts: list[str], headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            return 401, {"error": "No token.", "code": "MW1212"}
        if parts == ["deployment"]:
            return 200, {"models": {name: {"name": name} for name in self.models}}
        name = parts[1]
        if name not in self.models:
            raise UnknownModelError(f"There is no {name}.")
        match method, parts[3:]:
            case "POST", []:
                request = msgspec.json.decode(body, type=RolloutRequest)
                base, now = Plan({"control": 1.0}), time.time()
                under_way = self.rollouts.get(name)
                self._apply(name, rollouts.begin(request, base, variant="canary", now=now, under_way=under_way))
            case "POST", [verb]:
                said = json.loads(body)
                self._apply(name, rollouts.commanded(self._rollout(name), verb, now=time.time(), **said))
            case "GET", ["report"]:
                return 200, {"compared": 7}
            case "GET", [] if self.advancing and not self._rollout(name).ended:
                done = rollouts.commanded(self._rollout(name), "advance", now=time.time(), actor="", reason="No worse.")
                self._apply(name, done)
        found, told = self._rollout(name), tuple(self.history[name])
        return 200, msgspec.to_builtins(status_of(found, model=name, now=time.time(), history=told))

    def _rollout(self, name: str) -> Rollout:
        if name not in self.rollouts:
            raise RolloutError(
                f"There is no rollout of {name}.", hint=f"modelwright rollout {name}==VERSION --canary 10"
            )
        return self.rollouts[name]

    def _apply(self, name: str, done: tuple[Rollout, Actions]) -> None:
        self.rollouts[name], actions = done
        happened = [action.transition for action in actions if isinstance(action, Record)]
        self.history[name] = [*self.history.get(name, []), *happened]
