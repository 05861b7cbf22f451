"""Say in words what a model takes and gives: type, range or levels, what happens outside of them."""

from __future__ import annotations

from modelwright.registry.web.formatting import value
from modelwright.spec.signature import Field, Output
from modelwright.spec.struct import Frozen

LEVELS = 8
"""Levels of a category that are shown."""


class FieldView(Frozen, frozen=True, kw_only=True):
    """One field in words.

    Attributes:
        name: Its name.
        type: Data type, shape and unit.
        seen: What was seen in training: range, levels or labels.
        outside: What happens outside of that.
        nullable: Whether it may be missing.
        method: For an output: the method that computes it.
        tolerance: For an output: how far an answer may lie from the expected one.
        description: What it means.
    """

    name: str
    type: str
    seen: str
    outside: str
    nullable: bool
    method: str
    tolerance: str
    description: str


def field_view(field: Field) -> FieldView:
    """Say in words what a field is.

    Example:
        >>> seen = field_view(Field(name="tenure", datatype="float64", training_range=(0, 72), unit="months"))
        >>> seen.type, seen.seen
        ('float64, months', '0 … 72')
    """
    shape = f"[{', '.join('any' if size < 0 else str(size) for size in field.shape)}]" if field.shape else ""
    return FieldView(
        name=field.name,
        type=", ".join(filter(None, [f"{field.datatype}{shape}", field.unit, field.timezone or ""])),
        seen=_seen(field),
        outside=_outside(field),
        nullable=field.nullable,
        method=field.method if isinstance(field, Output) else "",
        tolerance=_tolerance(field) if isinstance(field, Output) else "",
        description=field.description,
    )


def _seen(field: Field) -> str:
    levels = (field.labels if isinstance(field, Output) else None) or field.categories
    if levels is not None:
        more = f" and {len(levels) - LEVELS} more" if len(levels) > LEVELS else ""
        return ", ".join(value(level) for level in levels[:LEVELS]) + more
    return " … ".join(value(end) for end in field.training_range or ())


def _outside(field: Field) -> str:
    if field.categories is None and field.training_range is None:
        return ""
    policy = field.on_unknown if field.categories is not None else field.on_out_of_range
    return "refused" if policy == "error" else "the model decides"


def _tolerance(output: Output) -> str:
    parts = [f"{kind} {size:g}" for kind, size in (("rtol", output.rtol), ("atol", output.atol)) if size]
    return ", ".join(parts) or "exact"
