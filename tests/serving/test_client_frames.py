"""Tables go to a server and come back as Arrow, or it is said that they do not."""

from __future__ import annotations

import numpy as np
import pytest

from modelwright.adapters.frames.arrow import FRAMES

ROWS = np.arange(30.0).reshape(10, 3)


def test_what_was_encoded_is_decoded() -> None:
    body = FRAMES.encode(ROWS, "numpy", ("a", "b", "c"))
    assert body is not None
    decoded = FRAMES.decode(body)
    assert [*decoded] == ["a", "b", "c"]
    assert np.array_equal(np.column_stack([*decoded.values()]), ROWS)


def test_a_stream_that_is_cut_off_is_none() -> None:
    body = FRAMES.encode(ROWS, "numpy", ("a", "b", "c"))
    assert body is not None
    refused = 0
    for size in range(0, len(body), 8):
        try:
            FRAMES.decode(body[: size + 1])
        except ValueError:
            refused += 1
    assert refused == len(body) // 8, "whatever it is, it is told as one error"
    with pytest.raises(ValueError, match="message body"):
        FRAMES.decode(body[: len(body) // 2 + 150])
