"""The joblib format: any object that pickle can store, arrays beside the pickle stream, uncompressed.

For: capture, when skops cannot store a model or the user asks for it. Loading runs code by design; the manifest and
the card say so.

The same model gives the same bytes, as far as a pickle can: sets are written in sorted order, equal strings as one,
and the padding of structured arrays as zero. What remains: sets inside object arrays, which joblib hands to the plain
pickler, and objects whose own ``__reduce__`` answers differently.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from modelwright.adapters.loaders import joblib_loader
from modelwright.capturing.formats import Saved
from modelwright.capturing.unpicklable import culprit
from modelwright.errors import MissingExtraError, SerialisationError

PROTOCOL = 5
"""Pickle protocol. Source: PEP 574; every supported interpreter reads it."""


class JoblibFormat:
    """joblib files; see :class:`modelwright.capturing.formats.Format`."""

    name = "joblib"
    loader = Path(joblib_loader.__file__)
    distributions = ("joblib",)
    executes_code = True
    portable = False

    def claims(self, model: object) -> int:
        """Claim any object that has ``predict``; functions, classes and modules are code, not objects.

        An object is asked, not its class: the results of statsmodels pass ``predict`` on to what they wrap.
        """
        return 20 if not isinstance(model, type | ModuleType) and callable(getattr(model, "predict", None)) else 0

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.joblib``.

        Raises:
            SerialisationError: A part of the model cannot be pickled; the part is named.
            MissingExtraError: joblib is not installed.
        """
        try:
            from modelwright.adapters.formats.steady_pickler import dump
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "The joblib format needs joblib.", hint='pip install "modelwright[pickle]"'
            ) from error
        with (artifacts / joblib_loader.ARTIFACT).open("wb") as stream:
            _write(dump, model, stream)
        return Saved()

    def read(self, stream: BinaryIO) -> object:
        """Load a file that joblib once wrote, from a stream; it runs whatever the file says."""
        import joblib

        return joblib.load(stream)


def _write(dump: Any, model: object, stream: BinaryIO) -> None:
    try:
        dump(model, stream, protocol=PROTOCOL)
    except Exception as error:  # pickling calls the __getstate__ and __reduce__ of foreign objects
        part = culprit(model)
        raise SerialisationError(
            f"{part} and cannot be saved." if part else f"This {type(model).__qualname__} cannot be pickled.",
            why=part.reason if part else str(error),
            hint="Remove it before capture, or leave it out in __getstate__.",
        ) from error


FORMAT = JoblibFormat()
