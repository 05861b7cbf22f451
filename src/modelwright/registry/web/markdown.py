"""Show the card of a model: Markdown that somebody else wrote, without anything that could act on the page.

For: the page of a version. Raw HTML stays text; links lead to web addresses only; images are the charts that came in
the same wheel, carried as ``data:`` so that a page never fetches anything.

Source: CommonMark 0.31 with GitHub's tables; RFC 2397 (``data:``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_WEB = ("https://", "http://")
_CHART = re.compile(r"charts/[A-Za-z0-9._-]{1,100}")
DEEPEST = 6


def card_html(card: str, charts: Mapping[str, bytes]) -> Markup:
    r"""Return a card as HTML, headings below those of the page, without its title and front matter.

    Args:
        card: Markdown.
        charts: SVG charts by their path, as the card names them.

    Example:
        >>> card_html("# churn 1.0.0\n\n## Use\n\n<b>no</b> [x](javascript:1)", {})
        Markup('<h3>Use</h3>\n<p>&lt;b&gt;no&lt;/b&gt; [x](javascript:1)</p>\n')
    """
    tokens = _parser().parse(_FRONT_MATTER.sub("", card.replace("\r\n", "\n"), count=1))
    shown = list(_lowered(_headed(_untitled(tokens))))
    for token in shown:
        if token.children is not None:
            token.children = list(_inline(token.children, charts))
    html = _parser().renderer.render(shown, _parser().options, {})
    return Markup(html)  # noqa: S704 - the renderer escapes all text, and raw HTML is off


def card_text(card: str) -> Markup:
    """Return a card as the text that it is.

    Example:
        >>> card_text("# churn <b>")
        Markup('<pre># churn &lt;b&gt;</pre>')
    """
    return Markup("<pre>{}</pre>").format(card)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table")
    parser.validateLink = _followed  # type: ignore[method-assign, assignment]
    parser.add_render_rule(
        "table_open",
        lambda *_: '<div class="scroll" tabindex="0" role="group" aria-label="Table of the card"><table>\n',
    )
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser


def _followed(address: str) -> bool:
    """Say whether an address stays one; any other is shown as the text it was written as."""
    return address.lower().startswith(_WEB) or bool(_CHART.fullmatch(address))


def _untitled(tokens: Sequence[Token]) -> Sequence[Token]:
    """Leave out a heading at the very beginning: the page has said what it is about."""
    return tokens[3:] if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1" else tokens


def _headed(tokens: Sequence[Token]) -> Iterator[Token]:
    """Leave out the heads of tables that say nothing, which a screen reader would read out as empty columns."""
    at = 0
    while at < len(tokens):
        if tokens[at].type == "thead_open":
            end = next(place for place in range(at, len(tokens)) if tokens[place].type == "thead_close")
            if not any(token.content for token in tokens[at:end]):
                at = end + 1
                continue
        yield tokens[at]
        at += 1


def _lowered(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(max(int(token.tag[1]) + 1, 3), DEEPEST)}"
        yield token


def _inline(tokens: Sequence[Token], charts: Mapping[str, bytes]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "link_open":
            _release(token)
        if token.type == "image":
            yield _image(token, charts)
        else:
            yield token


def _release(link: Token) -> None:
    """Tell the other site nothing; a link to a file of the wheel leads nowhere and is none."""
    if str(link.attrs.get("href", "")).lower().startswith(_WEB):
        link.attrs["rel"] = "noopener noreferrer nofollow"
    else:
        del link.attrs["href"]


def _image(token: Token, charts: Mapping[str, bytes]) -> Token:
    chart = charts.get(str(token.attrs.get("src", "")))
    if chart is None:
        return Token("text", "", 0, content=f"[image: {token.content}]" if token.content else "[image]")
    token.attrs["src"] = chart_address(chart)
    return token


def chart_address(chart: bytes) -> str:
    """Return a chart as an address, so that a page carries it.

    Example:
        >>> chart_address(b"<svg/>")
        'data:image/svg+xml,%3Csvg/%3E'
    """
    return f"data:image/svg+xml,{quote(chart, safe=_UNQUOTED)}"


_UNQUOTED = " !$()*,-./:;=?@_~'"
"""What stays as it is in a ``data:`` address inside an attribute: the page compresses better. Source: RFC 3986, 2.2."""
