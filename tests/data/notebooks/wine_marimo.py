import marimo

__generated_with = "0.17.0"
app = marimo.App(width="medium")

with app.setup:
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Which cultivar?

    Cells stand where they were written, not where they run.
    """)
    return


@app.cell
def _(X_test, forest, y_test):
    accuracy = forest.score(X_test, y_test)
    accuracy
    return (accuracy,)


@app.cell
def _(X_train, y_train):
    # fifty trees are enough
    forest = RandomForestClassifier(n_estimators=50, random_state=0)
    forest.fit(X_train, y_train)
    return (forest,)


@app.cell
def _(wine):
    features = colour_first(wine.drop(columns="target"))
    X_train, X_test, y_train, y_test = train_test_split(features, wine["target"], test_size=0.3, random_state=5)
    return X_test, X_train, y_test, y_train


@app.cell
def _():
    wine = pd.read_csv("data/wine.csv")
    wine.head()
    return (wine,)


@app.function
def colour_first(frame):
    rest = [name for name in frame.columns if name != "color_intensity"]
    return frame[["color_intensity", *rest]]


@app.cell
def _():
    import marimo as mo
    return (mo,)


if __name__ == "__main__":
    app.run()
