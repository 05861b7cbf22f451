"""The client and ``modelwright rollout`` against ``modelwright serve`` itself, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from answering_server import same

import modelwright as mw
from modelwright.errors import SignatureError, UnknownModelError
from modelwright.runtime import load
from modelwright.serving.client.servers import running, servers_folder

GOLDEN = Path(__file__).parent.parent / "data" / "golden" / "format-1" / "twice-1.0.0"
READY_S = 90


@pytest.fixture(scope="module")
def state(tmp_path_factory) -> Path:
    """The folder of the user's state."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def url(state):
    """Address of a server of a golden package."""
    environment = os.environ | {"XDG_RUNTIME_DIR": str(state)}
    command = [sys.executable, "-m", "modelwright", "serve", str(GOLDEN), "--port", "0"]
    with (
        (state / "serve.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment) as server,
    ):
        try:
            ends = time.monotonic() + READY_S
            while "Ready." not in (said := (state / "serve.log").read_text()):
                assert server.poll() is None, said
                assert time.monotonic() < ends, said
                time.sleep(0.05)
            yield re.search(r"http://127\.0\.0\.1:\d+", said)[0]
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="module")
def twice():
    sys.path.insert(0, str(GOLDEN))
    try:
        return load(GOLDEN / "twice" / "model", package="twice")
    finally:
        sys.path.remove(str(GOLDEN))


@pytest.mark.parametrize(
    "rows",
    [
        [{"x": 1.5}, {"x": -2}],
        {"x": [1.5, -2.0]},
        pd.DataFrame({"x": [1.5, -2.0]}, index=["a", "b"]),
        pl.DataFrame({"x": [1.5, -2.0]}),
        pa.table({"x": [1.5, -2.0]}),
        np.array([[1.5], [-2.0]]),
    ],
    ids=["records", "columns", "pandas", "polars", "pyarrow", "numpy"],
)
def test_the_server_answers_as_the_model_does(url, twice, rows):
    with mw.Client(url) as client:
        said = client.ask("predict", rows, unit="customer-1", timeout_s=20)
    same(said.predictions, twice.predict(rows))
    assert (said.model, said.version, said.variant) == ("twice", "1.0.0", "control")


def test_the_server_refuses_as_the_model_does(url, twice):
    rows = [{"x": "a"}, {"x": 1.0}, {"x": None}]
    with mw.Client(url) as client:
        with pytest.raises(SignatureError) as remote:
            client.predict(rows)
        with pytest.raises(SignatureError) as here:
            twice.predict(rows)
        assert remote.value.problems == here.value.problems
        with pytest.raises(UnknownModelError) as caught:
            client.predict(rows, model="twise")
        assert "twice" in str(caught.value)
        with pytest.raises(UnknownModelError):
            client.predict(rows, version="9.9")


def test_commands_find_the_server_and_its_control_door(url, state):
    (found,) = running(servers_folder({"XDG_RUNTIME_DIR": str(state)}, state))
    assert (found.url, [model.name for model in found.models]) == (url, ["twice"])
    command = [sys.executable, "-m", "modelwright", "rollout", "status", "twice"]
    done = subprocess.run(
        command, env=os.environ | {"XDG_RUNTIME_DIR": str(state)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 4, done.stderr
    assert "There is no rollout of twice." in done.stderr
