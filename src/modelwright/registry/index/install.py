"""The lines that install a package from a registry, such that nobody else's package of that name is installed instead.

For: ``show --install`` and the pages. Pure functions from facts to text.

**Never** ``--extra-index-url``. Measured: pip takes the highest version from any index, so that a stranger who uploads
``churn 99.0`` to a public index is installed; uv with ``--index-url PRIVATE --extra-index-url PUBLIC`` took the
stranger's file even for an exact pin. What is safe is one index that proxies the other, an index that is ``explicit``
for named packages only, or files that were fetched from one index and are installed as files.

Measured as well: uv ignores ``tool.uv.sources`` for what is required only indirectly. What the package requires of the
same registry (its weights) must therefore be a direct dependency, too; see :func:`companions`.

Source: uv documentation, "Using alternative package indexes" (``explicit``, ``tool.uv.sources``); pip documentation,
"pip download".
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterable

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from modelwright.registry.projects import Project
from modelwright.spec.struct import Frozen


class InstallLines(Frozen, frozen=True, kw_only=True):
    """How to install one package.

    Attributes:
        uv: For ``pyproject.toml``: the index, and what comes from it.
        uv_add: The command that adds the package to that project.
        pip: Commands for a shell.
        uvx: Commands that run the package's own command without installing it; empty: it has none.
        docker: Lines of a Dockerfile.
        why: What these lines guard against, one sentence.
        credentials: How a token is given, when the registry asks for one.
    """

    uv: str
    uv_add: str
    pip: str
    uvx: str
    docker: str
    why: str
    credentials: str


_PROXIED = (
    "This registry also serves the libraries, so that it is the only index: a stranger's package of the same name "
    "cannot come from anywhere."
)
_ALONE = (
    "Libraries come from your usual index, this package from the registry only: never with --extra-index-url, with "
    "which a stranger's package of the same name can win."
)


def install_lines(
    base_url: str,
    *,
    name: str,
    version: str = "",
    stage: str = "",
    proxies_upstream: bool = False,
    companions: Iterable[str] = (),
    command: str = "",
) -> InstallLines:
    """Return the lines that install a package.

    Args:
        base_url: How the registry is reached, ``http:``, ``https:`` or ``file:``, ending in ``/`` or not.
        name: Name of the project, normalised.
        version: Version; empty: the one that the index offers, which in a stage is the one that it runs.
        stage: Name of a stage; empty: everything that was published.
        proxies_upstream: Whether the registry serves the libraries, too.
        companions: What it requires of the same registry, name and specifier; see :func:`companions`.
        command: The command that it installs; empty: none.

    Example:
        >>> lines = install_lines("https://models.internal", name="churn", version="1.3.0", stage="production")
        >>> print(lines.uv)
        [[tool.uv.index]]
        name = "models-production"
        url = "https://models.internal/production/simple/"
        explicit = true
        <BLANKLINE>
        [tool.uv.sources]
        churn = { index = "models-production" }
        >>> print(lines.pip)
        pip download --no-deps --index-url https://models.internal/production/simple/ --dest churn-1.3.0 churn==1.3.0
        pip install churn-1.3.0/*.whl
    """
    url = "/".join(part for part in (base_url.rstrip("/"), stage, "simple/") if part)
    index = f"models-{stage}" if stage else "models"
    companions = tuple(companions)
    wanted = [f"{name}=={version}" if version else name, *companions]
    folder = f"{name}-{version or 'wheels'}"
    fetch = _fetch_through(url, wanted) if proxies_upstream else _fetch_alone(url, wanted, folder)
    names = [name, *(Requirement(text).name for text in companions)]
    files = [_wheel_of(each, folder) for each in names]
    run = _run_through(url, wanted[0], command) if proxies_upstream else _run_alone(fetch[0], files, command)
    return InstallLines(
        uv=_uv(index, url, names),
        uv_add=f"uv add {_quoted(wanted)}",
        pip="\n".join(fetch),
        uvx=run if command else "",
        docker=f"RUN {' && '.join(fetch)}".replace("pip install ", "pip install --no-cache-dir "),
        why=_PROXIED if proxies_upstream else _ALONE,
        credentials=_credentials(index),
    )


def companions(requires: Iterable[str], local: Collection[str]) -> tuple[str, ...]:
    """Return what a package requires of the same registry, each once, by name and specifier.

    Args:
        requires: What it requires, PEP 508.
        local: Names of the registry's projects, normalised.

    Example:
        >>> companions(["churn_weights==1.2.0", "numpy>=2"], {"churn", "churn-weights"})
        ('churn-weights==1.2.0',)
    """
    parsed = [Requirement(text) for text in requires]
    named = [(canonicalize_name(one.name), one.specifier) for one in parsed]
    return tuple(dict.fromkeys(f"{name}{specifier}" for name, specifier in named if name in local))


def lines_for(
    base_url: str, project: Project, *, version: str, stage: str = "", proxies_upstream: bool, local: Collection[str]
) -> InstallLines:
    """Return the lines for a release of a project, with its own command if it is a model.

    Args:
        base_url: How the registry is reached, ending in ``/`` or not.
        project: The project.
        version: One of its releases.
        stage: Name of a stage; empty: everything that was published.
        proxies_upstream: Whether the registry serves the libraries, too.
        local: Names of the registry's projects, normalised.
    """
    release = project.release(version)
    return install_lines(
        base_url,
        name=project.name,
        version=version,
        stage=stage,
        proxies_upstream=proxies_upstream,
        companions=companions(release.requires if release else (), local),
        command=project.name if project.kind == "model" else "",
    )


def _uv(index: str, url: str, names: list[str]) -> str:
    sources = [f"{name} = {{ index = {json.dumps(index)} }}" for name in names]
    lines = ["[[tool.uv.index]]", f"name = {json.dumps(index)}", f"url = {json.dumps(url)}", "explicit = true"]
    return "\n".join([*lines, "", "[tool.uv.sources]", *sources])


def _fetch_through(url: str, wanted: list[str]) -> list[str]:
    return [f"pip install --index-url {shlex.quote(url)} {_quoted(wanted[:1])}"]


def _fetch_alone(url: str, wanted: list[str], folder: str) -> list[str]:
    """Fetch first, then install files: if the first step finds nothing, the second has nothing to install."""
    place = shlex.quote(folder)
    return [
        f"pip download --no-deps --index-url {shlex.quote(url)} --dest {place} {_quoted(wanted)}",
        f"pip install {place}/*.whl",
    ]


def _run_through(url: str, wanted: str, command: str) -> str:
    return (
        f"uvx --default-index {shlex.quote(url)} --from {shlex.quote(wanted)} {shlex.quote(command)} predict rows.csv"
    )


def _run_alone(fetch: str, files: list[str], command: str) -> str:
    first, *others = files
    besides = "".join(f"--with {file} " for file in others)
    return f"uvx {fetch}\nuvx --from {first} {besides}{shlex.quote(command)} predict rows.csv"


def _wheel_of(name: str, folder: str) -> str:
    return f"{shlex.quote(folder)}/{name.replace('-', '_')}-*.whl"


def _quoted(words: Iterable[str]) -> str:
    return " ".join(shlex.quote(word) for word in words)


def _credentials(index: str) -> str:
    variable = f"UV_INDEX_{index.upper().replace('-', '_')}"
    return (
        f"pip and uv read the token from netrc (login __token__, password the token), pip also from a keyring; "
        f"uv also from {variable}_USERNAME=__token__ and {variable}_PASSWORD. Never put it into the URL: it would be "
        f"written into lock files and logs."
    )
