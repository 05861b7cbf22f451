"""The loaded model: rows of any kind in, the same kind out, judged by the signature on the way.

Called by loading, the generated package, scenarios and the command line. It does not load or check files.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from .answers import Outputs
from .containers import count_rows, kind_of, take_apart
from .conversion import build
from .errors import ModelwrightError, OutputError
from .returning import Returner
from .shortcuts import shortcuts_of
from .validation import judge_table, judges_of


class Fitted(NamedTuple):
    """Rows that fit the signature.

    Attributes:
        kind: The kind of container that they came in.
        size: Number of rows.
        index: Their index, for pandas.
        rows: The rows, in the container that the model was trained on.
    """

    kind: str
    size: int
    index: Any
    rows: Any


class Model:
    """A model that answers rows.

    Besides :meth:`predict`, every method that the manifest lists (``predict_proba``, ``transform`` …) is there under
    its own name. Models hold no state of a call, so threads may share one as far as the model itself allows.

    Args:
        native: The model itself, as its library made it.
        manifest: The manifest of its package, as plain data.
        fast: A faster form of it that answers the same (:mod:`.acceleration`); by default the model itself is asked.

    Attributes:
        native: The model itself.
        manifest: The manifest.
        methods: Methods that the model answers.

    Example:
        >>> signature = {
        ...     "inputs": [{"name": "x", "datatype": "float64"}],
        ...     "outputs": [{"name": "y", "datatype": "float64"}],
        ...     "container": "records",
        ... }
        >>> manifest = {"name": "double", "version": "1.0", "storage": {}, "signature": signature}
        >>> model = Model(lambda rows: [2 * row["x"] for row in rows], manifest)
        >>> model.predict([{"x": 1}, {"x": 2.5}])
        [{'y': 2.0}, {'y': 5.0}]
        >>> model.predict({"x": [4]})
        {'y': [8.0]}
    """

    def __init__(self, native: object, manifest: dict[str, Any], fast: Any = None) -> None:
        self.native = native
        self._fast = fast
        self.manifest = manifest
        self.methods: tuple[str, ...] = tuple(manifest["storage"].get("methods", ("predict",)))
        self._signature = manifest["signature"]
        self._title = f"{manifest['name']} {manifest['version']}"
        self._judges = judges_of(self._signature["inputs"])
        self._names = tuple(judge.name for judge in self._judges)
        self._container = self._signature["container"] if fast is None else fast.container
        self._shortcuts = shortcuts_of(self._signature, wanted=self._container)
        self._outputs = {method: self._outputs_of(method) for method in self.methods}
        self._returners = {method: Returner(outputs) for method, outputs in self._outputs.items()}

    def __repr__(self) -> str:
        """Show name, version and the type of the model itself."""
        return f"<Model {self._title} ({type(self.native).__qualname__})>"

    def __getattr__(self, name: str) -> Any:
        """Return a method that the manifest lists."""
        methods = self.__dict__.get("methods", ())
        if name in methods:
            return partial(self.call, name)
        raise AttributeError(f"This model has no {name!r}; it has {', '.join(methods)}.")

    def predict(self, rows: Any) -> Any:
        """Return what the model predicts for rows, in the kind of container that they came in.

        Args:
            rows: A pandas, polars or PyArrow table, a NumPy array ``[n_rows, n_features]``, a list of dicts, or a
                dict of columns.

        Raises:
            ContainerError: Another kind of object.
            SignatureError: The rows do not fit the signature; every problem is listed.
            OutputError: The model failed, or answered what its signature does not allow.
        """
        return self.call("predict", rows)

    def call(self, method: str, rows: Any) -> Any:
        """Return what a method of the model answers for rows, in the kind of container that they came in.

        Raises:
            AttributeError: The model has no such method.
            ContainerError: The rows are in no container that is understood.
            SignatureError: The rows do not fit the signature; every problem is listed.
            OutputError: The model failed, or answered what its signature does not allow.
        """
        returner = self._returners.get(method) or self.__getattr__(method)
        fitted = self.fit_rows(rows)
        if not fitted.size:
            return returner.give_nothing(fitted.kind, fitted.index)
        return returner.give(self._ask(method, fitted), fitted.kind, fitted.index)

    def answer_lists(self, rows: Any) -> dict[str, list[Any]]:
        """Return one list of plain Python values per output, of all methods; the rows are judged once.

        Raises:
            ModelwrightError: As :meth:`call`.
        """
        answers: dict[str, list[Any]] = {}
        fitted = self.fit_rows(rows)
        for method, outputs in self._outputs.items():
            nothing: dict[str, list[Any]] = {name: [] for name in outputs.names}
            answers |= outputs.lists(self._ask(method, fitted)) if fitted.size else nothing
        return answers

    def answer_columns(self, rows: Any, methods: tuple[str, ...]) -> dict[str, list[Any]]:
        """Return the columns that a frame would get, as lists, of several methods; the rows are judged once.

        Raises:
            ModelwrightError: As :meth:`call`.
        """
        answers: dict[str, list[Any]] = {}
        fitted = self.fit_rows(rows)
        for method in methods:
            returner = self._returners[method]
            nothing = returner.give_nothing("columns", None)
            answers |= returner.give(self._ask(method, fitted), "columns", None) if fitted.size else nothing
        return answers

    def answer_values(self, rows: Any, methods: tuple[str, ...]) -> dict[str, Any]:
        """Return one column per output of several methods, as the model's library gave it; the rows are judged once.

        A column is an array ``[n_rows, …]`` or a list with one value per row. Servers send it on as it is.

        Raises:
            ModelwrightError: As :meth:`call`.
        """
        return self._values(self.fit_rows(rows), methods)

    def answer_judged(self, columns: dict[str, Any], size: int, methods: tuple[str, ...]) -> dict[str, Any]:
        """Return the same for rows that were judged by this signature already, by whoever hands them over.

        Args:
            columns: Values per field in normal form, in the order of the fields: a list, or for numbers an array in
                which a missing value is NaN.
            size: Number of rows.
            methods: Methods to call.

        Raises:
            ModelwrightError: As :meth:`call`, but for rows that do not fit: those may fail as they like.
        """
        rows = self._built(columns, size)
        return self._values(Fitted("columns", size, None, rows), methods)

    def _values(self, fitted: Fitted, methods: tuple[str, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for method in methods:
            outputs = self._outputs[method]
            columns = outputs.split(self._ask(method, fitted)) if fitted.size else [[] for _ in outputs.names]
            values |= dict(zip(outputs.names, columns, strict=True))
        return values

    def fit_rows(self, rows: Any) -> Fitted:
        """Judge rows, and return them in the container that the model was trained on.

        Raises:
            ContainerError: The rows are in no container that is understood.
            SignatureError: The rows do not fit the signature.
        """
        kind = kind_of(rows)
        index = rows.index if kind == "pandas" else None
        count = count_rows(rows, kind)
        shortcut = self._shortcuts.get(kind)
        fitting = shortcut(rows) if shortcut is not None and count else None
        if fitting is None:
            columns = judge_table(self._judges, take_apart(rows, kind, self._names), model=self._title)
            fitting = self._built(columns, count)
        return Fitted(kind, count, index, fitting)

    def _built(self, columns: dict[str, Any], size: int) -> Any:
        """Return columns in normal form in the container that is asked with."""
        return columns if self._container == "columns" or not size else build(columns, size, self._signature)

    @property
    def reference(self) -> Model:
        """The same model without its faster form: what it is held to."""
        return self if self._fast is None else Model(self.native, self.manifest)

    def _outputs_of(self, method: str) -> Outputs:
        outputs = [output for output in self._signature["outputs"] if output.get("method", "predict") == method]
        return Outputs(method, outputs, self._title)

    def _ask(self, method: str, fitted: Fitted) -> Any:
        """Call the model itself and check its answer; whatever it raises becomes one kind of error."""
        asked: Any = self.native if self._fast is None else self._fast
        ask: Any = getattr(asked, method, None) or asked
        try:
            answer = ask(fitted.rows)
        except ModelwrightError:
            raise
        except Exception as error:  # the model's own code may raise anything
            raise OutputError(
                f"{method} of {self._title} failed.",
                why=f"{type(error).__name__}: {error}",
                hint="The rows fit the signature, so this is a fault of the model; report it with these rows.",
            ) from error
        return self._outputs[method].check(answer, fitted.size)
