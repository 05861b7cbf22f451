"""``mw.export``: from a package to the files that another system serves it from.

Called by ``modelwright export`` and as ``mw.export``. What is written is decided by an exporter, found by name; here it
is opened, checked and put in place. No other system is asked, and nothing is started.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from modelwright.errors import Problem, TargetError
from modelwright.exchange.exporter import GROUP, Exporter, ExportSettings, ExportVariant
from modelwright.exchange.folder import check_replaceable, listed, write
from modelwright.exchange.report import Export, ExportedVariant
from modelwright.exchange.variants import open_variants
from modelwright.inspecting.read import Reference
from modelwright.plugins import find
from modelwright.steps import Listener, ignore, timed

_PLAIN_URL = re.compile(r"[!-~]+")


def export(
    reference: Reference,
    into: Path | str | None = None,
    *,
    to: str,
    canary: Reference | None = None,
    canary_weight: float = 10.0,
    image: str = "",
    namespace: str = "",
    workers: int = 1,
    index_url: str = "",
    dry_run: bool = False,
    listener: Listener = ignore,
) -> Export:
    """Write what another system serves a package from, and say what carries over.

    Args:
        reference: The package: a wheel, a folder, an installed name.
        into: Folder for the files; by default ``NAME-VERSION-TARGET`` here. An earlier export in it is replaced.
        to: The system: ``kserve``, ``ray-serve``, or what a plug-in adds.
        canary: A second version, which gets a share of the requests.
        canary_weight: That share, percent.
        image: Container image, for systems that run one.
        namespace: Namespace of the cluster, for systems that have them.
        workers: Processes per version.
        index_url: Address of a package index that has the wheels; by default they are copied into the folder.
        dry_run: Whether everything is checked and nothing written.
        listener: Told about each step.

    Raises:
        UnknownPluginError: There is no such system; those that are known are listed.
        UnknownPackageError: A reference leads to no package.
        TargetError: A setting is one that the system does not allow.
        VariantError: The two versions cannot share traffic.
        ExportFolderError: The folder holds something else than an untouched export.
        StorageError: It cannot be written.
        ModelwrightError: A package cannot be used, for the reasons of :func:`modelwright.verify`'s first checks.

    Example:
        >>> from modelwright.errors import UnknownPluginError
        >>> try:
        ...     export("churn", to="sagemaker")
        ... except UnknownPluginError as error:
        ...     error.why
        'Available: kserve, ray-serve.'
    """
    exporter: Exporter = find(GROUP, to)
    settings = ExportSettings(image=image, namespace=namespace, workers=workers, index_url=index_url)
    _check_settings(exporter, settings)
    with tempfile.TemporaryDirectory(prefix="modelwright-export-") as temporary:
        with timed("check", listener) as note:
            place = Path(temporary)
            variants = open_variants(reference, canary, canary_weight=canary_weight, folder=place, listener=listener)
            note.detail = ", ".join(f"{one.package.manifest.name} {one.version}" for one in variants)
        exported = exporter.export(variants, settings)
        folder = Path(into) if into is not None else Path(_default_name(variants, to))
        report = Export(
            target=to,
            model=variants[0].package.manifest.name,
            variants=tuple(map(_reported, variants)),
            files=listed(exported),
            carried=exported.carried,
            commands=exported.commands,
        )
        if dry_run:
            check_replaceable(folder)
        else:
            with timed("write", listener) as note:
                write(folder, exported, report)
                note.detail = f"{folder}, {len(report.files) + 1} files"
    return replace(report, folder=str(folder))


def _check_settings(exporter: Exporter, settings: ExportSettings) -> None:
    """Refuse settings that would be passed over in silence, and those that no system could honour.

    Raises:
        TargetError: Every problem is listed.
    """
    asked = {name for name, value in settings._asdict().items() if value != ExportSettings._field_defaults[name]}
    problems = [
        Problem(None, None, f"means nothing to {exporter.title}", item=f"--{name.replace('_', '-')}")
        for name in sorted(asked - exporter.settings)
    ]
    if not 1 <= settings.workers <= 1024:
        problems.append(Problem(None, None, f"{settings.workers} is not between 1 and 1024", item="--workers"))
    wrong = _wrong_with(settings.index_url) if settings.index_url else ""
    if wrong:
        problems.append(Problem(None, None, wrong, item="--index-url"))
    if problems:
        raise TargetError(f"This cannot be exported to {exporter.title} as asked.", problems=problems)


def _wrong_with(index_url: str) -> str:
    """Return what is wrong with the address of an index; empty: nothing."""
    try:
        address = urlsplit(index_url)
    except ValueError:  # brackets that enclose no address
        return "is no http or https address"
    if address.username or address.password:
        return "holds credentials, which would stand in the files"
    plain = _PLAIN_URL.fullmatch(index_url) and address.scheme in ("http", "https") and address.hostname
    return "" if plain else "is no http or https address"


def _default_name(variants: tuple[ExportVariant, ...], to: str) -> str:
    return f"{variants[0].package.manifest.name}-{variants[0].version}-{to}"


def _reported(variant: ExportVariant) -> ExportedVariant:
    return ExportedVariant(name=variant.name, version=variant.version, sha256=variant.sha256, weight=variant.weight)
