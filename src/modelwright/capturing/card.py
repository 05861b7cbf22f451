"""Write the model card: the human page of a package, generated from its manifest.

Every sentence comes from the manifest, the profile or the scenarios. What nobody said is called unknown; nothing is
made up. The page is Markdown with the front matter that Hugging Face reads, and the description of the wheel.

For: capture. A person may edit the page afterwards; nothing reads it back.

Source: Mitchell et al. 2019, "Model Cards for Model Reporting" (the nine sections); Hugging Face, "Model Cards",
metadata and ``model-index``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from modelwright.capturing.markdown import code, front_matter, link_target, table, words
from modelwright.spec.acceleration import Acceleration, Latency
from modelwright.spec.evaluation import Evaluation
from modelwright.spec.lineage import DataReference
from modelwright.spec.manifest import Manifest
from modelwright.spec.profile import CategoricalProfile, FieldProfile, NumericProfile, Profile
from modelwright.spec.scenario import Scenario
from modelwright.spec.signature import Field, Output

UNKNOWN = "Not stated by the author."
"""What stands where nobody said anything."""
MAX_ROWS = 60
"""Longest table of the page; the rest is in the JSON files beside it."""
_CHART_TEXTS = {
    "confusion.svg": "Confusion matrix",
    "calibration.svg": "Calibration",
    "residuals.svg": "Residuals",
    "importance.svg": "Permutation importance",
}


def write_card(
    manifest: Manifest, profile: Profile, scenarios: Sequence[Scenario], charts: Sequence[str] | Mapping[str, str] = ()
) -> str:
    """Write the page.

    Args:
        manifest: What the package is.
        profile: Summary of the training data.
        scenarios: Those that travel with it.
        charts: File names below ``charts/``.

    Returns:
        Markdown with YAML front matter; the same package gives the same page.
    """
    sections = (
        ("Model details", _details(manifest)),
        ("Intended use", _use(manifest)),
        ("Factors", _factors(manifest)),
        ("Metrics", _metrics(manifest)),
        ("Evaluation data", _data(manifest, ("test", "validation"))),
        ("Training data", _training(manifest, profile)),
        ("Quantitative analyses", _analyses(manifest, scenarios, tuple(charts))),
        ("Ethical considerations", iter([UNKNOWN])),
        ("Caveats and recommendations", _caveats(manifest)),
    )
    head = [_front_matter(manifest), f"# {words(manifest.name)} {words(manifest.version)}"]
    if manifest.summary:
        head.append(words(manifest.summary))
    body = [part for title, blocks in sections for part in (f"## {title}", *blocks)]
    return "\n\n".join([*head, *body]) + "\n"


def _front_matter(manifest: Manifest) -> str:
    whole = [item for item in manifest.evaluations if not item.slice]
    results = [
        {
            "task": {"type": _hub_task(manifest), "name": manifest.task},
            "dataset": {"type": dataset, "name": dataset},
            "metrics": [
                {"type": item.metric, "value": item.value, "name": item.metric}
                for item in whole
                if item.dataset == dataset
            ],
        }
        for dataset in dict.fromkeys(item.dataset for item in whole)
    ]
    library = manifest.storage.model_type.partition(".")[0]
    content: dict[str, Any] = {
        "license": manifest.license.lower() if manifest.license else None,
        "library_name": library if library not in ("", manifest.import_name, "builtins", "__main__") else None,
        "tags": ["modelwright", *manifest.tags],
        "pipeline_tag": _hub_task(manifest) if manifest.task in ("classification", "regression") else None,
        "model-index": [{"name": manifest.name, "results": results}] if results else None,
    }
    return front_matter({key: value for key, value in content.items() if value is not None})


def _hub_task(manifest: Manifest) -> str:
    known = {"classification": "tabular-classification", "regression": "tabular-regression"}
    return known.get(manifest.task, manifest.task)


def _details(manifest: Manifest) -> Iterator[str]:
    storage, environment = manifest.storage, manifest.environment
    runs = "Loading it **executes code** that the artifact contains: install it only from an index you trust."
    safe = "Loading it does not execute code from the artifact."
    yield table(
        ("", ""),
        [
            ("Task", words(manifest.task)),
            ("Model", code(storage.model_type)),
            ("Format", f"{code(storage.format)}. {runs if storage.executes_code else safe}"),
            ("Owners", words(", ".join(manifest.owners)) or UNKNOWN),
            ("Licence", words(manifest.license) or UNKNOWN),
            ("Captured", words(manifest.created)),
            ("Code", _revision(manifest)),
            ("Parent release", code(manifest.lineage.parent) if manifest.lineage.parent else "None stated."),
            ("Written by", words(manifest.tool) or UNKNOWN),
        ],
    )
    if storage.types:
        yield "Types that the loader's reviewed list does not contain: " + ", ".join(map(code, storage.types)) + "."
    yield "### Environment"
    verified = ", ".join(map(code, environment.interpreters))
    yield (
        f"Captured on Python {words(environment.python)}; verified on {verified}. "
        f"Needs {', '.join(map(code, environment.dependencies)) or 'nothing but Python'}."
    )
    if environment.variables:
        yield f"Reads the environment variables {', '.join(map(code, environment.variables))}."
    if environment.system_libraries:
        yield f"Needs the system libraries {', '.join(map(code, environment.system_libraries))}."
    yield from _acceleration(manifest)
    if manifest.hyperparameters:
        yield "### Hyperparameters"
        shown = [(code(name), code(str(value))) for name, value in manifest.hyperparameters.items()]
        yield from _cut(("Name", "Value"), shown)


def _acceleration(manifest: Manifest) -> Iterator[str]:
    """Say what was tried to make the model faster, also where it was refused."""
    if manifest.accelerations:
        yield "### Acceleration"
    for form in manifest.accelerations:
        if not form.rows:
            yield f"{code(form.kind)} was tried and refused: {words(form.why)}."
            continue
        state = "kept" if form.kept else f"refused: {words(form.why)}"
        allowed = f"within {form.tolerance:g}" if form.tolerance else "bit for bit"
        yield (
            f"{code(form.kind)} was {state}. It was compared with the model, {allowed}, on all {form.rows:,} rows of "
            f"the sample: {form.differing:,} differ by any bit, by {form.largest_difference:.3g} at most."
        )
        if form.latency:
            head = ("Rows of a call", "The model", code(form.kind), "Faster by")
            yield table(head, [_latency_row(each) for each in form.latency])
        yield _form_facts(form)


def _latency_row(taken: Latency) -> tuple[str, ...]:
    times = (f"{seconds * 1e3:.3g} ms" for seconds in (taken.original, taken.accelerated))
    return (f"{taken.rows:,}", *times, f"{taken.original / taken.accelerated:.3g} ×")


def _form_facts(form: Acceleration) -> str:
    needs = ", ".join(map(code, form.dependencies))
    facts = [f"Its own files: {form.size:,} bytes" if form.size else "It has no files of its own"]
    facts += [f"it needs {needs}" if needs else "it needs nothing that the model does not need"]
    facts += [f"instead of {', '.join(map(code, form.replaces))}"] if form.replaces else []
    facts += [f"the library itself still runs {', '.join(map(code, form.steps))}"] if form.steps else []
    return "; ".join(facts) + "."


def _revision(manifest: Manifest) -> str:
    git, notebook = manifest.lineage.git, manifest.lineage.notebook
    parts = []
    if git is not None:
        changed = " with uncommitted changes" if git.dirty else ""
        parts.append(f"{code(git.revision)}{changed}" + (f" of {words(git.remote)}" if git.remote else ""))
    if notebook is not None:
        parts.append(f"notebook {code(notebook.name)}, sha256 {code(notebook.sha256[:12])}…")
    return "; ".join(parts) or "Not under version control when it was captured."


def _use(manifest: Manifest) -> Iterator[str]:
    yield f"{UNKNOWN} What the model takes and gives is said below."
    name, module = manifest.name, manifest.import_name
    yield "\n".join(
        (
            "```console",
            f"pip install {name}=={manifest.version}",
            f"{name} predict rows.csv",
            "```",
        )
    )
    yield "\n".join(("```python", f"import {module}", "", f"{module}.{manifest.storage.methods[0]}(rows)", "```"))
    yield "### Inputs"
    yield from _cut(
        ("Name", "Type", "May be missing", "Training data", "Outside of it", "Unit", "Description"),
        [
            (
                code(field.name),
                _type(field),
                "yes" if field.nullable else "no",
                _domain(field),
                _policy(field),
                words(field.unit),
                words(field.description),
            )
            for field in manifest.signature.inputs
        ],
    )
    yield "### Outputs"
    yield from _cut(
        ("Name", "Type", "Method", "Labels", "Tolerance", "Description"),
        [
            (
                code(output.name),
                _type(output),
                code(output.method),
                _levels(output.labels or output.categories or ()),
                _tolerance(output),
                words(output.description),
            )
            for output in manifest.signature.outputs
        ],
    )


def _type(field: Field) -> str:
    shape = "".join(f"[{'n' if size < 0 else size}]" for size in field.shape)
    zone = f", {words(field.timezone)}" if field.timezone else ""
    return f"{field.datatype}{code(shape) if shape else ''}{zone}"


def _domain(field: Field) -> str:
    if field.categories is not None:
        return _levels(field.categories)
    return " … ".join(words(_short(end)) for end in field.training_range or ())


def _levels(levels: Sequence[object]) -> str:
    more = f" and {len(levels) - 8} more" if len(levels) > 8 else ""
    return ", ".join(code(str(level)) for level in levels[:8]) + more


def _policy(field: Field) -> str:
    policy = field.on_unknown if field.categories is not None else field.on_out_of_range
    if field.categories is None and field.training_range is None:
        return ""
    return "refused" if policy == "error" else "the model decides"


def _tolerance(output: Output) -> str:
    return f"rtol {output.rtol:g}, atol {output.atol:g}" if output.rtol or output.atol else "exact"


def _factors(manifest: Manifest) -> Iterator[str]:
    slices = list(dict.fromkeys(item.slice for item in manifest.evaluations if item.slice))
    if not slices:
        yield f"{UNKNOWN} No slice of the data was evaluated on its own."
        return
    yield "The model was also evaluated on these slices: " + ", ".join(map(code, slices)) + "."


def _metrics(manifest: Manifest) -> Iterator[str]:
    whole = [item for item in manifest.evaluations if not item.slice]
    if not whole:
        yield "The model was not evaluated when it was captured."
        return
    yield from _cut(("Metric", "Value", "Better", "Data", "Rows"), [_metric_row(item) for item in whole])


def _metric_row(item: Evaluation) -> tuple[str, ...]:
    rows = "" if item.rows is None else str(item.rows)
    return code(item.metric), f"{item.value:.6g}", item.better, words(item.dataset), rows


def _data(manifest: Manifest, roles: tuple[str, ...]) -> Iterator[str]:
    references = [reference for reference in manifest.lineage.data if reference.role in roles]
    if not references:
        yield UNKNOWN
    for reference in references:
        yield _reference(reference)


def _reference(reference: DataReference) -> str:
    facts = [
        f"version {words(reference.version)}" if reference.version else "",
        f"{reference.rows} rows" if reference.rows is not None else "",
        f"sha256 {code(reference.sha256)}" if reference.sha256 else "",
        words(reference.role),
        words(reference.summary),
    ]
    return f"- {link_target(reference.uri)}: " + "; ".join(filter(None, facts))


def _training(manifest: Manifest, profile: Profile) -> Iterator[str]:
    yield from _data(manifest, ("training", "other"))
    yield f"The profile of {profile.rows} training rows (no row is stored):"
    rows = [(code(name), *_summary(summary)) for name, summary in profile.inputs.items()]
    yield from _cut(("Field", "Missing", "Summary"), rows)


def _summary(summary: FieldProfile) -> tuple[str, str]:
    missing = f"{100 * summary.missing / summary.count:.3g} %" if summary.count else ""
    if isinstance(summary, NumericProfile) and summary.mean is not None and summary.std is not None:
        middle = summary.quantiles[len(summary.quantiles) // 2]
        spread = f"mean {_short(summary.mean)}, std {_short(summary.std)}, median {_short(middle)}"
        return missing, f"{_short(summary.minimum)} … {_short(summary.maximum)}, {spread}"
    if isinstance(summary, CategoricalProfile):
        most = ", ".join(f"{code(str(level))} {count}" for level, count in summary.levels[:5])
        return missing, f"{summary.distinct} different" + (f": {most}" if most else "")
    return missing, ""


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _analyses(manifest: Manifest, scenarios: Sequence[Scenario], charts: tuple[str, ...]) -> Iterator[str]:
    sliced = [item for item in manifest.evaluations if item.slice]
    if sliced:
        yield "### Slices"
        rows = [(code(item.slice), *_metric_row(item)) for item in sliced]
        yield from _cut(("Slice", "Metric", "Value", "Better", "Data", "Rows"), rows)
    if manifest.importance:
        yield "### Importance"
        yield f"How much worse {code(manifest.importance[0].metric)} gets when the field is shuffled."
        ranked = [(code(item.field), f"{item.mean:.4g}", f"{item.std:.4g}") for item in manifest.importance]
        yield from _cut(("Field", "Mean", "Std"), ranked)
    for name in charts:
        yield f"![{_CHART_TEXTS.get(name, 'Chart')}](charts/{name})"
    yield "### Scenarios"
    yield (
        f"{len(scenarios)} scenarios with {sum(len(scenario.inputs) for scenario in scenarios)} rows travel with the "
        f"package; `python -m {manifest.import_name}.model selftest` runs them."
    )
    rows = [
        (code(scenario.name), type(scenario).__name__.lower(), str(len(scenario.inputs)), words(scenario.reason))
        for scenario in scenarios
    ]
    yield from _cut(("Name", "Kind", "Rows", "Reason"), rows)


def _caveats(manifest: Manifest) -> Iterator[str]:
    yield UNKNOWN
    if manifest.storage.executes_code:
        yield "The artifact can execute code when it is loaded. Load it only if you trust who published it."
    if manifest.lineage.git is not None and manifest.lineage.git.dirty:
        yield "The code had uncommitted changes when the model was captured, so the named commit does not reproduce it."
    if not manifest.evaluations:
        yield "No evaluation travels with this package; evaluate it on your own data before you rely on it."


def _cut(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield table(header, rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        yield f"… and {len(rows) - MAX_ROWS} more."
