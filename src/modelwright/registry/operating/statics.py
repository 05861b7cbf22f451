"""Keep the static index as fresh as the database.

Called after every change and when a registry is opened. Which pages are stale stands in the database, written in the
transaction of the change, so that a crash in between is healed by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from sqlalchemy import select

from modelwright.registry.index.pages import ProjectPage
from modelwright.registry.index.static import JSON_FILE, SIMPLE, StaticIndex
from modelwright.registry.operating.desk import Desk
from modelwright.registry.operating.views import EVERYTHING, page_of
from modelwright.registry.projects import Project
from modelwright.registry.state.queries import load_project, names_in, serial_of
from modelwright.registry.state.tables import projects, stale


def refresh(desk: Desk) -> int:
    """Write the pages of every project that changed since they were written; all, if a view has none yet.

    A view has none if its stage is new, or if whoever began to write it died. The view of a stage that there is no
    more goes: nobody would keep it true.

    Returns:
        How many projects were written.

    Raises:
        UnavailableError: They cannot be written; they stay marked as stale.
    """
    if not desk.settings.writes_static_index:
        return 0
    pages = StaticIndex(desk.root)
    # The last file of a view that is written.
    if not all((desk.root / view / SIMPLE / JSON_FILE).is_file() for view in _views(desk)):
        return rebuild(desk)
    if pages.strays(_kept(desk)):
        with pages.locked():
            pages.keep_views(_kept(desk))
    with desk.state.read() as connection:
        waiting = list(connection.scalars(select(stale.c.project)))
    return _write(desk, waiting) if waiting else 0


def rebuild(desk: Desk) -> int:
    """Write every page anew, and remove what belongs to no project."""
    with desk.state.read() as connection:
        every = list(connection.scalars(select(projects.c.name)))
    return _write(desk, every, lists=_views(desk))


def altered(desk: Desk) -> list[str]:
    """Name every static page that does not say what the database says, and pages of what nobody published.

    Pages that are waiting to be written are left out: they are behind, not altered.
    """
    if not desk.settings.writes_static_index:
        return []
    found: list[Path] = []
    with StaticIndex(desk.root).locked() as pages, desk.state.read() as connection:
        waiting = set(connection.scalars(select(stale.c.project)))
        names = [name for name in connection.scalars(select(projects.c.name)) if name not in waiting]
        for name in names:
            project = load_project(connection, name)
            for view in _views(desk):
                found += pages.altered_project(view, name, _page(desk, project, view))
        for view in _views(desk) if not waiting else ():
            found += pages.altered_root(view, names_in(connection, view))
    return sorted({str(path) for path in found})


def _page(desk: Desk, project: Project | None, view: str) -> ProjectPage | None:
    return page_of(project, view, alternates=desk.settings.alternate_locations) if project else None


def _views(desk: Desk) -> list[str]:
    return [EVERYTHING, *(stage.name for stage in desk.settings.stages)]


def _kept(desk: Desk) -> list[str]:
    """List the folders that views lie in; that of everything lies where a stage called "simple" would."""
    return [*_views(desk)[1:], SIMPLE]


def _write(desk: Desk, waiting: list[str], *, lists: Collection[str] = ()) -> int:
    """Write the pages of projects, and the lists of names of some views and of those that names came to or went from.

    A list of thousands of names costs more than everything else, and most changes change none.
    """
    views = _views(desk)
    with StaticIndex(desk.root).locked() as pages:
        # Read under the lock: whoever writes last writes the newest state.
        with desk.state.read() as connection:
            found = {name: load_project(connection, name) for name in waiting}
            shown = {view: {name: _page(desk, one, view) for name, one in found.items()} for view in views}
            changed = [view for view in views if view in lists or _differs(pages.listed(view), shown[view])]
            names = {view: names_in(connection, view) for view in changed}
        for view in views:
            for name, page in shown[view].items():
                pages.write_project(view, name, page)
            if view in names:
                pages.write_root(view, names[view])
        pages.keep_views(_kept(desk))
        with desk.state.write() as transaction:
            for name, project in found.items():
                # A project that changed while its pages were written stays stale.
                if serial_of(transaction.connection, name) == (project.serial if project else None):
                    transaction.connection.execute(stale.delete().where(stale.c.project == name))
    return len(waiting)


def _differs(listed: frozenset[str] | None, shown: Mapping[str, ProjectPage | None]) -> bool:
    """Say whether a list lacks a name that has a page now, or has one that has none or is closed."""
    if listed is None or any(page is not None and page.status == "quarantined" for page in shown.values()):
        return True
    return listed & shown.keys() != {name for name, page in shown.items() if page is not None}
