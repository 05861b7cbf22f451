"""Write Core Metadata: what an index and an installer need to know, from the manifest and the project.

Called by :mod:`modelwright.building.distinfo`; the same text is METADATA in the wheel and PKG-INFO in the sdist.
What [project] says statically wins; what it does not say comes from the manifest; a contradiction is refused.
Source: PyPA "Core metadata specifications" 2.4; PEP 621 ([project]); PEP 639 (licences).
"""

from __future__ import annotations

import re
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any, cast

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import InvalidMetadata, Metadata, RawMetadata, RFC822Message
from packaging.utils import canonicalize_name

from modelwright.building.abridging import abridged
from modelwright.building.licences import licence_files
from modelwright.building.project import Project
from modelwright.building.requirements import narrow_python, parse_requirement, unite
from modelwright.building.tags import interpreters, requires_python
from modelwright.errors import ProjectError
from modelwright.package import MODEL_FOLDER
from modelwright.spec.weights import weights_name, weights_requirement

VERSION = "2.4"
MARKDOWN = "text/markdown; charset=UTF-8; variant=GFM"
SUMMARY_LENGTH = 512
"""Longest Summary, characters: the limit that PyPI and twine share."""
_MAIL = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")
_README_TYPES = {".md": MARKDOWN, ".rst": "text/x-rst; charset=UTF-8", ".txt": "text/plain; charset=UTF-8"}


def core_metadata(project: Project) -> bytes:
    """Return the Core Metadata of a model package.

    Raises:
        ProjectError: [project] is invalid or contradicts the manifest; the message names the field.
        ManifestError: The environment in the manifest is malformed.
    """
    return _rendered(_collect(project), project)


def weights_metadata(project: Project) -> bytes:
    """Return the Core Metadata of the wheel that holds a model's weights.

    Raises:
        ProjectError: The licence in [project] is invalid or contradicts the manifest.
    """
    manifest = project.manifest
    name = manifest.name
    raw = {
        "metadata_version": VERSION,
        "name": weights_name(name),
        "version": manifest.weights,
        "summary": f"Weights of the model {name}, for every release from {manifest.weights} on that shares them",
        "description": f"`{name}` requires this distribution and checks its files; it is of no use by itself.\n",
        "description_content_type": MARKDOWN,
        "license_expression": _licence(project),
        "license_files": list(licence_files(project)),
    }
    return _rendered({name: value for name, value in raw.items() if value}, project)


def _rendered(raw: dict[str, Any], project: Project) -> bytes:
    try:
        message = Metadata.from_raw(cast(RawMetadata, raw)).as_rfc822()
    except ExceptionGroup as group:
        errors = [error for error in group.exceptions if isinstance(error, InvalidMetadata)]
        raise ProjectError(
            "The metadata break the Core Metadata specification.",
            where=project.where or f"{project.source}: manifest.json",
            why="; ".join(f"{error.field}: {error}" for error in errors),
        ) from group
    return _with_usual_spelling(message).as_bytes()


def _with_usual_spelling(message: RFC822Message) -> RFC822Message:
    """Spell ``Requires-Dist`` as every other tool does, for people who use ``grep``."""
    spelled = RFC822Message()
    for name, value in message.items():
        spelled[name.title()] = value
    spelled.set_payload(message.get_payload())
    return spelled


def _collect(project: Project) -> dict[str, Any]:
    manifest, table = project.manifest, project.table
    description, content_type = _description(project)
    raw: dict[str, Any] = {
        "metadata_version": VERSION,
        "name": manifest.name,
        "version": manifest.version,
        "summary": one_line(_string(project, "description", manifest.summary))[:SUMMARY_LENGTH].rstrip(),
        "description": description,
        "description_content_type": content_type,
        "keywords": [one_line(tag.replace(",", " ")) for tag in _strings(project, "keywords", manifest.tags)],
        "classifiers": _strings(project, "classifiers", ()),
        "project_urls": {one_line(label): one_line(url) for label, url in _table(project, "urls").items()},
        "license_expression": _licence(project),
        "license_files": list(licence_files(project)),
        "requires_python": str(_requires_python(project)),
        **_people(project),
        **_requirements(project),
    }
    for private in (text for text in raw["classifiers"] if table and text.startswith("License ::")):
        raise ProjectError(
            f"The classifier {private!r} is deprecated.",
            where=f"{project.where}: project.classifiers",
            why="PEP 639: licence classifiers and a licence expression exclude each other.",
            hint="Remove it and write license = with an SPDX expression.",
        )
    return {name: value for name, value in raw.items() if value}


def one_line(text: str) -> str:
    r"""Bring a text on one line, as a header needs it: white space and control characters become single spaces.

    Example:
        >>> one_line("Who leaves,\r\n and\x00when?")
        'Who leaves, and when?'
    """
    return " ".join(re.sub(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+", " ", text).split())


def _description(project: Project) -> tuple[str, str]:
    """Return the long description: the model card, unless the project names a readme of its own."""
    readme = project.table.get("readme")
    if readme is None:
        where = f"{project.package.import_name}/{MODEL_FOLDER}/card.md"
        return abridged(project.package.card, where=where), MARKDOWN
    said = {"file": readme} if isinstance(readme, str) else readme
    if not isinstance(said, dict) or ("file" in said) == ("text" in said):
        raise _wrong(project, "readme", "a path, or a table with file or text")
    if "text" in said:
        return str(said["text"]), str(said.get("content-type", MARKDOWN))
    path = project.root / str(said["file"])
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError("The readme cannot be read.", where=str(path), why=str(error)) from error
    kind = said.get("content-type", _README_TYPES.get(Path(path).suffix.lower()))
    if kind is None:
        raise ProjectError("The kind of readme is unknown.", where=str(path), hint="Use .md, .rst or .txt.")
    return text, str(kind)


def _licence(project: Project) -> str:
    said, captured = project.table.get("license"), project.manifest.license
    if said is not None and not isinstance(said, str):
        raise _wrong(project, "license", "an SPDX expression such as 'Apache-2.0' (PEP 639)")
    try:
        expressions = {str(canonicalize_license_expression(text)) for text in (said, captured) if text}
    except InvalidLicenseExpression as error:
        raise ProjectError(
            f"{said or captured!r} is no licence expression.",
            where=f"{project.where}: project.license" if said else "manifest.json: license",
            why=str(error),
            hint="Use SPDX identifiers: 'Apache-2.0', or 'LicenseRef-Proprietary' for your own terms.",
        ) from error
    if len(expressions) > 1:
        raise ProjectError(
            f"The project's licence is {said!r}, the captured model's is {captured!r}.",
            where=f"{project.where}: project.license",
            hint=f"Write license = {captured!r}, or capture the model again with license={said!r}.",
        )
    return next(iter(expressions), "")


def _requires_python(project: Project) -> Any:
    environment = project.manifest.environment
    proved, said = requires_python(environment), project.table.get("requires-python")
    if said is None:
        return proved
    where = f"{project.where}: project.requires-python"
    return narrow_python(proved, str(said), interpreters(environment), where=where)


def _people(project: Project) -> dict[str, str]:
    """Return authors and maintainers; whoever has a mail address stands in the ``-Email`` field (PEP 621)."""
    people = {"author": _persons(project, "authors"), "maintainer": _persons(project, "maintainers")}
    if "authors" not in project.table:
        people["author"] = [_owner(owner) for owner in project.manifest.owners]
    found = {}
    for role, persons in people.items():
        found[role] = ", ".join(one_line(name) for name, mail in persons if not mail)
        found[f"{role}_email"] = ", ".join(_address(name, mail) for name, mail in persons if mail)
    return found


def _owner(owner: str) -> tuple[str, str]:
    """Split ``Name <mail>``; anything else is a name."""
    name, mail = parseaddr(owner)
    return (name, mail) if _MAIL.fullmatch(mail) and mail in owner else (owner, "")


def _address(name: str, mail: str) -> str:
    """Join name and address; ``formataddr`` would encode what is not ASCII, and metadata are UTF-8."""
    plain = formataddr(("x" if not name.isascii() else one_line(name), one_line(mail)))
    return plain if name.isascii() else '"' + one_line(name).replace('"', "'") + '"' + plain[1:]


def _persons(project: Project, field: str) -> list[tuple[str, str]]:
    said = project.table.get(field, [])
    if not isinstance(said, list) or not all(isinstance(person, dict) for person in said):
        raise _wrong(project, field, "a list of tables with name or email")
    persons = [(str(person.get("name", "")), str(person.get("email", ""))) for person in said]
    for _, mail in persons:
        if mail and not _MAIL.fullmatch(mail):
            raise ProjectError(f"{mail!r} is no mail address.", where=f"{project.where}: project.{field}")
    return persons


def _requirements(project: Project) -> dict[str, list[str]]:
    where = f"{project.where}: project.dependencies"
    wanted = _strings(project, "dependencies", ())
    pins = [*project.manifest.environment.dependencies, *filter(None, [weights_requirement(project.manifest)])]
    requires = [str(each) for each in unite(pins, wanted, where=where)]
    extras = {canonicalize_name(extra): texts for extra, texts in _table(project, "optional-dependencies").items()}
    for extra, texts in sorted(extras.items()):
        for text in texts:
            requirement = parse_requirement(text, where=f"{project.where}: project.optional-dependencies.{extra}")
            condition = f'extra == "{extra}"'
            marker = f"({requirement.marker}) and {condition}" if requirement.marker else condition
            requirement.marker = None
            separator = " ; " if requirement.url else "; "
            requires.append(f"{requirement}{separator}{marker}")
    return {"requires_dist": requires, "provides_extra": sorted(extras)}


def _string(project: Project, field: str, otherwise: str) -> str:
    said = project.table.get(field, otherwise)
    if not isinstance(said, str):
        raise _wrong(project, field, "text")
    return said


def _strings(project: Project, field: str, otherwise: tuple[str, ...]) -> list[str]:
    said = project.table.get(field, list(otherwise))
    if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
        raise _wrong(project, field, "a list of texts")
    return said


def _table(project: Project, field: str) -> dict[str, Any]:
    said = project.table.get(field, {})
    if not isinstance(said, dict):
        raise _wrong(project, field, "a table")
    return said


def _wrong(project: Project, field: str, wanted: str) -> ProjectError:
    return ProjectError(f"project.{field} has to be {wanted}.", where=f"{project.where}: project.{field}")
