"""Prove a package: a clean environment from its own lock, its own scenarios, one report bound to one digest.

Called by ``modelwright verify``. A package that does not hold gives a report that says so; an environment that
cannot be made, or a wheel that was altered, is an error.

It does not: run any code of the package in this process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from modelwright.errors import ModelwrightError, VerifyError
from modelwright.inspecting import bytecode
from modelwright.inspecting.environments import Environment, fresh
from modelwright.inspecting.installers import InstallerName, choose
from modelwright.inspecting.interpreters import find_interpreter
from modelwright.inspecting.lock import differences, unmet
from modelwright.inspecting.matrix import Extension, extend, retag, runs_on
from modelwright.inspecting.obtain import obtain
from modelwright.inspecting.read import InstalledFiles, Reference, read
from modelwright.inspecting.saving import save_report
from modelwright.inspecting.selftest import ScenarioResult, Selftest, run_selftest
from modelwright.inspecting.weights import checked_weights
from modelwright.inspecting.wheel import WheelReport, check_wheel
from modelwright.package import FolderFiles, Package, open_wheel
from modelwright.spec.struct import Frozen
from modelwright.spec.weights import weights_name
from modelwright.steps import Listener, Step, ignore, timed


class VerifyReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a verification found; evidence for exactly the wheel with this digest.

    Attributes:
        name: Distribution name.
        version: Version of the package.
        wheel: File name of the wheel that was proved.
        sha256: Its digest.
        size: Its size, bytes.
        passed: Whether everything holds.
        problems: What does not hold, a sentence each, apart from scenarios.
        created: When it was verified, RFC 3339 UTC.
        python: Version of the interpreter.
        interpreter: Its PEP 425 tag (``cp311``).
        platform: Platform tag of this machine.
        installer: What made the environment (``uv`` or ``pip``).
        distributions: What was in the environment beside the model, versions by name.
        licences: The licence that each of these distributions names, by name; those that name none are left out.
        scenarios: What became of each scenario.
        load_seconds: Time to load the model, imports included, seconds.
        predict_seconds: Median time of one call, by number of rows, seconds.
        peak_rss_bytes: Largest memory the process held.
        seconds: How long each step of the verification took.
        extended: What was widened to another interpreter, when that was asked for.
    """

    name: str
    version: str
    wheel: str
    sha256: str
    size: int
    passed: bool
    problems: tuple[str, ...] = ()
    created: str
    python: str
    interpreter: str
    platform: str
    installer: str
    distributions: dict[str, str]
    licences: dict[str, str] = {}
    scenarios: tuple[ScenarioResult, ...] = ()
    load_seconds: float | None = None
    predict_seconds: dict[str, float] = {}
    peak_rss_bytes: int | None = None
    seconds: dict[str, float] = {}
    extended: Extension | None = None

    def save(self, path: Path | str) -> Path:
        """Write the report as JSON, atomically; return where it is.

        Raises:
            StorageError: It cannot be written.
        """
        return save_report(self, path)


def verify(
    reference: Reference,
    *,
    python: str | None = None,
    offline: bool = False,
    installer: InstallerName = "auto",
    trust: Iterable[str] = (),
    listener: Listener = ignore,
) -> VerifyReport:
    """Prove in a clean environment that a package behaves as it did when it was captured.

    The wheel is checked to the last byte, an environment is made from the package's own lock, the wheel is
    installed into it, and its own scenarios run there, in a process of their own.

    Args:
        reference: A wheel, or a folder, which is built into a temporary place first.
        python: Version or path of the Python to prove it on. One that the package was not verified on yet extends
            it, if it passes: a folder's manifest names the interpreter from then on, and a wheel gets a sister
            with the wider tag beside it.
        offline: Whether only the installer's cache may be used.
        installer: ``uv``, ``pip``, or ``auto``: uv where it runs, else pip.
        trust: Types in the artifact that the caller vouches for.
        listener: Told about each step.

    Returns:
        The report. One whose ``passed`` is false names what does not hold.

    Raises:
        UnknownPackageError: The reference leads to no package.
        PackageError: The wheel contradicts itself (``WheelError``, ``RecordError``, …).
        IntegrityError: A file is not the file that was captured.
        EnvironmentBuildError: No such Python, or the lock cannot be installed.
        BuildError: The folder cannot be built.
    """
    seconds: dict[str, float] = {}

    def listen(step: Step) -> None:
        seconds[step.name] = round(step.seconds, 3)
        listener(step)

    package = read(reference)
    chosen = choose(installer, offline=offline)
    interpreter = find_interpreter(python, package.manifest.environment)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modelwright-wheel-")))
        given = _wheel(package, folder, listen)
        wheel = _candidate(package, given, interpreter.tag, folder)
        with timed("check", listen) as note:
            checked = check_wheel(wheel)
            weights = checked_weights(package.manifest, given)
            note.detail = f"{checked.files} files agree with RECORD and manifest"
        proved = open_wheel(wheel, sha256=checked.sha256)
        with timed("environment", listen) as note:
            environment = stack.enter_context(
                fresh(proved, wheel, interpreter=interpreter, installer=chosen, weights=weights)
            )
            installed = environment.installed()
            for own in (checked.name, *([weights_name(checked.name)] if weights else [])):
                installed.pop(own, None)
            note.detail = f"{len(installed)} distributions by {chosen.name}, Python {interpreter.version}"
        problems = differences(environment.wanted, installed)
        problems += unmet(environment.requirements(), environment.installed(), markers=interpreter.markers())
        found = _selftest(environment, proved, trust, listen, problems)
        report = _report(checked, environment, installed, problems, found)
        if report.passed and wheel != given:
            report = msgspec.structs.replace(report, extended=extend(package, wheel, interpreter.tag))
    return msgspec.structs.replace(report, seconds=seconds)


def _wheel(package: Package, folder: Path, listener: Listener) -> Path:
    """Return the wheel to prove; a folder is built first."""
    if isinstance(package.files, InstalledFiles):
        raise VerifyError(
            f"{package.manifest.name} {package.manifest.version} is installed, and what is proved is a wheel.",
            why="A report is bound to the digest of the wheel, which an installation does not have.",
            hint="Give the wheel that it was installed from. To run its scenarios here: "
            f"python -m {package.import_name}.model selftest",
        )
    return obtain(package, folder, listener=listener)


def _candidate(package: Package, wheel: Path, tag: str, folder: Path) -> Path:
    """Return the wheel to prove on an interpreter: the given one, or one with a wider tag if that would refuse."""
    environment = package.manifest.environment
    is_folder = isinstance(package.files, FolderFiles)
    if tag in environment.interpreters or (runs_on(environment, tag) and not is_folder):
        return wheel
    if environment.portable and not is_folder:
        raise VerifyError(
            f"The wheel runs on {environment.interpreters[0]} and newer, and its name has no room to say more.",
            where=package.files.where,
            why="A released wheel is never changed.",
            hint="Verify the model folder that it was built from, and build that.",
        )
    check_wheel(wheel)
    return retag(wheel, tag, folder / "wider")


def _selftest(
    environment: Environment, package: Package, trust: Iterable[str], listener: Listener, problems: list[str]
) -> Selftest | None:
    """Run the scenarios; a refusal or a crash of the package is one more problem."""
    with timed("scenarios", listener) as note:
        try:
            found = run_selftest(environment, package, trust=trust)
        except ModelwrightError as error:
            problems.append(str(error))
            note.detail = "the package does not run"
            return None
        note.detail = f"{found.passed} of {found.passed + found.failed} hold"
    bytecode.keep(environment.libraries, environment.interpreter.tag)
    return found


def _report(
    checked: WheelReport,
    environment: Environment,
    installed: dict[str, str],
    problems: list[str],
    found: Selftest | None,
) -> VerifyReport:
    interpreter = environment.interpreter
    report = VerifyReport(
        name=checked.name,
        version=checked.version,
        wheel=checked.file,
        sha256=checked.sha256,
        size=checked.size,
        passed=not problems and found is not None and all(result.passed for result in found.scenarios),
        problems=tuple(problems),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        python=interpreter.version,
        interpreter=interpreter.tag,
        platform=interpreter.platform,
        installer=environment.installer,
        distributions=dict(sorted(installed.items())),
        licences={name: said for name, said in sorted(environment.licences().items()) if name in installed},
    )
    if found is None:
        return report
    return msgspec.structs.replace(
        report,
        scenarios=found.scenarios,
        load_seconds=found.load_seconds,
        predict_seconds=found.predict_seconds,
        peak_rss_bytes=found.peak_rss_bytes,
    )
