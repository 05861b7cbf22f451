"""Compare two signatures: can whoever sends rows to the old version send them to the new one, and read its answers?

Called by diff. Pure. Inputs may become wider, outputs narrower; everything else breaks somebody. The rules are
those by which the runtime judges rows: every input column has to be there, and no other.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from modelwright.inspecting.changes import Change, Level
from modelwright.spec.signature import Field, Output, Signature

_INTEGERS = {
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
_FLOATS = ("float16", "float32", "float64")


def compare_signatures(old: Signature, new: Signature) -> list[Change]:
    """Return what changed between two signatures, most serious first.

    Example:
        >>> old = Signature(inputs=(), outputs=(), container="pandas")
        >>> new = Signature(inputs=(Field(name="tenure", datatype="int64"),), outputs=(), container="pandas")
        >>> [(change.level, change.what) for change in compare_signatures(old, new)]
        [('MAJOR', "field 'tenure' is now required")]
    """
    found = [*_inputs(old.inputs, new.inputs), *_outputs(old.outputs, new.outputs)]
    if old.container != new.container or old.array_dtype != new.array_dtype:
        told = f"the model receives {_received(new)} instead of {_received(old)}; callers may send either"
        found.append(_change("PATCH", told))
    return sorted(found, key=lambda change: ("MAJOR", "MINOR", "PATCH").index(change.level))


def accepts(wanted: str, given: str) -> bool:
    """Say whether a field of one datatype takes every value of another.

    Example:
        >>> accepts("float64", "int32"), accepts("int32", "float64"), accepts("int8", "uint8")
        (True, False, False)
    """
    if wanted in (given, "json"):
        return True
    if wanted in _INTEGERS and given in _INTEGERS:
        low, high = _INTEGERS[given]
        return _INTEGERS[wanted][0] <= low and high <= _INTEGERS[wanted][1]
    if wanted in _FLOATS:
        return given in _INTEGERS or (given in _FLOATS and _FLOATS.index(given) <= _FLOATS.index(wanted))
    return False


def _inputs(old: Sequence[Field], new: Sequence[Field]) -> Iterator[Change]:
    before, after = {field.name: field for field in old}, {field.name: field for field in new}
    removed, added = [name for name in before if name not in after], [name for name in after if name not in before]
    for name, other in _renamed(before, after, removed, added):
        yield _change("MAJOR", f"field {name!r} seems to be renamed to {other!r}")
        removed.remove(name)
        added.remove(other)
    yield from (_change("MAJOR", f"field {name!r} is no longer accepted", how="removed") for name in removed)
    yield from (_change("MAJOR", f"field {name!r} is now required", how="added") for name in added)
    common = [name for name in before if name in after]
    if common != [name for name in after if name in before]:
        yield _change("MAJOR", "the fields have another order, which matters to whoever sends arrays")
    for name in common:
        yield from _input(before[name], after[name])


def _renamed(
    before: dict[str, Field], after: dict[str, Field], removed: list[str], added: list[str]
) -> list[tuple[str, str]]:
    """Pair fields that went with fields that came: a name that is close, and the same datatype."""
    pairs: list[tuple[str, str]] = []
    for name in removed:
        taken = {other for _, other in pairs}
        same = [other for other in added if other not in taken and after[other].datatype == before[name].datatype]
        close = difflib.get_close_matches(name, same, n=1)
        if close:
            pairs.append((name, close[0]))
    return pairs


def _input(old: Field, new: Field) -> Iterator[Change]:
    label = f"field {old.name!r}"
    if old.datatype != new.datatype:
        level: Level = "MINOR" if accepts(new.datatype, old.datatype) else "MAJOR"
        yield _change(level, f"{label} is {new.datatype} instead of {old.datatype}")
    if old.shape != new.shape:
        level = "MINOR" if _covers(new.shape, old.shape) else "MAJOR"
        yield _change(level, f"{label} has shape {_shape(new)} instead of {_shape(old)}")
    for now, was, what in ((new.nullable, old.nullable, "missing"), (new.infinite, old.infinite, "infinite")):
        if now != was:
            yield _change("MINOR" if now else "MAJOR", f"{label} may {'now' if now else 'no longer'} be {what}")
    yield from _levels(old, new, label)
    yield from _range(old, new, label)
    yield from _meaning(old, new, label)


def _levels(old: Field, new: Field, label: str) -> Iterator[Change]:
    """Compare categories; a level outside them matters only where unknown levels are refused."""
    strict_before = old.categories is not None and old.on_unknown == "error"
    strict_after = new.categories is not None and new.on_unknown == "error"
    before, after = old.categories or (), new.categories or ()
    if strict_after and not strict_before:
        yield _change("MAJOR", f"{label} now refuses unknown levels")
    elif strict_before and not strict_after:
        yield _change("MINOR", f"{label} no longer refuses unknown levels")
    lost, gained = [level for level in before if level not in after], [level for level in after if level not in before]
    if strict_after and strict_before and lost:
        yield _change("MAJOR", f"{label} no longer accepts {_some(lost)}")
    elif lost and new.categories is not None:
        yield _change("MINOR", f"{label} was trained without {_some(lost)}")
    if gained and old.categories is not None:
        yield _change("MINOR", f"{label} now knows {_some(gained)}")
    if (old.categories is None) != (new.categories is None) and not (strict_before or strict_after):
        yield _change("MINOR", f"{label} is {'now' if new.categories is not None else 'no longer'} categorical")
    reordered = set(before) == set(after) and before != after and (old.ordered or new.ordered)
    if old.categories is not None and new.categories is not None and (old.ordered != new.ordered or reordered):
        yield _change("MINOR", f"the levels of {label} have another order")


def _range(old: Field, new: Field, label: str) -> Iterator[Change]:
    strict_before = old.training_range is not None and old.on_out_of_range == "error"
    strict_after = new.training_range is not None and new.on_out_of_range == "error"
    if strict_after and not strict_before:
        yield _change("MAJOR", f"{label} now refuses values outside {_bounds(new)}")
    elif strict_before and not strict_after:
        yield _change("MINOR", f"{label} no longer refuses values outside {_bounds(old)}")
    elif strict_before and strict_after and old.training_range != new.training_range:
        level: Level = "MINOR" if _contains(new, old) else "MAJOR"
        yield _change(level, f"{label} accepts {_bounds(new)} instead of {_bounds(old)}")
    elif old.training_range != new.training_range:
        yield _change("PATCH", f"{label} was trained on {_bounds(new)} instead of {_bounds(old)}")


def _contains(outer: Field, inner: Field) -> bool:
    """Say whether a range contains another one; bounds of different kinds (a number, a date) contain nothing."""
    bounds: list[tuple[Any, Any]] = [bounds for bounds in (outer.training_range, inner.training_range) if bounds]
    try:
        return bool(bounds[0][0] <= bounds[1][0] and bounds[1][1] <= bounds[0][1])
    except TypeError:
        return False


def _meaning(old: Field, new: Field, label: str) -> Iterator[Change]:
    """Compare what the numbers mean: another unit or zone is another field, whatever its type."""
    if old.unit != new.unit:
        level: Level = "MAJOR" if old.unit and new.unit else "PATCH"
        yield _change(level, f"{label} is measured in {new.unit or 'no stated unit'} instead of {old.unit or 'none'}")
    if old.timezone != new.timezone:
        yield _change("MAJOR", f"{label} has time zone {new.timezone or 'none'} instead of {old.timezone or 'none'}")
    if old.description != new.description:
        yield _change("PATCH", f"{label} is described differently")
    if old.native != new.native:
        yield _change(
            "PATCH", f"{label} had dtype {new.native or 'none'} in training instead of {old.native or 'none'}"
        )


def _outputs(old: Sequence[Output], new: Sequence[Output]) -> Iterator[Change]:
    before, after = {(one.method, one.name): one for one in old}, {(one.method, one.name): one for one in new}
    methods = {one.method for one in old}
    for method, name in before.keys() - after.keys():
        yield _change("MAJOR", f"output {name!r} of {method} is gone", how="removed")
    for method, name in after.keys() - before.keys():
        if method in methods:
            told = f"{method} has the new output {name!r}, so its answer has another shape"
            yield _change("MAJOR", told, how="added")
        else:
            yield _change("MINOR", f"{method} gives the new output {name!r}", how="added")
    common = [key for key in before if key in after]
    if common != [key for key in after if key in before]:
        yield _change("MAJOR", "the outputs have another order")
    for key in common:
        yield from _output(before[key], after[key])


def _output(old: Output, new: Output) -> Iterator[Change]:
    label = f"output {old.name!r}"
    if old.datatype != new.datatype:
        level: Level = "MINOR" if accepts(old.datatype, new.datatype) else "MAJOR"
        yield _change(level, f"{label} is {new.datatype} instead of {old.datatype}")
    if old.labels != new.labels:
        yield _change("MAJOR", f"{label} has the class labels {_some(new.labels)} instead of {_some(old.labels)}")
    elif old.shape != new.shape:
        level = "MINOR" if _covers(old.shape, new.shape) else "MAJOR"
        yield _change(level, f"{label} has shape {_shape(new)} instead of {_shape(old)}")
    for now, was, what in ((new.nullable, old.nullable, "missing"), (new.infinite, old.infinite, "infinite")):
        if now != was:
            yield _change("MAJOR" if now else "MINOR", f"{label} may {'now' if now else 'no longer'} be {what}")
    yield from _answer_levels(old, new, label)
    yield from _meaning(old, new, label)
    if (old.rtol, old.atol) != (new.rtol, new.atol):
        yield _change("PATCH", f"{label} is compared with another tolerance")


def _answer_levels(old: Output, new: Output, label: str) -> Iterator[Change]:
    if old.categories == new.categories:
        return
    if old.categories is not None and new.categories is None:
        yield _change("MAJOR", f"{label} may now be anything, not only {_some(old.categories)}")
    elif old.categories is None:
        yield _change("MINOR", f"{label} is now one of {_some(new.categories)}")
    else:
        gained = [level for level in new.categories or () if level not in (old.categories or ())]
        lost = [level for level in old.categories or () if level not in (new.categories or ())]
        if gained:
            yield _change("MAJOR", f"{label} may now be {_some(gained)}")
        if lost:
            yield _change("MINOR", f"{label} is never {_some(lost)} any more")
        if not gained and not lost:
            yield _change("PATCH", f"the levels of {label} are listed in another order")


def _covers(wider: tuple[int, ...], narrower: tuple[int, ...]) -> bool:
    return len(wider) == len(narrower) and all(one in (-1, other) for one, other in zip(wider, narrower, strict=True))


def _shape(field: Field) -> str:
    return f"[{', '.join('any' if size == -1 else str(size) for size in field.shape)}]" if field.shape else "scalar"


def _bounds(field: Field) -> str:
    return f"{field.training_range[0]} to {field.training_range[1]}" if field.training_range else "an unknown range"


def _some(values: Sequence[object] | None, *, shown: int = 5) -> str:
    """List the first values.

    Example:
        >>> _some(["a", "b"]), _some(range(9)), _some(None)
        ("'a', 'b'", '0, 1, 2, 3, 4 and 4 more', 'none')
    """
    if not values:
        return "none"
    more = f" and {len(values) - shown} more" if len(values) > shown else ""
    return ", ".join(repr(value) for value in values[:shown]) + more


def _received(signature: Signature) -> str:
    return f"{signature.container} {signature.array_dtype}".strip()


def _change(level: Level, what: str, *, how: Literal["added", "changed", "removed"] = "changed") -> Change:
    return Change(level=level, about="signature", what=what, how=how)
