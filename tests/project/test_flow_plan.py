"""The plan of a notebook: what is essential, which stage it runs in, where a stage is divided, what it is called."""

from __future__ import annotations

import pytest

from modelwright.errors import ConversionError
from modelwright.project.notebook.measures import find_measures
from modelwright.project.notebook.order import put_in_order
from modelwright.project.notebook.plan import Plan, make_plan
from modelwright.project.notebook.statements import CodeCell

LOAD = "import pandas as pd\nfrom sklearn.svm import SVC\ndf = pd.read_csv('a.csv')"
SPLIT = "from sklearn.model_selection import train_test_split\nA, B, u, v = train_test_split(X, y, random_state=0)"
FIT = "model = SVC()\nmodel.fit(X, y)"
SELECT = "X = df[['a']]\ny = df['b']"


def plan_of(*cells: str, model: str = "", titles: dict[int, str] | None = None) -> Plan:
    ordered = put_in_order([CodeCell(number, code) for number, code in enumerate(cells, 1)])
    return make_plan(ordered.flow, model=model, titles=titles)


def blocks(plan: Plan) -> dict[str, list[str]]:
    """Return the first lines of the statements of each function."""
    return {
        block.function: [plan.flow.statements[index].code.splitlines()[0] for index in block.statements]
        for block in plan.blocks
    }


def test_only_what_the_model_needs_is_essential() -> None:
    plan = plan_of(LOAD, "unused = df.mean()", "df.plot()", SELECT, FIT)

    assert [block.function for block in plan.blocks] == ["load_data", "build_features", "define_models", "train_models"]
    assert not any("unused" in line for lines in blocks(plan).values() for line in lines)
    assert [display.cell for display in plan.displays] == [3]


def test_literal_stands_where_it_is_used() -> None:
    plan = plan_of(LOAD, "codes = {'m': 0}", "df = df.dropna()", "df['a'] = df['a'].map(codes)", SELECT, FIT)

    assert "codes = {'m': 0}" in blocks(plan)["build_features"]


def test_models_that_share_a_name_are_made_where_they_are_used() -> None:
    again = "clf = SVC(C={})\nclf.fit(X, y)\nprint(clf.score(X, y))"
    plan = plan_of(LOAD, SELECT, again.format(1), again.format(2))

    assert "define_models" not in blocks(plan)
    assert "clf = SVC(C=1)" in blocks(plan)["train_models"]


def test_file_written_halfway_does_not_end_the_pipeline() -> None:
    plan = plan_of(LOAD, "df.to_csv('b.csv')", "df['a'] = df['a'].fillna(0)", SELECT, FIT, "out = model.predict(X)")

    assert "deliver" not in blocks(plan)
    assert "df['a'] = df['a'].fillna(0)" in blocks(plan)["preprocess"]


def test_file_written_at_the_end_is_delivered() -> None:
    plan = plan_of(LOAD, SELECT, FIT, "pd.Series(model.predict(X)).to_csv('out.csv')")

    assert plan.blocks[-1].function == "deliver"


def test_picture_between_two_changes_divides_a_stage_at_the_begin_of_a_cell() -> None:
    plan = plan_of(
        LOAD,
        "df['a'] = df['a'].map(str)",
        "df['a'].hist()",
        "codes = {'x': 1}\ndf['c'] = df['a'].map(codes)",
        SELECT,
        FIT,
    )
    found = blocks(plan)

    assert found["build_features"] == ["df['a'] = df['a'].map(str)"]
    assert found["features_c"][0] == "codes = {'x': 1}" or found["features_2"][0] == "codes = {'x': 1}"
    assert [display.after for display in plan.displays] == [list(found).index("build_features")]


def test_glance_at_a_table_does_not_divide_a_stage() -> None:
    plan = plan_of(LOAD, "df['a'] = df['a'].map(str)", "df.head()", "df['c'] = df['a'].map(len)", SELECT, FIT)

    assert len([name for name in blocks(plan) if "features" in name]) == 1
    assert [display.cell for display in plan.displays] == [3]


def test_part_of_a_stage_is_called_after_its_cell_or_its_column() -> None:
    cells = [LOAD, "df['a'] = df['a'].map(str)", "df['a'].hist()", "df['a'] = df['a'].map(len)"]
    cells += ["df['a'].hist()", "df['Fare price'] = df['a'].map(float)", SELECT, FIT]
    named = plan_of(*cells, titles={4: "2. Lengths of the names, and"})

    assert "features_lengths_of_the_names" in blocks(named)
    assert "features" in list(blocks(named))[-4]


def test_held_out_rows_are_the_other_part_of_the_split() -> None:
    plan = plan_of(LOAD, SELECT, SPLIT, "model = SVC()\nmodel.fit(A, u)\nacc = model.score(B, v)")

    assert {name: rows.text for name, rows in plan.target.rows().items()} == {
        "rows": "A", "truth": "u", "test_rows": "B", "test_truth": "v", "asked": "B",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "chosen"),
    [
        (["one = SVC().fit(X, y)", "two = SVC().fit(X, y)"], "two"),
        (["best_model = SVC().fit(X, y)", "two = SVC().fit(X, y)"], "best_model"),
        (["one = SVC().fit(X, y)\nimport joblib\njoblib.dump(one, 'm')", "two = SVC().fit(X, y)"], "one"),
    ],
)
def test_model_is_the_saved_one_then_the_one_called_best_then_the_last(cells: list[str], chosen: str) -> None:
    assert plan_of(LOAD, SELECT, *cells).target.model.name == chosen


def test_model_that_is_asked_for_is_taken() -> None:
    plan = plan_of(LOAD, SELECT, "one = SVC().fit(X, y)", "two = SVC().fit(X, y)", model="one")

    assert (plan.target.model.name, plan.target.others) == ("one", ("two",))


@pytest.mark.parametrize(
    ("cells", "where", "why"),
    [
        ([SELECT], "", "There is no call of fit"),
        (["clf = SVC()"], "cell 2", "'clf' is made, but fit() is never called on it"),
        (["from m import StandardScaler\ns = StandardScaler()\ns.fit(df)"], "cell 2", "'s' only transforms data"),
        (["from m import Neighbours\nn = Neighbours()\nn.fit(df)"], "cell 2", "'n' is fitted, but never asked"),
        (["def run(d):\n    m = SVC()\n    m.fit(d, d)\n    return 1", "run(df)"], "cell 2", "run() fits a model"),
    ],
)
def test_notebook_without_a_model_is_refused_with_what_comes_nearest(cells: list[str], where: str, why: str) -> None:
    with pytest.raises(ConversionError, match="No cell fits a model") as refusal:
        plan_of(LOAD, *cells)

    assert why in str(refusal.value)
    assert (f"where: {where}" in str(refusal.value)) == bool(where)


def test_measures_are_found_kept_shown_and_combined() -> None:
    ordered = put_in_order(
        [
            CodeCell(1, "from sklearn.metrics import accuracy_score, f1_score\nimport numpy as np\nt = p = [1]"),
            CodeCell(2, "acc = accuracy_score(t, p)\nprint('f1', f1_score(t, p) * 100)\naccuracy_score(t, p)"),
        ]
    )

    assert [(one.key, one.kept) for one in find_measures(ordered.flow)] == [
        ("acc", True), ("f1_score", False), ("accuracy_score", False),
    ]  # fmt: skip


def test_heading_does_not_put_off_what_is_needed_before() -> None:
    cells = [CodeCell(1, LOAD), CodeCell(2, "table = df.copy()", heading="what to interpret")]
    cells += [CodeCell(3, "X = table[['a']]\ny = table['b']"), CodeCell(4, FIT)]

    plan = make_plan(put_in_order(cells).flow)

    assert "table = df.copy()" in blocks(plan)["build_features"]
    assert "explain_model" not in blocks(plan)
