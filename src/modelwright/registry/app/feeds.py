"""Atom feeds of what was done: of the whole registry, and of one project.

Called by :mod:`.application`; the documents are made in :mod:`modelwright.registry.events.atom`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from modelwright.registry.app.access import Access
from modelwright.registry.app.answers import base_url, header
from modelwright.registry.app.parameters import checked
from modelwright.registry.app.ranges import matches
from modelwright.registry.events.atom import MEDIA_TYPE, feed
from modelwright.registry.service import Selection

ENTRIES = 100
"""How many of the newest entries a feed has."""


def feed_routes(access: Access) -> list[Route]:
    """Return the routes of both feeds."""

    def answer(request: Request) -> Response:
        service = access.enter_browsing(request)
        name = checked("name", request.path_params["name"]) if "name" in request.path_params else ""
        etag = f'"{request.scope["generation"]}"'
        headers = {"ETag": etag, "Cache-Control": "private, max-age=0, must-revalidate"}
        # Asked first: what somebody may not read is not even unchanged.
        found = service.history(Selection(project=name, outcome="done", newest_first=True, limit=ENTRIES))
        entries = tuple(found)
        if matches(header(request.scope, b"if-none-match"), etag):
            return Response(status_code=304, headers=headers)
        title = f"{service.settings.title}: {name}" if name else service.settings.title
        path = request.scope["path"]
        document = feed(entries, title=title, base_url=base_url(request.scope), path=path)
        return Response(document, media_type=MEDIA_TYPE, headers=headers)

    return [Route(path, answer, methods=["GET"]) for path in ("/feed.atom", "/models/{name}/feed.atom")]
