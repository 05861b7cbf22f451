"""A card in METADATA is whole or says that it is not, and never large."""

from __future__ import annotations

from pathlib import Path

import pytest
from building_models import write_model
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.metadata import Metadata

from modelwright.building.abridging import LIMIT, abridged
from modelwright.building.metadata import core_metadata
from modelwright.building.project import open_project

WHERE = "churn/model/card.md"
SAYS = f"`{WHERE}`.*\n"
LINES = st.sampled_from(["", "# Head", "text" * 9, "| a | b |", "```python", "```", "~~~", "---", "Ελλάδα " * 20])


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(LINES, max_size=60), limit=st.integers(200, 1500))
def test_a_card_is_whole_or_says_where_the_rest_is_and_never_exceeds_the_limit(lines, limit):
    card = "\n".join(lines)
    shown = abridged(card, where=WHERE, limit=limit)
    assert len(shown.encode()) <= limit
    assert shown == card or shown.endswith(SAYS)
    assert (shown == card) == (len(card.encode()) <= limit)


def test_front_matter_goes_first_then_long_tables_then_the_end():
    table = "| Name | Value |\n| --- | --- |\n" + "".join(f"| `c{n}` | {n} |\n" for n in range(400))
    card = f"---\nmodel-index: [{'x' * 500}]\n---\n\n# Churn\n\n## Inputs\n\n{table}\n## Metrics\n\n" + "word " * 300
    shown = abridged(card + f"\n\n## Caveats\n\n{'no ' * 2000}", where=WHERE)
    assert shown.startswith("# Churn\n\n## Inputs\n\n| Name | Value |\n| --- | --- |\n| `c0` | 0 |\n")
    assert "| `c7` | 7 |\n\n*392 more rows.*\n\n## Metrics" in shown
    assert "Caveats" not in shown


@pytest.mark.parametrize("rows", [9, 10])
def test_a_table_is_cut_only_if_that_hides_more_than_one_row(rows):
    card = "| n |\n| --- |\n" + f"| {'1' * 100} |\n" * rows + "\n" + "word " * 2000
    assert ("more rows" in abridged(card, where=WHERE)) == (rows == 10)


def test_code_is_shown_whole_or_not_at_all():
    card = "# Churn\n\n```python\nimport churn\n\n" + "churn.predict(rows)\n\n" * 500 + "```\n\nend\n"
    assert "```" not in abridged(card, where=WHERE)


def test_metadata_of_a_model_with_many_columns_stays_small(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    card = "# Churn\n\n| Name |\n| --- |\n" + "".join(f"| column {n} |\n" for n in range(5000))
    next(folder.rglob("card.md")).write_text(card, "utf-8")
    found = Metadata.from_email(core_metadata(open_project(folder)), validate=True)
    assert len(str(found.description).encode()) <= LIMIT
    assert "churn/model/card.md" in str(found.description)
