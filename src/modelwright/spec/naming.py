"""What a package may be called, how a version and a licence may look, so that every index and installer takes it.

Called by capture, build and (later) the registry and the scaffold.
Source: PEP 508 (names), PEP 503 (normalisation), PEP 440 (versions), PEP 639 (licences).
"""

from __future__ import annotations

import keyword
import sys

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from modelwright.errors import NameVersionError

MAX_NAME = 100
"""Longest name, characters: PyPI's own limit is 200 for the file name; this leaves room for version and tags."""


def check_name(name: str) -> str:
    """Return the PEP 503 normal form of a distribution name that also gives an importable module.

    Raises:
        NameVersionError: Not a valid name, or its module would be a keyword or hide a standard module.

    Example:
        >>> check_name("Churn.Model")
        'churn-model'
    """
    try:
        normal = canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise NameVersionError(
            f"{name!r} is not a valid distribution name.",
            why="PEP 508 allows ASCII letters, digits, '-', '_' and '.', beginning and ending with a letter or digit.",
            hint="Choose a name such as 'churn' or 'credit-risk'.",
        ) from error
    module = import_name(normal)
    if len(normal) > MAX_NAME:
        raise NameVersionError(f"The name {name[:40]!r}… is longer than {MAX_NAME} characters.", hint="Shorten it.")
    if keyword.iskeyword(module):
        raise NameVersionError(
            f"{name!r} is a keyword of Python, and 'import {module}' is a syntax error.",
            hint=f"Add a word, for example '{normal}-model'.",
        )
    if not module.isidentifier():
        raise NameVersionError(
            f"{name!r} would be imported as {module!r}, which is not a Python identifier.",
            hint=f"Begin with a letter, for example 'model-{normal}'.",
        )
    if module in sys.stdlib_module_names or module == "modelwright":
        raise NameVersionError(
            f"{name!r} would hide the module {module!r}.",
            why="Whoever installs the model could no longer import it.",
            hint=f"Choose another name, for example '{normal}-model'.",
        )
    return normal


def import_name(name: str) -> str:
    """Return the module name of a distribution name.

    Example:
        >>> import_name("credit-risk")
        'credit_risk'
    """
    return canonicalize_name(name).replace("-", "_")


def check_version(version: str) -> str:
    """Return the normal form of a version that an index takes.

    Raises:
        NameVersionError: Not PEP 440, or with a local part (``1.0+cu12``), which indexes refuse and uv prefers
            over the exact pin ``==1.0``.

    Example:
        >>> check_version("1.3.0-rc1")
        '1.3.0rc1'
    """
    try:
        parsed = Version(version)
    except InvalidVersion as error:
        raise NameVersionError(
            f"{version!r} is not a version that Python installers understand.",
            why="PEP 440: numbers joined by dots, then optionally a1, b1, rc1, .post1 or .dev1.",
            hint="Use MAJOR.MINOR.PATCH, for example '1.3.0'.",
        ) from error
    if parsed.local:
        raise NameVersionError(
            f"{version!r} has a local part.",
            why="Indexes refuse '+…', and uv installs 1.3.0+x even where 1.3.0 is asked for.",
            hint=f"Use {parsed.public!r}.",
        )
    return str(parsed)


def check_license(expression: str) -> str:
    """Return the normal form of an SPDX licence expression; empty stays empty.

    Raises:
        NameVersionError: Not an SPDX expression.

    Example:
        >>> check_license("apache-2.0 OR mit"), check_license("")
        ('Apache-2.0 OR MIT', '')
    """
    if not expression:
        return ""
    try:
        return canonicalize_license_expression(expression)
    except InvalidLicenseExpression as error:
        raise NameVersionError(
            f"{expression!r} is not a licence expression.",
            why=f"PEP 639 asks for SPDX identifiers, and indexes refuse anything else: {error}.",
            hint="Use 'Apache-2.0', 'MIT', 'LicenseRef-Proprietary', or leave it out.",
        ) from error
