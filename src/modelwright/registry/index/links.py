"""What HTML and JSON say alike: addresses, upload times, reasons.

For: the two renderers beside this module, so that both say the same of a file.

Source: Simple repository API (PEP 503, 700, 740); RFC 3986 (percent-encoding, relative references).
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from urllib.parse import quote

from modelwright.registry.index.pages import IndexFile, ProjectPage

API_VERSION = "1.4"
"""Version of the API that the pages follow. Source: PEP 629; 1.4 is PEP 792."""
UNSIZED_VERSION = "1.0"
"""What a page says whose files have no known size. Source: PEP 700, "the ``size`` key is mandatory" from 1.1 on."""
_ABSOLUTE = ("https://", "http://")


def to_root(view: str) -> str:
    """Return the way from a project's page to the root of the registry, as a relative reference.

    Relative, so that one page is right below any mount point, behind any host name, and from ``file://``.

    Args:
        view: Name of a stage; empty: the view of everything.

    Example:
        >>> to_root(""), to_root("production")
        ('../../', '../../../')
    """
    return "../../../" if view else "../../"


def address(file: IndexFile, root: str) -> str:
    """Return where a file is, percent-encoded, without a digest.

    PEP 503: "URLs may be either absolute or relative as long as they point to the correct location."

    Args:
        file: The file.
        root: The root of the registry, relative to the page or absolute, ending in ``/``.

    Example:
        >>> address(IndexFile(filename="a+1.whl", path="files/ab/a+1.whl"), to_root(""))
        '../../files/ab/a%2B1.whl'
    """
    return file.path if file.path.startswith(_ABSOLUTE) else root + quote(file.path)


def provenance(file: IndexFile, base_url: str) -> str:
    """Return where a file's attestations are; empty if it has none, or if the page cannot know its own address.

    PEP 740: the value "MUST be a fully qualified URL", which a page that lies in a folder has none of.

    Args:
        file: The file.
        base_url: Absolute URL of the root of the registry, ending in ``/``; empty if nobody knows.
    """
    if not file.provenance:
        return ""
    url = address(file, base_url)
    return f"{url}.provenance" if url.startswith(_ABSOLUTE) else ""


def offered(page: ProjectPage) -> tuple[IndexFile, ...]:
    """Return the files that a page may show.

    PEP 792: an index "MUST NOT offer any distributions for download" of a project in quarantine.
    """
    return () if page.status == "quarantined" else page.files


def upload_time(text: str) -> str:
    """Return a time as PEP 700 wants it; empty if it is none.

    PEP 700: ``yyyy-mm-ddThh:mm:ss.ffffffZ``, the fraction optional and of up to six digits.

    Args:
        text: RFC 3339.

    Example:
        >>> upload_time("2026-11-21T07:30:00.123456789+01:00")
        '2026-11-21T06:30:00.123456Z'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat() + "Z"


def one_line(text: str) -> str:
    r"""Return a text that HTML and JSON can both carry: control characters and half characters become spaces.

    Example:
        >>> one_line("broken\r\n\x00again")
        'broken   again'
    """
    if text.isprintable():
        return text
    return "".join(" " if _unfit(sign) else sign for sign in text)


def _unfit(sign: str) -> bool:
    """Say whether HTML cannot carry a code point: controls, surrogates, separators, and what is for ever no character.

    Source: HTML standard, "Preprocessing the input stream"; Unicode, section 23.7 (noncharacters).
    """
    never = ord(sign) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(sign) <= 0xFDEF
    return never or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
