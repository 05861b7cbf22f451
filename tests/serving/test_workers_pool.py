"""What a pool promises to whoever shares a batch."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any

import pytest
from serving_contracts import floats

from modelwright.serving.deployment import Limits
from modelwright.serving.inference import Table, Values
from modelwright.serving.workers.pool import Pool
from modelwright.serving.workers.worker import Batched, Loaded


class Echo:
    """A worker that answers what it was asked."""

    def __init__(self) -> None:
        self.lost: Callable[[str], None] = lambda _why: None

    async def start(self) -> Loaded:
        return Loaded(0.0, 1)

    def ask(self, _methods: tuple[str, ...], table: Table, done: Callable[[Batched], None]) -> None:
        values = list(struct.unpack(f"{table.size}d", table.block or b""))
        asyncio.get_running_loop().call_later(0.01, done, Batched({"prediction": Values(values)}, 0.001))

    def kill(self) -> None:
        pass


class Broken:
    """A receiver that cannot take its answer."""

    def done(self) -> bool:
        return False

    def set_result(self, _told: Any) -> None:
        raise RuntimeError("gone")

    def set_exception(self, _error: Exception) -> None:
        raise RuntimeError("gone")


def test_who_cannot_take_its_answer_keeps_nobody_else_from_theirs(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> list[Any]:
        loop = asyncio.get_running_loop()
        pool = Pool(floats("a"), Limits(), Echo)
        await pool.start()
        others: list[asyncio.Future[Any]] = [loop.create_future() for _ in range(3)]
        for number, receiver in enumerate((others[0], Broken(), *others[1:])):
            pool.submit(Table(1, block=struct.pack("d", number)), ("predict",), receiver)
        told = await asyncio.wait_for(asyncio.gather(*others), 5)
        await pool.close()
        return [one.outputs["prediction"].data for one in told]

    assert asyncio.run(ask()) == [[0.0], [2.0], [3.0]]
    assert "could not be passed on" in caplog.text
