"""Run the staged package in fresh processes: once to prove it, again to find out what it can do without.

Called by capture and by the inference of dependencies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from modelwright.capturing import trace
from modelwright.capturing.proving import examples
from modelwright.capturing.staging import Stage
from modelwright.spec.scenario import Scenario


@dataclass(frozen=True)
class Fresh:
    """How a fresh process is asked.

    Attributes:
        stage: The staged package, complete but for its environment.
        scenarios: Its scenarios; the process answers the rows of the examples.
        trust: Types that the capturing person vouches for.
    """

    stage: Stage
    scenarios: tuple[Scenario, ...]
    trust: Sequence[str]

    @contextmanager
    def started(self) -> Iterator[trace.Running]:
        """Give a running process; it is ended if the block fails before its answer was read."""
        running = self._start(frozenset())
        try:
            yield running
        except BaseException:
            running.stop()
            raise

    def again(self, blocked: frozenset[str]) -> trace.Trace:
        """Ask another process in which these top-level modules seem not to be installed."""
        return self._start(blocked).result()

    def _start(self, blocked: frozenset[str]) -> trace.Running:
        rows: list[dict[str, Any]] = [row for scenario in examples(self.scenarios) for row in scenario.inputs]
        return trace.start(self.stage.root, self.stage.package, rows, trust=self.trust, blocked=blocked)
