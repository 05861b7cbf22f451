"""The page of one project: what runs where, its releases, how to install it, and what happened to it."""

from __future__ import annotations

from markupsafe import Markup

from modelwright.registry.audit import Entry
from modelwright.registry.projects import Placement, Project, Release
from modelwright.registry.service import Selection, Service
from modelwright.registry.web.asking import Paging, cut, number
from modelwright.registry.web.charts import bar, scale
from modelwright.registry.web.installing import InstallView, install_view
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.spec.evaluation import Evaluation
from modelwright.spec.struct import Frozen

EACH = 30
"""Releases on one page."""
TIMELINE = 30
"""Events of the timeline; older ones are on the audit page."""


class StageView(Frozen, frozen=True, kw_only=True):
    """One stage of a model.

    Attributes:
        name: Name of the stage.
        runs: What it runs; ``None``: nothing.
        back: Version that a rollback would return to; empty: none.
        offer: Version that could be promoted here; empty: none is newer.
        yanked: Whether what it runs was yanked.
    """

    name: str
    runs: Placement | None
    back: str
    offer: str
    yanked: bool


class ReleaseView(Frozen, frozen=True, kw_only=True):
    """One release on a line.

    Attributes:
        release: The release.
        stages: Stages that run it.
        previous: Version before it, to compare with; empty: it is the first.
        measured: Its value of the metric that the table shows; ``None``: it was not measured.
        drawn: The same as a bar.
    """

    release: Release
    stages: tuple[str, ...]
    previous: str
    measured: float | None
    drawn: Markup


class ProjectView(Frozen, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        project: The project.
        latest: The release that its name alone means; ``None``: it has none.
        stages: Its stages, first to last; empty for what is no model.
        install: How to install it; ``None``: there is nothing to install.
        metric: The metric that the table of releases shows; ``None``: none was measured.
        releases: Those on this page, highest first.
        paging: Where one is among them.
        timeline: What happened, newest first.
        done: What the visitor did just now; ``None``: nothing.
    """

    project: Project
    latest: Release | None
    stages: tuple[StageView, ...]
    install: InstallView | None
    metric: Evaluation | None
    releases: tuple[ReleaseView, ...]
    paging: Paging
    timeline: tuple[Entry, ...]
    done: Entry | None


def project_page(site: Site, service: Service, request: Request) -> Page:
    """Show a project."""
    project = service.project(request.parts["name"])
    latest, highest = project.latest, tuple(reversed(project.releases))
    metric = next((one for one in latest.evaluations if not one.slice), None) if latest else None
    shown, paging = cut(highest, request, by="page", each=EACH)
    view = ProjectView(
        project=project,
        latest=latest,
        stages=tuple(_stage(project, name) for name in service.stages) if project.kind == "model" else (),
        install=install_view(site, service, request, project, None),
        metric=metric,
        releases=_lines(project, tuple(shown), metric),
        paging=paging,
        timeline=tuple(service.history(Selection(project=project.name, newest_first=True, limit=TIMELINE))),
        done=done_just_now(service, request, project.name),
    )
    return render("project.html", site, request, view)


def _stage(project: Project, name: str) -> StageView:
    runs, latest, back = project.current(name), project.latest, project.former(name)
    newer = latest is not None and (runs is None or runs.version != latest.version)
    return StageView(
        name=name,
        runs=runs,
        back=back.version if runs and back else "",
        offer=latest.version if latest and newer and latest.yanked is None else "",
        yanked=_is_yanked(project.release(runs.version)) if runs else False,
    )


def _is_yanked(release: Release | None) -> bool:
    return release is not None and release.yanked is not None


def _lines(project: Project, shown: tuple[Release, ...], metric: Evaluation | None) -> tuple[ReleaseView, ...]:
    values = [_measured(release, metric) for release in shown]
    most = scale(values)
    versions = [release.version for release in project.releases]
    return tuple(
        ReleaseView(
            release=release,
            stages=project.running(release.version),
            previous=versions[versions.index(release.version) - 1] if release.version != versions[0] else "",
            measured=value,
            drawn=bar(value, most),
        )
        for release, value in zip(shown, values, strict=True)
    )


def _measured(release: Release, metric: Evaluation | None) -> float | None:
    if metric is None:
        return None
    same = (metric.metric, metric.dataset, "")
    return next((one.value for one in release.evaluations if (one.metric, one.dataset, one.slice) == same), None)


def done_just_now(service: Service, request: Request, name: str) -> Entry | None:
    """Return the entry of the log that the visitor was sent here to see, if it is about this project.

    The address carries its number only, so that nobody can make the page say something that did not happen.
    """
    sequence = number(request.query, "done")
    if not sequence:
        return None
    found = list(service.history(Selection(project=name, after=sequence - 1, limit=1)))
    return found[0] if found and found[0].sequence == sequence else None
