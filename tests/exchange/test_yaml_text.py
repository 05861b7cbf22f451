"""What is written as YAML is read as the same data, whatever the texts are."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from modelwright.exchange.yaml_text import yaml_text

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["no", "1.10", "~", "- a", "#", "0o17", "a: b", "", "\u2028", "\x85", "\x7f", "\ufeff"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


@given(st.lists(st.dictionaries(texts, values, min_size=1, max_size=4), min_size=1, max_size=3))
def test_yaml_holds_what_was_given(documents):
    assert list(yaml.safe_load_all(yaml_text(*documents))) == documents


def test_yaml_is_in_blocks_that_people_read():
    text = yaml_text({"spec": {"ports": [{"name": "http1", "port": 8080}], "drop": ["ALL"], "none": []}})
    assert text.splitlines() == [
        "spec:",
        "  ports:",
        '    - name: "http1"',
        "      port: 8080",
        "  drop:",
        '    - "ALL"',
        "  none: []",
    ]
