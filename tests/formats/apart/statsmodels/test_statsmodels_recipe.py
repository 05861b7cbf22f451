"""The recipe for statsmodels holds from the fitted model to the proved wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import formulaic
import leaving
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import modelwright as mw
from modelwright.errors import SignatureError

RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "age": RNG.integers(18, 80, 300),
        "income": RNG.gamma(2.0, 2e4, 300).round(2),
        "region": RNG.choice(["north", "south", "west"], 300),
    }
)
LEFT = (RNG.random(300) < 1 / (1 + np.exp((50 - X["age"]) / 10))).astype(int)
FORMULA = "age + log(income) + C(region)"


def fitted() -> Any:
    columns = formulaic.model_matrix(FORMULA, X)
    results = sm.Logit(LEFT, columns).fit(disp=0)
    results.remove_data()
    return leaving.Leaving(columns.model_spec, results)


def stored(package: Any) -> bytes:
    return next(package.path.rglob("*.joblib")).read_bytes()


def test_a_formula_and_its_results_are_captured_built_and_verified(tmp_path: Path) -> None:
    model = fitted()
    expected = smf.logit(f"left ~ {FORMULA.replace('log', 'np.log')}", X.assign(left=LEFT)).fit(disp=0).predict(X)
    package = mw.capture(model, X, name="leaves", version="1.0", to=tmp_path)
    assert package.manifest.storage.format == "joblib"
    assert package.manifest.storage.executes_code
    names = {line.partition("==")[0] for line in package.manifest.environment.dependencies}
    assert names == {"joblib", "statsmodels"}
    assert mw.verify(mw.build(package, tmp_path / "dist")).passed
    loaded = mw.load(package.path)
    assert loaded.predict(X)["prediction"].tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    with pytest.raises(SignatureError, match="region"):
        loaded.predict(X[:1].assign(region="east"))


def test_the_package_holds_no_row_of_training(tmp_path: Path) -> None:
    package = mw.capture(fitted(), X, name="leaves", version="1.0", to=tmp_path)
    found = [value for value in X["income"].tolist() if np.float64(value).tobytes() in stored(package)]
    assert not found


def test_results_of_arrays_take_the_design_matrix(tmp_path: Path) -> None:
    design = sm.add_constant(X[["age", "income"]])
    results = sm.OLS(LEFT.to_numpy(), design).fit()
    expected = results.predict(design)
    results.remove_data()
    package = mw.capture(results, design, name="linear", version="1.0", to=tmp_path)
    assert [field.name for field in package.manifest.signature.inputs] == ["const", "age", "income"]
    assert mw.load(package.path).predict(design)["prediction"].tolist() == pytest.approx(expected.tolist())
    assert X["income"].to_numpy().tobytes() not in stored(package)


def test_results_with_a_formula_keep_their_training_rows_which_the_recipe_tells(tmp_path: Path) -> None:
    results = smf.ols("left ~ age + income", X.assign(left=LEFT)).fit()
    results.remove_data()
    package = mw.capture(results, X[["age", "income"]], name="linear", version="1.0", to=tmp_path)
    assert X["income"].to_numpy().tobytes() in stored(package)


def test_the_page_shows_the_code_that_is_tested() -> None:
    page = (Path(__file__).parents[4] / "docs" / "how-to" / "libraries-without-a-format.md").read_text("utf-8")
    source = Path(leaving.__file__).read_text("utf-8")
    assert source[source.index("class Leaving") :] in page
