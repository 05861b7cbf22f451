"""Gates: what a stage asks of a release before it lets it in. Data; :mod:`modelwright.registry.deciding` judges.

Declared per stage in ``registry.toml``, one table each, chosen by ``gate``::

    [[stages]]
    name = "production"
    gates = [
        { gate = "verified", on = ["cp311"], max_age_days = 30 },
        { gate = "metric", metric = "roc_auc", dataset = "test", at_least = 0.8 },
        { gate = "metric", metric = "roc_auc", dataset = "test", within = 0.005 },
        { gate = "card", sections = ["Intended use"] },
        { gate = "scan", worst = "info" },
        { gate = "signed", keys = ["keys/ci.pem"] },
        { gate = "approved", count = 1 },
        { gate = "soaked", hours = 24 },
    ]
"""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen


class _Declared(Frozen, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a gate asks for, as ``registry.toml`` says; a misspelt field would leave the gate open, and is refused."""


class Verified(_Declared, frozen=True, kw_only=True, omit_defaults=True, tag_field="gate", tag="verified"):
    """Every wheel was proved in a clean environment, all its scenarios held, and not too long ago.

    Attributes:
        on: Interpreters that it must have been proved on (``cp311``); empty: any one.
        max_age_days: Greatest age of the evidence, days; ``None``: any.
    """

    on: tuple[str, ...] = ()
    max_age_days: float | None = None


class Metric(_Declared, frozen=True, kw_only=True, omit_defaults=True, tag_field="gate", tag="metric"):
    """A metric on a named data set is good enough, absolutely or compared with what the stage runs now.

    Attributes:
        metric: Name of the metric (``roc_auc``).
        dataset: Name of the data set (``test``).
        slice: Name of the slice; empty: the whole data set.
        at_least: Smallest value.
        at_most: Largest value, for metrics of which less is better.
        within: How much worse than the release that the stage runs now it may be, in the metric's unit, ≥ 0; a stage
            that runs nothing yet asks nothing.
    """

    metric: str
    dataset: str
    slice: str = ""
    at_least: float | None = None
    at_most: float | None = None
    within: float | None = None


class Card(_Declared, frozen=True, kw_only=True, omit_defaults=True, tag_field="gate", tag="card"):
    """The model card is complete: these sections are there and say something.

    Attributes:
        sections: Headings, compared without case.
    """

    sections: tuple[str, ...] = ()


class Scan(_Declared, frozen=True, kw_only=True, omit_defaults=True, tag_field="gate", tag="scan"):
    """The scan, which the registry made itself at publishing, found nothing worse than this.

    Attributes:
        worst: Highest severity that passes.
        no_code_in_artifact: Whether formats that can run code when they are loaded are refused.
    """

    worst: Literal["info", "warning", "danger"] = "info"
    no_code_in_artifact: bool = False


class Signed(_Declared, frozen=True, kw_only=True, omit_defaults=True, tag_field="gate", tag="signed"):
    """Somebody whose public key is listed signed the wheel.

    Attributes:
        keys: Public keys (Ed25519, PEM files), relative to ``registry.toml``.
    """

    keys: tuple[str, ...]


class Approved(_Declared, frozen=True, kw_only=True, omit_defaults=True, tag_field="gate", tag="approved"):
    """Owners who are not the publisher approved exactly these wheels for exactly this stage.

    Attributes:
        count: How many of them, ≥ 1.
    """

    count: int = 1


class Soaked(_Declared, frozen=True, kw_only=True, omit_defaults=True, tag_field="gate", tag="soaked"):
    """The release has been what the stage before runs for so long, without interruption.

    Attributes:
        hours: How long, hours, ≥ 0.
    """

    hours: float


Gate = Verified | Metric | Card | Scan | Signed | Approved | Soaked


class GateResult(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one gate.

    Attributes:
        gate: Which (``metric roc_auc on test``).
        passed: Whether it lets the release in.
        value: What was found, for people (``0.78``, ``never verified``).
        threshold: What is asked for (``≥ 0.8``).
        hint: What would make it pass, if possible a command, and what is to be said of it as a comment of the shell.
        evidence: Numbers of the evidence it looked at.
    """

    gate: str
    passed: bool
    value: str
    threshold: str
    hint: str = ""
    evidence: tuple[int, ...] = ()
