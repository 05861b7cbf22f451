"""The image that serves one version: what builds it, and what it is told to serve.

Called by the KServe exporter; any other platform that runs containers can use the same files. Pure: text out.

Two environments lie in the image, made by the server's own tools when it is built: the server in one, the model in
another, from its lock. Nothing is installed at start.

Source: Containerfile(5); Dockerfile reference, "ENTRYPOINT", exec form: the process is PID 1 and gets SIGTERM.
"""

from __future__ import annotations

import json
import shlex

import tomlkit
from packaging.utils import parse_wheel_filename
from packaging.version import Version

import modelwright
from modelwright.exchange.exporter import ExportVariant
from modelwright.spec.scenario import Example

HTTP_PORT = 8080
USER = 10001
"""Any number that is not root's and that the base image does not use."""
DRAIN_S = 30.0
DEBIAN_PACKAGES = {"libgomp.so.1": "libgomp1", "libstdc++.so.6": "libstdc++6", "libopenblas.so.0": "libopenblas0"}
"""Debian package of a shared library. Source: Debian 13, Contents index."""


def image_files(variant: ExportVariant, *, workers: int, index_url: str) -> dict[str, str]:
    """Return the text of each file of the build context, by path; wheels lie in ``wheels/`` unless there is an index.

    Args:
        variant: The version.
        workers: Processes.
        index_url: Package index that the wheels come from; empty: the build context.
    """
    files = {
        "Containerfile": _containerfile(variant, index_url),
        ".dockerignore": _ignore(variant, index_url),
        "deployment.toml": _deployment(variant, workers),
        "rows.jsonl": _rows(variant),
    }
    return files | ({"wheels.txt": _pins(variant)} if index_url else {})


def _deployment(variant: ExportVariant, workers: int) -> str:
    model = {"reference": f"wheels/{variant.wheel.name}", "workers": workers}
    server = {"host": "0.0.0.0", "port": HTTP_PORT, "drain_s": DRAIN_S}  # noqa: S104 - a container has its own network
    return tomlkit.dumps({"models": {variant.package.manifest.name: model}, "server": server})


def _rows(variant: ExportVariant) -> str:
    """Return rows that surely fit, which prove the environment while the image is built."""
    examples = [one for one in variant.package.scenarios if isinstance(one, Example) and one.expected]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (examples[0].inputs if examples else ()))


def _pins(variant: ExportVariant) -> str:
    lines = []
    for path, digest in variant.wheels:
        name, version, _, _ = parse_wheel_filename(path.name)
        lines.append(f"{name}=={version} --hash=sha256:{digest}\n")
    return "".join(lines)


def _ignore(variant: ExportVariant, index_url: str) -> str:
    wanted = ["deployment.toml", "rows.jsonl", "wheels.txt" if index_url else "wheels"]
    return "".join(f"{line}\n" for line in ("*", *(f"!{name}" for name in wanted)))


def _containerfile(variant: ExportVariant, index_url: str) -> str:
    manifest = variant.package.manifest
    python = ".".join(map(str, Version(manifest.environment.python).release[:2]))
    digests = "".join(f"{digest}  wheels/{path.name}\\n" for path, digest in variant.wheels)
    wheels = _FROM_INDEX.format(index_url=shlex.quote(index_url)) if index_url else "COPY wheels wheels"
    return _CONTAINERFILE.format(
        title=f"{manifest.name} {manifest.version}",
        python=python,
        tool=modelwright.__version__,
        wheels=wheels,
        digests=digests,
        wheel=variant.wheel.name,
        libraries=_libraries(manifest.environment.system_libraries),
        user=USER,
        port=HTTP_PORT,
        version=manifest.version,
        sha256=variant.sha256,
        name=manifest.name,
    )


def _libraries(wanted: tuple[str, ...]) -> str:
    """Return the lines that install shared libraries that pip cannot; those whose package is unknown are named."""
    known = sorted({DEBIAN_PACKAGES[name] for name in wanted if name in DEBIAN_PACKAGES})
    unknown = [name for name in wanted if name not in DEBIAN_PACKAGES]
    lines = [f"# The model needs {json.dumps(name)}: install the package that has it." for name in unknown]
    if known:
        install = f"apt-get install --yes --no-install-recommends {' '.join(known)}"
        lines.append(f"RUN apt-get update && {install} && rm -rf /var/lib/apt/lists/*")
    return "".join(f"{line}\n" for line in lines)


_FROM_INDEX = """\
COPY wheels.txt ./
RUN pip download --no-deps --require-hashes --only-binary :all: --index-url {index_url} --dest wheels -r wheels.txt"""
_CONTAINERFILE = """\
# {title}, served by modelwright. Build: podman build --tag IMAGE .
# Other indexes: --build-arg PIP_INDEX_URL=… (pip), --build-arg UV_DEFAULT_INDEX=… (uv, for the model's lock).

ARG BASE=docker.io/library/python:{python}-slim

FROM ${{BASE}} AS system
{libraries}ENV PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/srv/cache HOME=/srv

FROM system AS build
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ENV UV_CACHE_DIR=/tmp/uv UV_LINK_MODE=copy
ARG SERVER="modelwright[serve]=={tool}"
WORKDIR /srv/model
RUN python -m venv /srv/server && /srv/server/bin/pip install --no-cache-dir "${{SERVER}}"
{wheels}
RUN printf '{digests}' | sha256sum --check --strict
COPY deployment.toml rows.jsonl ./
# Makes the model's environment from its lock, by sha256, loads the model, and lets it answer: a bad image is not built.
RUN /srv/server/bin/modelwright predict wheels/{wheel} rows.jsonl --output /tmp/answers.jsonl

FROM system
COPY --from=build --chown={user}:{user} /srv /srv
WORKDIR /srv/model
USER {user}:{user}
# What is not in the image is not fetched at start.
ENV UV_OFFLINE=1 PIP_NO_INDEX=1
LABEL org.opencontainers.image.title="{name}" org.opencontainers.image.version="{version}" modelwright.sha256="{sha256}"
EXPOSE {port}
STOPSIGNAL SIGTERM
ENTRYPOINT ["/srv/server/bin/modelwright", "serve", "deployment.toml", "--offline"]
"""
