"""What the upstream said of projects: asked for when it is old, remembered in memory and on disk.

For: :mod:`.upstream`. One question at a time per project, and none for a while to an upstream that does not answer.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec.structs import replace

from modelwright.building.archive import replacing
from modelwright.errors import UpstreamError
from modelwright.registry.index.pages import ProjectPage
from modelwright.registry.settings import Upstream as Settings
from modelwright.registry.upstream.announced import Snapshot, page_of
from modelwright.registry.upstream.fetching import Fetcher
from modelwright.registry.upstream.reading import read_page

KEPT_PAGES = 512
"""How many pages are kept in memory, and how many names that the upstream does not have."""
DOWN_S = 10.0
"""How long an upstream that did not answer is left alone, seconds, so that not every request waits for it."""


class Pages:
    """Pages of one upstream.

    Args:
        settings: For how long they are believed.
        folder: Where they are kept, private.
        fetcher: Asks the upstream.
        clock: Seconds since 1970.
    """

    def __init__(self, settings: Settings, folder: Path, *, fetcher: Fetcher, clock: Callable[[], float]) -> None:
        self._settings, self._folder, self._fetcher, self._clock = settings, folder, fetcher, clock
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, tuple[Snapshot, ProjectPage]] = OrderedDict()
        self._absent: OrderedDict[str, float] = OrderedDict()
        self._turns: dict[str, tuple[threading.Lock, int]] = {}
        self._down_until = 0.0

    def current(self, name: str) -> tuple[Snapshot, ProjectPage] | None:
        """Return what the upstream says of a project now, or said lately.

        Args:
            name: Name of the project, normalised.

        Raises:
            UpstreamError: It does not answer, and what it said before is too old.
        """
        known = self.known(name)
        if self._fresh(name, known):
            return known
        with self._turn(name):
            known = self.known(name)
            if self._fresh(name, known):  # somebody else asked meanwhile
                return known
            try:
                return self._ask(name, known[0] if known else None)
            except UpstreamError:
                if known is None or self._age(known[0].checked) > self._settings.stale_s:
                    raise
                return known

    def _fresh(self, name: str, known: tuple[Snapshot, ProjectPage] | None) -> bool:
        with self._lock:
            checked = known[0].checked if known else self._absent.get(name)
        return checked is not None and self._age(checked) < self._settings.fresh_s

    def _age(self, moment: float) -> float:
        """Return how long ago something was; a clock that went back makes everything old."""
        age = self._clock() - moment
        return age if age >= 0 else float("inf")

    def _ask(self, name: str, known: Snapshot | None) -> tuple[Snapshot, ProjectPage] | None:
        if time.monotonic() < self._down_until:
            raise UpstreamError("The upstream index did not answer a moment ago.", where=self._fetcher.base)
        try:
            answer = self._fetcher.page(
                name, etag=known.etag if known else "", modified=known.modified if known else ""
            )
        except UpstreamError as error:
            if error.silent:
                self._down_until = time.monotonic() + DOWN_S
            raise
        now = self._clock()
        if answer.status == 404:
            self._forget(name, now)
            return None
        if answer.status == 304 and known:
            return self._remember(replace(known, checked=now))
        read = read_page(answer.content, answer.content_type, name=name, url=answer.url, allowed=self._fetcher.allowed)
        if read.elsewhere and not read.files:
            raise UpstreamError(
                f"The upstream keeps the files of {name} on {', '.join(read.elsewhere[:3])}, which is not allowed.",
                hint=f"In registry.toml, [upstream]: file_hosts = {list(read.elsewhere[:3])}".replace("'", '"'),
            )
        serial = int.from_bytes(sha256(answer.content).digest()[:6], "big")
        return self._remember(
            Snapshot(
                name=name,
                files=read.files,
                serial=serial,
                checked=now,
                etag=answer.etag,
                modified=answer.modified,
                status=read.status,
                status_reason=read.status_reason,
                # PEP 708: the URL "MUST point to the repositories that own the namespaces".
                tracks=read.tracks or (f"{self._fetcher.base}{name}/",),
            )
        )

    def known(self, name: str) -> tuple[Snapshot, ProjectPage] | None:
        """Return what is remembered of a project, however old; nobody is asked.

        Args:
            name: Name of the project, normalised.
        """
        with self._lock:
            if name in self._pages:
                self._pages.move_to_end(name)
                return self._pages[name]
        try:
            snapshot = msgspec.json.decode(self._file_of(name).read_bytes(), type=Snapshot)
        except (FileNotFoundError, msgspec.DecodeError):  # never seen, or written by another version of this program
            return None
        return self._keep(snapshot)

    def _remember(self, snapshot: Snapshot) -> tuple[Snapshot, ProjectPage]:
        with suppress(OSError), replacing(self._file_of(snapshot.name)) as stream:  # a cache: memory alone will do
            stream.write(msgspec.json.encode(snapshot))
        return self._keep(snapshot)

    def _keep(self, snapshot: Snapshot) -> tuple[Snapshot, ProjectPage]:
        made = (snapshot, page_of(snapshot))
        with self._lock:
            self._absent.pop(snapshot.name, None)
            self._pages[snapshot.name] = made
            self._pages.move_to_end(snapshot.name)
            while len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        return made

    def _forget(self, name: str, now: float) -> None:
        """Remember that there is no such project; in memory only, as anybody can ask for any name."""
        with suppress(OSError):
            self._file_of(name).unlink(missing_ok=True)
        with self._lock:
            self._pages.pop(name, None)
            self._absent[name] = now
            self._absent.move_to_end(name)
            while len(self._absent) > KEPT_PAGES:
                self._absent.popitem(last=False)

    def _file_of(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """Let one at a time ask for a name; the others wait for what it finds."""
        with self._lock:
            turn, waiting = self._turns.get(name, (threading.Lock(), 0))
            self._turns[name] = (turn, waiting + 1)
        try:
            with turn:
                yield
        finally:
            with self._lock:
                turn, waiting = self._turns[name]
                if waiting == 1:
                    del self._turns[name]
                else:
                    self._turns[name] = (turn, waiting - 1)
