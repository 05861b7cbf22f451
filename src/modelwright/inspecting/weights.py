"""Find the wheel that holds a model's weights, and check it to the last byte.

Called by verify, predict and diff, which install it beside the model; by scan, which looks into it; and by the registry
for a wheel of weights that is published. Nothing is executed.
"""

from __future__ import annotations

import shutil
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urljoin

from packaging.utils import canonicalize_name

from modelwright.building.weights import read_weights
from modelwright.errors import IntegrityError, ManifestError, Problem, RecordError, UnknownPackageError, WheelError
from modelwright.inspecting.agreement import (
    FileName,
    dist_info,
    metadata_problems,
    parse_file_name,
    read_metadata,
    read_wheel,
    wheel_problems,
)
from modelwright.inspecting.record import Digest, compare_files, document, problem
from modelwright.inspecting.remote import open_stream
from modelwright.package import Files, FolderFiles, Package, WheelFiles
from modelwright.spec.manifest import Manifest
from modelwright.spec.weights import (
    DOCUMENT,
    SUFFIX,
    Weights,
    parse_weights,
    weights_file_name,
    weights_folder,
    weights_name,
    weights_requirement,
)

_CHUNK = 4 * 2**20


def find_weights(manifest: Manifest, wheel: Path) -> Path | None:
    """Return the wheel with a model's weights: beside the model's wheel, or in the same registry's folder.

    Args:
        manifest: The model's manifest.
        wheel: The model's wheel.

    Returns:
        The path; ``None``: the model carries its weights itself.

    Raises:
        IntegrityError: They are nowhere.
    """
    if not manifest.weights:
        return None
    name = weights_file_name(manifest.name, manifest.weights)
    places = [wheel.with_name(name)]
    if len(wheel.parents) > 3 and wheel.parents[2].name == "files":  # files/ab/<sha256>/NAME of a registry
        places += sorted(wheel.parents[2].glob(f"*/*/{name}"))
    for place in places:
        if place.is_file():
            return place
    raise _not_here(manifest, wheel.parent)


def checked_weights(manifest: Manifest, wheel: Path) -> Path | None:
    """Return what :func:`find_weights` does, once every byte of it was compared with what the model was captured with.

    Raises:
        IntegrityError: The weights are nowhere, or not those of the model.
        WheelError: The parts of the wheel contradict one another.
        RecordError: RECORD and its files disagree.
    """
    found = find_weights(manifest, wheel)
    if found is None:
        return None
    if read_weights(found).artifacts != manifest.artifacts:
        raise IntegrityError(
            f"{found.name} does not hold the artifacts that {manifest.name} {manifest.version} was captured with.",
            where=str(found),
            hint=f"Get {weights_requirement(manifest)} from where the model was built.",
        )
    check_weights(found)
    return found


def check_weights(path: Path) -> Weights:
    """Check that a wheel with weights is complete, unaltered and consistent, and say what it holds.

    Raises:
        WheelError: It holds no weights, is truncated, or its parts contradict one another.
        IntegrityError: An artifact is not the one that was captured.
        RecordError: RECORD and the files disagree.
    """
    files = WheelFiles(path)
    with files.archive:
        named = parse_file_name(path.name, where=str(path))
        folder = dist_info(files, named)
        weights, problems = weights_problems(files, folder, named)
        if weights is None or problems:
            raise WheelError("The parts of the wheel contradict one another.", where=str(path), problems=problems)
        found = compare_files(files, folder, captured_weights(weights))
        if found.integrity:
            raise IntegrityError(
                "The wheel does not contain the weights that were captured.",
                where=str(path),
                hint="Get the wheel again from where it was built.",
                problems=[*found.integrity, *found.record],
            )
        if found.record:
            raise RecordError("RECORD and the files of the wheel disagree.", where=str(path), problems=found.record)
    return weights


def holds_weights(files: Files, named: FileName) -> bool:
    """Say whether a wheel claims to hold the weights of a model; then :func:`weights_problems` judges it."""
    return named.name.endswith(SUFFIX) and f"{named.name.replace('-', '_')}/{DOCUMENT}" in files.names()


def weights_problems(files: Files, folder: str, named: FileName) -> tuple[Weights | None, list[Problem]]:
    """Read what a weights wheel says of itself, and list what contradicts it; digests are not compared.

    Args:
        files: The files of the wheel.
        folder: Name of its ``.dist-info`` folder.
        named: What the file name says.
    """
    root = named.name.replace("-", "_")
    content = document(files, f"{root}/{DOCUMENT}")
    if content is None:
        return None, [problem(DOCUMENT, f"is missing in {root!r}: the wheel holds no weights")]
    try:
        weights = parse_weights(content, where=DOCUMENT)
    except ManifestError as error:
        return None, [problem(DOCUMENT, error.why or error.what)]
    metadata, problems = read_metadata(files, folder)
    problems = problems if metadata is None else metadata_problems(metadata, named)
    problems += wheel_problems(read_wheel(files, folder), named)
    if metadata is not None and metadata.requires_dist:
        problems.append(problem("METADATA", "requires other distributions; weights need none"))
    expected = {"name": named.name, "version": str(named.version), "model": named.name.removesuffix(SUFFIX)}
    for key, value in expected.items():
        if getattr(weights, key) != value:
            problems.append(problem(DOCUMENT, f"says {key} {getattr(weights, key)!r}, the file name says {value!r}"))
    return weights, problems + _strangers(files, root, folder, weights)


def _strangers(files: Files, root: str, folder: str, weights: Weights) -> list[Problem]:
    """List files that are no weights: the wheel has one module, which is a docstring, and nothing that runs."""
    captured = captured_weights(weights)
    expected = {f"{root}/__init__.py", f"{root}/{DOCUMENT}", *captured}
    problems = [
        problem(name, "is not one of the weights")
        for name in files.names()
        if name not in expected and not name.startswith(f"{folder}/")
    ]
    if f"{folder}/entry_points.txt" in files.names():
        problems.append(problem("entry_points.txt", "has no place among weights: there is nothing to run"))
    module = document(files, f"{root}/__init__.py") or b""
    inner = module.strip().removeprefix(b'"""').removesuffix(b'"""')
    if len(module.strip()) != len(inner) + 6 or b'"""' in inner or b"\\" in inner or b"\n" in inner:
        problems.append(problem(f"{root}/__init__.py", "is more than a docstring: it would run when it is imported"))
    return problems


def captured_weights(weights: Weights) -> dict[str, Digest]:
    """Return what the weights are, by name in their wheel."""
    root = weights.name.replace("-", "_")
    return {
        f"{root}/artifacts/{file.path}": Digest("sha256", file.sha256.lower(), file.size) for file in weights.artifacts
    }


def weights_files(package: Package) -> Files | None:
    """Open what holds the artifacts of a package that does not carry them itself; nothing is compared.

    The names in it begin with ``churn_weights/artifacts/``. ``None``: it is not on this machine.
    """
    manifest = package.manifest
    if package.open_weights is not None:
        return WheelFiles(package.open_weights(), where=weights_file_name(manifest.name, manifest.weights))
    if package.path is not None and package.path.is_file():
        try:
            found = find_weights(manifest, package.path)
        except IntegrityError:
            return None
        return WheelFiles(found) if found else None
    if not isinstance(package.files, FolderFiles):
        return None
    root = package.files.root
    if not (root / weights_folder(manifest.name)).is_dir():
        try:
            root = Path(str(distribution(weights_name(manifest.name)).locate_file("")))
        except PackageNotFoundError:
            return None
    return WeightsFolder(root, canonicalize_name(weights_name(manifest.name)))


class WeightsFolder(FolderFiles):
    """The installed weights of one model, without what else stands in ``site-packages``.

    Args:
        root: The ``site-packages`` folder.
        name: Distribution name of the weights.
    """

    def __init__(self, root: Path, name: str) -> None:
        super().__init__(root)
        self._folder = name.replace("-", "_")

    def names(self) -> tuple[str, ...]:
        """List the weights, sorted."""
        inside = FolderFiles(self.root / self._folder)
        return tuple(f"{self._folder}/{name}" for name in inside.names())

    def path(self, name: str) -> Path:
        """Return the path of a file; installers may have made it a link into their cache."""
        if name not in self.names():
            raise KeyError(name)
        return self.root / name


def download_weights(package: Package, folder: Path) -> None:
    """Fetch the wheel with a model's weights, from its registry or from beside the model's own on a web server.

    Args:
        package: The model, which was read from there.
        folder: Where the weights' wheel shall be.

    Raises:
        IntegrityError: There is none.
    """
    manifest, url = package.manifest, package.files.where
    name = weights_file_name(manifest.name, manifest.weights)
    opened = package.open_weights or partial(open_stream, urljoin(url, name))
    try:
        with opened() as source, (folder / name).open("wb") as sink:
            shutil.copyfileobj(source, sink, _CHUNK)
    except UnknownPackageError as error:
        raise _not_here(manifest, url) from error


def _not_here(manifest: Manifest, where: Path | str) -> IntegrityError:
    requirement = weights_requirement(manifest)
    name = weights_file_name(manifest.name, manifest.weights)
    return IntegrityError(
        f"The weights of {manifest.name} {manifest.version} are not here.",
        where=str(where),
        why=f"They are shipped once for all releases that share them, in {name}.",
        hint=f"Put it beside the wheel: pip download --no-deps {requirement}",
    )
