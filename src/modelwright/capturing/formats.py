"""What a format plug-in is, and how one is chosen for a model.

A format has two halves. The saving half is a :class:`Format`, found by entry point in the group
``modelwright.formats``. The loading half is one file, standard library plus the format's own library imported when
called, that capture copies beside the runtime; it has two functions:

``audit(artifacts: Path, options: dict, package: str) -> list[str]``
    Look without loading: the names of types in the artifact that are neither in the loader's reviewed list nor
    below ``package`` (the import package, whose code the consumer imports anyway). Empty for formats that cannot tell.

``load(artifacts: Path, options: dict, package: str, trusted: list[str]) -> object``
    Construct the model. Called only after digests and audit have passed; ``trusted`` is what audit named and the
    consumer vouched for.

Called by capture; the contract suite every format inherits is :mod:`modelwright.testing`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from modelwright.errors import SerialisationError
from modelwright.plugins import available, find
from modelwright.spec.struct import Frozen

GROUP = "modelwright.formats"


class Saved(Frozen, frozen=True, kw_only=True):
    """What saving a model gave, beside the files.

    Attributes:
        options: What the loader needs to know; ends in ``manifest.storage.options``.
        types: Types in the artifact that the loader's audit would name.
    """

    options: dict[str, Any] = {}
    types: tuple[str, ...] = ()


@runtime_checkable
class Format(Protocol):
    """The saving half of a format.

    Attributes:
        name: The registered name (``skops``).
        loader: The file of the loading half; copied into every package that uses the format.
        distributions: Distributions that the loader imports, beside the model's own (``skops``).
        executes_code: Whether loading can run code that the artifact itself contains.
        portable: Whether the artifact is the same on every interpreter (decides the wheel's tag).
    """

    name: str
    loader: Path
    distributions: tuple[str, ...]
    executes_code: bool
    portable: bool

    def claims(self, model: object) -> int:
        """Say how well this format suits a model: 0 not at all, higher is better; nothing is imported to decide.

        By convention 10 is "any object", 50 "this library's objects", 90 "this library's objects, without code
        execution". The highest claim wins; two equal claims are an error that names both.
        """
        ...

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write the model into an empty folder; the same model gives the same bytes.

        Args:
            model: The live model; its own code is already importable below ``package``.
            artifacts: The folder to write into.
            package: Import name of the package that is being captured.

        Raises:
            SerialisationError: The model cannot be saved; the message names the part in the way.
        """
        ...


def format_named(name: str) -> Format:
    """Return the format registered under a name.

    Raises:
        UnknownPluginError: No such format.
        MissingExtraError: Its library is not installed.
    """
    found: Format = find(GROUP, name)
    return found


def ranked(model: object) -> list[Format]:
    """Return the formats that claim a model, best first.

    Raises:
        SerialisationError: None claims it, or the best claim is made twice.
    """
    formats = [format_named(name) for name in available(GROUP)]
    claims = sorted(((form.claims(model), form) for form in formats), key=lambda pair: -pair[0])
    claims = [(claim, form) for claim, form in claims if claim > 0]
    if not claims:
        raise SerialisationError(
            f"No format knows how to save a {type(model).__qualname__}.",
            hint=f"Available: {', '.join(available(GROUP))}. Choose one with format=….",
        )
    best = [form.name for claim, form in claims if claim == claims[0][0]]
    if len(best) > 1:
        raise SerialisationError(
            f"The formats {' and '.join(best)} both claim a {type(model).__qualname__}.",
            hint=f"Choose one: format={best[0]!r}.",
        )
    return [form for _, form in claims]
