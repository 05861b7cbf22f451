"""Take a form with a file apart while it arrives: the file goes to disk and is hashed, nothing is held in memory.

Called by :mod:`.uploads`. It knows which fields an upload has, not what they mean to a registry.

Source: RFC 7578 (multipart/form-data); Python Packaging User Guide, "Upload API" (legacy).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from modelwright.errors import RequestError
from modelwright.registry.app.parameters import checked
from modelwright.registry.app.statuses import Refusal

CONTENT = "content"
KEPT = frozenset(
    (
        ":action",
        "protocol_version",
        "name",
        "version",
        "filetype",
        "sha256_digest",
        "md5_digest",
        "blake2_256_digest",
        "attestations",
    )
)
"""Fields that are looked at. All others repeat what the file's own metadata says, which is what counts."""
DIGESTS: dict[str, Callable[[], Any]] = {
    "sha256_digest": hashlib.sha256,
    "md5_digest": lambda: hashlib.md5(usedforsecurity=False),
    "blake2_256_digest": lambda: hashlib.blake2b(digest_size=32),
}
"""What a form may announce of its file."""
MAX_PARTS = 4096
MAX_FIELDS = 32 * 2**20
"""Largest sum of all fields but the file, bytes; a description is a whole model card."""


class UploadForm:
    """A form that arrives.

    Args:
        content_type: The request's ``Content-Type``.
        target: Where the file is written; must not be there yet.
        limit: Largest file, bytes.

    Attributes:
        fields: The fields that are looked at, by name.
        filename: Name of the file; empty: none arrived yet.
        size: Size of the file so far, bytes.

    Raises:
        RequestError: No form with parts.
    """

    def __init__(self, content_type: str, target: Path, *, limit: int) -> None:
        kind, options = parse_options_header(content_type[:1024])
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise RequestError("A file is uploaded as multipart/form-data.", why=f"This is {content_type[:80]!r}.")
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.size = 0
        self._limit = limit
        self._target = target
        self._sha256 = hashlib.sha256()
        self._stream = target.open("xb")
        self._parts = self._weight = 0
        self._name = ""
        self._field = bytearray()
        self._header_name, self._header_value = bytearray(), bytearray()
        self._disposition = b""
        self._write: Callable[[memoryview], None] = self._collect
        self._complete = False
        try:
            self._parser = MultipartParser(options[b"boundary"], self._callbacks())
        except FormParserError as error:
            self._stream.close()
            raise RequestError("The form cannot be understood.", why=str(error)) from error

    def _callbacks(self) -> Any:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._part_named,
            "on_part_data": lambda data, start, end: self._write(memoryview(data)[start:end]),
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def feed(self, data: bytes) -> None:
        """Take in what arrived; blocking, since the file is written.

        Raises:
            RequestError: Not a form, or one that no upload has.
            Refusal: It is too large.
            OSError: The file cannot be written.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise RequestError("The form cannot be understood.", why=str(error)) from error

    def finish(self) -> str:
        """Check that everything arrived, and that digests are what was announced.

        Returns:
            sha256 of the file.

        Raises:
            RequestError: The form ended early, has no file, or a digest is another one.
        """
        self._stream.close()
        if not self._complete or not self.filename:
            raise RequestError("The form ends before its end." if not self._complete else "The form has no file.")
        sha256 = self._sha256.hexdigest()
        for field in DIGESTS:
            announced = self.fields.get(field, "").lower()
            if not announced:
                continue
            found = sha256 if field == "sha256_digest" else self._digest(field)
            if announced != found:
                raise RequestError(
                    f"The file that arrived is not the one that was announced: {field} differs.",
                    why=f"announced {announced[:16]}…, arrived {found[:16]}…",
                    hint="Upload it again.",
                )
        return sha256

    def _digest(self, field: str) -> str:
        """Hash the file in the way a field says; it is in memory still, and sha256 is what counts anyway."""
        with self._target.open("rb") as stream:
            return hashlib.file_digest(stream, DIGESTS[field]).hexdigest()

    def close(self) -> None:
        """Close the file, whatever happened."""
        self._stream.close()

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise Refusal(413, RequestError(f"The form has more than {MAX_PARTS} fields."))
        self._name, self._disposition = "", b""
        self._field = bytearray()

    def _header_end(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _part_named(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("latin-1")[:64]
        self._write = self._collect
        if self._name != CONTENT:
            return
        if self.filename:
            raise RequestError("The form has more than one file.")
        said = options.get(b"filename", b"")
        # The parser takes a Windows path for its last part; what a client says is a name or it is refused.
        whole = said if b"\\" not in self._disposition else self._disposition
        self.filename = checked("filename", whole.decode("latin-1"))
        self._write = self._keep

    def _keep(self, data: memoryview) -> None:
        self.size += len(data)
        if self.size > self._limit:
            raise Refusal(413, RequestError(f"A file is at most {self._limit} bytes here.", hint="max_upload"))
        self._sha256.update(data)
        self._stream.write(data)

    def _collect(self, data: memoryview) -> None:
        self._weight += len(data)
        if self._weight > MAX_FIELDS:
            raise Refusal(413, RequestError("The fields of the form are too large.", where=self._name))
        if self._name in KEPT:
            self._field.extend(data)

    def _part_end(self) -> None:
        if self._name not in KEPT:
            return
        value = self._field.decode("utf-8", "replace")
        if self.fields.setdefault(self._name, value) != value:
            raise RequestError(f"The form has the field {self._name} twice, with different values.")

    def _end(self) -> None:
        self._complete = True
