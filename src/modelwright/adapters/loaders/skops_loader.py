"""Load a ``.skops`` artifact after reading, without importing anything, which types it would construct.

For: the runtime, which carries a copy of this file in every package stored in the skops format; capture lists the
types of a fresh artifact through the same function. It does not: decide whom to trust (the consumer does), or load
anything that is neither reviewed, nor the package's own, nor vouched for (skops itself refuses it once more).
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ARTIFACT = "model.skops"

REVIEWED_VERSION = 2
"""Version of the reviewed lists; they grow with every reviewed release of the libraries in them."""

# What was reviewed, for scikit-learn 1.2–1.9, NumPy 1.26–2.4 and SciPy 1.11–1.17: constructing these types with any
# arguments, restoring any state into them and calling them with any value neither runs code named in the artifact,
# nor imports, nor touches files, network or processes. Functions are on the list only if they are pure. Left out on
# purpose: everything that evaluates, reads or calls what it is told to (``numpy.load``, ``numpy.vectorize``,
# ``operator.attrgetter``, ``operator.methodcaller``, ``PyFuncDistance64``, ``FunctionTransformer`` functions outside
# this list), and loky, joblib and pickle machinery.
# ``Tree`` and ``TreePredictor`` run no code either, but index memory by the numbers in their arrays: a forged file can
# crash the process. They are here because the runtime compares the file's sha256 before it calls this loader.
_REVIEWED: dict[str, str] = {
    "builtins": "NoneType bool bytearray bytes complex dict float frozenset int list map range set slice str tuple",
    "collections": "Counter OrderedDict defaultdict",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "functools": "partial",
    "numpy": (
        "abs absolute add all amax amin any arccos arccosh arcsin arcsinh arctan arctan2 arctanh around array "
        "asarray atleast_1d atleast_2d average bitwise_and bitwise_count bitwise_or bitwise_xor bool bool_ bytes_ "
        "cbrt ceil clip clongdouble column_stack complex128 complex64 concatenate conjugate copysign cos cosh "
        "cumprod cumsum datetime64 deg2rad degrees diff digitize divide divmod dot dtype equal exp exp2 expm1 "
        "fabs fix float16 float32 float64 float_power floor floor_divide fmax fmin fmod frexp gcd greater "
        "greater_equal heaviside hstack hypot int16 int32 int64 int8 intc intp invert isclose isfinite isin isinf "
        "isnan isnat lcm ldexp left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and "
        "logical_not logical_or logical_xor longdouble longlong matmul matrix matvec max maximum mean median min "
        "minimum modf multiply nan_to_num nanmax nanmean nanmedian nanmin nanpercentile nanquantile nanstd nansum "
        "nanvar ndarray negative nextafter not_equal object_ ones_like percentile positive power prod ptp "
        "quantile rad2deg radians ravel real reciprocal remainder repeat reshape right_shift rint round "
        "searchsorted sign signbit sin sinh sort spacing sqrt square squeeze stack std str_ subtract sum tan tanh "
        "timedelta64 transpose trapezoid trunc uint16 uint32 uint64 uint8 uintc uintp ulonglong unique var vecdot "
        "vecmat void vstack where zeros_like"
    ),
    "numpy.ma": "MaskedArray",
    "numpy.ma.core": "MaskedArray",
    "numpy.random": "MT19937 PCG64 PCG64DXSM Philox SFC64",
    "numpy.random._generator": "Generator",
    "numpy.random.mtrand": "RandomState",
    "operator": "itemgetter",
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",
    "scipy.interpolate._bsplines": "BSpline",
    "scipy.interpolate._interpolate": "interp1d",
    "scipy.sparse._bsr": "bsr_array bsr_matrix",
    "scipy.sparse._coo": "coo_array coo_matrix",
    "scipy.sparse._csc": "csc_array csc_matrix",
    "scipy.sparse._csr": "csr_array csr_matrix",
    "scipy.sparse._dia": "dia_array dia_matrix",
    "scipy.sparse._dok": "dok_array dok_matrix",
    "scipy.sparse._lil": "lil_array lil_matrix",
    "sklearn._loss._loss": (
        "CyAbsoluteError CyExponentialLoss CyHalfBinomialLoss CyHalfGammaLoss CyHalfMultinomialLoss "
        "CyHalfPoissonLoss CyHalfSquaredError CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss "
        "CyPinballLoss"
    ),
    "sklearn._loss.link": "HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit",
    "sklearn._loss.loss": (
        "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss HalfPoissonLoss "
        "HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss"
    ),
    "sklearn.calibration": "CalibratedClassifierCV _CalibratedClassifier _SigmoidCalibration _TemperatureScaling",
    "sklearn.cluster._affinity_propagation": "AffinityPropagation",
    "sklearn.cluster._agglomerative": "AgglomerativeClustering FeatureAgglomeration",
    "sklearn.cluster._bicluster": "SpectralBiclustering SpectralCoclustering",
    "sklearn.cluster._birch": "Birch",
    "sklearn.cluster._bisect_k_means": "BisectingKMeans _BisectingTree",
    "sklearn.cluster._dbscan": "DBSCAN",
    "sklearn.cluster._hdbscan.hdbscan": "HDBSCAN",
    "sklearn.cluster._kmeans": "KMeans MiniBatchKMeans _kmeans_single_elkan _kmeans_single_lloyd",
    "sklearn.cluster._mean_shift": "MeanShift",
    "sklearn.cluster._optics": "OPTICS",
    "sklearn.cluster._spectral": "SpectralClustering",
    "sklearn.compose._column_transformer": "ColumnTransformer",
    "sklearn.compose._target": "TransformedTargetRegressor",
    "sklearn.covariance._elliptic_envelope": "EllipticEnvelope",
    "sklearn.covariance._empirical_covariance": "EmpiricalCovariance",
    "sklearn.covariance._graph_lasso": "GraphicalLasso GraphicalLassoCV",
    "sklearn.covariance._robust_covariance": "MinCovDet",
    "sklearn.covariance._shrunk_covariance": "LedoitWolf OAS ShrunkCovariance",
    "sklearn.cross_decomposition._pls": "CCA PLSCanonical PLSRegression PLSSVD",
    "sklearn.decomposition._dict_learning": "DictionaryLearning MiniBatchDictionaryLearning SparseCoder",
    "sklearn.decomposition._factor_analysis": "FactorAnalysis",
    "sklearn.decomposition._fastica": "FastICA",
    "sklearn.decomposition._incremental_pca": "IncrementalPCA",
    "sklearn.decomposition._kernel_pca": "KernelPCA",
    "sklearn.decomposition._lda": "LatentDirichletAllocation",
    "sklearn.decomposition._nmf": "MiniBatchNMF NMF",
    "sklearn.decomposition._pca": "PCA",
    "sklearn.decomposition._sparse_pca": "MiniBatchSparsePCA SparsePCA",
    "sklearn.decomposition._truncated_svd": "TruncatedSVD",
    "sklearn.discriminant_analysis": "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis",
    "sklearn.dummy": "DummyClassifier DummyRegressor",
    "sklearn.ensemble._bagging": "BaggingClassifier BaggingRegressor",
    "sklearn.ensemble._forest": (
        "ExtraTreesClassifier ExtraTreesRegressor RandomForestClassifier RandomForestRegressor RandomTreesEmbedding"
    ),
    "sklearn.ensemble._gb": "GradientBoostingClassifier GradientBoostingRegressor",
    "sklearn.ensemble._hist_gradient_boosting.binning": "_BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": (
        "HistGradientBoostingClassifier HistGradientBoostingRegressor"
    ),
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.ensemble._iforest": "IsolationForest",
    "sklearn.ensemble._stacking": "StackingClassifier StackingRegressor",
    "sklearn.ensemble._voting": "VotingClassifier VotingRegressor",
    "sklearn.ensemble._weight_boosting": "AdaBoostClassifier AdaBoostRegressor",
    "sklearn.feature_extraction._dict_vectorizer": "DictVectorizer",
    "sklearn.feature_extraction._hash": "FeatureHasher",
    "sklearn.feature_extraction.image": "PatchExtractor",
    "sklearn.feature_extraction.text": "CountVectorizer HashingVectorizer TfidfTransformer TfidfVectorizer",
    "sklearn.feature_selection._from_model": "SelectFromModel",
    "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
    "sklearn.feature_selection._rfe": "RFE RFECV",
    "sklearn.feature_selection._sequential": "SequentialFeatureSelector",
    "sklearn.feature_selection._univariate_selection": (
        "GenericUnivariateSelect SelectFdr SelectFpr SelectFwe SelectKBest SelectPercentile chi2 f_classif "
        "f_oneway f_regression r_regression"
    ),
    "sklearn.feature_selection._variance_threshold": "VarianceThreshold",
    "sklearn.frozen._frozen": "FrozenEstimator",
    "sklearn.gaussian_process._gpc": "GaussianProcessClassifier _BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process._gpr": "GaussianProcessRegressor",
    "sklearn.gaussian_process.kernels": (
        "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Hyperparameter KernelOperator "
        "Matern PairwiseKernel Product RBF RationalQuadratic Sum WhiteKernel"
    ),
    "sklearn.impute._base": "MissingIndicator SimpleImputer",
    "sklearn.impute._iterative": "IterativeImputer _ImputerTriplet",
    "sklearn.impute._knn": "KNNImputer",
    "sklearn.isotonic": "IsotonicRegression",
    "sklearn.kernel_approximation": "AdditiveChi2Sampler Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler",
    "sklearn.kernel_ridge": "KernelRidge",
    "sklearn.linear_model._base": "LinearRegression",
    "sklearn.linear_model._bayes": "ARDRegression BayesianRidge",
    "sklearn.linear_model._coordinate_descent": (
        "ElasticNet ElasticNetCV Lasso LassoCV MultiTaskElasticNet MultiTaskElasticNetCV MultiTaskLasso "
        "MultiTaskLassoCV"
    ),
    "sklearn.linear_model._glm.glm": "GammaRegressor PoissonRegressor TweedieRegressor",
    "sklearn.linear_model._huber": "HuberRegressor",
    "sklearn.linear_model._least_angle": "Lars LarsCV LassoLars LassoLarsCV LassoLarsIC",
    "sklearn.linear_model._logistic": "LogisticRegression LogisticRegressionCV",
    "sklearn.linear_model._omp": "OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV",
    "sklearn.linear_model._passive_aggressive": "PassiveAggressiveClassifier PassiveAggressiveRegressor",
    "sklearn.linear_model._perceptron": "Perceptron",
    "sklearn.linear_model._quantile": "QuantileRegressor",
    "sklearn.linear_model._ransac": "RANSACRegressor",
    "sklearn.linear_model._ridge": "Ridge RidgeCV RidgeClassifier RidgeClassifierCV",
    "sklearn.linear_model._sgd_fast": (
        "EpsilonInsensitive Hinge Huber Log ModifiedHuber SquaredEpsilonInsensitive SquaredHinge SquaredLoss"
    ),
    "sklearn.linear_model._stochastic_gradient": "SGDClassifier SGDOneClassSVM SGDRegressor",
    "sklearn.linear_model._theil_sen": "TheilSenRegressor",
    "sklearn.manifold._classical_mds": "ClassicalMDS",
    "sklearn.manifold._isomap": "Isomap",
    "sklearn.manifold._locally_linear": "LocallyLinearEmbedding",
    "sklearn.manifold._mds": "MDS",
    "sklearn.manifold._spectral_embedding": "SpectralEmbedding",
    "sklearn.manifold._t_sne": "TSNE",
    "sklearn.metrics._classification": (
        "accuracy_score balanced_accuracy_score brier_score_loss d2_brier_score d2_log_loss_score f1_score "
        "jaccard_score log_loss matthews_corrcoef precision_score recall_score"
    ),
    "sklearn.metrics._dist_metrics": (
        "BrayCurtisDistance32 BrayCurtisDistance64 CanberraDistance32 CanberraDistance64 ChebyshevDistance32 "
        "ChebyshevDistance64 DiceDistance32 DiceDistance64 EuclideanDistance32 EuclideanDistance64 "
        "HammingDistance32 HammingDistance64 HaversineDistance32 HaversineDistance64 JaccardDistance32 "
        "JaccardDistance64 KulsinskiDistance32 KulsinskiDistance64 MahalanobisDistance32 MahalanobisDistance64 "
        "ManhattanDistance32 ManhattanDistance64 MatchingDistance32 MatchingDistance64 MinkowskiDistance32 "
        "MinkowskiDistance64 RogersTanimotoDistance32 RogersTanimotoDistance64 RussellRaoDistance32 "
        "RussellRaoDistance64 SEuclideanDistance32 SEuclideanDistance64 SokalMichenerDistance32 "
        "SokalMichenerDistance64 SokalSneathDistance32 SokalSneathDistance64"
    ),
    "sklearn.metrics._ranking": "average_precision_score roc_auc_score top_k_accuracy_score",
    "sklearn.metrics._regression": (
        "d2_absolute_error_score explained_variance_score max_error mean_absolute_error "
        "mean_absolute_percentage_error mean_gamma_deviance mean_poisson_deviance mean_squared_error "
        "mean_squared_log_error median_absolute_error r2_score root_mean_squared_error "
        "root_mean_squared_log_error"
    ),
    "sklearn.metrics._scorer": (
        "_CurveScorer _MultimetricScorer _PassthroughScorer _Scorer negative_likelihood_ratio positive_likelihood_ratio"
    ),
    "sklearn.metrics.cluster._supervised": (
        "adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score "
        "homogeneity_score mutual_info_score normalized_mutual_info_score rand_score v_measure_score"
    ),
    "sklearn.metrics.pairwise": (
        "additive_chi2_kernel chi2_kernel cosine_similarity laplacian_kernel linear_kernel polynomial_kernel "
        "rbf_kernel sigmoid_kernel"
    ),
    "sklearn.mixture._bayesian_mixture": "BayesianGaussianMixture",
    "sklearn.mixture._gaussian_mixture": "GaussianMixture",
    "sklearn.model_selection._classification_threshold": "FixedThresholdClassifier TunedThresholdClassifierCV",
    "sklearn.model_selection._search": "GridSearchCV RandomizedSearchCV",
    "sklearn.model_selection._search_successive_halving": "HalvingGridSearchCV HalvingRandomSearchCV",
    "sklearn.model_selection._split": (
        "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut "
        "PredefinedSplit RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold "
        "StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper"
    ),
    "sklearn.multiclass": "OneVsOneClassifier OneVsRestClassifier OutputCodeClassifier _ConstantPredictor",
    "sklearn.multioutput": "ClassifierChain MultiOutputClassifier MultiOutputRegressor RegressorChain",
    "sklearn.naive_bayes": "BernoulliNB CategoricalNB ComplementNB GaussianNB MultinomialNB",
    "sklearn.neighbors._ball_tree": "BallTree BallTree32 BallTree64",
    "sklearn.neighbors._classification": "KNeighborsClassifier RadiusNeighborsClassifier",
    "sklearn.neighbors._graph": "KNeighborsTransformer RadiusNeighborsTransformer",
    "sklearn.neighbors._kd_tree": "KDTree KDTree32 KDTree64",
    "sklearn.neighbors._kde": "KernelDensity",
    "sklearn.neighbors._lof": "LocalOutlierFactor",
    "sklearn.neighbors._nca": "NeighborhoodComponentsAnalysis",
    "sklearn.neighbors._nearest_centroid": "NearestCentroid",
    "sklearn.neighbors._regression": "KNeighborsRegressor RadiusNeighborsRegressor",
    "sklearn.neighbors._unsupervised": "NearestNeighbors",
    "sklearn.neural_network._multilayer_perceptron": "MLPClassifier MLPRegressor",
    "sklearn.neural_network._rbm": "BernoulliRBM",
    "sklearn.neural_network._stochastic_optimizers": "AdamOptimizer SGDOptimizer",
    "sklearn.pipeline": "FeatureUnion Pipeline",
    "sklearn.preprocessing._data": (
        "Binarizer KernelCenterer MaxAbsScaler MinMaxScaler Normalizer PowerTransformer QuantileTransformer "
        "RobustScaler StandardScaler"
    ),
    "sklearn.preprocessing._discretization": "KBinsDiscretizer",
    "sklearn.preprocessing._encoders": "OneHotEncoder OrdinalEncoder",
    "sklearn.preprocessing._function_transformer": "FunctionTransformer",
    "sklearn.preprocessing._label": "LabelBinarizer LabelEncoder MultiLabelBinarizer",
    "sklearn.preprocessing._polynomial": "PolynomialFeatures SplineTransformer",
    "sklearn.preprocessing._target_encoder": "TargetEncoder",
    "sklearn.random_projection": "GaussianRandomProjection SparseRandomProjection",
    "sklearn.semi_supervised._label_propagation": "LabelPropagation LabelSpreading",
    "sklearn.semi_supervised._self_training": "SelfTrainingClassifier",
    "sklearn.svm._classes": "LinearSVC LinearSVR NuSVC NuSVR OneClassSVM SVC SVR",
    "sklearn.tree._classes": "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor",
    "sklearn.tree._tree": "Tree",
    "sklearn.utils._bunch": "Bunch",
    "sklearn.utils._metadata_requests": "MetadataRequest MethodMetadataRequest",
    "uuid": "UUID",
    "zoneinfo": "ZoneInfo",
}

REVIEWED = frozenset(f"{module}.{name}" for module, names in _REVIEWED.items() for name in names.split())
"""Full names of the reviewed types and functions."""

# What was reviewed, for XGBoost 3.2, LightGBM 4.7 and CatBoost 1.2.10: restoring any state into them gives the bytes or
# text of a model to the library's own reader, and everything else to attributes; prediction neither runs code named
# in the artifact, nor touches files, network or processes. Called with arguments, a booster reads a file: so they are
# reviewed where their state is restored, as skops writes them, and nowhere else. As with ``Tree``, a forged model can
# crash the process; the runtime has compared the sha256 before.
_RESTORED: dict[str, str] = {
    "catboost.core": "CatBoost CatBoostClassifier CatBoostRanker CatBoostRegressor",
    "lightgbm.basic": "Booster",
    "lightgbm.sklearn": "LGBMClassifier LGBMModel LGBMRanker LGBMRegressor",
    "xgboost.core": "Booster",
    "xgboost.sklearn": "XGBClassifier XGBModel XGBRFClassifier XGBRFRegressor XGBRanker XGBRegressor",
}

RESTORED = frozenset(f"{module}.{name}" for module, names in _RESTORED.items() for name in names.split())
"""Full names of types that are reviewed only where nothing but their state is restored."""

# Every public attribute of these extension modules that skops accepts is a ufunc: arithmetic on arrays.
_UFUNC_MODULES = ("scipy.special._ufuncs", "scipy.special._special_ufuncs")


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """List the types in the artifact that are neither reviewed nor below ``package``, sorted; import nothing.

    Args:
        artifacts: The folder that holds ``model.skops``.
        options: Not used by this format.
        package: Import package whose own code the consumer imports anyway.
    """
    return sorted(name for name in type_names(artifacts / ARTIFACT) if not _is_reviewed(name, package))


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Construct the model from reviewed types, the package's own and those that the consumer vouched for."""
    path = artifacts / ARTIFACT
    accepted = {name for name in type_names(path) if _is_reviewed(name, package)}
    with _lean_skops() as io:
        return io.load(path, trusted=sorted(accepted | set(trusted)))


@contextmanager
def _lean_skops() -> Iterator[Any]:
    """Give ``skops.io`` without the types that it trusts by itself: listing them imports all of scikit-learn.

    That list costs a quarter of the time to the first answer, and here it is not wanted: what may be constructed is
    said in full. Nothing of this stays behind, so whoever imports skops for themselves gets all of it.
    """
    if "skops.io" in sys.modules:
        yield sys.modules["skops.io"]
        return
    nothing = ModuleType("skops.io._trusted_types")
    vars(nothing)["__getattr__"] = _nothing_trusted
    sys.modules[nothing.__name__] = nothing
    try:
        yield import_module("skops.io")
    finally:
        for name in [name for name in sys.modules if name == "skops" or name.startswith("skops.")]:
            del sys.modules[name]


def _nothing_trusted(name: str) -> list[str]:
    if name.startswith("__"):
        raise AttributeError(name)
    return []


_CALLED = ", called or handed on"
"""Follows the name of a type of :data:`RESTORED` that is not only restored."""


def type_names(path: Path) -> frozenset[str]:
    """Return the full name of everything that loading the file would import: classes, functions, methods.

    Example:
        >>> import tempfile, zipfile
        >>> schema = '{"__module__": "os", "__class__": "system", "__loader__": "FunctionNode"}'
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with zipfile.ZipFile(Path(folder) / "m.skops", "w") as archive:
        ...         archive.writestr("schema.json", schema)
        ...     sorted(type_names(Path(folder) / "m.skops"))
        ['os.system']
    """
    stat = path.stat()
    return _type_names(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)  # audit and load ask one after the other
def _type_names(path: Path, size: int, modified: int) -> frozenset[str]:
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    return frozenset(_named(schema))


def _named(schema: Any) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            if isinstance(value.get("__loader__"), str):
                yield from _names_of_node(value)
            waiting.extend(value.values())


def _names_of_node(node: dict[str, Any]) -> Iterator[str]:
    loader, name = node["__loader__"], f"{node.get('__module__')}.{node.get('__class__')}"
    if loader == "JsonNode":
        return
    yield f"{name}{_CALLED}" if name in RESTORED and loader != "ObjectNode" else name
    content = node.get("content")
    if loader == "MethodNode" and isinstance(content, dict):
        yield f"{name}.{content.get('func')}"
    if loader == "RandomGeneratorNode" and isinstance(content, dict):
        # NumPy finds the bit generator by a name inside its state; it is an import like any other.
        state = content["bit_generator"]["content"]["bit_generator"]["content"]
        yield f"numpy.random.{json.loads(state)}"


def _is_reviewed(name: str, package: str) -> bool:
    module = name.rpartition(".")[0]
    return name in REVIEWED or name in RESTORED or module in _UFUNC_MODULES or name.startswith(f"{package}.")
