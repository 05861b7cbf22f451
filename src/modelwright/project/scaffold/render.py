"""Render the bundled template: answers in, files out, no network.

Called by create and update. The template is one of copier, and copier renders it to the same files (a test holds us to
that); but importing copier alone takes longer than ``modelwright new`` may, and of what it can do only this is needed:
files below ``_subdirectory``, suffix ``.jinja``, ``_exclude``, ``_envops``. The other half of copier, updating, is
:mod:`modelwright.project.scaffold.update`.
Source: copier documentation, "Creating a template", "Configuring a template".
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2
import yaml  # type: ignore[import-untyped]
from jinja2.sandbox import SandboxedEnvironment

from modelwright.errors import ScaffoldError
from modelwright.project.scaffold.answers import Answers

TEMPLATES = Path(__file__).parents[1] / "templates"
"""One folder for each version of the template; old ones stay, so that an update knows what a person has changed."""
SUFFIX = ".jinja"
"""Ending of the files that are rendered; the others are copied as they are."""


def versions(templates: Path = TEMPLATES) -> tuple[int, ...]:
    """Return the versions of the template that are there, ascending.

    Example:
        >>> versions()[0]
        1
    """
    return tuple(sorted(int(folder.name) for folder in templates.iterdir() if folder.name.isdecimal()))


def render(answers: Answers, into: Path, *, version: int | None = None, templates: Path = TEMPLATES) -> tuple[str, ...]:
    """Render a project into a folder.

    Args:
        answers: What the template is asked.
        into: An empty folder, or one that does not exist yet.
        version: Which version of the template; by default the newest.
        templates: Folder that holds the versions.

    Returns:
        The files, relative to the folder, sorted.

    Raises:
        ScaffoldError: There is no such version, or the template is broken.
    """
    source = _folder_of(templates, versions(templates)[-1] if version is None else version)
    data = answers.data()
    try:
        settings = yaml.safe_load((source / "copier.yml").read_text("utf-8"))
        environment = _environment(source, settings)
        root = source / environment.from_string(settings["_subdirectory"]).render(data)
        excluded = [environment.from_string(line).render(data) for line in settings["_exclude"]]
        for path in sorted(_walk(root)):
            name = environment.from_string(path.relative_to(root).as_posix()).render(data)
            if not is_excluded(name.removesuffix(SUFFIX), "\n".join(excluded).splitlines()):
                _put(path, into / name, environment=environment, data=data)
    except (jinja2.TemplateError, yaml.YAMLError, KeyError) as error:
        raise ScaffoldError("The template cannot be rendered.", where=str(source), why=str(error)) from error
    return files_below(into)


def files_below(folder: Path) -> tuple[str, ...]:
    """Return every file below a folder, relative to it, sorted."""
    return tuple(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))


def is_excluded(name: str, patterns: Sequence[str]) -> bool:
    """Say whether a file, or a folder that it lies in, is left out.

    Args:
        name: Path relative to the project.
        patterns: As in ``.gitignore``, of the two kinds that templates need: ``/path/from/the/root`` and ``name``.

    Example:
        >>> [is_excluded(name, ["/src/*/plots", "*.pyc"]) for name in ("src/a/plots/b.py", "tests/x.pyc", "plots/b.py")]
        [True, True, False]
    """
    parts = PurePosixPath(name).parts
    for pattern in filter(None, map(str.strip, patterns)):
        wanted = pattern.removeprefix("/").split("/")
        if pattern.startswith("/"):
            if len(wanted) <= len(parts) and all(map(fnmatchcase, parts, wanted)):
                return True
        elif any(fnmatchcase(part, pattern) for part in parts):
            return True
    return False


def _folder_of(templates: Path, version: int) -> Path:
    if not (templates / str(version)).is_dir():
        raise ScaffoldError(
            f"There is no version {version} of the template.",
            where=str(templates),
            why=f"This modelwright has {', '.join(map(str, versions(templates)))}.",
            hint="pip install --upgrade modelwright",
        )
    return templates / str(version)


def _environment(source: Path, settings: dict[str, Any]) -> SandboxedEnvironment:
    options = dict(settings.get("_envops", {}))
    if "undefined" in options:
        options["undefined"] = getattr(jinja2, options["undefined"].rpartition(".")[2])
    return SandboxedEnvironment(loader=jinja2.FileSystemLoader(source), **options)


def _walk(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _put(path: Path, target: Path, *, environment: SandboxedEnvironment, data: dict[str, object]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != SUFFIX:
        shutil.copyfile(path, target)
        return
    text = environment.from_string(path.read_text("utf-8")).render(data)
    target.with_suffix("").write_text(text, "utf-8", newline="\n")
