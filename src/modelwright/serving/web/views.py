"""What the pages of a server show, as frozen data.

Made by the HTTP door from the data plane; read by :mod:`.pages`.
"""

from __future__ import annotations

from typing import Any, Literal

from modelwright.errors import Problem
from modelwright.serving.contract import Contract
from modelwright.serving.deployment import Role
from modelwright.spec.struct import Frozen

State = Literal["ready", "preparing", "draining", "refused"]


class VariantView(Frozen, frozen=True, kw_only=True):
    """One version in a deployment.

    Attributes:
        name: Name of the variant.
        version: Version of its package.
        digest: sha256 of its wheel; empty for a folder that is no wheel.
        role: ``live`` answers; ``shadow`` is asked as well, and nobody sees its answer.
        weight: Its share of the requests, relative to the other live variants.
        state: Whether it answers; a ``refused`` version never took a request.
        reason: Why it is in that state, a sentence; may be empty.
    """

    name: str
    version: str
    digest: str = ""
    role: Role = "live"
    weight: float = 1.0
    state: State = "ready"
    reason: str = ""


class ModelView(Frozen, frozen=True, kw_only=True):
    """One served model.

    Attributes:
        name: Name it is served under.
        ready: Whether it can answer.
        contract: What it promises; ``None``: no version of it is loaded.
        variants: Its versions, the control first.
    """

    name: str
    ready: bool = True
    contract: Contract | None = None
    variants: tuple[VariantView, ...] = ()

    def share(self, variant: VariantView) -> float | None:
        """Return the share of the requests that a variant answers; ``None`` for a shadow."""
        whole = sum(one.weight for one in self.variants if one.role == "live")
        return variant.weight / whole if variant.role == "live" and whole else None


class ServerView(Frozen, frozen=True, kw_only=True):
    """The server as a whole.

    Attributes:
        title: What it is called.
        models: What it serves, sorted by name.
        ready: Whether every model is loaded, checked and warm.
        base_url: How it is reached from outside, without a final ``/``; for lines that people copy.
        root: Path that it is mounted below, without a final ``/``; usually empty.
    """

    title: str = "Models"
    models: tuple[ModelView, ...] = ()
    ready: bool = True
    base_url: str = "http://127.0.0.1:8000"
    root: str = ""


class Sent(Frozen, frozen=True, kw_only=True):
    """What somebody sent with a form.

    Attributes:
        method: Method of the model.
        rows: The rows as JSON values, as a client would send them.
        problems: What is wrong with them; empty if the signature allows them.
        filled: What was written into each field.
    """

    method: str
    rows: tuple[dict[str, Any], ...]
    problems: tuple[Problem, ...] = ()
    filled: dict[str, str]


class Refusal(Frozen, frozen=True, kw_only=True):
    """Why there is no answer.

    Attributes:
        error: A sentence for people.
        code: Code of the error; empty: nothing but the fields is wrong.
    """

    error: str
    code: str = ""
