"""The simple index as files, so that any web server, an object store or ``file://`` serves it as it is.

For: operating, after every change. Pages lie beside the files that they link to::

    simple/index.html   simple/NAME/index.html   STAGE/simple/index.html   STAGE/simple/NAME/index.html

Beside each ``index.html`` lies ``index.v1_json``, the same as JSON under the name that bandersnatch gives it, so that
a web server with content negotiation (PEP 691) can be told to send it.

It does not know the database: what is written is what it is given.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from modelwright.building.archive import PARTIAL, replacing
from modelwright.errors import UnavailableError
from modelwright.registry.index import html, json, links
from modelwright.registry.index.pages import ProjectPage
from modelwright.registry.settings import PRIVATE

try:
    import fcntl
except ImportError:  # Windows: each file is still replaced at once, two processes may interleave
    fcntl = None  # type: ignore[assignment]

SIMPLE = "simple"
HTML_FILE = "index.html"
JSON_FILE = "index.v1_json"
LOCK = "index.lock"


class StaticIndex:
    """The static index of one registry folder.

    Every file is replaced at once and is on disk when a verb returns; a file that would not change is not touched.

    Args:
        root: The registry's folder, which is also the document root.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> with StaticIndex(root).locked() as pages:
        ...     pages.write_project("production", "churn", ProjectPage(name="churn", files=(), versions=(), serial=1))
        ...     pages.write_root("production", ["churn"])
        >>> (root / "production/simple/churn/index.html").is_file()
        True
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def locked(self) -> Iterator[StaticIndex]:
        """Let nobody else write this index, in this process or another one, until the block ends.

        Raises:
            UnavailableError: The folder cannot be written.
        """
        private = self._root / PRIVATE
        with _writing(private):
            private.mkdir(mode=0o700, parents=True, exist_ok=True)
            stream = (private / LOCK).open("ab")
        with stream:
            if fcntl:
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield self

    def write_project(self, view: str, name: str, page: ProjectPage | None) -> None:
        """Write a project's page in a view.

        Args:
            view: Name of a stage; empty: the view of everything.
            name: Name of the project, normalised.
            page: What it says; ``None``: the view does not show the project, and its page goes.

        Raises:
            UnavailableError: It cannot be written; what was there before still is.
        """
        folder = self._simple(view) / name
        with _writing(folder):
            if page is None:
                _remove(folder)
                return
            for file, content in _project_files(folder, view, page):
                _write(file, content)

    def write_root(self, view: str, names: Collection[str]) -> None:
        """Write the list of a view's projects, and remove the pages of every other one.

        Args:
            view: Name of a stage; empty: the view of everything.
            names: Every project that the view shows, normalised.

        Raises:
            UnavailableError: It cannot be written; what was there before still is.
        """
        folder, ordered = self._simple(view), sorted(names)
        with _writing(folder):
            for file, content in _root_files(folder, ordered):
                _write(file, content)
            for gone in _folders(folder) - set(ordered):
                _remove(folder / gone)

    def listed(self, view: str) -> frozenset[str] | None:
        """Return the names on the list of a view as it lies there; ``None``: there is none, or it cannot be read.

        Args:
            view: Name of a stage; empty: the view of everything.
        """
        try:
            return json.names_of((self._simple(view) / JSON_FILE).read_bytes())
        except (OSError, ValueError):
            return None

    def altered_project(self, view: str, name: str, page: ProjectPage | None) -> Iterator[Path]:
        """Name every file about a project that is not what would be written now, whoever changed it.

        Args:
            view: Name of a stage; empty: the view of everything.
            name: Name of the project, normalised.
            page: What its page says; ``None``: the view does not show it.
        """
        folder = self._simple(view) / name
        if page is not None:
            yield from self._others(_project_files(folder, view, page))
        elif folder.exists():
            yield folder.relative_to(self._root)

    def altered_root(self, view: str, names: Collection[str]) -> Iterator[Path]:
        """Name what differs from the list of a view's projects, and folders of projects that nobody published.

        Args:
            view: Name of a stage; empty: the view of everything.
            names: Every project that the view shows, normalised.
        """
        folder = self._simple(view)
        yield from self._others(_root_files(folder, sorted(names)))
        if folder.is_dir():
            yield from ((folder / name).relative_to(self._root) for name in sorted(_folders(folder) - set(names)))

    def _others(self, expected: Iterable[tuple[Path, bytes]]) -> Iterator[Path]:
        for file, content in expected:
            if not file.is_file() or file.read_bytes() != content:
                yield file.relative_to(self._root)

    def keep_views(self, views: Collection[str]) -> None:
        """Remove the pages of every stage that is not named any more; folders that are not ours stay.

        Args:
            views: Names of the stages that there are.

        Raises:
            UnavailableError: A folder cannot be written.
        """
        with _writing(self._root):
            for name in self.strays(views):
                folder = self._root / name / SIMPLE
                for project in _folders(folder):
                    _remove(folder / project)
                _remove(folder)
                _remove(folder.parent)

    def strays(self, views: Collection[str]) -> list[str]:
        """List the stages that have pages here and are not named any more; what is not ours is none.

        Args:
            views: Names of the stages that there are.

        Raises:
            UnavailableError: The folder cannot be read.
        """
        with _writing(self._root):
            # What lies in "simple" is the view of everything, also if a project is called "simple".
            others = sorted(_folders(self._root) - {*views, SIMPLE})
            return [name for name in others if name[0] != "." and _is_ours(self._root / name / SIMPLE / HTML_FILE)]

    def _simple(self, view: str) -> Path:
        return self._root / view / SIMPLE


def _project_files(folder: Path, view: str, page: ProjectPage) -> Iterator[tuple[Path, bytes]]:
    root = links.to_root(view)
    yield folder / HTML_FILE, html.project_html(page, root=root).encode()
    yield folder / JSON_FILE, json.project_json(page, root=root)


def _root_files(folder: Path, ordered: Collection[str]) -> Iterator[tuple[Path, bytes]]:
    yield folder / HTML_FILE, html.names_html(ordered).encode()
    yield folder / JSON_FILE, json.names_json(ordered)


def _folders(folder: Path) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}


def _is_ours(page: Path) -> bool:
    if not page.is_file():
        return False
    return f'<meta name="generator" content="{html.GENERATOR}">' in page.read_text(encoding="utf-8", errors="replace")


def _write(file: Path, content: bytes) -> None:
    """Replace a file unless it is the same already; when this returns, it is on disk and so is its name."""
    with suppress(FileNotFoundError):
        if file.read_bytes() == content:
            return
    _make_folder(file.parent)
    with replacing(file) as stream:
        stream.write(content)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each on disk before anything is put into it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir()
    _flush(folder.parent)


def _remove(folder: Path) -> None:
    """Remove a folder of ours: the two pages and what a dead process left; anything else stays, and so does it."""
    if not folder.is_dir() or folder.is_symlink():
        return
    leftovers = [path for path in folder.iterdir() if path.suffix == PARTIAL]
    for file in (folder / HTML_FILE, folder / JSON_FILE, *leftovers):
        file.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
    _flush(folder if folder.is_dir() else folder.parent)


def _flush(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            "The static index cannot be written.",
            where=str(folder),
            why=f"{error.strerror or error}. It is written again with the next change.",
            hint="Make room, or let this user write there; then: modelwright registry check",
        ) from error
