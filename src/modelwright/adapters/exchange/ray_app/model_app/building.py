"""Put the application together: a deployment per version, each in an environment of its own, and a router.

Called by ``app.py``. Ray makes each environment from the hashed lock of the version before the replica starts, never
while a request waits; two versions may want different releases of one library.

Source: Ray documentation, "Environment Dependencies" (``runtime_env``: ``uv``) and "Configure Serve deployments".
"""

# mypy: ignore-errors

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from model_app.replica import ModelReplica
from model_app.router import Router


def build(folder: Path, *, wheels: str):
    """Return the application that ``deployment.json`` describes.

    Args:
        folder: The folder that holds it.
        wheels: Where the nodes find the wheels.
    """
    content = (folder / "deployment.json").read_bytes()
    deployment, digest = json.loads(content), hashlib.sha256(content).hexdigest()
    for variant in deployment["variants"]:
        _check_interpreter(variant)
    models = [_deployment(folder, one, deployment, wheels, digest) for one in deployment["variants"]]
    limits = deployment["limits"]
    router = Router.options(
        num_replicas=limits["routers"],
        max_ongoing_requests=limits["queue_requests"],
        graceful_shutdown_timeout_s=limits["drain_s"],
        ray_actor_options={"num_cpus": 0},
        user_config={"config_sha256": digest},
    )
    return router.bind(deployment, digest, *models)


def _deployment(folder: Path, variant: dict[str, Any], deployment: dict[str, Any], wheels: str, digest: str):
    limits = deployment["limits"]
    options = {
        "name": variant["deployment"],
        "num_replicas": variant["replicas"],
        "ray_actor_options": {"num_cpus": limits["cpus"], "runtime_env": _environment(folder, variant, wheels)},
        "max_ongoing_requests": limits["queue_requests"],
        "max_queued_requests": limits["queue_requests"],
        "health_check_period_s": limits["health_s"],
        "health_check_timeout_s": limits["deadline_s"],
        "graceful_shutdown_timeout_s": limits["drain_s"],
        "user_config": {"batch_rows": limits["batch_rows"], "config_sha256": digest, "wheel_sha256": variant["sha256"]},
    }
    return ModelReplica.options(**options).bind(variant, limits)


def _environment(folder: Path, variant: dict[str, Any], wheels: str) -> dict[str, Any]:
    """Return the environment of a version: its lock and its wheel, every file by its hash, and nothing resolved."""
    lines = (folder / variant["requirements"]).read_text("utf-8").replace("\\\n", " ").splitlines()
    locked = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    place = None if variant["index"] else wheels
    index = ["--extra-index-url", variant["index"]] if variant["index"] else []
    options = ["--no-deps", "--require-hashes", *index]
    packages = [*locked, *(_requirement(file, place) for file in variant["wheels"])]
    return {"uv": {"packages": packages, "uv_pip_install_options": options}}


def _requirement(file: dict[str, str], place: str | None) -> str:
    wanted = f"=={file['version']}" if place is None else f" @ file://{place}/{file['file']}"
    return f"{file['name']}{wanted} --hash=sha256:{file['sha256']}"


def _check_interpreter(variant: dict[str, Any]) -> None:
    """Refuse at once what every replica would refuse later: Ray gives all processes the Python that it runs itself."""
    here, known = f"cp{sys.version_info[0]}{sys.version_info[1]}", variant["interpreters"]
    if known and here not in known:
        raise RuntimeError(f"{variant['title']} was verified on {', '.join(known)}; this Ray runs {here}.")
