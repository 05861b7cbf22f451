"""Say in the words of PEP 621 what the keywords of setuptools' ``setup()`` say.

Called for setup.py and setup.cfg, whose keywords mean the same. It reads nothing and decides nothing about packages.
Source: setuptools documentation, "Keywords"; PEP 621; PEP 639; Core Metadata 2.4.
"""

from __future__ import annotations

import configparser
import re
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from modelwright.errors import AdoptError
from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.licences import spdx
from modelwright.project.adopting.report import Finding
from modelwright.project.adopting.static_values import Function, Imported, Located, ParsedRequirement, Unread
from modelwright.project.adopting.tree import Tree

_IGNORED = (
    "zip_safe platforms provides obsoletes requires test_suite tests_require setup_requires test_loader "
    "eager_resources dependency_links namespace_packages license_files license_file command_options options "
    "long_description_content_type include_dirs python_modules convert_2to3 use_2to3 script_name script_args"
)
IGNORED = frozenset(_IGNORED.split())
"""Keywords without an equivalent that anything still reads, or that are read together with another."""
_METADATA = (
    "name version description long_description author author_email maintainer maintainer_email url download_url "
    "project_urls license classifiers keywords python_requires install_requires extras_require entry_points scripts **"
)
METADATA = frozenset(_METADATA.split())
"""Keywords that end up in the wheel's metadata: each has to be known. The others only choose files."""
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("keywords", "classifiers", "install_requires", "py_modules", "scripts"), (list, str)),
    **dict.fromkeys(("package_dir", "package_data", "extras_require", "project_urls"), (dict,)),
    **dict.fromkeys(("packages", "data_files"), (list,)),
    "entry_points": (dict, str),
}
"""What a keyword's value has to be; any other is printed as text."""
COMPILES = ("ext_modules", "ext_package", "libraries", "cffi_modules", "rust_extensions")


def declare(style: str, keywords: dict[str, Any], *, tree: Tree, where: str) -> Declared:
    """Return what a call of ``setup()`` declares.

    Args:
        style: ``setup.py`` or ``setup.cfg``.
        keywords: Its keywords; :class:`Unread` where a value is not known.
        tree: The project, in which the readme is looked for.
        where: What to call the source in messages.

    Raises:
        AdoptError: It compiles code, or a requirement or entry point is malformed.
    """
    compiled = next((n for n in COMPILES if isinstance(keywords.get(n), Unread) or keywords.get(n)), None)
    if compiled:
        raise AdoptError(
            "The project compiles code.",
            where=f"{where}: {compiled}",
            why="A model package is pure Python, so that one wheel fits every platform.",
            hint="Publish the compiled part as a distribution of its own and require that.",
        )
    known, hidden = _split(keywords, where)
    _check_kinds(known, where)
    declared = Declared(style, unread=[each for each in hidden if each[0] in METADATA])
    declared.findings += [_unknown(*each) for each in hidden if each[0] not in METADATA]
    _describe(declared, known, tree)
    _people_and_places(declared, known)
    _require(declared, known, where)
    _offer(declared, known, where)
    _contain(declared, known)
    _mention(declared, known)
    return declared


def _split(keywords: dict[str, Any], where: str) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """Separate what is known; a list or table of which one item is not known is not known."""
    known: dict[str, Any] = {}
    unread = []
    for name, value in keywords.items():
        hidden = _hidden(value)
        if hidden is None:
            known[name] = _plain(value)
        elif name not in IGNORED and name != "cmdclass":
            unread.append((name, hidden.why, f"{where}, line {hidden.line}"))
    return known, unread


def _check_kinds(known: dict[str, Any], where: str) -> None:
    for name, kinds in _KINDS.items():
        if known.get(name) is not None and not isinstance(known[name], kinds):
            wanted = " or ".join(kind.__name__ for kind in kinds)
            raise AdoptError(f"{name} has to be a {wanted}.", where=where, why=f"It is {known[name]!r}.")


def _unknown(field: str, why: str, place: str) -> Finding:
    what = f"{field} cannot be read without running the project ({why})."
    return Finding(severity="note", file=place.rpartition("/")[2], what=what, why="It only chooses files.")


def _hidden(value: Any) -> Unread | None:
    if isinstance(value, Unread):
        return value
    if isinstance(value, Imported | Function):
        return Unread("it is known only when the code runs", 0)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | set | tuple) else ()
    return next((found for item in items if (found := _hidden(item)) is not None), None)


def _plain(value: Any) -> Any:
    if isinstance(value, Located):
        return value.path
    if isinstance(value, ParsedRequirement):
        return value.requirement
    if isinstance(value, dict):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set) else value)]
    return value


def _describe(declared: Declared, known: dict[str, Any], tree: Tree) -> None:
    table = declared.table
    for name, field in (("name", "name"), ("version", "version"), ("description", "description")):
        if known.get(name):
            table[field] = " ".join(str(known[name]).split())
    text, kind = known.get("long_description"), known.get("long_description_content_type")
    if text:
        file = _readme_file(str(text), tree)
        kinds = {"md": "text/markdown", "rst": "text/x-rst", "txt": "text/plain"}
        kind = kind or (kinds.get(file.rpartition(".")[2], "text/x-rst") if file else "text/x-rst")
        table["readme"] = {"file": file, "content-type": kind} if file else {"text": str(text), "content-type": kind}
    if known.get("python_requires"):
        table["requires-python"] = str(known["python_requires"])
    words = known.get("keywords")
    if words:
        said = re.split(r"\s*,\s*" if "," in words else r"\s+", words.strip()) if isinstance(words, str) else words
        table["keywords"] = [word for word in said if word]
    _license(declared, known)


def _readme_file(text: str, tree: Tree) -> str:
    """Return the file of the project whose text this is; empty if it was put together from several."""
    candidates = [file for file in tree.files if "/" not in file and file.endswith((".md", ".rst", ".txt"))]
    return next((file for file in candidates if tree.text(file).strip() == text.strip()), "")


def _license(declared: Declared, known: dict[str, Any]) -> None:
    classifiers = [str(each) for each in _lines(known.get("classifiers"))]
    said = str(known.get("license") or "")
    named = [spdx(each) for each in classifiers if each.startswith("License ::")]
    expression = spdx(said) if said else named[0] if len(named) == 1 else ""
    others = [each for each in classifiers if not each.startswith("License ::")]
    if expression:
        declared.table["license"] = expression
    elif said or named:
        declared.license_text = said or "; ".join(each for each in classifiers if each.startswith("License ::"))
        declared.findings.append(
            Finding(
                severity="warning",
                file=declared.style,
                what=f"The licence {declared.license_text[:60]!r} names no licence that SPDX knows.",
                why="PEP 639: indexes take expressions such as 'BSD-3-Clause'; it is left out of the proposal.",
                fix='Write license = "BSD-3-Clause", or "LicenseRef-Proprietary" for your own terms.',
            )
        )
    if others:
        declared.table["classifiers"] = others


def _people_and_places(declared: Declared, known: dict[str, Any]) -> None:
    for role in ("author", "maintainer"):
        person = {"name": known.get(role), "email": known.get(f"{role}_email")}
        filled = {key: str(value) for key, value in person.items() if value}
        if filled:
            declared.table[f"{role}s"] = _persons(filled)
    urls = {}
    if known.get("url"):
        urls["Homepage"] = str(known["url"])
    if known.get("download_url"):
        urls["Download"] = str(known["download_url"])
    urls |= {str(label): str(url) for label, url in (known.get("project_urls") or {}).items()}
    if urls:
        declared.table["urls"] = urls


def _persons(person: dict[str, str]) -> list[dict[str, str]]:
    """Give several people a table each where names and addresses can be told apart."""
    names, mails = person.get("name", "").split(","), person.get("email", "").split(",")
    if len(names) == len(mails) > 1:
        return [{"name": n.strip(), "email": m.strip()} for n, m in zip(names, mails, strict=True)]
    return [person]


def _lines(value: Any) -> list[str]:
    """Return a list that may be given as one text with a line for each."""
    if isinstance(value, str):
        value = value.splitlines()
    elif value is not None and not isinstance(value, list):
        value = [value]
    return [str(each).strip() for each in value or () if str(each).strip() and not str(each).strip().startswith("#")]


def _require(declared: Declared, known: dict[str, Any], where: str) -> None:
    dependencies = [_requirement(line, f"{where}: install_requires") for line in _lines(known.get("install_requires"))]
    extras: dict[str, list[str]] = {}
    for extra, lines in (known.get("extras_require") or {}).items():
        name, _, marker = str(extra).partition(":")
        for line in _lines(lines):
            text = _requirement(_with_marker(line, marker), f"{where}: extras_require[{extra!r}]")
            (extras.setdefault(name, []) if name else dependencies).append(text)
        if name:
            extras.setdefault(name, [])
    if dependencies:
        declared.table["dependencies"] = dependencies
    if extras:
        declared.table["optional-dependencies"] = extras


def _with_marker(line: str, marker: str) -> str:
    return f"{line}; {marker}" if marker and ";" not in line else line


def _requirement(line: str, where: str) -> str:
    try:
        return str(Requirement(line))
    except InvalidRequirement as error:
        raise AdoptError(
            f"{line!r} is no requirement.", where=where, why=str(error), hint="Write it as in PEP 508: 'numpy>=2'."
        ) from error


def _offer(declared: Declared, known: dict[str, Any], where: str) -> None:
    """Read entry points, given as a table of lists or as the text of an INI file."""
    given = known.get("entry_points") or {}
    groups = _ini(given, where) if isinstance(given, str) else given
    for group, points in groups.items():
        pairs = dict(_point(line, f"{where}: entry_points[{group!r}]") for line in _lines(points))
        if not pairs:
            continue
        if group in ("console_scripts", "gui_scripts"):
            declared.table["scripts" if group == "console_scripts" else "gui-scripts"] = pairs
        else:
            declared.table.setdefault("entry-points", {})[group] = pairs
    declared.scripts = [str(script).removeprefix("./") for script in known.get("scripts") or ()]


def _ini(text: str, where: str) -> dict[str, list[str]]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise AdoptError("The entry points cannot be read.", where=where, why=str(error)) from error
    return {group: [f"{name} = {value}" for name, value in parser[group].items()] for group in parser.sections()}


def _point(line: str, where: str) -> tuple[str, str]:
    name, equals, reference = line.partition("=")
    if not equals:
        raise AdoptError(f"{line!r} is no entry point.", where=where, hint="Write 'name = module:function'.")
    return name.strip(), reference.strip()


def _contain(declared: Declared, known: dict[str, Any]) -> None:
    declared.sources = {str(k): str(v).strip("/") for k, v in (known.get("package_dir") or {}).items()}
    if "packages" in known:
        declared.packages = [str(each) for each in known["packages"] or ()]
    given = known.get("package_data") or {}
    declared.package_data = {str(k) if k != "*" else "": _lines_or_words(v) for k, v in given.items()}
    declared.includes_data = bool(known.get("include_package_data", False))
    declared.modules = [str(each) for each in known.get("py_modules") or ()]
    for item in known.get("data_files") or ():
        files = item[1] if isinstance(item, list) and len(item) == 2 else [item]
        declared.data_files += [str(each) for each in files]


def _lines_or_words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) and "\n" not in value else _lines(value)


def _mention(declared: Declared, known: dict[str, Any]) -> None:
    """Say what has no equivalent and does not vanish silently."""
    said = {
        "cmdclass": "Build steps of its own run no more: modelwright builds from files as they are.",
        "setup_requires": "What setup.py needed to run is needed no more.",
        "tests_require": "pip has not read this since 2019.",
        "dependency_links": "No installer has read this since pip 19.",
    }
    for name in sorted(said.keys() & {key for key, value in known.items() if value}):
        what = f"{name} has no equivalent and is left out."
        declared.findings.append(Finding(severity="note", file=declared.style, what=what, why=said[name]))
