"""SIGTERM ends a server after what is under way, also where it comes twice at once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvloop
from running import command, deployment, serving

from modelwright.serving.deployment import ServerSettings
from modelwright.serving.http.door import Door
from modelwright.serving.http.listening import listen


@pytest.mark.parametrize("gap_s", [0.0, 0.1])
def test_a_signal_that_comes_twice_is_one(behaving: Path, tmp_path: Path, gap_s: float) -> None:
    with (
        command(str(behaving), "--port", "0", folder=tmp_path) as (process, url),
        concurrent.futures.ThreadPoolExecutor(1) as threads,
    ):
        slow = {"rows": [{"x": 1.0, "what": "sleep"}]}
        asked = threads.submit(httpx2.post, f"{url}/models/behaving/predict", json=slow, timeout=30)
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        time.sleep(gap_s)
        process.send_signal(signal.SIGTERM)
        assert asked.result(30).status_code == 200
        assert process.wait(20) == 0


class Done:
    """An application that answers everything, as the gateway would."""

    def begin(self, _scope: Any, _body: Any, _later: Any) -> bool:
        return False

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})


@pytest.mark.parametrize("made", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_connected_before_the_address_was_closed_is_answered(made: Any) -> None:
    """The kernel has taken the connections, and the server knows nothing of them when it closes the address."""
    clients: list[socket.socket] = []

    async def close() -> None:
        listening = listen("127.0.0.1", 0)
        address = listening.getsockname()
        door = Door(Done(), listening, ServerSettings(drain_s=5.0))
        await door.open()

        async def connect_to_the_last(_counter: int) -> bool:
            if door.should_exit:
                for _ in range(20):
                    clients.append(socket.create_connection(address, timeout=10))
                    clients[-1].sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            return door.should_exit

        door.on_tick = connect_to_the_last  # type: ignore[method-assign]
        await door.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=1)

    with asyncio.Runner(loop_factory=made) as runner:
        runner.run(close())
    answers = []
    for client in clients:
        with client:
            answers.append(client.recv(4096))
    assert len(answers) == 20
    assert all(b"200 OK" in answer and answer.endswith(b"done") for answer in answers)


def test_a_server_that_ends_leaves_the_garbage_collector_as_it_was(behaving: Path) -> None:
    before = gc.get_threshold()
    with serving(deployment(behaving)):
        assert gc.get_threshold() != before
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
