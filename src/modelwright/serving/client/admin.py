"""The admin API of a server, asked: what is deployed, and rollouts.

For: ``modelwright rollout`` and programs that steer releases. Over the server's control door, a Unix socket that only
its user can open, no token is needed; over its admin address, one is.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any
from urllib.parse import quote

import msgspec

from modelwright.errors import UnreachableError
from modelwright.plugins import need
from modelwright.serving.client.servers import Running
from modelwright.serving.client.wire import JSON, Patience, Plan, Request, T, decoded, exchange
from modelwright.serving.rollout.plans import RolloutRequest
from modelwright.serving.rollout.rollouts import Command
from modelwright.serving.rollout.status import Status

Document = dict[str, Any]
"""JSON, as the server says it."""
PATIENCE = Patience(timeout_s=600.0)
"""A rollout begins when the environment of its version is made, its model loaded, checked and warm."""


class Admin:
    """Asks the admin API of one server.

    Args:
        server: The server; its control door is used if it has one, else its admin address.
        token: Secret of a token, for the admin address.
        timeout_s: Longest time to wait for an answer, seconds.

    Raises:
        MissingExtraError: The HTTP client is not installed; one line installs it.
        UnreachableError: The server has neither a control door nor an admin address.
    """

    def __init__(self, server: Running, *, token: str = "", timeout_s: float = PATIENCE.timeout_s) -> None:
        need("remote", "httpx2")
        from modelwright.serving.client.connection import Address, Connection, checked

        if not server.socket and not server.admin_url:
            raise UnreachableError(
                "The server has no admin door.",
                where=server.url,
                hint="Start it with --admin-port 9090, or set admin_port in [server] of its deployment.toml.",
            )
        self.where = server.url
        if server.socket:
            address = Address("http://localhost", socket=server.socket)
        else:
            address = Address(checked(server.admin_url), token)
        self._connection = Connection(address)
        self._patience = Patience(timeout_s, PATIENCE.retries)

    def __repr__(self) -> str:
        """Show where it leads, and not with which token."""
        return f"<Admin of {self.where}>"

    def deployment(self) -> Document:
        """Return what the server serves."""
        return self._get("/deployment", Document)

    def begin(self, model: str, request: RolloutRequest) -> Status:
        """Begin a rollout; return where it stands.

        Args:
            model: Name of the model.
            request: The version and how it is rolled out.

        Raises:
            RolloutError: Another one is under way, or it cannot be honoured.
            ModelwrightError: The version cannot be served.
        """
        return self._post(_path(model), request)

    def rollout(self, model: str) -> Status:
        """Return where the rollout of a model stands.

        Raises:
            RolloutError: There is none.
        """
        return self._get(_path(model), Status)

    def move(self, model: str, verb: Command, *, actor: str = "", reason: str = "") -> Status:
        """Command a rollout; return where it stands.

        Args:
            model: Name of the model.
            verb: ``advance``: give the new version its next share now; ``abort``: take all requests from it;
                ``pause``: let it keep its share; ``resume``: let it grow again.
            actor: Who says so; believed at the control door only.
            reason: Why, for the log.

        Raises:
            RolloutError: There is none, or it cannot do that.
        """
        return self._post(f"{_path(model)}/{verb}", {"actor": actor, "reason": reason})

    def report(self, model: str) -> Document:
        """Return the numbers behind a rollout: of a shadow, where it disagrees.

        Raises:
            RolloutError: There is none.
        """
        return self._get(f"{_path(model)}/report", Document)

    def close(self) -> None:
        """Close its connections."""
        self._connection.close()

    def __enter__(self) -> Admin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get(self, path: str, kind: type[T]) -> T:
        return self._connection.run(self._plan(Request("GET", path), kind))

    def _post(self, path: str, body: Any) -> Status:
        content = msgspec.json.encode(body)
        return self._connection.run(self._plan(Request("POST", path, content, {"content-type": JSON}), Status))

    def _plan(self, request: Request, kind: type[T]) -> Plan[T]:
        reply = yield from exchange(request, patience=self._patience, where=self.where)
        return decoded(reply.content, kind, where=self.where)


def _path(model: str) -> str:
    return f"/models/{quote(model, safe='')}/rollout"
