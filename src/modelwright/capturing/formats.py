"""What a format plug-in is, and how one is chosen for a model.

A format has two halves. The saving half is a :class:`Format`, found by entry point in the group
``modelwright.formats``. The loading half is one file (or a folder of modules that import each other), standard library
plus the format's own library imported when called, that capture copies beside the runtime; it has two functions:

``audit(artifacts: Path, options: dict, package: str) -> list[str]``
    Look without loading: the names of types in the artifact that are neither in the loader's reviewed list nor
    below ``package`` (the import package, whose code the consumer imports anyway). Empty for formats that cannot tell.

``load(artifacts: Path, options: dict, package: str, trusted: list[str]) -> object``
    Construct the model. Called only after digests and audit have passed; ``trusted`` is what audit named and the
    consumer vouched for.

A format may know more, and then has more methods: one whose models do not answer rows by themselves (a graph, a bare
network) is :class:`Answers`, one that opens the files of its library is :class:`Opens`.

Called by capture; the contract suite every format inherits is :mod:`modelwright.testing`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

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


class Adapted(NamedTuple):
    """A model that answers rows, and rows as it takes them.

    Attributes:
        model: Has ``predict``; may have ``predict_proba``, ``classes_`` and what else capture asks a model for. The
            loader gives one that answers the same.
        sample: The sample that was given, in the types that the model declares.
        code: What a self-contained format refers to by name after all: the user's own layers, the module of the
            library that a model runs on. The package's code and requirements are collected for it.
        fields: Per input, what the model declares beyond what a sample shows (``{"ids": {"shape": [-1]}}``).
        outputs: The same per output.
    """

    model: Any
    sample: Any
    code: tuple[Any, ...] = ()
    fields: Mapping[str, Mapping[str, Any]] = {}
    outputs: Mapping[str, Mapping[str, Any]] = {}


class FileReport(Frozen, frozen=True, kw_only=True):
    """What a file is by its content, before anything in it is constructed.

    Attributes:
        kind: What it is, for people (``XGBoost model in UBJSON``).
        versions: Versions of distributions that the file says it was written with, by name.
        requires: Distributions that open it.
        extra: The extra of modelwright that installs them; empty: it is called like the format.
        note: What a person should know; empty if nothing.
    """

    kind: str
    versions: dict[str, str] = {}
    requires: tuple[str, ...] = ()
    extra: str = ""
    note: str = ""


@runtime_checkable
class Format(Protocol):
    """The saving half of a format.

    Attributes:
        name: The registered name (``skops``).
        loader: The file or folder of the loading half; copied into every package that uses the format.
        distributions: Distributions that the loader imports, beside the model's own (``skops``).
        executes_code: Whether loading can run code that the artifact itself contains.
        portable: Whether the artifact is the same on every interpreter (decides the wheel's tag).

    A format may also say ``self_contained = True``: artifact and loader need nothing that the live model refers to by
    name, so neither its code is brought along nor the libraries required that it was trained with.
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


@runtime_checkable
class Answers(Protocol):
    """A format whose models do not answer rows by themselves: what it adds is what the loader will give."""

    def answering(self, model: object, sample: Any) -> Adapted:
        """Return what answers rows for a model; ``save`` is given that instead of the model.

        Args:
            model: A live model that this format claims.
            sample: The rows that the user gave, in any container that capture takes; ``None`` for a part of a composed
                model, whose rows are made by the code around it.

        Raises:
            ModelMismatchError: The rows are not what the model declares to take.
            SerialisationError: The model cannot answer here (another device, operations that are not there).
        """
        ...


@runtime_checkable
class Opens(Protocol):
    """A format that opens files or folders which its library wrote."""

    def examine(self, path: Path) -> FileReport | None:
        """Say what a file or folder is, by its content; ``None`` if it is none of this format's.

        Nothing in it is constructed or executed, and the format's library is not imported.

        Raises:
            UnsafeFileError: It is of this format, and opening it would run code or read elsewhere.
            LoaderError: It is of this format, and cut off or damaged.
        """
        ...

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the live model in a file that ``examine`` knows.

        Args:
            path: The file or folder.
            trust: What the caller vouches for, ``"file"`` for all of it.

        Raises:
            UnsafeFileError: Opening it would run code, and nobody vouched for it.
            LoaderError: The library fails to load it.
        """
        ...


class Examined(NamedTuple):
    """A file that a format knows."""

    format: Format
    report: FileReport


def format_named(name: str | Format) -> Format:
    """Return the format registered under a name; a format itself is given back.

    Raises:
        UnknownPluginError: No such format.
        MissingExtraError: Its library is not installed.
    """
    found: Format = find(GROUP, name) if isinstance(name, str) else name
    return found


def is_self_contained(form: Format | None) -> bool:
    """Say whether what a format writes needs nothing that the live model refers to by name."""
    return bool(getattr(form, "self_contained", False))


def ranked(model: object) -> list[Format]:
    """Return the formats that claim a model, best first.

    Raises:
        SerialisationError: None claims it, or the best claim is made twice.
    """
    found = claiming(model)
    if not found:
        raise SerialisationError(
            f"No format knows how to save a {type(model).__qualname__}.",
            hint=f"Available: {', '.join(available(GROUP))}. Choose one with format=….",
        )
    return found


def claiming(model: object) -> list[Format]:
    """Return the formats that claim a model, best first; there may be none.

    Raises:
        SerialisationError: The best claim is made twice.
    """
    formats = [format_named(name) for name in available(GROUP)]
    claims = sorted(((form.claims(model), form) for form in formats), key=lambda pair: -pair[0])
    equal = [form.name for claim, form in claims if claim == claims[0][0] > 0]
    if len(equal) > 1:
        raise SerialisationError(
            f"The formats {' and '.join(equal)} both claim a {type(model).__qualname__}.",
            hint=f"Choose one: format={equal[0]!r}.",
        )
    return [form for claim, form in claims if claim > 0]


def examined(path: Path) -> list[Examined]:
    """Return the formats that know a file or folder, with what they say of it.

    Raises:
        UnsafeFileError: Opening it would run code or read elsewhere.
        LoaderError: It is cut off or damaged.
    """
    found = []
    for name in available(GROUP):
        form = format_named(name)
        if isinstance(form, Opens) and (report := form.examine(path)) is not None:
            found.append(Examined(form, report))
    return found
