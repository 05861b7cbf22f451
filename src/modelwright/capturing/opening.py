"""Open whatever was given as a model: an object, a function, a class, a module, or the path of a saved one.

Called by capture. What a file is decides its content, never its name: the formats are asked one after the other. It
does not decide whether a saved pickle may be opened: :mod:`modelwright.capturing.saved` does.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from modelwright.capturing.composing import check_names, compose, is_plain_file
from modelwright.capturing.distributions import installed, required
from modelwright.capturing.formats import (
    Answers,
    Examined,
    FileReport,
    Format,
    Opens,
    claiming,
    examined,
    format_named,
    is_self_contained,
)
from modelwright.capturing.saved import import_file, open_saved
from modelwright.capturing.signature import Overrides
from modelwright.errors import LoaderError, MissingExtraError, ModelMismatchError, PinError, SerialisationError


class Given(NamedTuple):
    """A model in all of its shapes.

    Attributes:
        native: The object itself, or the function, class or module whose code is the model.
        asked: What is asked: the same, but an instance instead of a class, and what a format makes of a model that
            does not answer rows by itself.
        sample: The rows, in the types that the model declares.
        format: The format that makes it answer, and must store it; ``None``: it answers by itself.
        code: What the package's code is collected for: the model and its parts; for those whose formats are
            self-contained, what these say.
        parts: The named parts of a composed model; a path is a file or folder that travels as it is.
        fields: Per input, what the model declares beyond what a sample shows.
        outputs: The same per output.
        note: Why formats that claim it more cannot make it answer; empty if none does.
    """

    native: Any
    asked: Any
    sample: Any
    format: Format | None = None
    code: tuple[Any, ...] = ()
    parts: Mapping[str, Given | Path] = {}
    fields: Overrides = {}
    outputs: Mapping[str, Mapping[str, Any]] = {}
    note: str = ""

    @property
    def live(self) -> Any:
        """The model as its library has it: the object itself, an instance where a class was given."""
        return self.asked if self.format is None else self.native

    @property
    def stored(self) -> Any:
        """What is stored: the model itself, or what its format made of it."""
        return self.native if self.format is None else self.asked


def open_composed(glue: Any, models: Mapping[str, Any], *, sample: Any, trust: Sequence[str]) -> Given:
    """Return code with its named parts.

    Args:
        glue: A function ``predict(rows, models)``, a class made with ``models``, a module, or a ``.py`` file.
        models: Per name a live model, the path of a saved one, or of any other file or folder.
        sample: The rows that the user gave.
        trust: What the caller vouches for in saved files.

    Raises:
        ModelwrightError: See :func:`open_model`; of :mod:`modelwright.capturing.composing` what its functions raise.
    """
    check_names(models)
    parts = {name: _open_part(part, trust=trust) for name, part in models.items()}
    if isinstance(glue, str | Path):
        glue = import_file(glue)
    given = {name: part if isinstance(part, Path) else part.asked for name, part in parts.items()}
    code = (glue, *(each for part in parts.values() if isinstance(part, Given) for each in part.code))
    return Given(glue, compose(glue, given), sample, code=code, parts=parts)


def _open_part(part: Any, *, trust: Sequence[str]) -> Given | Path:
    if is_plain_file(part, is_model=lambda path: look_at(path) is not None):
        return Path(part)
    return open_model(part, sample=None, choice=None, trust=trust)


def open_model(model: Any, *, sample: Any, choice: str | Format | None, trust: Sequence[str]) -> Given:
    """Return a model, opened if it is the path of a file.

    Args:
        model: A live model, or the path of a saved one or of a ``.py`` file.
        sample: The rows that the user gave; ``None`` for a part of a composed model.
        choice: The format that the user chose; ``None``: the best that claims the model.
        trust: What the caller vouches for in a saved file.

    Raises:
        UnsafeFileError: The file would run code, and nobody vouched for it.
        PinError: It was saved by another version of a library.
        MissingExtraError: The library that opens it is not installed.
        LoaderError: It is no saved model.
        SourceError: The ``.py`` file cannot be imported.
        SerialisationError: Two formats claim it equally, or none that claims it can make it answer.
        ModelMismatchError: The class cannot be made without arguments, or model and sample do not go together.
    """
    found: Examined | None = None
    if isinstance(model, str | Path):
        path = Path(model)
        found = None if path.suffix == ".py" and path.is_file() else look_at(path)
        model = import_file(path) if path.suffix == ".py" and path.is_file() else open_file(path, found, trust=trust)
    forms = [format_named(choice)] if choice else (claiming(model) or ([found.format] if found else []))
    answering = [*takewhile(lambda form: isinstance(form, Answers), forms)]
    if answering:
        return _answered(model, sample, answering)
    return Given(model, _instance(model), sample, code=() if forms and is_self_contained(forms[0]) else (model,))


def _answered(model: Any, sample: Any, forms: Sequence[Format]) -> Given:
    """Return a model that the first format makes answer which can, and why the ones before it cannot."""
    notes: list[str] = []
    for form in forms:
        if not isinstance(form, Answers):
            raise AssertionError("only formats that make models answer are asked to")
        try:
            adapted = form.answering(model, sample)
        except SerialisationError as error:
            if len(forms) == 1:
                raise
            notes.append(f"{form.name} cannot hold it: {error.why or error.what}")
            refusal = error
        else:
            return Given(
                model,
                adapted.model,
                adapted.sample,
                form,
                code=adapted.code if is_self_contained(form) else (model,),
                fields=adapted.fields,
                outputs=adapted.outputs,
                note="; ".join(notes),
            )
    raise SerialisationError(refusal.what, why="; ".join(notes), hint=refusal.hint) from refusal


def declared(model: Overrides, user: Overrides | None) -> dict[str, Any]:
    """Return what model and user declare per field or output; the user knows better.

    Example:
        >>> declared({"ids": {"shape": [-1]}}, {"ids": {"unit": "tokens"}, "age": {"unit": "years"}})
        {'ids': {'shape': [-1], 'unit': 'tokens'}, 'age': {'unit': 'years'}}
    """
    joined: dict[str, Any] = dict(model)
    for name, said in (user or {}).items():
        known = joined.get(name)
        joined[name] = {**known, **said} if isinstance(known, Mapping) and isinstance(said, Mapping) else said
    return joined


def look_at(path: Path) -> Examined | None:
    """Return the format that knows a file or folder, and what it says of it; ``None``: perhaps a pickle.

    Raises:
        LoaderError: There is nothing, or two formats know it.
        UnsafeFileError: Opening it would run code or read elsewhere.
    """
    if not path.exists():
        raise LoaderError("The saved model cannot be opened.", where=str(path), why="There is no such file or folder.")
    known = examined(path)
    if len(known) > 1:
        names = " and ".join(each.format.name for each in known)
        raise LoaderError(f"The formats {names} both know this file.", where=str(path), hint="Load it yourself first.")
    return known[0] if known else None


def open_file(path: Path, found: Examined | None, *, trust: Sequence[str]) -> Any:
    """Return the live model in a file, through the format that knows it, or as a pickle.

    Raises:
        ModelwrightError: See :func:`open_model`.
    """
    if found is None:
        if path.is_dir():
            raise LoaderError(
                "The folder is no saved model that a format knows.",
                where=str(path),
                hint="Give a SavedModel folder, a folder of a transformers model, or a file.",
            )
        return open_saved(path, trust=trust)
    check_installed(found.report, extra=found.report.extra or found.format.name, where=str(path))
    if not isinstance(found.format, Opens):
        raise AssertionError("whoever examines a file opens it")
    return found.format.open(path, trust=trust)


def check_installed(report: FileReport, *, extra: str, where: str) -> None:
    """Check that what opens a file is here, in the version that wrote it.

    Raises:
        MissingExtraError: It is not installed; one line installs it.
        PinError: Another version wrote it.
    """
    exact = {name: f"{name}=={version}" for name, version in report.versions.items()}
    missing = [name for name in dict.fromkeys((*report.requires, *exact)) if installed(name) is None]
    if missing:
        brought = required("modelwright", frozenset({extra}))
        more = (exact.get(name, name) for name in missing if name in exact or name not in brought)
        wanted = " ".join([f'"modelwright[{extra}]"', *more])
        raise MissingExtraError(
            f"This is a {report.kind}; opening it needs {', '.join(missing)}: not installed.",
            where=where,
            hint=f"pip install {wanted}",
        )
    for name, version in report.versions.items():
        here = installed(name)
        if here is not None and here.version != version:
            raise PinError(
                f"The model was saved by {name} {version}; {here.version} is installed.",
                where=where,
                why="Another version may load it and give other answers without a word.",
                hint=f"pip install {name}=={version}",
            )


def _instance(model: Any) -> Any:
    if not inspect.isclass(model):
        return model
    try:
        return model()
    except Exception as error:  # the constructor of the user may raise anything
        raise ModelMismatchError(
            f"The class {model.__qualname__} cannot be made without arguments.",
            why=f"{type(error).__name__}: {error}",
            hint=f"Give an instance instead: capture({model.__qualname__}(…), …).",
        ) from error
