"""Compare what two manifests say beside their signatures: metrics, pins, files, data, hyperparameters. Pure.

Called by diff. It does not run anything: whether the answers changed is asked of the models themselves, by
:mod:`modelwright.inspecting.behaviour`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.inspecting.changes import Change
from modelwright.spec.evaluation import Evaluation
from modelwright.spec.manifest import File, Manifest
from modelwright.spec.struct import Frozen


class MetricChange(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One metric, measured on the same data set (and slice) for both versions.

    Attributes:
        metric: Name of the metric.
        dataset: Name of the data set.
        slice: Name of the slice; empty: all of it.
        old: Value of the old version; ``None``: not measured.
        new: Value of the new version; ``None``: not measured.
        better: Whether the new value is better; ``None`` when equal, or when nobody said what is better.
    """

    metric: str
    dataset: str
    slice: str = ""
    old: float | None = None
    new: float | None = None
    better: bool | None = None


class FileChange(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One file of the package.

    Attributes:
        path: Below the import package.
        how: ``added``, ``removed`` or ``changed``.
        size: Change of its size, bytes.
    """

    path: str
    how: str
    size: int = 0


class Values(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One value in both versions.

    Attributes:
        old: In the old version; ``None``: not there.
        new: In the new version; ``None``: not there.
    """

    old: Any = None
    new: Any = None


def compare_metrics(old: Manifest, new: Manifest) -> tuple[MetricChange, ...]:
    """Pair the evaluations of two versions by metric, data set and slice, in the order of the new version."""
    before, after = _by_place(old.evaluations), _by_place(new.evaluations)
    found = []
    for place in [*after, *(key for key in before if key not in after)]:
        was, now = before.get(place), after.get(place)
        found.append(
            MetricChange(
                metric=place[0],
                dataset=place[1],
                slice=place[2],
                old=None if was is None else was.value,
                new=None if now is None else now.value,
                better=_better(was, now),
            )
        )
    return tuple(found)


def _by_place(evaluations: tuple[Evaluation, ...]) -> dict[tuple[str, str, str], Evaluation]:
    return {(one.metric, one.dataset, one.slice): one for one in evaluations}


def _better(old: Evaluation | None, new: Evaluation | None) -> bool | None:
    if old is None or new is None or old.value == new.value:
        return None
    direction = new.better or old.better
    return (new.value > old.value) == (direction == "higher") if direction else None


def compare_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Values]:
    """Return the keys whose values differ.

    Example:
        >>> compare_values({"C": 1.0, "tol": 0.1}, {"C": 2.0, "tol": 0.1})
        {'C': Values(old=1.0, new=2.0)}
    """
    keys = [*new, *(key for key in old if key not in new)]
    return {key: Values(old=old.get(key), new=new.get(key)) for key in keys if old.get(key) != new.get(key)}


def pins(manifest: Manifest) -> dict[str, str]:
    """Return the direct requirements of a package by name."""
    found = {}
    for text in manifest.environment.dependencies:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            found[text] = text
            continue
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        found[canonicalize_name(requirement.name) + extras] = str(requirement.specifier) or "any version"
    return found


def compare_files(old: Manifest, new: Manifest) -> tuple[FileChange, ...]:
    """Return the artifacts and code files that were added, removed or changed."""
    before, after = _files(old), _files(new)
    found = []
    for path in sorted({*before, *after}):
        was, now = before.get(path), after.get(path)
        size = (now.size if now else 0) - (was.size if was else 0)
        if was is None or now is None:
            found.append(FileChange(path=path, how="added" if was is None else "removed", size=size))
        elif was.sha256 != now.sha256:
            found.append(FileChange(path=path, how="changed", size=size))
    return tuple(found)


def _files(manifest: Manifest) -> dict[str, File]:
    files = {f"model/artifacts/{file.path}": file for file in manifest.artifacts}
    return files | {file.path: file for file in manifest.code}


def compare_data(old: Manifest, new: Manifest) -> dict[str, Values]:
    """Return the data references that differ, by role and URI; a reference is told by version, digest and rows."""
    return compare_values(_data(old), _data(new))


def _data(manifest: Manifest) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in manifest.lineage.data:
        said = [one.version, f"sha256 {one.sha256[:12]}" if one.sha256 else "", f"{one.rows} rows" if one.rows else ""]
        found[f"{one.role} {one.uri}"] = ", ".join(part for part in said if part) or "no version"
    return found


def document_changes(old: Manifest, new: Manifest) -> Iterator[Change]:
    """Yield what changed beside signature and answers, each with its level."""
    for method in [one for one in old.storage.methods if one not in new.storage.methods]:
        yield Change(level="MAJOR", about="methods", what=f"the model no longer answers {method}", how="removed")
    for method in [one for one in new.storage.methods if one not in old.storage.methods]:
        yield Change(level="MINOR", about="methods", what=f"the model now answers {method}", how="added")
    if old.import_name != new.import_name:
        yield Change(level="MAJOR", about="name", what=f"it is imported as {new.import_name!r}")
    yield from _environment(old, new)
    was, now = old.storage, new.storage
    if was.format != now.format:
        yield Change(level="PATCH", about="format", what=f"it is stored as {now.format} instead of {was.format}")
    if was.model_type != now.model_type:
        yield Change(
            level="PATCH", about="model", what=f"the model is a {now.model_type} instead of a {was.model_type}"
        )
    if not old.storage.executes_code and new.storage.executes_code:
        yield Change(level="MINOR", about="format", what="loading it can now run code that the artifact contains")


def _environment(old: Manifest, new: Manifest) -> Iterator[Change]:
    for name, values in compare_values(pins(old), pins(new)).items():
        if values.old is None:
            told = f"{name} {values.new} is required, too"
        elif values.new is None:
            told = f"{name} is no longer required"
        else:
            told = f"{name} {values.new} is required instead of {values.old}"
        yield Change(level="PATCH", about="pins", what=told)
    before, after = set(old.environment.interpreters), set(new.environment.interpreters)
    if not (new.environment.portable and not old.environment.portable):
        for tag in sorted(before - after):
            yield Change(level="MINOR", about="interpreters", what=f"it is no longer verified on {tag}", how="removed")
    for tag in sorted(after - before):
        yield Change(level="PATCH", about="interpreters", what=f"it is now verified on {tag}", how="added")
    if old.environment.portable and not new.environment.portable:
        told = f"it only installs on {', '.join(sorted(after))}"
        yield Change(level="MINOR", about="interpreters", what=told)
