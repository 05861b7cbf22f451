"""The torch format: a network as its weights and the code of its class, which travels in the package.

For: capture, for PyTorch modules whose code ``torch.export`` cannot follow, and for those that answer rows by their own
``predict``. The module is made again from its class and its constructor's arguments, as it will be where it is loaded,
and must answer the same before anything is stored.

It opens no files: a pickled module is a program, and weights alone do not say what network they belong to. Both are
recognised, looked into without executing them, and refused with what to do instead.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from modelwright.adapters.formats.torch_inputs import (
    ask,
    candidates,
    check_same,
    evaluating,
    fitting,
    floating_type,
    kinds_of,
    parameters_of,
    quiet,
    tolerances,
    without_sample,
)
from modelwright.adapters.formats.torch_pickles import names_in, what_runs
from modelwright.adapters.loaders import torch_loader
from modelwright.adapters.loaders.torch_loader import WEIGHTS, TorchModel, construct, finished, plain
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import LoaderError, Problem, SerialisationError, UnsafeFileError

_COMPARED_ROWS = 4


class TorchFormat:
    """Weights and a class; see :class:`modelwright.capturing.formats.Format`."""

    name = "torch"
    loader = Path(torch_loader.__file__).parent
    distributions = ("numpy", "safetensors", "torch")
    executes_code = False
    portable = True

    def claims(self, model: object) -> int:
        """Claim modules: after torch-export, but before it where the module's own ``predict`` answers rows."""
        kinds = kinds_of(model)
        if "torch.nn.modules.module.Module" not in kinds or "torch.jit._script.ScriptModule" in kinds:
            return 0
        return 94 if callable(getattr(model, "predict", None)) else 91

    def answering(self, model: object, sample: Any) -> Adapted:
        """Make the module again, as the loader will, and return it with the rows.

        Raises:
            ModelMismatchError: The rows are no inputs of it.
            SerialisationError: It cannot be made again, or answers otherwise then.
        """
        module: Any = model
        with quiet():
            options, weights = recipe(module)
            again = construct(type(module), options, weights)
            if options["answers"]:
                _check_predict(module, again, sample)
                return Adapted(again, sample)
            parameters = parameters_of(module.forward)
            if sample is None:
                return Adapted(TorchModel(again, options | without_sample(parameters).options("weights")), None)
            inputs, one = fitting(again, candidates(parameters, sample, floating=floating_type(again)))
            rows = 1 if one else _COMPARED_ROWS
            answers = plain(ask(again, inputs, rows))
            with evaluating(module):
                check_same(answers, plain(ask(module, inputs, rows)))
        answering = finished(again, options | inputs.options("weights", one=one))
        return Adapted(answering, inputs.cast(sample), outputs=tolerances(answers))

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``weights.safetensors``.

        Raises:
            SerialisationError: It is no module, or has weights that safetensors cannot hold.
        """
        module: Any = model.module if isinstance(model, TorchModel) else model
        if self.claims(module) == 0:
            raise SerialisationError(f"A {type(module).__qualname__} is no PyTorch module with code of its own.")
        import safetensors.torch

        options, weights = recipe(module)
        try:
            safetensors.torch.save_file({name: _alone(value) for name, value in weights.items()}, artifacts / WEIGHTS)
        except Exception as error:  # safetensors has exceptions of its own
            raise SerialisationError("safetensors cannot hold the weights.", why=str(error)) from error
        options |= {"module": type(module).__module__, "class": type(module).__qualname__}
        options |= model.options if isinstance(model, TorchModel) else {}
        return Saved(options=options, types=tuple(torch_loader.audit(artifacts, options, package)))

    def examine(self, path: Path) -> FileReport | None:
        """Say whether a file is a pickle of PyTorch or bare weights; ``None`` for any other.

        Raises:
            UnsafeFileError: Loading it would run code.
        """
        found = names_in(path)
        if found is None:
            return None
        if runs := what_runs(found):
            raise UnsafeFileError(
                "Loading this PyTorch file would run code; nothing was executed.",
                where=str(path),
                problems=[Problem(None, None, f"{name} would be imported or called") for name in runs],
                why="It is a pickled module or object. modelwright never unpickles one, whoever vouches for it.",
                hint="If you made it, load it yourself and capture the live module: "
                "model = torch.load(path, weights_only=False), then capture(model, …).",
            )
        return FileReport(
            kind="PyTorch state_dict", requires=("torch",), note="It holds weights without their network."
        )

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Refuse weights without a network.

        Raises:
            LoaderError: Always; it says how to capture them.
        """
        raise LoaderError(
            "The file holds the weights of a network, not the network.",
            where=str(path),
            why="Which module they belong to is only in its code.",
            hint="Give the live module: model = Net(…); model.load_state_dict(torch.load(path, weights_only=True)); "
            "capture(model, …).",
        )


def recipe(module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what it takes to make a module again: options for the loader, and weights by name.

    Raises:
        SerialisationError: The constructor's arguments are not known, or its weights do not fit a new one.
    """
    weights, shared = _weights(module)
    options = {
        "kind": "weights",
        "arguments": _arguments(module),
        "shared": shared,
        "answers": callable(getattr(module, "predict", None)),
        "bare": True,
    }
    try:
        if not _is_whole(construct(type(module), options, weights)):
            options["bare"] = False
    except Exception:  # a constructor that reads its own weights fails without them
        options["bare"] = False
    try:
        construct(type(module), options, weights)
    except Exception as error:  # the constructor of the user may raise anything
        raise SerialisationError(
            f"The {type(module).__qualname__} cannot be made again from its class.",
            why=f"{type(error).__name__}: {error}".partition("\n")[0],
            hint="Keep each argument of its constructor as an attribute of the same name, as in self.width = width.",
        ) from error
    return options, weights


def _weights(module: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return each tensor of the state dict once, and the names of those that are another one."""
    weights: dict[str, Any] = {}
    shared: dict[str, str] = {}
    seen: dict[Any, str] = {}
    for name, value in module.state_dict().items():
        if not hasattr(value, "untyped_storage"):
            raise SerialisationError(
                f"The state of the module has {name!r}, which is a {type(value).__name__}, not a tensor.",
                hint="Leave it out of get_extra_state, or keep it as a buffer.",
            )
        if value.is_meta:
            raise SerialisationError("The weights have no values: they are on the meta device.")
        place = value.untyped_storage().data_ptr(), value.storage_offset(), value.shape, value.stride(), value.dtype
        first = seen.setdefault(place, name) if value.numel() else name
        if first == name:
            weights[name] = value.detach().cpu()
        else:
            shared[name] = first
    return weights, shared


def _alone(tensor: Any) -> Any:
    """Return a tensor that has its memory for itself, which is what safetensors writes."""
    whole = tensor.is_contiguous() and tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    return tensor if whole else tensor.contiguous().clone()


def _is_whole(module: Any) -> bool:
    """Say whether every tensor of a module has values, also those outside of its state dict."""
    tensors = [*module.parameters(), *module.buffers()]
    tensors += [value for part in module.modules() for value in vars(part).values() if hasattr(value, "is_meta")]
    return not any(tensor.is_meta for tensor in tensors)


def _arguments(module: Any) -> dict[str, Any]:
    """Find the constructor's arguments in attributes of their name, in ``config`` and in ``hparams``."""
    kind, found, unknown = type(module), {}, []
    for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]:
        if parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
            continue  # whether there were any shows when it is made again
        known, value = _argument(module, name)
        if known:
            found[name] = value
        elif parameter.default is inspect.Parameter.empty:
            unknown.append(name)
    if unknown:
        raise SerialisationError(
            f"It is not known with which {', '.join(unknown)} the {kind.__qualname__} was made.",
            why="The torch format makes it again from its class. Arguments are looked for in attributes of the same "
            "name, in config and in hparams; they must be numbers, text, or lists and dicts of these.",
            hint=f"Keep it in the constructor: self.{unknown[0]} = {unknown[0]}.",
        )
    return found


def _argument(module: Any, name: str) -> tuple[bool, Any]:
    for holder in (module, getattr(module, "hparams", None), getattr(module, "config", None)):
        value = holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
        present = name in holder if isinstance(holder, Mapping) else hasattr(holder, name)
        if present:
            try:
                return True, json.loads(json.dumps(value))
            except (TypeError, ValueError):
                continue
    return False, None


def _check_predict(module: Any, again: Any, sample: Any) -> None:
    """Check that a module that answers rows itself still does so when it was made again."""
    if sample is None:
        return
    with evaluating(module):
        found, wanted = (np.asarray(each.predict(sample)) for each in (again, module))
    if found.dtype.kind in "fc":
        check_same(found, wanted)
    elif not np.array_equal(found, wanted):
        raise SerialisationError("Made again from its class and weights, the module answers otherwise.")


FORMAT = TorchFormat()
