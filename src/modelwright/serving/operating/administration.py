"""What the admin door is answered with: metrics, what is served, rollouts.

Made by the server. It puts together what other parts know and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from modelwright.errors import DeploymentError, MessageError, ModelwrightError, RolloutError
from modelwright.serving.observing.metrics import Metrics, Readings
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.reading import ServerStatus, queued_rows, shares, status_of, workers
from modelwright.serving.operating.rollouts import Rollouts
from modelwright.serving.rollout.plans import RolloutRequest
from modelwright.serving.rollout.rollouts import Command
from modelwright.serving.rollout.shadow import ShadowReport
from modelwright.serving.rollout.status import Status


class Administrator:
    """Answers the admin door.

    Args:
        plane: The data plane.
        rollouts: The rollouts.
        metrics: The metrics.
    """

    def __init__(self, plane: Plane, rollouts: Rollouts, metrics: Metrics) -> None:
        self._plane, self._rollouts, self._metrics = plane, rollouts, metrics

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics as text, and its media type."""
        return self._metrics.render(accept)

    def status(self) -> ServerStatus:
        """Return what the server is doing."""
        return status_of(self._plane)

    def rollout(self, model: str) -> Status:
        """Return the status of a model's rollout."""
        return self._rollouts.status(model)

    def report(self, model: str) -> Any:
        """Return how a shadow differs, or the measures of the last check of a canary."""
        status = self._rollouts.status(model)
        if status.differences is not None:
            return status.differences
        return status.history[-1] if status.history else status

    def shadows(self, model: str) -> dict[str, ShadowReport]:
        """Return how the answers of each shadow of a model differ."""
        return self._rollouts.shadows(model)

    async def begin(self, model: str, asked: bytes, *, actor: str) -> Status:
        """Begin a rollout.

        Raises:
            MessageError: The body asks for nothing that is understood.
            DeploymentError: The release cannot stand in for the control.
            RolloutError: It cannot be meant, another one is under way, or the release cannot be served.
        """
        self._plane.versions(model)
        try:
            request = msgspec.json.decode(asked, type=RolloutRequest)
        except msgspec.DecodeError as error:
            raise MessageError(
                "The body asks for no rollout.",
                why=str(error),
                hint='{"reference": "churn==1.3.0", "kind": "canary", "percent": 10}',
            ) from error
        try:
            return await self._rollouts.begin(model, request, actor=actor)
        except (RolloutError, DeploymentError):
            raise
        except ModelwrightError as error:  # whoever names a release is told what is wrong with it
            raise RolloutError(
                f"{request.reference} cannot be rolled out: {error.what}",
                problems=error.problems,
                why=error.why,
                hint=error.hint or "What is served goes on; nothing was changed.",
            ) from error

    async def move(self, model: str, verb: str, *, actor: str, reason: str) -> Status:
        """Advance, pause, resume or abort a rollout."""
        return await self._rollouts.command(model, cast(Command, verb), actor=actor, reason=reason)


def readings(
    plane: Plane,
    *,
    in_flight: Callable[[], int],
    records: Callable[[], tuple[int, dict[str, int]]],
    lines_dropped: Callable[[], int],
) -> Callable[[], Readings]:
    """Return what metrics ask at every scrape."""

    def now() -> Readings:
        written, dropped = records()
        return Readings(
            in_flight=in_flight(),
            queue_rows=queued_rows(plane),
            workers=workers(plane),
            shares=shares(plane),
            records_written=written,
            records_dropped=dropped,
            lines_dropped=lines_dropped(),
        )

    return now
