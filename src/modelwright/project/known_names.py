"""Which distribution brings which module, for those whose names differ, and which ones are tools.

Called by adopting and by the conversion of notebooks for what is not installed here; installed metadata come first.
A distribution that is neither installed nor listed is assumed to bring the module of its own name, and said so.
"""

from __future__ import annotations

from packaging.utils import canonicalize_name

MODULES: dict[str, tuple[str, ...]] = {
    "attrs": ("attr", "attrs"),
    "azure-storage-blob": ("azure",),
    "beautifulsoup4": ("bs4",),
    "biopython": ("Bio",),
    "category-encoders": ("category_encoders",),
    "dask": ("dask",),
    "faiss-cpu": ("faiss",),
    "gensim": ("gensim",),
    "google-cloud-bigquery": ("google",),
    "google-cloud-storage": ("google",),
    "hydra-core": ("hydra",),
    "imbalanced-learn": ("imblearn",),
    "lightgbm": ("lightgbm",),
    "mysqlclient": ("MySQLdb",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "pillow": ("PIL",),
    "protobuf": ("google",),
    "psycopg2": ("psycopg2",),
    "psycopg2-binary": ("psycopg2",),
    "pycryptodome": ("Crypto",),
    "pyjwt": ("jwt",),
    "pymysql": ("pymysql",),
    "python-dateutil": ("dateutil",),
    "python-dotenv": ("dotenv",),
    "python-json-logger": ("pythonjsonlogger",),
    "python-levenshtein": ("Levenshtein",),
    "pytorch-lightning": ("pytorch_lightning",),
    "pytz": ("pytz",),
    "pyyaml": ("yaml",),
    "pyzmq": ("zmq",),
    "ruamel-yaml": ("ruamel",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn",),
    "scikit-optimize": ("skopt",),
    "sentence-transformers": ("sentence_transformers",),
    "setuptools": ("setuptools", "pkg_resources"),
    "spacy": ("spacy",),
    "tensorflow": ("tensorflow",),
    "tensorflow-cpu": ("tensorflow",),
    "torch": ("torch",),
    "typing-extensions": ("typing_extensions",),
    "umap-learn": ("umap",),
    "xgboost": ("xgboost",),
    "xgboost-cpu": ("xgboost",),
}
"""Top-level modules by distribution, where they cannot be guessed or several distributions bring them."""

_TOOLS = {
    "jupyter": "jupyter jupyterlab notebook nbconvert nbclient nbformat nbdime ipykernel ipython ipywidgets "
    "widgetsnbextension jupyter-client jupyter-core jupyter-server jupyter-console jupyterlab-pygments "
    "jupyterlab-server jupyterlab-widgets qtconsole qtpy papermill voila traitlets terminado bleach mistune "
    "pandocfilters debugpy matplotlib-inline stack-data asttokens executing pure-eval jedi parso backcall pickleshare "
    "prompt-toolkit nest-asyncio argon2-cffi argon2-cffi-bindings send2trash comm fastjsonschema ipython-genutils "
    "entrypoints",
    "tests": "pytest pytest-cov pytest-mock pytest-xdist pluggy iniconfig coverage hypothesis tox nox mock nose "
    "factory-boy",
    "style": "black flake8 pylint isort mypy mypy-extensions ruff pycodestyle pyflakes mccabe autopep8 yapf bandit "
    "pre-commit identify nodeenv cfgv pydocstyle astroid",
    "packaging": "pip setuptools wheel twine build bump2version bumpversion pkg-resources pip-tools pipenv poetry flit "
    "virtualenv distlib keyring readme-renderer pkginfo uv",
    "documentation": "sphinx sphinx-rtd-theme alabaster docutils mkdocs mkdocs-material numpydoc",
}
TOOLS = {str(canonicalize_name(name)): purpose for purpose, names in _TOOLS.items() for name in names.split()}
"""What a tool is for, by distribution. A tool that the package imports all the same is needed."""


def guessed_modules(name: str) -> tuple[tuple[str, ...], bool]:
    """Return the modules of a distribution that is not installed here, and whether that is known or a guess.

    Example:
        >>> guessed_modules("scikit-learn"), guessed_modules("some-thing")
        ((('sklearn',), True), (('some_thing',), False))
    """
    if name in MODULES:
        return MODULES[name], True
    return (name.replace("-", "_"),), False
