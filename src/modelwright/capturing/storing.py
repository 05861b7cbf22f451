"""Store a live model in the best format that holds it, and say which one and why.

Called by capture. A format without code execution is preferred; when it cannot hold the model, the next one that
claims it is used and the reason is kept, so that nobody is surprised.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from modelwright.capturing.formats import Format, Saved, format_named, is_self_contained, ranked
from modelwright.capturing.opening import Given
from modelwright.errors import SerialisationError
from modelwright.spec.manifest import Storage

SHOWN_TYPES = 5


class Stored(NamedTuple):
    """How a model was stored.

    Attributes:
        storage: Its entry in the manifest.
        formats: Its format, and those of its parts.
        note: Why a better format was passed over; empty if none was.
    """

    storage: Storage
    formats: tuple[Format, ...]
    note: str = ""

    @property
    def loaders(self) -> tuple[Path, ...]:
        """The loaders that travel with the package."""
        return tuple(dict.fromkeys(form.loader for form in self.formats))

    @property
    def distributions(self) -> tuple[str, ...]:
        """What the loaders import."""
        return tuple(sorted({name for form in self.formats for name in form.distributions}))

    @property
    def portable(self) -> bool:
        """Whether all of it is the same on every interpreter."""
        return all(form.portable for form in self.formats)


def store(
    given: Given,
    artifacts: Path,
    *,
    package: str,
    methods: tuple[str, ...],
    choice: str | Format | None = None,
    trust: Collection[str] = (),
) -> Stored:
    """Write the artifacts of a model into an empty folder.

    Args:
        given: The live model, its own code importable below ``package``.
        artifacts: The folder.
        package: Import name of the package.
        methods: Methods that the model answers.
        choice: Name of the format to use; by default the best that claims the model and can hold it without types
            that the reader would have to vouch for.
        trust: Types the caller vouches for although they are not in a format's reviewed list.

    Raises:
        SerialisationError: No format can hold the model.
        UnknownPluginError: There is no such format.
        MissingExtraError: The format's library is not installed.
    """
    if given.parts:
        return _store_composed(given, artifacts, package=package, methods=methods, trust=trust)
    candidates = _candidates(given, choice)
    notes = [given.note] if given.note else []
    for position, candidate in enumerate(candidates):
        last = position == len(candidates) - 1
        try:
            saved = candidate.save(given.stored, artifacts, package=package)
        except SerialisationError as error:
            if last:
                raise
            notes.append(f"{candidate.name} cannot hold it: {error.why or error.what}")
        else:
            strangers = sorted(set(saved.types) - set(trust))
            if not strangers or last or choice:
                return Stored(_storage(given.native, candidate, saved, methods), (candidate,), "; ".join(notes))
            notes.append(f"{candidate.name} does not know {_listed(strangers)}")
        _empty(artifacts)
    raise AssertionError("the last candidate returns or raises")


def _store_composed(
    given: Given, artifacts: Path, *, package: str, methods: tuple[str, ...], trust: Collection[str]
) -> Stored:
    """Store the code in the python format, and each part in a folder of its own in the format that suits it."""
    glue = format_named("python")
    said: dict[str, dict[str, Any]] = {}
    parts: list[Stored] = []
    for name, part in given.parts.items():
        folder = artifacts / name
        folder.mkdir()
        if isinstance(part, Path):
            said[name] = {"file": _copied(part, folder)}
            continue
        stored = store(part, folder, package=package, methods=(), trust=trust)
        parts.append(stored)
        said[name] = {"format": stored.storage.format, "loader": stored.storage.loader}
        said[name] |= {"options": stored.storage.options} if stored.storage.options else {}
    saved = glue.save(given.native, artifacts, package=package)
    storage = msgspec.structs.replace(
        _storage(given.native, glue, saved, methods),
        executes_code=any(part.storage.executes_code for part in parts),
        types=tuple(sorted({kind for part in parts for kind in part.storage.types})),
        options=saved.options | {"models": said},
    )
    notes = [f"{name}: {part['format']}" for name, part in said.items() if "format" in part]
    return Stored(storage, (glue, *(form for part in parts for form in part.formats)), ", ".join(notes))


def _copied(source: Path, folder: Path) -> str:
    """Copy a file or folder into a folder; return its name there."""
    name = source.resolve().name
    if source.is_dir():
        shutil.copytree(source, folder / name)
    else:
        shutil.copyfile(source, folder / name)
    return name


def _candidates(given: Given, choice: str | Format | None) -> list[Format]:
    """Return the formats to try: those for which the right code was collected.

    What answers through its format can be stored by no other.
    """
    if (fixed := choice or given.format) is not None:
        return [format_named(fixed)]
    found = ranked(given.native)
    return [form for form in found if is_self_contained(form) == is_self_contained(found[0])]


def _storage(model: Any, form: Format, saved: Saved, methods: tuple[str, ...]) -> Storage:
    kind = model if hasattr(model, "__qualname__") else type(model)
    name = f"{getattr(kind, '__module__', '')}.{kind.__qualname__}".strip(".")
    return Storage(
        format=form.name,
        loader=form.loader.stem,
        model_type=model.__name__ if isinstance(model, ModuleType) else name,
        methods=methods,
        executes_code=form.executes_code,
        types=tuple(sorted(saved.types)),
        options=saved.options,
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_TYPES} more" if len(names) > SHOWN_TYPES else ""
    return ", ".join(names[:SHOWN_TYPES]) + more


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
