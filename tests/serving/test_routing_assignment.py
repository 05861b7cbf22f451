"""Assignment: the same in every process and language, as the weights say, and monotone while a canary grows."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.errors import DeploymentError
from modelwright.serving.routing.assignment import BUCKETS, bounds, bucket, choose, draw, encoded, prefix

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "assignment.md"
NAMES = st.text(st.characters(exclude_characters="|", exclude_categories=()), max_size=8)
UNITS = st.text(st.characters(exclude_categories=()), max_size=20)
WEIGHTS = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e"]), st.floats(0, 1e6), min_size=1, max_size=5).filter(
    lambda weights: sum(weights.values()) > 0
)


def vectors() -> list[list[str]]:
    """The rows of the page's table: salt, experiment, unit, bucket, share, second bucket, three variants."""
    rows = [
        re.split(r"(?<!\\)\|", line)[1:-1] for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `" in line
    ]
    return [[cell.strip().strip("`").replace("\\|", "|") for cell in row] for row in rows]


@pytest.mark.parametrize("row", vectors(), ids=lambda row: f"{row[0]}-{row[1]}-{row[2]}")
def test_the_vectors_of_the_page_hold(row):
    salt, experiment, unit = map(json.loads, row[:3])
    place, second = draw(prefix(salt, experiment), unit)
    assert bucket(salt, experiment, unit) == place == int(row[3])
    assert f"{place / BUCKETS:.6f}" == row[4]
    assert second == int(row[5])
    assert [choose({"control": 100 - x, "canary": x}, place) for x in (10, 25, 50)] == row[6:]


def test_the_page_has_vectors_of_every_kind():
    rows = vectors()
    assert {tuple(row[6:]) for row in rows} >= {
        ("canary", "canary", "canary"),
        ("control", "canary", "canary"),
        ("control", "control", "canary"),
        ("control", "control", "control"),
    }
    assert any(not row[2].isascii() for row in rows)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_javascript_of_the_page_gives_the_same(tmp_path):
    (code,) = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    calls = [[*map(json.loads, row[:3])] for row in vectors()]
    asked = f"""{code}
    const rows = {json.dumps(calls)}.map(([salt, experiment, unit]) => {{
      const place = bucket(salt, experiment, unit);
      return [place, ...[10, 25, 50].map((x) => choose([["control", 100 - x], ["canary", x]], place))];
    }});
    console.log(JSON.stringify(rows));"""
    script = tmp_path / "vectors.js"
    script.write_text(asked, encoding="utf-8")
    done = subprocess.run(["node", script], capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [[int(row[3]), *row[6:]] for row in vectors()]


def test_another_process_gives_the_same():
    code = "from modelwright.serving.routing.assignment import *; print(bucket('s', 'e', 'ü'))"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert seen == {str(bucket("s", "e", "ü")).encode()}


@settings(deadline=None)
@given(NAMES, NAMES, UNITS)
def test_a_bucket_is_an_integer_below_the_number_of_buckets(salt, experiment, unit):
    place = bucket(salt, experiment, unit)
    assert 0 <= place < BUCKETS
    assert int(place / BUCKETS * BUCKETS) == place


@settings(deadline=None)
@given(st.tuples(NAMES, NAMES, UNITS), st.tuples(NAMES, NAMES, UNITS))
def test_two_triples_never_hash_the_same_text(one, other):
    texts = [prefix(salt, experiment) + encoded(unit) for salt, experiment, unit in (one, other)]
    as_sent = [tuple(map(encoded, triple)) for triple in (one, other)]
    assert (texts[0] == texts[1]) == (as_sent[0] == as_sent[1])


@pytest.mark.parametrize(("salt", "experiment"), [("a|b", "c"), ("a", "b|c")])
def test_the_separator_is_refused_in_salt_and_experiment(salt, experiment):
    with pytest.raises(DeploymentError, match="contains") as refused:
        bucket(salt, experiment, "u")
    assert "-" in refused.value.hint


@settings(deadline=None)
@given(WEIGHTS, st.integers(0, BUCKETS - 1))
def test_every_bucket_has_a_variant_and_it_has_a_weight(weights, place):
    assert weights[choose(weights, place)] > 0


@settings(deadline=None)
@given(WEIGHTS)
def test_intervals_are_as_wide_as_the_weights_say(weights):
    start, widths = 0.0, dict.fromkeys(weights, 0.0)
    for end, name in bounds(weights):
        widths[name], start = (end - start) / BUCKETS, end
    assert start == BUCKETS
    total = sum(weights.values())
    for name, weight in weights.items():
        assert math.isclose(widths[name], weight / total, abs_tol=1e-12)


@settings(deadline=None)
@given(WEIGHTS, st.floats(0, 1), st.floats(0, 1), UNITS)
def test_whoever_is_on_a_growing_canary_stays_and_nobody_else_moves_but_from_the_control(weights, one, other, unit):
    control, *others = weights
    fixed = {name: weights[name] / (2 * sum(weights.values())) for name in others}
    small, large = sorted((one / 2, other / 2))
    place = bucket("s", "e", unit)
    before, after = (
        choose({control: 1 - sum(fixed.values()) - share, **fixed, "canary": share}, place) for share in (small, large)
    )
    assert after in ({"canary"} if before == "canary" else {before, "canary"} if before == control else {before})


def test_shares_are_near_the_weights():
    weights = {"control": 70, "a": 20, "b": 10}
    seen = Counter(choose(weights, bucket("s", "e", f"unit-{number}")) for number in range(20_000))
    for name, weight in weights.items():
        expected = 20_000 * weight / 100
        assert abs(seen[name] - expected) < 5 * math.sqrt(expected)


def test_experiments_and_the_second_bucket_are_independent():
    units = [f"unit-{number}" for number in range(8_000)]
    first, other = ([bucket("s", experiment, unit) < BUCKETS / 2 for unit in units] for experiment in ("e", "f"))
    second = [draw(prefix("s", "e"), unit)[1] < BUCKETS / 2 for unit in units]
    for one in (other, second):
        same = sum(a == b for a, b in zip(first, one, strict=True))
        assert abs(same - 4_000) < 5 * math.sqrt(2_000)
