"""What every wheel must agree on, with a model in it or without: file name, ``.dist-info``, METADATA and WHEEL.

Called by :mod:`modelwright.inspecting.wheel` (models) and by :mod:`modelwright.inspecting.library` (anything else).

Source: Binary distribution format (file name convention, WHEEL); Core metadata; PEP 427.
"""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import NamedTuple

from packaging.metadata import Metadata, parse_email
from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from modelwright.errors import Problem, WheelError
from modelwright.inspecting.record import document, problem
from modelwright.package import Files

BEFORE_LICENCES = frozenset(("1.0", "1.1", "1.2", "2.1", "2.2", "2.3"))
"""Metadata versions that have no licence files and expressions. Source: PEP 639."""
TAGS = 1000
"""Most ``Tag`` lines of a WHEEL file."""
LONGEST_MEDIA_TYPE = 200
"""Characters of a description's media type; the time to parse one grows with its square."""
LONGEST_TAG = 255
"""Characters of one; a compressed one stands for the product of its parts, which soon fills the memory."""


class FileName(NamedTuple):
    """What a wheel's file name says.

    Attributes:
        name: Distribution name, PEP 503 normalised.
        version: Version.
        tags: Compatibility tags.
    """

    name: str
    version: Version
    tags: frozenset[Tag]


def parse_file_name(file: str, *, where: str) -> FileName:
    """Read a wheel's file name.

    Raises:
        WheelError: It is not that of a wheel.

    Example:
        >>> parse_file_name("churn-1.3.0-py3-none-any.whl", where="").name
        'churn'
    """
    try:
        name, version, _, tags = parse_wheel_filename(file)
    except InvalidWheelFilename as error:
        raise WheelError(
            "The file name is not that of a wheel.",
            where=where,
            why=str(error),
            hint="NAME-VERSION-PYTHON-ABI-PLATFORM.whl; give the file the name it was built with.",
        ) from error
    return FileName(name, version, tags)


def dist_info(files: Files, named: FileName) -> str:
    """Return the name of the one ``.dist-info`` folder.

    Raises:
        WheelError: There is none, more than one, or it belongs to another distribution.
    """
    tops = {name.partition("/")[0] for name in files.names()}
    found = sorted(name for name in tops if name.endswith(".dist-info"))
    why = ""
    if len(found) == 1:
        name, _, version = found[0].removesuffix(".dist-info").partition("-")
        try:
            if canonicalize_name(name) == named.name and Version(version) == named.version:
                return found[0]
        except ValueError as error:  # InvalidVersion is one; so is what int() says of thousands of digits
            why = str(error)
    raise WheelError(
        f"The wheel has no {named.name}-{named.version}.dist-info folder of its own.",
        where=files.where,
        why=why or f"Found: {', '.join(found) or 'none'}.",
    )


def read_metadata(files: Files, folder: str) -> tuple[Metadata | None, list[Problem]]:
    """Read METADATA, and say what is wrong with it."""
    content = document(files, f"{folder}/METADATA")
    if content is None:
        return None, [problem("METADATA", "is missing")]
    try:
        return parse_metadata(content), []
    except ExceptionGroup as error:
        return None, [problem("METADATA", str(reason)) for reason in error.exceptions]


def parse_metadata(content: bytes) -> Metadata:
    """Read core metadata, strictly but for the licence fields of documents that are older than these fields.

    setuptools before 77 and others wrote ``License-File`` into Metadata-Version 2.1 while PEP 639 was a draft, and
    installers and PyPI take such wheels (113 of 746 that were tried); what the field says there means nothing yet.

    Raises:
        ExceptionGroup: Everything that is wrong with it.
    """
    raw, _ = parse_email(content)
    if len(raw.get("description_content_type", "")) > LONGEST_MEDIA_TYPE:
        too_long = ValueError(f"has a Description-Content-Type of more than {LONGEST_MEDIA_TYPE} characters")
        raise ExceptionGroup("metadata", [too_long])
    try:
        return Metadata.from_email(content)
    except ValueError as error:  # what int() says of a version of thousands of digits
        raise ExceptionGroup("metadata", [error]) from error
    except ExceptionGroup as error:
        wrong = {getattr(reason, "field", "") for reason in error.exceptions}
        if raw.get("metadata_version") not in BEFORE_LICENCES or not wrong <= {"license-file", "license-expression"}:
            raise
    raw.pop("license_files", None)
    raw.pop("license_expression", None)
    return Metadata.from_raw(raw)


def metadata_problems(metadata: Metadata, named: FileName) -> list[Problem]:
    """Compare METADATA with the file name."""
    problems = []
    if canonicalize_name(metadata.name) != named.name:
        problems.append(problem("METADATA", f"says name {metadata.name!r}, the file name says {named.name!r}"))
    if metadata.version != named.version:
        problems.append(problem("METADATA", f"says version '{metadata.version}', the file name says '{named.version}'"))
    return problems


def read_wheel(files: Files, folder: str) -> Message | None:
    """Return the headers of WHEEL, ``None`` if there is none."""
    content = document(files, f"{folder}/WHEEL")
    return None if content is None else BytesParser(policy=compat32).parsebytes(content)


def wheel_problems(headers: Message | None, named: FileName) -> list[Problem]:
    """Compare WHEEL with the file name."""
    if headers is None:
        return [problem("WHEEL", "is missing")]
    problems = []
    if str(headers.get("Wheel-Version", "")).partition(".")[0] != "1":
        problems.append(problem("WHEEL", f"has the unknown Wheel-Version {headers.get('Wheel-Version')!r}"))
    lines = [str(line).strip() for line in headers.get_all("Tag", [])]
    if len(lines) > TAGS or any(len(line) > LONGEST_TAG for line in lines):
        return [*problems, problem("WHEEL", f"has more than {TAGS} tags, or one longer than {LONGEST_TAG} characters")]
    try:
        tags = frozenset(tag for line in lines for tag in parse_tag(line))
    except ValueError as error:
        return [*problems, problem("WHEEL", f"has a Tag that is none: {error}")]
    if tags != named.tags:
        problems.append(problem("WHEEL", f"says the tags {sorted(map(str, tags))}, the file name others"))
    return problems
