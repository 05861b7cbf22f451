"""``modelwright serve``: models behind one address, each version in an environment of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At, named
from modelwright.cli.exits import OK
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.serve_options import (
    ADMIN_TOKEN,
    NO_MODEL_OPTIONS,
    NO_SERVER_OPTIONS,
    TOKEN,
    ModelOptions,
    ServerOptions,
    overridden,
    tokens_of,
)
from modelwright.inspecting.installers import InstallerName

if TYPE_CHECKING:
    from modelwright.serving.deployment import Deployment
    from modelwright.serving.observing.tracing import Tracing
    from modelwright.serving.operating.conducting import Swapped


def serve(
    *what: Annotated[str, Parameter(help="Wheels, folders, name==1.3.0, name@stage; or one deployment.toml.")],
    server: ServerOptions = NO_SERVER_OPTIONS,
    models: ModelOptions = NO_MODEL_OPTIONS,
    in_process: Annotated[bool, flag("Run the model in this process; it must be installed here.")] = False,
    tracing: Annotated[bool, flag("Send spans to OpenTelemetry, as the OTEL_ variables say.")] = False,
    records: Annotated[Path | None, Parameter(help="Folder for a record of every prediction (Parquet).")] = None,
    access_log: Annotated[bool, Parameter(help="A line of JSON per request on stdout.")] = True,
    token_file: Annotated[Path | None, Parameter(help=f"Tokens, one per line, or ${TOKEN}.")] = None,
    admin_token_file: Annotated[Path | None, Parameter(help=f"Tokens of the admin port, or ${ADMIN_TOKEN}.")] = None,
    python: Annotated[str | None, Parameter(help="Python to use; by default one it was verified on.")] = None,
    offline: Annotated[bool, flag("Use only what the installer has in its cache.")] = False,
    installer: Annotated[InstallerName, Parameter(help="What makes the environments.")] = "auto",
    trust: Annotated[list[str] | None, Parameter(negative="", help="A type that you vouch for.")] = None,
    dry_run: Annotated[bool, flag("Check everything and print the deployment; serve nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Serve models: a REST API, the Open Inference Protocol, and a page to try them.

    Each version runs in an environment of its own, made from its lock and kept.
    SIGTERM or Ctrl-C ends it after what is under way.
    """
    from modelwright.plugins import need
    from modelwright.serving.operating.preparing import Preparing
    from modelwright.serving.serve import EXTRA

    deployment = _checked(
        overridden(_deployment(what), server, models, trust=tuple(trust or ()), records=records and records.absolute())
    )
    if dry_run:
        output.result(deployment, _show)
        return OK
    need("serve", *EXTRA)
    registry = at.open(output) if at.registry or (not deployment.registry and named(None)) else None
    if registry is None and deployment.registry:
        from modelwright.registry.registry import Registry

        registry = Registry(deployment.registry)
    from modelwright.serving.server import Server
    from modelwright.serving.surroundings import Surroundings

    Server(
        deployment,
        Surroundings(
            registry=registry,
            how=Preparing(installer=installer, python=python, offline=offline, listener=output.listener),
            in_process=in_process,
            tokens=tokens_of(token_file, TOKEN),
            admin_tokens=tokens_of(admin_token_file, ADMIN_TOKEN),
            access_log=sys.stdout if access_log and deployment.server.access_log else None,
            servers=_servers(),
            tracing=_tracing() if tracing else None,
            started=lambda url: output.note(f"Listening on {url}"),
            ready=lambda url: output.note(f"Ready. Pages: {url}/  API: {url}/docs"),
            changed=lambda swapped: _told(swapped, output),
        ),
    ).run()
    output.note("Ended. What was under way is answered.")
    return OK


def _deployment(what: tuple[str, ...]) -> Deployment:
    from modelwright.serving.deployment_file import read_deployment
    from modelwright.serving.deployment_options import deployment_of

    if len(what) == 1 and what[0].endswith(".toml"):
        return read_deployment(Path(what[0]))
    return deployment_of(what, folder=Path.cwd())


def _tracing() -> Tracing:
    from modelwright.serving.observing.tracing import tracing

    return tracing()


def _checked(deployment: Deployment) -> Deployment:
    """Judge what options say as strictly as what a file says."""
    from modelwright.serving.deployment_file import parse_deployment, written

    return parse_deployment(written(deployment).encode(), folder=Path.cwd(), where="the options and what they change")


def _servers() -> Path | None:
    """Return where servers announce themselves; ``None`` for a user without a home."""
    from modelwright.serving.client.servers import servers_folder

    try:
        return servers_folder(os.environ, Path.home())
    except RuntimeError:
        return None


def _show(deployment: Deployment, _console: object) -> None:
    from modelwright.serving.deployment_file import written

    print(written(deployment))


def _told(swapped: Swapped, output: Output) -> None:
    if swapped.before and swapped.before != swapped.after:
        output.note(f"{swapped.model}: {swapped.before} → {swapped.after} in {swapped.seconds:.2f} s")
