"""Show a package to people, in a notebook, right after capture: what it is, how good it is, what to do with it next.

Called by :meth:`modelwright.package.Package._repr_html_`. One element of HTML with its own style, light and dark, no
script, nothing fetched. It is made from manifest and scenarios; the model is not touched.

It does not: replace the card, which says everything; here each list is cut where it stops being read.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from modelwright.spec.evaluation import Evaluation
from modelwright.spec.manifest import File, Manifest
from modelwright.spec.naming import import_name
from modelwright.spec.scenario import Example, Scenario
from modelwright.spec.signature import Field, Output
from modelwright.viewing.markup import Html, code, joined, table, tag, text

SHOWN = 12
"""Rows of a table that are seen at once; the others are unfolded."""
UNFOLDED = 60
"""Rows of a table at most; the rest is counted. It keeps the page below 40 KB for a thousand columns."""
SHOWN_DATASETS = 4
"""Columns of the table of metrics at most."""
SHOWN_VALUES = 6
"""Values of an example, levels of a category, files of a package at most."""


def package_page(
    manifest: Manifest, scenarios: Sequence[Scenario], *, path: Path | None, where: str, sha256: str = ""
) -> str:
    """Return the page of a package.

    Args:
        manifest: What the package is.
        scenarios: Those that travel with it.
        path: The folder or wheel on this machine; ``None``: it is somewhere else.
        where: Where it is, for people.
        sha256: Digest of the wheel, if it is one.

    Returns:
        One ``<div>``; everything in it that came from outside is escaped.
    """
    columns = tag(
        "div",
        _inputs(manifest.signature.inputs),
        tag("div", _outputs(manifest.signature.outputs), _metrics(manifest.evaluations)),
        of="columns",
    )
    return tag(
        "div",
        tag("style", _style()),
        _title(manifest),
        *([tag("p", text(manifest.summary, longest=300), of="summary")] if manifest.summary else []),
        _facts(manifest, where, sha256),
        columns,
        _scenarios(scenarios),
        _next(manifest, path),
        of="package",
    )


@cache
def _style() -> Html:
    """Return the style sheet; it is ours and contains no ``<``, so nothing in it ends the element."""
    return Html(Path(__file__).with_name("package.css").read_text("utf-8"))


def _title(manifest: Manifest) -> Html:
    badges = [tag("span", text(manifest.task), of="badge")]
    badges += [tag("span", text(one), of="badge") for one in manifest.tags[:SHOWN_VALUES]]
    if manifest.storage.executes_code:
        badges.append(tag("span", text("loading it runs code"), of="badge mw-warning"))
    name = tag("strong", text(manifest.name), of="name")
    return tag("div", name, tag("span", text(manifest.version), of="version"), *badges, of="title")


def _facts(manifest: Manifest, where: str, sha256: str) -> Html:
    listed = [tag("div", tag("dt", text(label)), tag("dd", value)) for label, value in _said(manifest, where, sha256)]
    return tag("dl", *listed, of="facts")


def _said(manifest: Manifest, where: str, sha256: str) -> Iterator[tuple[str, Html]]:
    storage, environment = manifest.storage, manifest.environment
    yield "model", joined([code(storage.model_type), text(f"stored as {storage.format}")], ", ")
    python = "any Python" if environment.portable else ", ".join(environment.interpreters)
    yield "proved on", text(f"Python {environment.python}, {environment.platform or 'any platform'}; runs on {python}")
    yield "needs", _some([code(pin) for pin in environment.dependencies], SHOWN) or text("only Python")
    files = (*manifest.artifacts, *manifest.code)
    yield "size", text(f"{_bytes(sum(file.size for file in files))} in {_count(len(files), 'file')}")
    yield "sha256", tag("code", text(sha256), of="whole") if sha256 else _digests(manifest.artifacts)
    if manifest.lineage.data:
        data = [code(f"{one.uri} {one.version}".strip()) for one in manifest.lineage.data]
        yield "data", _some(data, SHOWN_VALUES)
    if manifest.lineage.parent:
        yield "follows", code(manifest.lineage.parent)
    if manifest.license or manifest.owners:
        yield "owners", text(", ".join([*manifest.owners, *filter(None, [manifest.license])]))
    yield "at", code(where)


def _digests(artifacts: Sequence[File]) -> Html:
    """Name each artifact with the beginning of its digest; the whole of it appears where the pointer rests."""
    named = [
        joined([text(file.path), tag("code", text(f"{file.sha256[:16]}…"), title=file.sha256)], " ")
        for file in artifacts
    ]
    return _some(named, SHOWN_VALUES) or text("no artifact")


def _some(parts: Sequence[Html], shown: int) -> Html:
    more = [text(f"{len(parts) - shown} more")] if len(parts) > shown else []
    return joined([*parts[:shown], *more], ", ")


def _inputs(fields: Sequence[Field]) -> Html:
    header = ("input", "type", "seen in training")
    rows = [(text(field.name), _type(field), _seen(field)) for field in fields]
    return _section(_count(len(fields), "input"), _folded(header, rows))


def _outputs(outputs: Sequence[Output]) -> Html:
    header = ("output", "type", "of", "answers")
    rows = [(text(one.name), _type(one), code(one.method), _seen(one)) for one in outputs]
    return _section(_count(len(outputs), "output"), _folded(header, rows))


def _type(field: Field) -> Html:
    shape = f"[{', '.join('any' if size == -1 else str(size) for size in field.shape)}]" if field.shape else ""
    unit = f", {field.unit}" if field.unit else ""
    missing = [tag("span", text("or missing"), of="quiet")] if field.nullable else []
    return joined([text(f"{field.datatype}{shape}{unit}"), *missing], " ")


def _seen(field: Field) -> Html:
    """Say what was seen in training: levels, labels, or the range."""
    levels = (field.labels if isinstance(field, Output) else None) or field.categories
    if levels is not None:
        return _some([text(level, longest=30) for level in levels], SHOWN_VALUES)
    if field.training_range is not None:
        return text(" … ".join(_value(bound) for bound in field.training_range))
    return text("")


def _metrics(evaluations: Sequence[Evaluation]) -> Html:
    """Show whole data sets side by side, and slices when they are asked for."""
    whole = [one for one in evaluations if not one.slice]
    if not evaluations:
        told = "Not measured. Give evaluate=(X_test, y_test) to capture."
        return _section("no metrics", tag("p", text(told), of="quiet"))
    datasets = list(dict.fromkeys(one.dataset for one in whole))[:SHOWN_DATASETS]
    counts = {one.dataset: f"{one.dataset}, {one.rows:,} rows" for one in whole if one.rows is not None}
    found = {(one.metric, one.dataset): one for one in whole}
    names = list(dict.fromkeys(one.metric for one in whole if one.dataset in datasets))
    rows = [(_metric(name, whole), *(_measured(found.get((name, dataset))) for dataset in datasets)) for name in names]
    header = ("metric", *(counts.get(dataset, dataset) for dataset in datasets))
    return _section(_count(len(names), "metric"), _folded(header, rows), *_slices(evaluations))


def _slices(evaluations: Sequence[Evaluation]) -> Iterator[Html]:
    sliced = [one for one in evaluations if one.slice]
    if sliced:
        rows = [(text(f"{one.dataset}, {one.slice}"), text(one.metric), _measured(one)) for one in sliced[:UNFOLDED]]
        summary = tag("summary", text(_count(len(sliced), "metric") + " of slices"))
        yield tag("details", summary, table(("slice", "metric", "value"), rows))


def _metric(name: str, evaluations: Sequence[Evaluation]) -> Html:
    better = next((one.better for one in evaluations if one.metric == name), "")
    arrow = {"higher": "↑", "lower": "↓", "": ""}[better]
    return joined([text(name), tag("span", text(arrow), of="quiet", title=f"{better or 'neither'} is better")], " ")


def _measured(evaluation: Evaluation | None) -> Html:
    return tag("span", text("–" if evaluation is None else _value(evaluation.value)), of="number")


def _scenarios(scenarios: Sequence[Scenario]) -> Html:
    kinds = Counter(type(one).__name__.lower() for one in scenarios)
    told = ", ".join(_count(count, kind) for kind, count in kinds.items())
    rows = sum(len(one.inputs) for one in scenarios)
    title = f"{_count(len(scenarios), 'scenario')}, {_count(rows, 'row')}" + (f": {told}" if told else "")
    example = next((one for one in scenarios if isinstance(one, Example) and one.inputs), None)
    return _section(title, *([_example(example)] if example else []))


def _example(example: Example) -> Html:
    """Show the first row of a scenario, and what the model answered."""
    row = list(example.inputs[0].items())
    sent = [_pair(name, value) for name, value in row[:SHOWN_VALUES]]
    if len(row) > SHOWN_VALUES:
        sent.append(tag("span", text(f"{len(row) - SHOWN_VALUES} more"), of="quiet"))
    answered = [_pair(name, values[0]) for name, values in list(example.expected.items())[:SHOWN_VALUES] if values]
    arrow = tag("span", text("→"), of="arrow")
    label = tag("span", text(f"{example.name}:"), of="quiet")
    return tag("p", label, *sent, arrow, *answered, of="example")


def _pair(name: str, value: Any) -> Html:
    return tag("span", tag("span", text(name, longest=40), of="key"), text(_value(value), longest=60), of="pair")


def _next(manifest: Manifest, path: Path | None) -> Html:
    lines = [tag("code", text(line, longest=500)) for line in next_commands(manifest, path)]
    return _section("next", tag("div", *lines, of="commands")) if lines else Html("")


def next_commands(manifest: Manifest, path: Path | None) -> tuple[str, ...]:
    """Return what one would type next, ready for a shell.

    Args:
        manifest: What the package is.
        path: Where it is; ``None``: not on this machine.
    """
    if path is None:
        return ()
    with suppress(ValueError):
        path = path.relative_to(Path.cwd())
    if path.suffix == ".whl":
        wheel = shlex.quote(str(path))
        return (f"modelwright verify {wheel}", f"pip install {wheel}", f"{manifest.name} predict rows.csv")
    wheel = f"dist/{import_name(manifest.name)}-{manifest.version}-*.whl"
    return (f"modelwright build {shlex.quote(str(path))}", f"modelwright verify {wheel}", f"pip install {wheel}")


def _section(title: str, *content: Html) -> Html:
    return tag("section", tag("div", text(title), of="heading"), *content)


def _folded(header: Sequence[str], rows: Sequence[Iterable[Html]]) -> Html:
    """Show the first rows, and the others when they are asked for."""
    if len(rows) <= SHOWN:
        return table(header, rows)
    hidden = rows[SHOWN:UNFOLDED]
    rest = (
        [tag("p", text(f"… and {len(rows) - UNFOLDED:,} more in the card"), of="quiet")] if len(rows) > UNFOLDED else []
    )
    summary = tag("summary", text(f"{len(rows) - SHOWN:,} more"))
    return joined([table(header, rows[:SHOWN]), tag("details", summary, table(header, hidden), *rest)])


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _value(value: Any) -> str:
    """Write a value shortly: numbers with four significant digits, lists with their first values.

    Example:
        >>> _value(0.123456), _value([0.25, 0.75]), _value("a"), _value(None)
        ('0.1235', '[0.25, 0.75]', 'a', 'missing')
    """
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, list | tuple):
        more = [f"{len(value) - SHOWN_VALUES} more"] if len(value) > SHOWN_VALUES else []
        return f"[{', '.join([*map(_value, value[:SHOWN_VALUES]), *more])}]"
    return str(value)


def _bytes(count: int) -> str:
    """Write a size in the units of the IEC.

    Example:
        >>> _bytes(12), _bytes(1536), _bytes(3 * 2**30)
        ('12 B', '1.5 KiB', '3.0 GiB')
    """
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if count >= 1024**power:
            return f"{count / 1024**power:.1f} {unit}"
    return f"{count} B"
