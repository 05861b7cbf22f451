"""Which types are known, and what makes their plans: the module in this folder and the function in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

_TABLE: dict[str, dict[str, str]] = {
    "sklearn.pipeline": {
        "composing.pipeline": "Pipeline",
        "composing.feature_union": "FeatureUnion",
    },
    "sklearn.compose._column_transformer": {
        "columns.column_transformer": "ColumnTransformer",
    },
    "sklearn.preprocessing._data": {
        "scaling.standard_scaler": "StandardScaler",
        "scaling.min_max_scaler": "MinMaxScaler",
        "scaling.max_abs_scaler": "MaxAbsScaler",
        "scaling.robust_scaler": "RobustScaler",
        "scaling.normalizer": "Normalizer",
        "scaling.binarizer": "Binarizer",
    },
    "sklearn.impute._base": {
        "imputing.simple_imputer": "SimpleImputer",
    },
    "sklearn.preprocessing._encoders": {
        "encoding.one_hot_encoder": "OneHotEncoder",
        "encoding.ordinal_encoder": "OrdinalEncoder",
    },
    "sklearn.preprocessing._target_encoder": {
        "encoding.target_encoder": "TargetEncoder",
    },
    "sklearn.linear_model._logistic": {
        "linear.logistic_regression": "LogisticRegression LogisticRegressionCV",
    },
    "sklearn.svm._classes": {
        "linear.linear_classifier": "LinearSVC",
        "linear.linear_regressor": "LinearSVR",
    },
    "sklearn.linear_model._perceptron": {
        "linear.linear_classifier": "Perceptron",
    },
    "sklearn.linear_model._passive_aggressive": {
        "linear.linear_classifier": "PassiveAggressiveClassifier",
        "linear.sgd_regressor": "PassiveAggressiveRegressor",
    },
    "sklearn.linear_model._ridge": {
        "linear.ridge_classifier": "RidgeClassifier RidgeClassifierCV",
        "linear.linear_regressor": "Ridge RidgeCV",
    },
    "sklearn.linear_model._stochastic_gradient": {
        "linear.sgd_classifier": "SGDClassifier",
        "linear.sgd_regressor": "SGDRegressor",
    },
    "sklearn.linear_model._base": {
        "linear.linear_regressor": "LinearRegression",
    },
    "sklearn.linear_model._huber": {
        "linear.linear_regressor": "HuberRegressor",
    },
    "sklearn.linear_model._bayes": {
        "linear.linear_regressor": "ARDRegression",
    },
    "sklearn.linear_model._least_angle": {
        "linear.linear_regressor": "Lars LassoLars LarsCV LassoLarsCV LassoLarsIC",
    },
    "sklearn.linear_model._omp": {
        "linear.linear_regressor": "OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV",
    },
    "sklearn.linear_model._theil_sen": {
        "linear.linear_regressor": "TheilSenRegressor",
    },
    "sklearn.linear_model._quantile": {
        "linear.linear_regressor": "QuantileRegressor",
    },
    "sklearn.linear_model._coordinate_descent": {
        "linear.coordinate_descent": (
            "Lasso ElasticNet LassoCV ElasticNetCV "
            "MultiTaskLasso MultiTaskElasticNet MultiTaskLassoCV MultiTaskElasticNetCV"
        ),
    },
    "sklearn.linear_model._glm.glm": {
        "linear.generalized_linear": "PoissonRegressor GammaRegressor TweedieRegressor",
    },
    "sklearn.tree._classes": {
        "trees.decision_tree_classifier": "DecisionTreeClassifier ExtraTreeClassifier",
        "trees.decision_tree_regressor": "DecisionTreeRegressor ExtraTreeRegressor",
    },
    "sklearn.ensemble._forest": {
        "trees.forest_classifier": "RandomForestClassifier ExtraTreesClassifier",
        "trees.forest_regressor": "RandomForestRegressor ExtraTreesRegressor",
    },
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": {
        "histograms.hist_classifier": "HistGradientBoostingClassifier",
        "histograms.hist_regressor": "HistGradientBoostingRegressor",
    },
}
"""Of every module of the library: what makes the plans of which types."""

KNOWN = {
    f"{module}.{name}": maker
    for module, makers in _TABLE.items()
    for maker, names in makers.items()
    for name in names.split()
}
"""The full name of every known type, and where its plan is made."""


def maker_of(step: object) -> Callable[..., Any] | None:
    """Return what makes the plan of a step; ``None`` if its type is not known, or the object differs from its type.

    A subclass may override anything, so only the very type counts; an attribute of the object that hides a method is
    an override as well.
    """
    kind = type(step)
    name = f"{kind.__module__}.{kind.__qualname__}"
    where = KNOWN.get(name)
    if where is None or getattr(sys.modules[kind.__module__], kind.__qualname__, None) is not kind:
        return None
    if any(callable(getattr(kind, attribute, None)) for attribute in vars(step)):
        return None
    if getattr(step, "_sklearn_output_config", {}).get("transform") not in (None, "default"):
        return None
    module, _, function = where.partition(".")
    maker: Callable[..., Any] = getattr(import_module(f".{module}", __package__), function)
    return maker
