"""Read a page of the upstream: JSON where it can, HTML where it cannot.

For: :mod:`.upstream`. Pure. What cannot be checked later is left out: files without a sha256, files that are neither
wheels nor sdists of the project, files at addresses that the settings do not allow.

Source: PEP 503, 592, 658, 691, 700, 708, 714, 792; RFC 3986 section 5 (relative references).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any, cast, get_args
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import msgspec

from modelwright.errors import UpstreamError
from modelwright.registry.index.negotiation import JSON
from modelwright.registry.projects import Status
from modelwright.registry.upstream.announced import Announced, storable, version_in

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""Source: PEP 691, the recommendation to clients."""
Allowed = Callable[[str], bool]
"""Says whether a file may be fetched from a URL."""


class _File(msgspec.Struct, rename="kebab"):
    filename: str
    url: str
    hashes: dict[str, str] = {}
    size: int | None = None
    upload_time: str | None = None
    requires_python: str | None = None
    yanked: bool | str | None = False
    core_metadata: bool | dict[str, str] | None = None
    dist_info_metadata: bool | dict[str, str] | None = None


class _Status(msgspec.Struct):
    status: str = "active"
    reason: str | None = None


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str = "1.0"
    tracks: list[str] = []


class _Page(msgspec.Struct, rename="kebab"):
    files: list[_File]
    meta: _Meta = msgspec.field(default_factory=_Meta)
    project_status: _Status = msgspec.field(default_factory=_Status)


class Read(msgspec.Struct, frozen=True):
    """What a page says.

    Attributes:
        files: What may be offered.
        elsewhere: Hosts of files that may not be fetched.
        status: PEP 792.
        status_reason: Why.
        tracks: URLs of the projects that own the name (PEP 708); empty: the upstream owns it.
    """

    files: tuple[Announced, ...]
    elsewhere: tuple[str, ...]
    status: Status
    status_reason: str
    tracks: tuple[str, ...]


def read_page(content: bytes, content_type: str, *, name: str, url: str, allowed: Allowed) -> Read:
    """Read a project's page.

    Args:
        content: Its bytes.
        content_type: What the upstream calls them.
        name: Name of the project, normalised.
        url: Where the page is, for relative addresses.
        allowed: Says whether a file may be fetched from a URL.

    Raises:
        UpstreamError: It is no page of an index, or of one that speaks another major version.
    """
    kind = content_type.partition(";")[0].strip().lower()
    page = _from_json(content) if kind in (JSON, "application/json") else _from_html(content, url)
    if page.meta.api_version.partition(".")[0] != "1":
        # PEP 629: "clients MUST hard fail" on a greater major version.
        raise UpstreamError(
            "The upstream speaks a version of the simple API that is not known here.", why=page.meta.api_version[:20]
        )
    entries = [(file, urljoin(url, file.url)) for file in page.files]
    offered = [found for file, address in entries if allowed(address) and (found := _announced(file, address, name))]
    elsewhere = {urlsplit(address).netloc.rpartition("@")[2] for _, address in entries if not allowed(address)}
    status = page.project_status.status
    return Read(
        files=tuple(offered),
        elsewhere=tuple(sorted(elsewhere)),
        status=cast(Status, status if status in get_args(Status) else "active"),
        status_reason=page.project_status.reason or "",
        tracks=tuple(address for address in page.meta.tracks if _is_address(address)),
    )


def _is_address(text: str) -> bool:
    """Say whether a page of ours may name an address: HTTP, in ASCII, without a user and a password."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and "@" not in parts.netloc
    return plain and parts.scheme in ("http", "https") and bool(parts.netloc)


def _announced(file: _File, address: str, name: str) -> Announced | None:
    sha256 = file.hashes.get("sha256", "").lower()
    version = version_in(file.filename, name)
    if not version or not storable(sha256, file.filename):
        return None
    core = file.core_metadata if file.core_metadata is not None else file.dist_info_metadata
    metadata = core.get("sha256", "").lower() if isinstance(core, dict) else ""
    return Announced(
        filename=file.filename,
        url=urldefrag(address).url,
        sha256=sha256,
        version=version,
        size=file.size,
        uploaded=file.upload_time or "",
        requires_python=file.requires_python or "",
        metadata_sha256=metadata if storable(metadata, "METADATA") else "",
        yanked=file.yanked if isinstance(file.yanked, str) and file.yanked else "" if file.yanked else None,
    )


def _from_json(content: bytes) -> _Page:
    try:
        return msgspec.json.decode(content, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamError("The upstream's page is not JSON as PEP 691 says.", why=str(error)) from error


def _from_html(content: bytes, url: str) -> _Page:
    parser = _Anchors(url)
    parser.feed(content.decode("utf-8", errors="replace"))
    parser.close()
    return _Page(
        files=list(parser.files()),
        meta=_Meta(parser.about.get("pypi:repository-version", "1.0"), parser.tracks),
        project_status=_Status(
            parser.about.get("pypi:project-status", "active"), parser.about.get("pypi:project-status-reason")
        ),
    )


class _Anchors(HTMLParser):
    """Collects the links of a page and what its meta tags say."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.base = url
        self.about: dict[str, str] = {}
        self.tracks: list[str] = []
        self.links: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a tag says."""
        found = dict(attrs)
        if tag == "a" and found.get("href"):
            self.links.append(found)
        elif tag == "meta" and found.get("name"):
            self.about[str(found["name"])] = found.get("content") or ""
            if found["name"] == "pypi:tracks":  # PEP 708: it may come several times
                self.tracks.append(found.get("content") or "")
        elif tag == "base" and found.get("href"):
            self.base = urljoin(self.base, str(found["href"]))

    def files(self) -> Iterator[_File]:
        """Return the files that the links lead to."""
        for link in self.links:
            address, fragment = urldefrag(urljoin(self.base, str(link["href"])))
            # PEP 503: the text of the anchor "MUST match the final path component (the filename) of the URL".
            filename = unquote(urlsplit(address).path).rpartition("/")[2]
            kind, _, digest = fragment.partition("=")
            metadata: Any = link.get("data-core-metadata", link.get("data-dist-info-metadata")) or ""
            how, _, hashed = metadata.partition("=")
            yield _File(
                filename=filename,
                url=address,
                hashes={kind: digest} if digest else {},
                requires_python=link.get("data-requires-python"),
                yanked=(link["data-yanked"] or True) if "data-yanked" in link else False,
                core_metadata={how: hashed} if hashed else None,
            )
