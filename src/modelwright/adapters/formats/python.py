"""The python format: the code in the package is the model, there is no artifact.

For: capture, with a function, a class with ``predict`` (made without arguments), or a module with ``predict``.
It does not collect the code: :mod:`modelwright.capturing.code` has brought it into the package before ``save``.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from types import FunctionType, ModuleType

from modelwright.capturing.formats import Saved
from modelwright.errors import SerialisationError


class PythonFormat:
    """Code as a model; see :class:`modelwright.capturing.formats.Format`."""

    name = "python"
    loader = Path(__file__).parent.parent / "loaders" / "python_loader.py"
    distributions: tuple[str, ...] = ()
    executes_code = False
    portable = True

    def claims(self, model: object) -> int:
        """Claim functions, classes and modules; an object with state is for the other formats.

        Example:
            >>> PythonFormat().claims(lambda rows: rows), PythonFormat().claims(object())
            (80, 0)
        """
        return 80 if isinstance(model, FunctionType | ModuleType) or inspect.isclass(model) else 0

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write nothing; tell the loader where in the package the entry is.

        Raises:
            SerialisationError: The entry is not in the package, or has no ``predict``.
        """
        if isinstance(model, ModuleType):
            module, attribute, what = model.__name__, "", f"The module {model.__name__}"
        elif isinstance(model, FunctionType) or inspect.isclass(model):
            module, attribute, what = model.__module__, model.__qualname__, f"{model.__qualname__}"
        else:
            raise SerialisationError(
                f"A {type(model).__qualname__} has state; the python format stores none.",
                hint="Choose format='joblib', or give the function, class or module itself.",
            )
        if not isinstance(model, FunctionType) and not callable(getattr(model, "predict", None)):
            raise SerialisationError(f"{what} has no predict.", hint="Define 'def predict(rows): …'.")
        if not module.startswith(f"{package}."):
            raise SerialisationError(
                f"{what} is not part of the package {package!r}.",
                why=f"It lives in {module!r}; the python format stores nothing but the package's own code.",
                hint="Collect its code first (modelwright.capture does).",
            )
        return Saved(options={"module": module} | ({"attribute": attribute} if attribute else {}))


FORMAT = PythonFormat()
