"""The torch-export format: networks as exported programs, without their Python code.

For: capture, as the default for PyTorch modules whose code ``torch.export`` can follow; also opens ``.pt2`` files.

It does not: compile (AOTInductor archives are machine code, and refused), or hold what only a pickle could.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from modelwright.adapters.formats.torch_inputs import (
    TRIED_ROWS,
    Inputs,
    Parameter,
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
)
from modelwright.adapters.formats.torch_program import MODEL, program_in, write_program
from modelwright.adapters.loaders import torch_loader
from modelwright.adapters.loaders.torch_loader import PROGRAM, TorchModel, plain
from modelwright.adapters.loaders.torch_loader.programs import audit_program, program_parts, read_program
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import LoaderError, ModelMismatchError, Problem, SerialisationError, UnsafeFileError


class TorchExportFormat:
    """Exported programs; see :class:`modelwright.capturing.formats.Format`."""

    name = "torch-export"
    loader = Path(torch_loader.__file__).parent
    distributions = ("numpy", "torch")
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model: object) -> int:
        """Claim modules and exported programs; not what answers rows by its own ``predict``, nor TorchScript."""
        kinds = kinds_of(model)
        if "torch.export.exported_program.ExportedProgram" in kinds:
            return 92
        is_module = "torch.nn.modules.module.Module" in kinds and "torch.jit._script.ScriptModule" not in kinds
        return 92 if is_module and not callable(getattr(model, "predict", None)) else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Export a module, or take an exported program, with what it takes to give it rows.

        Raises:
            ModelMismatchError: The rows are no inputs of it.
            SerialisationError: ``torch.export`` cannot follow its code, or its operations are of another library.
        """
        with quiet():
            if "torch.export.exported_program.ExportedProgram" in kinds_of(model):
                return _of_program(model, sample)
            return _of_module(model, sample)

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.pt2``.

        Raises:
            SerialisationError: It is no exported program, or has parts that only a pickle can hold.
        """
        program = getattr(model, "program", None)
        if not isinstance(model, TorchModel) or program is None:
            raise SerialisationError(f"A {type(model).__qualname__} is no exported program.")
        with quiet():
            write_program(program, artifacts / PROGRAM)
        if wrong := audit_program(program_parts(artifacts / PROGRAM)):
            raise _not_held(wrong[0])
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Say what an exported program is; ``None`` for any other file.

        Raises:
            UnsafeFileError: Loading it would unpickle, evaluate or run machine code.
            LoaderError: It is damaged.
        """
        parts = program_in(path)
        if parts is None:
            return None
        if wrong := audit_program(parts):
            raise UnsafeFileError(
                "Opening this exported program could run code; nothing was executed.",
                where=str(path),
                problems=[Problem(None, None, name) for name in wrong],
                why="PyTorch unpickles such members, and evaluates such texts as Python.",
                hint="Export it again with operations of PyTorch only: torch.export.save(program, path).",
            )
        version = str(json.loads(parts[MODEL]).get("torch_version", "")).partition("+")[0]
        known = {"torch": version} if version else {}
        return FileReport(kind="PyTorch exported program", versions=known, requires=("torch", "numpy"), extra="torch")

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the exported program in a file, on the CPU.

        Raises:
            LoaderError: PyTorch fails to load it.
        """
        try:
            with quiet():
                return read_program(path, program_in(path) or {})
        except Exception as error:  # whatever PyTorch raises
            raise LoaderError(
                "The exported program cannot be loaded.",
                where=str(path),
                why=f"{type(error).__name__}: {error}".partition("\n")[0],
                hint="Open it with the version of torch that wrote it, or export the module again.",
            ) from error


def _of_module(model: Any, sample: Any) -> Adapted:
    if sample is None:
        raise SerialisationError(
            "torch.export needs rows to follow the code of a module.", hint="Choose format='torch'."
        )
    tensors = (*model.parameters(), *model.buffers())
    if any(tensor.is_meta for tensor in tensors):
        raise SerialisationError("The weights have no values: they are on the meta device.")
    # The caller's module stays where it is.
    module = copy.deepcopy(model).cpu() if any(t.device.type != "cpu" for t in tensors) else model
    refusals = []
    with evaluating(module):
        tried = candidates(parameters_of(module.forward), sample, floating=floating_type(module))
        inputs, only_one = fitting(module, tried)
        for one in (True,) if only_one else (False, True):
            try:
                program = _exported(module, inputs, one=one)
                expected = plain(ask(module, inputs, 1 if one else TRIED_ROWS))
            except Exception as error:  # whatever torch.export meets in the module's code
                refusals.append(error)
            else:
                return _adapted(program, inputs, sample, options=inputs.options("program", one=one), expected=expected)
    raise SerialisationError(
        f"torch.export cannot follow the code of this {type(module).__qualname__}.",
        why=str(refusals[0]).strip().partition("\n")[0],
        hint="Choose format='torch' (weights and the code of the class), or script it: torch.jit.script(model).",
    ) from refusals[0]


def _exported(module: Any, inputs: Inputs, *, one: bool) -> Any:
    """Export a module for any number of rows, or for one."""
    import torch

    tensors = inputs.tensors(1 if one else 2)
    axes = None if one else {0: torch.export.Dim("rows")}
    if len(tensors) == 1:
        return torch.export.export(module, tensors, dynamic_shapes=(axes,))
    named = dict(zip(inputs.names, tensors, strict=True))
    return torch.export.export(module, (), named, dynamic_shapes=dict.fromkeys(named, axes))


def _of_program(program: Any, sample: Any) -> Adapted:
    """Take a program as it is: it says itself which inputs it has, in which types and shapes."""
    given = program.module_call_graph[0].signature
    by_place, by_name = (given.in_spec.child(0), given.in_spec.child(1))
    taken: dict[str, Any] = {
        node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"
    }
    values: list[Any] = [taken.get(str(name)) for name in program.graph_signature.user_inputs]
    if (
        not all(hasattr(value, "shape") for value in values)
        or len(values) != by_place.num_children + by_name.num_children
    ):
        raise SerialisationError(
            "The exported program takes more than tensors.",
            why=f"Its inputs: {', '.join(map(str, program.graph_signature.user_inputs))}.",
            hint="Export a module whose forward takes one tensor per input.",
        )
    names = list(given.forward_arg_names or program.graph_signature.user_inputs)
    dtypes = [str(value.dtype).removeprefix("torch.") for value in values]
    inputs = Inputs(names, dtypes, [])
    if sample is not None:
        named = [Parameter(name, required=True) for name in names]
        inputs = candidates(named, sample, floating="float32")[0]._replace(dtypes=dtypes)
        for name, value, array in zip(names, values, inputs.arrays, strict=True):
            _check_shape(name, list(value.shape), array.shape)
    fixed = {size for value in values if isinstance(size := value.shape[0], int)}
    if fixed - {1}:
        raise ModelMismatchError(
            f"The exported program takes exactly {max(fixed)} rows at once.",
            hint="Export it for any number: dynamic_shapes={'x': {0: torch.export.Dim('rows')}}.",
        )
    options = inputs.options("program", one=bool(fixed), positional=by_place.num_children)
    return _adapted(program, inputs, sample, options=options)


def _check_shape(name: str, declared: list[Any], given: tuple[int, ...]) -> None:
    known = len(declared) == len(given) and all(
        not isinstance(want, int) or want == size for want, size in zip(declared[1:], given[1:], strict=True)
    )
    if not known:
        wanted = ", ".join(str(size) if isinstance(size, int) else "…" for size in declared[1:])
        raise ModelMismatchError(
            f"The input {name!r} has the shape [n_rows, {wanted}]; the sample gives [n_rows, "
            f"{', '.join(map(str, given[1:]))}].",
            hint="Give rows as the program takes them.",
        )


def _adapted(program: Any, inputs: Inputs, sample: Any, *, options: dict[str, Any], expected: Any = None) -> Adapted:
    """Return what answers through a program, which is checked against what the module answered."""
    _check_operations(program)
    answering = TorchModel(program.module(check_guards=False), options)
    vars(answering)["program"] = program
    answers: Any = {}
    if inputs.arrays:
        answers = answering.predict(inputs.rows(1 if options["one"] else TRIED_ROWS))
    if expected is not None:
        check_same(answers, expected)
    return Adapted(answering, inputs.cast(sample), outputs=tolerances(answers))


def _check_operations(program: Any) -> None:
    for part in program.graph_module.modules():
        for node in part.graph.nodes if hasattr(part, "graph") else ():
            namespace = getattr(node.target, "namespace", "aten") if node.op == "call_function" else "aten"
            if namespace not in ("aten", "prims", "higher_order"):
                raise _not_held(str(node.target))


def _not_held(name: str) -> SerialisationError:
    return SerialisationError(
        "An exported program of PyTorch alone cannot hold this network.",
        why=f"It has {name}.",
        hint="Choose format='torch': the code of the class brings along what it needs.",
    )


FORMAT = TorchExportFormat()
