"""Packages that tests of serving serve; made once per process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from behaving import double, treble
from running import ROWS, Running, deployment, serving

import modelwright as mw


@pytest.fixture(scope="session")
def behaving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a model that doubles a number, or behaves badly when it is told to."""
    folder = tmp_path_factory.mktemp("behaving")
    package = mw.capture(double, ROWS, name="behaving", version="1.0.0", to=folder / "model")
    return mw.build(package, folder)


@pytest.fixture(scope="session")
def behaving2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of its second version, which trebles."""
    folder = tmp_path_factory.mktemp("behaving2")
    package = mw.capture(treble, ROWS[:2], name="behaving", version="2.0.0", to=folder / "model")
    return mw.build(package, folder)


@pytest.fixture(scope="module")
def served(behaving: Path) -> Iterator[Running]:
    """A server of it."""
    with serving(deployment(behaving)) as running:
        yield running
