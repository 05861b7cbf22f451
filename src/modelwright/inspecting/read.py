"""Open a package wherever it is, executing nothing.

Called by ``modelwright inspect``, diff, scan, verify and predict. A reference is a wheel, a folder, the name of an
installed distribution, or the URL of a wheel. A URL is read by range requests: only what is looked at is moved.

It does not: import the model or its code, deserialise an artifact, or install anything. It knows no registry.
"""

from __future__ import annotations

import difflib
import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.errors import UnknownPackageError
from modelwright.inspecting.remote import open_remote
from modelwright.package import MODEL_FOLDER, FolderFiles, Package, open_folder, open_wheel

GROUP = "modelwright.models"
"""Entry-point group by which an installed model is found."""

Reference = Package | Path | str
"""What names a package: itself, a path, or text (path, ``file:`` or ``https:`` URL, ``name``, ``name==version``)."""

_STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9._-]+")


def read(reference: Reference) -> Package:
    """Open a package to look at, executing nothing.

    Args:
        reference: A wheel, a model folder (or a folder around it), ``name`` or ``name==version`` of a distribution
            that is installed for this interpreter, or the URL of a wheel.

    Raises:
        UnknownPackageError: It leads to no package; what was tried is listed.
        WheelError: A wheel that is truncated, not a ZIP archive, or has no model in it.
        MissingExtraError: A URL was given and the extra ``remote`` is not installed.

    Example:
        >>> try:
        ...     read("churm-model")
        ... except UnknownPackageError as error:
        ...     error.what
        "There is no package 'churm-model'."
    """
    if isinstance(reference, Package):
        return reference
    text = str(reference)
    scheme = urlsplit(text).scheme
    if scheme in {"http", "https"}:
        return open_remote(text)
    if scheme == "file":
        return _on_disk(Path(url2pathname(urlsplit(text).path)))
    path = Path(reference)
    if path.exists():
        return _on_disk(path)
    if isinstance(reference, Path) or path.suffix == ".whl" or len(path.parts) > 1:
        raise _no_such_path(path)
    return _installed(text)


def _on_disk(path: Path) -> Package:
    if path.is_dir():
        return open_folder(path)
    if not path.exists():
        raise _no_such_path(path)
    return open_wheel(path.resolve())


def _no_such_path(path: Path) -> UnknownPackageError:
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.7)
    return UnknownPackageError(
        "There is no such file or folder.",
        where=str(path),
        hint=f"Did you mean {str(path.with_name(close[0]))!r}?" if close else "Give a wheel or a model folder.",
    )


def _installed(text: str) -> Package:
    if _STAGE.fullmatch(text):
        raise UnknownPackageError(
            f"{text!r} names a stage, and stages need a registry.",
            why="Only wheels, folders, URLs and installed distributions can be read without one.",
            hint=f"On the command line: {text} --registry FOLDER_OR_URL. In Python: mw.Registry(…).read({text!r}).",
        )
    try:
        wanted = Requirement(text)
    except InvalidRequirement as error:
        raise _unknown(text, "") from error
    try:
        found = distribution(wanted.name)
    except PackageNotFoundError as error:
        raise _unknown(text, wanted.name) from error
    if not wanted.specifier.contains(found.version, prereleases=True):
        raise UnknownPackageError(
            f"{text!r} is not what is installed here: {wanted.name} has version {found.version}.",
            hint=f"pip install '{text}', or give the path of its wheel.",
        )
    return open_distribution(found)


def open_distribution(found: Distribution) -> Package:
    """Open an installed distribution with a model in it, an editable install as well.

    Raises:
        UnknownPackageError: It is installed but contains no model.
    """
    editable = _editable_folder(found)
    if editable is not None:
        return open_folder(editable)
    names = [str(name).replace("\\", "/") for name in found.files or ()]
    suffix = f"/{MODEL_FOLDER}/manifest.json"
    holders = [name.removesuffix(suffix) for name in names if name.endswith(suffix) and name.count("/") == 2]
    if len(holders) != 1:
        raise UnknownPackageError(
            f"{found.metadata['Name']} {found.version} is installed, but there is no model in it.",
            where=str(found.locate_file("")),
            hint=_models_hint(found.metadata["Name"]),
        )
    root = Path(str(found.locate_file("")))
    return Package(InstalledFiles(root, names), holders[0])


class InstalledFiles(FolderFiles):
    """The files of one installed distribution: what its RECORD lists, not what else stands in ``site-packages``.

    Args:
        root: The ``site-packages`` folder.
        listed: The names in RECORD.
    """

    def __init__(self, root: Path, listed: list[str]) -> None:
        super().__init__(root)
        self._listed = frozenset(name for name in listed if ".." not in name and "__pycache__" not in name)

    def names(self) -> tuple[str, ...]:
        """List the files that RECORD lists and that are there, sorted."""
        return tuple(sorted(name for name in self._listed if (self.root / name).is_file()))

    def path(self, name: str) -> Path:
        """Return the path of a file of the distribution; installers may have made it a link into their cache."""
        path = self.root / name
        if name not in self._listed or not path.is_file():
            raise KeyError(name)
        return path


def _editable_folder(found: Distribution) -> Path | None:
    """Return the source folder of an editable install (PEP 610 ``direct_url.json``)."""
    document = found.read_text("direct_url.json")
    origin = json.loads(document) if document else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(url2pathname(urlsplit(origin["url"]).path))


def _unknown(text: str, name: str) -> UnknownPackageError:
    return UnknownPackageError(
        f"There is no package {text!r}.",
        why="Tried: a file or folder of that name, a URL, an installed distribution.",
        hint=_models_hint(name or text),
    )


def _models_hint(name: str) -> str:
    """Suggest an installed model, by a name that is close or by listing what is there."""
    models = sorted({canonicalize_name(found.metadata["Name"]) for found in distributions() if _has_model(found)})
    close = difflib.get_close_matches(canonicalize_name(name), models, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Installed models: {', '.join(models)}." if models else "No model is installed here; give a path or a URL."


def _has_model(found: Distribution) -> bool:
    return any(point.group == GROUP for point in found.entry_points)
