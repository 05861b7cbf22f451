"""Train the model and save it beside the code."""
import pickle

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from churn.features import add_ratio

TARGET = "churned"


def main():
    frame = pd.read_csv("data/customers.csv")
    y = frame[TARGET]
    X = frame.drop(columns=[TARGET])
    model = make_pipeline(FunctionTransformer(add_ratio), StandardScaler(), LogisticRegression()).fit(X, y)
    with open("src/churn/model.pkl", "wb") as handle:
        pickle.dump(model, handle)


if __name__ == "__main__":
    main()
