"""Names of files inside an archive that mean the same file on every system. Pure.

Called by :mod:`.zips` and :mod:`.sdists`: one rule for both.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from modelwright.errors import Problem

LONGEST = 1024
"""Characters of a path inside an archive."""
_STRANGE = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Unicode categories of characters that cannot be seen, or are read differently: controls, directions, private ones."""


def wrong_name(name: str) -> str:
    r"""Say what is wrong with the name of a file or folder in an archive; empty: nothing.

    Args:
        name: Its name; a folder's may end with ``/``.

    Example:
        >>> wrong_name("churn/model/card.md"), wrong_name("../evil.py"), wrong_name("C:/evil.py")
        ('', 'has a name that could lead elsewhere', 'has a name that could lead elsewhere')
    """
    parts = name.removesuffix("/").split("/")
    if not name or any(unicodedata.category(letter) in _STRANGE for letter in name):
        return "has a name with characters that not every system reads alike"
    if len(name) > LONGEST or set("\\:") & set(name) or {"", ".", ".."} & set(parts):
        return "has a name that could lead elsewhere"
    if any(part.endswith((".", " ")) for part in parts):
        return "has a name that ends with a dot or a space, which some systems drop"
    return ""


def clashes(names: Iterable[str]) -> Iterator[Problem]:
    """List names that are one file on some system, and names that are a file and a folder.

    Args:
        names: Names in an archive; those of folders end with ``/``.

    Example:
        >>> [found.problem for found in clashes(["a.py", "A.py"])]
        ["is there twice, for some systems: 'a.py'"]
    """
    seen: dict[str, str] = {}
    folders: set[str] = set()
    for name in names:
        same = unicodedata.normalize("NFC", name).casefold()
        bare = same.rstrip("/")
        if bare in seen:
            yield Problem(None, None, f"is there twice, for some systems: {seen[bare]!r}", item=name)
        seen[bare] = name
        above = bare.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    for bare in sorted(folders & seen.keys()):
        if not seen[bare].endswith("/"):
            yield Problem(None, None, "is a file and a folder", item=seen[bare])
