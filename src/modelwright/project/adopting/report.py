"""What adopting found out about a project, as data: the object that ``modelwright adopt --json`` prints.

Made by :mod:`modelwright.project.adopting.adopt` from the parts beside it; printed by the command line.
"""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen

Severity = Literal["missing", "blocks", "warning", "note"]
"""``missing``: a file that the installed package will not find; ``blocks``: capture or build would fail or go wrong."""
Verdict = Literal["needed", "comes-with", "elsewhere", "tooling", "unused", "unknown"]


class Change(Frozen, frozen=True, kw_only=True):
    """One file that adopting would write.

    Attributes:
        path: Relative to the project.
        diff: Unified diff from what is there to what would be.
        text: The whole new content.
    """

    path: str
    diff: str
    text: str


class Finding(Frozen, frozen=True, kw_only=True):
    """Something about the project that its owner should know.

    Attributes:
        severity: How bad it is.
        file: What it is about, relative to the project.
        what: What is the case.
        why: Why it matters.
        fix: The line or the deed that fixes it in the project as it is.
        solved: Whether the proposed changes solve it as well.
    """

    severity: Severity
    file: str
    what: str
    why: str = ""
    fix: str = ""
    solved: bool = False


class SavedModel(Frozen, frozen=True, kw_only=True):
    """A trained model in a file.

    Attributes:
        path: Relative to the project.
        kind: What the file is, by its content (``pickle``).
        size: Bytes.
        types: What loading it would construct or call, full names.
        versions: Versions of libraries noted inside, by distribution.
        unreviewed: Names in it that capture does not open without ``--trust``.
        problem: Why it cannot be read to its end.
    """

    path: str
    kind: str
    size: int
    types: tuple[str, ...] = ()
    versions: dict[str, str] = {}
    unreviewed: tuple[str, ...] = ()
    problem: str = ""


class Training(Frozen, frozen=True, kw_only=True):
    """A file of code that fits or saves a model.

    Attributes:
        path: Relative to the project.
        line: Where it first does, counted from 1.
        fits: Whether it calls ``fit``.
        saves: Literal paths that it saves to.
        reads: Files of the project that it reads rows from.
        targets: Column names that it takes out of the rows, in order.
    """

    path: str
    line: int
    fits: bool = False
    saves: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


class Command(Frozen, frozen=True, kw_only=True):
    """A script of ``scripts=[…]`` and what becomes of it.

    Attributes:
        path: The script, relative to the project.
        name: The command that it installs.
        reference: The console script that does the same; empty if there is none.
        reason: Why there is none.
    """

    path: str
    name: str
    reference: str = ""
    reason: str = ""


class Judged(Frozen, frozen=True, kw_only=True):
    """One line of the requirements and whether the model needs it.

    Attributes:
        file: Requirements file, relative to the project.
        line: Line number, from 1.
        text: The line, without its comment and hashes.
        name: Distribution, PEP 503 normal form.
        verdict: What was found out.
        why: The evidence, half a sentence.
    """

    file: str
    line: int
    text: str
    name: str
    verdict: Verdict
    why: str


class Difference(Frozen, frozen=True, kw_only=True):
    """One metadata field that the old wheel and the new project give differently.

    Attributes:
        field: Name of the field, as Core Metadata spell it.
        old: Values only the old wheel has.
        new: Values only the new project has.
        why: The reason, where it is meant.
    """

    field: str
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    why: str = ""


class OldWheel(Frozen, frozen=True, kw_only=True):
    """What the project's own build backend makes today.

    Attributes:
        name: File name of the wheel; empty if none was made.
        files: Names in it, without ``.dist-info``.
        equal: Metadata fields that the proposed project gives alike.
        differences: Those that it does not.
        problem: Why there is no wheel.
    """

    name: str = ""
    files: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    problem: str = ""


class Adoption(Frozen, frozen=True, kw_only=True):
    """What adopting a project means.

    Attributes:
        root: The project's folder.
        name: Distribution name, PEP 503 normal form.
        version: Static version; empty if none is known.
        package: Import package, relative to the project (``src/churn``).
        style: Where its metadata were read (``setup.py``, ``setup.cfg``, ``poetry``, ``project``).
        backend: Its build backend today.
        captured: Whether the package holds a captured model.
        unmodified: Empty if ``modelwright build`` works on it as it is; otherwise why not.
        changes: Files that would be written.
        written: Whether they were.
        findings: What its owner should know, worst first.
        wheel: What its own backend builds today; ``None`` if it was not asked.
        commands: Scripts and their console scripts.
        models: Trained models in files.
        training: Code that fits or saves models.
        data: Files of rows.
        requirements: Lines of the requirements, judged.
        removable: Files and tables that nothing reads any more after the change.
        next: Commands that lead on, ready to be pasted.
    """

    root: str
    name: str
    version: str = ""
    package: str
    style: str
    backend: str
    captured: bool = False
    unmodified: str = ""
    changes: tuple[Change, ...] = ()
    written: bool = False
    findings: tuple[Finding, ...] = ()
    wheel: OldWheel | None = None
    commands: tuple[Command, ...] = ()
    models: tuple[SavedModel, ...] = ()
    training: tuple[Training, ...] = ()
    data: tuple[str, ...] = ()
    requirements: tuple[Judged, ...] = ()
    removable: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is missing or in the way; what the changes solve counts once they are written."""
        return not any(
            finding.severity in ("missing", "blocks") and not (self.written and finding.solved)
            for finding in self.findings
        )
