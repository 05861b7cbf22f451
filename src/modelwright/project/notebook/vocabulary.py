"""What the names of data-science libraries do: the one place where knowledge about them is written down.

Called by the analysis of notebooks. Everything here is a set of names; how they are used stands in
:mod:`~modelwright.project.notebook.effects` and :mod:`~modelwright.project.notebook.roles`.

Source: the public API of pandas 3, scikit-learn 1.9, matplotlib 3.10 and seaborn 0.13.
"""

# ruff: noqa: SIM905 - words stand in lines, as in a dictionary, not one below the other

from __future__ import annotations

MUTATING_METHODS = frozenset(
    """fit partial_fit fit_transform fit_predict fit_resample append extend insert pop popitem remove clear update
    setdefault add discard sort reverse set_params compile load_state_dict step backward zero_grad train cache
    add_pipe write writelines writerow writerows set_index_names seed register_buffer most_similar_to_given""".split()
)
"""Methods that change the object they are called on."""

PURE_METHODS = frozenset(
    """head tail info describe sample value_counts unique nunique isnull isna notnull notna sum mean median std var min
    max corr cov groupby pivot_table pivot crosstab plot hist boxplot scatter bar barh pie line area show get_params
    score predict predict_proba predict_log_proba decision_function transform inverse_transform keys values items
    nlargest nsmallest sort_values sort_index query memory_usage duplicated any all mode quantile round to_string
    to_csv to_parquet to_json to_excel to_html to_markdown to_pickle to_feather agg aggregate apply applymap map
    summary evaluate most_common copy astype fillna dropna drop rename reset_index set_index merge join assign
    replace count get_feature_names_out skew kurt shape_ display save savefig select_dtypes kneighbors cross_val
    index tolist to_list to_numpy to_dict to_frame iterrows itertuples split strip lower upper format startswith
    get_support explained_variance feature_importances melt stack unstack explode interpolate ffill bfill clip diff
    shift rolling cumsum rank idxmax idxmin isin between where mask abs equals filter nunique_ get_n_splits""".split()
)
"""Methods that leave the object as it is, unless ``inplace=True`` says otherwise."""

MUTATING_FUNCTIONS = {
    "shuffle": 0,
    "heappush": 0,
    "heappop": 0,
    "heapify": 0,
    "insort": 0,
    "put": 0,
    "fill_diagonal": 0,
}
"""Library functions that change an argument, and its position."""

PLOTTING_MODULES = frozenset(
    """matplotlib pylab seaborn plotly altair bokeh missingno wordcloud folium yellowbrick scikitplot sweetviz
    pandas_profiling ydata_profiling cufflinks graphviz shap pydotplus ggplot plotnine hvplot mlxtend.plotting
    IPython ipywidgets autoviz dtale squarify mpl_toolkits""".split()
)
"""Modules whose functions draw or show."""

PLOTTING_METHODS = frozenset(
    """plot hist boxplot scatter bar barh pie show set_title set_xlabel set_ylabel legend set_xticks set_yticks
    set_xticklabels set_yticklabels annotate suptitle tight_layout savefig imshow matshow axhline axvline text
    tick_params set set_axis_off axis grid subplots_adjust set_xlim set_ylim fill_between colorbar add_subplot style
    from_estimator from_predictions background_gradient heatmap plot_tree invert_yaxis set_visible twinx""".split()
)
"""Methods that draw, on axes, frames or displays."""

DISPLAY_FUNCTIONS = frozenset("print display pprint plot_tree export_text export_graphviz Image HTML Markdown".split())

GLANCES = frozenset("head tail sample info describe shape columns dtypes size T".split())
"""Attributes by which people look at a table as a whole, whatever columns it has at that moment."""

PRESENTATION = frozenset(
    """set_option reset_option set_printoptions set_theme set_style set_palette set_context filterwarnings
    simplefilter init_notebook_mode use set_config style_use rcParams color_palette set_color_codes""".split()
)
"""Functions that only change how things look."""

LOADERS = frozenset(
    """read_csv read_excel read_parquet read_json read_sql read_sql_query read_sql_table read_table read_feather
    read_pickle read_hdf read_html read_xml read_orc read_stata read_sas read_spss read_fwf read_clipboard read_ipc
    scan_csv scan_parquet loadtxt genfromtxt fetch_openml fetch_california_housing fetch_20newsgroups fetch_lfw_people
    load_iris load_wine load_breast_cancer load_digits load_diabetes load_linnerud load_dataset load_files
    load_svmlight_file make_classification make_regression make_blobs make_moons make_circles loadmat get_rdataset
    fetch_covtype fetch_olivetti_faces fetch_kddcup99 fetch_rcv1 load_boston connect create_engine""".split()
)

PATH_READERS = frozenset(
    """read_csv read_excel read_parquet read_json read_table read_feather read_pickle read_hdf read_html read_xml
    read_orc read_stata read_sas read_spss read_fwf read_ipc scan_csv scan_parquet loadtxt genfromtxt open load
    load_svmlight_file loadmat imread glob listdir walk ZipFile connect Path""".split()
)
"""Functions whose first argument is a file that has to be there."""

SAVERS = frozenset(
    """to_csv to_parquet to_json to_excel to_html to_pickle to_feather to_sql savefig savetxt save dump save_model
    savez to_hdf write_csv write_parquet export_graphviz""".split()
)
MODEL_SAVERS = frozenset("dump save_model save dumps to_pickle".split())

SPLITTERS = frozenset(
    """train_test_split KFold StratifiedKFold GroupKFold ShuffleSplit StratifiedShuffleSplit GroupShuffleSplit
    TimeSeriesSplit RepeatedKFold RepeatedStratifiedKFold StratifiedGroupKFold LeaveOneOut random_split""".split()
)

CLEANING = frozenset(
    """fillna dropna drop_duplicates drop rename replace astype to_datetime to_numeric interpolate ffill bfill clip
    reset_index set_index isin strip SimpleImputer KNNImputer sort_values nan_to_num merge concat join query""".split()
)

FEATURE_MAKING = frozenset(
    """get_dummies map apply applymap cut qcut factorize LabelEncoder OneHotEncoder OrdinalEncoder LabelBinarizer
    StandardScaler MinMaxScaler RobustScaler MaxAbsScaler Normalizer PowerTransformer QuantileTransformer
    PolynomialFeatures CountVectorizer TfidfVectorizer TfidfTransformer HashingVectorizer PCA TruncatedSVD
    SelectKBest SelectFromModel SelectPercentile RFE RFECV VarianceThreshold SMOTE RandomOverSampler
    RandomUnderSampler fit_transform transform fit_resample log1p log binning TargetEncoder FunctionTransformer
    KBinsDiscretizer MultiLabelBinarizer extract where select""".split()
)

TRANSFORMERS = frozenset(
    """LabelEncoder OneHotEncoder OrdinalEncoder LabelBinarizer StandardScaler MinMaxScaler RobustScaler MaxAbsScaler
    Normalizer PowerTransformer QuantileTransformer PolynomialFeatures CountVectorizer TfidfVectorizer
    TfidfTransformer HashingVectorizer PCA TruncatedSVD SelectKBest SelectFromModel SelectPercentile RFE RFECV
    VarianceThreshold SMOTE RandomOverSampler RandomUnderSampler SimpleImputer KNNImputer ColumnTransformer
    FeatureUnion TargetEncoder FunctionTransformer KBinsDiscretizer MultiLabelBinarizer TSNE UMAP NMF KernelPCA
    LatentDirichletAllocation IterativeImputer IncrementalPCA FastICA FactorAnalysis""".split()
)
"""Classes that change data; they are not the model."""

MODEL_ENDINGS = (
    "Classifier", "Regressor", "Regression", "RegressionCV", "NB", "SVC", "SVR", "KMeans", "Lasso", "LassoCV", "Ridge",
    "RidgeCV", "ElasticNet", "ElasticNetCV", "SearchCV", "Pipeline", "pipeline", "Ensemble", "Forest", "DBSCAN",
    "Clustering", "Mixture", "Perceptron", "DiscriminantAnalysis", "Machine", "Booster", "Sequential", "ClassifierCV",
    "OneClassSVM", "LocalOutlierFactor", "LinearSVM",
)  # fmt: skip
"""How names of model classes end."""

MODEL_USES = frozenset(
    """predict predict_proba decision_function score best_estimator_ best_score_ best_params_ feature_importances_
    coef_ classes_ intercept_ cv_results_ labels_ cluster_centers_ inertia_""".split()
)
"""Attributes that only a model has."""

METRICS = frozenset(
    """accuracy_score balanced_accuracy_score precision_score recall_score f1_score fbeta_score roc_auc_score
    average_precision_score log_loss brier_score_loss matthews_corrcoef cohen_kappa_score jaccard_score hamming_loss
    zero_one_loss hinge_loss top_k_accuracy_score mean_squared_error mean_absolute_error median_absolute_error
    root_mean_squared_error mean_squared_log_error root_mean_squared_log_error r2_score explained_variance_score
    max_error mean_absolute_percentage_error mean_pinball_loss mean_poisson_deviance mean_gamma_deviance
    d2_absolute_error_score silhouette_score davies_bouldin_score calinski_harabasz_score adjusted_rand_score
    normalized_mutual_info_score homogeneity_score completeness_score v_measure_score ndcg_score dcg_score
    cross_val_score auc mse rmse mae mape rmsle""".split()
)
"""Functions that measure."""

EVALUATING = METRICS | frozenset(
    """score predict predict_proba decision_function confusion_matrix classification_report cross_validate
    cross_val_predict roc_curve precision_recall_curve learning_curve validation_curve det_curve evaluate""".split()
)

IMPORTANCE = frozenset(
    "feature_importances_ permutation_importance coef_ partial_dependence PartialDependenceDisplay SHAP "
    "TreeExplainer shap_values plot_importance get_score".split()
)

TRAINING = frozenset("fit fit_predict partial_fit train fmin minimize compile".split())

DETERMINISTIC = frozenset(
    """LinearRegression LogisticRegression Ridge Lasso ElasticNet LassoCV RidgeCV KNeighborsClassifier
    KNeighborsRegressor GaussianNB MultinomialNB BernoulliNB ComplementNB CategoricalNB LinearDiscriminantAnalysis
    QuadraticDiscriminantAnalysis SVR SVC NearestCentroid StandardScaler MinMaxScaler RobustScaler MaxAbsScaler
    Normalizer LabelEncoder OneHotEncoder OrdinalEncoder LabelBinarizer SimpleImputer KNNImputer CountVectorizer
    TfidfVectorizer TfidfTransformer PolynomialFeatures ColumnTransformer Pipeline make_pipeline
    make_column_transformer VarianceThreshold SelectKBest BayesianRidge""".split()
)
"""Classes whose fitting draws no random numbers from the global generator."""

KNOBS = frozenset(
    """test_size train_size random_state seed n_estimators max_depth min_samples_split min_samples_leaf max_features
    learning_rate n_neighbors C gamma kernel alpha l1_ratio penalty max_iter tol criterion subsample colsample_bytree
    reg_alpha reg_lambda num_leaves n_clusters n_components n_splits cv epochs batch_size hidden_layer_sizes
    activation solver class_weight degree weights metric p threshold k ngram_range min_df max_features stop_words
    nrows n_iter early_stopping_rounds min_child_weight max_leaf_nodes bootstrap n_init var_smoothing fit_intercept
    scoring verbose n_jobs eta iterations depth shuffle""".split()
)
"""Keyword arguments that people turn."""
