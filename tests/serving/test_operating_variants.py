"""What is held for a version is given back, however its time ends."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from serving_contracts import floats

from modelwright.serving.deployment import Limits
from modelwright.serving.operating.preparing import Prepared
from modelwright.serving.operating.variants import ServedVariant
from modelwright.serving.workers.pool import Pool
from modelwright.serving.workers.worker import Worker


def none() -> Worker:
    raise AssertionError("it is not started")


def test_a_version_whose_draining_is_cancelled_is_given_back_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []

    async def for_ever(_pool: Pool, _timeout_s: float) -> None:
        await asyncio.sleep(3600)

    async def cancelled() -> str:
        prepared = Prepared(floats("x"), none, lambda: released.append("control"))
        variant = ServedVariant("control", "churn@production", prepared, limits=Limits())
        stopping = asyncio.create_task(variant.stop(drain_s=3600))
        await asyncio.sleep(0.01)
        stopping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stopping
        return variant.state

    monkeypatch.setattr(Pool, "drain", for_ever)
    assert asyncio.run(cancelled()) == "stopped"
    assert released == ["control"]
