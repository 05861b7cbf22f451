"""Train a classifier of tumours as many do, and save it as many do: with joblib, beside a CSV of rows.

The data are scikit-learn's: 569 real biopsies from Wisconsin, 30 measurements each (Street et al. 1993).
"""

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

data = load_breast_cancer(as_frame=True)
X = data.data.rename(columns=lambda name: name.replace(" ", "_"))
y = data.target.map({0: "malignant", 1: "benign"}).rename("diagnosis")
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
joblib.dump(model, "tumour.joblib")
X_train.join(y_train).to_csv("train.csv", index=False)
X_test.join(y_test).to_csv("test.csv", index=False)
X_test.head(3).to_csv("rows.csv", index=False)
print(f"{model.score(X_test, y_test):.3f} of the test rows are classified correctly")
