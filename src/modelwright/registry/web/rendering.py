"""Turn what a page shows into HTML.

For: every module that makes a page. Everything that goes into a template is escaped; the only exception is markup that
:mod:`modelwright.registry.web.markdown` and :mod:`modelwright.registry.web.charts` made themselves, which has a type of
its own. A template that names something the page does not have is an error, not an empty place.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from modelwright.registry.web import formatting
from modelwright.registry.web.assets import asset_name
from modelwright.registry.web.requests import CSRF_FIELD, Page, Request, Site
from modelwright.registry.web.telling import did, refusal_of, shares, withdrawn


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("modelwright.registry.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for written in (
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
    ):
        environment.filters[written.__name__] = written
    environment.globals |= {"asset": asset_name, "CSRF_FIELD": CSRF_FIELD}
    return environment


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
