"""A fitted estimator of every supported type, and what is done around it to fit it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sklearn
from sklearn import (
    calibration,
    cluster,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_selection,
    impute,
    linear_model,
    model_selection,
    naive_bayes,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.compose import make_column_transformer

WIDTH = 5


class Case(NamedTuple):
    """One estimator.

    Attributes:
        name: What it is called in a report.
        make: Makes it, unfitted.
        target: What it is fitted on: ``two``, ``three`` (text), or ``dozen`` classes, ``many`` (numbers), or ``pairs``
            (two numbers a row).
        rows: What its rows are: ``plain``, ``positive``, ``holed`` (with NaN), ``whole`` (few small integers).
    """

    name: str
    make: Callable[[], Any]
    target: str = "two"
    rows: str = "plain"

    def fit(self, seed: int) -> Any:
        """Return it fitted on 200 rows."""
        rng = np.random.default_rng(seed)
        return self.make().fit(make_rows(self.rows, 200, rng), make_target(self.target, 200, rng))


def make_rows(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Make rows ``[count, WIDTH]``."""
    if kind == "whole":
        return rng.integers(0, 4, (count, WIDTH)).astype(float)
    rows = rng.normal(1.0, 2.0, (count, WIDTH))
    if kind == "positive":
        rows = np.abs(rows) + 0.01
    if kind == "holed":
        rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows


def make_target(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Make what is to be learned ``[count]``; it need not be learnable, but no two fits are alike."""
    if kind == "three":
        return rng.choice(["low", "middle", "high"], count)
    if kind == "dozen":
        return np.arange(count) % 12
    if kind == "two":
        return rng.integers(0, 2, count)
    if kind == "pairs":
        return rng.normal(size=(count, 2))
    return np.abs(rng.normal(2.0, 1.0, count)) + 0.1


def cases() -> list[Case]:
    """Return an estimator of every supported type, some in several forms."""
    return [*_linear(), *_trees(), *_other(), *_composed(), *_transformers(), *_dozens()]


def _dozens() -> list[Case]:
    """Return estimators of a dozen classes: NumPy adds eight and more numbers in an order that depends on memory."""
    boosted, network = ensemble.AdaBoostClassifier, neural_network.MLPClassifier
    kinds: list[Callable[[], Any]] = [
        linear_model.LogisticRegression,
        naive_bayes.GaussianNB,
        naive_bayes.BernoulliNB,
        discriminant_analysis.LinearDiscriminantAnalysis,
        discriminant_analysis.QuadraticDiscriminantAnalysis,
        svm.SVC,
        lambda: boosted(n_estimators=5),
        lambda: network((8,), tol=10.0),
        lambda: ensemble.RandomForestClassifier(5),
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=3),
        lambda: calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=2),
    ]
    return [Case(f"{type(kind()).__name__}, a dozen classes", kind, "dozen") for kind in kinds]


def _linear() -> list[Case]:
    one, grid = linear_model, {"C": [0.5, 1.0]}
    found = [
        Case("LogisticRegression", one.LogisticRegression),
        Case("LogisticRegression, three classes", one.LogisticRegression, "three"),
        Case("LogisticRegressionCV", lambda: one.LogisticRegressionCV(Cs=2, cv=2), "three"),
        Case("GridSearchCV", lambda: model_selection.GridSearchCV(one.LogisticRegression(), grid, cv=2)),
        Case("SGDClassifier", lambda: one.SGDClassifier(loss="log_loss"), "three"),
        Case("SGDClassifier, modified Huber", lambda: one.SGDClassifier(loss="modified_huber")),
        Case("LinearSVC", svm.LinearSVC, "three"),
        Case("TweedieRegressor", lambda: one.TweedieRegressor(power=1.5), "many"),
        Case("LinearSVR", svm.LinearSVR, "many"),
        Case("SGDRegressor", one.SGDRegressor, "many"),
        Case("LinearRegression, two outputs", one.LinearRegression, "pairs"),
    ]
    found += [
        Case(kind.__name__, kind, "three") for kind in (one.Perceptron, one.RidgeClassifier, one.RidgeClassifierCV)
    ]
    numbers = (one.LinearRegression, one.Ridge, one.RidgeCV, one.Lasso, one.LassoCV, one.ElasticNet, one.ElasticNetCV)
    more = (one.HuberRegressor, one.PoissonRegressor, one.GammaRegressor, one.Lars, one.LassoLars, one.ARDRegression)
    found += [Case(kind.__name__, kind, "many") for kind in (*numbers, *more, one.OrthogonalMatchingPursuit)]
    return found + [Case(kind.__name__, kind, "pairs") for kind in (one.MultiTaskLasso, one.MultiTaskElasticNet)]


def _searching() -> Any:
    return linear_model.LogisticRegressionCV(Cs=2, cv=2)


def _trees() -> list[Case]:
    one, few = ensemble, {"n_estimators": 12, "random_state": 0}
    forests = (one.RandomForestClassifier, one.ExtraTreesClassifier)
    numbers = (one.RandomForestRegressor, one.ExtraTreesRegressor)
    found = [
        Case("DecisionTreeClassifier", tree.DecisionTreeClassifier, "three", "holed"),
        Case("ExtraTreeClassifier", tree.ExtraTreeClassifier),
        Case("DecisionTreeRegressor", tree.DecisionTreeRegressor, "many", "holed"),
        Case("ExtraTreeRegressor", tree.ExtraTreeRegressor, "pairs"),
        Case("GradientBoostingClassifier", lambda: one.GradientBoostingClassifier(**few)),
        Case("GradientBoostingClassifier, three classes", lambda: one.GradientBoostingClassifier(**few), "three"),
        Case(
            "GradientBoostingClassifier, exponential", lambda: one.GradientBoostingClassifier(loss="exponential", **few)
        ),
        Case("GradientBoostingRegressor", lambda: one.GradientBoostingRegressor(**few), "many"),
        Case("GradientBoostingRegressor, from zero", lambda: one.GradientBoostingRegressor(init="zero", **few), "many"),
        Case("HistGradientBoostingClassifier", _hist(one.HistGradientBoostingClassifier), "two", "holed"),
        Case("HistGradientBoostingClassifier, three", _hist(one.HistGradientBoostingClassifier), "three", "holed"),
        Case("HistGradientBoostingRegressor", _hist(one.HistGradientBoostingRegressor), "many", "holed"),
        Case("HistGradientBoostingRegressor, P.", _hist(one.HistGradientBoostingRegressor, loss="poisson"), "many"),
        Case("IsolationForest", lambda: one.IsolationForest(**few)),
        Case("IsolationForest, some features", lambda: one.IsolationForest(max_features=3, **few)),
        Case("AdaBoostClassifier", lambda: one.AdaBoostClassifier(**few)),
        Case("AdaBoostClassifier, three classes", lambda: one.AdaBoostClassifier(**few), "three"),
        Case("AdaBoostClassifier of lines", lambda: one.AdaBoostClassifier(linear_model.LogisticRegression(), **few)),
        Case("AdaBoostRegressor", lambda: one.AdaBoostRegressor(**few), "many"),
        Case("BaggingClassifier", lambda: one.BaggingClassifier(max_features=3), "three"),
        Case("BaggingRegressor of lines", lambda: one.BaggingRegressor(linear_model.Ridge()), "many"),
    ]
    for rows in ("plain", "holed"):
        some = 2 if rows == "plain" or sklearn.__version__ > "1.6" else 1  # extra trees took no NaN before
        found += [Case(f"{kind.__name__}, {rows}", _with(kind, few), "three", rows) for kind in forests[:some]]
        found += [Case(f"{kind.__name__}, {rows}", _with(kind, few), "many", rows) for kind in numbers[:some]]
    return [*found, Case("RandomForestRegressor, two outputs", _with(one.RandomForestRegressor, few), "pairs")]


def _hist(kind: Any, **settings: Any) -> Callable[[], Any]:
    return lambda: kind(max_iter=8, min_samples_leaf=5, **settings)


def _with(kind: Any, settings: dict[str, Any]) -> Callable[[], Any]:
    return lambda: kind(**settings)


def _other() -> list[Case]:
    network = {"max_iter": 20, "hidden_layer_sizes": (8, 4), "tol": 10.0}
    return [
        Case("GaussianNB", naive_bayes.GaussianNB, "three"),
        Case("BernoulliNB", naive_bayes.BernoulliNB, "three"),
        Case("MultinomialNB", naive_bayes.MultinomialNB, "three", "positive"),
        Case("ComplementNB", naive_bayes.ComplementNB, "three", "positive"),
        Case("KMeans", lambda: cluster.KMeans(4, n_init=1)),
        Case("MiniBatchKMeans", lambda: cluster.MiniBatchKMeans(4, n_init=1)),
        Case("SVC", svm.SVC),
        Case("SVC, three classes", lambda: svm.SVC(kernel="poly"), "three"),
        Case("SVC, one against one", lambda: svm.SVC(decision_function_shape="ovo"), "three"),
        Case("NuSVC", svm.NuSVC, "three"),
        Case("SVR", svm.SVR, "many"),
        Case("NuSVR", svm.NuSVR, "many"),
        Case("OneClassSVM", svm.OneClassSVM),
        Case("MLPClassifier", lambda: neural_network.MLPClassifier(**network)),
        Case(
            "MLPClassifier, three classes",
            lambda: neural_network.MLPClassifier((8,), activation="tanh", tol=10.0),
            "three",
        ),
        Case("MLPRegressor", lambda: neural_network.MLPRegressor(**network), "many"),
        Case("LinearDiscriminantAnalysis", discriminant_analysis.LinearDiscriminantAnalysis),
        Case("LinearDiscriminantAnalysis, three", discriminant_analysis.LinearDiscriminantAnalysis, "three"),
        Case("QuadraticDiscriminantAnalysis", discriminant_analysis.QuadraticDiscriminantAnalysis, "three"),
        Case("DummyClassifier", dummy.DummyClassifier, "three"),
        Case("DummyRegressor", dummy.DummyRegressor, "many"),
    ]


def _composed() -> list[Case]:
    lines, stumps = linear_model.LogisticRegression(), tree.DecisionTreeClassifier(max_depth=2)
    pair = [("line", lines), ("tree", stumps)]
    numbers = [("line", linear_model.Ridge()), ("tree", tree.DecisionTreeRegressor(max_depth=2))]
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge())
    calibrated = calibration.CalibratedClassifierCV
    return [
        Case("Pipeline", lambda: scaled, "many"),
        Case("FeatureUnion", lambda: pipeline.make_union(preprocessing.MinMaxScaler(), decomposition.PCA(2))),
        Case("ColumnTransformer", _columns, "many", "holed"),
        Case("VotingClassifier", lambda: ensemble.VotingClassifier(pair, voting="soft", weights=[2, 1]), "three"),
        Case("VotingClassifier, hard", lambda: ensemble.VotingClassifier(pair), "three"),
        Case("VotingRegressor", lambda: ensemble.VotingRegressor(numbers), "many"),
        Case("StackingClassifier", lambda: ensemble.StackingClassifier(pair, cv=2)),
        Case("StackingClassifier, three", lambda: ensemble.StackingClassifier(pair, cv=2, passthrough=True), "three"),
        Case("StackingRegressor", lambda: ensemble.StackingRegressor(numbers, cv=2), "many"),
        Case("CalibratedClassifierCV", lambda: calibrated(lines, cv=2)),
        Case("CalibratedClassifierCV, isotonic", lambda: calibrated(stumps, method="isotonic", cv=2), "three"),
        Case("RFE", lambda: feature_selection.RFE(linear_model.Ridge(), n_features_to_select=2), "many"),
    ]


def _columns() -> Any:
    holes = pipeline.make_pipeline(impute.SimpleImputer(add_indicator=True), preprocessing.StandardScaler())
    return make_column_transformer((holes, [0, 1, 2]), ("passthrough", [4]), remainder="drop")


def _transformers() -> list[Case]:
    one, choose = preprocessing, feature_selection
    return [
        *(Case(kind.__name__, kind, rows="holed") for kind in (one.StandardScaler, one.MinMaxScaler, one.MaxAbsScaler)),
        Case("MinMaxScaler, clipped", lambda: one.MinMaxScaler(clip=True)),
        Case("RobustScaler", one.RobustScaler, rows="holed"),
        *(Case(f"Normalizer, {norm}", _with(one.Normalizer, {"norm": norm})) for norm in ("l1", "l2", "max")),
        Case("Binarizer", lambda: one.Binarizer(threshold=0.5)),
        *(Case(f"SimpleImputer, {how}", _imputer(how), rows="holed") for how in ("mean", "median", "most_frequent")),
        Case("SimpleImputer with indicator", lambda: impute.SimpleImputer(add_indicator=True), rows="holed"),
        Case("OneHotEncoder", lambda: one.OneHotEncoder(handle_unknown="ignore"), rows="whole"),
        Case("OneHotEncoder, rare", _rare, rows="whole"),
        Case("OneHotEncoder, dense", lambda: one.OneHotEncoder(drop="first", sparse_output=False), rows="whole"),
        Case("OrdinalEncoder", one.OrdinalEncoder, rows="whole"),
        Case("TargetEncoder", lambda: one.TargetEncoder(cv=2), "many", "whole"),
        Case("TargetEncoder, three classes", lambda: one.TargetEncoder(cv=2), "three", "whole"),
        Case("PolynomialFeatures", lambda: one.PolynomialFeatures(3)),
        Case("PolynomialFeatures, interactions", lambda: one.PolynomialFeatures(2, interaction_only=True, order="F")),
        Case("PowerTransformer", one.PowerTransformer, rows="holed"),
        Case("PowerTransformer, Box-Cox", lambda: one.PowerTransformer("box-cox"), rows="positive"),
        Case("QuantileTransformer", lambda: one.QuantileTransformer(n_quantiles=50), rows="holed"),
        Case("KBinsDiscretizer", lambda: one.KBinsDiscretizer(strategy="kmeans")),
        Case("KBinsDiscretizer, numbers", lambda: one.KBinsDiscretizer(encode="ordinal", strategy="uniform")),
        Case("PCA", lambda: decomposition.PCA(3)),
        Case("PCA, whitened", lambda: decomposition.PCA(3, whiten=True)),
        Case("IncrementalPCA", lambda: decomposition.IncrementalPCA(3)),
        Case("TruncatedSVD", lambda: decomposition.TruncatedSVD(3)),
        Case("VarianceThreshold", choose.VarianceThreshold, rows="holed"),
        Case("SelectKBest", lambda: choose.SelectKBest(k=2)),
        Case("SelectPercentile", lambda: choose.SelectPercentile(percentile=50)),
        Case("SelectFromModel", lambda: choose.SelectFromModel(linear_model.Ridge()), "many"),
    ]


def _imputer(strategy: str) -> Callable[[], Any]:
    return lambda: impute.SimpleImputer(strategy=strategy)


def _rare() -> Any:
    return preprocessing.OneHotEncoder(min_frequency=45, handle_unknown="infrequent_if_exist")
