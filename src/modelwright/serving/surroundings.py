"""What a server is given beside its deployment: places, tokens, and whom to tell.

Made by :mod:`.serve` and the command line; read by the server and its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from modelwright.registry.registry import Registry
from modelwright.serving.dataplane import Observer
from modelwright.serving.operating.conducting import Swapped
from modelwright.serving.operating.preparing import AS_USUAL, Preparing

if TYPE_CHECKING:
    from modelwright.serving.observing.tracing import Tracing


class Surroundings(NamedTuple):
    """What a server is given beside its deployment.

    Attributes:
        registry: Where releases are looked for, and whose log tells what happens to rollouts.
        how: How versions are prepared.
        in_process: Whether the one version there is runs in this process.
        tokens: Tokens of which a request must carry one; none: nobody needs one.
        admin_tokens: Tokens of the admin port, of which a request must carry one; none: it gives its metrics only.
        access_log: Where the access log goes; ``None``: nowhere.
        servers: Folder in which servers of this machine announce themselves; ``None``: it does not.
        tracing: Makes spans of requests; ``None``: nobody does.
        observers: Further observers.
        started: Told the URL when requests are accepted; the models may still be loading.
        ready: Told the URL when everything is ready.
        changed: Told of every version that is served from now on.
    """

    registry: Registry | None = None
    how: Preparing = AS_USUAL
    in_process: bool = False
    tokens: Iterable[str] = ()
    admin_tokens: Iterable[str] = ()
    access_log: IO[str] | IO[bytes] | int | None = None
    servers: Path | None = None
    tracing: Tracing | None = None
    observers: Iterable[Observer] = ()
    started: Callable[[str], object] = str
    ready: Callable[[str], object] = str
    changed: Callable[[Swapped], object] = str


ALONE = Surroundings()
"""Nothing but the deployment."""
