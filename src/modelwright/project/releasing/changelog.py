"""Move a changelog on to the next version: what people wrote stays, what a comparison found is added. Pure.

Called by :mod:`~modelwright.project.releasing.bump`. The text in, the text out; a text in another style than Keep a
Changelog's is refused, because nobody knows where in it a release belongs.

Source: Keep a Changelog 1.1.0 (headings, kinds of changes and their order, ``[YANKED]``, compare links); CommonMark
0.31, 4.2 "ATX headings", 4.3 "Setext headings", 4.5 "Fenced code blocks", 4.7 "Link reference definitions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from packaging.version import InvalidVersion, Version

from modelwright.errors import ReleaseError
from modelwright.project.releasing.entries import Entry
from modelwright.project.releasing.links import move_links

KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""Kinds of changes, in the order of Keep a Changelog."""
NEW = """# Changelog

What changes for whoever uses this model. The format follows [Keep a Changelog](https://keepachangelog.com/en/1.1.0/),
the versions [Semantic Versioning](https://semver.org/spec/v2.0.0.html).

## [Unreleased]
"""
"""What a changelog begins as."""
_HEADING = re.compile(
    r"^## +(?P<open>\[?)(?P<name>[^\]\s]+)\]?(?P<rest>( +[-–] +\d{4}-\d{2}-\d{2})?( +\[YANKED\])?)[ #]*$"
)
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_SETEXT = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_LINK = re.compile(r"^\[[^\]]+\]:[ \t]*\S+")


@dataclass
class _Section:
    """One release, or what is unreleased: its heading, and the lines below it."""

    heading: str
    version: str
    lines: list[str] = field(default_factory=list)


@dataclass
class _Document:
    """A changelog taken apart: what stands before the first section, the sections, the links at the end."""

    head: list[str]
    sections: list[_Section]
    links: list[str]


def release(
    text: str,
    entries: Iterable[Entry],
    *,
    version: str,
    today: date,
    previous: str = "",
    reason: str = "",
    where: str = "CHANGELOG.md",
) -> tuple[str, str]:
    """Return a changelog with a section for a version, and that section.

    Args:
        text: The changelog; empty: there is none yet.
        entries: What the comparison found.
        version: The version that is released.
        today: Its date.
        previous: The release before it, for the compare links; empty: there is none.
        reason: Why the number is another one than the changes ask for; stands at the top of the section.
        where: What to call the file in an error.

    Returns:
        The new text, and the section in it. A section of this version that is there already gets what it lacks; a line
        in it that says the same with other numbers is replaced.

    Raises:
        ReleaseError: The text is in another style.

    Example:
        >>> text, section = release("", [Entry("Added", "field `tenure`")], version="1.1.0", today=date(2026, 11, 21))
        >>> print(section)
        ## [1.1.0] - 2026-11-21
        <BLANKLINE>
        ### Added
        <BLANKLINE>
        - field `tenure`
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    document = _parse(text.replace("\r\n", "\n") or NEW, where)
    unreleased = next((one for one in document.sections if one.version == ""), None)
    known = [one for one in document.sections if one.version and Version(one.version) == Version(version)]
    written = _groups(unreleased.lines if unreleased else [])
    bracket = "[" if not document.sections or "[" in document.sections[0].heading else ""
    heading = f"## {bracket}{version}{']' if bracket else ''} - {today.isoformat()}"
    if known:
        heading = known[0].heading if not _is_pending(known[0].heading) else heading
        written = _merged(_groups(known[0].lines), written)
    section = _Section(heading, version, _render(_filled(written, entries, reason)))
    _place(document, section, unreleased, known)
    if bracket:
        document.links = move_links(document.links, version=version, previous=previous)
    return _text(document).replace("\n", newline), "\n".join([heading, *section.lines]).rstrip()


def _parse(text: str, where: str) -> _Document:
    """Take a changelog apart; whatever is not in the style is refused with its line."""
    lines = text.split("\n")
    document = _Document([], [], [])
    while lines and (not lines[-1].strip() or _LINK.match(lines[-1])):
        document.links.insert(0, lines.pop())
    fenced, titles = False, 0
    for number, line in enumerate(lines, 1):
        fenced ^= bool(_FENCE.match(line))
        if not fenced and line.startswith("## "):
            document.sections.append(_section(line, f"{where}:{number}"))
            continue
        titles += not fenced and line.startswith("# ")
        below_text = number > 1 and lines[number - 2].strip() and not lines[number - 2].startswith(("#", "-", "|"))
        if not fenced and (titles > 1 or (_SETEXT.match(line) and below_text)):
            raise _other_style(f"{where}:{number}", line)
        (document.sections[-1].lines if document.sections else document.head).append(line)
    if not document.sections and any(line.strip() and not line.startswith("# ") for line in document.head[1:]):
        loose = [line for line in document.head if re.match(r"^\s*([-*+]|\d+\.)\s|^v?\d+\.\d+|^#{3,} ", line)]
        if loose or not titles:
            raise _other_style(where, (loose or document.head)[0])
    return document


def _section(line: str, where: str) -> _Section:
    match = _HEADING.match(line.rstrip())
    if match is None:
        raise _other_style(where, line)
    if match["name"].lower() == "unreleased" and not match["rest"]:
        return _Section(line, "")
    try:
        return _Section(line, str(Version(match["name"])))
    except InvalidVersion:
        raise _other_style(where, line) from None


def _other_style(where: str, line: str) -> ReleaseError:
    return ReleaseError(
        "The changelog is in another style.",
        where=where,
        why=f"{line.strip()[:80]!r} is no heading of Keep a Changelog: '## [1.2.0] - 2026-11-21' or '## [Unreleased]'.",
        hint="Bring the file into that style, or move it away and let bump begin a new one.",
    )


def _is_pending(heading: str) -> bool:
    """Say whether a heading of a version has no date yet."""
    return re.search(r"\d{4}-\d{2}-\d{2}", heading) is None


def _groups(lines: Sequence[str]) -> dict[str, list[str]]:
    """Return lines by the ``###`` heading they stand under; those before the first one, under the empty name."""
    groups: dict[str, list[str]] = {"": []}
    current, fenced = "", False
    for line in lines:
        fenced ^= bool(_FENCE.match(line))
        if not fenced and line.startswith("### "):
            current = line[4:].strip(" #")
            current = next((kind for kind in KINDS if kind.lower() == current.lower()), current)
            groups.setdefault(current, [])
        else:
            groups[current].append(line)
    return {name: _trimmed(content) for name, content in groups.items()}


def _trimmed(lines: list[str]) -> list[str]:
    first = next((place for place, line in enumerate(lines) if line.strip()), len(lines))
    last = next((place for place in range(len(lines), 0, -1) if lines[place - 1].strip()), first)
    return lines[first:last]


def _merged(older: dict[str, list[str]], newer: dict[str, list[str]]) -> dict[str, list[str]]:
    names = [*older, *(name for name in newer if name not in older)]
    return {name: [*older.get(name, []), *newer.get(name, [])] for name in names}


def _filled(groups: dict[str, list[str]], entries: Iterable[Entry], reason: str) -> dict[str, list[str]]:
    """Add what a comparison found below what people wrote; a line on the same subject is replaced, not repeated."""
    filled = {name: list(lines) for name, lines in groups.items()}
    for entry in entries:
        lines = filled.setdefault(entry.kind, [])
        bullet = f"- {entry.text}"
        same = [place for place, line in enumerate(lines) if _subject(line) == _subject(bullet)]
        if same:
            lines[same[0]] = bullet
        else:
            lines.append(bullet)
    if reason:
        told = re.sub(r"\s+", " ", reason).strip()
        filled[""] = [told, *(["", *filled[""]] if filled.get("") else [])]
    return filled


def _subject(line: str) -> str:
    """Return a line without its numbers, but with its names: what two versions of one statement share.

    Example:
        >>> _subject("- `roc_auc` 0.91 → 0.93 on test") == _subject("- `roc_auc` 0.91 → 0.92 on test")
        True
        >>> _subject("- field `x1` added") == _subject("- field `x2` added")
        False
    """
    return re.sub(r"(`[^`]*`)|[-+]?\d[\w.+-]*", lambda match: match[1] or "#", line)


def _render(groups: dict[str, list[str]]) -> list[str]:
    order = ["", *KINDS, *(name for name in groups if name not in ("", *KINDS))]
    lines: list[str] = []
    for name in order:
        if groups.get(name):
            lines += ["", *([f"### {name}", ""] if name else []), *groups[name]]
    return lines


def _place(document: _Document, section: _Section, unreleased: _Section | None, known: list[_Section]) -> None:
    """Put a section where it belongs: in the place of its own, or as the newest below what is unreleased."""
    if unreleased is not None:
        unreleased.lines = []
    if known:
        document.sections[document.sections.index(known[0])] = section
    else:
        document.sections.insert(0 if unreleased is None else document.sections.index(unreleased) + 1, section)


def _text(document: _Document) -> str:
    blocks = ["\n".join(_trimmed(document.head))]
    blocks += ["\n".join([section.heading, *section.lines]).rstrip("\n") for section in document.sections]
    links = "\n".join(_trimmed(document.links))
    return "\n\n".join(block for block in [*blocks, links] if block) + "\n"
