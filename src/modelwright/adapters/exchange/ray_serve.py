"""To Ray Serve: a folder that ``serve run`` runs, with every version in an environment of its own.

Found by the name ``ray-serve``. It writes text and never imports Ray. What runs there lies in ``ray_app/`` beside this
file and is copied as it is; what differs from model to model stands in ``deployment.json``.

Source: Ray documentation, "Production Guide", "Serve Config Files" and "Environment Dependencies".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name, parse_wheel_filename

import modelwright
from modelwright.exchange.exporter import Exported, ExportSettings, ExportVariant
from modelwright.exchange.fidelity import Carried, as_markdown, changed, kept, lost
from modelwright.exchange.yaml_text import yaml_text

APP = Path(__file__).with_name("ray_app")
LIMITS = {
    "batch_rows": 512,
    "max_rows": 100_000,
    "max_body_bytes": 16 * 2**20,
    "queue_requests": 1000,
    "deadline_s": 30.0,
    "health_s": 10.0,
    "drain_s": 30.0,
    "cpus": 1.0,
    "routers": 1,
}
"""The same as those of our own server, where it has them."""
RAYS_OWN = frozenset(
    {"aiohttp", "click", "fastapi", "filelock", "grpcio", "jinja2", "jsonschema", "msgpack", "opentelemetry-sdk"}
    | {"packaging", "prometheus-client", "protobuf", "pydantic", "pyyaml", "requests", "starlette", "uvicorn"}
)
"""What a replica needs beside the model. Source: Requires-Dist of ray 2.60.0 with the extra ``serve``."""


class RayServeExporter:
    """Exports to Ray Serve."""

    name = "ray-serve"
    title = "Ray Serve"
    settings = frozenset({"workers", "index_url"})

    def export(self, variants: tuple[ExportVariant, ...], settings: ExportSettings) -> Exported:
        """Say what is to be written; see :class:`modelwright.exchange.exporter.Exporter`."""
        model = variants[0].package.manifest.name
        carried = _carried(variants)
        texts = {path.relative_to(APP).as_posix(): path.read_text("utf-8") for path in sorted(APP.rglob("*.py"))}
        deployment = _deployment(model, variants, settings)
        texts["deployment.json"] = json.dumps(deployment, indent=2, ensure_ascii=False) + "\n"
        texts["serve_config.yaml"] = yaml_text(_serve_config(model))
        texts["README.md"] = _readme(model, variants, carried)
        texts |= {_requirements(one): one.package.read("requirements.txt").decode() for one in variants}
        shipped = () if settings.index_url else [path for one in variants for path, _ in one.wheels]
        copies = {f"wheels/{path.name}": path for path in shipped}
        commands = ('pip install "ray[serve]" uv', "serve run app:app")
        return Exported(texts, copies, carried, commands)


def _requirements(variant: ExportVariant) -> str:
    return f"requirements/{variant.package.manifest.name}-{variant.version}.txt"


def _deployment(model: str, variants: tuple[ExportVariant, ...], settings: ExportSettings) -> dict[str, Any]:
    return {
        "model": model,
        "experiment": model,
        "salt": "",
        "variants": [_variant(one, settings) for one in variants],
        "limits": LIMITS,
        "tool": modelwright.__version__,
    }


def _variant(variant: ExportVariant, settings: ExportSettings) -> dict[str, Any]:
    manifest = variant.package.manifest
    title = f"{manifest.name} {manifest.version}"
    environment = manifest.environment
    files = [_file(path, digest) for path, digest in variant.wheels]
    return {
        "name": variant.name,
        "model": manifest.name,
        "version": manifest.version,
        "title": title,
        "sha256": variant.sha256,
        "weight": variant.weight,
        "replicas": settings.workers,
        "deployment": title.replace(" ", "-"),
        "import_name": manifest.import_name,
        "interpreters": [] if environment.portable else list(environment.interpreters),
        "requirements": _requirements(variant),
        "wheels": files,
        "index": settings.index_url,
        "trust": [],
    }


def _file(path: Path, digest: str) -> dict[str, str]:
    name, version, _, _ = parse_wheel_filename(path.name)
    return {"name": str(name), "version": str(version), "file": path.name, "sha256": digest}


def _serve_config(model: str) -> dict[str, Any]:
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "127.0.0.1", "port": 8000, "request_timeout_s": LIMITS["deadline_s"] * 2},
        "applications": [{"name": model, "route_prefix": "/", "import_path": "app:app", "args": {}}],
    }


def _carried(variants: tuple[ExportVariant, ...]) -> tuple[Carried, ...]:
    return (
        _environment(variants),
        kept("digest", "Every file is installed by its sha256; the wheel's stands in every answer."),
        kept("signature", "The runtime that the wheel carries judges every row; MW201 lists every problem."),
        kept("scenarios", "A replica runs them before it takes a request; one that fails keeps it out."),
        kept(
            "REST predict",
            "POST /models/NAME/predict and its other methods, rows or columns as JSON; no CSV, Arrow, Parquet.",
        ),
        changed("Open Inference Protocol v2", "REST with JSON tensors; no binary tensors, no gRPC."),
        changed("batching", "serve.batch without a wait timer; what a bad row spoils is computed again, one by one."),
        kept("sticky assignment", "The same rule: a unit gets the same version there and here.")
        if len(variants) > 1
        else kept("version", "In every answer, and in the header Modelwright-Version."),
        changed(
            "roll-out", "Weights are fixed: change them in deployment.json, deploy again; nothing rolls back by itself."
        ),
        changed("stuck model", "The caller gets 504; Ray replaces the replica when its health check times out."),
        lost("shadow", "Ask twice in the caller, or serve with modelwright serve."),
        lost("record log, outcomes", "Log in the caller; every answer has a request id and a digest."),
        changed("metrics, access log", "Ray's own: serve_deployment_* on Ray's metrics port, and its log files."),
        lost("MLflow and TF Serving addresses", "Use /models/NAME/predict or /v2."),
        *_vouching(variants),
    )


def _environment(variants: tuple[ExportVariant, ...]) -> Carried:
    pythons = sorted({tag for one in variants for tag in one.package.manifest.environment.interpreters})
    note = f"uv installs the lock on top of Ray's own environment, so Ray has to run Python {', '.join(pythons)}."
    shared = sorted(RAYS_OWN & {name for one in variants for name in _locked(one)})
    if shared:
        note += f" The lock also pins what Ray needs: {', '.join(shared)}; if a replica does not start, look there."
    return changed("environment", note)


def _locked(variant: ExportVariant) -> set[str]:
    lines = variant.package.read("requirements.txt").decode().splitlines()
    return {canonicalize_name(line.partition("==")[0].strip()) for line in lines if "==" in line and line[:1] != "#"}


def _vouching(variants: tuple[ExportVariant, ...]) -> list[Carried]:
    types = sorted({name for one in variants for name in one.package.manifest.storage.types})
    if not types:
        return []
    return [changed("trust", f"Write what you vouch for into deployment.json, trust: {', '.join(types)}.")]


def _readme(model: str, variants: tuple[ExportVariant, ...], carried: tuple[Carried, ...]) -> str:
    facts = [f"- {one.name}: {model} {one.version}, {one.weight:g} %, sha256 {one.sha256}" for one in variants]
    return _README.format(model=model, variants="\n".join(facts), carried=as_markdown(carried))


_README = """\
# {model} on Ray Serve

{variants}

```
pip install "ray[serve]" uv
serve run app:app
curl -H 'Content-Type: application/json' -d @rows.json http://127.0.0.1:8000/models/{model}/predict
```

`rows.json` is a list of objects, one per row. The Open Inference Protocol is below `/v2`. Readiness is
`/v2/health/ready`. A replica starts when its environment is made, which takes a while the first time.

The header `Modelwright-Unit`, or `"unit"` in the body, says what a request is about (a customer, a session): the same
unit always gets the same version.

## On a cluster

`serve deploy serve_config.yaml`. Every node has to find this folder: at the same path (a volume, the image of the
nodes), or as an archive that `runtime_env: {{working_dir: "https://…/{model}.zip"}}` of the application names, with
`args: {{wheels: "${{RAY_RUNTIME_ENV_CREATE_WORKING_DIR}}/wheels"}}`.

`deployment.json` holds weights, replicas, limits and trusted types. Its sha256 is `config_sha256` in the answer to
`GET /` and in the `user_config` that `serve status` knows.

## What carries over, and what does not

{carried}
"""

EXPORTER = RayServeExporter()
