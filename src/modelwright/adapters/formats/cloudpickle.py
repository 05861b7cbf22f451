"""The cloudpickle format: also what has no source and no name, stored as byte code of this interpreter.

For: capture, only when the user asks for it (it claims nothing by itself): lambdas, closures and classes made on the
fly, whose source cannot be shipped. Byte code works on one minor version of Python; the wheel's tag says so.

Bytes are the same for the same model within one process and, for models without classes made on the fly, between
processes: cloudpickle gives such classes a random identifier.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from modelwright.adapters.loaders import cloudpickle_loader
from modelwright.capturing.formats import Saved
from modelwright.errors import MissingExtraError, SerialisationError

PROTOCOL = 5
"""Pickle protocol. Source: PEP 574; every supported interpreter reads it."""


class CloudpickleFormat:
    """cloudpickle files; see :class:`modelwright.capturing.formats.Format`."""

    name = "cloudpickle"
    loader = Path(cloudpickle_loader.__file__)
    distributions = ("cloudpickle",)
    executes_code = True
    portable = False

    def claims(self, model: object) -> int:
        """Claim nothing: byte code is never a default."""
        return 0

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.pickle``.

        Raises:
            SerialisationError: A part of the model cannot be pickled even by value.
            MissingExtraError: cloudpickle is not installed.
        """
        if find_spec("cloudpickle") is None:
            raise MissingExtraError(
                "The cloudpickle format needs cloudpickle.", hint='pip install "modelwright[pickle]"'
            )
        import cloudpickle

        try:
            content = cloudpickle.dumps(model, protocol=PROTOCOL)
        except Exception as error:  # pickling calls the __getstate__ and __reduce__ of foreign objects
            raise SerialisationError(
                f"This {type(model).__qualname__} cannot be pickled, not even by value.",
                why=str(error),
                hint="Remove the part that holds a file, lock, socket or generator, or leave it out in __getstate__.",
            ) from error
        (artifacts / cloudpickle_loader.ARTIFACT).write_bytes(content)
        return Saved()


FORMAT = CloudpickleFormat()
