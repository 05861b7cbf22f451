"""``modelwright serve``: models behind one address, each version in an environment of its own."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At, named
from modelwright.cli.exits import OK
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.inspecting.installers import InstallerName


def serve(
    what: Annotated[str, Parameter(help="A wheel, a folder, name==1.3.0, name@stage; or a deployment.toml.")],
    /,
    *,
    host: Annotated[str | None, Parameter(help="Address to listen on; by default 127.0.0.1.")] = None,
    port: Annotated[int | None, Parameter(help="Port; 0 takes any that is free. By default 8080.")] = None,
    workers: Annotated[int | None, Parameter(help="Processes per version.")] = None,
    in_process: Annotated[bool, flag("Run the model in this process; it must be installed here.")] = False,
    python: Annotated[str | None, Parameter(help="Python to use; by default one it was verified on.")] = None,
    offline: Annotated[bool, flag("Use only what the installer has in its cache.")] = False,
    installer: Annotated[InstallerName, Parameter(help="What makes the environment.")] = "auto",
    trust: Annotated[list[str] | None, Parameter(negative="", help="A type that you vouch for.")] = None,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Serve models: a REST API, the Open Inference Protocol, and a page to try them.

    Each version runs in an environment of its own, made from its lock and kept.
    SIGTERM or Ctrl-C ends it after what is under way.
    """
    from modelwright.serving.operating.preparing import Preparing
    from modelwright.serving.serve import deployment_of
    from modelwright.serving.serve import serve as serve_deployment
    from modelwright.serving.settings import overridden

    deployment = overridden(deployment_of(what), host=host, port=port, workers=workers, trust=tuple(trust or ()))
    registry = None
    if at.registry or named(None):
        registry = at.open(output)
    serve_deployment(
        deployment,
        registry=registry,
        how=Preparing(installer=installer, python=python, offline=offline, listener=output.listener),
        in_process=in_process,
        started=lambda url: output.note(f"Listening on {url}"),
        ready=lambda url: output.note(f"Ready. Try it: {url}"),
    )
    return OK
