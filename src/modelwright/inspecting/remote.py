"""A wheel on a web server as a seekable stream, read by HTTP ranges.

Called by :func:`modelwright.inspecting.read.read` for ``http:`` and ``https:`` references. A server without ranges
(``python -m http.server``) is read once into a temporary file, up to a stated limit.

It does not: write anything that outlives the process, or send credentials other than those in the URL or netrc.
Source: RFC 9110 section 14 (range requests).
"""

from __future__ import annotations

import io
import re
import tempfile
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit, urlunsplit

from modelwright.errors import MissingExtraError, UnknownPackageError, WheelError
from modelwright.inspecting.ranges import BLOCK, RangeStream
from modelwright.package import Package, open_wheel

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined,unused-ignore]

    import httpx2

DOWNLOAD_LIMIT = 512 * 2**20
"""Largest wheel that is downloaded whole when the server knows no ranges, bytes."""
TIMEOUT_S = 30.0
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def open_remote(url: str, *, download_limit: int = DOWNLOAD_LIMIT) -> Package:
    """Open a wheel at a URL; nothing is executed, and only what is looked at is moved.

    Args:
        url: ``http:`` or ``https:`` URL of a wheel.
        download_limit: Largest wheel that is read whole if the server knows no ranges, bytes.

    Raises:
        UnknownPackageError: No answer, or none with a file in it.
        WheelError: Not a wheel with a model, larger than the limit, or changed while it was read.
        MissingExtraError: The extra ``remote`` is not installed.
    """
    return open_wheel(open_stream(url, download_limit=download_limit), where=without_credentials(url))


def open_stream(url: str, *, download_limit: int = DOWNLOAD_LIMIT) -> BinaryIO:
    """Return a seekable binary stream over a file at a URL.

    Raises:
        UnknownPackageError: No answer, or none with a file in it.
        WheelError: Larger than the limit, on a server without ranges.
        MissingExtraError: The extra ``remote`` is not installed.
    """
    try:
        import httpx2
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "Reading a package from a URL needs the library 'httpx2', which is not installed.",
            where=without_credentials(url),
            hint='pip install "modelwright[remote]"',
        ) from error
    client = httpx2.Client(
        follow_redirects=True, timeout=httpx2.Timeout(TIMEOUT_S), headers={"Accept-Encoding": "identity"}
    )
    try:
        with client.stream("GET", url, headers={"Range": f"bytes=-{BLOCK}"}) as response:
            _check_status(response, url)
            if response.status_code == httpx2.codes.PARTIAL_CONTENT:
                return cast(BinaryIO, RemoteStream(client, url, first=response))
            whole = spooled(response, url, limit=download_limit)
    except httpx2.HTTPError as error:
        client.close()
        raise _unreachable(url, error) from error
    except BaseException:
        client.close()
        raise
    client.close()
    return whole


class RemoteStream(RangeStream):
    """A read-only, seekable view of a file on a server that knows ranges; closing it closes the connection.

    Args:
        client: The HTTP client; the stream owns it from now on.
        url: Where the file is.
        first: The answer to a request for the last ``BLOCK`` bytes.

    Raises:
        WheelError: The answer is not about the end of the file.
    """

    def __init__(self, client: httpx2.Client, url: str, *, first: httpx2.Response) -> None:
        start, size = _content_range(first, url)
        tail = first.read()
        if start + len(tail) != size:
            raise _undescribed(first, url)
        # Of its own, and not a method: a stream that knew itself would be closed late, by the garbage collector.
        self._requests = _Requests(client, url, size=size, etag=first.headers.get("etag", ""))
        self._requests.moved = len(tail)
        super().__init__(self._requests, size, tail=tail)
        self._client = client

    @property
    def moved(self) -> int:
        """Bytes of content that came over the network so far."""
        return self._requests.moved

    def close(self) -> None:
        """Close the connection."""
        if not self.closed:
            self._client.close()
        super().close()


class _Requests:
    """Requests for ranges of one file, which must stay what it was at the first one."""

    def __init__(self, client: httpx2.Client, url: str, *, size: int, etag: str) -> None:
        self._client, self._url, self._size, self._etag = client, url, size, etag
        self.moved = 0

    def __call__(self, start: int, end: int) -> bytes:
        import httpx2

        try:
            response = self._client.get(self._url, headers={"Range": f"bytes={start}-{end - 1}"})
        except httpx2.HTTPError as error:
            raise _unreachable(self._url, error) from error
        _check_status(response, self._url)
        if response.status_code == httpx2.codes.PARTIAL_CONTENT:
            same = _content_range(response, self._url) == (start, self._size)
            if same and response.headers.get("etag", "") == self._etag and len(response.content) == end - start:
                self.moved += len(response.content)
                return response.content
        raise WheelError(
            "The file changed on the server while it was read.",
            where=without_credentials(self._url),
            hint="Read it again; a published wheel must never change.",
        )


class OwnedStream(io.RawIOBase):
    """A file that is closed when nobody reads it any more; a temporary one vanishes with that.

    Args:
        file: The file; the stream owns it from now on.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def tell(self) -> int:
        """Return the position, bytes from the start."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Buffer) -> int:
        """Read into a buffer; 0 is the end."""
        return self._file.readinto(buffer)  # type: ignore[attr-defined, no-any-return]

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, fewer only at the end of the file."""
        return self._file.read(-1 if size is None else size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _content_range(response: httpx2.Response, url: str) -> tuple[int, int]:
    """Return where a partial answer starts and how large the whole file is, bytes."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if match is None:
        raise _undescribed(response, url)
    return int(match[1]), int(match[3])


def _undescribed(response: httpx2.Response, url: str) -> WheelError:
    return WheelError(
        "The server answered with a range that it does not describe.",
        where=without_credentials(url),
        why=f"Content-Range: {response.headers.get('content-range', 'missing')} (RFC 9110 section 14.4)",
    )


def spooled(response: httpx2.Response, url: str, *, limit: int = DOWNLOAD_LIMIT) -> BinaryIO:
    """Read the whole answer of a server without ranges into a temporary file that vanishes when it is closed.

    Args:
        response: The answer, of which nothing was read yet.
        url: Where it is from, for messages.
        limit: Most that is read, bytes.

    Raises:
        WheelError: It is larger than the limit.
    """
    too_large = WheelError(
        f"The server knows no ranges, and the file is larger than the {limit // 2**20} MiB that are downloaded whole.",
        where=without_credentials(url),
        hint="Download the wheel and give its path.",
    )
    if int(response.headers.get("content-length", 0)) > limit:
        raise too_large
    whole = tempfile.TemporaryFile()  # noqa: SIM115 - the caller reads and closes it
    try:
        for chunk in response.iter_bytes():
            whole.write(chunk)
            if whole.tell() > limit:
                raise too_large
    except BaseException:
        whole.close()
        raise
    whole.seek(0)
    return cast(BinaryIO, OwnedStream(cast(BinaryIO, whole)))


def _check_status(response: httpx2.Response, url: str) -> None:
    if response.is_success:
        return
    raise UnknownPackageError(
        f"The server answered {response.status_code} {response.reason_phrase}.",
        where=without_credentials(url),
        hint="Is the URL that of a wheel, and may you read it?",
    )


def _unreachable(url: str, error: Exception) -> UnknownPackageError:
    return UnknownPackageError(
        "The URL cannot be read.", where=without_credentials(url), why=f"{type(error).__name__}: {error}"
    )


def without_credentials(url: str) -> str:
    """Return a URL for a message, without user, password, query and fragment.

    Example:
        >>> without_credentials("https://me:secret@models.example/churn-1.3.0-py3-none-any.whl?token=1")
        'https://models.example/churn-1.3.0-py3-none-any.whl'
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
