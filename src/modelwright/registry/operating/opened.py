"""Open stored wheels as packages to look at; nothing in them is executed.

Called by the verbs that need more of a release than the database knows: its card, its manifest, the files to diff.
"""

from __future__ import annotations

from modelwright.errors import PackageError
from modelwright.package import Package, open_wheel
from modelwright.registry.projects import Release, StoredFile
from modelwright.registry.storing.store import Key, Store


def open_stored(store: Store, file: StoredFile) -> Package:
    """Open a stored wheel with a model in it.

    Raises:
        UnknownReleaseError: The file is not there.
        PackageError: It is no model package.
    """
    key = Key(file.sha256, file.filename)
    path = store.path(key)
    if path is not None:
        return open_wheel(path, sha256=file.sha256)
    return open_wheel(store.open(key), where=file.filename, sha256=file.sha256)


def first_wheel(release: Release) -> StoredFile | None:
    """Return the first wheel of a release; ``None``: it has only an sdist."""
    return next(iter(release.wheels), None)


def card_of(store: Store, release: Release) -> str:
    """Return the card of a release, Markdown; empty if it has none."""
    file = first_wheel(release)
    if file is None:
        return ""
    try:
        return open_stored(store, file).card
    except PackageError:
        return ""
