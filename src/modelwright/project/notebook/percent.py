r"""Read ``.py`` files whose comments mark cells: percent (``# %%``), jupytext's light form, and exports of Jupyter.

Called by reading. As jupytext does, magic commands that it wrote as comments (``# %matplotlib inline``) become
commands again, in files that jupytext wrote.

Source: jupytext documentation, "The percent format" and "The light format"; nbconvert's Python template (``# In[3]:``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from modelwright.project.notebook.cells import Cell, Kind, Notebook
from modelwright.project.notebook.scripts import blocks

_MARKER = re.compile(r"^#\s?%%+(?:\s+(?P<options>\S.*)|\s*)$|^# In\s?\[(?P<count>[\d ]*)\]:\s*$", re.MULTILINE)
_EXPORTED = re.compile(r"^# In\s?\[", re.MULTILINE)
_LIGHT_BEGIN, _LIGHT_END = re.compile(r"^# \+(?:\s+(?P<options>.*)|\s*)$"), re.compile(r"^# -\s*$")
_HEADER = re.compile(r"\A(?:#!.*\n|# -\*-.*\n|\s*\n)*# ---\s*\n(?P<yaml>(?:#.*\n)*?)# ---\s*\n")
_TEXT = re.compile(r"\[(markdown|md|raw)\]")
_TAGS = re.compile(r"""tags\s*=\s*(\[[^\]]*\])""")
_KEPT = re.compile(r"^(\s*)# ((?:%{1,2}[a-zA-Z]|[!?]\w|\w+ = [!%]\w).*)$")


class _Raw(NamedTuple):
    kind: Kind
    lines: list[str]
    tags: tuple[str, ...] = ()
    order: int | None = None


def has_markers(text: str) -> bool:
    """Tell whether comments mark cells in a text.

    Example:
        >>> has_markers("# %% [markdown]"), has_markers("# 100 %% sure"), has_markers("# In[3]:")
        (True, False, True)
    """
    return bool(_MARKER.search(text) or _is_light(text))


def read(text: str, *, path: Path, sha256: str) -> Notebook:
    """Read the text of a file with marked cells.

    Args:
        text: Its content.
        path: Where it came from.
        sha256: Digest of the file.
    """
    header = _HEADER.match(text)
    body = text[header.end() :] if header else text
    raw = list(_light(body) if _is_light(text) else _percent(body))
    cells = [_cell(number, one, magics=_jupytext(header)) for number, one in enumerate(raw, start=1)]
    language = _from_header(header, "language") or _from_header(header, "name") or "python"
    return Notebook(
        name=path.stem,
        path=str(path),
        sha256=sha256,
        cells=tuple(cells),
        kernel=language.lower(),
        python=_from_header(header, "version") if _from_header(header, "codemirror_mode") else "",
        form="percent",
    )


def _percent(text: str) -> Iterator[_Raw]:
    parts = _parts if _EXPORTED.search(text) else _whole
    current = _Raw("code", [])
    for line in text.split("\n"):
        marker = _MARKER.match(line)
        if marker is None:
            current.lines.append(line)
            continue
        yield from parts(current)
        options = marker["options"] or ""
        count = (marker["count"] or "").strip()
        kind: Kind = "markdown" if _TEXT.search(options) else "code"
        current = _Raw(kind, [], _tags(options), int(count) if count else None)
    yield from parts(current)


def _whole(raw: _Raw) -> Iterator[_Raw]:
    if any(line.strip() for line in raw.lines):
        yield raw


def _parts(raw: _Raw) -> Iterator[_Raw]:
    """Yield a cell, and the text behind it that an export writes as comments after a blank line."""
    code = max((number for number, line in enumerate(raw.lines) if line.strip() and line[0] != "#"), default=-1)
    blank = next((number for number, line in enumerate(raw.lines) if number > code and not line.strip()), None)
    end = 0 if code < 0 else blank
    prose = [line for line in raw.lines[end:] if line.strip()] if end is not None and raw.kind == "code" else []
    lines = raw.lines[:end] if prose else raw.lines
    if any(line.strip() for line in lines):
        yield raw._replace(lines=lines)
    if prose:
        yield _Raw("markdown", prose)


def _light(text: str) -> Iterator[_Raw]:
    """Yield explicit cells as they are marked, and between them a cell per block."""
    between: list[str] = []
    explicit: _Raw | None = None
    for line in text.split("\n"):
        begin = _LIGHT_BEGIN.match(line)
        if begin or _LIGHT_END.match(line):
            yield from [explicit] if explicit else _free(between)
            options = (begin["options"] or "") if begin else ""
            kind: Kind = "markdown" if _TEXT.search(options) else "code"
            explicit = _Raw(kind, [], _tags(options)) if begin else None
            between = []
        else:
            (explicit.lines if explicit else between).append(line)
    yield from [explicit] if explicit else _free(between)


def _free(lines: list[str]) -> Iterator[_Raw]:
    for kind, source in blocks("\n".join(lines)):
        prefix = "# " if kind == "markdown" else ""
        yield _Raw(kind, [prefix + line for line in source.split("\n")])


def _cell(number: int, raw: _Raw, *, magics: bool) -> Cell:
    source = "\n".join(raw.lines).strip("\n")
    if raw.kind == "markdown":
        source = _prose(source)
    elif magics:
        source = "\n".join(_KEPT.sub(r"\1\2", line) for line in source.split("\n"))
    return Cell(number=number, kind=raw.kind, source=source, tags=raw.tags, execution_count=raw.order)


def _prose(source: str) -> str:
    r"""Return the text of a markdown cell, which is written as comments or as one string.

    Example:
        >>> _prose("# # Title\n#\n# text")
        '# Title\n\ntext'
    """
    if source.startswith(('"""', "'''", 'r"""')):
        try:
            return str(ast.literal_eval(source)).strip("\n")
        except (SyntaxError, ValueError):
            return source
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in source.split("\n"))


def _tags(options: str) -> tuple[str, ...]:
    found = _TAGS.search(options)
    if not found:
        return ()
    try:
        return tuple(str(tag) for tag in ast.literal_eval(found[1]))
    except (SyntaxError, ValueError):
        return ()


def _jupytext(header: re.Match[str] | None) -> bool:
    return header is not None and "jupytext" in header["yaml"]


def _is_light(text: str) -> bool:
    return _from_header(_HEADER.match(text), "format_name") == "light"


def _from_header(header: re.Match[str] | None, key: str) -> str:
    found = re.search(rf"^#\s+{key}:\s*(\S*)", header["yaml"], re.MULTILINE) if header else None
    return found[1].strip("'\"") if found else ""
