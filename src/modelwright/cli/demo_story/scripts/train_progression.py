"""Train a model of how diabetes progresses within a year, and capture it.

Usage: python train_progression.py VERSION PATIENTS [complete]

The data are scikit-learn's: 442 real patients (Efron et al. 2004). Two things are derived from them: the weight
class of the WHO, and a gap in every tenth glucose value, because laboratories forget. With ``complete``, patients with
a gap are left out.
"""

import sys

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import modelwright as mw

version, patients = sys.argv[1], int(sys.argv[2])

data = load_diabetes(as_frame=True, scaled=False)
names = {"s1": "tc", "s2": "ldl", "s3": "hdl", "s4": "tch", "s5": "ltg", "s6": "glucose"}
X = data.data.rename(columns=names)
X["sex"] = X["sex"].astype(int).astype(str).astype("category")
X["weight"] = pd.cut(X["bmi"], [0, 18.5, 25, 30, 100], labels=["under", "normal", "over", "obese"])
X.loc[::10, "glucose"] = None
X.to_json("patients.json", orient="records")
y = data.target
if "complete" in sys.argv:
    X, y = X.dropna(), y[X["glucose"].notna()]


def with_ratio(frame: pd.DataFrame) -> pd.DataFrame:
    """Add what physicians look at: total cholesterol by HDL."""
    return frame.assign(ratio=frame["tc"] / frame["hdl"])


columns = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), ["sex", "weight"]),
    remainder=make_pipeline(SimpleImputer(), StandardScaler()),
)
model = make_pipeline(FunctionTransformer(with_ratio), columns, Ridge())
model.fit(X[:patients], y[:patients])

package = mw.capture(
    model,
    X[:patients],
    y[:patients],
    name="progression",
    version=version,
    summary="How far diabetes progresses within a year",
    evaluate=(X[350:], y[350:]),
    scenarios=[mw.direction("bp", add=10, never="lower")],
    license="BSD-3-Clause",
    data=[mw.DataReference("https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html", rows=patients)],
)
for metric in package.manifest.evaluations:
    if metric.dataset == "test":
        print(f"{metric.metric:<10} {metric.value:.3f}")
