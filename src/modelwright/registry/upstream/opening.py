"""Open the upstream of a registry: its files and pages lie in the registry's private folder.

Called by the application when it starts. They are a cache: removing the folder loses nothing but time.
"""

from __future__ import annotations

import time
from pathlib import Path

from modelwright.errors import UnavailableError
from modelwright.registry.settings import PRIVATE, Settings
from modelwright.registry.storing.folder import FolderStore
from modelwright.registry.upstream.upstream import INCOMING, PARTIAL, Upstream

FOLDER = "upstream"
ABANDONED_S = 3600.0
"""How long nobody must have written to a file on its way here for it to be thrown away, seconds."""


def open_upstream(settings: Settings, root: Path) -> Upstream | None:
    """Return the upstream that a registry is configured for; ``None``: there is none.

    What a process that died was fetching is thrown away, once nobody wrote to it for an hour.

    Args:
        settings: The registry's settings.
        root: The registry's folder.

    Raises:
        SettingsError: The upstream's address cannot be asked, or carries credentials.
        UnavailableError: The folder cannot be written.
    """
    if settings.upstream is None:
        return None
    folder = root / PRIVATE / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for partial in (folder / INCOMING).glob(f"*{PARTIAL}"):
            if time.time() - partial.stat().st_mtime > ABANDONED_S:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise UnavailableError(
            "The folder for the upstream's files cannot be made.", where=str(folder), why=error.strerror or str(error)
        ) from error
    return Upstream(settings.upstream, FolderStore(folder), folder)
