"""What gates look at: a release, what is known about its wheels, what the stages run, and what time it is. Frozen data.

Whoever asks collects the facts (:mod:`modelwright.registry.operating.promoting`); the gates beside this module judge
them, and look at nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from modelwright.registry.evidence import Evidence, EvidenceKind
from modelwright.registry.projects import Project, Release, StoredFile
from modelwright.spec.struct import Frozen
from modelwright.spec.weights import weights_name


class Facts(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that a gate may look at.

    Attributes:
        stage: Name of the stage that the release shall go into.
        before: Name of the stage before it; empty: it is the first.
        project: The project.
        release: The release.
        incumbent: The release that the stage runs now; ``None``: it runs nothing.
        evidence: What is known about the wheels of the release, oldest first.
        incumbent_evidence: What is known about the wheels of the incumbent, oldest first.
        weights: sha256 of the wheels with the release's weights, if they are in a distribution of their own; their
            scans, among ``evidence``, count as well.
        card: The card of the release, Markdown.
        keys: Public keys, PEM, by the names that gates give them.
        now: What time it is, with a time zone.
    """

    stage: str
    before: str
    project: Project
    release: Release
    incumbent: Release | None = None
    evidence: tuple[Evidence, ...] = ()
    incumbent_evidence: tuple[Evidence, ...] = ()
    weights: tuple[str, ...] = ()
    card: str = ""
    keys: dict[str, bytes] = {}
    now: datetime

    @property
    def wheels(self) -> tuple[StoredFile, ...]:
        """The wheels of the release."""
        return self.release.wheels

    @property
    def what(self) -> str:
        """The release as a command takes it."""
        return f"{self.project.name}=={self.release.version}"

    def about(self, sha256: str, kind: EvidenceKind) -> tuple[Evidence, ...]:
        """Return the evidence of one kind about one wheel, oldest first; about another wheel, it is no evidence."""
        return tuple(
            sorted((one for one in self.evidence if one.sha256 == sha256 and one.kind == kind), key=lambda one: one.id)
        )

    def since(self, moment: str) -> timedelta:
        """Return how long ago something was; if the clock was moved back since, it was just now.

        Args:
            moment: RFC 3339.
        """
        then = datetime.fromisoformat(moment)
        return max(self.now - (then if then.tzinfo else then.replace(tzinfo=UTC)), timedelta(0))


def weights_version(project: str, requires: Iterable[str]) -> str:
    """Return which weights a release of a model requires; empty: it carries them itself.

    Args:
        project: Name of the model.
        requires: What the release requires, PEP 508, as its metadata says.

    Example:
        >>> weights_version("churn", ["numpy==2.4.6", "churn-weights==1.2.0"])
        '1.2.0'
    """
    for text in requires:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) == weights_name(project):
            return str(requirement.specifier).removeprefix("==")
    return ""


def ago(span: timedelta) -> str:
    """Say a span of time in people's words.

    Example:
        >>> ago(timedelta(days=31)), ago(timedelta(hours=23.5)), ago(timedelta(seconds=20))
        ('31 days', '23.5 hours', '20 seconds')
    """
    seconds = span.total_seconds()
    for unit, length in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0)):
        if seconds >= 2 * length or unit == "second":
            number = f"{seconds / length:.1f}".removesuffix(".0")
            return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
    raise AssertionError("unreachable: a second is the smallest unit")
