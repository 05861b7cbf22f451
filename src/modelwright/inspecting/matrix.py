"""Extend the interpreters that a package is verified on.

Called by verify with ``python="3.12"``. The wheel with the wider tag is made first and proved as it is; only then is
the folder's manifest changed, or the new wheel put beside the old one.

It does not: decide whether the package passed. A released wheel is never changed: the wider one is a file of its own.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from datetime import datetime
from email import message_from_bytes
from email.generator import BytesGenerator
from email.policy import compat32
from io import BytesIO
from pathlib import Path

import msgspec
from packaging.specifiers import SpecifierSet

from modelwright.building.archive import Entry, replacing, write_wheel
from modelwright.building.distinfo import wheel_file
from modelwright.building.sbom import model_bom
from modelwright.building.tags import interpreters, requires_python, wheel_name
from modelwright.errors import PackageError, StorageError, VerifyError
from modelwright.inspecting.wheel import sha256_of
from modelwright.package import MODEL_FOLDER, FolderFiles, Package, open_folder, open_wheel
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import Manifest, dump_manifest
from modelwright.spec.struct import Frozen


class Extension(Frozen, frozen=True, kw_only=True):
    """What was widened to another interpreter.

    Attributes:
        interpreters: The interpreters that the package is verified on from now on (``cp311``, ``cp312``).
        path: The manifest that was changed, or the new wheel.
        sha256: Digest of the wheel with the wider tag: the new one, or the one that the folder builds from now on.
    """

    interpreters: tuple[str, ...]
    path: str
    sha256: str


def runs_on(environment: Environment, tag: str) -> bool:
    """Say whether a wheel of this environment installs on an interpreter and its runtime lets it load.

    Example:
        >>> runs_on(Environment(python="3.11.7", interpreters=("cp311",), dependencies=()), "cp312")
        False
    """
    if not environment.portable:
        return tag in environment.interpreters
    oldest, *_ = interpreters(environment)
    asked, *_ = interpreters(msgspec.structs.replace(environment, interpreters=(tag,)))
    return tag[:2] == oldest.tag[:2] and asked >= oldest


def wider(manifest: Manifest, tag: str) -> Manifest:
    """Return a manifest that names one more interpreter."""
    environment = msgspec.structs.replace(manifest.environment, interpreters=(*manifest.environment.interpreters, tag))
    tags = tuple(found.tag for found in interpreters(environment))
    return msgspec.structs.replace(manifest, environment=msgspec.structs.replace(environment, interpreters=tags))


def retag(wheel: Path, tag: str, into: Path) -> Path:
    """Write a wheel again for one more interpreter; everything else in it stays byte for byte.

    Changed are the manifest, ``WHEEL``, ``Requires-Python`` in ``METADATA``, the bill of materials, which names the
    interpreters, and RECORD: the bytes are those that building the folder with the wider manifest gives.

    Args:
        wheel: The wheel.
        tag: PEP 425 tag of the interpreter to add.
        into: Folder for the new wheel; made if it is not there.

    Raises:
        VerifyError: The project that the wheel was built from excludes the interpreter.
        StorageError: The new wheel cannot be written.
    """
    package = open_wheel(wheel)
    manifest = wider(package.manifest, tag)
    dist_info = next(name.partition("/")[0] for name in package.files.names() if ".dist-info/" in name)
    target = into / wheel_name(manifest)
    with tempfile.TemporaryDirectory(prefix="modelwright-wider-") as folder, zipfile.ZipFile(wheel) as archive:
        root = Path(folder)
        archive.extractall(root)
        date = archive.getinfo(f"{dist_info}/WHEEL").date_time
        (root / package.import_name / MODEL_FOLDER / "manifest.json").write_bytes(dump_manifest(manifest))
        _rewrite(root, dist_info, package.manifest, manifest)
        entries = [Entry(name, root / name) for name in package.files.names() if name != f"{dist_info}/RECORD"]
        try:
            write_wheel(target, entries, dist_info=dist_info, epoch=_epoch(date))
        except OSError as error:
            raise StorageError("The wider wheel cannot be written.", where=str(target), why=str(error)) from error
    return target


def _rewrite(root: Path, dist_info: str, old: Manifest, new: Manifest) -> None:
    """Bring the files of an unpacked ``.dist-info`` folder in line with the wider manifest."""
    folder = root / dist_info
    (folder / "WHEEL").write_bytes(wheel_file(new.environment))
    message = message_from_bytes((folder / "METADATA").read_bytes(), policy=compat32)
    message.replace_header("Requires-Python", _requires_python(str(message["Requires-Python"]), old, new))
    text = BytesIO()
    BytesGenerator(text, mangle_from_=False, maxheaderlen=0).flatten(message)
    (folder / "METADATA").write_bytes(text.getvalue())
    for bom in (folder / "sboms").glob("*.cdx.json"):
        moment = datetime.fromisoformat(json.loads(bom.read_bytes())["metadata"]["timestamp"])
        bom.write_bytes(model_bom(open_folder(root / new.import_name), epoch=int(moment.timestamp())))


def _requires_python(said: str, old: Manifest, new: Manifest) -> str:
    """Return Requires-Python for the wider manifest, with what the project itself demands kept."""
    proved = {str(specifier) for specifier in requires_python(old.environment)}
    demanded = SpecifierSet(",".join(str(one) for one in SpecifierSet(said) if str(one) not in proved))
    added = set(new.environment.interpreters) - set(old.environment.interpreters)
    for found in interpreters(new.environment):
        if found.tag in added and not any(
            demanded.contains(f"{found.major}.{found.minor}.{patch}") for patch in range(50)
        ):
            raise VerifyError(
                f"The project demands Python {demanded}, which excludes {found.tag}.",
                hint="Change requires-python in its pyproject.toml and build it again.",
            )
    return str(requires_python(new.environment) & demanded)


def _epoch(date: tuple[int, int, int, int, int, int]) -> int:
    from calendar import timegm

    return timegm((*date, 0, 0, 0))


def extend(package: Package, wheel: Path, tag: str) -> Extension:
    """Keep what was proved: name the interpreter in a folder's manifest, or put the new wheel beside the old one.

    Args:
        package: What was given to verify.
        wheel: The wheel that was proved.
        tag: PEP 425 tag of the interpreter.

    Raises:
        PackageError: The manifest changed meanwhile.
        StorageError: Manifest or wheel cannot be written.
    """
    manifest = wider(package.manifest, tag)
    digest = sha256_of(wheel)
    if isinstance(package.files, FolderFiles):
        target = package.files.root / package.import_name / MODEL_FOLDER / "manifest.json"
        if open_folder(target.parent).manifest != package.manifest:
            raise PackageError("The manifest changed while the package was verified.", where=str(target))
    elif package.path is not None:
        target = package.path.with_name(wheel.name)
    else:
        target = Path(wheel.name).absolute()
    try:
        with replacing(target) as sink:
            if target.name == "manifest.json":
                sink.write(dump_manifest(manifest))
            else:
                with wheel.open("rb") as source:
                    shutil.copyfileobj(source, sink, 2**20)
    except OSError as error:
        raise StorageError("The wider matrix cannot be kept.", where=str(target), why=str(error)) from error
    return Extension(interpreters=manifest.environment.interpreters, path=str(target), sha256=digest)
