"""``mw.serve``: from a reference, or a deployment file, to a server that answers.

For: Python, and ``modelwright serve``. It finds out what is to be served, and leaves the rest to :mod:`.server`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from modelwright.plugins import need
from modelwright.registry.registry import Registry
from modelwright.serving.deployment import Deployment
from modelwright.serving.deployment_file import read_deployment
from modelwright.serving.deployment_options import deployment_of
from modelwright.serving.operating.preparing import AS_USUAL, Preparing

EXTRA = ("uvicorn", "httptools", "prometheus_client", "jinja2")
"""What the extra ``serve`` brings, as far as every server needs it."""


def serve(
    what: str | Path | Deployment,
    *,
    registry: Registry | None = None,
    how: Preparing = AS_USUAL,
    in_process: bool = False,
    tokens: Iterable[str] = (),
    started: Callable[[str], object] = str,
    ready: Callable[[str], object] = str,
) -> None:
    """Serve models until SIGTERM or SIGINT.

    Args:
        what: A reference (a wheel, a folder, ``name==version``, ``name@stage``), the path of a ``deployment.toml``, or
            a deployment.
        registry: Where releases are looked for; ``None``: what the deployment says, else only here.
        how: How environments are made.
        in_process: Whether the model runs in this process, whose environment must be its own.
        tokens: Tokens of which a request must carry one; none: nobody needs one.
        started: Told the URL when requests are accepted; models may still be loading.
        ready: Told the URL when every model is loaded, checked and warm.

    Raises:
        DeploymentError: The deployment says something that cannot be honoured.
        AddressTakenError: The address is taken.
        ModelwrightError: A model cannot be found, prepared or loaded, or does not hold its scenarios.
    """
    need("serve", *EXTRA)
    from modelwright.serving.server import Server
    from modelwright.serving.surroundings import Surroundings

    deployment = what if isinstance(what, Deployment) else _deployment(what)
    if registry is None and deployment.registry:
        registry = Registry(deployment.registry)
    around = Surroundings(
        registry=registry, how=how, in_process=in_process, tokens=tokens, started=started, ready=ready
    )
    Server(deployment, around).run()


def _deployment(what: str | Path) -> Deployment:
    if str(what).endswith(".toml"):
        return read_deployment(Path(what))
    return deployment_of([str(what)], folder=Path.cwd())
