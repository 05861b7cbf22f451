"""The model that the pages of the documentation begin with: 569 real biopsies, from scikit-learn."""

from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import modelwright as mw

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:400], y[:400])
mw.capture(model, X[:400], y[:400], name="tumour", version="1.0.0", evaluate=(X[400:], y[400:]))
X[400:403].to_csv("rows.csv", index=False)
