"""Load a PyTorch network from an exported program, TorchScript, or weights of a class; in packages: the loading half.

Self-contained: standard library, with PyTorch, NumPy and safetensors imported when called. Nothing is ever unpickled
by Python. What PyTorch itself would execute in a file is looked for first, by :mod:`.programs` and :mod:`.scripts`.
Weights are mapped into memory where the file lies open for that, so that processes share them.

Source: the safetensors README, "Format".
"""

from __future__ import annotations

import json
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from .programs import audit_program, program_parts, read_program
from .scripts import audit_script, read_script

PROGRAM = "model.pt2"
SCRIPT = "model.pt"
WEIGHTS = "weights.safetensors"
_HEADER_LIMIT = 100_000_000
"""Bytes that the header of a safetensors file may have. Source: safetensors README, "Format"."""


class TorchModel:
    """Answers rows through a network.

    Args:
        module: Takes tensors and gives tensors.
        options: What capture found out: ``inputs``, each with ``name`` and ``dtype``; ``positional``: how many of them
            are given without their name; ``one``: whether the network takes one row at a time.
    """

    def __init__(self, module: Any, options: dict[str, Any]) -> None:
        self.module = module
        self.options = options
        self._inputs: list[tuple[str, str]] = [(each["name"], each["dtype"]) for each in options["inputs"]]

    def predict(self, rows: Any) -> Any:
        """Return what the network answers: an array ``[n_rows, ...]``, or a dict of them if it has several outputs."""
        torch: Any = import_module("torch")
        tensors = [tensor_of(values, dtype) for values, dtype in zip(self._values(rows), self.dtypes, strict=True)]
        with torch.inference_mode():
            if not self.options["one"]:
                return plain(self._ask(tensors))
            answers = [plain(self._ask([t[row : row + 1] for t in tensors])) for row in range(len(tensors[0]))]
        numpy: Any = import_module("numpy")
        if isinstance(answers[0], dict):
            return {name: numpy.concatenate([each[name] for each in answers]) for name in answers[0]}
        return numpy.concatenate(answers)

    @property
    def dtypes(self) -> list[str]:
        """Names of the inputs' types, in order."""
        return [dtype for _, dtype in self._inputs]

    def _ask(self, tensors: list[Any]) -> Any:
        first = self.options["positional"]
        named = zip(self.options["inputs"][first:], tensors[first:], strict=True)
        return self.module(*tensors[:first], **{each["name"]: tensor for each, tensor in named})

    def _values(self, rows: Any) -> list[Any]:
        return values_of(rows, [name for name, _ in self._inputs])


def values_of(rows: Any, names: list[str]) -> list[Any]:
    """Return one array ``[n_rows, ...]`` per input.

    An array is the one input. Columns that are called like the inputs are these; other columns of numbers are put
    side by side into the one input, ``[n_rows, n_columns]``.
    """
    numpy: Any = import_module("numpy")
    if isinstance(rows, numpy.ndarray):
        return [rows]
    if isinstance(rows, list):
        rows = {name: [row[name] for row in rows] for name in rows[0]}
    listed = list(rows) if isinstance(rows, dict) else [*(getattr(rows, "column_names", None) or rows.columns)]
    if set(names) <= set(listed) and (len(names) > 1 or isinstance(rows, dict)):
        return [_column(rows[name]) for name in names]
    if len(names) > 1:
        raise ValueError(f"columns {', '.join(names)} are needed, and there are {', '.join(map(str, listed))}")
    return [numpy.stack([_column(rows[name]) for name in listed], axis=1)]


def _column(values: Any) -> Any:
    numpy: Any = import_module("numpy")
    array = values.to_numpy() if hasattr(values, "to_numpy") else numpy.asarray(values)
    return numpy.array(array.tolist()) if array.dtype.kind == "O" else array


def tensor_of(values: Any, dtype: str) -> Any:
    """Return a tensor that owns its memory: a network may change what it is given.

    Without a type, integers stay as they are, and floating-point numbers become ``float32``.
    """
    torch: Any = import_module("torch")
    numpy: Any = import_module("numpy")
    kind = numpy.asarray(values).dtype
    dtype = dtype or ("float32" if kind.kind == "f" else kind.name)
    near = "float32" if dtype == "bfloat16" else dtype
    return torch.from_numpy(numpy.array(values, dtype=near, order="C")).to(getattr(torch, dtype))


def plain(answer: Any) -> Any:
    """Return tensors as arrays; of several, a dict: by their names, or ``output_0``, ``output_1``, … without."""
    if hasattr(answer, "detach"):
        answer = answer.detach().resolve_conj().resolve_neg()
        return (answer.float() if str(answer.dtype) == "torch.bfloat16" else answer).cpu().numpy()
    if hasattr(answer, "_asdict"):
        answer = answer._asdict()
    if isinstance(answer, list | tuple):
        answer = {f"output_{place}": value for place, value in enumerate(answer)}
    if not isinstance(answer, dict):
        raise TypeError(f"the network answers a {type(answer).__name__}, not tensors")
    arrays = {str(name): plain(value) for name, value in answer.items() if value is not None}
    if nested := next((name for name, value in arrays.items() if isinstance(value, dict)), None):
        raise TypeError(f"the network answers tensors inside of others, in {nested}")
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """List what would be executed, or what is not what it should be; empty for what capture writes.

    Args:
        artifacts: The folder of the artifacts.
        options: ``kind``: ``program``, ``script`` or ``weights``.
        package: Import package whose own code the consumer imports anyway.
    """
    if options.get("kind") == "program":
        return audit_program(program_parts(artifacts / PROGRAM))
    if options.get("kind") == "script":
        return audit_script(artifacts / SCRIPT)
    known = str(options.get("module", "")).startswith((f"{package}.", "torch.nn.modules."))
    named = [] if known else [f"{options.get('module')}.{options.get('class')}"]
    return named if _is_safetensors(artifacts / WEIGHTS) else [*named, f"{WEIGHTS}, which is no safetensors file"]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: list[str]) -> object:
    """Construct the network, on the CPU, for answers only."""
    with warnings.catch_warnings():  # PyTorch announces what it will remove one day
        warnings.simplefilter("ignore")
        if options["kind"] == "program":
            program = read_program(artifacts / PROGRAM, program_parts(artifacts / PROGRAM))
            return TorchModel(program.module(check_guards=False), options)
        if options["kind"] == "script":
            return TorchModel(read_script(artifacts / SCRIPT), options)
        module = import_module(options["module"])
        for name in options["class"].split("."):
            module = getattr(module, name)
        return finished(construct(module, options, read_weights(artifacts / WEIGHTS)), options)


def construct(kind: Any, options: dict[str, Any], weights: dict[str, Any]) -> Any:
    """Make a module from its class, its arguments and its weights, which it keeps without copying.

    Args:
        kind: The class.
        options: ``arguments`` of the constructor; ``shared``: names of weights that are another one's; ``bare``:
            whether the weights are all the tensors it has, so that none need be made.
        weights: By name.
    """
    torch: Any = import_module("torch")
    if not issubclass(kind, torch.nn.Module):
        raise TypeError(f"{kind.__qualname__} is no torch.nn.Module")
    with torch.random.fork_rng(devices=[]), torch.device("meta" if options["bare"] else "cpu"):
        module = kind(**options["arguments"])
    complete = weights | {name: weights[first] for name, first in options["shared"].items()}
    module.load_state_dict(complete, assign=True)
    return module.eval().requires_grad_(False)


def finished(module: Any, options: dict[str, Any]) -> Any:
    """Return what answers rows: the module itself if its class says how, else a :class:`TorchModel` around it."""
    return module if options["answers"] else TorchModel(module, options)


def read_weights(path: Path) -> dict[str, Any]:
    """Return the tensors of a safetensors file, mapped into memory."""
    return dict(import_module("safetensors.torch").load_file(path))


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        try:
            return size <= _HEADER_LIMIT and isinstance(json.loads(stream.read(size)), dict)
        except ValueError:
            return False
