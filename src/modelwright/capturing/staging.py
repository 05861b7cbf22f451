"""Write the files of a model folder, into a stage that becomes visible only when it is complete.

Called by capture. It knows which file goes where and what is the same in every package: the runtime, the loader and
the small static modules.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import msgspec
import tomlkit

from modelwright.capturing.code import Collected
from modelwright.capturing.folders import replacing
from modelwright.capturing.places import Place, check_project_code
from modelwright.package import MODEL_FOLDER
from modelwright.spec.manifest import File, Manifest, dump_manifest
from modelwright.spec.profile import Profile
from modelwright.spec.scenario import Scenario

ARTIFACTS = "artifacts"
_CHUNK = 1 << 20


class Stage:
    """The model folder while it is being made.

    Args:
        root: Temporary folder that holds the import package.
        package: Name of the import package.

    Attributes:
        root: The root.
        package: Name of the import package.
        package_folder: The import package.
        model_folder: The model folder in it.
        artifacts: Folder of the artifacts.
    """

    def __init__(self, root: Path, package: str) -> None:
        self.root = root
        self.package = package
        self.package_folder = root / package
        self.model_folder = self.package_folder / MODEL_FOLDER
        self.artifacts = self.model_folder / ARTIFACTS
        self.artifacts.mkdir(parents=True)

    def write_static(self, *loaders: Path) -> None:
        """Write what is the same for every model: the runtime, the loaders, the small modules around them."""
        runtime = self.model_folder / "_runtime"
        runtime.mkdir()
        for source in sorted(files("modelwright.runtime").iterdir(), key=lambda item: item.name):
            if source.name.endswith(".py"):
                (runtime / source.name).write_bytes(source.read_bytes())
        self.write_loaders(*loaders)
        templates = files("modelwright.capturing") / "templates"
        for template, path in _TEMPLATES.items():
            target = self.package_folder / path
            if not target.exists():
                target.write_bytes((templates / template).read_bytes())

    def write_loaders(self, *loaders: Path) -> None:
        """Write loaders beside the runtime; one may be a folder of modules."""
        runtime = self.model_folder / "_runtime"
        for loader in loaders:
            if loader.is_dir():
                shutil.copytree(loader, runtime / loader.name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (runtime / loader.name).write_bytes(loader.read_bytes())

    def write(self, name: str, content: bytes | str) -> None:
        """Write a document of the model folder."""
        path = self.model_folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest."""
        self.write("manifest.json", dump_manifest(manifest))

    def write_scenarios(self, scenarios: Iterable[Scenario]) -> None:
        """Write the scenarios, one JSON object per line."""
        self.write("scenarios.jsonl", b"".join(msgspec.json.encode(item) + b"\n" for item in scenarios))

    def write_results(self, manifest: Manifest, profile: Profile, charts: Mapping[str, str]) -> None:
        """Write the final manifest, the profile and the charts; of a package of its own, also its project file."""
        self.write_manifest(manifest)
        self.write("profile.json", msgspec.json.format(msgspec.json.encode(profile), indent=1) + b"\n")
        for name, svg in charts.items():
            self.write(f"charts/{name}", svg)
        self.write_project(manifest)

    def write_project(self, manifest: Manifest) -> None:
        """Write the ``pyproject.toml`` that makes the folder a project any build frontend can build."""
        document = tomlkit.document()
        document.add(tomlkit.comment("Written by capture: the manifest in the model folder says everything else."))
        system = tomlkit.table()
        system.add("requires", [manifest.tool.replace(" ", "==")])
        system.add("build-backend", "modelwright.backend")
        document.add("build-system", system)
        project = tomlkit.table()
        project.add("name", manifest.name)
        project.add("dynamic", ["version", "dependencies"])
        document.add("project", project)
        (self.root / "pyproject.toml").write_text(tomlkit.dumps(document), "utf-8")

    def drop_artifacts(self, name: str) -> None:
        """Remove a folder of artifacts, if it is there."""
        shutil.rmtree(self.artifacts / name, ignore_errors=True)

    def code_files(self) -> tuple[File, ...]:
        """Return the Python files of the package outside the model folder, with their digests."""
        paths = sorted(self.package_folder.rglob("*.py"))
        return tuple(
            describe(path, self.package_folder) for path in paths if not path.is_relative_to(self.model_folder)
        )

    def artifact_files(self) -> tuple[File, ...]:
        """Return the artifacts with their digests."""
        paths = sorted(path for path in self.artifacts.rglob("*") if path.is_file())
        return tuple(describe(path, self.artifacts) for path in paths)


@contextmanager
def staged(place: Place, package: str, collected: Collected) -> Iterator[Stage]:
    """Give a stage with the model's code in it; when the block ends well, it stands at its place.

    In a project the code is the user's: it is copied into the stage only so that the model can be tried there, and
    only the model folder is put into the project.

    Raises:
        SourceError: The model needs code that the project does not have.
        StorageError: The folder cannot be written.
    """
    if place.home is not None:
        check_project_code(place.home, collected.files)
    with replacing(place.target) as new:
        if place.home is None:
            stage = Stage(new, package)
            collected.write(stage.package_folder)
            yield stage
            return
        stage = Stage(new / ".stage", package)
        shutil.copytree(
            place.home, stage.package_folder, ignore=_ignored(place.home), dirs_exist_ok=True, symlinks=False
        )
        yield stage
        for path in sorted(stage.model_folder.iterdir()):
            path.rename(new / path.name)
        shutil.rmtree(stage.root)


def _ignored(home: Path) -> Callable[[str, list[str]], set[str]]:
    """Leave out byte code, hidden files (the stage is one), and the model folder that is about to be replaced."""

    def ignored(folder: str, names: list[str]) -> set[str]:
        hidden = {name for name in names if name == "__pycache__" or name.startswith(".")}
        return hidden | ({MODEL_FOLDER} if Path(folder) == home else set())

    return ignored


_TEMPLATES = {
    "package_init.py": "__init__.py",
    "model_init.py": f"{MODEL_FOLDER}/__init__.py",
    "model_main.py": f"{MODEL_FOLDER}/__main__.py",
    "model_scenarios.py": f"{MODEL_FOLDER}/test_scenarios.py",
}


def describe(path: Path, folder: Path) -> File:
    """Return a file's path relative to a folder, its digest and its size."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return File(path=path.relative_to(folder).as_posix(), sha256=digest.hexdigest(), size=size)
