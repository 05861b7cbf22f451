"""Choose where files lie, as the settings say.

Called by whoever opens a registry.
"""

from __future__ import annotations

from pathlib import Path

from modelwright.errors import UnavailableError
from modelwright.registry.settings import Settings
from modelwright.registry.storing.folder import FolderStore, make_folder
from modelwright.registry.storing.objects import open_objects
from modelwright.registry.storing.store import Store


def open_store(settings: Settings, root: Path) -> Store:
    """Return the store that the settings choose.

    Args:
        settings: What the registry is configured to be; ``files`` counts.
        root: Folder of the registry.

    Raises:
        SettingsError: Not the URL of an object store, or what the environment says of it cannot be used.
        UnavailableError: The folder cannot be used.
    """
    if "://" in settings.files:
        return open_objects(settings.files)
    folder = root / settings.files
    try:
        make_folder(folder)
    except OSError as error:
        raise UnavailableError(
            "The folder for files cannot be made.", where=str(folder), why=error.strerror or str(error)
        ) from error
    store = FolderStore(folder)
    store.sweep()
    return store
