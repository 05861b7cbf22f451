"""Forms that move releases: promote, break the glass, approve, roll back. Each shows what would happen before it asks.

A page that is asked for (GET) changes nothing; what is posted does it and leads back to the project. What is refused
leads back to the same form, with the refusal on top and everything that was typed still there.
"""

from __future__ import annotations

from collections.abc import Callable

from modelwright.errors import GateError, ModelwrightError, RequestError, StaleError, UnknownReleaseError
from modelwright.registry.gates import GateResult
from modelwright.registry.projects import Placement, Project, Release
from modelwright.registry.service import Service
from modelwright.registry.web.asking import LONGEST_TEXT, one_of, word
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site, see_other
from modelwright.spec.struct import Frozen

BAD_REQUEST, CONFLICT, CHANGED_MEANWHILE = 400, 409, 412
"""Source: RFC 9110, 15.5."""


class PromotionView(Frozen, frozen=True, kw_only=True):
    """What the forms for promoting, approving and breaking the glass show.

    Attributes:
        project: The project.
        versions: Releases that can be chosen, highest first.
        stages: Stages that can be chosen.
        release: The release; ``None``: none is chosen yet.
        to: The stage; empty: none is chosen yet.
        current: What the stage runs; ``None``: nothing.
        gates: What each gate of the stage says.
        reason: What was typed.
        error: Why it was refused; ``None``: it was not.
    """

    project: Project
    versions: tuple[str, ...]
    stages: tuple[str, ...]
    release: Release | None
    to: str
    current: Placement | None
    gates: tuple[GateResult, ...]
    reason: str
    error: ModelwrightError | None

    @property
    def passes(self) -> bool:
        """Whether every gate lets the release in."""
        return all(gate.passed for gate in self.gates)

    @property
    def wants_approval(self) -> bool:
        """Whether an owner's approval is among what is missing."""
        return any(gate.gate == "approved" and not gate.passed for gate in self.gates)

    @property
    def there(self) -> bool:
        """Whether the stage runs exactly this release already."""
        return self.current is not None and self.release is not None and self.current.digest == self.release.digest


class RollbackView(Frozen, frozen=True, kw_only=True):
    """What the form for rolling back shows.

    Attributes:
        project: The project.
        stages: Stages that can be chosen.
        stage: The stage; empty: none is chosen yet.
        current: What it runs; ``None``: nothing.
        former: What it would run again; ``None``: there is nothing to go back to.
        gates: What each gate of the stage says of that, which decides nothing.
        reason: What was typed.
        error: Why it was refused; ``None``: it was not.
    """

    project: Project
    stages: tuple[str, ...]
    stage: str
    current: Placement | None
    former: Placement | None
    gates: tuple[GateResult, ...]
    reason: str
    error: ModelwrightError | None


def promotion_form(site: Site, service: Service, request: Request) -> Page:
    """Show what every gate says, and ask whether to promote."""
    return _shown("promote.html", site, service, request)


def promotion(site: Site, service: Service, request: Request) -> Page:
    """Promote a release."""
    return _moved("promote.html", site, service, request, _promote)


def override_form(site: Site, service: Service, request: Request) -> Page:
    """Show which gates would be overridden, and ask twice."""
    return _shown("override.html", site, service, request)


def override(site: Site, service: Service, request: Request) -> Page:
    """Promote a release although gates do not let it in."""
    return _moved("override.html", site, service, request, _override)


def approval_form(site: Site, service: Service, request: Request) -> Page:
    """Show what is approved, and for which stage."""
    return _shown("approve.html", site, service, request)


def approval(site: Site, service: Service, request: Request) -> Page:
    """Approve a release for a stage."""
    return _moved("approve.html", site, service, request, _approve)


def rollback_form(site: Site, service: Service, request: Request) -> Page:
    """Show what a stage would run again, and ask whether to roll back."""
    return render("rollback.html", site, request, _rollback_view(service, request, request.query))


def rollback(site: Site, service: Service, request: Request) -> Page:
    """Roll a stage back."""
    view = _rollback_view(service, request, request.form)
    try:
        done = service.rollback(
            view.project.name,
            stage=_given(view.stage, "stage"),
            reason=_reason(view.reason),
            expected=word(request.form, "expected"),
        )
    except (RequestError, StaleError, UnknownReleaseError) as error:
        refused = _rollback_view(service, request, request.form, error=error)
        return render("rollback.html", site, request, refused, status=_status(error))
    return back(service, request, done.placement.project)


def _promote(service: Service, request: Request, view: PromotionView) -> None:
    service.promote(
        view.project.name,
        _version(view),
        to=_given(view.to, "stage"),
        reason=_reason(view.reason),
        expected=word(request.form, "expected"),
    )


def _override(service: Service, request: Request, view: PromotionView) -> None:
    if word(request.form, "confirm") != view.project.name:
        raise RequestError(
            "The name of the project was not typed as it is.", hint=f"Type {view.project.name}, and nothing else."
        )
    service.promote(
        view.project.name,
        _version(view),
        to=_given(view.to, "stage"),
        reason=_reason(view.reason),
        expected=word(request.form, "expected"),
        break_glass=True,
    )


def _approve(service: Service, request: Request, view: PromotionView) -> None:
    del request
    service.approve(view.project.name, _version(view), stage=_given(view.to, "stage"), reason=_reason(view.reason))


def _shown(template: str, site: Site, service: Service, request: Request) -> Page:
    return render(template, site, request, _promotion_view(service, request, request.query))


def _moved(
    template: str,
    site: Site,
    service: Service,
    request: Request,
    move: Callable[[Service, Request, PromotionView], None],
) -> Page:
    """Do it and lead back to the project; or show the form again with what was refused."""
    view = _promotion_view(service, request, request.form)
    try:
        move(service, request, view)
    except (GateError, RequestError, StaleError, UnknownReleaseError) as error:
        refused = _promotion_view(service, request, request.form, error=error)
        return render(template, site, request, refused, status=_status(error))
    return back(service, request, view.project.name)


def _promotion_view(
    service: Service, request: Request, given: dict[str, str], *, error: ModelwrightError | None = None
) -> PromotionView:
    project = service.project(request.parts["name"])
    versions = tuple(one.version for one in reversed(project.releases) if one.yanked is None)
    version = one_of(given, "version", versions, what="release that could be promoted")
    to = one_of(given, "to", service.stages, what="stage") or _next_stage(service, project, version)
    release = project.release(version) if version else None
    return PromotionView(
        project=project,
        versions=versions,
        stages=service.stages,
        release=release,
        to=to,
        current=project.current(to),
        gates=service.gates(project.name, version, to=to) if release else (),
        reason=word(given, "reason", longest=LONGEST_TEXT),
        error=error,
    )


def _next_stage(service: Service, project: Project, version: str) -> str:
    """Return the first stage after the last one that runs a version; the first stage if none does."""
    running = [at for at, name in enumerate(service.stages) if _runs(project, name, version)]
    following = max(running, default=-1) + 1
    return service.stages[min(following, len(service.stages) - 1)]


def _runs(project: Project, stage: str, version: str) -> bool:
    current = project.current(stage)
    return current is not None and current.version == version


def _rollback_view(
    service: Service, request: Request, given: dict[str, str], *, error: ModelwrightError | None = None
) -> RollbackView:
    project = service.project(request.parts["name"])
    stage = one_of(given, "stage", service.stages, what="stage")
    former = project.former(stage) if project.current(stage) else None
    return RollbackView(
        project=project,
        stages=service.stages,
        stage=stage,
        current=project.current(stage),
        former=former,
        gates=service.gates(project.name, former.version, to=stage) if former else (),
        reason=word(given, "reason", longest=LONGEST_TEXT),
        error=error,
    )


def _version(view: PromotionView) -> str:
    return view.release.version if view.release else _given("", "release")


def _given(text: str, what: str) -> str:
    if not text:
        raise RequestError(f"No {what} was chosen.", hint=f"Choose a {what}.")
    return text


def _reason(text: str) -> str:
    if not text:
        raise RequestError("No reason was given.", why="It stands in the log for ever.", hint="Say why, in a sentence.")
    return text


def _status(error: ModelwrightError) -> int:
    return next(
        status
        for kind, status in (
            (GateError, CONFLICT),
            (StaleError, CHANGED_MEANWHILE),
            (UnknownReleaseError, CONFLICT),
            (ModelwrightError, BAD_REQUEST),
        )
        if isinstance(error, kind)
    )


def back(service: Service, request: Request, name: str) -> Page:
    """Lead to the project, which shows the entry of the log that has just been written."""
    return see_other(request.link("models", name, done=service.project(name).serial))
