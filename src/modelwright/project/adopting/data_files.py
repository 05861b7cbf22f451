"""Assert that every file that the installed package needs is in the wheel, and say which line is wrong if not.

Called by :mod:`modelwright.project.adopting.adopt`. MANIFEST.in, ``package_data`` and ``include_package_data`` are the
classic: the file is there in the checkout, the tests pass, and whoever installs the wheel gets FileNotFoundError.
Source: setuptools documentation, "Data Files Support".
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from modelwright.building.contents import LEFTOVERS
from modelwright.project.adopting.layout import NOT_PACKAGES
from modelwright.project.adopting.manifest_in import Manifest, matches, read_manifest
from modelwright.project.adopting.old_wheel import Wheel
from modelwright.project.adopting.references import Reference, references
from modelwright.project.adopting.report import Finding
from modelwright.project.adopting.surroundings import Surroundings
from modelwright.project.adopting.tree import parents

_STRAY = "It would overwrite that of any other project that does the same."
_PROSE = (".md", ".rst", ".gitignore", ".gitkeep", ".ipynb", ".pyi")


def check_files(around: Surroundings, wheel: Wheel | None) -> list[Finding]:
    """Return what is wrong with the files of a project.

    Args:
        around: The project.
        wheel: What its backend builds today; ``None`` if that was not asked.
    """
    read = references(around.tree, around.layout)
    found = [*_absent(read), *_outside(around, read), *_idle(around)]
    if wheel is not None and wheel.name:
        found += [*_missing(around, read, wheel), *_strangers(around, wheel)]
    return found


def _in_wheel(around: Surroundings, file: str) -> str:
    """Return the name of a file of the package in a wheel."""
    source = around.layout.source
    return file if source == "." else file.removeprefix(f"{source}/")


def _package_files(around: Surroundings) -> list[str]:
    """Return the files of the package that somebody means to ship."""
    files = []
    for file in around.tree.below(around.layout.package):
        parts = file[len(around.layout.package) + 1 :].split("/")
        if not any(part.startswith(".") or matches(pattern, part) for part in parts for pattern in LEFTOVERS):
            files.append(file)
    return files


def _missing(around: Surroundings, read: Iterable[Reference], wheel: Wheel) -> Iterator[Finding]:
    """Compare what the package holds with what the wheel holds."""
    held = set(wheel.files)
    readers = {each.file: each for each in read}
    saved = {model.path for model in around.models}
    manifest = read_manifest(around.tree)
    for file in _package_files(around):
        if _in_wheel(around, file) in held:
            continue
        if file in readers:
            why = f"{readers[file].reader}, line {readers[file].line}, reads it: FileNotFoundError once installed."
        elif file in saved:
            why = "It holds a trained model."
        elif file.endswith(".py"):
            why = "It is code of the package: ModuleNotFoundError once installed."
        elif file.endswith(_PROSE) or (around.tree.tracked is not None and file not in around.tree.tracked):
            continue
        else:
            why = "It lies in the package" + (", and git tracks it." if around.tree.tracked is not None else ".")
        yield Finding(
            severity="missing",
            file=file,
            what="It is not in the wheel that the project builds today.",
            why=f"{why} {_cause(around, file, manifest)}".strip(),
            fix=_fix(around, file, manifest),
            solved=True,
        )


def _cause(around: Surroundings, file: str, manifest: Manifest) -> str:
    if around.backend.startswith("setuptools") and file in manifest.files and not around.declared.includes_data:
        return "MANIFEST.in names it, but only the source archive reads that unless include_package_data is set."
    if file.endswith(".py"):
        bare = next((f for f in parents(file) if f"{f}/__init__.py" not in around.tree.known), "")
        return f"{bare} has no __init__.py, so find_packages() leaves it out." if bare else ""
    if around.backend.startswith("hatchling") and around.tree.tracked is not None and file not in around.tree.tracked:
        return "git ignores it, and hatchling leaves out what git ignores."
    return ""


def _fix(around: Surroundings, file: str, manifest: Manifest) -> str:
    """Return the line that puts a file into the wheel, in the language of the backend."""
    folder, name = posixpath.split(file)
    pattern = f"*{posixpath.splitext(name)[1]}" if "." in name else name
    module = around.layout.module
    below = posixpath.relpath(f"{folder}/{pattern}", around.layout.package)
    if file.endswith(".py"):
        bare = next((f for f in parents(file) if f"{f}/__init__.py" not in around.tree.known), folder)
        return f"touch {bare}/__init__.py"
    if around.backend.startswith("hatchling"):
        return f'[tool.hatch.build] artifacts = ["{file}"]'
    if around.backend.startswith("poetry"):
        return f'[tool.poetry] include = [{{ path = "{file}", format = ["sdist", "wheel"] }}]'
    if around.backend.startswith("pdm"):
        return f'[tool.pdm.build] includes = ["{file}"]'
    if not around.backend.startswith("setuptools"):
        return "modelwright adopt --write"
    if around.declared.style == "project":
        return f'[tool.setuptools.package-data] {module} = ["{below}"]'
    if around.declared.includes_data:
        return f"MANIFEST.in: include {folder}/{pattern}"
    if file in manifest.files:
        return f"{around.declared.style}: include_package_data=True"
    if around.declared.style == "setup.cfg":
        return f"[options.package_data] {module} = {below}"
    return f'setup.py: package_data={{"{module}": ["{below}"]}}'


def _absent(read: Iterable[Reference]) -> Iterator[Finding]:
    for each in read:
        if not each.exists:
            yield Finding(
                severity="missing",
                file=each.file,
                what="The project does not have it.",
                why=f"{each.reader}, line {each.line}, reads it.",
                fix=f"Put it there, or correct line {each.line} of {each.reader}.",
            )


def _outside(around: Surroundings, read: Iterable[Reference]) -> Iterator[Finding]:
    """Find files outside of the package that its code reads; those for training are not needed to predict."""
    trains = {each.path for each in around.training}
    for each in read:
        if not each.exists or each.file.startswith(f"{around.layout.package}/"):
            continue
        target = f"{around.layout.package}/{posixpath.basename(each.file)}"
        yield Finding(
            severity="warning" if each.reader in trains else "missing",
            file=each.file,
            what="It is outside of the package and is not installed.",
            why=f"{each.reader}, line {each.line}, reads it"
            + (", to train; nothing is lost for predicting." if each.reader in trains else "."),
            fix=f'git mv {each.file} {target}; read importlib.resources.files("{around.layout.module}") / '
            f'"{posixpath.basename(each.file)}"',
        )


def _idle(around: Surroundings) -> Iterator[Finding]:
    """Find lines that do nothing: usually a folder was renamed, or a path is relative to something else."""
    if not around.backend.startswith("setuptools"):
        return
    for line in read_manifest(around.tree).idle:
        yield Finding(
            severity="warning",
            file="MANIFEST.in",
            what=f"Line {line.number}, {line.text!r}: {line.problem}.",
            why="A line that does nothing was meant to do something.",
            fix="Paths begin at the project's folder; correct the line or delete it.",
            solved=True,
        )
    for package, globs in around.declared.package_data.items():
        folders = _folders(around, package)
        for glob in globs:
            patterns = [posixpath.normpath(posixpath.join(folder, glob)) for folder in folders]
            if any(matches(pattern, file) for pattern in patterns for file in around.tree.files):
                continue
            yield Finding(
                severity="warning",
                file=around.declared.style if around.declared.style.startswith("setup") else "pyproject.toml",
                what=f"package_data: {glob!r} of {package or 'all packages'} matches no file.",
                why="Globs begin at the package's folder, and * stops at folders.",
                fix="Correct the glob or delete it.",
                solved=True,
            )


def _folders(around: Surroundings, package: str) -> list[str]:
    if not package:
        inside = {f for file in around.tree.below(around.layout.package) for f in parents(file)}
        return [folder for folder in inside if folder.startswith(around.layout.package)]
    folder = posixpath.normpath(posixpath.join(around.layout.source, package.replace(".", "/")))
    return [folder]


def _strangers(around: Surroundings, wheel: Wheel) -> Iterator[Finding]:
    """Find top-level names that the wheel installs beside the package."""
    tops = dict.fromkeys(file.split("/")[0] for file in wheel.files)
    for top in [top for top in tops if top != around.layout.module]:
        is_file = top in wheel.files
        accident = top in NOT_PACKAGES or (is_file and not top.endswith(".py"))
        kind = "module" if top.endswith(".py") else "file" if is_file else "package"
        named = top.removesuffix(".py")
        lost = "" if accident else "; a model package holds one package, so the new wheel leaves it out"
        excluded = f'find_packages(exclude=["{top}", "{top}.*"])' if not is_file else "Remove it from package_data."
        yield Finding(
            severity="warning" if accident else "missing",
            file=top,
            what=f"The wheel installs it beside the package, as the top-level {kind} {named!r}{lost}.",
            why=_STRAY if accident else "Code that imports it would fail.",
            fix=excluded if accident else f"Move it into {around.layout.package}/.",
            solved=accident,
        )
