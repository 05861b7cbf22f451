"""Read setup.py and setup.cfg: what they declare, without running them.

Called by :mod:`modelwright.project.adopting.reading`. Where both speak, setup.cfg wins, as in setuptools.
Source: setuptools documentation, "Configuring setuptools using setup.cfg files".
"""

from __future__ import annotations

import configparser
from typing import Any

from modelwright.errors import AdoptError
from modelwright.project.adopting.checking import check_table
from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.finding_packages import find_packages
from modelwright.project.adopting.setuptools_metadata import declare
from modelwright.project.adopting.static_code import parse, read_names, read_setup
from modelwright.project.adopting.static_values import Unread, World
from modelwright.project.adopting.tree import Tree

_NAMES = (
    "name version description long_description long_description_content_type author author_email maintainer "
    "maintainer_email url download_url license"
)
_METADATA = tuple(_NAMES.split())
_OLD_SPELLINGS = {"summary": "description", "home_page": "url", "home-page": "url", "author-email": "author_email"}


def read_setup_files(tree: Tree) -> Declared | None:
    """Return what setup.py and setup.cfg declare; ``None`` if neither is there or says anything.

    Raises:
        AdoptError: One of them is malformed, compiles code, or never calls ``setup``.
    """
    keywords: dict[str, Any] = {}
    style = ""
    if "setup.py" in tree.known:
        source = tree.text("setup.py")
        where = str(tree.root / "setup.py")
        if source.strip():
            keywords |= read_setup(World(tree, "setup.py"), parse(source, where=where))
            style = "setup.py"
    configured = _configured(tree)
    if not style and "name" not in configured and "packages" not in configured:
        return None
    if "name" in configured or not style:
        style = "setup.cfg"
    declared = declare(style, keywords | configured, tree=tree, where=str(tree.root / style))
    check_table(declared.table, where=str(tree.root / style))
    declared.removable = [file for file in ("setup.py", "setup.cfg", "MANIFEST.in") if file in tree.known]
    if "setup.cfg" in declared.removable and _other_sections(tree):
        declared.removable[declared.removable.index("setup.cfg")] = "setup.cfg: [metadata] and [options…]"
    return declared


def _parser(tree: Tree) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=", ":"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(tree.text("setup.cfg"))
    except configparser.Error as error:
        raise AdoptError("setup.cfg cannot be read.", where=str(tree.root / "setup.cfg"), why=str(error)) from error
    return parser


def _other_sections(tree: Tree) -> bool:
    return any(name != "metadata" and not name.startswith("options") for name in _parser(tree).sections())


def _configured(tree: Tree) -> dict[str, Any]:
    """Return the keywords that setup.cfg gives."""
    if "setup.cfg" not in tree.known:
        return {}
    parser = _parser(tree)
    section = {name: dict(parser[name]) for name in parser.sections()}
    metadata = {_OLD_SPELLINGS.get(k, k): v for k, v in section.get("metadata", {}).items()}
    options = section.get("options", {})
    found: dict[str, Any] = {name: _value(metadata[name], tree) for name in _METADATA if name in metadata}
    if "keywords" in metadata:
        found["keywords"] = _listed(metadata["keywords"])
    if "classifiers" in metadata:
        text = _value(metadata["classifiers"], tree)
        found["classifiers"] = text if isinstance(text, Unread) else text.splitlines()
    if "project_urls" in metadata:
        found["project_urls"] = dict(_pairs(metadata["project_urls"]))
    found |= _options(options, section, tree)
    return found


def _options(options: dict[str, str], section: dict[str, dict[str, str]], tree: Tree) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "python_requires" in options:
        found["python_requires"] = options["python_requires"]
    if "install_requires" in options:
        found["install_requires"] = _value(options["install_requires"], tree)
    if "package_dir" in options:
        found["package_dir"] = dict(_pairs(options["package_dir"]))
    if "packages" in options:
        found["packages"] = _packages(options["packages"], section.get("options.packages.find", {}), tree)
    for name in ("py_modules", "scripts"):
        if name in options:
            found[name] = _listed(options[name])
    if "include_package_data" in options:
        found["include_package_data"] = options["include_package_data"].strip().lower() in ("1", "true", "yes", "on")
    if "entry_points" in options:
        found["entry_points"] = _value(options["entry_points"], tree)
    for name, keyword in (("extras_require", "extras_require"), ("entry_points", "entry_points")):
        if given := section.get(f"options.{name}"):
            found[keyword] = {key: value.splitlines() for key, value in given.items()}
    if given := section.get("options.package_data"):
        found["package_data"] = {key: _listed(value) for key, value in given.items()}
    if given := section.get("options.data_files"):
        found["data_files"] = [[key, _listed(value)] for key, value in given.items()]
    return found


def _packages(text: str, find: dict[str, str], tree: Tree) -> Any:
    if not text.strip().startswith("find"):
        return _listed(text)
    include = _listed(find.get("include", "")) or ["*"]
    return find_packages(
        tree, find.get("where", "."), _listed(find.get("exclude", "")), include, namespaces="namespace" in text
    )


def _value(text: str, tree: Tree) -> Any:
    """Follow ``file: README.md`` and ``attr: churn.__version__``; anything else is what it says."""
    if text.startswith("file:"):
        names = [name.strip() for name in text[5:].split(",")]
        missing = next((name for name in names if name not in tree.known), None)
        if missing:
            return Unread(f"it reads {missing}, which is no file of the project", 0)
        return "\n".join(tree.text(name) for name in names)
    if text.startswith("attr:"):
        return attribute(text[5:].strip(), tree)
    return text.strip()


def attribute(name: str, tree: Tree) -> Any:
    """Return what a dotted name of the project is assigned (``churn.__version__``), read from its source."""
    file, _, attribute_name = World(tree, "").module_of(name)
    if not file:
        return Unread(f"there is no module for {name}", 0)
    names = read_names(World(tree, file), parse(tree.text(file), where=str(tree.root / file)))
    return names.get(attribute_name, Unread(f"{file} assigns no {attribute_name}", 0))


def _listed(text: str) -> list[str]:
    """Return the items of a setup.cfg list: a line for each, or commas between them."""
    parts = text.splitlines() if "\n" in text.strip() else text.split(",")
    return [part.strip() for part in parts if part.strip() and not part.strip().startswith("#")]


def _pairs(text: str) -> list[tuple[str, str]]:
    cut = [line.partition("=") for line in _listed(text)]
    return [(name.strip(), value.strip()) for name, _, value in cut]
