"""Which media types a body may have, and what each is read as.

Called by :mod:`.reader`; the names are those that OpenAPI lists.
Source: RFC 9110, section 8.3.1; IANA media types registry (Arrow, Parquet).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from modelwright.errors import MediaTypeError

Kind = Literal["json", "csv", "arrow", "parquet"]

JSON = "application/json"
CSV = "text/csv"
ARROW_STREAM = "application/vnd.apache.arrow.stream"
ARROW_FILE = "application/vnd.apache.arrow.file"
PARQUET = "application/vnd.apache.parquet"

KINDS: dict[str, Kind] = {JSON: "json", CSV: "csv", ARROW_STREAM: "arrow", ARROW_FILE: "arrow", PARQUET: "parquet"}
"""Kind of body per media type."""
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


@lru_cache(maxsize=256)
def kind_of(content_type: str) -> Kind:
    """Return what a body is to be read as.

    Args:
        content_type: The header Content-Type.

    Raises:
        MediaTypeError: There is none, or none that is understood.

    Example:
        >>> kind_of("application/json; charset=utf-8")
        'json'
    """
    essence, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if not essence:
        raise MediaTypeError("The request has no Content-Type.", hint=_HINT)
    kind = KINDS.get(essence)
    if kind is None:
        raise MediaTypeError(
            f"The content type {content_type[:80]!r} is not understood.",
            why=f"Understood are {', '.join(KINDS)}.",
            hint=_HINT,
        )
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in _CHARSETS:
            raise MediaTypeError(f"The charset {value[:40]!r} is not understood.", hint="Send UTF-8.")
    return kind


_HINT = "Say what the body is, for example with the header Content-Type: application/json."
