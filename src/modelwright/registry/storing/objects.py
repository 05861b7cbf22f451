"""Files in an object store: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

Opened by :mod:`modelwright.registry.storing.opening`. Several registry processes may use one bucket. An object is there
whole or not at all, and durable when the store has answered.

It does not: make buckets, or know credentials; those come from the environment, as the stores' own tools read them.
Source: Amazon S3, "Multipart upload", "Conditional writes"; obstore.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

from modelwright.errors import DamageError, SettingsError, UnavailableError, UnknownReleaseError
from modelwright.inspecting.ranges import RangeStream
from modelwright.registry.storing.store import FOLDER, PIECE, Key, key_at

if TYPE_CHECKING:
    from obstore.store import RetryConfig

SCHEMES = ("s3", "gs", "az")
PART = 8 * 2**20
"""Size of the parts of a large upload, and of the ranges of a large download, bytes."""
PARTS_AT_ONCE = 3
"""Parts that are under way together: with the one being read, 32 MiB of memory."""
MOST_PARTS = 9_000
"""Parts of an upload; a larger file has larger parts. Source: Amazon S3, "Multipart upload limits": 10,000."""
PATIENCE: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}
"""How long a store that does not answer is asked again, before somebody is told."""


def open_objects(url: str) -> ObjectsStore:
    """Return the store at a URL; nothing is sent yet.

    Args:
        url: ``s3://BUCKET/PREFIX``, ``gs://BUCKET/PREFIX`` or ``az://CONTAINER/PREFIX``.

    Raises:
        SettingsError: Not such a URL, or what the environment says of the store cannot be used.
    """
    parts = urlsplit(url)
    plain = parts.netloc and "@" not in parts.netloc and not parts.query and not parts.fragment
    if parts.scheme not in SCHEMES or not plain or ".." in parts.path.split("/"):
        raise SettingsError(
            "This is not the URL of an object store.",
            where=f"files = {_without_user(url)!r}",
            why="Credentials and options come from the environment (AWS_…, GOOGLE_…, AZURE_…).",
            hint="s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX",
        )
    try:
        return ObjectsStore(from_url(url, retry_config=PATIENCE), where=url)
    except (BaseError, ValueError) as error:
        raise SettingsError("The object store cannot be used.", where=f"files = {url!r}", why=_reason(error)) from error


def _without_user(url: str) -> str:
    """Return a URL for a message: what stands before ``@`` may be a secret."""
    scheme, colon, rest = url.partition("://")
    return scheme + colon + rest.rpartition("@")[2] if colon else url


class ObjectsStore:
    """Files in an object store; see :class:`modelwright.registry.storing.store.Store`.

    Args:
        store: Where; its own prefix, if it has one, is not seen from here.
        where: What to call it in messages.
    """

    def __init__(self, store: ObjectStore, *, where: str) -> None:
        self._store, self._where = store, where

    def keep(self, key: Key, source: Path) -> None:
        """Take a complete file in, in parts if it is large."""
        size = source.stat().st_size
        if self.size(key) is None:
            with self._understood("The file cannot be stored; nothing was changed."):
                self._send(key, source, size)
        found = self.size(key)
        if found != size:
            raise DamageError(
                "What is stored is not what was published.",
                where=f"{self._where}: {key.path}",
                why=f"It has {found} bytes; the file has {size}.",
                hint="modelwright registry check",
            )
        source.unlink(missing_ok=True)

    def _send(self, key: Key, source: Path, size: int) -> None:
        if size <= PART:
            with suppress(AlreadyExistsError):  # somebody was faster; the digest says it is the same file
                obstore.put(self._store, key.path, source.read_bytes(), mode="create")
        else:
            # In parts there is no condition; two who send the same digest at once write the same bytes twice.
            part = max(PART, -(-size // MOST_PARTS))
            obstore.put(self._store, key.path, source, chunk_size=part, max_concurrency=PARTS_AT_ONCE)

    def put(self, key: Key, content: bytes) -> None:
        """Write a small document beside a file."""
        with self._understood("The document cannot be stored; nothing was changed."):
            obstore.put(self._store, key.path, content, use_multipart=False)

    def open(self, key: Key) -> BinaryIO:
        """Open a file as a seekable stream, read by ranges."""
        size = self._known_size(key)
        return cast(BinaryIO, RangeStream(lambda start, stop: self._range(key, start, stop), size))

    def size(self, key: Key) -> int | None:
        """Return the size of a file, bytes."""
        path = key.path
        with self._understood("The file cannot be looked at."):
            try:
                return obstore.head(self._store, path)["size"]
            except FileNotFoundError:
                return None

    def path(self, key: Key) -> Path | None:
        """Return ``None``: it lies elsewhere."""
        assert key.path
        return None

    def chunks(self, key: Key, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Read a part of a file in pieces; each request is small enough to be tried again."""
        size = self._known_size(key)
        return self._pieces(key, start, size if stop is None else min(stop, size))

    def _pieces(self, key: Key, start: int, stop: int) -> Iterator[bytes]:
        for position in range(start, stop, PART):
            part = memoryview(self._range(key, position, min(position + PART, stop)))
            for offset in range(0, len(part), PIECE):
                yield bytes(part[offset : offset + PIECE])

    def _range(self, key: Key, start: int, stop: int) -> bytes:
        with self._understood("The file cannot be read."):
            try:
                content = bytes(obstore.get_range(self._store, key.path, start=start, end=stop))
            except FileNotFoundError as error:
                raise _unknown(key) from error
        if len(content) != stop - start:
            raise DamageError("The file is shorter than it was a moment ago.", where=f"{self._where}: {key.path}")
        return content

    def remove(self, key: Key) -> None:
        """Remove a file."""
        path = key.path
        with self._understood("The file cannot be removed."), suppress(FileNotFoundError):
            obstore.delete(self._store, path)

    def keys(self) -> Iterator[Key]:
        """List every object that a key leads to."""
        with self._understood("The files cannot be listed."):
            for page in obstore.list(self._store, FOLDER):
                yield from filter(None, (key_at(found["path"]) for found in page))

    def _known_size(self, key: Key) -> int:
        size = self.size(key)
        if size is None:
            raise _unknown(key)
        return size

    @contextmanager
    def _understood(self, what: str) -> Iterator[None]:
        """Turn what the store says into an error of ours."""
        try:
            yield
        except (BaseError, OSError) as error:
            raise UnavailableError(what, where=self._where, why=_reason(error)) from error


def _reason(error: Exception) -> str:
    """Return what a store answered, out of a message that goes on for pages."""
    message = " ".join(str(error).partition("\n\nDebug source:")[0].split())
    code, text = (message.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("Code", "Message"))
    return (f"{code}: {text}" if code else message)[:400]


def _unknown(key: Key) -> UnknownReleaseError:
    return UnknownReleaseError(f"There is no file {key.name} with this digest.", where=key.sha256)
