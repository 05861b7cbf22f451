"""SIGTERM ends a server after what is under way, also where it comes twice at once."""

from __future__ import annotations

import concurrent.futures
import signal
import time
from pathlib import Path

import httpx2
import pytest
from running import command


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
