"""A registry of any size, its rows written straight into the database; for the other scripts about the registry.

Every project is a model of ten releases, of which the last two have been what ``production`` runs; the log tells of
every publication and promotion. The files are rows only, except those that a script publishes itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from modelwright.registry.audit import GENESIS, Entry, Head, canonical, chained
from modelwright.registry.operating.opening import open_local
from modelwright.registry.state import tables

WHEN = "2026-11-01T12:00:00.000000Z"
BATCH = 500


def file_name(name: str, version: str) -> str:
    """Return the file name of a release's only wheel."""
    return f"{name.replace('-', '_')}-{version}-py3-none-any.whl"


def make_registry(folder: Path, projects: int, releases: int = 10, *, static_index: bool = False) -> None:
    """Make a registry with so many projects of so many releases."""
    folder.mkdir(parents=True)
    (folder / "registry.toml").write_text(f"anonymous_read = true\nstatic_index = {str(static_index).lower()}\n")
    service = open_local(folder, user="ann")
    head, position = Head(sequence=0, hash=GENESIS), 0
    versions = [f"1.{number}.0" for number in range(releases)]
    for first in range(0, projects, BATCH):
        rows: dict[str, list[dict[str, Any]]] = {"projects": [], "owners": [], "releases": [], "files": []}
        entries, placements = list[dict[str, Any]](), list[dict[str, Any]]()
        for number in range(first, min(first + BATCH, projects)):
            name = f"model-{number:05d}"
            digests = {version: hashlib.sha256(f"{name} {version}".encode()).hexdigest() for version in versions}
            for version in versions:
                position += 1
                head = _log(entries, head, "publish", name, version, digests[version])
                rows["releases"].append(_release(name, version))
                rows["files"].append(_file(position, name, version, digests[version]))
            for version in versions[-2:]:
                head = _log(entries, head, "promote", name, version, digests[version], stage="production")
                placements.append(_placement(head.sequence, name, version, digests[version], version == versions[-1]))
            project = {"name": name, "kind": "model", "created": WHEN, "changed": WHEN, "serial": head.sequence}
            shown = {"summary": f"Answers a question about {name}", "latest": versions[-1]}
            rows["projects"].append(project | shown | {"status": "active", "status_reason": ""})
            rows["owners"].append({"project": name, "owner": "ann"})
        with service.desk.state.write() as transaction:
            for table, values in rows.items():
                transaction.connection.execute(tables.metadata.tables[table].insert(), values)
            transaction.connection.execute(tables.entries.insert(), entries)
            transaction.connection.execute(tables.placements.insert(), placements)
    service.close()


def _log(
    entries: list[dict[str, Any]], head: Head, action: Any, name: str, version: str, sha256: str, stage: str = ""
) -> Head:
    entry = Entry(
        sequence=0,
        time=WHEN,
        actor="ann",
        action=action,
        outcome="done",
        project=name,
        version=version,
        stage=stage,
        sha256=sha256,
        previous="",
    )
    logged = chained(entry, head)
    row = {field: getattr(logged, field) for field in Entry.__struct_fields__}
    entries.append(row | {"detail": canonical(logged.detail).decode()})
    return Head(sequence=logged.sequence, hash=logged.hash)


def _release(name: str, version: str) -> dict[str, Any]:
    return {
        "project": name,
        "version": version,
        "created": WHEN,
        "publisher": "ann",
        "summary": f"Answers a question about {name}",
        "yanked": None,
        "requires": ["scikit-learn==1.8.0", "numpy==2.3.0"],
        "task": "classification",
        "format": "skops",
        "executes_code": False,
        "evaluations": [{"metric": "roc_auc", "value": 0.9, "dataset": "test"}],
        "verdict": "MINOR",
        "deleted": False,
    }


def _file(position: int, name: str, version: str, sha256: str) -> dict[str, Any]:
    return {
        "position": position,
        "filename": file_name(name, version),
        "slot": file_name(name, version),
        "sha256": sha256,
        "size": 5_000_000,
        "packagetype": "bdist_wheel",
        "project": name,
        "version": version,
        "uploaded": WHEN,
        "publisher": "ann",
        "requires_python": ">=3.11",
        "tags": ["py3-none-any"],
        "metadata_sha256": sha256,
        "provenance": False,
        "deleted": False,
    }


def _placement(sequence: int, name: str, version: str, sha256: str, current: bool) -> dict[str, Any]:
    return {
        "stage": "production",
        "project": name,
        "version": version,
        "digest": sha256,
        "files": [sha256],
        "sequence": sequence,
        "since": WHEN,
        "actor": "ann",
        "current": current,
        "withdrawn": False,
    }
