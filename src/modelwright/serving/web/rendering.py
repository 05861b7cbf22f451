"""Turn what a page shows into HTML.

For: :mod:`.pages`. Everything that goes into a template is escaped; the only exceptions are the card, which
:mod:`modelwright.registry.web.markdown` made safe, and drawn bars. A template that names something the page does not
have is an error, not an empty place.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from modelwright.registry.web import formatting
from modelwright.registry.web.charts import bar
from modelwright.serving.web.assets import asset_name
from modelwright.serving.web.views import ServerView


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("modelwright.serving.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for written in (formatting.value, formatting.short, formatting.count):
        environment.filters[written.__name__] = written
    environment.globals |= {"asset": asset_name, "bar": bar}
    return environment


def render(template: str, server: ServerView, **shown: Any) -> bytes:
    """Return a page as UTF-8.

    Args:
        template: File name of the template.
        server: What all pages share; links are made with it.
        **shown: What this page shows, by its name in the template.
    """

    def link(*parts: str) -> str:
        return f"{server.root}/{'/'.join(quote(part, safe='') for part in parts)}"

    text = _environment().get_template(template).render(server=server, link=link, **shown)
    return text.encode("utf-8", "replace")
