"""What is done to a registry while the power is cut: each verb once, from the state that :func:`prepare` leaves.

Imported by ``driver.py``, and by the tests for doing the same again after a crash. Clocks stand still, so that the
same verb gives the same registry, to the byte.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local

Done = Callable[[str], None]
VERSIONS = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")
"""Versions that are needed as wheels in the folder ``wheels`` beside the registry's; the last one is published."""


def noon() -> datetime:
    """Say that it is noon."""
    return datetime(2026, 11, 20, 12, tzinfo=UTC)


def opened(folder: Path) -> LocalService:
    """Open a registry at noon."""
    return open_local(folder, user="ann", clock=noon)


def wheel(folder: Path, version: str) -> Path:
    """Return a wheel that lies ready beside the registry."""
    return folder.parent / "wheels" / f"churn-{version}-py3-none-any.whl"


def prepare(folder: Path) -> None:
    """Make a registry with three releases, of which the second has followed the first into production."""
    service = opened(folder)
    for version in VERSIONS[:3]:
        service.upload(wheel(folder, version))
    for version in VERSIONS[:2]:
        service.promote("churn", version, to="production", reason="better")
    service.close()


def publish(folder: Path, done: Done) -> None:
    """Publish a fourth release."""
    service = opened(folder)
    service.upload(wheel(folder, "1.3.0"))
    done("publish")
    service.close()


def promote(folder: Path, done: Done) -> None:
    """Promote the third release into production."""
    service = opened(folder)
    service.promote("churn", "1.2.0", to="production", reason="better still")
    done("promote")
    service.close()


def rollback(folder: Path, done: Done) -> None:
    """Return production to the first release."""
    service = opened(folder)
    service.rollback("churn", stage="production", reason="complaints")
    done("rollback")
    service.close()


def yank(folder: Path, done: Done) -> None:
    """Yank the second release, which is what production runs."""
    service = opened(folder)
    service.yank("churn", "1.1.0", reason="wrong data")
    done("yank")
    service.close()


def delete(folder: Path, done: Done) -> None:
    """Delete the third release, which no stage runs."""
    service = opened(folder)
    service.delete("churn", "1.2.0", reason="personal data")
    done("delete")
    service.close()


def create(parent: Path, done: Done) -> None:
    """Make a registry where there was none, below a folder that is there, and publish the first release."""
    service = opened(parent / "models" / "registry")
    done("make")
    service.upload(parent.parent / "wheels" / "churn-1.0.0-py3-none-any.whl")
    done("publish")
    service.close()


def day(folder: Path, done: Done) -> None:
    """Do everything in one go, so that SQLite's log carries several transactions."""
    service = opened(folder)
    service.upload(wheel(folder, "1.3.0"))
    done("publish")
    service.promote("churn", "1.3.0", to="production", reason="better still")
    done("promote")
    service.rollback("churn", stage="production", reason="complaints")
    done("rollback")
    service.yank("churn", "1.3.0", reason="wrong data")
    done("yank")
    service.delete("churn", "1.3.0", reason="personal data")
    done("delete")
    service.close()


def warm(*wheels: Path) -> None:
    """Import whatever is imported late, and let SQLAlchemy compile what it is asked."""
    with tempfile.TemporaryDirectory() as folder:
        service = opened(Path(folder) / "registry")
        for wheel in wheels:
            service.upload(wheel)
        service.projects()
        service.close()
