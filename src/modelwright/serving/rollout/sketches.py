"""Summaries of many values in little memory: of numbers, of labels, of moments. All can be merged.

:mod:`.windows` feeds them for every request, :mod:`.analysis` and :mod:`.shadow` read them. They hold counts, never the
values of a request.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import accumulate
from zlib import crc32

GROWTH = 1.02
"""A bucket's upper bound divided by its lower one: a value is known within 1 %."""

SMALLEST, LARGEST = 1e-9, 1e12
"""Numbers nearer to 0 count as 0, those farther away as the largest."""

MISSING = -(2**15)
"""Bucket of what is no number: it comes before all others."""

MAX_LABELS = 64
"""More labels than these are folded into ``FOLDS`` bins by their CRC, the same bins in every process."""

FOLDS = 32

SQUARABLE = 1e150
"""The squares of numbers up to this can be added, however many there are."""

_SCALE = 1 / math.log(GROWTH)
_SHIFT = math.log(SMALLEST) * _SCALE
_FIRST = 1
_LAST = _FIRST + int(math.log(LARGEST) * _SCALE - _SHIFT)


class Numbers:
    """Counts of numbers in buckets spaced evenly on a logarithmic scale, for both signs: at most about 5,000 of them.

    Attributes:
        counts: How many numbers fell into each bucket; buckets are ordered as their numbers are.

    Example:
        >>> seconds = Numbers()
        >>> for millisecond in range(1, 101):
        ...     _ = seconds.add(millisecond / 1000)
        >>> seconds.size, 0.098 < seconds.quantile(0.99) < 0.1
        (100, True)

    Source: Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
    VLDB 2019.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    def add(self, value: float | None) -> int:
        """Count a number, and return its bucket; ``None`` and NaN count as missing."""
        bucket = bucket_of(value)
        try:
            self.counts[bucket] += 1
        except KeyError:
            self.counts[bucket] = 1
        return bucket

    @property
    def size(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    def merge(self, other: Numbers) -> None:
        """Add the counts of another one."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count

    def quantile(self, share: float) -> float:
        """Return the smallest number that at least this share of the numbers does not exceed, within 1 %.

        Args:
            share: From 0 to 1.

        Returns:
            NaN if nothing was counted, or only what is missing.
        """
        buckets = sorted(bucket for bucket in self.counts if bucket != MISSING)
        ends = list(accumulate(self.counts[bucket] for bucket in buckets))
        if not ends:
            return math.nan
        wanted = max(1, math.ceil(share * ends[-1]))
        return value_of(next(bucket for bucket, end in zip(buckets, ends, strict=True) if end >= wanted))


def bucket_of(value: float | None) -> int:
    """Return the bucket of a number.

    Example:
        >>> bucket_of(0.0), bucket_of(-2.0) == -bucket_of(2.0), bucket_of(1.0) < bucket_of(1.03)
        (0, True, True)
    """
    if value is None or value != value:
        return MISSING
    if value >= SMALLEST:
        return _FIRST + int(math.log(value) * _SCALE - _SHIFT) if value < LARGEST else _LAST
    if value <= -SMALLEST:
        return -_FIRST - int(math.log(-value) * _SCALE - _SHIFT) if value > -LARGEST else -_LAST
    return 0


def value_of(bucket: int) -> float:
    """Return the number in the middle of a bucket, on the logarithmic scale."""
    if bucket == 0:
        return 0.0
    return math.copysign(SMALLEST * GROWTH ** (abs(bucket) - 0.5), bucket)


class Labels:
    """Counts of labels.

    Attributes:
        counts: How often each label came; once there were too many, how often each bin of them.
    """

    __slots__ = ("_folded", "counts")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._folded = False

    def add(self, label: object, count: int = 1) -> None:
        """Count a label."""
        name = str(label)
        if self._folded:
            name = _folded(name)
        self.counts[name] = self.counts.get(name, 0) + count
        if len(self.counts) > MAX_LABELS:
            self.fold()

    @property
    def size(self) -> int:
        """How many were counted."""
        return sum(self.counts.values())

    @property
    def folded(self) -> bool:
        """Whether there were too many labels, so that bins of them were counted."""
        return self._folded

    def fold(self) -> None:
        """Count bins of labels instead of labels from now on."""
        if not self._folded:
            counts, self.counts, self._folded = self.counts, {}, True
            for label, count in counts.items():
                self.add(label, count)

    def merge(self, other: Labels) -> None:
        """Add the counts of another one."""
        if other.folded:
            self.fold()
        for label, count in other.counts.items():
            name = _folded(label) if self._folded and not other.folded else label
            self.counts[name] = self.counts.get(name, 0) + count
        if len(self.counts) > MAX_LABELS:
            self.fold()


def _folded(label: str) -> str:
    return f"#{crc32(label.encode('utf-8', 'replace')) % FOLDS}"


class Moments:
    """Count, mean and variance of numbers.

    Attributes:
        count: How many there were.
        mean: Their mean; 0 if there were none.

    Source: Welford, Technometrics 4(3), 1962; merging: Chan, Golub and LeVeque, Stanford STAN-CS-79-773, 1979.
    """

    __slots__ = ("_squares", "count", "mean")

    def __init__(self) -> None:
        self.count, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        """Count a number; what is not finite, or farther from 0 than ``SQUARABLE``, is left out."""
        if abs(value) <= SQUARABLE:
            self.count += 1
            away = value - self.mean
            self.mean += away / self.count
            self._squares += away * (value - self.mean)

    def merge(self, other: Moments) -> None:
        """Add the numbers of another one."""
        count = self.count + other.count
        if count:
            away = other.mean - self.mean
            self._squares += other._squares + away * away * self.count * other.count / count
            self.mean += away * other.count / count
            self.count = count

    @property
    def variance(self) -> float:
        """Their variance, divided by ``count - 1``; 0 for fewer than two."""
        return self._squares / (self.count - 1) if self.count > 1 else 0.0


def paired(canary: Mapping[int, int], control: Mapping[int, int]) -> Iterator[tuple[int, int, int]]:
    """Yield every bucket that either has, in order, with both counts."""
    for bucket in sorted(canary.keys() | control.keys()):
        yield bucket, canary.get(bucket, 0), control.get(bucket, 0)
