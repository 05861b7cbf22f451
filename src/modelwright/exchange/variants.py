"""Which versions are exported: open them, find their wheels, and make sure that two of them can share traffic.

Called by :mod:`.exporting`. Nothing of a package is executed.
"""

from __future__ import annotations

from pathlib import Path

from packaging.utils import canonicalize_name

from modelwright.errors import Problem, TargetError, VariantError
from modelwright.exchange.exporter import ExportVariant
from modelwright.inspecting.compatibility import compare_signatures
from modelwright.inspecting.obtain import obtain
from modelwright.inspecting.read import Reference, read
from modelwright.inspecting.weights import checked_weights
from modelwright.inspecting.wheel import check_wheel, sha256_of
from modelwright.steps import Listener

CONTROL, CANARY = "control", "canary"


def open_variants(
    reference: Reference, canary: Reference | None, *, canary_weight: float, folder: Path, listener: Listener
) -> tuple[ExportVariant, ...]:
    """Return the versions, the control first; every wheel was checked to the last byte.

    Args:
        reference: The version that answers, or the control.
        canary: The version that gets a share of the requests; ``None``: there is one version only.
        canary_weight: That share, percent.
        folder: Where wheels are put that are not on this machine yet.
        listener: Told about builds and downloads.

    Raises:
        UnknownPackageError: A reference leads to no package.
        PackageError: A package cannot be used.
        IntegrityError: A file is not the file that was captured.
        VariantError: The two cannot share traffic.
        TargetError: The share is none.
    """
    if canary is None:
        return (_open(CONTROL, reference, 100.0, folder, listener),)
    if not 0 < canary_weight < 100:
        raise TargetError(
            f"A canary cannot have {canary_weight:g} % of the requests.", hint="More than 0, less than 100."
        )
    control = _open(CONTROL, reference, 100.0 - canary_weight, folder / CONTROL, listener)
    candidate = _open(CANARY, canary, float(canary_weight), folder / CANARY, listener)
    check_shareable(control, candidate)
    return control, candidate


def _open(name: str, reference: Reference, weight: float, folder: Path, listener: Listener) -> ExportVariant:
    folder.mkdir(parents=True, exist_ok=True)
    package = read(reference)
    wheel = obtain(package, folder, listener=listener)
    sha256 = check_wheel(wheel).sha256
    weights = checked_weights(package.manifest, wheel)
    digest = sha256_of(weights) if weights else ""
    return ExportVariant(name, package, wheel, sha256, weight, weights, digest)


def check_shareable(control: ExportVariant, canary: ExportVariant) -> None:
    """Refuse two versions of which one cannot answer the other's requests.

    Raises:
        VariantError: Every reason is listed.
    """
    old, new = control.package.manifest, canary.package.manifest
    problems = []
    if canonicalize_name(old.name) != canonicalize_name(new.name):
        problems.append(Problem(None, None, f"{old.name} and {new.name} are different models"))
    elif old.version == new.version:
        problems.append(Problem(None, None, f"both are version {old.version}"))
    changes = compare_signatures(old.signature, new.signature)
    problems += [Problem(None, None, change.what) for change in changes if change.level == "MAJOR"]
    if problems:
        raise VariantError(
            f"{new.name} {new.version} cannot take a share of the requests for {old.name} {old.version}.",
            problems=problems,
            why="Whoever sends rows to one of them has to be answered by the other.",
            hint="Export them apart, under addresses of their own.",
        )
