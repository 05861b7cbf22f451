"""Make the pages of a server: what it serves, a model with a form to try it, the documentation of its API.

For: the HTTP door, which sends them with :data:`~modelwright.serving.web.assets.CONTENT_SECURITY_POLICY`. Pure: views
in, bytes out. Forms work without JavaScript; with it, ``serving.js`` puts the same answer in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelwright.errors import Problem
from modelwright.registry.web.charts import scale
from modelwright.registry.web.markdown import card_html
from modelwright.registry.web.signatures import field_view
from modelwright.serving.contract import Contract
from modelwright.serving.web.controls import controls_of
from modelwright.serving.web.examples import example_of
from modelwright.serving.web.forms import METHOD, parse_form, prefilled
from modelwright.serving.web.rendering import render
from modelwright.serving.web.snippets import curl, python
from modelwright.serving.web.views import ModelView, Refusal, Sent, ServerView

__all__ = ["HTML", "docs_page", "front_page", "model_page", "parse_form", "problem_page"]

HTML = "text/html; charset=utf-8"
SHOWN_PROBLEMS = 50
"""Problems that a page lists; all are counted."""


def front_page(server: ServerView) -> bytes:
    """Return the page at ``/``: every model with its versions, and whether it is ready."""
    return render("front.html", server)


def model_page(
    server: ServerView,
    model: ModelView,
    *,
    sent: Sent | None = None,
    answer: Mapping[str, Any] | None = None,
    refusal: Refusal | None = None,
) -> bytes:
    """Return the page of a model, with a form to try it.

    Args:
        server: What all pages share.
        model: The model.
        sent: What was sent with the form; ``None``: it begins with a row of a scenario.
        answer: What the server answered to it: the JSON body, decoded.
        refusal: Why it did not; the problems of single fields are those of ``sent``.
    """
    contract = model.contract
    if contract is None:
        return render("model.html", server, model=model, contract=None)
    signature = contract.manifest.signature
    return render(
        "model.html",
        server,
        model=model,
        contract=contract,
        fields=[field_view(field) for field in signature.inputs],
        outputs=[field_view(output) for output in signature.outputs],
        card=card_html(contract.card, {}),
        tried=_tried(server, model, contract, sent=sent, answer=answer, refusal=refusal),
    )


def _tried(
    server: ServerView,
    model: ModelView,
    contract: Contract,
    *,
    sent: Sent | None,
    answer: Mapping[str, Any] | None,
    refusal: Refusal | None,
) -> dict[str, Any]:
    """Return what the part of the page shows that is sent and answered."""
    method = sent.method if sent is not None else contract.methods[0]
    filled = dict(sent.filled) if sent is not None else prefilled(contract, method)
    problems: Sequence[Problem] = sent.problems if sent is not None else ()
    if sent is not None:
        rows = list(sent.rows) if not problems else []
    else:
        example = example_of(contract, method)
        rows = example.rows[:1] if example is not None else []
    return {
        "method": method,
        "method_field": METHOD,
        "controls": controls_of(contract, filled, problems),
        "count": len(problems),
        "general": [problem for problem in problems if problem.column not in contract.fields][:SHOWN_PROBLEMS],
        "problems": [problem for problem in problems if problem.column in contract.fields][:SHOWN_PROBLEMS],
        "refusal": refusal,
        "answer": answer,
        "results": _results(answer, contract, method),
        "curl": curl(server.base_url, model.name, method, rows) if rows else "",
        "python": python(server.base_url, model.name, method, rows) if rows else "",
        "from_scenario": sent is None and bool(rows),
    }


def _results(answer: Mapping[str, Any] | None, contract: Contract, method: str) -> list[dict[str, Any]]:
    """Return the outputs of the first row: a value each, or one per class with the longest bar for the largest."""
    if answer is None or not answer.get("predictions"):
        return []
    first = answer["predictions"][0]
    shown = []
    for output in contract.outputs[method]:
        value, labels = first.get(output["name"]), output.get("labels")
        parts = value if labels and isinstance(value, dict) else None
        numbers = [one if isinstance(one, int | float) else None for one in (parts or {}).values()]
        shown.append(
            {
                "name": output["name"],
                "unit": output.get("unit", ""),
                "value": value,
                "parts": list(zip(parts, parts.values(), numbers, strict=True)) if parts is not None else None,
                "most": scale(numbers),
            }
        )
    return shown


def docs_page(server: ServerView, *, model: str = "") -> bytes:
    """Return the page that shows an OpenAPI document with Swagger UI.

    Args:
        server: What all pages share.
        model: Name of the model whose document is shown; empty: that of the whole server.
    """
    return render("docs.html", server, model=model)


def problem_page(server: ServerView, refusal: Refusal) -> bytes:
    """Return the page for a browser that asked for what is not there, or may not be seen."""
    return render("problem.html", server, refusal=refusal)
