"""Rows that were judged here are not judged again in the worker, and mean the same there as rows that are."""

from __future__ import annotations

import json
import math
from array import array
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelwright.runtime.model import Model
from modelwright.serving.inference import Table
from modelwright.serving.workers.batch import Framer, JudgedFramer
from modelwright.serving.workers.loop import LENGTHS, Session, answered

FIELDS = [
    {"name": "a", "datatype": "float64", "nullable": True, "native": "float64"},
    {"name": "n", "datatype": "int64", "native": "int32"},
    {"name": "b", "datatype": "bool", "native": "bool"},
    {"name": "t", "datatype": "string", "nullable": True, "native": "str"},
    {"name": "c", "datatype": "string", "categories": ["x", "y"], "native": "category"},
]
COLUMNS: dict[str, Any] = {
    "a": [1.5, None, -0.1],
    "n": [1, 2, 3],
    "b": [True, False, True],
    "t": ["ä", None, ""],
    "c": ["x", "y", "x"],
}


def session_of(container: str, seen: list[Any]) -> tuple[Session, dict[str, Any]]:
    def keep(rows: Any) -> list[float]:
        seen.append(rows)
        return [0.0] * 3

    signature = {"inputs": FIELDS, "outputs": [{"name": "y", "datatype": "float64"}], "container": container}
    manifest = {"name": "kept", "version": "1.0", "storage": {}, "signature": signature}
    session = Session.__new__(Session)
    session.model = Model(keep, manifest)
    session._encode = lambda value: value
    session._floats = {"y"}
    session._decoders = {}
    session._names = [field["name"] for field in FIELDS]
    session._framed = container in ("pandas", "numpy")
    return session, signature


def sent(framer: Framer, session: Session) -> None:
    frame = framer.frame(1, ("predict",), Table(3, columns=COLUMNS))
    head, _ = LENGTHS.unpack_from(frame)
    start = LENGTHS.size
    answered(session, json.loads(frame[start : start + head]), memoryview(frame)[start + head :])


@pytest.mark.parametrize("container", ["pandas", "records", "columns"])
def test_judged_rows_are_what_rows_that_are_judged_there_become(container: str) -> None:
    seen: list[Any] = []
    session, signature = session_of(container, seen)
    sent(Framer(signature), session)
    sent(JudgedFramer(signature), session)
    again, judged = seen
    if container == "pandas":
        pd.testing.assert_frame_equal(judged, again)
        assert list(judged.dtypes) == list(again.dtypes)
    else:
        assert judged == again
        values = judged["a"] if container == "columns" else [row["a"] for row in judged]
        assert [type(value) for value in values] == [float, type(None), float]


def test_values_that_change_their_kind_on_the_way_are_judged_there() -> None:
    signature = {"inputs": [{"name": "d", "datatype": "date"}], "container": "pandas"}

    assert not JudgedFramer(signature).judged
    assert JudgedFramer({"inputs": FIELDS, "container": "pandas"}).judged


def test_numbers_reach_an_array_with_nan_where_one_is_missing() -> None:
    framer = JudgedFramer({"inputs": FIELDS[:2], "container": "numpy"})
    plain = framer.plain({"a": [1.0, None], "n": [1, 2]})

    assert isinstance(plain["a"], array)
    assert plain["a"][0] == 1.0
    assert math.isnan(plain["a"][1])
    assert np.asarray(plain["n"]).dtype == np.int64
