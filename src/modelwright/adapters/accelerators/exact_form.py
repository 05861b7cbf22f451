"""The exact form of a scikit-learn model: its own compiled kernels, called without what is around them.

For: capture with ``accelerate="exact"``. What the form does is in the folder :mod:`.exact`, which travels in packages;
it has no files of its own, since it is made of the loaded model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from modelwright.capturing.accelerating import Made
from modelwright.errors import SerialisationError
from modelwright.runtime.conversion import build
from modelwright.spec.signature import Signature


class ExactAccelerator:
    """Kernels of scikit-learn; see :class:`modelwright.capturing.accelerating.Accelerator`."""

    name = "exact"
    loader = Path(__file__).with_name("exact")
    distributions: tuple[str, ...] = ()
    exact = True

    def claims(self, model: object) -> bool:
        """Claim estimators of scikit-learn itself."""
        return type(model).__module__.partition(".")[0] == "sklearn"

    def make(self, model: Any, sample: Any, folder: Path, *, signature: Signature, methods: Sequence[str]) -> Made:
        """Make the form of the live model.

        Raises:
            SerialisationError: No step of the model has a kernel that is known.
        """
        from modelwright.adapters.accelerators.exact import accelerate

        fast = accelerate(model, msgspec.to_builtins(signature), methods, build)
        if fast is None:
            raise SerialisationError(f"No kernels are known for this {type(model).__qualname__}.")
        if missing := [name for name in methods if not hasattr(fast, name)]:
            raise SerialisationError(f"No kernels are known for its {missing[0]}.")
        return Made(fast, steps=tuple(f"{step.path} ({step.type_name})" for step in fast.steps if not step.own))


FORM = ExactAccelerator()
