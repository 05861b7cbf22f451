"""Compare versions the way installers do, without the ``packaging`` library.

Called by compatibility. It does not handle the arbitrary equality ``===``.
Source: PEP 440, "Version scheme" (appendix B for the pattern) and "Version specifiers".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_VERSION = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre_n>\d*))?"
    r"(?:-(?P<post_bare>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_n>\d*))?"
    r"(?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_n>\d*))?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
)
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_CLAUSE = re.compile(r"\s*(~=|===|==|!=|<=|>=|<|>)\s*([^\s,;()]+)\s*")

Key = tuple[Any, ...]


@lru_cache(maxsize=256)
def version_key(version: str) -> Key | None:
    """Return what versions are ordered by; ``None`` if the text is no version. Local labels are ignored.

    Example:
        >>> version_key("1.10") > version_key("1.9.0") > version_key("1.9-rc.1")
        True
        >>> version_key("2.13.0+cpu") == version_key("2.13")
        True
    """
    found = _VERSION.fullmatch(version.strip().lower())
    if not found:
        return None
    release = [int(part) for part in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    post = found["post_bare"] or (found["post_n"] or "0" if found["post"] else None)
    pre: tuple[str, int]
    if found["pre"]:
        pre = (_PRE.get(found["pre"], found["pre"]), int(found["pre_n"] or 0))
    else:  # a development release of the final release sorts before its alphas, a final release after its rcs
        pre = ("", 0) if found["dev"] and post is None else ("z", 0)
    dev = (0, int(found["dev_n"] or 0)) if found["dev"] else (1, 0)
    return int(found["epoch"] or 0), tuple(release), pre, -1 if post is None else int(post), dev


def satisfies(version: str, specifier: str) -> bool:
    """Say whether a version fulfils every clause of a specifier; the local label of the version is ignored.

    A clause that cannot be understood is not fulfilled.

    Example:
        >>> satisfies("1.9.1", ">=1.5,<2"), satisfies("1.9.1", "~=1.8.0"), satisfies("2.13.0+cpu", "==2.13.0")
        (True, False, True)
    """
    return all(_fulfils(version, clause) for clause in specifier.split(",") if clause.strip())


def _fulfils(version: str, clause: str) -> bool:
    found, mine = _CLAUSE.fullmatch(clause), version_key(version)
    if not found:
        return False
    operator, wanted = found.groups()
    if operator == "===" or mine is None:
        return operator in ("==", "===") and version.partition("+")[0] == wanted.partition("+")[0]
    if wanted.endswith(".*"):
        return operator in ("==", "!=") and (operator == "==") == _begins(mine, wanted.removesuffix(".*"))
    other = version_key(wanted)
    if other is None:
        return False
    if operator == "~=":
        return mine >= other and _begins(mine, wanted_prefix(wanted))
    return {
        "==": mine == other,
        "!=": mine != other,
        "<=": mine <= other,
        ">=": mine >= other,
        "<": mine < other,
        ">": mine > other,
    }[operator]


def wanted_prefix(version: str) -> str:
    """Return what ``~= version`` fixes: its release without the last part.

    Example:
        >>> wanted_prefix("1.8.2rc1")
        '1.8'
    """
    found = _VERSION.fullmatch(version.strip().lower())
    epoch, release = (found["epoch"], found["release"]) if found else (None, version)
    return (f"{epoch}!" if epoch else "") + release.rpartition(".")[0]


def _begins(mine: Key, prefix: str) -> bool:
    other = version_key(prefix)
    if other is None:
        return False
    parts = [int(part) for part in prefix.rpartition("!")[2].split(".")]
    release = [*mine[1], *[0] * len(parts)]
    return bool(mine[0] == other[0] and release[: len(parts)] == parts)
