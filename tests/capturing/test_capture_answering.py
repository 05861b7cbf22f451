"""A model that does not answer rows by itself is given to the formats that claim it, best first."""

from __future__ import annotations

from typing import Any

import pytest

from modelwright.capturing import opening
from modelwright.capturing.formats import Adapted
from modelwright.errors import SerialisationError


class Graph:
    """Something that does not answer rows."""


class Toy:
    """A format that makes a graph answer, or says why it cannot."""

    loader, distributions, executes_code, portable = None, (), False, True

    def __init__(self, name: str, *, refusal: str = "", self_contained: bool = False) -> None:
        self.name, self.refusal, self.self_contained = name, refusal, self_contained

    def claims(self, model: object) -> int:
        return 90

    def save(self, model: object, artifacts: Any, *, package: str) -> Any:
        raise NotImplementedError

    def answering(self, model: object, sample: Any) -> Adapted:
        if self.refusal:
            raise SerialisationError("It is not held.", why=self.refusal, hint=f"mend it for {self.name}")
        return Adapted(self, sample)


def claimed_by(monkeypatch: pytest.MonkeyPatch, *forms: Any) -> None:
    monkeypatch.setattr(opening, "claiming", lambda _: list(forms))


def test_the_next_format_is_taken_with_the_reason_and_the_code_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, second = Graph(), Toy("second")
    claimed_by(monkeypatch, Toy("first", refusal="it branches", self_contained=True), second)
    given = opening.open_model(graph, sample=[{"a": 1}], choice=None, trust=())
    assert given.format is second
    assert given.code == (graph,)
    assert given.note == "first cannot hold it: it branches"


def test_a_format_that_the_user_chose_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed_by(monkeypatch, Toy("second"))
    with pytest.raises(SerialisationError) as caught:
        opening.open_model(Graph(), sample=[], choice=Toy("first", refusal="it branches"), trust=())
    assert caught.value.why == "it branches"


def test_the_reasons_of_all_are_told_when_none_can(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed_by(monkeypatch, Toy("first", refusal="it branches"), Toy("second", refusal="no arguments"))
    with pytest.raises(SerialisationError) as caught:
        opening.open_model(Graph(), sample=[], choice=None, trust=())
    assert caught.value.why == "first cannot hold it: it branches; second cannot hold it: no arguments"
    assert caught.value.hint == "mend it for second"
