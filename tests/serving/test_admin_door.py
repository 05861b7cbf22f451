"""The admin port: metrics for everybody who reaches it, the rest for whoever has its token."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from running import deployment, serving

from modelwright.serving.deployment import ServerSettings
from modelwright.serving.http.listening import listen


@pytest.mark.parametrize(
    ("given", "header", "status", "said"),
    [
        ((), "", 401, "the server was given no token for it"),
        ((), "Bearer anything", 401, "--admin-token-file"),
        (("s3cret",), "", 401, "needs a token"),
        (("s3cret",), "Bearer other", 401, "needs a token"),
        (("s3cret",), "Bearer s3cret", 200, "behaving"),
    ],
)
def test_only_a_token_opens_the_admin_port_and_without_one_it_stays_closed(
    behaving: Path, given: tuple[str, ...], header: str, status: int, said: str
) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    server = ServerSettings(port=0, admin_port=port, drain_s=1.0)
    with serving(deployment(behaving, server=server), admin_tokens=given):
        headers = {"Authorization": header} if header else {}
        answer = httpx2.get(f"http://127.0.0.1:{port}/deployment", headers=headers)
        metrics = httpx2.get(f"http://127.0.0.1:{port}/metrics")
    assert (answer.status_code, metrics.status_code) == (status, 200)
    assert said in answer.text
