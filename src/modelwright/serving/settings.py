"""What the command line says over a deployment: the options of ``modelwright serve`` win over the file."""

from __future__ import annotations

from msgspec.structs import replace

from modelwright.serving.deployment import Deployment


def overridden(
    deployment: Deployment,
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    trust: tuple[str, ...] = (),
) -> Deployment:
    """Return a deployment with what was given instead of what it says; ``None`` changes nothing."""
    said = {"host": host, "port": port}
    server = replace(deployment.server, **{key: value for key, value in said.items() if value is not None})
    models = {}
    for name, model in deployment.models.items():
        limits = model.limits if workers is None else replace(model.limits, workers=workers)
        models[name] = replace(model, limits=limits, trust=(*model.trust, *trust))
    return replace(deployment, server=server, models=models)
