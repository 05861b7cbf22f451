"""``deployment.toml``: read what is to be served, with every problem at once; and write it.

For: ``modelwright serve``, ``mw.serve`` and whoever checks a file before it is used. It looks whether a path that is
named exists; it opens no package, asks no registry and starts nothing. Which keys there are stands in
:mod:`.deployment_keys`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from packaging.utils import canonicalize_name

from modelwright.errors import DeploymentError, Problem, RequestError
from modelwright.registry.references import parse_reference
from modelwright.serving.deployment import (
    Deployment,
    Limits,
    ModelDeployment,
    RecordSettings,
    ServerSettings,
    Variant,
)
from modelwright.serving.deployment_keys import (
    CONTROL,
    LIMITS,
    MODEL,
    MODEL_KEYS,
    RECORDS,
    SERVER,
    TOP,
    VARIANT,
    VARIANT_KEYS,
)
from modelwright.serving.deployment_tables import SHOWN, Tables

FILE = "deployment.toml"


def read_deployment(path: Path) -> Deployment:
    """Read a ``deployment.toml``; paths in it are relative to its folder.

    Raises:
        DeploymentError: It cannot be read, or says what cannot be honoured; every problem is listed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DeploymentError(
            "The deployment file cannot be read.",
            where=str(path),
            why=error.strerror or str(error),
            hint="Name a file, or serve a reference: modelwright serve churn@production",
        ) from error
    return parse_deployment(content, folder=path.parent, where=str(path))


def parse_deployment(content: bytes, *, folder: Path, where: str = FILE) -> Deployment:
    r"""Read the text of a ``deployment.toml``.

    Args:
        content: The text, UTF-8.
        folder: Paths in it are relative to this folder.
        where: What to call it in messages.

    Raises:
        DeploymentError: Not TOML, or it says what cannot be honoured; every problem is listed.

    Example:
        >>> text = b'[models.churn]\nreference = "churn@production"\nworkers = 2'
        >>> churn = parse_deployment(text, folder=Path()).models["churn"]
        >>> churn.variants["control"].reference, churn.limits.workers
        ('churn@production', 2)
    """
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DeploymentError("The deployment is not TOML.", where=where, why=str(error)) from error
    reading = Reading(folder)
    deployment = reading.deployment(document)
    check(reading.problems, where)
    return deployment


def check(problems: Iterable[Problem], where: str) -> None:
    """Refuse what has problems.

    Raises:
        DeploymentError: There are some; all are listed.
    """
    listed = list(problems)
    if listed:
        raise DeploymentError(
            f"The deployment cannot be honoured: {len(listed)} problem{'s' * (len(listed) != 1)}.",
            where=where,
            problems=listed,
            why="Nothing of it was started.",
        )


class Reading(Tables):
    """One reading of a document, and the problems that it finds.

    Args:
        folder: What paths are relative to.
        base: What to call that folder in messages.
    """

    def __init__(self, folder: Path, base: str = "the folder of the deployment file") -> None:
        super().__init__()
        self.folder, self.base = folder, base

    def deployment(self, document: dict[str, Any]) -> Deployment:
        """Return what the document says; of use only if there are no problems."""
        said = self.values("", document, TOP, skip=("models", "server", "records"))
        if said.get("registry"):
            said["registry"] = self.place(said["registry"])
        server = self.server(self.table("server", document.get("server", {})))
        records = self.values("records", self.table("records", document.get("records", {})), RECORDS)
        if records.get("folder"):
            records["folder"] = self.place(records["folder"])
        models = self.table("models", document.get("models", {}))
        if not models:
            self.found("[models]", "names no model", '[models.churn]\n       reference = "churn@production"')
        return Deployment(
            models={name: self.model(name, self.table(f"models.{name}", said)) for name, said in models.items()},
            server=server,
            records=RecordSettings(**records),
            **said,
        )

    def server(self, table: dict[str, Any]) -> ServerSettings:
        """Return the server's settings."""
        said = self.values("server", table, SERVER)
        for name in ("tls_certificate", "tls_key"):
            if said.get(name):
                said[name] = self.place(said[name], must_exist=f"[server] {name}")
        server = ServerSettings(**said)
        if bool(server.tls_certificate) != bool(server.tls_key):
            self.found("[server]", "names one of tls_certificate and tls_key", "TLS needs both, or neither")
        ports = [port for port in (server.port, server.grpc_port, server.admin_port) if port > 0]
        if len(set(ports)) != len(ports):
            self.found("[server]", "gives two of port, grpc_port and admin_port the same number", "give each its own")
        return server

    def model(self, name: str, table: dict[str, Any]) -> ModelDeployment:
        """Return one model."""
        place = f"models.{name}"
        self._check_name(f"[{place}]", name)
        said = self.values(place, table, MODEL_KEYS, skip=("variants",))
        variants = self._variants(place, table, said.pop("reference", None))
        limits = {key: said.pop(key) for key in LIMITS if key in said}
        control = next(iter(variants.values()), None)
        if said.get("watch") and control and "@" not in control.reference:
            hint = f'reference = "{name}@production"'
            self.found(f"[{place}] watch", "follows a stage, and the control's reference names none", hint)
        return ModelDeployment(name=name, variants=variants, limits=Limits(**limits), **said)

    def _check_name(self, item: str, name: str) -> None:
        normal = canonicalize_name(name)
        if name != normal or not re.fullmatch(MODEL, name):
            fits = re.fullmatch(MODEL, normal) is not None
            self.found(
                item, "is no name of a model", f"write {normal!r} (PEP 503)" if fits else "letters, digits, hyphens"
            )

    def _variants(self, place: str, table: dict[str, Any], reference: str | None) -> dict[str, Variant]:
        """Return the variants, the control first: the one of that name, else the first that is live."""
        if "reference" in table and "variants" in table:
            hint = f"move the reference to [{place}.variants.{CONTROL}]"
            self.found(f"[{place}]", "has both a reference and variants", hint)
        elif "reference" not in table and "variants" not in table:
            self.found(f"[{place}]", "says not which package is served", f'reference = "{place[7:]}@production"')
        if reference is not None:
            return {CONTROL: Variant(reference=self.reference(f"[{place}] reference", reference))}
        tables = self.table(f"{place}.variants", table.get("variants", {}))
        found = {name: self._variant(f"{place}.variants.{name}", said) for name, said in tables.items()}
        for name in found:
            if not re.fullmatch(VARIANT, name):
                hint = "lower-case letters and digits, with single hyphens between them, at most 64"
                self.found(f"[{place}.variants.{name}]", "is no name of a variant", hint)
        if "variants" in table and all(one.role == "shadow" for one in found.values()):
            self.found(f"[{place}.variants]", "has no live variant, so nobody would answer", 'give one role = "live"')
        order = sorted(found, key=lambda name: (found[name].role == "shadow", name != CONTROL))
        return {name: found[name] for name in order}

    def _variant(self, place: str, said: Any) -> Variant:
        table = self.table(place, said)
        values = self.values(place, table, VARIANT_KEYS)
        if values.get("role") == "shadow" and "weight" in table:
            self.found(f"[{place}] weight", "is of a shadow, which is asked as well and has no share", "leave it out")
        if "reference" not in table:
            self.found(f"[{place}]", "says not which package it is", 'reference = "churn==1.3.0"')
        values["reference"] = self.reference(f"[{place}] reference", values.get("reference"))
        return Variant(**values)

    def reference(self, item: str, text: str | None) -> str:
        """Return a reference in its normal form; a path is absolute."""
        if text is None:
            return ""
        if "://" in text:
            return text
        if is_path(text, self.folder):
            return self.place(text, must_exist=item)
        try:
            return str(parse_reference(text))
        except RequestError as error:
            self.found(item, f"{text[:SHOWN]!r} names no package", error.hint + " Or the path of a wheel or folder.")
            return text

    def place(self, text: str, *, must_exist: str = "") -> str:
        """Return a path relative to the file as an absolute one; a URL stays as it is.

        Args:
            text: The path.
            must_exist: Table and key that is reported if nothing is there; empty: it need not exist.
        """
        if "://" in text:
            return text
        path = os.path.abspath(self.folder / text)  # noqa: PTH100 - resolve() would follow links
        if must_exist and not os.path.exists(path):  # noqa: PTH110
            self.found(must_exist, f"{text!r} is not there", f"a path is relative to {self.base}")
        return path


def is_path(text: str, folder: Path) -> bool:
    """Say whether a reference means something that lies here rather than a release.

    Example:
        >>> is_path("./churn", Path()), is_path("churn==1.3.0", Path())
        (True, False)
    """
    return "/" in text or "\\" in text or text.endswith(".whl") or os.path.exists(folder / text)  # noqa: PTH110


def written(deployment: Deployment) -> str:
    r"""Return the text of a ``deployment.toml`` that says a deployment; what is as by default is left out.

    Example:
        >>> text = b'[models.churn]\nreference = "churn@production"\nwatch = true\n'
        >>> print(written(parse_deployment(text, folder=Path())), end="")
        [models.churn]
        reference = "churn@production"
        watch = true
    """
    said = msgspec.to_builtins(deployment)
    document = tomlkit.document()
    if deployment.registry:
        document["registry"] = deployment.registry
    for name in ("server", "records"):
        if said.get(name):
            document[name] = said[name]
    models = tomlkit.table(is_super_table=True)
    for name, model in said["models"].items():
        del model["name"]
        variants = model.pop("variants")
        alone = list(variants) == [CONTROL] and list(variants[CONTROL]) == ["reference"]
        said_of = variants[CONTROL] if alone else {}
        models[name] = said_of | model.pop("limits", {}) | model | ({} if alone else {"variants": variants})
    document["models"] = models
    return tomlkit.dumps(document)
