"""Answer as scikit-learn does, bit for bit, through the library's own kernels and without its work per call.

For: the runtime, which carries a copy of this folder in packages of scikit-learn models, and asks :func:`accelerate`
once after loading. What is left out of a call is what the signature has settled already: making frames, validating
types, names and parameters, joblib's dispatch, OpenMP's threads for a handful of rows. It does not: approximate,
retrain, change the model, or judge rows (the runtime did). Whatever is odd is asked of the model itself, so that its
answer or its error is what the caller sees.

Forests with ``n_jobs`` other than 1 add their trees in the order in which threads finish; here they are added in the
order of the trees, as with one job.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

METHODS = ("predict", "predict_proba", "decision_function", "transform")
"""Methods that can be accelerated."""

Build = Callable[[dict[str, Any], int, dict[str, Any]], Any]


class Step(NamedTuple):
    """One step of a model.

    Attributes:
        path: Where it is: names of steps, joined by ``/``; empty for the model itself.
        type_name: Name of its type.
        own: Whether it runs on kernels; otherwise the library's own method is called for it.
    """

    path: str
    type_name: str
    own: bool


class Exact:
    """A model that answers as the original does, sooner; threads may share it.

    Every method of ``methods`` is there under its own name and takes rows: for ``numpy`` the array
    ``[n_rows, n_features]`` that the model itself would get, for ``columns`` a dict from the name of a field to its
    values ``[n_rows]``, an array in which a missing number is NaN, or a list in which what is missing is ``None``.

    Attributes:
        container: ``numpy`` or ``columns``.
        methods: The methods that are accelerated.
        steps: Which steps run on kernels and which do not.
    """

    def __init__(self, container: str, answers: dict[str, Callable[[Any], Any]], steps: tuple[Step, ...]) -> None:
        self.container = container
        self.methods = tuple(answers)
        self.steps = steps
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Any:
        """Say which methods there are; those that are accelerated are found before this is asked."""
        raise AttributeError(f"{name} is not accelerated; what is: {', '.join(self.__dict__.get('methods', ()))}.")


def accelerate(model: object, signature: dict[str, Any], methods: Sequence[str], build: Build) -> Exact | None:
    """Return a fast form of a fitted model; ``None`` if it has none, or nothing would be gained.

    Args:
        model: The fitted estimator or pipeline. It is not changed, and must not be changed afterwards.
        signature: Its signature, as in the manifest: ``inputs``, ``container``, ``array_dtype``.
        methods: The methods that will be asked.
        build: Makes the container that the model was trained on from columns, their number of rows and a signature.
    """
    if not type(model).__module__.startswith("sklearn.") or signature["container"] not in ("numpy", "pandas"):
        return None
    from .planning import plan_model

    planned = plan_model(model, signature, [name for name in methods if name in METHODS], build)
    if planned is None:
        return None
    container = "columns" if signature["container"] == "pandas" else "numpy"
    answering = _answer_columns if container == "columns" else _answer_array
    names = tuple(field["name"] for field in signature["inputs"])
    return Exact(
        container,
        {
            name: partial(answering, quick, _Original(getattr(model, name), names, signature, build))
            for name, quick in planned.methods.items()
        },
        planned.steps,
    )


class _Original(NamedTuple):
    """A method of the model itself, and what rows it takes."""

    method: Callable[[Any], Any]
    names: tuple[str, ...]
    signature: dict[str, Any]
    build: Build


def _answer_array(quick: Callable[[Any], Any], original: _Original, rows: Any) -> Any:
    try:
        return quick(rows)
    except Exception:  # whatever it is, the model itself says it better
        return original.method(rows)


def _answer_columns(quick: Callable[[Any], Any], original: _Original, rows: dict[str, Any]) -> Any:
    try:
        return quick([rows[name] for name in original.names])
    except Exception:  # whatever it is, the model itself says it better
        columns = {name: _listed(rows[name]) for name in original.names}
        size = len(columns[original.names[0]])
        return original.method(original.build(columns, size, original.signature))


def _listed(values: Any) -> Any:
    """Return what is no array as a list: only those two are taken by whoever makes frames."""
    return values if hasattr(values, "dtype") else list(values)


def supported() -> tuple[str, ...]:
    """Return the full names of the types that are known, sorted.

    Example:
        >>> "sklearn.pipeline.Pipeline" in supported()
        True
    """
    from .known import KNOWN

    return tuple(sorted(KNOWN))
