"""A literal gives an equal value of the same type when it is evaluated; what has none says so."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import logging
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.capturing.lifting import names_used
from modelwright.capturing.literals import literal
from modelwright.capturing.module_text import import_block

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
HASHABLE = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner), max_leaves=6)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(HASHABLE, inner) | st.sets(HASHABLE),
    max_leaves=12,
)


def evaluated(value: Any) -> Any:
    written = literal(value)
    assert written is not None
    scope: dict[str, Any] = {"__name__": "lifted"}
    exec("\n".join(sorted(written.imports)), scope)
    return eval(written.expression, scope)


@given(VALUES)
@settings(deadline=None, max_examples=50)
def test_plain_values_come_back_equal_and_of_their_type(value: Any) -> None:
    again = evaluated(value)
    assert type(again) is type(value)
    assert again == value


@pytest.mark.parametrize(
    "value",
    [
        re.compile("a+", re.IGNORECASE | re.DOTALL),
        re.compile(b"a"),
        Path("data/rates.csv"),
        datetime.date(2026, 1, 31),
        datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC),
        datetime.timedelta(days=1, seconds=2),
        decimal.Decimal("1.10"),
        fractions.Fraction(1, 3),
        range(1, 10, 2),
        np.float32(0.1),
        np.int8(-3),
        1 + 2j,
    ],
    ids=repr,
)
def test_values_of_the_standard_library_and_numpy_come_back(value: Any) -> None:
    again = evaluated(value)
    assert type(again) is type(value)
    assert again == value


@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "?", "U3", "c16"])
def test_small_arrays_come_back_to_the_bit(dtype: str) -> None:
    array = np.arange(6).astype(dtype).reshape(2, 3)
    again = evaluated(array)
    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()


def test_numbers_that_have_no_digits_come_back() -> None:
    assert math.isnan(evaluated(float("nan")))
    assert evaluated([math.inf, -math.inf]) == [math.inf, -math.inf]
    assert evaluated(logging.getLogger("shop")) is logging.getLogger("shop")


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [object(), Path("/etc/hosts"), np.zeros(10_001), [object()], {"a": {1: open}}, Colour.RED, np.array([object()])],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_literal_form_says_so(value: Any) -> None:
    assert literal(value) is None


def test_names_of_locals_are_not_used_and_those_of_decorators_are_used_first() -> None:
    names = names_used(
        "@deco\nclass A(Base):\n    size = SIZE\n    def f(self, x: Kind = DEFAULT):\n"
        "        local = x\n        return [local, helper(x), size]\n"
    )
    assert {"deco", "Base", "SIZE", "Kind", "DEFAULT"} <= names.first
    assert "helper" in names.later
    assert not {"local", "x", "self", "A"} & (names.first | names.later)


def test_imports_are_sorted_merged_and_grouped() -> None:
    block = import_block(["import numpy as np", "from re import sub", "import math", "from re import IGNORECASE, sub"])
    assert block == "import math\nfrom re import IGNORECASE, sub\n\nimport numpy as np"
