"""The options of ``modelwright serve``, and what they say over a deployment file."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from modelwright.cli.output import flag
from modelwright.errors import CredentialError
from modelwright.serving.deployment import Deployment

TOKEN, ADMIN_TOKEN = "MODELWRIGHT_SERVE_TOKEN", "MODELWRIGHT_ADMIN_TOKEN"


@Parameter(name="*", group="Server")
@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """What the server itself is told; each wins over the deployment file.

    Attributes:
        host: Address to listen on.
        port: Port.
        grpc_port: Port of gRPC.
        admin_host: Address of the admin door.
        admin_port: Port of the admin door.
        tls_certificate: PEM file.
        tls_key: PEM file.
    """

    host: Annotated[str | None, Parameter(help="Address to listen on; by default 127.0.0.1.")] = None
    port: Annotated[int | None, Parameter(help="Port; 0 takes any that is free. By default 8080.")] = None
    grpc_port: Annotated[int | None, Parameter(help="Port for gRPC; without it there is none.")] = None
    admin_host: Annotated[str | None, Parameter(help="Address of the admin port; by default 127.0.0.1.")] = None
    admin_port: Annotated[int | None, Parameter(help="Port for metrics and rollouts; without it there is none.")] = None
    tls_certificate: Annotated[Path | None, Parameter(help="PEM file with the certificate chain.")] = None
    tls_key: Annotated[Path | None, Parameter(help="PEM file with its private key.")] = None


@Parameter(name="*", group="Models")
@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What each model is told; each wins over the deployment file.

    Attributes:
        workers: Processes per version.
        deadline_s: Longest time of one call, seconds.
        watch: Follow the stages.
    """

    workers: Annotated[int | None, Parameter(help="Processes per version.")] = None
    deadline_s: Annotated[float | None, Parameter(help="Longest time for an answer, seconds; by default 30.")] = None
    watch: Annotated[bool, flag("Follow the stage: promotion and rollback reach the requests.")] = False


NO_SERVER_OPTIONS, NO_MODEL_OPTIONS = ServerOptions(), ModelOptions()


def _given(options: Any) -> dict[str, Any]:
    said = {field.name: getattr(options, field.name) for field in fields(options)}
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in said.items()
        if value is not None and value is not False
    }


def overridden(
    deployment: Deployment, server: ServerOptions, models: ModelOptions, *, trust: tuple[str, ...], records: Path | None
) -> Deployment:
    """Return a deployment with what was given on the command line instead of what it says.

    Raises:
        DeploymentError: An option is out of its range, or there is no stage to watch; every problem is listed.
    """
    from msgspec.structs import replace

    said = _given(models)
    watch = said.pop("watch", False)
    _check(_given(server) | said, deployment if watch else None)
    changed = {
        name: replace(
            model,
            limits=replace(model.limits, **said),
            trust=(*model.trust, *trust),
            watch=model.watch or watch,
        )
        for name, model in deployment.models.items()
    }
    kept = deployment.records if records is None else replace(deployment.records, folder=str(records))
    return replace(deployment, server=replace(deployment.server, **_given(server)), models=changed, records=kept)


def _check(given: dict[str, Any], watched: Deployment | None) -> None:
    from modelwright.serving.deployment import Limits, ServerSettings
    from modelwright.serving.deployment_file import check
    from modelwright.serving.deployment_keys import keys_of
    from modelwright.serving.deployment_tables import Tables

    tables, known = Tables(), keys_of(ServerSettings) | keys_of(Limits)
    options = {f"--{name.replace('_', '-')}": name for name in given}
    tables.values(
        "",
        {option: given[name] for option, name in options.items()},
        {option: known[name] for option, name in options.items()},
    )
    for model in watched.models.values() if watched is not None else ():
        reference = next(iter(model.variants.values())).reference
        if "@" not in reference:
            tables.found(
                "--watch", f"follows a stage, and {reference} names none", f"serve {model.name}@production, or so"
            )
    check(tables.problems, "")


def tokens_of(file: Path | None, variable: str) -> tuple[str, ...]:
    """Return the tokens of a file, one per line, or of an environment variable.

    Raises:
        CredentialError: The file cannot be read, or holds none: a server that was meant to ask for a token must not
            serve everyone.
    """
    if file is None:
        return (os.environ[variable],) if os.environ.get(variable) else ()
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialError("The file of tokens cannot be read.", where=str(file), why=str(error)) from error
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if not found:
        raise CredentialError("The file of tokens holds none.", where=str(file), hint="One token per line.")
    return found
