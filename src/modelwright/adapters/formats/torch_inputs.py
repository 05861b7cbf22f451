"""Find out how a PyTorch network takes rows: which inputs, in which types, all rows at once or one by one.

Called by the formats for PyTorch. What it finds goes into the options of the loader, whose
:class:`~modelwright.adapters.loaders.torch_loader.TorchModel` takes rows the same way.
"""

from __future__ import annotations

import inspect
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

import numpy as np

from modelwright.adapters.loaders.torch_loader import tensor_of, values_of
from modelwright.errors import ModelMismatchError, SerialisationError

TRIED_ROWS = 4
"""So many rows of the sample are tried at most."""
_RTOL, _ATOL = 1e-4, 1e-5
"""How far answers may be apart: an export may compute in another order. Source: ``torch.testing.assert_close`` has
1.3e-6 and 1e-5 for one operation in float32."""


class Parameter(NamedTuple):
    """A parameter of ``forward``: its name, and whether it must be given."""

    name: str
    required: bool


class Inputs(NamedTuple):
    """The inputs of a network, as the sample gives them.

    Attributes:
        names: Names of the parameters that are given, in order.
        dtypes: The type of each, by PyTorch's name.
        arrays: The sample's rows for each, ``[n_rows, ...]``, in these types.
    """

    names: list[str]
    dtypes: list[str]
    arrays: list[Any]

    def options(self, kind: str, *, one: bool = False, positional: int | None = None) -> dict[str, Any]:
        """Return what the loader needs to know; one input is given without its name, several with theirs."""
        listed = [{"name": name, "dtype": dtype} for name, dtype in zip(self.names, self.dtypes, strict=True)]
        first = (1 if len(listed) == 1 else 0) if positional is None else positional
        return {"kind": kind, "inputs": listed, "positional": first, "one": one}

    def rows(self, count: int) -> dict[str, Any]:
        """Return the first rows of each input; a single row twice, since one would say nothing of several."""
        taken = {name: array[:count] for name, array in zip(self.names, self.arrays, strict=True)}
        if count > 1 and len(self.arrays[0]) == 1:
            return {name: np.concatenate([array, array]) for name, array in taken.items()}
        return taken

    def tensors(self, count: int) -> tuple[Any, ...]:
        """Return the same as tensors, in the declared types."""
        return tuple(
            tensor_of(array, dtype) for array, dtype in zip(self.rows(count).values(), self.dtypes, strict=True)
        )

    def cast(self, sample: Any) -> Any:
        """Return the sample in the declared types, where its container has one: arrays, and columns of arrays."""
        kinds = ["float32" if dtype == "bfloat16" else dtype for dtype in self.dtypes]
        if isinstance(sample, np.ndarray):
            return sample.astype(kinds[0], copy=False)
        if isinstance(sample, dict) and set(self.names) <= set(sample):
            return sample | {
                name: np.asarray(sample[name]).astype(kind, copy=False)
                for name, kind in zip(self.names, kinds, strict=True)
                if isinstance(sample[name], np.ndarray)
            }
        return sample


def kinds_of(model: object) -> set[str]:
    """Return the full names of a model's classes; nothing is imported."""
    return {f"{kind.__module__}.{kind.__qualname__}" for kind in type(model).__mro__}


def parameters_of(forward: Callable[..., Any]) -> list[Parameter]:
    """Return the parameters of ``forward`` that take tensors by name."""
    taken = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_ONLY)
    found = inspect.signature(forward).parameters.values()
    return [Parameter(each.name, each.default is inspect.Parameter.empty) for each in found if each.kind in taken]


def candidates(parameters: Sequence[Parameter], sample: Any, *, floating: str) -> list[Inputs]:
    """Return how the sample may be meant, likeliest first: integers as they are, then as the network's numbers.

    Args:
        parameters: What ``forward`` takes.
        sample: The rows, in any container.
        floating: Type of the network's first weights, by PyTorch's name; floating-point rows are cast to it.

    Raises:
        ModelMismatchError: The sample has no columns for the inputs, or values that are no numbers.
    """
    columns = _columns(sample)
    required = [each.name for each in parameters if each.required]
    named = [each.name for each in parameters if each.name in columns]
    names = named if set(required) <= set(named) and (named[1:] or isinstance(sample, dict | list)) else []
    if not names:
        if len(required) > 1:
            raise ModelMismatchError(
                f"The network takes {', '.join(required)}; the sample has {', '.join(columns) or 'one array'}.",
                hint="Give a dict of columns: {" + ", ".join(f"{name!r}: …" for name in required) + "}.",
            )
        names = required or [each.name for each in parameters[:1]]
    try:
        arrays = [np.asarray(values) for values in values_of(sample, names)]
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelMismatchError("The sample is no rows of numbers.", why=str(error)) from error
    if bad := next((array.dtype for array in arrays if array.dtype.kind not in "biuf"), None):
        raise ModelMismatchError(
            f"The sample has values of type {bad}; a network takes numbers.",
            hint="Encode text and categories as numbers first, or capture a function that does.",
        )
    as_they_are = [floating if array.dtype.kind == "f" else str(array.dtype) for array in arrays]
    tried = [as_they_are] + ([[floating] * len(arrays)] if any(a.dtype.kind in "biu" for a in arrays) else [])
    return [Inputs(names, dtypes, arrays) for dtypes in tried]


def _columns(sample: Any) -> list[str]:
    if isinstance(sample, np.ndarray):
        return []
    if isinstance(sample, list):
        return list(sample[0]) if sample and isinstance(sample[0], dict) else []
    if isinstance(sample, dict):
        return list(sample)
    return [str(name) for name in getattr(sample, "column_names", None) or getattr(sample, "columns", [])]


def without_sample(parameters: Sequence[Parameter]) -> Inputs:
    """Return the inputs that must be given, in whatever types they come; for a part whose rows others make."""
    required = [each.name for each in parameters if each.required]
    return Inputs(required, [""] * len(required), [])


def ask(module: Any, inputs: Inputs, rows: int) -> Any:
    """Return what a module answers for some rows of the sample."""
    import torch

    tensors = inputs.tensors(rows)
    with torch.inference_mode():
        return module(*tensors) if len(tensors) == 1 else module(**dict(zip(inputs.names, tensors, strict=True)))


def floating_type(module: Any) -> str:
    """Return the type of the first floating-point weight, by PyTorch's name; ``float32`` without any."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return str(tensor.dtype).removeprefix("torch.")
    return "float32"


def fitting(module: Any, tried: Sequence[Inputs]) -> tuple[Inputs, bool]:
    """Return the inputs that a module answers, of those that the sample may mean, and whether only row by row.

    Raises:
        ModelMismatchError: It answers none of them, not even a single row.
    """
    first: Exception | None = None
    for inputs in tried:
        for rows in (TRIED_ROWS, 1):
            try:
                ask(module, inputs, rows)
            except Exception as error:  # the module's own code may raise anything
                first = first or error
            else:
                return inputs, rows == 1
    raise ModelMismatchError(
        f"The {type(module).__qualname__} cannot answer the sample.",
        why=f"{type(first).__name__}: {first}".strip().partition("\n")[0],
        hint="Give rows as the network takes them: an array [n_rows, …], or a dict of columns named like its inputs.",
    ) from first


def check_same(answers: Any, expected: Any) -> None:
    """Check that what is stored answers as the module did.

    Raises:
        SerialisationError: It does not.
    """
    pairs = [(answers, expected)]
    if isinstance(answers, dict) or isinstance(expected, dict):
        if not isinstance(answers, dict) or not isinstance(expected, dict) or set(answers) != set(expected):
            raise _otherwise("It has other outputs.")
        pairs = [(answers[name], expected[name]) for name in expected]
    for found, wanted in pairs:
        if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=_RTOL, atol=_ATOL, equal_nan=True):
            raise _otherwise("Its code depends on more than the rows: on values of a constructor, chance, or state.")


def tolerances(answers: Any) -> dict[str, dict[str, float]]:
    """Return how far each output in single precision may be from the answer that was captured, on another processor.

    Sums of many products are rounded in another order there, so a number near zero has no correct digits of its own:
    the absolute tolerance is what counts for it. Source: see :data:`_RTOL`.
    """
    named = answers if isinstance(answers, dict) else {"prediction": answers}
    single = [name for name, values in named.items() if str(values.dtype) in ("float16", "float32")]
    return {name: {"rtol": _RTOL, "atol": _ATOL} for name in single}


def _otherwise(why: str) -> SerialisationError:
    return SerialisationError("What would be stored answers otherwise than the module.", why=why)


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Let a module answer instead of learn; put back how each part of it was."""
    before = [(part, part.training) for part in module.modules()]
    try:
        yield module.eval()
    finally:
        for part, training in before:
            part.training = training


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what PyTorch warns and prints while it exports or scripts from the caller's screen."""
    logger = logging.getLogger("torch")
    level, nowhere = logger.level, io.StringIO()
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
