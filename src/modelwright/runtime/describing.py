"""Put a manifest and a selftest report into words for a terminal.

Called by the command line. It computes nothing and prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def describe(manifest: dict[str, Any]) -> str:
    """Return the page that ``info`` shows."""
    storage, environment = manifest["storage"], manifest["environment"]
    lines = [
        f"{manifest['name']} {manifest['version']}",
        *([manifest["summary"]] if manifest.get("summary") else []),
        "",
    ]
    facts = {
        "task": manifest.get("task", ""),
        "model": storage.get("model_type", ""),
        "methods": ", ".join(storage.get("methods", ("predict",))),
        "format": storage.get("format", "") + (" (loading it can run code)" if storage.get("executes_code") else ""),
        "owners": ", ".join(manifest.get("owners", ())),
        "license": manifest.get("license", ""),
        "created": manifest.get("created", ""),
        "weights": f"{manifest['name']}-weights=={manifest['weights']}" if manifest.get("weights") else "",
        "python": _interpreters(environment),
        "libraries": ", ".join(environment["dependencies"]),
    }
    lines += [f"{name:10} {value}" for name, value in facts.items() if value]
    for title in ("inputs", "outputs"):
        lines += ["", title, *_table([_field_row(field) for field in manifest["signature"][title]])]
    if manifest.get("evaluations"):
        lines += ["", "metrics", *_table([_metric_row(metric) for metric in manifest["evaluations"]])]
    artifacts = [
        (entry["path"], f"{entry['size']:,} bytes", f"sha256 {entry['sha256']}") for entry in manifest["artifacts"]
    ]
    return "\n".join([*lines, "", "artifacts", *_table(artifacts)])


def _interpreters(environment: dict[str, Any]) -> str:
    tags = ", ".join(environment["interpreters"])
    return f"{environment.get('python', '')} (verified: {tags}{', portable' if environment.get('portable') else ''})"


def _field_row(field: dict[str, Any]) -> tuple[str, ...]:
    shape = f"{list(field['shape'])}" if field.get("shape") else ""
    notes = ["may be missing"] if field.get("nullable") else []
    levels = field.get("categories")
    if levels is not None:
        notes.append("one of " + ", ".join(map(str, levels[:6])) + (", …" if len(levels) > 6 else ""))
    elif field.get("training_range"):
        notes.append("{} to {} in training".format(*map(_shown, field["training_range"])))
    if field.get("labels"):
        notes.append(
            "classes " + ", ".join(map(str, field["labels"][:6])) + (", …" if len(field["labels"]) > 6 else "")
        )
    notes += [field[key] for key in ("unit", "description") if field.get(key)]
    return field["name"], field["datatype"] + shape, "; ".join(notes)


def _shown(bound: Any) -> str:
    return f"{bound:.6g}" if isinstance(bound, float) else str(bound)


def _metric_row(metric: dict[str, Any]) -> tuple[str, ...]:
    measured = metric["dataset"] + (f", {metric['slice']}" if metric.get("slice") else "")
    return metric["metric"], f"{metric['value']:.6g}", measured


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return ["  none"]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def describe_selftest(report: dict[str, Any]) -> str:
    """Return what ``selftest`` shows: a line per scenario, what does not hold, and the figures."""
    lines = [f"{report['name']} {report['version']} on Python {report['python']}"]
    for scenario in report["scenarios"]:
        lines.append(f"  {'✓' if scenario['passed'] else '✗'} {scenario['name']} ({scenario['kind']})")
        lines += [f"      {line}" for problem in scenario["problems"] for line in problem.splitlines()]
    lines.append(f"{report['passed']} passed, {report['failed']} failed")
    figures = [f"load {report['load_seconds']:.2f} s"]
    figures += [
        f"{rows} row{'s' * (rows != '1')} {taken * 1e3:.2f} ms" for rows, taken in report["predict_seconds"].items()
    ]
    if report["peak_rss_bytes"]:
        figures.append(f"peak memory {report['peak_rss_bytes'] / 2**20:.0f} MiB")
    return "\n".join([*lines, ", ".join(figures)])
