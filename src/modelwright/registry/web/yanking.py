"""Forms that yank a release, and take the yank back (PEP 592)."""

from __future__ import annotations

from modelwright.errors import ModelwrightError, RequestError
from modelwright.registry.projects import Project, Release
from modelwright.registry.service import Service
from modelwright.registry.web.asking import LONGEST_TEXT, release_of, word
from modelwright.registry.web.moving import BAD_REQUEST, back
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.spec.struct import Frozen


class YankView(Frozen, frozen=True, kw_only=True):
    """What the forms show.

    Attributes:
        project: The project.
        release: The release.
        stages: Stages that run it.
        reason: What was typed.
        error: Why it was refused; ``None``: it was not.
    """

    project: Project
    release: Release
    stages: tuple[str, ...]
    reason: str
    error: ModelwrightError | None


def yank_form(site: Site, service: Service, request: Request) -> Page:
    """Show what a yank would mean, and ask whether to do it."""
    return render("yank.html", site, request, _view(service, request))


def yank(site: Site, service: Service, request: Request) -> Page:
    """Yank a release."""
    view = _view(service, request)
    try:
        service.yank(view.project.name, view.release.version, reason=view.reason)
    except RequestError as error:
        return render("yank.html", site, request, _view(service, request, error=error), status=BAD_REQUEST)
    return back(service, request, view.project.name)


def unyank_form(site: Site, service: Service, request: Request) -> Page:
    """Ask whether to take a yank back."""
    return render("unyank.html", site, request, _view(service, request))


def unyank(site: Site, service: Service, request: Request) -> Page:
    """Take a yank back."""
    view = _view(service, request)
    try:
        service.unyank(view.project.name, view.release.version, reason=view.reason)
    except RequestError as error:
        return render("unyank.html", site, request, _view(service, request, error=error), status=BAD_REQUEST)
    return back(service, request, view.project.name)


def _view(service: Service, request: Request, *, error: ModelwrightError | None = None) -> YankView:
    project = service.project(request.parts["name"])
    release = release_of(project, request.parts["version"])
    return YankView(
        project=project,
        release=release,
        stages=project.running(release.version),
        reason=word(request.form, "reason", longest=LONGEST_TEXT),
        error=error,
    )
