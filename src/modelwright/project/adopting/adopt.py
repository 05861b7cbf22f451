"""Turn a project that exists already into a model project: the whole of ``modelwright adopt``, from top to bottom.

Called by the command line. Each step is a module of its own beside this one; here they are put in order. Nothing of
the project is imported. Its build backend runs, in a copy and an environment of its own, to see what it ships today,
unless that is declined.

It does not: capture the model (the command that does is in the report), or delete anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.building.project import BACKEND, open_project
from modelwright.errors import AdoptError, ModelwrightError, Problem
from modelwright.package import MODEL_FOLDER
from modelwright.project.adopting.changes import apply, change
from modelwright.project.adopting.comparing import compare, fields_of_table, fields_of_wheel
from modelwright.project.adopting.data_files import check_files
from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.from_wheel import declared_by
from modelwright.project.adopting.imports import project_imports
from modelwright.project.adopting.layout import Layout, find_layout
from modelwright.project.adopting.next_steps import next_steps
from modelwright.project.adopting.obstacles import check_obstacles
from modelwright.project.adopting.old_wheel import Wheel, build_old
from modelwright.project.adopting.pruning import groups_of, judge
from modelwright.project.adopting.pyproject import propose
from modelwright.project.adopting.reading import backend_of, is_model_project, read_declared, read_document
from modelwright.project.adopting.report import Adoption, Change, Finding, Judged, OldWheel
from modelwright.project.adopting.requirement_lines import RequirementLine, read_requirements, requirement_files
from modelwright.project.adopting.saved_models import data_files, saved_models, training_code
from modelwright.project.adopting.scripts import Converted, convert_scripts
from modelwright.project.adopting.surroundings import Surroundings
from modelwright.project.adopting.tree import Tree, open_tree
from modelwright.spec.naming import check_name
from modelwright.steps import Listener, ignore, timed

Running = Literal["nothing", "build", "metadata"]
"""What of the project may run: nothing; its build, to see what it ships; that, and metadata are believed from it."""
_ORDER = ("missing", "blocks", "warning", "note")


def adopt(
    root: Path | str,
    *,
    package: str = "",
    name: str = "",
    running: Running = "build",
    listener: Listener = ignore,
) -> Adoption:
    """Say what it takes to make a project a model project; change nothing.

    Args:
        root: The project's folder.
        package: Which import package holds the model, if there are several: its folder or module.
        name: Another distribution name than the project has.
        running: What of the project may run.
        listener: Told of each finished step.

    Returns:
        The report; :func:`write` makes its changes.

    Raises:
        AdoptError: There is no project, its files cannot be read, or something has no equivalent.
        NameVersionError: Its name is one that an index would refuse.
    """
    with timed("read", listener) as note:
        tree = open_tree(Path(root))
        document = read_document(tree)
        backend = backend_of(document)
        wheel = None if running == "nothing" or backend == BACKEND else build_old(tree)
        declared = _declared(tree, document, wheel, running)
        layout = _layout(tree, document, declared, package)
        name = _name(declared, layout, name, tree)
        note.detail = f"{declared.style}, {len(tree.files)} files"
    with timed("models", listener) as note:
        models, training = saved_models(tree), training_code(tree)
        note.detail = f"{len(models)} saved, {len(training)} files of training code"
    converted = convert_scripts(tree, declared.scripts, layout)
    with timed("requirements", listener) as note:
        lines = [line for file in requirement_files(tree)[:1] for line in read_requirements(tree, file)]
        importers = project_imports(tree, layout, moved=[each.path for each in converted.commands if each.reference])
        judged = judge(lines, importers=importers, models=models, own=name)
        note.detail = f"{sum(each.verdict == 'needed' for each in judged)} of {len(judged)} needed"
    around = Surroundings(tree, layout, declared, backend, models, training, judged)
    with timed("files", listener) as note:
        found = [
            *declared.findings,
            *check_obstacles(around),
            *check_files(around, wheel),
            *_about_build(wheel),
            *_about_names(name, declared),
        ]
        note.detail = f"{len(found)} findings"
    proposed, pruned, groups = _proposal(declared, converted, judged, lines)
    changes = _changes(tree, document, proposed, converted, name=name, layout=layout, groups=groups)
    captured = f"{layout.package}/{MODEL_FOLDER}/manifest.json" in tree.known
    report = Adoption(
        root=str(tree.root),
        name=name,
        version=str(proposed.table.get("version", "")) or _built_version(wheel),
        package=layout.package,
        style=declared.style,
        backend=backend,
        captured=captured,
        unmodified=_why_not(tree.root),
        changes=changes,
        findings=tuple(sorted(found, key=lambda each: _ORDER.index(each.severity))),
        wheel=_old_wheel(tree, wheel, proposed, pruned),
        commands=converted.commands,
        models=models,
        training=training,
        data=data_files(tree),
        requirements=judged,
        removable=tuple(_removable(declared, converted, pruned, lines, tree.known)) if changes else (),
    )
    return msgspec.structs.replace(report, next=next_steps(report, around))


def write(report: Adoption) -> Adoption:
    """Make the changes of a report, all or none, and return it with ``written`` set.

    Raises:
        StorageError: A file cannot be written; nothing is changed.
        AdoptError: A file was changed since the report was made.
    """
    root = Path(report.root)
    tree = open_tree(root)
    for each in report.changes:
        fresh = change(tree, each.path, each.text)
        if fresh is None or fresh.diff != each.diff:
            raise AdoptError("The file changed while it was looked at.", where=str(root / each.path), hint="Try again.")
    apply(root, sorted(report.changes, key=lambda each: each.path == "pyproject.toml"))
    return msgspec.structs.replace(
        report, written=True, next=tuple(line for line in report.next if not line.endswith("--write"))
    )


def running(*, may_build: bool, may_tell: bool) -> Running:
    """Return what of a project may run, from what a user allows.

    Args:
        may_build: Its backend may build it, in a copy.
        may_tell: What the backend says is taken for what cannot be read; this needs the build.
    """
    return "metadata" if may_tell else "build" if may_build else "nothing"


def _declared(tree: Tree, document: dict[str, Any], wheel: Wheel | None, running: Running) -> Declared:
    """Read what the project declares; what only running it could tell is refused, or taken from the wheel."""
    try:
        declared = read_declared(tree, document)
        unread = [each for each in declared.unread if not (declared.style == "project" and each[0] == "version")]
        if not unread:
            return declared
        problem = AdoptError(
            f"{unread[0][0]} cannot be read without running the project."
            if len(unread) == 1
            else f"{len(unread)} fields cannot be read without running the project.",
            where=unread[0][2],
            problems=[Problem(None, None, why, item=f"{field} ({where})") for field, why, where in unread],
            hint="Write the value down; or let the build backend say it, in a clean environment: --run-setup",
        )
        style = declared.style
    except AdoptError as error:
        if running != "metadata" or "--run-setup" not in error.hint:
            raise
        problem, style = error, "setup.py" if "setup.py" in tree.known else "pyproject.toml"
    if running != "metadata":
        raise problem
    if wheel is None or not wheel.name:
        why = wheel.problem if wheel is not None else ""
        raise AdoptError("The build backend does not say it either.", where=str(tree.root), why=why)
    taken = declared_by(wheel, tree, style=style)
    packages = [top for top in taken.packages or () if tree.below(top) or tree.below(f"src/{top}")]
    return replace(taken, packages=packages)


def _layout(tree: Tree, document: dict[str, Any], declared: Declared, package: str) -> Layout:
    said = document.get("tool", {}).get("modelwright", {}).get("package", "")
    return find_layout(tree, declared, package=package, said=str(said))


def _name(declared: Declared, layout: Layout, name: str, tree: Tree) -> str:
    given = name or str(declared.table.get("name", ""))
    if not given:
        raise AdoptError(
            "The project has no name.", where=str(tree.root), hint=f"Give it one: --name {layout.module}", why=""
        )
    return check_name(given)


def _about_build(wheel: Wheel | None) -> list[Finding]:
    if wheel is None or wheel.name:
        return []
    what = "The project does not build as it is, so what it ships could not be checked."
    fix = "modelwright adopt --write gives it another backend; then adopt again."
    return [Finding(severity="blocks", file="", what=what, why=wheel.problem, fix=fix, solved=True)]


def _about_names(name: str, declared: Declared) -> list[Finding]:
    said = canonicalize_name(str(declared.table.get("name", name)))
    if said == name:
        return []
    what = f"It is installed as {name!r} from now on; today it is {said!r}."
    return [Finding(severity="warning", file="", what=what, why="Whoever requires the old name keeps the old release.")]


def _proposal(
    declared: Declared, converted: Converted, judged: tuple[Judged, ...], lines: list[RequirementLine]
) -> tuple[Declared, bool, dict[str, list[str]]]:
    """Return what the new project declares, whether its requirements were pruned, and where the rest went."""
    table = dict(declared.table)
    scripts = {each.name: each.reference for each in converted.commands if each.reference}
    if scripts:
        table["scripts"] = {**scripts, **table.get("scripts", {})}
    by_place = {(line.file, line.number): line for line in lines}
    frozen = {_comparable(line.text) for line in lines if line.kind == "release" and "==" in line.text}
    said = {_comparable(text) for text in table.get("dependencies", ())}
    if not said or not said <= frozen | {_comparable(line.text) for line in lines}:
        return replace(declared, table=table), False, {}
    kept = [
        by_place[each.file, each.line].pin for each in judged if each.verdict in ("needed", "unknown") and each.name
    ]
    pruned = len(kept) < len(said)
    table["dependencies"] = kept if pruned else table["dependencies"]
    return replace(declared, table=table), pruned, groups_of(judged, by_place) if pruned else {}


def _comparable(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text
    return f"{canonicalize_name(requirement.name)}{requirement.specifier}"


def _changes(
    tree: Tree,
    document: dict[str, Any],
    declared: Declared,
    converted: Converted,
    *,
    name: str,
    layout: Layout,
    groups: Mapping[str, list[str]],
) -> tuple[Change, ...]:
    """Return the files that would be written; none for a project that is a model project already."""
    if is_model_project(document):
        return ()
    old = tree.text("pyproject.toml") if "pyproject.toml" in tree.known else ""
    text = propose(old, declared, name=name, package=layout.package, groups=groups)
    wanted = {"pyproject.toml": text, **converted.files}
    if f"{layout.package}/__init__.py" not in tree.known:
        wanted[f"{layout.package}/__init__.py"] = f'"""{layout.module}."""\n'
    return tuple(filter(None, (change(tree, path, content) for path, content in wanted.items())))


def _old_wheel(tree: Tree, wheel: Wheel | None, proposed: Declared, pruned: bool) -> OldWheel | None:
    if wheel is None:
        return None
    if not wheel.name:
        return OldWheel(problem=wheel.problem)
    reasons = {"Requires-Dist": "pruned to what the model needs; capture adds exact pins"} if pruned else {}
    if "version" not in proposed.table:
        reasons["Version"] = "its backend computed it; from now on capture is told"
    if proposed.scripts:
        reasons["Entry-Point"] = "scripts became console scripts"
    if "readme" in proposed.table:
        reasons["Description-Content-Type"] = "it was not said; the readme's suffix says it"
    if proposed.style == "poetry":
        reasons["Classifier"] = "poetry derives them from the Python version and the licence"
    if proposed.license_text:
        reasons["License"] = "it names no licence that SPDX knows"
    new = fields_of_table(proposed.table, _readme_text(tree, proposed.table))
    equal, differences = compare(fields_of_wheel(wheel.metadata, wheel.entry_points), new, reasons)
    return OldWheel(name=wheel.name, files=wheel.files, equal=equal, differences=differences)


def _built_version(wheel: Wheel | None) -> str:
    found = fields_of_wheel(wheel.metadata).get("Version") if wheel is not None and wheel.name else None
    return next(iter(found or ()), "")


def _readme_text(tree: Tree, table: Mapping[str, Any]) -> str:
    readme = table.get("readme", {})
    said = {"file": readme} if isinstance(readme, str) else readme
    if "text" in said:
        return str(said["text"])
    return tree.text(said["file"]) if said.get("file") in tree.known else ""


def _why_not(root: Path) -> str:
    """Say why ``modelwright build`` would refuse the project as it is; empty if it would not."""
    try:
        open_project(root)
    except ModelwrightError as error:
        return f"{error.what} {error.hint}".strip()
    return ""


def _removable(
    declared: Declared, converted: Converted, pruned: bool, lines: list[RequirementLine], known: frozenset[str]
) -> list[str]:
    copied = [each.path for each in converted.commands if f".{'scripts'}." in each.reference]
    files = sorted({line.file for line in lines}) if pruned else []
    there = [each for each in declared.removable if ":" in each or each in known]
    return [*dict.fromkeys(there), *copied, *files]
