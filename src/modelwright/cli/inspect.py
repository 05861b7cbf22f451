"""``modelwright inspect``: what is in a package, without executing any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag, size
from modelwright.cli.references import resolve
from modelwright.inspecting.read import read
from modelwright.spec.acceleration import Acceleration
from modelwright.spec.manifest import Manifest
from modelwright.spec.signature import Field, Scalar
from modelwright.spec.signature import Output as OutputField
from modelwright.spec.weights import weights_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

SHOWN_FIELDS = 40
"""Rows of a table of fields; the rest is counted."""
SHOWN_LEVELS = 5


def inspect(
    reference: Annotated[str, Parameter(help="A wheel, a folder, a URL, name, name==1.3.0, name@stage.")],
    /,
    *,
    card: Annotated[bool, flag("Print the model card, Markdown.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Show what is in a package, without executing any of it."""
    package = read(resolve(reference, at, output))
    if card and not output.json:
        print(package.card)
        return 0
    output.result(package.manifest, _show)
    output.next(f"modelwright inspect {reference} --card{at.option()}", f"modelwright scan {reference}{at.option()}")
    return 0


def _show(manifest: Manifest, console: Console) -> None:
    console.print(f"{manifest.name} {manifest.version}", style="bold", markup=False)
    if manifest.summary:
        console.print(manifest.summary, markup=False)
    for label, text in _facts(manifest):
        console.print(f"{label + ':':<14}{text}", soft_wrap=True, markup=False)
    _table(console, "Inputs", manifest.signature.inputs)
    _table(console, "Outputs", manifest.signature.outputs)
    for one in manifest.evaluations:
        where = f"{one.dataset}, {one.slice}" if one.slice else one.dataset
        console.print(f"{one.metric:<20}{one.value:>10.4f}  on {where}", markup=False)


def _form(form: Acceleration) -> str:
    if not form.kept:
        return f"{form.kind}, refused: {form.why}"
    allowed = f"within {form.tolerance:g}" if form.tolerance else "bit for bit"
    times = [f"{each.original / each.accelerated:.3g} × on {each.rows:,}" for each in form.latency]
    return f"{form.kind}, {allowed} on {form.rows:,} rows" + (f"; {', '.join(times)} rows" if times else "")


def _facts(manifest: Manifest) -> Iterable[tuple[str, str]]:
    storage, environment = manifest.storage, manifest.environment
    yield "task", manifest.task
    danger = ", can run code when it is loaded" if storage.executes_code else ""
    yield "model", f"{storage.model_type} ({storage.format}{danger})"
    yield from (("faster form", _form(form)) for form in manifest.accelerations)
    yield "methods", ", ".join(storage.methods)
    yield "interpreters", "any" if environment.portable else ", ".join(environment.interpreters)
    yield "needs", ", ".join(environment.dependencies) or "only Python"
    elsewhere = f", in {weights_requirement(manifest)}" if manifest.weights else ""
    size_bytes = sum(file.size for file in manifest.artifacts)
    yield "artifacts", f"{len(manifest.artifacts)} files, {size(size_bytes)}{elsewhere}"
    if manifest.owners:
        yield "owners", ", ".join(manifest.owners)
    if manifest.license:
        yield "license", manifest.license
    git = manifest.lineage.git
    if git:
        yield "code", git.revision[:12] + (" with uncommitted changes" if git.dirty else "")
    for data in manifest.lineage.data:
        yield f"{data.role} data", " ".join(filter(None, (data.uri, data.version)))
    yield "created", f"{manifest.created} by {manifest.tool}"


def _table(console: Console, title: str, fields: tuple[Field, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "type", "may be null", "seen in training", title=title, title_justify="left", box=None)
    for field in fields[:SHOWN_FIELDS]:
        kind = field.datatype + (str(list(field.shape)) if field.shape else "")
        table.add_row(*map(Text, (field.name, kind, "yes" if field.nullable else "no", _seen(field))))
    console.print()
    console.print(table)
    if len(fields) > SHOWN_FIELDS:
        console.print(f"… and {len(fields) - SHOWN_FIELDS} more")


def _seen(field: Field) -> str:
    labels = field.labels if isinstance(field, OutputField) else None
    levels: tuple[Scalar, ...] | None = labels or field.categories
    if levels is not None:
        more = f", … {len(levels) - SHOWN_LEVELS} more" if len(levels) > SHOWN_LEVELS else ""
        return ", ".join(map(str, levels[:SHOWN_LEVELS])) + more
    if field.training_range is not None:
        low, high = field.training_range
        return f"{low:.6g} … {high:.6g}" if isinstance(low, float) and isinstance(high, float) else f"{low} … {high}"
    return ""
