"""Open a registry in a folder, and make one where there is none.

Called by ``mw.Registry``, the command line and the application.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from modelwright.errors import UnavailableError
from modelwright.registry.operating import statics
from modelwright.registry.operating.desk import Desk
from modelwright.registry.operating.local import LocalService
from modelwright.registry.people import Principal, local_user
from modelwright.registry.settings import FILE, PRIVATE, read_settings
from modelwright.registry.state.database import Clock, State, connect, sqlite_url, system_clock
from modelwright.registry.storing.folder import make_folder
from modelwright.registry.storing.opening import open_store

STATE = "state.sqlite"


def is_registry(folder: Path) -> bool:
    """Say whether a folder holds a registry."""
    return (folder / PRIVATE).is_dir() or (folder / FILE).is_file()


def open_local(
    folder: Path, *, user: str = "", principal: Principal | None = None, clock: Clock = system_clock
) -> LocalService:
    """Open the registry in a folder; one is made there if there is none.

    Args:
        folder: The registry's folder.
        user: Name of the operating system's user, who may do everything that the folder lets them.
        principal: Who asks, instead.
        clock: What time it is; for tests.

    Raises:
        SettingsError: ``registry.toml`` says something that cannot be honoured.
        UnavailableError: The folder, the database or the object store cannot be used.
        MissingExtraError: A library that the settings ask for is not installed.
    """
    folder = folder.resolve()
    settings = read_settings(folder / FILE)
    private = folder / PRIVATE
    try:
        make_folder(private)
        private.chmod(0o700)
        make_folder(private / "incoming")
    except OSError as error:
        why = error.strerror or str(error)
        if isinstance(error, PermissionError) and os.path.isdir(private):  # noqa: PTH112 - Path.is_dir may fail as well
            raise UnavailableError(
                "The registry in this folder is another user's.",
                where=str(folder),
                why=why,
                hint=f"Whoever owns it can serve it: modelwright registry {folder}",
            ) from error
        raise UnavailableError("There can be no registry here.", where=str(folder), why=why) from error
    store = open_store(settings, folder)  # first: what is wrong with it leaves no connection open
    engine = connect(settings.state or sqlite_url(private / STATE), where=settings.state and "the state's database")
    state = State(engine, clock=clock)
    service = LocalService(
        Desk(state=state, store=store, settings=settings, root=folder, principal=principal or local_user(user))
    )
    try:
        with suppress(UnavailableError):  # who only wants to read can; whoever changes something is told
            statics.refresh(service.desk)
    except BaseException:
        service.close()
        raise
    return service
