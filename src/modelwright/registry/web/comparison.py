"""The page that compares two versions: the same comparison as ``modelwright diff``, on the two stored wheels.

No model runs here. Rows whose answer changed are those of the newest comparison that somebody made and attached
(``modelwright diff --report``); without one, those among the answers that both wheels recorded for equal rows.
"""

from __future__ import annotations

from modelwright.errors import ModelwrightError
from modelwright.inspecting.behaviour import Behaviour
from modelwright.inspecting.diff import DiffReport, compare
from modelwright.registry.evidence import Evidence
from modelwright.registry.operating.opened import first_wheel
from modelwright.registry.projects import Project, StoredFile
from modelwright.registry.service import Service
from modelwright.registry.web.answers import compare_recorded
from modelwright.registry.web.asking import one_of
from modelwright.registry.web.contents import contents_of, opened
from modelwright.registry.web.proofs import comparison_in
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.spec.struct import Frozen


class Compared(Frozen, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        report: What differs.
        answers: How the answers differ.
        asked: The evidence that says so; ``None``: the recorded answers do.
    """

    report: DiffReport
    answers: Behaviour
    asked: Evidence | None


class ComparisonView(Frozen, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        project: The project.
        versions: What can be chosen, highest first.
        old: The old version; empty: none is chosen.
        new: The new version; empty: none is chosen.
        compared: What was found; ``None``: nothing was chosen, or a wheel cannot be read.
        unreadable: Why; empty: both can be read.
    """

    project: Project
    versions: tuple[str, ...]
    old: str
    new: str
    compared: Compared | None
    unreadable: str


def comparison_page(site: Site, service: Service, request: Request) -> Page:
    """Compare two versions."""
    project = service.project(request.parts["name"])
    versions = tuple(release.version for release in reversed(project.releases))
    new = one_of(request.query, "new", versions, what="release") or next(iter(versions), "")
    old = one_of(request.query, "old", versions, what="release") or _before(versions, new)
    was, now = _wheel(project, old), _wheel(project, new)
    compared, unreadable = _compared(site, service, was, now)
    view = ComparisonView(
        project=project,
        versions=versions,
        old=old,
        new=new,
        compared=compared,
        unreadable=unreadable,
    )
    return render("comparison.html", site, request, view)


def _before(versions: tuple[str, ...], new: str) -> str:
    """Return the version below another one; of the lowest, nothing."""
    return versions[versions.index(new) + 1] if new in versions[:-1] else ""


def _wheel(project: Project, version: str) -> StoredFile | None:
    release = project.release(version) if version else None
    return first_wheel(release) if release else None


def _compared(
    site: Site, service: Service, was: StoredFile | None, now: StoredFile | None
) -> tuple[Compared | None, str]:
    if was is None or now is None:
        return None, ""
    try:
        told = comparison_in(service.evidence(now.sha256), old=was.sha256)
        key = ("compared", was.sha256, now.sha256, str(told[0].id if told else ""))
        return site.shelf.get(key, lambda: _compare(site, service, was, now, told)), ""
    except ModelwrightError as error:
        return None, f"{error.code}: {error.what} {error.why}".strip()


def _compare(
    site: Site, service: Service, old: StoredFile, new: StoredFile, told: tuple[Evidence, Behaviour] | None
) -> Compared:
    with opened(service, old) as was, opened(service, new) as now:
        if told is not None:
            asked, answers = told
            return Compared(report=compare(was, now, answers), answers=answers, asked=asked)
        report = compare(was, now, None)
    before, after = contents_of(site, service, old), contents_of(site, service, new)
    answers = compare_recorded(before.scenarios, after.scenarios, outputs=before.manifest.signature.outputs)
    return Compared(report=report, answers=answers, asked=None)
