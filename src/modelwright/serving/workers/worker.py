"""What a pool needs of a worker, wherever the model runs: in a process of its own, or in a thread of this one.

A worker answers one batch after another. It is started once, and never again after it was lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from modelwright.errors import ModelwrightError
from modelwright.serving.inference import Table, Values


class Loaded(NamedTuple):
    """How starting went.

    Attributes:
        load_seconds: Time that loading the model took, imports included, seconds.
        pid: Process that holds the model.
    """

    load_seconds: float
    pid: int


class Batched(NamedTuple):
    """The answer to one batch.

    Attributes:
        outputs: Values per output; ``None`` if the batch was refused.
        seconds: Time in the model, seconds.
        error: Why it was refused.
    """

    outputs: dict[str, Values] | None
    seconds: float = 0.0
    error: ModelwrightError | None = None


class Worker(Protocol):
    """Holds one loaded model.

    Attributes:
        lost: Called once when the worker is gone, whoever ended it, with why.
    """

    lost: Callable[[str], None]

    async def start(self) -> Loaded:
        """Load the model and run its scenarios.

        Raises:
            ModelwrightError: The model cannot be loaded, or a scenario does not hold.
            WorkerError: The process ended meanwhile.
        """
        ...

    def ask(self, methods: tuple[str, ...], table: Table, done: Callable[[Batched], None]) -> None:
        """Put a batch to the model; ``done`` is called with the answer, unless the worker is lost before.

        Only one batch at a time may be under way.
        """
        ...

    def kill(self) -> None:
        """End it at once, whatever it does."""
        ...


Refusal = dict[str, Any]
"""An error as a worker sends it: :meth:`modelwright.errors.ModelwrightError.to_dict`."""
