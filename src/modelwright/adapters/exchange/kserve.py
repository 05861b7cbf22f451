"""To KServe: an InferenceService whose runtime is our own server, and what builds its image.

Found by the name ``kserve``. It writes text and knows no Kubernetes client. What builds the image is written by
:mod:`.container_image`; here is what the cluster is told.

Source: KServe, API group ``serving.kserve.io``: ``v1beta1`` InferenceService, ``v1alpha1`` ServingRuntime; Kubernetes,
"Object Names and IDs", "Labels and Selectors", "Recommended Labels".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from modelwright.adapters.exchange.container_image import HTTP_PORT, USER, image_files
from modelwright.errors import Problem, TargetError
from modelwright.exchange.exporter import Exported, ExportSettings, ExportVariant
from modelwright.exchange.fidelity import Carried, as_markdown, changed, kept, lost
from modelwright.exchange.yaml_text import yaml_text

FORMAT = "modelwright"
GRACE_S = 45
"""Kubernetes waits so long after SIGTERM: longer than the server drains, seconds."""
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""Source: RFC 1123 label names, as Kubernetes wants them."""
_IMAGE = re.compile(
    r"(?P<name>(?:[a-zA-Z0-9.-]+(?::\d{1,5})?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
"""Source: OCI distribution specification 1.1, "Pulling manifests"."""


class KServeExporter:
    """Exports to KServe."""

    name = "kserve"
    title = "KServe"
    settings = frozenset({"image", "namespace", "workers", "index_url"})

    def export(self, variants: tuple[ExportVariant, ...], settings: ExportSettings) -> Exported:
        """Say what is to be written; see :class:`modelwright.exchange.exporter.Exporter`.

        Raises:
            TargetError: The image, the namespace or a share is none.
        """
        images = _images(variants, settings)
        texts: dict[str, str] = {}
        copies: dict[str, Path] = {}
        for one in variants:
            folder = _title(one)
            files = image_files(one, workers=settings.workers, index_url=settings.index_url)
            texts |= {f"{folder}/{path}": text for path, text in files.items()}
            if not settings.index_url:
                copies |= {f"{folder}/wheels/{path.name}": path for path, _ in one.wheels}
            documents = _documents(one, images[one.name], settings)
            texts[_manifest(one)] = yaml_text(*documents)
        carried = _carried(variants)
        commands = tuple(command for one in variants for command in _commands(one, images[one.name]))
        texts["README.md"] = _readme(variants, commands, carried)
        return Exported(texts, copies, carried, commands)


def _title(variant: ExportVariant) -> str:
    return f"{variant.package.manifest.name}-{variant.version}"


def _manifest(variant: ExportVariant) -> str:
    return "inferenceservice.yaml" if variant.name == "control" else f"inferenceservice-{variant.name}.yaml"


def _commands(variant: ExportVariant, image: str) -> tuple[str, ...]:
    folder = _title(variant)
    build = f"podman build --tag {image} --file {folder}/Containerfile {folder}"
    return build, f"podman push {image}", f"kubectl apply --filename {_manifest(variant)}"


def _images(variants: tuple[ExportVariant, ...], settings: ExportSettings) -> dict[str, str]:
    """Return the image of each version: as it was named, else tagged with the version.

    Raises:
        TargetError: The image, the namespace or a share is none; every problem is listed.
    """
    named = settings.image or variants[0].package.manifest.name
    found = _IMAGE.fullmatch(named)
    problems = []
    if found is None:
        problems.append(Problem(None, None, f"{named!r} is no container image", "HOST/NAME:TAG", item="--image"))
    elif found["digest"]:
        problems.append(Problem(None, None, "names an image that is there already; it is built here", item="--image"))
    elif found["tag"] and len(variants) > 1:
        problems.append(Problem(None, None, "has a tag, and two versions need two", "leave it out", item="--image"))
    shares = [one.weight for one in variants if one.weight != round(one.weight)]
    if shares:
        told = f"{shares[-1]:g} % is not a whole number of percent, as KServe takes them"
        problems.append(Problem(None, None, told, item="--canary-weight"))
    if settings.namespace and not _NAMESPACE.fullmatch(settings.namespace):
        problems.append(Problem(None, None, f"{settings.namespace!r} is no namespace", item="--namespace"))
    if found is None or problems:
        raise TargetError("This cannot be exported to KServe as asked.", problems=problems)
    return {one.name: named if found["tag"] else f"{named}:{tag_of(one.version)}" for one in variants}


def tag_of(version: str) -> str:
    """Return a version as a tag of an image; ``!`` of an epoch may not stand there.

    Example:
        >>> tag_of("1.3.0"), tag_of("1!2.0.dev1")
        ('1.3.0', '1_2.0.dev1')
    """
    return re.sub(r"[^\w.-]", "_", version, flags=re.ASCII)


def object_name(text: str) -> str:
    """Return a name that Kubernetes takes for any object.

    Example:
        >>> object_name("churn-1.3.0-modelwright")
        'churn-1-3-0-modelwright'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")


def _documents(variant: ExportVariant, image: str, settings: ExportSettings) -> tuple[dict[str, Any], dict[str, Any]]:
    runtime = object_name(f"{_title(variant)}-{variant.sha256[:8]}")
    return _runtime(variant, runtime, image, settings), _service(variant, runtime, settings)


def _metadata(name: str, variant: ExportVariant, settings: ExportSettings) -> dict[str, Any]:
    manifest = variant.package.manifest
    namespace = {"namespace": settings.namespace} if settings.namespace else {}
    return {
        "name": name,
        **namespace,
        "labels": {
            "app.kubernetes.io/name": object_name(manifest.name),
            "app.kubernetes.io/version": tag_of(manifest.version)[:63].strip("-_."),
            "app.kubernetes.io/managed-by": "modelwright",
        },
        "annotations": {
            "modelwright/version": manifest.version,
            "modelwright/wheel": variant.wheel.name,
            "modelwright/sha256": variant.sha256,
        },
    }


def _runtime(variant: ExportVariant, name: str, image: str, settings: ExportSettings) -> dict[str, Any]:
    container = {
        "name": "kserve-container",
        "image": image,
        "ports": [{"name": "http1", "containerPort": HTTP_PORT, "protocol": "TCP"}],
        "readinessProbe": _probe("ready", every_s=5, failures=3),
        "livenessProbe": _probe("live", every_s=10, failures=6),
        "resources": _resources(variant, settings.workers),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "runAsNonRoot": True,
            "runAsUser": USER,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": _metadata(name, variant, settings),
        "spec": {
            "supportedModelFormats": [{"name": FORMAT, "version": "1", "autoSelect": False}],
            "protocolVersions": ["v2"],
            "containers": [container],
        },
    }


def _probe(word: str, *, every_s: int, failures: int) -> dict[str, Any]:
    """Return a probe. Source: Open Inference Protocol v2, "Health"."""
    get = {"path": f"/v2/health/{word}", "port": HTTP_PORT}
    return {"httpGet": get, "periodSeconds": every_s, "timeoutSeconds": 3, "failureThreshold": failures}


def _resources(variant: ExportVariant, workers: int) -> dict[str, Any]:
    """Return a first guess: one core per worker, and memory for the server and for each copy of the model."""
    artifacts_mib = sum(file.size for file in variant.package.manifest.artifacts) // 2**20
    memory_mib = 256 + workers * (384 + 3 * artifacts_mib)
    return {
        "requests": {"cpu": str(workers), "memory": f"{memory_mib}Mi"},
        "limits": {"cpu": str(workers + 1), "memory": f"{2 * memory_mib}Mi"},
    }


def _service(variant: ExportVariant, runtime: str, settings: ExportSettings) -> dict[str, Any]:
    predictor: dict[str, Any] = {
        "minReplicas": 1,
        "terminationGracePeriodSeconds": GRACE_S,
        "model": {"modelFormat": {"name": FORMAT, "version": "1"}, "runtime": runtime, "protocolVersion": "v2"},
    }
    if variant.name != "control":
        predictor = {"canaryTrafficPercent": round(variant.weight), **predictor}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": _metadata(object_name(variant.package.manifest.name), variant, settings),
        "spec": {"predictor": predictor},
    }


def _carried(variants: tuple[ExportVariant, ...]) -> tuple[Carried, ...]:
    alone = (
        kept("server", "Ours is the runtime: REST, Open Inference Protocol v2, batching, errors, limits are the same."),
        kept("environment", "Made from the lock, file by file by sha256, when the image is built."),
        kept("digest", "The wheel's sha256 is checked in the build, and stands in annotations and in every answer."),
        kept("readiness", "/v2/health/ready and /v2/health/live are the probes; SIGTERM drains."),
        changed("following a stage", "A release is an image here: export and apply the next one instead of --watch."),
        changed("resources", "CPU and memory are a first guess; measure, then change them in the YAML."),
        lost("gRPC", "KServe routes one port; this one is HTTP."),
        lost("metrics, admin API, record log", "Off; configure them in deployment.toml before the image is built."),
        *_vouching(variants),
    )
    if len(variants) == 1:
        return alone
    return (
        *alone,
        changed("canary", "canaryTrafficPercent: KServe draws for each request, so a unit does not keep its version."),
        lost("automatic rollback", "Set canaryTrafficPercent to 0 yourself, or serve both from one modelwright serve."),
    )


def _vouching(variants: tuple[ExportVariant, ...]) -> list[Carried]:
    types = sorted({name for one in variants for name in one.package.manifest.storage.types})
    return [changed("trust", f"Write what you vouch for into deployment.toml: {', '.join(types)}.")] if types else []


def _readme(variants: tuple[ExportVariant, ...], commands: tuple[str, ...], carried: tuple[Carried, ...]) -> str:
    facts = [f"- {one.name}: {_title(one)}, {one.weight:g} %, sha256 {one.sha256}" for one in variants]
    return _README.format(
        model=variants[0].package.manifest.name,
        variants="\n".join(facts),
        commands="\n".join(commands),
        canary=_CANARY if len(variants) > 1 else "",
        carried=as_markdown(carried),
    )


_CANARY = """
KServe sends the canary its share once the control runs, so apply the files in this order, and wait between them:
`kubectl wait --for=condition=Ready inferenceservice/NAME`. To promote it, remove `canaryTrafficPercent` and apply
again; to withdraw it, set 0. The share needs KServe's Knative mode.
"""
_README = """\
# {model} on KServe

{variants}

```
{commands}
```
{canary}
The image holds the wheel, its environment and the server; at start it needs no network, no storage and no root.
Indexes that need a name or another address are given to the build as `--build-arg`: see the Containerfile.

## What carries over, and what does not

{carried}
"""

EXPORTER = KServeExporter()
