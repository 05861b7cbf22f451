"""Find out where a model comes from: commit, notebook, hyperparameters, data references.

For: capture.

It does not: open the data that a reference names.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import numpy as np

from modelwright.capturing.encoding import encode_float
from modelwright.errors import SampleError
from modelwright.spec.lineage import DataReference, GitRevision, NotebookReference

GIT_TIMEOUT_S = 10
"""A git command that takes longer (a network file system) counts as no git."""
MAX_ITEMS = 50
"""Longest list or dict of a hyperparameter that is written in full; longer ones are summarised."""
MAX_DEPTH = 4
_SECRET_KEYS = re.compile(r"(?i)(passw|secret|token|signature|credential|api_?key|access_?key|\bsig\b)")


def git_revision(folder: Path | str) -> GitRevision | None:
    """Return the commit that a folder's working tree is at; ``None`` outside a repository or without git.

    Args:
        folder: Any folder of the working tree.
    """
    revision = _git(folder, "rev-parse", "--verify", "HEAD")
    if not revision:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return GitRevision(
        revision=revision,
        dirty=changed != "",
        branch=_git(folder, "symbolic-ref", "--short", "-q", "HEAD") or "",
        remote=without_credentials(_git(folder, "config", "--get", "remote.origin.url") or ""),
    )


def _git(folder: Path | str, *arguments: str) -> str | None:
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def without_credentials(url: str) -> str:
    """Return a URL without user, password, query and fragment; other text as it is.

    Example:
        >>> without_credentials("https://ci:s3cret@git.example.org/team/churn.git?token=x")
        'https://git.example.org/team/churn.git'
        >>> without_credentials("git@git.example.org:team/churn.git")
        'git@git.example.org:team/churn.git'
    """
    if "://" not in url:
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def notebook(namespace: Mapping[str, Any], variables: Mapping[str, str]) -> NotebookReference | None:
    """Return the notebook that this code runs in, if its file can be found.

    Args:
        namespace: Globals of the caller (``__vsc_ipynb_file__`` is what VS Code puts there, ``__session__`` what
            IPython kernels do).
        variables: Environment variables (``JPY_SESSION_NAME`` is the path that Jupyter gives the kernel).
    """
    candidates = (
        namespace.get("__vsc_ipynb_file__"),
        namespace.get("__session__"),
        variables.get("JPY_SESSION_NAME"),
    )
    for candidate in candidates:
        if not isinstance(candidate, str) or not candidate.endswith(".ipynb"):
            continue
        for path in (Path(candidate), Path(candidate).expanduser(), Path(Path(candidate).name)):
            if path.is_file():
                return NotebookReference(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    return None


def this_notebook() -> NotebookReference | None:
    """Return the notebook that this process runs, if it does.

    A notebook has no command line that could pass on what its server put into the environment, so the one variable
    that names the file is read here.
    """
    return notebook(vars(sys.modules["__main__"]), {name: os.environ.get(name, "") for name in ("JPY_SESSION_NAME",)})


def hyperparameters(model: object) -> dict[str, Any]:
    """Return what ``get_params(deep=True)`` says, as JSON data, sorted by name; empty without it.

    An estimator becomes its class name, a function its qualified name, a big array its shape and dtype, anything else
    its type: a ``repr`` may hold an address, and the same model must give the same manifest.
    """
    get_params = getattr(model, "get_params", None)
    if not callable(get_params) or isinstance(model, type):
        return {}
    return {str(name): _parameter(value) for name, value in sorted(get_params(deep=True).items())}


def _parameter(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return encode_float(value)
    if isinstance(value, np.generic):
        return _parameter(value.item(), depth)
    if isinstance(value, np.ndarray):
        small = value.size <= MAX_ITEMS and value.dtype.kind in "biufU"
        return _parameter(value.tolist(), depth) if small else f"array{list(value.shape)} of {value.dtype}"
    if isinstance(value, functools.partial):
        return f"partial({_parameter(value.func)})"
    if isinstance(value, list | tuple | Mapping) and (len(value) > MAX_ITEMS or depth >= MAX_DEPTH):
        return f"{type(value).__name__} of {len(value)}"
    if isinstance(value, Mapping):
        return {str(key): _parameter(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_parameter(item, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_parameter(item, depth + 1) for item in value), key=str)
    named = value if callable(value) and hasattr(value, "__qualname__") else type(value)
    return (
        f"{named.__module__}.{named.__qualname__}"
        if hasattr(named, "get_params") or named is value
        else named.__qualname__
    )


def check_references(references: Sequence[DataReference]) -> tuple[DataReference, ...]:
    """Return data references, each of them fit to be published.

    Raises:
        SampleError: No URI, a URI with credentials, a digest that is none, a negative number of rows, an unknown role.

    Example:
        >>> check_references([DataReference("s3://lake/churn.parquet")])[0].role
        'training'
    """
    for reference in references:
        if not isinstance(reference, DataReference):
            raise SampleError(
                f"A data reference is a {type(reference).__qualname__}.",
                hint='Use mw.DataReference("s3://…", version="…").',
            )
        _check_reference(reference)
    return tuple(references)


def _check_reference(reference: DataReference) -> None:
    where = f"data reference {without_credentials(reference.uri)!r}"
    if not reference.uri.strip():
        raise SampleError("A data reference has no URI.", hint="Say where the data are, or leave the reference out.")
    if has_credentials(reference.uri):
        raise SampleError(
            "The URI of a data reference contains credentials.",
            where=where,
            why="The manifest is published with the package; whoever installs it could read them.",
            hint="Remove user, password and signed query parts from the URI.",
        )
    if reference.sha256 and not re.fullmatch(r"[0-9a-f]{64}", reference.sha256):
        raise SampleError("The sha256 of a data reference is not 64 lower-case hexadecimal digits.", where=where)
    if reference.rows is not None and reference.rows < 0:
        raise SampleError("A data reference has a negative number of rows.", where=where)
    if reference.role not in ("training", "validation", "test", "other"):
        raise SampleError(
            f"{reference.role!r} is no role of data.", where=where, hint="training, validation, test or other."
        )


def has_credentials(uri: str) -> bool:
    """Say whether a URI carries a password or a signed query.

    Example:
        >>> has_credentials("postgresql://ann:pw@db/churn"), has_credentials("s3://lake/churn.parquet?versionId=3")
        (True, False)
    """
    if "://" not in uri:
        return False
    parts = urlsplit(uri)
    user = parts.netloc.rpartition("@")[0]
    return ":" in user or any(_SECRET_KEYS.search(key) for key, _ in parse_qsl(parts.query, keep_blank_values=True))
