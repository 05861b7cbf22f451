"""Take a project's metadata from the wheel that its own backend builds: ``--run-setup``.

Called by :mod:`modelwright.project.adopting.adopt` where the files of a project cannot be read without running them
and the user allows that.
Source: PyPA "Core metadata specifications"; PEP 621.
"""

from __future__ import annotations

import configparser
from email.utils import getaddresses
from typing import Any

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import Requirement

from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.licences import spdx
from modelwright.project.adopting.old_wheel import Wheel
from modelwright.project.adopting.tree import Tree


def declared_by(wheel: Wheel, tree: Tree, *, style: str) -> Declared:
    """Return what the metadata of a wheel declare."""
    raw, _ = parse_email(wheel.metadata)
    declared = Declared(style, removable=[file for file in ("setup.py", "setup.cfg") if file in tree.known])
    table = declared.table
    for field, value in (
        ("name", raw.get("name")),
        ("version", raw.get("version")),
        ("description", raw.get("summary")),
        ("requires-python", raw.get("requires_python")),
        ("keywords", [word for text in raw.get("keywords", []) for word in text.split(",")]),
        ("classifiers", [text for text in raw.get("classifiers", []) if not text.startswith("License ::")]),
        ("license", raw.get("license_expression") or spdx(raw.get("license", ""))),
        ("authors", _people(raw.get("author", ""), raw.get("author_email", ""))),
        ("maintainers", _people(raw.get("maintainer", ""), raw.get("maintainer_email", ""))),
        ("urls", _urls(raw)),
    ):
        if value and value != "UNKNOWN":
            table[field] = value
    _readme(table, raw, tree)
    _requirements(table, raw)
    _points(table, wheel.entry_points)
    declared.scripts = [file for file in tree.files if file.rpartition("/")[2] in wheel.scripts]
    declared.packages = sorted({file.split("/")[0] for file in wheel.files if "/" in file})
    return declared


def _people(names: str, mails: str) -> list[dict[str, str]]:
    people = [
        {"name": name, "email": mail} if name else {"email": mail} for name, mail in getaddresses([mails]) if mail
    ]
    plain = [name.strip() for name in names.split(",") if name.strip()]
    if len(plain) == len(people) == 1 and "name" not in people[0]:
        return [{"name": plain[0], **people[0]}]
    return [{"name": name} for name in plain] + people


def _urls(raw: RawMetadata) -> dict[str, str]:
    named = {"Homepage": raw.get("home_page", ""), "Download": raw.get("download_url", "")}
    return {label: url for label, url in named.items() if url} | dict(raw.get("project_urls", {}))


def _readme(table: dict[str, Any], raw: RawMetadata, tree: Tree) -> None:
    text = raw.get("description", "")
    if not text.strip():
        return
    kind = raw.get("description_content_type", "").partition(";")[0] or "text/x-rst"
    candidates = [file for file in tree.files if "/" not in file and file.endswith((".md", ".rst", ".txt"))]
    file = next((each for each in candidates if tree.text(each).strip() == text.strip()), "")
    table["readme"] = {"file": file, "content-type": kind} if file else {"text": text, "content-type": kind}


def _requirements(table: dict[str, Any], raw: RawMetadata) -> None:
    """Tell requirements of an extra from those of everybody: the marker names the extra."""
    required: list[str] = []
    extras: dict[str, list[str]] = {str(extra): [] for extra in raw.get("provides_extra", [])}
    for text in raw.get("requires_dist", []):
        extra = next((name for name in extras if f"extra == '{name}'" in text or f'extra == "{name}"' in text), None)
        if extra is None:
            required.append(str(Requirement(text)))
            continue
        head, _, marker = text.partition(";")
        rest = " and ".join(part for part in marker.strip().split(" and ") if "extra ==" not in part).strip(" ()")
        extras[extra].append(str(Requirement(f"{head}; {rest}" if rest else head)))
    if required:
        table["dependencies"] = required
    if extras:
        table["optional-dependencies"] = extras


def _points(table: dict[str, Any], text: str) -> None:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    for group in parser.sections():
        points = dict(parser[group])
        if group in ("console_scripts", "gui_scripts"):
            table["scripts" if group == "console_scripts" else "gui-scripts"] = points
        else:
            table.setdefault("entry-points", {})[group] = points
