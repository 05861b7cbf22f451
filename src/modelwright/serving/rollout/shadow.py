"""How a shadow's answers differ from those the callers got: counted pair by pair, told as a report. Pure.

Whoever mirrors requests hands over both answers, or says what became of the shadow's. Nothing is kept of the rows that
were sent: the examples are ids of requests, and labels are the model's own answers.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from modelwright.serving.inference import Values
from modelwright.serving.rollout.differing import Difference, comparison_of
from modelwright.serving.rollout.predictions import first_rows
from modelwright.serving.rollout.sketches import Moments, Numbers
from modelwright.spec.struct import Frozen

MAX_ROWS = 1000
"""At most so many rows of one request are compared."""

MAX_EXAMPLES = 10
"""So many examples are kept per output, those that differ most."""

MAX_CONFUSED = 200
"""So many pairs of labels are told apart; further ones are counted together."""

OTHER = "(other)"
"""Stands for labels beyond ``MAX_CONFUSED`` pairs."""


class Example(Frozen, frozen=True, kw_only=True):
    """One row that was answered differently.

    Attributes:
        request_id: Which request.
        row: Which row of it, from 0.
        difference: How far the answers are apart; 1 for labels.
    """

    request_id: str
    row: int
    difference: float


class Confused(Frozen, frozen=True, kw_only=True):
    """How often one label was answered where the shadow answered another.

    Attributes:
        answered: What the caller got.
        shadow: What the shadow said.
        count: How often.
    """

    answered: str
    shadow: str
    count: int


class OutputReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """How one output differs.

    Attributes:
        output: Its name.
        compared: Rows that were compared.
        different: Of these, rows that differ: another label, or a number beyond the tolerance of the signature.
        largest: Largest difference of numbers, in the output's unit; 0 for labels.
        mean: Mean of the differences.
        quantiles: Their quantiles by name (``p50``, ``p90``, ``p99``), within 1 %.
        confused: Labels that were confused, the most frequent first.
        examples: Where the largest differences are.
    """

    output: str
    compared: int
    different: int
    largest: float = 0.0
    mean: float = 0.0
    quantiles: dict[str, float] = {}
    confused: tuple[Confused, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def share(self) -> float:
        """Share of the rows that differ."""
        return self.different / self.compared if self.compared else 0.0


class ShadowReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a shadow.

    Attributes:
        compared: Requests whose answers were compared.
        failed: Requests that the shadow failed.
        late: Requests that it did not answer in time.
        dropped: Requests that were not mirrored because too many were waiting.
        unlike: Requests that it answered with another number of rows.
        missing: Outputs that it does not have.
        outputs: How the outputs differ.
    """

    compared: int = 0
    failed: int = 0
    late: int = 0
    dropped: int = 0
    unlike: int = 0
    missing: tuple[str, ...] = ()
    outputs: tuple[OutputReport, ...] = ()

    def __str__(self) -> str:
        """Say it for people, a line per output."""
        seen = f"{self.compared:,} request{'' if self.compared == 1 else 's'} compared"
        wrong = {"failed": self.failed, "late": self.late, "dropped": self.dropped, "of another size": self.unlike}
        lines = [", ".join([seen, *(f"{count:,} {what}" for what, count in wrong.items() if count)])]
        lines += [f"{name}: the shadow has no such output" for name in self.missing]
        for one in self.outputs:
            told = f"{one.output}: {one.different:,} of {one.compared:,} rows differ ({one.share:.2%})"
            spread = ", ".join(f"{name} {value:.3g}" for name, value in one.quantiles.items())
            lines.append(f"{told}; largest {one.largest:.3g}, {spread}" if spread else told)
            lines += [f"  {pair.answered} → {pair.shadow}: {pair.count:,}" for pair in one.confused[:5]]
        return "\n".join(lines)


class Comparing:
    """Counts how a shadow differs, in bounded memory.

    Args:
        outputs: Outputs of the variant that answers, as plain data: their names, types, labels and tolerances.

    Attributes:
        failed: Requests that the shadow failed.
        late: Requests that it did not answer in time.
        dropped: Requests that were not mirrored.

    Example:
        >>> comparing = Comparing([{"name": "price", "datatype": "float64", "rtol": 0.01}])
        >>> comparing.compare("r1", {"price": [100.0, 200.0]}, {"price": [100.5, 210.0]})
        (2, 1)
        >>> print(comparing.report())
        1 request compared
        price: 1 of 2 rows differ (50.00%); largest 10, p50 0.5, p90 9.95, p99 9.95
    """

    def __init__(self, outputs: Iterable[Mapping[str, Any]]) -> None:
        self.failed = self.late = self.dropped = 0
        self._compared = self._unlike = 0
        self._missing: set[str] = set()
        self._outputs = {output["name"]: _Output(output) for output in outputs}

    def compare(
        self,
        request_id: str,
        answered: Mapping[str, Values | list[Any]],
        shadow: Mapping[str, Values | list[Any]],
    ) -> tuple[int, int]:
        """Compare two answers to one request; return how many rows were compared, and how many of them differ.

        Args:
            request_id: Its id.
            answered: What the caller got, per output.
            shadow: What the shadow said, per output.
        """
        pairs = []
        for name in answered.keys() & self._outputs.keys():
            if name not in shadow:
                self._missing.add(name)
                continue
            rows = first_rows(answered[name], MAX_ROWS + 1), first_rows(shadow[name], MAX_ROWS + 1)
            if len(rows[0]) != len(rows[1]):
                self._unlike += 1
                return 0, 0
            pairs.append((self._outputs[name], *rows))
        self._compared += 1
        differing = 0
        for output, mine, other in pairs:
            differing = max(differing, output.compare(request_id, mine[:MAX_ROWS], other[:MAX_ROWS]))
        return min(len(pairs[0][1]), MAX_ROWS) if pairs else 0, differing

    def report(self) -> ShadowReport:
        """Return what is known by now."""
        return ShadowReport(
            compared=self._compared,
            failed=self.failed,
            late=self.late,
            dropped=self.dropped,
            unlike=self._unlike,
            missing=tuple(sorted(self._missing)),
            outputs=tuple(output.report() for output in self._outputs.values() if output.compared),
        )


class _Output:
    """Counts how one output differs."""

    def __init__(self, output: Mapping[str, Any]) -> None:
        self.name, self.compared, self._different = output["name"], 0, 0
        self._difference = comparison_of(output)
        self._sizes, self._moments, self._largest = Numbers(), Moments(), 0.0
        self._confused: dict[tuple[str, str], int] = {}
        self._examples: list[tuple[float, str, int]] = []

    def compare(self, request_id: str, answered: Sequence[Any], shadow: Sequence[Any]) -> int:
        before = self._different
        for row, (mine, other) in enumerate(zip(answered, shadow, strict=True)):
            self._count(self._difference(mine, other), request_id, row)
        return self._different - before

    def _count(self, found: Difference, request_id: str, row: int) -> None:
        self.compared += 1
        if found.size is not None:
            self._sizes.add(found.size)
            self._moments.add(found.size)
            self._largest = max(self._largest, found.size)
        if found.labels is not None:
            pair = found.labels
            if pair not in self._confused and len(self._confused) >= MAX_CONFUSED:
                pair = (OTHER, OTHER)
            self._confused[pair] = self._confused.get(pair, 0) + 1
        if found.differs:
            self._different += 1
            heapq.heappush(self._examples, (1.0 if found.size is None else found.size, request_id, row))
            if len(self._examples) > MAX_EXAMPLES:
                heapq.heappop(self._examples)

    def report(self) -> OutputReport:
        quantiles = {f"p{share}": self._sizes.quantile(share / 100) for share in (50, 90, 99)}
        most = sorted(self._confused.items(), key=lambda one: (-one[1], one[0]))
        return OutputReport(
            output=self.name,
            compared=self.compared,
            different=self._different,
            largest=self._largest,
            mean=self._moments.mean,
            quantiles={name: min(value, self._largest) for name, value in quantiles.items() if not math.isnan(value)},
            confused=tuple(Confused(answered=mine, shadow=other, count=count) for (mine, other), count in most),
            examples=tuple(
                Example(request_id=request_id, row=row, difference=size)
                for size, request_id, row in sorted(self._examples, key=lambda one: (-one[0], *one[1:]))
            ),
        )
