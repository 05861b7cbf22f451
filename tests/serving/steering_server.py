"""A small admin door with a real canary behind it; made for tests of those who steer rollouts."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec

from modelwright.errors import ModelwrightError, RolloutError, UnknownModelError
from modelwright.serving.rollout import canary
from modelwright.serving.rollout.criteria import Criteria
from modelwright.serving.rollout.states import Record, Schedule

TOKEN = "s3cret"


class Steering:
    """The application: one canary per model, advanced by whoever asks.

    Attributes:
        asked: What was asked: ``(method, path, headers, body)``.
        advancing: Whether every look at a rollout advances it, as time would.
        token: Token that is asked for; empty: none.
    """

    def __init__(self, *models: str, token: str = "") -> None:
        self.rollouts: dict[str, dict[str, Any]] = {name: {} for name in models}
        self.states: dict[str, Any] = {}
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
            return 200, {"models": {name: {"name": name} for name in self.rollouts}}
        name = parts[1]
        if name not in self.rollouts:
            raise UnknownModelError(f"There is no {name}.")
        said = json.loads(body) if body else {}
        match method, parts[3:]:
            case "POST", []:
                self._begin(name, said)
            case "POST", ["advance"]:
                self._apply(name, canary.advance(self._state(name), now=time.time(), actor="ann", **said))
            case "POST", ["abort"]:
                self._apply(name, canary.abort(self._state(name), now=time.time(), actor="ann", **said))
            case "GET", ["report"]:
                return 200, {"compared": 7}
            case "GET", [] if self.advancing and not self._state(name).ended:
                self._apply(name, canary.advance(self._state(name), now=time.time(), actor="", reason="No worse."))
        self._state(name)
        return 200, self.rollouts[name]

    def _state(self, name: str) -> Any:
        if name not in self.states:
            raise RolloutError(
                f"There is no rollout of {name}.", hint=f"modelwright rollout {name}==VERSION --canary 10"
            )
        return self.states[name]

    def _begin(self, name: str, said: dict[str, Any]) -> None:
        if name in self.states and not self.states[name].ended:
            raise RolloutError(f"A rollout of {name} is under way.", hint=f"modelwright rollout abort {name}")
        shares = tuple(said.get("steps") or (said.get("canary") or said.get("ab") or 0.1, 1.0))
        version = said["reference"].partition("==")[2]
        self.rollouts[name] = {
            "model": name,
            "kind": "canary",
            "version": version,
            "control": "1.2.0",
            "transitions": [],
        }
        self._apply(
            name, canary.begin(Schedule(shares=shares), Criteria(), now=time.time(), reason=said.get("reason", ""))
        )

    def _apply(self, name: str, done: Any) -> None:
        state, actions = done
        self.states[name] = state
        status = self.rollouts[name]
        status |= {"phase": state.phase, "share": state.share, "due_s": state.due_s}
        happened = [msgspec.to_builtins(one.transition) for one in actions if isinstance(one, Record)]
        status["transitions"] = [*status["transitions"], *happened]
