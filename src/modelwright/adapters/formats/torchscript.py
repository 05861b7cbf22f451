"""The torchscript format: scripted and traced modules, in PyTorch's own intermediate language.

For: capture of ``torch.jit.ScriptModule``; also opens TorchScript files. Nothing of Python is in such an archive but
pickles that PyTorch reads with an unpickler of its own. What PyTorch writes is written again without example inputs
and the places in the code that was scripted.

It does not: script a module (``torch.jit.script`` does), or map weights into memory, which PyTorch has no way for.
"""

from __future__ import annotations

import copy
import re
import tempfile
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from modelwright.adapters.formats import torch_archive
from modelwright.adapters.formats.torch_inputs import (
    TRIED_ROWS,
    Parameter,
    candidates,
    fitting,
    floating_type,
    kinds_of,
    quiet,
    tolerances,
    without_sample,
)
from modelwright.adapters.formats.torch_script_names import renamed
from modelwright.adapters.loaders import torch_loader
from modelwright.adapters.loaders.torch_loader import SCRIPT, TorchModel
from modelwright.adapters.loaders.torch_loader.scripts import audit_script, read_script
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.errors import LoaderError, Problem, SerialisationError, UnsafeFileError

_MEMBERS = {"data.pkl", "constants.pkl"}
_CARD = re.compile(r'"(cuda|xpu|mps|hip)(:\d+)?"')
_ON_CARD = "The code of this TorchScript module computes on a graphics card."
_TRACE_AGAIN = "Move the module to the CPU before it is scripted or traced: torch.jit.script(model.cpu())."


class TorchscriptFormat:
    """TorchScript; see :class:`modelwright.capturing.formats.Format`."""

    name = "torchscript"
    loader = Path(torch_loader.__file__).parent
    distributions = ("numpy", "torch")
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model: object) -> int:
        """Claim scripted and traced modules."""
        return 93 if "torch.jit._script.ScriptModule" in kinds_of(model) else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Return what answers rows through a scripted module.

        Raises:
            ModelMismatchError: The rows are no inputs of it.
            SerialisationError: It takes more than tensors.
        """
        module: Any = model
        with quiet():
            learning = any(part.training for part in module.modules())
            away = any(t.device.type != "cpu" for t in (*module.parameters(), *module.buffers()))
            if learning or away:  # the caller's module stays as it is
                module = copy.deepcopy(module).cpu().eval()
            parameters = _parameters(module)
            if sample is None:
                return Adapted(TorchModel(module, without_sample(parameters).options("script")), None)
            inputs, one = fitting(module, candidates(parameters, sample, floating=floating_type(module)))
            answering = TorchModel(module, inputs.options("script", one=one))
            answers = answering.predict(inputs.rows(1 if one else TRIED_ROWS))
        return Adapted(answering, inputs.cast(sample), outputs=tolerances(answers))

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.pt``.

        Raises:
            SerialisationError: It is no scripted module, or computes on another device than the CPU.
        """
        if not isinstance(model, TorchModel) or self.claims(model.module) == 0:
            raise SerialisationError(f"A {type(model).__qualname__} is no TorchScript module.")
        with quiet():
            write_script(model.module, artifacts / SCRIPT)
        if _computes_on_a_card(artifacts / SCRIPT):
            raise SerialisationError(_ON_CARD, hint=_TRACE_AGAIN)
        if wrong := audit_script(artifacts / SCRIPT):
            raise SerialisationError(
                "A TorchScript module of PyTorch alone cannot hold this one.",
                why=f"It has {wrong[0]}.",
                hint="Leave out what reads or writes files, and operations of other libraries.",
            )
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Say what a TorchScript file is; ``None`` for any other file.

        Raises:
            UnsafeFileError: It names what TorchScript does not have, or operations that reach out of the model.
            LoaderError: It is damaged.
        """
        if not path.is_file():
            return None
        try:
            names = torch_archive.members(path)
            if not names >= _MEMBERS or not any(name.startswith("code/") for name in names):
                return None
            wrong = audit_script(path)
        except (zipfile.BadZipFile, ValueError, EOFError) as error:
            raise LoaderError("The TorchScript file is damaged.", where=str(path), why=str(error)) from error
        if wrong:
            raise UnsafeFileError(
                "This TorchScript file has more than calculation; nothing was executed.",
                where=str(path),
                problems=[Problem(None, None, name) for name in wrong],
                why="Its code could read or write files, or runs operations that PyTorch itself does not have.",
                hint="Script the module again without them.",
            )
        return FileReport(kind="TorchScript module", requires=("torch", "numpy"), extra="torch")

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the scripted module in a file, its weights on the CPU wherever they were.

        Raises:
            LoaderError: PyTorch fails to load it, or its code computes on a graphics card.
        """
        if _computes_on_a_card(path):
            raise LoaderError(_ON_CARD, where=str(path), hint=_TRACE_AGAIN)
        try:
            with quiet():
                return read_script(path)
        except Exception as error:  # whatever PyTorch raises
            raise LoaderError(
                "The TorchScript file cannot be loaded.",
                where=str(path),
                why=f"{type(error).__name__}: {error}".partition("\n")[0],
                hint="Open it with the version of torch that wrote it, or script the module again.",
            ) from error


def write_script(module: Any, target: Path) -> None:
    """Write a scripted module, the same bytes every time; ``torch.jit.load`` reads it."""
    import torch

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        written = Path(folder) / target.name
        torch.jit.save(module, str(written))
        with zipfile.ZipFile(written) as archive:
            members = {name.partition("/")[2]: name for name in archive.namelist()}
            left_out = [name for name in members if name.startswith("traced_inputs") or name.endswith(".debug_pkl")]
            kept = {
                inner: archive.read(name)
                for inner, name in members.items()
                if inner not in left_out and (inner.endswith(".pkl") or _is_code(inner))
            }
        code = [inner for inner in members if _is_code(inner)]
        torch_archive.rewrite(
            written, target, changed=renamed(kept), dropped=(*left_out, *code, ".data/serialization_id")
        )


def _is_code(inner: str) -> bool:
    return inner.startswith("code/") and inner.endswith(".py")


def _computes_on_a_card(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        code = [name for name in archive.namelist() if _is_code(name.partition("/")[2])]
        return any(_CARD.search(archive.read(name).decode("utf-8", "replace")) for name in code)


def _parameters(module: Any) -> list[Parameter]:
    taken = module.forward.schema.arguments[1:]  # the first is the module itself
    odd = [each.name for each in taken if str(each.type) != "Tensor" and not each.has_default_value()]
    if odd:
        raise SerialisationError(
            "The TorchScript module takes more than tensors.",
            why=f"{odd[0]} is a {next(each.type for each in taken if each.name == odd[0])}.",
            hint="Script a module whose forward takes one tensor per input.",
        )
    return [Parameter(each.name, not each.has_default_value()) for each in taken]


FORMAT = TorchscriptFormat()
