"""Say in the words of PEP 621 what a ``[tool.poetry]`` table says.

Called by :mod:`modelwright.project.adopting.reading`. Source: Poetry documentation, "The pyproject.toml file" and
"Dependency specification" (caret and tilde requirements, multiple constraints).
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from modelwright.errors import AdoptError
from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.licences import spdx
from modelwright.project.adopting.report import Finding


def declare_poetry(poetry: dict[str, Any], *, where: str) -> Declared:
    """Return what a ``[tool.poetry]`` table declares.

    Raises:
        AdoptError: A dependency is malformed.
    """
    declared = Declared("poetry", removable=["pyproject.toml: [tool.poetry…]", "poetry.lock"])
    table = declared.table
    for field in ("name", "version", "description"):
        if poetry.get(field):
            table[field] = str(poetry[field])
    readme = poetry.get("readme")
    if readme:
        table["readme"] = readme if isinstance(readme, str) else readme[0]
    _license(declared, poetry)
    for role in ("authors", "maintainers"):
        if poetry.get(role):
            table[role] = [_person(str(text)) for text in poetry[role]]
    for field in ("keywords", "classifiers"):
        values = [each for each in poetry.get(field, ()) if not each.startswith("License ::")]
        if values:
            table[field] = values
    _urls(table, poetry)
    _dependencies(declared, poetry, where)
    _commands(table, poetry)
    _packages(declared, poetry)
    return declared


def _license(declared: Declared, poetry: dict[str, Any]) -> None:
    said = str(poetry.get("license") or "")
    if spdx(said):
        declared.table["license"] = spdx(said)
    elif said:
        declared.license_text = said
        what = f"The licence {said!r} is no SPDX expression and is left out."
        declared.findings.append(
            Finding(severity="warning", file="pyproject.toml", what=what, why="PEP 639 asks for one.")
        )


def _person(text: str) -> dict[str, str]:
    name, mail = parseaddr(text)
    return {key: value for key, value in (("name", name), ("email", mail)) if value} or {"name": text}


def _urls(table: dict[str, Any], poetry: dict[str, Any]) -> None:
    named = {
        name.capitalize(): poetry[name] for name in ("homepage", "repository", "documentation") if poetry.get(name)
    }
    urls = named | dict(poetry.get("urls", {}))
    if urls:
        table["urls"] = urls


def _dependencies(declared: Declared, poetry: dict[str, Any], where: str) -> None:
    given = dict(poetry.get("dependencies", {}))
    python = given.pop("python", None)
    if python:
        declared.table["requires-python"] = specifier(str(python), where=f"{where}: python")
    extras = {extra: [str(n).lower() for n in names] for extra, names in poetry.get("extras", {}).items()}
    optional: dict[str, list[str]] = {extra: [] for extra in extras}
    required: list[str] = []
    for name, value in given.items():
        lines = _lines(name, value, f"{where}: tool.poetry.dependencies.{name}", declared)
        holders = [extra for extra, names in extras.items() if name.lower() in names]
        if isinstance(value, dict) and value.get("optional"):
            for extra in holders:
                optional[extra] += lines
        else:
            required += lines
    if required:
        declared.table["dependencies"] = required
    if optional:
        declared.table["optional-dependencies"] = optional
    groups = {name: group.get("dependencies", {}) for name, group in poetry.get("group", {}).items()}
    if poetry.get("dev-dependencies"):
        groups["dev"] = poetry["dev-dependencies"] | groups.get("dev", {})
    for group, members in groups.items():
        place = f"{where}: tool.poetry.group.{group}"
        declared.groups[group] = [line for n, v in members.items() for line in _lines(n, v, place, declared)]


def _lines(name: str, value: Any, where: str, declared: Declared) -> list[str]:
    """Return the requirements for one entry: text, a table, or a list of tables for different environments."""
    if isinstance(value, list):
        return [line for each in value for line in _lines(name, each, where, declared)]
    table = value if isinstance(value, dict) else {"version": value}
    if "path" in table:
        declared.findings.append(
            Finding(
                severity="blocks",
                file="pyproject.toml",
                what=f"{name} is required from the folder {table['path']!r}.",
                why="Nobody who installs the wheel has that folder.",
                fix="Publish it and require its version.",
            )
        )
        return []
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    if "git" in table:
        revision = next((f"@{table[key]}" for key in ("rev", "tag", "branch") if key in table), "")
        text = f"{name}{extras} @ git+{table['git']}{revision}"
    elif "url" in table:
        text = f"{name}{extras} @ {table['url']}"
    else:
        text = f"{name}{extras}{specifier(str(table.get('version', '*')), where=where)}"
    markers = [str(table["markers"])] if table.get("markers") else []
    if table.get("python"):
        spec = specifier(str(table["python"]), where=where)
        markers += [_python_marker(each) for each in spec.split(",") if each]
    if table.get("platform"):
        markers.append(f'sys_platform == "{table["platform"]}"')
    return [
        _checked(
            f"{text} ; {' and '.join(f'({m})' if ' or ' in m else m for m in markers)}" if markers else text, where
        )
    ]


def _python_marker(spec: str) -> str:
    match = re.fullmatch(r"([<>=!~]+)(.+)", spec)
    operator, version = match.groups() if match else ("==", spec)
    variable = "python_version" if version.count(".") < 2 else "python_full_version"
    return f'{variable} {operator} "{version}"'


def _checked(text: str, where: str) -> str:
    try:
        return str(Requirement(text))
    except InvalidRequirement as error:
        raise AdoptError(f"{text!r} is no requirement.", where=where, why=str(error)) from error


def specifier(text: str, *, where: str = "pyproject.toml") -> str:
    """Return PEP 440's way of saying one of Poetry's version constraints.

    Raises:
        AdoptError: It is none that PEP 440 can say.

    Example:
        >>> specifier("^1.2.3"), specifier("^0.3"), specifier("~1.2"), specifier("*"), specifier("1.5")
        ('>=1.2.3,<2.0.0', '>=0.3,<0.4', '>=1.2,<1.3', '', '==1.5')
    """
    if "||" in text or "|" in text:
        raise AdoptError(
            f"The constraint {text!r} means one or another range, which PEP 440 cannot say.",
            where=where,
            hint="Write one range, or a list of tables with markers.",
        )
    return ",".join(
        filter(None, (_one(part.strip(), where) for part in re.split(r"\s*,\s*|\s+(?=[<>=!~^])", text.strip())))
    )


def _one(part: str, where: str) -> str:
    if part in ("*", ""):
        return ""
    match = re.fullmatch(r"(\^|~(?!=)|~=|===?|!=|<=|>=|<|>)?\s*v?([^\s]+)", part)
    if match is None:
        raise AdoptError(f"{part!r} is no version constraint.", where=where)
    operator, version = match.groups()
    if operator in ("^", "~"):
        try:
            release = Version(version).release
        except InvalidVersion as error:
            raise AdoptError(f"{part!r} is no version constraint.", where=where, why=str(error)) from error
        return f">={version},<{_next(release, operator)}"
    if version.endswith("*") and operator in (None, "=="):
        return f"=={version}"
    return f"{'==' if operator in (None, '=') else operator}{version}"


def _next(release: tuple[int, ...], operator: str) -> str:
    """Return the first version that is too new: the left-most number that is not 0 (caret), the minor one (tilde)."""
    if operator == "^":
        position = next((n for n, number in enumerate(release) if number), len(release) - 1)
    else:
        position = min(1, len(release) - 1)
    rest = (0,) * (len(release) - position - 1)
    return ".".join(map(str, (*release[:position], release[position] + 1, *rest)))


def _commands(table: dict[str, Any], poetry: dict[str, Any]) -> None:
    scripts = {
        name: value if isinstance(value, str) else str(value.get("reference") or value.get("callable") or "")
        for name, value in poetry.get("scripts", {}).items()
    }
    if scripts:
        table["scripts"] = {name: reference for name, reference in scripts.items() if ":" in reference}
    if poetry.get("plugins"):
        table["entry-points"] = {group: dict(points) for group, points in poetry["plugins"].items()}


def _packages(declared: Declared, poetry: dict[str, Any]) -> None:
    given = poetry.get("packages") or ()
    if given:
        declared.packages = [str(each["include"]).split("/")[0] for each in given]
        declared.sources = {str(each["include"]).split("/")[0]: _folder(each) for each in given}
    for item in poetry.get("include") or ():
        path = item if isinstance(item, str) else str(item.get("path", ""))
        declared.data_files.append(path)


def _folder(package: dict[str, Any]) -> str:
    return str(PurePosixPath(str(package.get("from", "")), str(package["include"]).split("/")[0]))
