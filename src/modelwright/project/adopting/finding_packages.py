"""Find import packages the way setuptools does, on a list of files instead of a disk.

Called for ``find_packages()`` in setup.py, ``find:`` in setup.cfg and pyproject.toml, and for flat layouts.
Source: setuptools documentation, "Package Discovery"; ``setuptools.discovery`` (which names stay outside).
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from modelwright.project.adopting.tree import Tree, parents


def find_packages(
    tree: Tree,
    where: str = ".",
    exclude: Iterable[str] = (),
    include: Iterable[str] = ("*",),
    *,
    namespaces: bool = False,
) -> list[str]:
    """Return the dotted names of the packages below a folder, sorted.

    Args:
        tree: The project.
        where: The folder, relative to the root.
        exclude: Patterns of names that stay outside (``tests.*``).
        include: Patterns of names that are taken.
        namespaces: Whether a folder without ``__init__.py`` is a package too.
    """
    prefix = "" if str(where) in ("", ".") else f"{str(where).strip('/')}/"
    folders = {folder for file in tree.below(prefix.rstrip("/")) for folder in parents(file)}
    names = []
    for folder in sorted(folders):
        if not folder.startswith(prefix) or folder == prefix.rstrip("/"):
            continue
        parts = folder[len(prefix) :].split("/")
        levels = ["/".join([*filter(None, [prefix.rstrip("/")]), *parts[: n + 1]]) for n in range(len(parts))]
        if all(part.isidentifier() for part in parts) and (
            namespaces or all(f"{level}/__init__.py" in tree.known for level in levels)
        ):
            names.append(".".join(parts))
    return [name for name in names if _any(name, include) and not _any(name, exclude)]


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
