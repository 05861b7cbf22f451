"""Open a saved model file, but only after reading what that would execute.

For: capture, when it is given a ``.pkl`` or ``.joblib`` instead of a live model. A pickle is a program; it runs only if
everything it names is on the reviewed list of types that cannot run code, or if the user vouches for it. What the file
contains decides, not what it is called.

It does not: read sample rows, or load the package's own artifacts (their loaders do).
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from modelwright.capturing.distributions import installed
from modelwright.capturing.formats import format_named
from modelwright.capturing.opcodes import PickleReport, read_globals
from modelwright.errors import LoaderError, PinError, Problem, SourceError, UnsafeFileError

EVERYTHING = "file"
"""What a user says who vouches for a whole file: ``trust="file"``."""
SHOWN_NAMES = 20

# What pickles of reviewed types name beside them: they make an empty instance of a named type, or decode bytes, and
# do nothing else. Reviewed for CPython 3.11–3.13, NumPy 1.26–2.4, scikit-learn 1.2–1.9, pandas 2.0–3.1.
_RECONSTRUCTORS = {
    "builtins": "object",
    "copyreg": "_reconstructor __newobj__ __newobj_ex__",
    "_codecs": "encode",
    "joblib.numpy_pickle": "NumpyArrayWrapper",
    "numpy.core.multiarray": "_reconstruct scalar",
    "numpy._core.multiarray": "_reconstruct scalar",
    "numpy.core.numeric": "_frombuffer",
    "numpy._core.numeric": "_frombuffer",
    "numpy.random._pickle": "__randomstate_ctor __bit_generator_ctor __generator_ctor",
    "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
    "numpy.random._mt19937": "MT19937",
    "numpy.random._pcg64": "PCG64 PCG64DXSM",
    "numpy.random._philox": "Philox",
    "numpy.random._sfc64": "SFC64",
    "numpy.ma.core": "_mareconstruct MaskedArray",
    "sklearn.neighbors._kd_tree": "newObj",
    "sklearn.neighbors._ball_tree": "newObj",
    "sklearn.metrics._dist_metrics": "newObj",
    "sklearn.linear_model._sgd_fast": "__pyx_unpickle_Classification __pyx_unpickle_Regression",
    "sklearn._loss._loss": "__pyx_unpickle_CyHalfMultinomialLoss",
    "pandas.core.frame": "DataFrame",
    "pandas.core.series": "Series",
    "pandas": "Categorical CategoricalDtype DataFrame DatetimeIndex Index RangeIndex Series StringDtype Timestamp",
    "pandas.arrays": "ArrowStringArray Categorical DatetimeArray",
    "pandas.core.indexes.datetimes": "_new_DatetimeIndex",
    "pyarrow.lib": "_restore_array py_buffer type_for_alias",
    "pandas.core.internals.managers": "BlockManager SingleBlockManager",
    "pandas.core.indexes.base": "_new_Index Index",
    "pandas.core.indexes.range": "RangeIndex",
    "pandas.core.dtypes.dtypes": "CategoricalDtype",
    "pandas.core.arrays.categorical": "Categorical",
    "pandas.core.arrays.string_": "StringDtype StringArray",
    "pandas._libs.internals": "_unpickle_block",
    "pandas._libs.arrays": "__pyx_unpickle_NDArrayBacked",
}
_ALWAYS = frozenset(f"{module}.{name}" for module, names in _RECONSTRUCTORS.items() for name in names.split())


def open_saved(path: str | Path, *, trust: str | Iterable[str] = ()) -> Any:
    """Return the model in a file, if loading it is safe or the user vouches for it.

    Args:
        path: A pickle or joblib file, compressed or not.
        trust: ``"file"`` to vouch for the whole file, or the names that the user vouches for.

    Raises:
        UnsafeFileError: It names something that is neither reviewed nor vouched for, or cannot be read to its end.
            Nothing was executed.
        PinError: It was saved by another version of a library than the one installed.
        LoaderError: It is no pickle, or its library fails to load it.
    """
    path = Path(path)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise LoaderError("The saved model cannot be opened.", where=str(path), why=str(error)) from error
    with stream:
        report = read_globals(stream)
        check_names(report, where=str(path), trust=trust)
        check_versions(report, where=str(path))
        stream.seek(0)
        try:
            return _load(stream, report)
        except Exception as error:  # unpickling calls whatever its types do
            raise LoaderError(
                "The saved model cannot be loaded.",
                where=str(path),
                why=f"{type(error).__name__}: {error}",
                hint="Install the libraries it was saved with, in the same versions.",
            ) from error


def check_names(report: PickleReport, *, where: str, trust: str | Iterable[str] = ()) -> None:
    """Refuse a pickle that names more than what is reviewed or vouched for; see :func:`open_saved`.

    Raises:
        UnsafeFileError: It does.
        LoaderError: It is no pickle at all.
    """
    if report.problem and not report.globals:
        raise LoaderError(
            "The file is no pickle.",
            where=where,
            why=report.problem,
            hint="What is in it is of no other format that is installed, either: is it whole, and a model?",
        )
    vouched = {trust} if isinstance(trust, str) else set(trust)
    if EVERYTHING not in vouched:
        strangers = [name for name in report.globals if name not in vouched and name not in reviewed()]
        if strangers or report.problem:
            raise _unsafe(strangers, report, where)


def check_versions(report: PickleReport, *, where: str) -> None:
    """Refuse a pickle that another version of an installed library wrote.

    Raises:
        PinError: It was.
    """
    for name, version in report.versions.items():
        here = installed(name)
        if here and here.version != version:
            raise PinError(
                f"The model was saved by {name} {version}; {here.version} is installed.",
                where=where,
                why="Another version may load it and give other answers without a word. The command 'modelwright "
                "capture' makes an environment with the version that wrote it.",
                hint=f"pip install {name}=={version}",
            )


def reviewed() -> frozenset[str]:
    """Return the full names that a pickle may contain without being able to run code of its own."""
    return _ALWAYS | frozenset(getattr(format_named("skops"), "reviewed", ()))


def _unsafe(strangers: list[str], report: PickleReport, where: str) -> UnsafeFileError:
    problems = [
        Problem(None, None, f"{name} would be {'called' if name in report.calls else 'imported'}") for name in strangers
    ]
    if report.problem:
        problems.append(Problem(None, None, f"the file cannot be read to its end: {report.problem}"))
    return UnsafeFileError(
        "Opening this file could run code; nothing was executed.",
        where=where,
        problems=problems,
        why="A pickle is a program, and these names are not on the reviewed list.",
        hint="If you made the file or trust who did: trust='file' (--trust file), or only the names you looked at.",
    )


def _load(stream: BinaryIO, report: PickleReport) -> Any:
    if report.arrays or report.compression:
        return format_named("joblib").read(stream)  # type: ignore[attr-defined]
    return pickle.load(stream)  # noqa: S301 (reviewed or vouched for, see above)


def import_file(path: str | Path) -> ModuleType:
    """Import a Python file as a module of its own name, with its folder importable while it runs.

    Args:
        path: A ``.py`` file that has ``predict``.

    Raises:
        SourceError: It cannot be imported, or a module of its name is there already.
    """
    path = Path(path).resolve()
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SourceError("This is no Python file.", where=str(path), hint="Give the path of a .py file.")
    known = sys.modules.get(path.stem)
    if known is not None:
        if Path(getattr(known, "__file__", None) or "").resolve() == path:
            return known
        raise SourceError(f"A module {path.stem!r} is imported already.", where=str(path), hint="Rename the file.")
    module = sys.modules[path.stem] = module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a script may raise anything
        del sys.modules[path.stem]
        sys.path.remove(str(path.parent))
        raise SourceError(
            f"The file {path.name} cannot be imported.", where=str(path), why=f"{type(error).__name__}: {error}"
        ) from error
    return module
