"""The page of one version: everything that is known about it, from its wheel, its evidence and the log."""

from __future__ import annotations

from dataclasses import replace

from modelwright.errors import ModelwrightError
from modelwright.inspecting.selftest import ScenarioResult
from modelwright.registry.audit import Entry
from modelwright.registry.operating.opened import first_wheel
from modelwright.registry.projects import Project, Release, StoredFile
from modelwright.registry.service import Selection, Service
from modelwright.registry.web.asking import release_of
from modelwright.registry.web.contents import Contents, Locked, contents_of
from modelwright.registry.web.installing import InstallView, install_view
from modelwright.registry.web.measures import Measured, RankedField, measured, ranked
from modelwright.registry.web.proofs import EvidenceView, Proof, proof_of, told
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.registry.web.signatures import FieldView, field_view
from modelwright.spec.manifest import Manifest
from modelwright.spec.scenario import Example, Row, Scenario
from modelwright.spec.struct import Frozen

EVENTS = 50
"""Entries of the log about this release that are shown; the others are on the audit page."""
MOST_SCENARIOS = 60
MOST_ROWS = 5
"""Rows of a scenario that are shown."""
MOST_COLUMNS = 12
"""Inputs of a row that are shown."""


class ScenarioView(Frozen, frozen=True, kw_only=True):
    """One scenario, with what became of it.

    Attributes:
        scenario: The scenario.
        kind: ``example``, ``minimum``, ``invariance`` or ``direction``.
        result: What the newest verification says; ``None``: nobody ran it.
        inputs: First rows, cut to a few columns.
        answers: What the model answered to them when it was captured, for examples.
        more_columns: How many inputs are not shown.
    """

    scenario: Scenario
    kind: str
    result: ScenarioResult | None
    inputs: tuple[Row, ...]
    answers: tuple[Row, ...]
    more_columns: int


class VersionView(Frozen, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        project: The project.
        release: The release.
        stages: Stages that run it.
        previous: Version before it; empty: it is the first.
        parent: Release of this project that it was retrained from; empty: none, or one of another project.
        install: How to install it; ``None``: one would not install it by itself.
        contents: What its wheel says; ``None``: it is no model, or cannot be read.
        unreadable: Why the wheel cannot be read; empty: it can, or is no model.
        inputs: Fields it takes.
        outputs: Fields it gives.
        datasets: Data sets it was measured on; training data last.
        measures: Its metrics.
        importance: Which fields matter.
        environment: The whole locked environment, with the licences that the wheel or a verification names.
        scenarios: Its scenarios.
        proofs: Verifications, newest first.
        evidence: All evidence, newest first.
        events: What happened to it, newest first.
    """

    project: Project
    release: Release
    stages: tuple[str, ...]
    previous: str
    parent: str
    install: InstallView | None
    contents: Contents | None
    unreadable: str
    inputs: tuple[FieldView, ...]
    outputs: tuple[FieldView, ...]
    datasets: tuple[str, ...]
    measures: tuple[Measured, ...]
    importance: tuple[RankedField, ...]
    environment: tuple[Locked, ...]
    scenarios: tuple[ScenarioView, ...]
    proofs: tuple[Proof, ...]
    evidence: tuple[EvidenceView, ...]
    events: tuple[Entry, ...]


def version_page(site: Site, service: Service, request: Request) -> Page:
    """Show a version."""
    project = service.project(request.parts["name"])
    release = release_of(project, request.parts["version"])
    contents, unreadable = _read(site, service, project, first_wheel(release))
    evidence = [(file, one) for file in release.files for one in service.evidence(file.sha256)]
    evidence.sort(key=lambda pair: -pair[1].id)
    proofs = tuple(proof for _, one in evidence if (proof := proof_of(one)))
    versions = [one.version for one in project.releases]
    before = versions.index(release.version)
    manifest = contents.manifest if contents else None
    selection = Selection(project=project.name, version=release.version, newest_first=True, limit=EVENTS)
    view = VersionView(
        project=project,
        release=release,
        stages=project.running(release.version),
        previous=versions[before - 1] if before else "",
        parent=_parent(project, manifest) if manifest else "",
        install=install_view(site, service, request, project, release),
        contents=contents,
        unreadable=unreadable,
        inputs=tuple(map(field_view, manifest.signature.inputs)) if manifest else (),
        outputs=tuple(map(field_view, manifest.signature.outputs)) if manifest else (),
        datasets=_datasets(release),
        measures=measured(release.evaluations),
        importance=ranked(manifest.importance) if manifest else (),
        environment=_environment(contents.environment, proofs) if contents else (),
        scenarios=_scenarios(contents.scenarios, proofs) if contents else (),
        proofs=proofs,
        evidence=tuple(told(file, one) for file, one in evidence),
        events=tuple(service.history(selection)),
    )
    return render("version.html", site, request, view)


def _parent(project: Project, manifest: Manifest) -> str:
    name, _, version = manifest.lineage.parent.partition("==")
    return version if name == project.name and version in [one.version for one in project.releases] else ""


def _datasets(release: Release) -> tuple[str, ...]:
    named = dict.fromkeys(one.dataset for one in release.evaluations)
    return tuple(sorted(named, key=lambda name: name.startswith("train")))


def _read(site: Site, service: Service, project: Project, wheel: StoredFile | None) -> tuple[Contents | None, str]:
    """Return what the wheel says, or why it cannot be read; a damaged one must not hide the rest of the page."""
    if project.kind != "model" or wheel is None:
        return None, ""
    try:
        return contents_of(site, service, wheel), ""
    except ModelwrightError as error:
        return None, f"{error.code}: {error.what} {error.why}".strip()


def _environment(locked: tuple[Locked, ...], proofs: tuple[Proof, ...]) -> tuple[Locked, ...]:
    """Add the licences that were read where the wheel was verified, for exactly the versions that were there."""
    known = {
        (name, proof.report.distributions.get(name)): licence
        for proof in reversed(proofs)
        for name, licence in proof.report.licences.items()
    }
    return tuple(replace(one, licence=one.licence or known.get((one.name, one.version), "")) for one in locked)


def _scenarios(scenarios: tuple[Scenario, ...], proofs: tuple[Proof, ...]) -> tuple[ScenarioView, ...]:
    newest: dict[str, ScenarioResult] = {}
    for proof in reversed(proofs):
        newest |= {result.name: result for result in proof.report.scenarios}
    return tuple(_scenario(one, newest.get(one.name)) for one in scenarios[:MOST_SCENARIOS])


def _scenario(scenario: Scenario, result: ScenarioResult | None) -> ScenarioView:
    rows = scenario.inputs[:MOST_ROWS]
    answers: tuple[Row, ...] = ()
    if isinstance(scenario, Example):
        expected = scenario.expected.items()
        answers = tuple(
            {name: values[at] if at < len(values) else None for name, values in expected} for at in range(len(rows))
        )
    width = max((len(row) for row in rows), default=0)
    return ScenarioView(
        scenario=scenario,
        kind=type(scenario).__name__.lower(),
        result=result,
        inputs=tuple(dict(list(row.items())[:MOST_COLUMNS]) for row in rows),
        answers=answers,
        more_columns=max(0, width - MOST_COLUMNS),
    )
