"""Say whether the registry works: its database answers, files can be reached, uploads have a place.

Called by :mod:`.application`, for whoever watches over the server. It needs no token and tells nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from modelwright.errors import ModelwrightError
from modelwright.registry.app.answers import as_json
from modelwright.registry.operating.local import LocalService
from modelwright.registry.storing.store import Key

_NO_FILE = Key("0" * 64, "nothing-0-py3-none-any.whl")


def health_of(service: LocalService) -> Callable[[Request], Response]:
    """Return what answers 200 if everything works, else 503 with what does not."""

    def health(request: Request) -> Response:
        del request
        found = {
            "database": _works(lambda: service.serial() is None or True),
            "files": _works(lambda: service.desk.store.size(_NO_FILE) is None),
            "uploads": _works(lambda: os.access(service.desk.incoming, os.W_OK)),
        }
        well = all(found.values())
        return as_json({"status": "ok" if well else "failing", **found}, status=200 if well else 503)

    return health


def _works(probe: Callable[[], bool]) -> bool:
    try:
        return probe()
    except (ModelwrightError, OSError):
        return False
