"""Pages of the simple API as JSON: what HTML says, and sizes, versions and upload times besides.

For: the application and the static index. Pure functions from data to bytes.

Source: PEP 691 (form), 592 (yank), 700 (``versions``, ``size``, ``upload-time``), 708 (tracks), 714
(``core-metadata``), 740 (provenance), 792 (``project-status``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from modelwright.registry.index import links
from modelwright.registry.index.pages import IndexFile, ProjectPage


def project_json(page: ProjectPage, *, root: str, base_url: str = "") -> bytes:
    """Return a project's page.

    Args:
        page: What it says.
        root: The root of the registry, relative to the page, ending in ``/``; see :func:`.links.to_root`.
        base_url: Absolute URL of the root, for what must be absolute (PEP 740); empty: that is left out.

    Example:
        >>> page = ProjectPage(name="a", files=(), versions=("1",), serial=1, status="archived")
        >>> project_json(page, root="../../")
        b'{"meta":{"api-version":"1.4"},"name":"a","project-status":{"status":"archived"},"versions":["1"],"files":[]}'
    """
    files = links.offered(page)
    sized = all(file.size is not None for file in files)
    meta: dict[str, Any] = {"api-version": links.API_VERSION if sized else links.UNSIZED_VERSION}
    if page.tracks:
        meta["tracks"] = page.tracks
    document: dict[str, Any] = {"meta": meta, "name": page.name}
    if page.status != "active":
        reason = {"reason": links.one_line(page.status_reason)} if page.status_reason else {}
        document["project-status"] = {"status": page.status, **reason}
    if page.alternate_locations:
        document["alternate-locations"] = page.alternate_locations
    document["versions"] = page.versions
    document["files"] = [_file(file, root, base_url) for file in files]
    return msgspec.json.encode(document)


def names_of(page: bytes) -> frozenset[str]:
    """Return the names on a list of projects.

    Raises:
        ValueError: It is none.

    Example:
        >>> sorted(names_of(names_json(["churn", "matrix"])))
        ['churn', 'matrix']
    """
    return frozenset(project["name"] for project in msgspec.json.decode(page, type=_Names).projects)


class _Names(msgspec.Struct):
    projects: list[dict[str, str]]


def names_json(names: Iterable[str]) -> bytes:
    """Return the list of all projects.

    Args:
        names: Their names, normalised.

    Example:
        >>> names_json(["churn"])
        b'{"meta":{"api-version":"1.4"},"projects":[{"name":"churn"}]}'
    """
    projects = [{"name": name} for name in names]
    return msgspec.json.encode({"meta": {"api-version": links.API_VERSION}, "projects": projects})


def _file(file: IndexFile, root: str, base_url: str) -> dict[str, Any]:
    """Return one entry; keys that would say nothing are left out, except ``hashes``, which "MUST be present"."""
    entry: dict[str, Any] = {
        "filename": file.filename,
        "url": links.address(file, root),
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
    }
    if file.size is not None:
        entry["size"] = file.size
    if moment := links.upload_time(file.uploaded):
        entry["upload-time"] = moment
    if file.requires_python:
        entry["requires-python"] = links.one_line(file.requires_python)
    if file.metadata_sha256:
        # PEP 714: core-metadata is the name; clients that know only the older one get the same.
        entry["core-metadata"] = entry["dist-info-metadata"] = {"sha256": file.metadata_sha256}
    if file.yanked is not None:
        # PEP 691: "a boolean … or a non empty, but otherwise arbitrary, string".
        entry["yanked"] = links.one_line(file.yanked) or True
    if proof := links.provenance(file, base_url):
        entry["provenance"] = proof
    return entry
