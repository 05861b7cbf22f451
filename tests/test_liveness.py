"""Whether a process is there is known without harming it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from modelwright.liveness import lives


def test_a_process_lives_until_it_is_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert lives(process.pid)
        assert process.poll() is None
    assert not lives(process.pid)
    assert lives(os.getpid())


@pytest.mark.parametrize("pid", [0, -1, 2**31, 10**30])
def test_what_no_process_can_be_called_does_not_live(pid: int) -> None:
    assert not lives(pid)
