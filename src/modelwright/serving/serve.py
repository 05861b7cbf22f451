"""``mw.serve``: from a reference, or a deployment file, to a server that answers.

For: Python, and ``modelwright serve``. It puts the parts together and decides nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.errors import ModelwrightError
from modelwright.plugins import need
from modelwright.registry.registry import Registry
from modelwright.serving.dataplane import Observer
from modelwright.serving.deployment import Deployment, ModelDeployment, Variant
from modelwright.serving.operating.conducting import Conductor, check_in_process
from modelwright.serving.operating.plane import Plane
from modelwright.serving.operating.preparing import AS_USUAL, Preparing

if TYPE_CHECKING:
    from modelwright.serving.http.server import Door

EXTRA = ("uvicorn", "httptools", "prometheus_client", "jinja2")
"""What the extra ``serve`` brings."""


class Server:
    """A server, before and while it runs.

    Args:
        deployment: What it serves.
        registry: Where releases are looked for.
        how: How versions are prepared.
        in_process: Whether the one version there is runs in this process.
        tokens: Tokens of which a request must carry one; none: nobody needs one.
        observers: Told what became of every request.
        started: Told the URL when requests are accepted; the models may still be loading.
        ready: Told the URL when everything is ready.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        registry: Registry | None = None,
        how: Preparing = AS_USUAL,
        in_process: bool = False,
        tokens: Iterable[str] = (),
        observers: Iterable[Observer] = (),
        started: Callable[[str], object] = str,
        ready: Callable[[str], object] = str,
    ) -> None:
        need("serve", *EXTRA)
        if in_process:
            check_in_process(deployment)
        self.deployment = deployment
        self.plane = Plane(observers)
        self.conductor = Conductor(self.plane, deployment, registry=registry, how=how, in_process=in_process)
        self._tokens = tuple(tokens)
        self._started, self._ready = started, ready
        self._stop: asyncio.Event | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            AddressTakenError: The address is taken.
            ModelwrightError: A model cannot be served.
        """
        from modelwright.serving.http.listening import listen
        from modelwright.serving.http.server import run

        settings = self.deployment.server
        listening = listen(settings.host, settings.port)
        run(lambda: self.main(listening))

    async def main(self, listening: Any) -> None:
        """Serve on a socket until :meth:`stop` is called, or a signal comes."""
        from modelwright.serving.http.listening import url_of
        from modelwright.serving.http.server import Door, settle, signals

        settings = self.deployment.server
        self._stop = asyncio.Event()
        models = asyncio.get_running_loop().create_task(self.conductor.start())
        await asyncio.sleep(0)
        door = Door(self._application(), listening, settings, tls=True)
        url = url_of(settings.host, listening, scheme="https" if settings.tls_certificate else "http")
        async with signals(self.stop):
            await door.open()
            self._started(url)
            stopped = asyncio.get_running_loop().create_task(self._stop.wait())
            try:
                await asyncio.wait({models, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if models.done():
                    models.result()
                    settle()
                    self._ready(url)
                    await stopped
            finally:
                stopped.cancel()
                await self._end(models, door)

    async def _end(self, models: asyncio.Task[None], door: Door) -> None:
        self.plane.stopping = True
        if not models.done():
            models.cancel()
            await asyncio.wait({models})
        await door.close()
        await self.conductor.stop()

    def _application(self) -> Any:
        from modelwright.serving.http.gateway import Gateway
        from modelwright.serving.http.rest import Rest
        from modelwright.serving.http.routes import Doors

        limits = [model.limits.max_rows for model in self.deployment.models.values()]
        doors = Doors(self.plane, Rest(max_rows=max(limits)))
        return Gateway(
            self.plane, doors.find, max_body_bytes=self.deployment.server.max_body_bytes, tokens=self._tokens
        )

    def stop(self) -> None:
        """Begin to end; may be called from any thread."""
        if self._stop is not None:
            self._stop.set()


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
    deployment = what if isinstance(what, Deployment) else deployment_of(what)
    if registry is None and deployment.registry:
        registry = Registry(deployment.registry)
    Server(
        deployment, registry=registry, how=how, in_process=in_process, tokens=tokens, started=started, ready=ready
    ).run()


def deployment_of(what: str | Path) -> Deployment:
    """Return the deployment of a reference, or of a file.

    Raises:
        DeploymentError: The file says something that cannot be honoured.
        ModelwrightError: The reference leads to no package.
    """
    from modelwright.inspecting.read import read
    from modelwright.serving.deployment_file import read_deployment
    from modelwright.serving.operating.finding import release_of

    if str(what).endswith(".toml"):
        return read_deployment(Path(what))
    release = release_of(str(what))
    name = release.name if release is not None else read(what).manifest.name
    variants = {"control": Variant(reference=str(what))}
    return Deployment(models={name: ModelDeployment(name=name, variants=variants)})


__all__ = ["ModelwrightError", "Server", "deployment_of", "serve"]
