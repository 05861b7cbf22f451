"""Look at the installed distributions: which one owns a module, what it requires, where it came from.

Called by dependencies. It reads metadata of this interpreter's environment and imports nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version


class Installed(NamedTuple):
    """One installed distribution.

    Attributes:
        name: PEP 503 normalised.
        version: Without a local part, which few indexes serve.
        requires: Its own requirements.
        extras: Extras that it offers.
        origin: Where it was installed from if that is not an index (PEP 610); empty otherwise.
        build: The version with its local part, which tells builds of one release apart (``2.13.0+cpu``).
    """

    name: NormalizedName
    version: str
    requires: tuple[Requirement, ...]
    extras: tuple[str, ...]
    origin: str
    build: str


@cache
def installed(name: str) -> Installed | None:
    """Return an installed distribution; ``None`` if there is none of that name.

    Example:
        >>> installed("NumPy").name
        'numpy'
    """
    try:
        found = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None
    return Installed(
        canonicalize_name(name),
        Version(found.version).public,
        tuple(_requirements(found.requires or ())),
        tuple(found.metadata.get_all("Provides-Extra") or ()),
        _origin(found),
        str(Version(found.version)),
    )


def _requirements(lines: list[str] | tuple[str, ...]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line)
        except InvalidRequirement:  # metadata from before PEP 508: installers skip such a line too
            continue


def _origin(found: metadata.Distribution) -> str:
    text = found.read_text("direct_url.json")
    return str(json.loads(text).get("url", "")) if text else ""


@cache
def _owners() -> dict[str, set[NormalizedName]]:
    """Map top-level modules to distributions, read from RECORD files.

    ``importlib.metadata.packages_distributions`` does the same at twenty times the cost: it parses every file name.
    """
    owners: dict[str, set[NormalizedName]] = {}
    for folder in dict.fromkeys(sys.path):
        for info in sorted(Path(folder or ".").glob("*.dist-info")):
            name = canonicalize_name(info.name.partition("-")[0])
            for top in _top_levels(info):
                owners.setdefault(top, set()).add(name)
    return owners


def _top_levels(info: Path) -> set[str]:
    try:
        text = (info / "RECORD").read_text("utf-8")
    except OSError:  # a distribution without one cannot be looked into
        return set()
    firsts = {line.split(",", 1)[0].split("/", 1)[0] for line in text.splitlines()}
    return {
        first.split(".", 1)[0] for first in firsts if not first.endswith((".dist-info", ".pth", ".data"))
    } - _NO_MODULES


_NO_MODULES = {"", "__pycache__"}


def warm() -> None:
    """Read which distribution owns which module, once; worth doing while something else is awaited."""
    _owners()


def owner(module: str, file: str = "") -> NormalizedName | None:
    """Return the distribution that a module belongs to; ``None`` if no installed one has it.

    Args:
        module: Dotted name.
        file: The module's file; decides where several distributions share a namespace.

    Example:
        >>> owner("sklearn.base"), owner("no_such_module")
        ('scikit-learn', None)
    """
    names = sorted(_owners().get(module.partition(".")[0], ()))
    if len(names) > 1:
        names = [n for n in names if _has(n, module, file)] or names
    return names[0] if names else None


def modules_outside(distributions: Iterable[str]) -> frozenset[str]:
    """Return the top-level modules of every installed distribution that is none of these.

    Example:
        >>> outside = modules_outside(["numpy"])
        >>> "numpy" in outside, "sklearn" in outside
        (False, True)
    """
    inside = set(distributions)
    return frozenset(top for top, names in _owners().items() if not inside & names)


def _has(name: str, module: str, file: str) -> bool:
    path = module.replace(".", "/")
    listed = _files(name)
    return (bool(file) and Path(file).as_posix() in listed) or any(f"{path}{end}" in listed for end in _ENDINGS)


_ENDINGS = (".py", "/__init__.py")


@cache
def _files(name: str) -> frozenset[str]:
    found = metadata.distribution(name)
    listed = found.files or ()
    return frozenset(str(f) for f in listed) | frozenset(Path(str(found.locate_file(f))).as_posix() for f in listed)


def required(name: str, extras: frozenset[str] = frozenset()) -> frozenset[NormalizedName]:
    """Return the installed distributions that one requires here, directly, with these extras."""
    found = installed(name)
    return frozenset(_active(found, extras)) if found else frozenset()


def _active(found: Installed, extras: frozenset[str]) -> Iterator[NormalizedName]:
    for requirement in found.requires:
        environments = [{"extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(requirement.marker.evaluate(env) for env in environments):
            yield canonicalize_name(requirement.name)


def reachable(name: str, extras: frozenset[str] = frozenset()) -> frozenset[NormalizedName]:
    """Return all installed distributions that come with one, itself included.

    Example:
        >>> "numpy" in reachable("scikit-learn"), "pytest" in reachable("scikit-learn")
        (True, False)
    """
    found: set[NormalizedName] = set()
    waiting: list[tuple[str, frozenset[str]]] = [(name, extras)]
    while waiting:
        current, with_extras = waiting.pop()
        known = installed(current)
        if known is None or (known.name in found and not with_extras):
            continue
        found.add(known.name)
        waiting += [(n, _asked_extras(known, n)) for n in _active(known, with_extras) if n not in found]
    return frozenset(found)


def _asked_extras(known: Installed, name: str) -> frozenset[str]:
    return frozenset(e for r in known.requires if canonicalize_name(r.name) == name for e in r.extras)


def extra_with(importer: str, name: str) -> str:
    """Return the extra of ``importer`` that requires ``name`` and least else; empty if it offers none.

    Example:
        >>> extra_with("pandas", "pyarrow"), extra_with("numpy", "pyarrow")
        ('pyarrow', '')
    """
    found = installed(importer)
    if found is None:
        return ""
    base = required(importer)
    offers = {extra: required(importer, frozenset({extra})) - base for extra in found.extras}
    fitting = sorted((len(names), extra != name, extra) for extra, names in offers.items() if name in names)
    return fitting[0][2] if fitting else ""
