"""Compare the metadata of the old wheel with what the proposed [project] table says, field by field.

Called by :mod:`modelwright.project.adopting.adopt`, and by its tests with the wheel that modelwright really builds.
Two spellings of the same thing are the same: a licence's name and its SPDX expression, ``Home-page`` and a project URL
of that name, author and author's address in one field or two.
Source: PyPA "Core metadata specifications"; PEP 621, "Specification".
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Mapping
from email.utils import getaddresses
from typing import Any

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from modelwright.project.adopting.licences import spdx
from modelwright.project.adopting.report import Difference

Fields = dict[str, frozenset[str]]
"""Values by field, normalised so that equal means equal."""


def fields_of_wheel(metadata: str, entry_points: str = "") -> Fields:
    """Return the fields of a wheel's METADATA and entry_points.txt."""
    raw, _ = parse_email(metadata)
    extras = frozenset(canonicalize_name(extra) for extra in raw.get("provides_extra", []))
    return _nonempty(
        {
            "Name": {canonicalize_name(raw.get("name", ""))},
            "Version": {raw.get("version", "")},
            "Summary": {" ".join(raw.get("summary", "").split())},
            "Description": {_prose(raw.get("description", ""))},
            "Description-Content-Type": {raw.get("description_content_type", "").partition(";")[0]},
            "Requires-Python": {str(SpecifierSet(raw.get("requires_python", "")))},
            "Keywords": {word for text in raw.get("keywords", []) for word in re.split(r"[,\s]+", text)},
            "Classifier": {each for each in raw.get("classifiers", []) if not each.startswith("License ::")},
            "License": {_licence(raw)},
            "Author": _people(raw.get("author", ""), raw.get("author_email", "")),
            "Maintainer": _people(raw.get("maintainer", ""), raw.get("maintainer_email", "")),
            "Project-URL": _urls(raw),
            "Requires-Dist": {_requirement(text) for text in raw.get("requires_dist", [])},
            "Provides-Extra": extras,
            "Entry-Point": _points(entry_points),
        }
    )


def fields_of_table(table: Mapping[str, Any], description: str = "") -> Fields:
    """Return the fields that a [project] table gives.

    Args:
        table: The table; its name and version static.
        description: The text of the readme.
    """
    readme = table.get("readme", {})
    said = {"file": readme} if isinstance(readme, str) else readme
    kinds = {"md": "text/markdown", "rst": "text/x-rst", "txt": "text/plain"}
    kind = said.get("content-type") or kinds.get(str(said.get("file", "")).rpartition(".")[2], "")
    extras = table.get("optional-dependencies", {})
    requires = [*table.get("dependencies", ()), *(_conditional(t, e) for e, ts in extras.items() for t in ts)]
    groups = {"console_scripts": table.get("scripts", {}), "gui_scripts": table.get("gui-scripts", {})}
    points = {**groups, **table.get("entry-points", {})}
    return _nonempty(
        {
            "Name": {canonicalize_name(str(table.get("name", "")))},
            "Version": {str(table.get("version", ""))},
            "Summary": {" ".join(str(table.get("description", "")).split())},
            "Description": {_prose(description)},
            "Description-Content-Type": {str(kind).partition(";")[0]},
            "Requires-Python": {str(SpecifierSet(table.get("requires-python", "")))},
            "Keywords": {word for text in table.get("keywords", ()) for word in re.split(r"[,\s]+", text)},
            "Classifier": {each for each in table.get("classifiers", ()) if not each.startswith("License ::")},
            "License": {str(table.get("license", ""))} if isinstance(table.get("license", ""), str) else set(),
            "Author": _persons(table.get("authors", ())),
            "Maintainer": _persons(table.get("maintainers", ())),
            "Project-URL": {f"{label.lower()} {url}" for label, url in table.get("urls", {}).items()},
            "Requires-Dist": {_requirement(text) for text in requires},
            "Provides-Extra": {str(canonicalize_name(extra)) for extra in extras},
            "Entry-Point": {_point(g, n, r) for g, held in points.items() for n, r in held.items()},
        }
    )


def compare(old: Fields, new: Fields, reasons: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[Difference, ...]]:
    """Return the fields that are equal, and those that differ.

    Args:
        old: Fields of the old wheel.
        new: Fields of the new project.
        reasons: Why a field is meant to differ, by field.
    """
    equal, differences = [], []
    for field in sorted(old.keys() | new.keys()):
        before, after = old.get(field, frozenset()), new.get(field, frozenset())
        if before == after:
            equal.append(field)
            continue
        shown = [tuple(sorted(_short(value) for value in values)) for values in (before - after, after - before)]
        differences.append(Difference(field=field, old=shown[0], new=shown[1], why=reasons.get(field, "")))
    return tuple(equal), tuple(differences)


def _nonempty(fields: Mapping[str, Iterable[str]]) -> Fields:
    kept = {name: frozenset(value for value in values if value) for name, values in fields.items()}
    return {name: values for name, values in kept.items() if values}


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"


def _prose(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _licence(raw: RawMetadata) -> str:
    if raw.get("license_expression"):
        return raw["license_expression"]
    named = [spdx(each) for each in raw.get("classifiers", []) if each.startswith("License ::")]
    return spdx(raw.get("license", "")) or (named[0] if len(named) == 1 else "")


def _urls(raw: RawMetadata) -> set[str]:
    named = {"homepage": raw.get("home_page", ""), "download": raw.get("download_url", "")}
    urls = {f"{label} {url}" for label, url in named.items() if url}
    return urls | {f"{label.lower()} {url}" for label, url in raw.get("project_urls", {}).items()}


def _people(names: str, mails: str) -> set[str]:
    """Return everybody's name and everybody's address, each for itself."""
    pairs = getaddresses([mails])
    found = {name.strip() for name in names.split(",")} | {name for name, _ in pairs} | {mail for _, mail in pairs}
    return {text for text in found if text and text != "UNKNOWN"}


def _persons(persons: Iterable[Mapping[str, str]]) -> set[str]:
    return {part.strip() for person in persons for text in person.values() for part in text.split(",")}


def _requirement(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement).replace('(extra == "', 'extra == "').replace("'", '"')


def _conditional(text: str, extra: str) -> str:
    requirement = Requirement(text)
    condition = f'extra == "{canonicalize_name(extra)}"'
    marker = f"({requirement.marker}) and {condition}" if requirement.marker else condition
    requirement.marker = None
    return f"{requirement} ; {marker}"


def _point(group: str, name: str, reference: str) -> str:
    return f"{group}: {name} = " + "".join(reference.split())


def _points(text: str) -> set[str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return {_point(group, name, parser[group][name]) for group in parser.sections() for name in parser[group]}
