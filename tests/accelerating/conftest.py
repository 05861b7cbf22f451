"""Whoever compares the library with its fast form uses one thread: two would wait for one another on a busy machine.

It is lifted after each module: other tests train models and compare their bytes with those of other processes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(limits=1):
        yield
