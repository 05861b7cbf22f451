"""A package as something to look at: its manifest and files, wherever they are, with nothing executed.

For: capture returns one, build consumes one, everything in inspecting is given one. The files come from a
:class:`Files`: a folder (:class:`FolderFiles`) or a wheel (:class:`WheelFiles`); inspecting adds others.

It does not: import the model or its code, or write anything.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from modelwright.errors import ManifestError, ModelwrightError, PackageError, UnknownPackageError, WheelError
from modelwright.spec.manifest import Manifest, parse_manifest
from modelwright.spec.profile import Profile
from modelwright.spec.scenario import Scenario

MODEL_FOLDER = "model"
"""Name of the model folder inside the import package."""
MAX_DOCUMENT = 256 * 2**20
"""Largest JSON, Markdown or TOML document that is read whole, bytes; a defence, not a quota."""


class Files(Protocol):
    """The files of one package, by path relative to the root that holds the import package."""

    @property
    def where(self) -> str:
        """Where the files are, for messages."""
        ...

    def names(self) -> tuple[str, ...]:
        """List every file, sorted, ``/`` between parts."""
        ...

    def size(self, name: str) -> int:
        """Return the size of a file, bytes."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading bytes.

        Raises:
            KeyError: There is no such file.
        """
        ...


class FolderFiles:
    """Files in a folder on disk; symbolic links that lead out of it are refused."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def where(self) -> str:
        """The folder's path."""
        return str(self.root)

    def names(self) -> tuple[str, ...]:
        """List the regular files below the folder, byte code and hidden files left out."""
        return tuple(sorted(self._walk()))

    def _walk(self) -> Iterator[str]:
        for path in self.root.rglob("*"):
            name = path.relative_to(self.root)
            if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in name.parts):
                yield name.as_posix()

    def path(self, name: str) -> Path:
        """Return the path of a file of the package.

        Raises:
            KeyError: There is no such file.
            PackageError: The name leads out of the folder.
        """
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root):
            raise PackageError(f"The file {name!r} leads out of the package.", where=self.where)
        if not path.is_file():
            raise KeyError(name)
        return path

    def size(self, name: str) -> int:
        """Return the size of a file, bytes."""
        return self.path(name).stat().st_size

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading bytes."""
        return self.path(name).open("rb")


class WheelFiles:
    """Files in a wheel, read through its central directory.

    Args:
        source: A path, or any seekable binary stream (a remote file read by ranges).
        where: What to call it in messages.

    Raises:
        WheelError: Not a ZIP archive, truncated, or with names that no wheel may have.
    """

    def __init__(self, source: Path | BinaryIO, *, where: str = "") -> None:
        self._where = where or str(source)
        try:
            self.archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, EOFError, ValueError) as error:
            raise WheelError("The file is not a complete ZIP archive.", where=self.where, why=str(error)) from error
        except FileNotFoundError as error:
            raise UnknownPackageError("There is no such file.", where=self.where) from error
        except OSError as error:
            raise WheelError("The file cannot be read.", where=self.where, why=str(error)) from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self.archive.infolist():
            self._admit(entry)

    def _admit(self, entry: zipfile.ZipInfo) -> None:
        name, mode = entry.filename, entry.external_attr >> 16
        if name.endswith("/"):
            return
        parts = name.split("/")
        if name.startswith("/") or "\\" in name or "\0" in entry.orig_filename or {"", ".", ".."} & set(parts):
            raise WheelError(f"The wheel contains the unsafe name {name!r}.", where=self.where)
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise WheelError(f"The wheel contains {name!r}, which is no regular file.", where=self.where)
        if name in self._entries:
            raise WheelError(f"The wheel contains {name!r} twice.", where=self.where)
        self._entries[name] = entry

    @property
    def where(self) -> str:
        """The wheel's path or URL."""
        return self._where

    def names(self) -> tuple[str, ...]:
        """List every file, sorted."""
        return tuple(sorted(self._entries))

    def size(self, name: str) -> int:
        """Return the uncompressed size of a file, bytes."""
        return self._entries[name].file_size

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading bytes; its CRC is checked while it is read."""
        try:
            return self.archive.open(self._entries[name])  # type: ignore[return-value]
        except zipfile.BadZipFile as error:
            raise WheelError(f"The file {name!r} in the wheel is damaged.", where=self.where, why=str(error)) from error


class Package:
    """A model package: a manifest and files; on disk a model folder, shipped as a wheel.

    Args:
        files: Where the files are.
        import_name: The import package below the root of ``files``.
        path: The folder or wheel on this machine, if there is one.
        sha256: Digest of the wheel, if it is one.

    Attributes:
        open_weights: Opens the wheel with its weights, if they are one of their own and whoever opened the package
            knows where it is; else they are looked for beside the package.
    """

    def __init__(self, files: Files, import_name: str, *, path: Path | None = None, sha256: str = "") -> None:
        self.files = files
        self.import_name = import_name
        self.path = path
        self.sha256 = sha256
        self.open_weights: Callable[[], BinaryIO] | None = None

    def __repr__(self) -> str:
        """Show name, version and place; of a damaged package what is wrong with it."""
        try:
            return f"<Package {self.manifest.name} {self.manifest.version} at {self.files.where}>"
        except ModelwrightError as error:
            return f"<Package {self.import_name} at {self.files.where}: {error.code} {error.what}>"

    def _repr_html_(self) -> str | None:
        """Show the package in a notebook; a damaged one is left to :meth:`__repr__`."""
        from modelwright.viewing.package_page import package_page

        try:
            return package_page(
                self.manifest, self.scenarios, path=self.path, where=self.files.where, sha256=self.sha256
            )
        except ModelwrightError:
            return None

    def read(self, name: str) -> bytes:
        """Return the content of a document of the model folder (``manifest.json``, ``card.md``).

        Raises:
            PackageError: There is no such file, it is damaged, or larger than any document.
        """
        full = f"{self.import_name}/{MODEL_FOLDER}/{name}"
        try:
            if self.files.size(full) > MAX_DOCUMENT:
                raise PackageError(f"{name} is larger than {MAX_DOCUMENT} bytes.", where=self.files.where)
            with self.files.open(full) as stream:
                return stream.read()
        except KeyError as error:
            raise PackageError(f"The package has no {name}.", where=self.files.where) from error
        except (zipfile.BadZipFile, EOFError) as error:
            raise WheelError(f"{name} is damaged.", where=self.files.where, why=str(error)) from error

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest.

        Raises:
            ManifestError: It is missing or malformed.
            FormatVersionError: It was written by a newer modelwright.
        """
        return parse_manifest(self.read("manifest.json"), where=f"{self.files.where}: manifest.json")

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios, in the order of the file."""
        lines = self.read("scenarios.jsonl").splitlines()
        try:
            return tuple(msgspec.json.decode(line, type=Scenario) for line in lines if line.strip())
        except msgspec.DecodeError as error:
            raise ManifestError("scenarios.jsonl is malformed.", where=self.files.where, why=str(error)) from error

    @cached_property
    def profile(self) -> Profile:
        """The profile of the training data."""
        try:
            return msgspec.json.decode(self.read("profile.json"), type=Profile)
        except msgspec.DecodeError as error:
            raise ManifestError("profile.json is malformed.", where=self.files.where, why=str(error)) from error

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return self.read("card.md").decode("utf-8", "replace")

    @property
    def lock(self) -> str:
        """The lock of the whole environment, ``pylock.toml`` (PEP 751)."""
        return self.read("pylock.toml").decode("utf-8")


def open_folder(path: Path) -> Package:
    """Open a model folder on disk.

    Args:
        path: The model folder itself (``…/churn/model``), the import package (``…/churn``), or the folder that
            holds one of them, directly or below ``src``.

    Raises:
        UnknownPackageError: There is no model folder, or more than one.
    """
    path = path.resolve()
    candidates = [
        path,
        path / MODEL_FOLDER,
        *path.glob(f"*/{MODEL_FOLDER}"),
        *path.glob(f"src/*/{MODEL_FOLDER}"),
    ]
    found = sorted({folder for folder in candidates if (folder / "manifest.json").is_file()})
    if len(found) != 1:
        raise UnknownPackageError(
            f"There are {len(found)} model folders here, and one is needed." if found else "There is no model folder.",
            where=str(path),
            why="\n".join(map(str, found)),
            hint="Give the path of the folder that contains manifest.json." if found else "modelwright capture --help",
        )
    root = found[0].parent.parent
    return Package(FolderFiles(root), found[0].parent.name, path=root)


def open_wheel(source: Path | BinaryIO, *, where: str = "", sha256: str = "") -> Package:
    """Open a wheel without installing it.

    Raises:
        WheelError: Truncated, not a ZIP archive, or no model package in it.
    """
    files = WheelFiles(source, where=where)
    suffix = f"/{MODEL_FOLDER}/manifest.json"
    found = [name.removesuffix(suffix) for name in files.names() if name.endswith(suffix) and name.count("/") == 2]
    if len(found) != 1:
        raise WheelError(
            "The wheel contains no model." if not found else "The wheel contains more than one model.",
            where=files.where,
            why=f"A model package has exactly one NAME{suffix}.",
        )
    return Package(files, found[0], path=source if isinstance(source, Path) else None, sha256=sha256)
