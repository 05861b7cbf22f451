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
        "warping.power_transformer": "PowerTransformer",
        "warping.quantile_transformer": "QuantileTransformer",
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
        "vectors.classifier": "SVC NuSVC",
        "vectors.regressor": "SVR NuSVR",
        "vectors.one_class": "OneClassSVM",
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
    "sklearn.ensemble._gb": {
        "boosting.boosting_classifier": "GradientBoostingClassifier",
        "boosting.boosting_regressor": "GradientBoostingRegressor",
    },
    "sklearn.ensemble._iforest": {
        "isolation.isolation_forest": "IsolationForest",
    },
    "sklearn.ensemble._weight_boosting": {
        "weighting.ada_classifier": "AdaBoostClassifier",
        "weighting.ada_regressor": "AdaBoostRegressor",
    },
    "sklearn.ensemble._bagging": {
        "bagging.bagging_classifier": "BaggingClassifier",
        "bagging.bagging_regressor": "BaggingRegressor",
    },
    "sklearn.ensemble._voting": {
        "voting.voting_classifier": "VotingClassifier",
        "voting.voting_regressor": "VotingRegressor",
    },
    "sklearn.ensemble._stacking": {
        "stacking.stacking_classifier": "StackingClassifier",
        "stacking.stacking_regressor": "StackingRegressor",
    },
    "sklearn.calibration": {
        "calibrating.calibrated_classifier": "CalibratedClassifierCV",
    },
    "sklearn.naive_bayes": {
        "bayes.gaussian": "GaussianNB",
        "bayes.bernoulli": "BernoulliNB",
        "bayes.multinomial": "MultinomialNB",
        "bayes.complement": "ComplementNB",
    },
    "sklearn.cluster._kmeans": {
        "clusters.k_means": "KMeans MiniBatchKMeans",
    },
    "sklearn.neural_network._multilayer_perceptron": {
        "networks.mlp_classifier": "MLPClassifier",
        "networks.mlp_regressor": "MLPRegressor",
    },
    "sklearn.discriminant_analysis": {
        "discriminants.linear_discriminant": "LinearDiscriminantAnalysis",
        "discriminants.quadratic_discriminant": "QuadraticDiscriminantAnalysis",
    },
    "sklearn.dummy": {
        "constants.dummy_classifier": "DummyClassifier",
        "constants.dummy_regressor": "DummyRegressor",
    },
    "sklearn.decomposition._pca": {
        "projecting.pca": "PCA",
    },
    "sklearn.decomposition._incremental_pca": {
        "projecting.pca": "IncrementalPCA",
    },
    "sklearn.decomposition._truncated_svd": {
        "projecting.truncated_svd": "TruncatedSVD",
    },
    "sklearn.feature_selection._variance_threshold": {
        "selecting.selector": "VarianceThreshold",
    },
    "sklearn.feature_selection._from_model": {
        "selecting.selector": "SelectFromModel",
    },
    "sklearn.feature_selection._univariate_selection": {
        "selecting.selector": "SelectKBest SelectPercentile SelectFpr SelectFdr SelectFwe GenericUnivariateSelect",
    },
    "sklearn.feature_selection._sequential": {
        "selecting.selector": "SequentialFeatureSelector",
    },
    "sklearn.feature_selection._rfe": {
        "selecting.eliminator": "RFE RFECV",
    },
    "sklearn.preprocessing._discretization": {
        "warping.k_bins": "KBinsDiscretizer",
    },
    "sklearn.preprocessing._polynomial": {
        "expanding.polynomial": "PolynomialFeatures",
    },
    "sklearn.model_selection._search": {
        "delegating.searched": "GridSearchCV RandomizedSearchCV",
    },
    "sklearn.model_selection._search_successive_halving": {
        "delegating.searched": "HalvingGridSearchCV HalvingRandomSearchCV",
    },
    "sklearn.frozen._frozen": {
        "delegating.frozen": "FrozenEstimator",
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
