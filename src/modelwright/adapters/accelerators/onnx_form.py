"""The onnx form of a model: the same function as a graph, which onnxruntime calculates.

For: capture with ``accelerate="onnx"``. The graph is stored as the onnx format stores one, beside the model or in its
place; its loading half is that format's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modelwright.adapters.accelerators.onnx import claims, converted
from modelwright.adapters.formats.onnx import FORMAT
from modelwright.capturing.accelerating import Made
from modelwright.errors import ModelMismatchError, SerialisationError
from modelwright.runtime.acceleration import Loaded
from modelwright.spec.signature import Signature


class OnnxAccelerator:
    """Graphs; see :class:`modelwright.capturing.accelerating.Accelerator`."""

    name = "onnx"
    loader = FORMAT.loader
    distributions = FORMAT.distributions
    exact = False

    def claims(self, model: object) -> bool:
        """Claim models of the libraries that have a converter."""
        return claims(model)

    def make(self, model: Any, sample: Any, folder: Path, *, signature: Signature, methods: Sequence[str]) -> Made:
        """Make the form of the live model, with its file.

        Raises:
            SerialisationError: It has no graph, or one that answers other methods.
            MissingExtraError: The converter is not installed.
        """
        found = converted(model, sample, signature=signature)
        try:
            adapted = FORMAT.answering(found.model, sample)
        except ModelMismatchError as error:
            raise SerialisationError("The graph takes other rows than the model.", why=error.what) from error
        if missing := [name for name in methods if not hasattr(adapted.model, name)]:
            raise SerialisationError(f"The graph has no {missing[0]}.")
        saved = FORMAT.save(adapted.model, folder, package="")
        options = saved.options | ({"single": list(found.single)} if found.single else {})
        return Made(Loaded(adapted.model, signature.container), options=options, model=found.model)


FORM = OnnxAccelerator()
