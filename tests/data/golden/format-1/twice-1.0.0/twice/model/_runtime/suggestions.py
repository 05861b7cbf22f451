"""Find what someone probably meant, for messages.

Called by validation of columns and values and by the command line.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from .errors import Problem

MANY = 20_000
"""Above so many pairs of names, only spellings that differ in case, blanks and separators are compared."""


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Return the known name most like a wrong one; empty if none is.

    Example:
        >>> nearest("contrct", ["tenure", "contract"]), nearest("zzz", ["tenure"])
        ('contract', '')
    """
    names = list(known)
    plain = _plain(wrong)
    for name in names:
        if _plain(name) == plain:
            return name
    return next(iter(get_close_matches(wrong, names, n=1, cutoff=0.6)), "")


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def column_problems(sent: Iterable[str], wanted: Iterable[str]) -> list[Problem]:
    """Compare the columns that were sent with those that are wanted; a probable renaming is one problem.

    Example:
        >>> [str(problem) for problem in column_problems(["contrct", "age"], ["contract", "age"])]
        ["column 'contrct': is unexpected, and 'contract' is missing (you sent 'contrct'; did you mean 'contract'?)"]
    """
    sent, wanted = list(sent), list(wanted)
    problems = [Problem(None, name, "appears more than once") for name in _repeated(sent)]
    missing = dict.fromkeys(name for name in wanted if name not in set(sent))
    unexpected = dict.fromkeys(name for name in sent if name not in set(wanted))
    few = len(missing) * len(unexpected) <= MANY
    by_spelling = {_plain(name): name for name in missing}
    for name in unexpected:
        meant = nearest(name, missing) if few else by_spelling.get(_plain(name), "")
        if meant in missing:
            del missing[meant]
            hint = f"you sent {name!r}; did you mean {meant!r}?"
            problems.append(Problem(None, name, f"is unexpected, and {meant!r} is missing", hint))
        else:
            problems.append(Problem(None, name, "is unexpected", "leave it out: the model was trained without it"))
    return problems + [Problem(None, name, "is missing") for name in missing]


def _repeated(names: list[str]) -> list[str]:
    seen: set[str] = set()
    return list(dict.fromkeys(name for name in names if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
