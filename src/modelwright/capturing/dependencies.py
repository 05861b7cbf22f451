"""Decide what a model requires: few distributions, exact pins, nothing of the tools that made it.

Evidence is united: what a fresh process imported, the types in the artifact, the imports that the shipped code makes,
the library of the loader. Then it is reduced: what comes with another requirement is not named again. What was only
imported because it happened to be there (pandas imports pyarrow if it can) is proved unnecessary by running again
without it.

For: capture. It runs nothing itself but that second trace, and the lock is made elsewhere
(:mod:`modelwright.capturing.locking`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from modelwright.capturing.distributions import extra_with, installed, modules_outside, owner, reachable
from modelwright.capturing.homes import home_of_file, home_of_module
from modelwright.capturing.local_modules import Imported
from modelwright.capturing.trace import Running, Trace, start
from modelwright.errors import DependencyError, TraceError
from modelwright.spec.environment import Pins

_TOOL_NAMES = (
    "modelwright pytest pluggy iniconfig pytest-cov pytest-xdist execnet hypothesis coverage ipython ipykernel "
    "ipywidgets jupyter jupyterlab notebook nbclient nbformat debugpy pydevd pip setuptools wheel uv sybil"
)
TOOLS = frozenset(map(canonicalize_name, _TOOL_NAMES.split()))
"""Distributions of tests, notebooks and installation: a model that predicts does not need them."""

Again = Callable[[frozenset[str]], Trace]
"""Runs the same trace again with these top-level modules blocked."""


class Requirements(NamedTuple):
    """What a model requires.

    Attributes:
        direct: Requirements (PEP 508), sorted.
        reasons: Per distribution, why it is required, half a sentence.
        installed: Version here of every distribution that comes with them, builds told apart, for the lock.
        unneeded: Distributions that were imported but proved unnecessary.
    """

    direct: tuple[str, ...]
    reasons: dict[str, str]
    installed: dict[str, str]
    unneeded: tuple[str, ...] = ()


def direct(
    trace: Trace,
    *,
    package: str,
    again: Again,
    imports: Iterable[Imported] = (),
    modules: Iterable[str] = (),
    distributions: Iterable[str] = (),
    requirements: Sequence[str] = (),
    pins: Pins = "exact",
) -> Requirements:
    """Return the direct requirements of a captured model.

    Args:
        trace: What a fresh process imported.
        package: Import name of the package.
        again: Traces once more with modules blocked; called only if something was imported that nothing requires.
        imports: Imports that the shipped code makes (:attr:`Collected.imports`).
        modules: Modules of the types and functions in the artifact.
        distributions: What the format's loader needs (``skops``).
        requirements: What the user gives; each wins over what was inferred, extras kept.
        pins: ``exact`` gives ``==1.9.1``, ``compatible`` gives ``~=1.9``.

    Raises:
        DependencyError: An imported module belongs to no distribution that an index can give, or a requirement of the
            user is none.
    """
    given = _given(requirements)
    loader = {canonicalize_name(name): "loads the artifact" for name in distributions}
    evidence = _Evidence(package, frozenset(given), frozenset(loader))
    evidence.take_imports(imports)
    evidence.take_modules(modules)
    evidence.take_direct(trace)
    extras = {name: frozenset(requirement.extras) for name, requirement in given.items()}
    kept = _reduced(evidence.reasons, extras)
    # The loader's library comes last, so that skops does not hide the scikit-learn that it requires.
    kept |= {n: why for n, why in loader.items() if not any(n in reachable(k, _of(extras, k)) for k in kept)}
    kept |= dict.fromkeys(given, "given")
    more, unneeded = _optional(trace, kept, extras, again, evidence)
    for name, (host, extra, why) in more.items():
        if extra:
            extras[host] = _of(extras, host) | {extra}
        else:
            kept[name] = why
    closure = frozenset().union(*(reachable(name, _of(extras, name)) for name in kept)) if kept else frozenset()
    lines = [_line(name, given.get(name), _of(extras, name), pins) for name in kept]
    versions = {str(name): found.build for name in sorted(closure) if (found := installed(name))}
    reasons = {str(name): why for name, why in sorted(kept.items())}
    return Requirements(tuple(sorted(lines)), reasons, versions, tuple(sorted(unneeded)))


class Inferring:
    """An inference under way: the package runs in a fresh process in which only what it should need is installed.

    Attributes:
        expected: The requirements if that run succeeds; a lock can be started for them at once.
    """

    def __init__(self, run: Callable[[frozenset[str]], Running], infer: Callable[[Trace, Again], Requirements]) -> None:
        self._run, self._infer = run, infer
        self.expected = infer(Trace(), lambda _: Trace())
        self._lean = run(modules_outside(self.expected.installed))

    def result(self, accept: Callable[[Trace], bool] = lambda _: True) -> tuple[Requirements, Trace]:
        """Wait; if the model does not run with what it should need, find out what else it needs.

        Args:
            accept: Says whether the answers are the expected ones; others mean that something is missing.

        Raises:
            TraceError: The model does not run in a fresh process even with everything that is installed.
            DependencyError: It needs a module that no index can give.
        """
        try:
            trace = self._lean.result()
        except TraceError:
            trace = None
        if trace is None or not accept(trace):
            trace = self._run(frozenset()).result()
        return self._infer(trace, lambda blocked: self._run(blocked).result()), trace

    def stop(self) -> None:
        """Give up."""
        self._lean.stop()


def infer(
    root: Path,
    package: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    imports: Iterable[Imported] = (),
    modules: Iterable[str] = (),
    distributions: Iterable[str] = (),
    requirements: Sequence[str] = (),
    pins: Pins = "exact",
    trust: Iterable[str] = (),
) -> Inferring:
    """Start to find out what a staged package requires.

    Args:
        root: Folder that holds the import package, complete with runtime, manifest and artifacts.
        package: Import name.
        rows: Rows to predict, in the encoding of scenarios.
        imports: Imports that the shipped code makes (:attr:`Collected.imports`).
        modules: Modules of the types in the artifact (:attr:`Collected.model_modules`), and that of the container which
            the model receives (``pandas``).
        distributions: What the format's loader needs (``skops``).
        requirements: What the user gives.
        pins: ``exact`` or ``compatible``.
        trust: Types that capture vouches for.

    Raises:
        DependencyError: See :func:`direct`.
    """
    static = {"imports": tuple(imports), "modules": tuple(modules), "distributions": tuple(distributions)}
    vouched = tuple(trust)
    return Inferring(
        lambda blocked: start(root, package, rows, trust=vouched, blocked=blocked),
        lambda trace, again: direct(
            trace,
            package=package,
            again=again,
            requirements=requirements,
            pins=pins,
            **static,  # type: ignore[arg-type]
        ),
    )


def _of(extras: Mapping[NormalizedName, frozenset[str]], name: NormalizedName) -> frozenset[str]:
    return extras.get(name, frozenset())


class _Evidence:
    """Collects distributions that the model itself names, each with the first reason."""

    def __init__(self, package: str, given: frozenset[NormalizedName], loader: frozenset[NormalizedName]) -> None:
        self.package = package
        self.given = given
        self.loader = loader
        self.reasons: dict[NormalizedName, str] = {}

    def take_imports(self, imports: Iterable[Imported]) -> None:
        for found in imports:
            if not found.optional and _is_tool_module(found.module):
                raise _imports_tool(found)
            if self._is_foreign(found.module):
                self._add(found.module, "", f"imported by {found.importer}", optional=found.optional)

    def take_modules(self, modules: Iterable[str]) -> None:
        for module in modules:
            if self._is_foreign(module):
                self._add(module, "", f"{module} is in the model", optional=False)

    def take_direct(self, trace: Trace) -> None:
        """Take what the package's own modules imported when it ran, and refuse what no index can give."""
        for name, (file, importer) in trace.modules.items():
            if file and home_of_file(Path(file)) == "local" and not self._is_own(name) and not _is_tool(name):
                self._refuse_local(name, file, importer)
            elif self._is_own(importer) and file and self._is_foreign(name) and owner(name, file) not in self.loader:
                self._add(name, file, f"imported by {importer}", optional=False)

    def _add(self, module: str, file: str, why: str, *, optional: bool) -> None:
        name = owner(module, file)
        if name is None:
            if optional or home_of_module(module) == "local":
                return  # the code copes without it; local modules are collected, not required
            raise DependencyError(
                f"The module {module!r} belongs to no installed distribution.",
                where=why,
                hint="Install the distribution that has it, or name it: requirements=['NAME==VERSION'].",
            )
        if name not in TOOLS:
            self.refuse_origin(name, module)
            self.reasons.setdefault(name, why)

    def refuse_origin(self, name: NormalizedName, module: str) -> None:
        """Refuse a distribution that was installed from a folder, a repository or a file, unless the user named it."""
        found = installed(name)
        if found and found.origin and name not in self.given:
            raise DependencyError(
                f"{name} was not installed from an index, so nobody else could install it.",
                where=f"module {module!r}",
                why=f"It came from {found.origin}.",
                hint=f"Publish it and install it from there; or, if your index has it, requirements=['{name}'].",
            )

    def _refuse_local(self, name: str, file: str, importer: str) -> None:
        raise DependencyError(
            f"The module {name!r} belongs to no distribution that can be installed elsewhere.",
            where=f"{file}, imported by {importer or 'the interpreter'}",
            why="It is a local file that no import statement of the shipped code leads to.",
            hint=f"Bring it along: modules=[{name.partition('.')[0]!r}].",
        )

    def _is_own(self, module: str) -> bool:
        return module == self.package or module.startswith(f"{self.package}.")

    def _is_foreign(self, module: str) -> bool:
        return not self._is_own(module) and home_of_module(module) == "installed"


def _is_tool_module(module: str) -> bool:
    return _is_tool(module) or (home_of_module(module) == "installed" and owner(module) in TOOLS)


def _imports_tool(found: Imported) -> DependencyError:
    top = found.module.partition(".")[0]
    return DependencyError(
        f"The model's code imports {top!r}, which the environment of a model does not have.",
        where=found.importer,
        why="Tools of training, testing and notebooks are left out of packages.",
        hint="Move what the model needs into a module of its own that does not import it.",
    )


def _is_tool(module: str) -> bool:
    return module.partition(".")[0] in ("modelwright", "__main__", "__mp_main__")


def _reduced(
    reasons: Mapping[NormalizedName, str], extras: Mapping[NormalizedName, frozenset[str]]
) -> dict[NormalizedName, str]:
    """Leave out what comes with another; of two that require each other the first by name stays."""
    kept = dict(reasons)
    for name in sorted(reasons, reverse=True):
        others = (other for other in kept if other != name)
        if any(name in reachable(other, _of(extras, other)) for other in others):
            del kept[name]
    return kept


def _optional(
    trace: Trace,
    kept: Mapping[NormalizedName, str],
    extras: Mapping[NormalizedName, frozenset[str]],
    again: Again,
    evidence: _Evidence,
) -> tuple[dict[NormalizedName, tuple[NormalizedName, str, str]], set[NormalizedName]]:
    """Find what was imported although nothing requires it, and keep what changes the answers when it is missing."""
    closure = frozenset().union(*(reachable(name, _of(extras, name)) for name in kept)) if kept else frozenset()
    strangers = _strangers(trace, closure)
    if not strangers or _is_same(trace, again, _tops(trace, strangers)):
        return {}, set(strangers) - TOOLS
    needed: dict[NormalizedName, tuple[NormalizedName, str, str]] = {}
    for name, importer in sorted(strangers.items()):
        if name in TOOLS or _is_same(trace, again, _tops(trace, {name})):
            continue
        evidence.refuse_origin(name, name)
        host = next((k for k in sorted(kept) if importer in reachable(k)), None)
        direct_host = importer if importer in kept else None
        extra = extra_with(direct_host, name) if direct_host else ""
        needed[name] = (direct_host or host or name, extra, f"{importer} answers differently without it")
    return needed, set(strangers) - set(needed) - TOOLS


def _strangers(trace: Trace, closure: frozenset[NormalizedName]) -> dict[NormalizedName, NormalizedName]:
    """Map each imported distribution outside the closure to the one that imported it first."""
    found: dict[NormalizedName, NormalizedName] = {}
    for name, (file, importer) in trace.modules.items():
        if not file or home_of_file(Path(file)) != "installed":
            continue
        dist = owner(name, file)
        asked_by = owner(importer) or dist
        # A library imports its own modules too, often before itself is complete; who asked from outside counts.
        if dist is not None and dist not in closure and (dist not in found or found[dist] == dist):
            found[dist] = asked_by or dist
    return found


def _tops(trace: Trace, distributions: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(distributions)
    foreign = {n: f for n, (f, _) in trace.modules.items() if f and home_of_file(Path(f)) == "installed"}
    return frozenset(n.partition(".")[0] for n, f in foreign.items() if owner(n, f) in wanted)


def _is_same(trace: Trace, again: Again, blocked: frozenset[str]) -> bool:
    try:
        return again(blocked).answers == trace.answers
    except TraceError:
        return False


def _given(lines: Sequence[str]) -> dict[NormalizedName, Requirement]:
    given: dict[NormalizedName, Requirement] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            raise DependencyError(
                f"{line!r} is not a requirement.", why=str(error), hint="Write NAME[EXTRA]==VERSION (PEP 508)."
            ) from error
        if requirement.url:
            raise DependencyError(
                f"{line!r} leads to a URL, which an index does not accept in a wheel's requirements.",
                hint=f"Publish it and write {requirement.name}==VERSION.",
            )
        given[canonicalize_name(requirement.name)] = requirement
    return given


def _line(name: NormalizedName, given: Requirement | None, extras: frozenset[str], pins: Pins) -> str:
    if given and (given.specifier or given.marker):
        return str(given)
    found = installed(name)
    listed = f"[{','.join(sorted(extras))}]" if extras else ""
    if found is None:
        raise DependencyError(
            f"{name} is required and not installed here, so its version is not known.",
            hint=f"Give the version: requirements=['{name}==VERSION'].",
        )
    return f"{name}{listed}{_specifier(found.version, pins)}"


def _specifier(version: str, pins: Pins) -> str:
    """Write a pin.

    Source: PEP 440, "Compatible release": ``~=`` needs at least two numbers.
    """
    if pins == "exact":
        return f"=={version}"
    release = [*Version(version).release, 0]
    return f"~={release[0]}.{release[1]}"
