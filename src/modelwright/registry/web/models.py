"""The first page: which models there are, what each stage runs, who owns them, and what else is published here."""

from __future__ import annotations

from modelwright.registry.projects import ProjectSummary
from modelwright.registry.service import Service
from modelwright.registry.web.asking import Paging, cut, word
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.spec.struct import Frozen

EACH = 50
"""Rows of each table on one page."""


class ModelsView(Frozen, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        search: What was searched for.
        stages: Names of the stages, first to last.
        found: How many models there are.
        models: Those on this page.
        paging: Where one is among them.
        others_found: How many libraries and weights there are.
        others: Those on this page.
        others_paging: Where one is among them.
    """

    search: str
    stages: tuple[str, ...]
    found: int
    models: tuple[ProjectSummary, ...]
    paging: Paging
    others_found: int
    others: tuple[ProjectSummary, ...]
    others_paging: Paging


def models_page(site: Site, service: Service, request: Request) -> Page:
    """Show every model on a line, and below them the libraries."""
    search = word(request.query, "q")
    listed = service.projects(search)
    models = [one for one in listed if one.kind == "model"]
    others = [one for one in listed if one.kind != "model"]
    shown, paging = cut(models, request, by="page", each=EACH)
    other_shown, others_paging = cut(others, request, by="others", each=EACH)
    view = ModelsView(
        search=search,
        stages=service.stages,
        found=len(models),
        models=tuple(shown),
        paging=paging,
        others_found=len(others),
        others=tuple(other_shown),
        others_paging=others_paging,
    )
    return render("models.html", site, request, view)
