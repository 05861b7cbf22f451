"""The manifest: the JSON document that says what a package is.

For: every layer. It is written once, by capture, and read by all others; nothing else in a package repeats what
stands in it.

How the format evolves (the rule):

1. ``format_version`` is an integer. A reader reads every version up to its own and refuses newer ones
   (``MW102``) without looking further.
2. A field that an older reader may ignore without being wrong is added *without* a new version: it has a default,
   and readers skip what they do not know. A reader that refuses because of it is not wrong; one that would load
   something else is.
3. A change that an older reader would misread (a field removed, renamed, or given another meaning) is a new
   version, with one pure function ``upgrade_N_to_N+1(dict) -> dict`` in ``UPGRADES`` and a golden model folder of
   version N kept in ``tests/data`` forever.
4. Files are never rewritten to upgrade them: a package is immutable, only the view of it is lifted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from modelwright.errors import FormatVersionError, ManifestError
from modelwright.spec.acceleration import Acceleration
from modelwright.spec.environment import Environment
from modelwright.spec.evaluation import Evaluation, Importance
from modelwright.spec.lineage import Lineage
from modelwright.spec.signature import Signature
from modelwright.spec.struct import Frozen

FORMAT_VERSION = 1

UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Per old version, the function that lifts a manifest of it to the next one."""

Task = Literal[
    "classification", "regression", "clustering", "anomaly-detection", "ranking", "transformation", "function"
]


class File(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One file of the package and how to know that it is the one that was captured.

    Attributes:
        path: Relative to the folder that is named beside the list, ``/`` between parts, never ``..``.
        sha256: Digest, 64 hexadecimal digits.
        size: Size, bytes.
    """

    path: str
    sha256: str
    size: int


class Storage(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """How the model is stored and what loads it.

    Attributes:
        format: Name of the format plug-in (``skops``).
        loader: Name of the loader module in ``_runtime`` (``skops_loader``).
        model_type: Qualified name of the model's class, or of the function.
        methods: Methods that the model answers (``predict``, ``predict_proba``).
        executes_code: Whether loading can run code that the artifact itself contains (the pickle family).
        types: Types in the artifact that are neither in the loader's reviewed list nor in the package's own code.
            It informs; what is trusted is decided by who loads.
        options: What the loader needs to know beside the files, as the format defines it.
    """

    format: str
    loader: str
    model_type: str
    methods: tuple[str, ...] = ("predict",)
    executes_code: bool = False
    types: tuple[str, ...] = ()
    options: dict[str, Any] = {}


class Manifest(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a package is.

    Attributes:
        format_version: Version of this format, see the module's rule.
        name: Distribution name, PEP 503 normalised.
        version: PEP 440, normalised, without a local part.
        import_name: The Python package that the wheel installs.
        summary: One line for people and for the wheel's Summary.
        task: What kind of model it is.
        owners: People or teams, ``Name <mail>`` or free text.
        license: SPDX expression (PEP 639); empty: not said.
        tags: Free words.
        created: When it was captured, RFC 3339 UTC (SOURCE_DATE_EPOCH if that was given).
        storage: How the model is stored.
        accelerations: Faster forms of the model that were tried; at most one is kept. A reader that does not know this
            asks the model itself, which answers the same.
        artifacts: Files below ``artifacts/`` of the model folder, or of the weights, sorted by path.
        weights: Version of the distribution ``NAME-weights`` that holds the artifacts (:mod:`.weights`); empty: they
            are in the package itself. A reader that does not know this finds the artifacts missing, and refuses.
        code: Python files of the package outside the model folder, relative to the import package, sorted.
        signature: Typed inputs and outputs.
        hyperparameters: What ``get_params`` said, values as JSON or as their ``repr``.
        evaluations: Measured quality.
        importance: Permutation importance, most important first.
        lineage: Where the model came from.
        environment: What it was proved in.
        tool: Name and version of what wrote it (``modelwright 0.1.0``).
    """

    format_version: int
    name: str
    version: str
    import_name: str
    summary: str = ""
    task: Task
    owners: tuple[str, ...] = ()
    license: str = ""
    tags: tuple[str, ...] = ()
    created: str
    storage: Storage
    accelerations: tuple[Acceleration, ...] = ()
    artifacts: tuple[File, ...]
    weights: str = ""
    code: tuple[File, ...] = ()
    signature: Signature
    hyperparameters: dict[str, Any] = {}
    evaluations: tuple[Evaluation, ...] = ()
    importance: tuple[Importance, ...] = ()
    lineage: Lineage = Lineage()
    environment: Environment
    tool: str = ""


def parse_manifest(content: bytes, *, where: str = "manifest.json") -> Manifest:
    """Read a manifest of this or any older format version.

    Args:
        content: The JSON document.
        where: What to call it in an error.

    Raises:
        ManifestError: Not JSON, or not a manifest; the message names the field.
        FormatVersionError: Written by a newer modelwright.
    """
    try:
        document = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ManifestError("The manifest is not JSON.", where=where, why=str(error)) from error
    except RecursionError:
        raise ManifestError("The manifest is nested deeper than any manifest is.", where=where) from None
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ManifestError("The manifest has no format_version.", where=where, hint="Is this a model folder?")
    if version > FORMAT_VERSION:
        raise FormatVersionError(
            f"The manifest has format version {version}; this modelwright reads up to {FORMAT_VERSION}.",
            where=where,
            hint="pip install --upgrade modelwright",
        )
    for old in range(version, FORMAT_VERSION):
        document = UPGRADES[old](document)
    try:
        return msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        raise ManifestError("The manifest does not follow its schema.", where=where, why=str(error)) from error


def dump_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as indented UTF-8 JSON with a final newline; the same manifest gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
