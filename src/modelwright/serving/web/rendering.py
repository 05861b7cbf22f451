"""Turn what a page shows into HTML.

For: :mod:`.pages`, by the rules of :mod:`modelwright.registry.web.templating`. The only markup that is not escaped is
the card, which :mod:`modelwright.registry.web.markdown` made safe, and drawn bars.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment

from modelwright.registry.web import formatting
from modelwright.registry.web.charts import bar
from modelwright.registry.web.templating import environment
from modelwright.serving.web.assets import asset_name
from modelwright.serving.web.views import ServerView


@cache
def _environment() -> Environment:
    return environment(
        "modelwright.serving.web",
        filters=(formatting.value, formatting.short, formatting.count),
        shared={"asset": asset_name, "bar": bar},
    )


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
