"""Turn what a page shows into HTML.

For: every module that makes a page, by the rules of :mod:`.templating`. The only markup that is not escaped is what
:mod:`modelwright.registry.web.markdown` and :mod:`modelwright.registry.web.charts` made themselves, which has a type of
its own.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment

from modelwright.registry.web import formatting
from modelwright.registry.web.assets import asset_name
from modelwright.registry.web.requests import CSRF_FIELD, Page, Request, Site
from modelwright.registry.web.telling import did, refusal_of, shares, withdrawn
from modelwright.registry.web.templating import environment


@cache
def _environment() -> Environment:
    return environment(
        "modelwright.registry.web",
        filters=(
            formatting.moment,
            formatting.size,
            formatting.count,
            formatting.value,
            formatting.short,
            formatting.change,
            did,
            refusal_of,
            shares,
            withdrawn,
        ),
        shared={"asset": asset_name, "CSRF_FIELD": CSRF_FIELD},
    )


def render(template: str, site: Site, request: Request, view: object, *, status: int = 200) -> Page:
    """Return a page.

    Args:
        template: File name of the template.
        site: What all pages share.
        request: What is answered; links are made with it.
        view: What the page shows, ``view`` in the template.
        status: HTTP status.
    """
    text = _environment().get_template(template).render(site=site, request=request, link=request.link, view=view)
    return Page(body=text.encode("utf-8", "replace"), status=status)
