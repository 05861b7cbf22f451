"""Remember for a while which variant answered which request, so that outcomes find it.

Told by the data plane, for every request, on the thread of the event loop. What is remembered is bounded: the oldest is
forgotten first; what is forgotten here can still be found in the record log.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from modelwright.serving.inference import Event

LIMIT = 200_000
"""So many requests, and so many units, are remembered: about 50 MB, 20 seconds at 10,000 requests/s."""


class Place(NamedTuple):
    """What answered a request.

    Attributes:
        model: Name of the model.
        version: Version of its package.
        digest: sha256 of its wheel.
        variant: Name of the variant.
    """

    model: str
    version: str
    digest: str
    variant: str


class Remembered:
    """Remembers who answered.

    Args:
        limit: Most requests, and most units, that are remembered.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._places: dict[tuple[str, str, str, str], Place] = {}
        self._requests: OrderedDict[str, Place] = OrderedDict()
        self._units: OrderedDict[tuple[str, str], Place] = OrderedDict()

    def observe(self, event: Event) -> None:
        """Take note of a request that was answered."""
        if event.shadow or event.status != 200:
            return
        key = (event.model, event.version, event.digest, event.variant)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = Place(*key)
        requests = self._requests
        requests[event.request_id] = place
        if len(requests) > self._limit:
            requests.popitem(last=False)
        if event.unit:
            self._units[event.model, event.unit] = place
            self._units.move_to_end((event.model, event.unit))
            if len(self._units) > self._limit:
                self._units.popitem(last=False)

    def request(self, request_id: str) -> Place | None:
        """Return what answered a request; ``None``: unknown, or forgotten."""
        return self._requests.get(request_id)

    def unit(self, unit: str) -> list[Place]:
        """Return what answered the last request about a unit, for every model that was asked about it."""
        models = {place.model for place in self._places.values()}
        found = (self._units.get((model, unit)) for model in sorted(models))
        return [place for place in found if place is not None]
