"""The profile: a statistical summary of the training data, per field, without any of its rows.

For: the model card, ``inspect``, and drift (which then needs no training data). It is deterministic: the same
data give the same bytes. KLL and t-digest sketches are not, which is why exact statistics are stored.
"""

from __future__ import annotations

from modelwright.spec.signature import Scalar
from modelwright.spec.struct import Frozen

QUANTILES = 201
"""Points of the quantile grid: probabilities 0, 0.005, …, 1."""
POINT_MASS_SHARE = 0.05
"""A single value that holds more than this share of the rows is listed by itself."""
MAX_LEVELS = 100
"""At most so many category levels are counted by name; the rest is summed in ``other``."""
MIN_LEVEL_COUNT = 2
"""A level seen fewer times is summed in ``other``: a value that occurs once may identify a person."""


class NumericProfile(Frozen, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="numeric"):
    """Summary of a number (times as seconds since 1970-01-01, durations in seconds, booleans as 0 and 1).

    Attributes:
        count: Rows, missing ones included.
        missing: Rows without a value.
        infinite: Rows with ±infinity; they enter none of the statistics below.
        minimum: Smallest finite value; ``None`` without any.
        maximum: Largest finite value.
        mean: Arithmetic mean, exactly rounded sum.
        std: Standard deviation of the population (ddof 0).
        quantiles: ``QUANTILES`` points, linear interpolation (Hyndman & Fan type 7).
        decile_edges: The distinct deciles, ascending, at most 11.
        decile_counts: Exact number of values in each interval between edges, half open, the last one closed.
        point_masses: Values that alone hold more than ``POINT_MASS_SHARE`` of the rows, with their counts.
    """

    count: int
    missing: int
    infinite: int = 0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    decile_edges: tuple[float, ...] = ()
    decile_counts: tuple[int, ...] = ()
    point_masses: tuple[tuple[float, int], ...] = ()


class CategoricalProfile(Frozen, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="categorical"):
    """Summary of text, categories and labels.

    Attributes:
        count: Rows, missing ones included.
        missing: Rows without a value.
        distinct: Number of different values.
        levels: At most ``MAX_LEVELS`` values with their counts, most frequent first, then by value; values seen
            fewer than ``MIN_LEVEL_COUNT`` times are not named unless the field is declared categorical.
        other: Rows whose value is not named in ``levels``.
    """

    count: int
    missing: int
    distinct: int
    levels: tuple[tuple[Scalar, int], ...] = ()
    other: int = 0


class OpaqueProfile(Frozen, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="opaque"):
    """Summary of what cannot be summarised (bytes, tensors, ``json``): only counts."""

    count: int
    missing: int


FieldProfile = NumericProfile | CategoricalProfile | OpaqueProfile


class Profile(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Summaries of the training inputs and of the model's answers to them.

    Attributes:
        rows: Number of rows summarised.
        inputs: Per input field.
        outputs: Per output, and per class as ``output[label]`` where the output has class labels.
    """

    rows: int
    inputs: dict[str, FieldProfile]
    outputs: dict[str, FieldProfile]
