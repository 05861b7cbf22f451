"""Fetch a file of the upstream once, while whoever asked for it reads along.

For: :mod:`.upstream`. An installer gives up after seconds of silence, so that a large file cannot be fetched first and
sent then. Readers follow the file as it grows; its end is held back until its digest was checked, so that nobody ever
gets a whole file that is not the one that was announced.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

from modelwright.errors import ModelwrightError, UnavailableError, UpstreamError
from modelwright.registry.settings import MAX_UPLOAD
from modelwright.registry.storing.store import Key, Store
from modelwright.registry.upstream.announced import Announced
from modelwright.registry.upstream.fetching import Fetcher

PIECE = 2**18
"""Bytes read at once."""
HELD_BACK = 2**16
"""How much of the end is sent only after the digest was checked, bytes."""


class Download:
    """One file on its way here.

    Args:
        file: What was announced.
        fetcher: Asks the upstream.
        store: Where it shall be kept.
        path: Where it grows; a new file, in a folder that exists.
    """

    def __init__(self, file: Announced, *, fetcher: Fetcher, store: Store, path: Path) -> None:
        self._file, self._fetcher, self._store, self._path = file, fetcher, store, path
        self._changed = threading.Condition()
        self._written, self._done = 0, False
        self._error: ModelwrightError | None = None
        self._path.touch(exist_ok=False)

    @property
    def key(self) -> Key:
        """Where it will be kept."""
        return self._file.key

    @property
    def size(self) -> int | None:
        """Size, bytes, as announced; ``None``: the upstream did not say."""
        return self._file.size

    def run(self) -> None:
        """Fetch, check and keep it; what went wrong is raised where somebody waits for it."""
        error: ModelwrightError | None = None
        try:
            self._fetch()
            self._store.keep(self.key, self._path)
        except ModelwrightError as problem:
            error = problem
        except OSError as problem:
            error = UnavailableError("The file of the upstream cannot be kept.", why=str(problem))
        with self._changed:
            self._error, self._done = error, True
            self._changed.notify_all()
        self._path.unlink(missing_ok=True)

    def wait(self) -> Key:
        """Wait until it is kept.

        Raises:
            UpstreamError: It is not what was announced, or the upstream broke off.
            UnavailableError: There is no room for it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._done)
        if self._error is not None:
            raise self._error
        return self.key

    def chunks(self) -> Iterator[bytes]:
        """Read it from its beginning as it comes.

        Raises:
            UpstreamError: It is not what was announced, or the upstream broke off; its end was not given out.
            UnavailableError: There is no room for it.
        """
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            yield from self._store.chunks(self.wait())
            return
        with stream:
            position = 0
            while (ready := self._ready(position)) is not None:
                while position < ready and (piece := stream.read(min(PIECE, ready - position))):
                    position += len(piece)
                    yield piece

    def _ready(self, position: int) -> int | None:
        """Wait until there is more than ``position`` to be read; return to where, ``None``: that was all."""
        with self._changed:
            self._changed.wait_for(lambda: self._done or self._written - HELD_BACK > position)
            if self._error is not None:
                raise self._error
            if self._done:
                return self._written if self._written > position else None
            return self._written - HELD_BACK

    def _fetch(self) -> None:
        limit = self._file.size if self._file.size is not None else MAX_UPLOAD
        digest = hashlib.sha256()
        with (
            self._fetcher.stream(self._file.url, {"Accept-Encoding": "identity"}) as response,
            self._path.open("wb", buffering=0) as target,
        ):
            self._fetcher.expect_success(response)
            for piece in response.iter_raw():
                digest.update(piece)
                target.write(piece)
                with self._changed:
                    self._written += len(piece)
                    self._changed.notify_all()
                if self._written > limit:
                    break
        if digest.hexdigest() != self._file.sha256 or self._file.size not in (None, self._written):
            raise not_announced(self._file.filename)


def not_announced(filename: str) -> UpstreamError:
    """Return the error about bytes that are not what the upstream's page says."""
    return UpstreamError(
        f"The upstream sent something else than it announced as {filename}.",
        why="The digest on its page is not that of the bytes; they were thrown away.",
        hint="Try again; if it stays so, its page or its file was altered.",
    )
