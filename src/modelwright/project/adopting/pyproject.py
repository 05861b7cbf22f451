"""Write the pyproject.toml that says the same and builds with modelwright, losing no comment of the old one.

Called by :mod:`modelwright.project.adopting.adopt`. Text in, text out; nothing is written here.
Source: PyPA "pyproject.toml specification"; PEP 735 (dependency groups); PEP 808 (given and dynamic).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import Array, Comment, Table, Trivia

from modelwright.building.project import BACKEND
from modelwright.project.adopting.declared import Declared

_ORDER = (
    "name version description readme requires-python license license-files authors maintainers keywords classifiers "
    "dependencies dynamic"
)
ORDER = tuple(_ORDER.split())
"""Fields in the order people write them; tables follow."""
WIDTH = 100
"""Longest array that is written on one line, characters."""
_QUOTED = re.compile(r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'')


def propose(
    old: str, declared: Declared, *, name: str, package: str, groups: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return the text of the new pyproject.toml.

    Args:
        old: The text of the old one; empty if there is none.
        declared: What the project declares, wherever it does.
        name: Distribution name.
        package: Folder of the import package.
        groups: Dependency groups to add, by name.

    Example:
        >>> print(propose("", Declared("setup.py", table={"version": "1.0"}), name="churn", package="src/churn"))
        [build-system]
        requires = ["modelwright"]
        build-backend = "modelwright.backend"
        <BLANKLINE>
        [project]
        name = "churn"
        version = "1.0"
        dynamic = ["dependencies"]
        <BLANKLINE>
        [tool.modelwright]
        package = "src/churn"
        <BLANKLINE>
    """
    document = tomlkit.parse(old)
    _set(_table(document, "build-system"), {"requires": ["modelwright"], "build-backend": BACKEND})
    _set(_table(document, "project"), _project(declared, name))
    for group, lines in {**declared.groups, **(groups or {})}.items():
        held = _table(document, "dependency-groups")
        if group not in held and lines:
            held[group] = _item(list(lines))
    if "tool" not in document:
        document.add("tool", tomlkit.table(is_super_table=True))
    _set(_table(document["tool"], "modelwright"), {"package": package})
    return _spaced(tomlkit.dumps(document).rstrip("\n") + "\n")


def comments(text: str) -> list[str]:
    """Return the comments of a TOML text, in order.

    Example:
        >>> comments('a = "#no"  # yes' + chr(10) + '# two')
        ['# yes', '# two']
    """
    return [match.strip() for match in re.findall(r"#[^\n]*", _QUOTED.sub('""', text))]


def _project(declared: Declared, name: str) -> dict[str, Any]:
    """Return the [project] table: what is known stands there, the model's dependencies are added by the build."""
    table = {**declared.table, "name": declared.table.get("name", name)}
    if table["name"] != name and _normal(table["name"]) != name:
        table["name"] = name
    dynamic = [field for field in table.get("dynamic", ()) if field == "version" and "version" not in table]
    if "version" not in table and not dynamic:
        dynamic = ["version"]
    table["dynamic"] = [*dynamic, "dependencies"]
    return {key: table[key] for key in [*(k for k in ORDER if k in table), *(k for k in table if k not in ORDER)]}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _table(parent: Any, name: str) -> Any:
    if name not in parent:
        parent.add(name, tomlkit.table())
    return parent[name]


def _spaced(text: str) -> str:
    """Put an empty line before every table header that stands right below something else."""
    lines: list[str] = []
    for line in text.split("\n"):
        below = lines[-1] if lines else ""
        if re.fullmatch(r"\[[\w.\"-]+\]", line) and below.strip() and not below.startswith("#"):
            lines.append("")
        lines.append(line)
    spaced = "\n".join(lines)
    return spaced if tomlkit.parse(spaced).unwrap() == tomlkit.parse(text).unwrap() else text


def _set(table: Any, values: Mapping[str, Any]) -> None:
    """Give a table these values, touching only those that differ; a licence that is gone is removed.

    A comment beside an entry that goes stays, at the end of the table.
    """
    before = comments(table.as_string())
    gone = [key for key in ("license",) if key in table and "dynamic" in values and key not in values]
    for key in gone:
        del table[key]
    for key, value in values.items():
        if key not in table:
            table.add(key, _item(value))
        elif _plain(table[key]) != value:
            if isinstance(value, dict) and isinstance(table[key], Table):
                _set(table[key], value)
            elif isinstance(value, list) and isinstance(table[key], Array):
                _edit(table[key], value)
            else:
                table[key] = _item(value)
    for lost in (Counter(before) - Counter(comments(table.as_string()))).elements():
        table.add(Comment(Trivia(comment=lost)))
        table.add(tomlkit.nl())


def _edit(array: Array, wanted: list[Any]) -> None:
    """Change an array item by item, so that the comments between those that stay stand where they stood."""
    for position in reversed(range(len(array))):
        if _plain(array[position]) not in wanted:
            del array[position]
    present = [_plain(each) for each in array]
    for value in [value for value in wanted if value not in present]:
        array.append(_item(value))


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item


def _item(value: Any) -> Any:
    if isinstance(value, list):
        array = tomlkit.array()
        for each in value:
            array.append(_inline(each) if isinstance(each, dict) else each)
        return array.multiline(len(array.as_string()) > WIDTH or _people(value))
    if isinstance(value, dict):
        if set(value) <= {"file", "text", "content-type"} and value:
            return _inline(value)
        table = tomlkit.table()
        for key, each in value.items():
            table.add(key, _item(each))
        return table
    if isinstance(value, str) and "\n" in value:
        return tomlkit.string(value, multiline=True)
    return tomlkit.item(value)


def _people(value: list[Any]) -> bool:
    return len(value) > 1 and isinstance(value[0], dict)


def _inline(value: dict[str, Any]) -> Any:
    table = tomlkit.inline_table()
    for key, each in value.items():
        table[key] = each
    return table
