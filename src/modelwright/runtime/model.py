"""The loaded model: rows of any kind in, the same kind out, judged by the signature on the way.

Called by loading, the generated package, scenarios and the command line. It does not load or check files.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from .answers import Answers
from .containers import count_rows, kind_of, take_apart
from .conversion import build
from .errors import ModelwrightError, OutputError
from .validation import judge_table, judges_of


class Model:
    """A model that answers rows.

    Besides :meth:`predict`, every method that the manifest lists (``predict_proba``, ``transform`` …) is there under
    its own name.

    Args:
        native: The model itself, as its library made it.
        manifest: The manifest of its package, as plain data.

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

    def __init__(self, native: object, manifest: dict[str, Any]) -> None:
        self.native = native
        self.manifest = manifest
        self.methods: tuple[str, ...] = tuple(manifest["storage"].get("methods", ("predict",)))
        self._signature = manifest["signature"]
        self._title = f"{manifest['name']} {manifest['version']}"
        self._judges = judges_of(self._signature["inputs"])
        self._names = tuple(judge.name for judge in self._judges)
        self._answers = {method: self._answers_of(method) for method in self.methods}

    def __repr__(self) -> str:
        """Show name, version and the type of the model itself."""
        return f"<Model {self._title} ({type(self.native).__qualname__})>"

    def __getattr__(self, name: str) -> Any:
        """Return a method that the manifest lists."""
        methods = self.__dict__.get("methods", ())
        if name in methods:
            return partial(self.call, name)
        listed = f"; this model has {', '.join(methods)}" if not name.startswith("_") else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{listed}")

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
        answers = self._answers.get(method) or self.__getattr__(method)
        kind = kind_of(rows)
        index = rows.index if kind == "pandas" else None
        count = count_rows(rows, kind)
        fitting = self.fit_rows(rows, kind)
        if count == 0:
            return answers.empty(kind, index)
        answer = answers.check(self._ask(method, fitting), count)
        return answers.given_back(answer, kind, index)

    def answer_lists(self, method: str, rows: Any) -> dict[str, list[Any]]:
        """Return one list of plain Python values per output of a method, whatever the rows came in.

        Raises:
            ModelwrightError: As :meth:`call`.
        """
        answers, kind = self._answers[method], kind_of(rows)
        count = count_rows(rows, kind)
        fitting = self.fit_rows(rows, kind)
        if count == 0:
            return {name: [] for name in answers.names}
        return answers.lists(answers.check(self._ask(method, fitting), count))

    def flat_lists(self, method: str, rows: Any) -> dict[str, list[Any]]:
        """Return one list per column of a frame's answer (an output with class labels is one column per label).

        Raises:
            ModelwrightError: As :meth:`call`.
        """
        answers, kind = self._answers[method], kind_of(rows)
        count = count_rows(rows, kind)
        fitting = self.fit_rows(rows, kind)
        if count == 0:
            return {name: [] for name in answers.columns}
        answer = answers.check(self._ask(method, fitting), count)
        given: dict[str, list[Any]] = answers.given_back(answer, "columns", None)
        return given

    def fit_rows(self, rows: Any, kind: str) -> Any:
        """Return the rows in the container that the model was trained on, after they were judged.

        Raises:
            SignatureError: The rows do not fit the signature.
        """
        columns = judge_table(self._judges, take_apart(rows, kind, self._names), model=self._title)
        return build(columns, count_rows(rows, kind), self._signature)

    def _answers_of(self, method: str) -> Answers:
        outputs = [output for output in self._signature["outputs"] if output.get("method", "predict") == method]
        return Answers(method, outputs, self._title)

    def _ask(self, method: str, rows: Any) -> Any:
        """Call the model itself; whatever it raises becomes one kind of error."""
        ask = getattr(self.native, method, None) or self.native
        try:
            return ask(rows)  # type: ignore[operator]
        except ModelwrightError:
            raise
        except Exception as error:  # the model's own code may raise anything
            raise OutputError(
                f"{method} of {self._title} failed.",
                why=f"{type(error).__name__}: {error}",
                hint="The rows fit the signature, so this is a fault of the model; report it with these rows.",
            ) from error
