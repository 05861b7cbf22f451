"""The configured upstream index: pages and files of libraries, so that **one** ``--index-url`` serves everything.

Wraps an index; the application asks it only for projects that were never published here (:func:`visible`). Measured:
with ``--extra-index-url`` a stranger's package of the same name wins; with one index, in which a local name hides the
upstream one, it cannot.

It does not decide who may read, and it never learns an address from a client: files are named by project, digest and
name, and fetched from where the upstream's own page says.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from hashlib import sha256 as sha256_of
from pathlib import Path

from packaging.utils import is_normalized_name

from modelwright.errors import RequestError, UnavailableError, UnknownReleaseError
from modelwright.registry.index.pages import ProjectPage
from modelwright.registry.settings import Upstream as Settings
from modelwright.registry.storing.store import Key, Store
from modelwright.registry.upstream.announced import Announced, storable, version_in
from modelwright.registry.upstream.downloads import Download, not_announced
from modelwright.registry.upstream.fetching import Fetcher
from modelwright.registry.upstream.pages import Pages

LARGEST_METADATA = 4 * 2**20
"""Largest metadata file that is fetched, bytes."""
INCOMING, PARTIAL = "incoming", ".part"
"""Folder and suffix of files on their way here."""
AT_ONCE = 8
"""How many files are fetched at the same time."""


class Upstream:
    """An index behind this one.

    Args:
        settings: Where it is, and for how long its pages are believed.
        store: Where its files are kept; a store of its own, not the registry's.
        folder: A private folder for its pages and for files on their way.
        fetcher: Asks it; ``None``: one made from the settings.
        clock: Seconds since 1970.

    Raises:
        SettingsError: Its address cannot be asked, or carries credentials.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        folder: Path,
        *,
        fetcher: Fetcher | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self._settings, self._folder = settings, folder
        self._fetcher = fetcher or Fetcher(settings)
        self._pages = Pages(settings, folder / "pages", fetcher=self._fetcher, clock=clock)
        self._lock = threading.Lock()
        self._downloads: dict[Key, Download] = {}
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def page(self, name: str) -> ProjectPage | None:
        """Return a project's page, at most ``fresh_s`` old, or ``stale_s`` if the upstream does not answer.

        Args:
            name: Name of the project, normalised.

        Returns:
            ``None`` if the upstream has no such project, or the settings deny it.

        Raises:
            RequestError: Not a normalised name.
            UpstreamError: The upstream does not answer, and nothing is known of the project.
        """
        found = None if self._denied(name) else self._pages.current(name)
        return found[1] if found else None

    def open(self, name: str, sha256: str, filename: str) -> Key | Download:
        """Return a file: where it is kept, or the download that somebody, now you, waits for.

        Args:
            name: Name of the project, normalised.
            sha256: Its digest.
            filename: Its name.

        Raises:
            RequestError: Malformed.
            UnknownReleaseError: The upstream did not announce such a file.
            UpstreamError: The upstream does not answer.
        """
        key = self._key(name, sha256, filename)
        if self.store.size(key) is not None:
            return key
        file = self._announced(name, key)
        with self._lock:
            running = self._downloads.get(key)
            if running is None:
                running = self._downloads[key] = self._start(file)
        return running

    def file(self, name: str, sha256: str, filename: str) -> Key:
        """Return where a file is kept, after it was fetched if need be; see :meth:`open`."""
        found = self.open(name, sha256, filename)
        return found if isinstance(found, Key) else found.wait()

    def metadata(self, name: str, sha256: str, filename: str) -> Key:
        """Return where the metadata of a file is kept, after it was fetched if need be (PEP 658).

        Args:
            name: Name of the project, normalised.
            sha256: Digest of the file.
            filename: Name of the file, without ``.metadata``.

        Raises:
            RequestError: Malformed.
            UnknownReleaseError: The upstream announced no such file, or none with metadata.
            UpstreamError: The upstream does not answer, or not with what it announced.
        """
        key = self._key(name, sha256, filename)
        beside = Key(sha256, f"{filename}.metadata")
        if self.store.size(beside) is not None:
            return beside
        file = self._announced(name, key)
        if not file.metadata_sha256:
            raise UnknownReleaseError(f"The upstream has no metadata of {filename}.")
        content = bytearray()
        with self._fetcher.stream(f"{file.url}.metadata", {"Accept-Encoding": "identity"}) as response:
            self._fetcher.expect_success(response)
            for piece in response.iter_raw():
                content += piece
                if len(content) > LARGEST_METADATA:
                    break
        if sha256_of(content).hexdigest() != file.metadata_sha256:
            raise not_announced(beside.name)
        self.store.put(beside, bytes(content))
        return beside

    def close(self) -> None:
        """Close every connection; downloads under way end with an error."""
        self._fetcher.close()

    def _denied(self, name: str) -> bool:
        if len(name) > 200 or not is_normalized_name(name):
            raise RequestError(f"{name[:60]!r} is not the normalised name of a project.", why="PEP 503.")
        return any(fnmatchcase(name, pattern) for pattern in self._settings.deny)

    def _key(self, name: str, sha256: str, filename: str) -> Key:
        if self._denied(name) or not version_in(filename, name):
            raise UnknownReleaseError(f"The upstream offers no such file of {name}.", where=filename[:200])
        if not storable(sha256, filename):
            raise RequestError("That is no digest or file name.", where=filename[:200])
        return Key(sha256, filename)

    def _announced(self, name: str, key: Key) -> Announced:
        # An old page will do: a file of that digest is the same for ever.
        known = self._pages.known(name) or self._pages.current(name)
        file = known[0].find(*key) if known else None
        if file is None and (known := self._pages.current(name)):
            file = known[0].find(*key)
        if file is None:
            raise UnknownReleaseError(f"The upstream offers no such file of {name}.", where=key.name)
        return file

    def _start(self, file: Announced) -> Download:
        growing = self._folder / INCOMING / f"{secrets.token_hex(8)}{PARTIAL}"
        try:
            growing.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            download = Download(file, fetcher=self._fetcher, store=self.store, path=growing)
        except OSError as error:
            raise UnavailableError("The file of the upstream cannot be kept.", why=str(error)) from error

        def work() -> None:
            with self._slots:
                download.run()
            with self._lock:
                self._downloads.pop(file.key, None)

        threading.Thread(target=work, name=f"upstream {file.filename}", daemon=True).start()
        return download


def visible(
    local: ProjectPage | None, upstream: Callable[[], ProjectPage | None], *, taken: bool
) -> ProjectPage | None:
    """Return what a view shows under a name: a local name hides the upstream's, for ever.

    Args:
        local: The local project's page in the view; ``None``: the view does not show it.
        upstream: Asks the upstream; called only if the name was never taken here.
        taken: Whether the name was ever published here, even if everything of it was deleted since.

    Example:
        >>> theirs = ProjectPage(name="churn", files=(), versions=("99.0",), serial=1)
        >>> visible(None, lambda: theirs, taken=True) is None
        True
        >>> visible(None, lambda: theirs, taken=False).versions
        ('99.0',)
    """
    return local if taken or local is not None else upstream()
