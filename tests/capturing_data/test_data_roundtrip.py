"""Rows that capture writes come back through the runtime as the rows that the live model was given."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest

from modelwright.capturing.answers import read_answer
from modelwright.capturing.signature import infer_inputs
from modelwright.capturing.table import Table
from modelwright.runtime.encoding import decode_rows
from modelwright.runtime.model import Model
from modelwright.spec.signature import Signature


class Remembering:
    """A model that keeps what it was asked about."""

    def __init__(self) -> None:
        self.seen: Any = None

    def predict(self, rows: Any) -> list[int]:
        self.seen = rows
        return [0] * len(rows)


FRAME = pd.DataFrame(
    {
        "n": pd.array([1, None, 3], dtype="Int64"),
        "x": np.array([0.5, np.nan, np.inf]),
        "single": np.array([0.1, 0.2, 0.3], dtype="float32"),
        "text": ["a", None, "ü"],
        "size": pd.Categorical(["s", None, "l"], categories=["s", "m", "l"], ordered=True),
        "at": pd.to_datetime(["2026-01-31T08:00:00.25", None, "1969-12-31T00:00:00"], format="ISO8601"),
        "zoned": pd.to_datetime(["2026-07-01", None, "2026-01-01"]).tz_localize("Europe/Berlin"),
        "flag": [True, False, True],
    }
)
PLAIN = [name for name in FRAME if name != "size"]


@pytest.mark.parametrize("container", ["pandas", "polars", "pyarrow"])
def test_a_frame_comes_back_as_it_was(container: str) -> None:
    polars = pl.from_pandas(FRAME[PLAIN])
    sample: Any = {"pandas": FRAME, "polars": polars, "pyarrow": polars.to_arrow()}[container]
    table = Table.of(sample)
    inputs = infer_inputs(table)
    outputs = tuple(item.output for item in read_answer([0, 0, 0], method="predict", n_rows=3, labels=None))
    signature = Signature(inputs=inputs, outputs=outputs, container=table.container)
    native = Remembering()
    document = {
        "signature": msgspec.to_builtins(signature),
        "name": "x",
        "version": "1",
        "storage": {"methods": ["predict"]},
    }
    rows = decode_rows(table.rows(range(3)), document["signature"]["inputs"])
    Model(native, document).predict(rows)
    if container == "pandas":
        pd.testing.assert_frame_equal(native.seen.reset_index(drop=True), FRAME)
    else:
        assert native.seen.equals(sample)
