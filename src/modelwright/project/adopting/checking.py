"""Check that a [project] table has the shapes and the requirements that PEP 621 asks for, before anything relies on it.

Called by :mod:`modelwright.project.adopting.reading` for tables that people wrote. Source: PEP 621; PEP 508; PEP 440.
"""

from __future__ import annotations

from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from modelwright.errors import AdoptError

_TEXTS = ("name", "version", "description", "requires-python")
_LISTS = ("dependencies", "keywords", "classifiers", "dynamic")
_TABLES = ("urls", "scripts", "gui-scripts")


def check_table(table: dict[str, Any], *, where: str) -> None:
    """Check a [project] table.

    Raises:
        AdoptError: A field has another shape, or a requirement or version range is malformed; the field is named.
    """
    for field in _TEXTS:
        _check(field, isinstance(table.get(field, ""), str), "text", where)
    for field in _LISTS:
        _check(field, _is_texts(table.get(field, [])), "a list of texts", where)
    for field in _TABLES:
        _check(field, _is_table(table.get(field, {}), str), "a table of texts", where)
    for field in ("authors", "maintainers"):
        said = table.get(field, [])
        fits = isinstance(said, list) and all(_is_table(person, str) for person in said)
        _check(field, fits, "a list of tables with name or email", where)
    points = table.get("entry-points", {})
    fits = _is_table(points, dict) and all(_is_table(group, str) for group in points.values())
    _check("entry-points", fits, "a table of tables", where)
    extras = table.get("optional-dependencies", {})
    fits = _is_table(extras, list) and all(_is_texts(lines) for lines in extras.values())
    _check("optional-dependencies", fits, "a table of lists of texts", where)
    _check("readme", isinstance(table.get("readme", ""), str | dict), "a path or a table", where)
    for line in (*table.get("dependencies", ()), *(line for lines in extras.values() for line in lines)):
        _check_requirement(line, where)
    try:
        SpecifierSet(table.get("requires-python", ""))
    except InvalidSpecifier as error:
        raise AdoptError("The range of Python versions is malformed.", where=where, why=str(error)) from error


def _check_requirement(line: str, where: str) -> None:
    try:
        Requirement(line)
    except InvalidRequirement as error:
        hint = "Write it as in PEP 508: 'numpy>=2'."
        raise AdoptError(f"{line!r} is no requirement.", where=where, why=str(error), hint=hint) from error


def _check(field: str, fits: bool, wanted: str, where: str) -> None:
    if not fits:
        raise AdoptError(f"project.{field} has to be {wanted}.", where=f"{where}: project.{field}", why="PEP 621.")


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_table(value: Any, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(each, kind) for each in value.values())
