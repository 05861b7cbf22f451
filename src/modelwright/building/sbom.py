"""Write the software bill of materials: the model as a component, and every distribution of its lock.

Called by :mod:`modelwright.building.distinfo`; it ends in ``NAME.dist-info/sboms/`` (PEP 770).
It knows the lock only as far as pylock.toml tells: which file each distribution comes from, and what the model
requires directly; what distributions require from each other only where the lock says so.
Source: CycloneDX 1.6 (ML-BOM); PEP 751 (pylock.toml); package-url specification (``pkg:pypi``).
"""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import msgspec
from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from modelwright.errors import PackageError
from modelwright.package import Package
from modelwright.spec.manifest import Manifest
from modelwright.spec.signature import Field
from modelwright.spec.weights import weights_name

NAMESPACE = uuid.UUID("6f1d6b0e-6a0f-5c3e-9d0a-4f1f7b0c2a11")
"""Where serial numbers live: the same bill of materials has the same number (RFC 9562, UUID version 5)."""
_HASHES = HashTypeFactory()
_APPROACH = {
    "classification": "supervised",
    "regression": "supervised",
    "ranking": "supervised",
    "clustering": "unsupervised",
    "anomaly-detection": "unsupervised",
}


def model_bom(package: Package, *, epoch: int) -> bytes:
    """Return the CycloneDX JSON of a package; the same package and epoch give the same bytes.

    Args:
        package: The package; its manifest and ``pylock.toml`` are read.
        epoch: Time of the document, seconds since 1970 UTC.

    Raises:
        PackageError: ``pylock.toml`` is missing or malformed.
    """
    manifest = package.manifest
    model, packages = _model(manifest), _packages(package)
    bom = _bom(model, [*_components(packages), *_weights(manifest)], epoch)
    _connect(bom, model, manifest, packages)
    document = _document(bom)
    document["metadata"]["component"]["modelCard"] = _model_card(manifest)
    return _numbered(document)


def weights_bom(manifest: Manifest, *, epoch: int) -> bytes:
    """Return the CycloneDX JSON of the wheel that holds a model's weights: the files and their digests.

    Args:
        manifest: The manifest of the model, which says the version of the weights.
        epoch: Time of the document, seconds since 1970 UTC.
    """
    weights = _weights(manifest)[0]
    weights.components = _files_of(manifest, str(weights.bom_ref.value))
    if manifest.license:
        weights.licenses = [LicenseExpression(manifest.license)]
    return _numbered(_document(_bom(weights, [], epoch)))


def _bom(subject: Component, components: Iterable[Component], epoch: int) -> Bom:
    bom = Bom(components=components)
    bom.metadata.component = subject
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    tool = Component(type=ComponentType.APPLICATION, name="modelwright", version=version("modelwright"))
    bom.metadata.tools.components.add(tool)
    bom.serial_number = uuid.UUID(int=0)
    return bom


def _document(bom: Bom) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(JsonV1Dot6(bom).output_as_string())
    return document


def _numbered(document: dict[str, Any]) -> bytes:
    """Give a document its serial number, and write it."""
    number = uuid.uuid5(NAMESPACE, msgspec.json.encode(document, order="sorted").decode())
    document["serialNumber"] = f"urn:uuid:{number}"
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"


def _purl(name: str, release: str | None) -> PackageURL:
    return PackageURL("pypi", None, canonicalize_name(name), release)


def _model(manifest: Manifest) -> Component:
    purl = _purl(manifest.name, manifest.version)
    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=manifest.name,
        version=manifest.version,
        description=manifest.summary or None,
        licenses=[LicenseExpression(manifest.license)] if manifest.license else (),
        purl=purl,
        bom_ref=str(purl),
        components=_files_of(manifest, str(purl)),
    )


def _files_of(manifest: Manifest, owner: str) -> list[Component]:
    """Return the artifacts; whichever wheel carries them, they are a part of the model."""
    return [
        Component(
            type=ComponentType.FILE,
            name=f"artifacts/{file.path}",
            bom_ref=f"{owner}#artifacts/{file.path}",
            hashes=[_HASHES.from_hashlib_alg("sha256", file.sha256)],
        )
        for file in manifest.artifacts
    ]


def _weights(manifest: Manifest) -> list[Component]:
    """Return the distribution with the weights, if they are not in the package itself."""
    if not manifest.weights:
        return []
    purl = _purl(weights_name(manifest.name), manifest.weights)
    return [Component(type=ComponentType.DATA, name=purl.name, version=purl.version, purl=purl, bom_ref=str(purl))]


def _packages(package: Package) -> list[dict[str, Any]]:
    """Return the ``[[packages]]`` of the lock."""
    try:
        packages: list[dict[str, Any]] = tomllib.loads(package.lock).get("packages", [])
        for locked in packages:
            canonicalize_name(locked["name"])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        where = f"{package.files.where}: pylock.toml"
        raise PackageError(
            "The lock is malformed.", where=where, why=str(error), hint="Capture the model again."
        ) from error
    return packages


def _components(packages: list[dict[str, Any]]) -> Iterable[Component]:
    """Return the locked distributions, each release once even if the lock has it under several conditions."""
    components: dict[str, Component] = {}
    for locked in packages:
        purl = _purl(locked["name"], locked.get("version"))
        component = components.setdefault(
            str(purl),
            Component(type=ComponentType.LIBRARY, name=purl.name, version=purl.version, purl=purl, bom_ref=str(purl)),
        )
        component.external_references.update(_files(locked))
    return components.values()


def _files(locked: dict[str, Any]) -> Iterator[ExternalReference]:
    """Iterate over the files that a distribution may be installed from, with their digests."""
    for file in [locked.get("sdist"), locked.get("archive"), *locked.get("wheels", ())]:
        if file and ("url" in file or "path" in file):
            yield ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(file.get("url") or file["path"]),
                hashes=[
                    _HASHES.from_hashlib_alg(algorithm, digest)
                    for algorithm, digest in sorted(file.get("hashes", {}).items())
                ],
            )


def _connect(bom: Bom, model: Component, manifest: Manifest, packages: list[dict[str, Any]]) -> None:
    """Draw the dependency graph: from the model to what it requires, and on as far as the lock tells.

    Where the manifest names no requirement of its own, whatever is locked counts as the model's.
    """
    by_name: dict[str, list[Component]] = {}
    for component in bom.components:
        by_name.setdefault(component.name, []).append(component)
    direct = [canonicalize_name(Requirement(text).name) for text in manifest.environment.dependencies]
    weights = [weights_name(manifest.name)] if manifest.weights else []
    wanted = [*_named(by_name, direct), *_named(by_name, weights)] if direct else bom.components
    bom.register_dependency(model, wanted or bom.components)
    for locked in packages:
        others = (canonicalize_name(str(each.get("name", ""))) for each in locked.get("dependencies", ()))
        for component in by_name[canonicalize_name(locked["name"])]:
            bom.register_dependency(component, _named(by_name, others))


def _named(by_name: dict[str, list[Component]], names: Iterable[str]) -> list[Component]:
    return [component for name in names for component in by_name.get(name, ())]


def _model_card(manifest: Manifest) -> dict[str, Any]:
    """Return the ``modelCard`` object, which the library does not model: only what the manifest says."""
    parameters: dict[str, Any] = {
        "task": manifest.task,
        "modelArchitecture": manifest.storage.model_type,
        "inputs": [{"format": _spelled(field)} for field in manifest.signature.inputs],
        "outputs": [{"format": _spelled(field)} for field in manifest.signature.outputs],
    }
    if manifest.task in _APPROACH:
        parameters["approach"] = {"type": _APPROACH[manifest.task]}
    if manifest.lineage.data:
        parameters["datasets"] = [
            {"type": "dataset", "name": data.role, "contents": {"url": data.uri}}
            | ({"description": data.summary} if data.summary else {})
            for data in manifest.lineage.data
        ]
    card: dict[str, Any] = {"modelParameters": parameters}
    if manifest.evaluations:
        card["quantitativeAnalysis"] = {
            "performanceMetrics": [
                {
                    "type": evaluation.metric,
                    "value": repr(evaluation.value),
                    "slice": ", ".join(filter(None, (evaluation.dataset, evaluation.slice))),
                }
                for evaluation in manifest.evaluations
            ]
        }
    limits = _limits(manifest)
    return card | ({"considerations": {"technicalLimitations": limits}} if limits else {})


def _spelled(field: Field) -> str:
    shape = "".join(f"[{length if length >= 0 else '?'}]" for length in field.shape)
    return f"{field.name}: {field.datatype}{shape}{' or missing' if field.nullable else ''}"


def _limits(manifest: Manifest) -> list[str]:
    limits = []
    if manifest.storage.executes_code:
        limits.append(f"Loading executes code that the artifact contains (format {manifest.storage.format}).")
    if not manifest.environment.portable:
        limits.append(f"Runs only on the interpreters {', '.join(manifest.environment.interpreters)}.")
    return limits
