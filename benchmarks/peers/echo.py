"""The bare echo: reads the body, answers a fixed JSON of the size of a one-row answer; uvicorn, httptools, uvloop.

Run by ``serving_peers.py`` with our own interpreter: ``echo.py PORT``.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

BODY = (
    b'{"model":"cheap","version":"1.0.0","variant":"control","request_id":"658780135cbadfa6cfa657f5",'
    b'"predictions":[{"prediction":1}]}'
)
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
START = {"type": "http.response.start", "status": 200, "headers": HEADERS}
END = {"type": "http.response.body", "body": BODY}


async def app(_scope: Any, receive: Any, send: Any) -> None:
    """Answer."""
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send(END)


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        interface="asgi3",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
